//! `Model` → [`Formats`]: what to look for in records of foreign formats, decided before the first one.

use super::connect::Hint;
use super::identity;
use crate::model::{ChangedTable, EventOfRow, Model, Outbox, Rows, ValueType};
use std::collections::{HashMap, HashSet};

/// How to read the formats that are not the log's own.
#[derive(Debug)]
pub struct Formats {
    tables: Vec<Table>,
    pub outbox: Outbox,
    rows: Vec<RowPlan>,
    /// By event type and field: its type.
    types: HashMap<String, HashMap<String, ValueType>>,
}

/// A declared table.
#[derive(Debug)]
pub struct Table {
    pub declared: ChangedTable,
    /// Fields that are filled by a column of another name.
    taken: HashSet<String>,
    /// By event type of an update: the columns that say which row it is.
    keys: HashMap<String, Vec<String>>,
}

/// Declared rows of files.
#[derive(Debug)]
pub struct RowPlan {
    pub declared: Rows,
    /// Columns that such rows must have.
    needed: Vec<String>,
    /// Fields that are filled by a column of another name.
    pub taken: HashSet<String>,
}

impl Formats {
    pub fn new(model: &Model) -> Self {
        let types = model.events.iter().map(|event| {
            let fields = event.fields.iter().map(|field| (field.name.clone(), field.value_type));
            (event.name.clone(), fields.collect())
        });
        let table = |declared: &ChangedTable| Table {
            taken: taken(&declared.fields),
            keys: identity::keys(declared, model),
            declared: declared.clone(),
        };
        Self {
            tables: model.log.tables.iter().map(table).collect(),
            outbox: model.log.outbox.clone(),
            rows: model.log.rows.iter().map(|declared| RowPlan::new(declared, model)).collect(),
            types: types.collect(),
        }
    }

    /// The declaration that says most of this table, if there is any.
    pub fn table(&self, full_name: &str) -> Option<&Table> {
        let fits = self.tables.iter().filter(|table| table.declared.is(full_name));
        fits.max_by_key(|table| table.declared.table.len())
    }

    /// The type of a field, if the event type declares it.
    pub fn value_type(&self, event: &str, field: &str) -> Option<ValueType> {
        self.types.get(event)?.get(field).copied()
    }

    /// The declared rows that have these columns: those that name most of them, and of these the first. A delimiter
    /// is that of CSV.
    pub fn rows_of(&self, columns: &[String], delimiter: Option<u8>) -> Option<&RowPlan> {
        let fits = self.candidates(delimiter).filter(|rows| rows.lacks(columns).next().is_none());
        fits.rev().max_by_key(|rows| rows.needed.len())
    }

    /// Why no declared rows have these columns, for a person.
    pub fn lacking(&self, columns: &[String], delimiter: Option<u8>) -> String {
        let nearest = self.candidates(delimiter).min_by_key(|rows| rows.lacks(columns).count());
        let Some(rows) = nearest else { return "the pipeline declares no such rows".to_owned() };
        let lacks: Vec<String> = rows.lacks(columns).map(|column| format!("`{column}`")).collect();
        format!("it lacks {} of the rows `{}`", lacks.join(", "), rows.declared.name)
    }

    /// The delimiters of the declared rows, each once.
    pub fn delimiters(&self) -> Vec<u8> {
        let mut delimiters: Vec<u8> = self.rows.iter().map(|rows| rows.declared.delimiter).collect();
        delimiters.sort_unstable();
        delimiters.dedup();
        delimiters
    }

    fn candidates(&self, delimiter: Option<u8>) -> impl DoubleEndedIterator<Item = &RowPlan> {
        self.rows
            .iter()
            .filter(move |rows| delimiter.is_none_or(|delimiter| rows.declared.delimiter == delimiter))
    }
}

impl Table {
    /// The fields that a column fills; an error where the field of its own name is filled by another one.
    pub fn fields<'t>(&'t self, column: &'t str) -> Result<impl Iterator<Item = &'t str>, ()> {
        let named = self.declared.fields.get(column);
        if named.is_none() && self.taken.contains(column) {
            return Err(());
        }
        let own = named.is_none().then_some(column);
        Ok(named.into_iter().flatten().map(String::as_str).chain(own))
    }

    /// The columns that say which row an update of this event type is of, as far as the pipeline knows.
    pub fn keys(&self, event: &str) -> &[String] {
        self.keys.get(event).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the pipeline says of the way in which values of a column come.
    pub fn hint(&self, column: &str) -> Hint {
        Hint {
            scale: self.declared.scales.get(column).copied(),
            unit: self.declared.times.get(column).copied(),
            decimals_are_text: self.declared.decimals_are_text,
        }
    }
}

impl RowPlan {
    fn new(declared: &Rows, model: &Model) -> Self {
        let taken = taken(&declared.fields);
        let around = [Some(&declared.time), declared.id.as_ref(), declared.order.as_ref()];
        let mut needed: Vec<String> =
            around.into_iter().flatten().chain(declared.fields.keys()).cloned().collect();
        match &declared.event {
            EventOfRow::Column(column) => needed.push(column.clone()),
            EventOfRow::Always(event) => {
                let event = model.events.iter().find(|known| known.name == *event);
                let fields = event.into_iter().flat_map(|event| &event.fields);
                let filled = |field: &str| declared.fields.values().flatten().any(|filled| filled == field);
                let own = fields.filter(|field| !field.optional && !filled(&field.name));
                needed.extend(own.map(|field| field.name.clone()));
            }
        }
        needed.sort_unstable();
        needed.dedup();
        Self { declared: declared.clone(), needed, taken }
    }

    /// The columns that are missing among these.
    fn lacks<'r>(&'r self, columns: &'r [String]) -> impl Iterator<Item = &'r String> {
        self.needed.iter().filter(|needed| !columns.contains(needed))
    }

    /// Whether a text stands for null.
    pub fn is_null(&self, text: &str) -> bool {
        self.declared.nulls.iter().any(|null| null == text)
    }

    /// The column that names the event type, if one does.
    pub fn event_column(&self) -> Option<&String> {
        match &self.declared.event {
            EventOfRow::Column(column) => Some(column),
            EventOfRow::Always(_) => None,
        }
    }
}

/// Fields that are filled by a column of another name.
fn taken(fields: &HashMap<String, Vec<String>>) -> HashSet<String> {
    let renamed =
        fields.iter().flat_map(|(column, fields)| fields.iter().filter(move |field| *field != column));
    renamed.filter(|field| !fields.contains_key(*field)).cloned().collect()
}
