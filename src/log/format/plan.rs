//! `Model` → [`Formats`]: what to look for in records of foreign formats, decided before the first one.

use super::connect::Hint;
use crate::model::{ChangedTable, Model, Outbox, ValueType};
use std::collections::{HashMap, HashSet};

/// How to read the formats that are not the log's own.
#[derive(Debug)]
pub struct Formats {
    tables: Vec<Table>,
    pub outbox: Outbox,
    /// By event type and field: its type.
    types: HashMap<String, HashMap<String, ValueType>>,
}

/// A declared table.
#[derive(Debug)]
pub struct Table {
    pub declared: ChangedTable,
    /// Fields that are filled by a column of another name.
    taken: HashSet<String>,
}

impl Formats {
    pub fn new(model: &Model) -> Self {
        let types = model.events.iter().map(|event| {
            let fields = event.fields.iter().map(|field| (field.name.clone(), field.value_type));
            (event.name.clone(), fields.collect())
        });
        let table =
            |declared: &ChangedTable| Table { taken: taken(&declared.fields), declared: declared.clone() };
        Self {
            tables: model.log.tables.iter().map(table).collect(),
            outbox: model.log.outbox.clone(),
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

    /// What the pipeline says of the way in which values of a column come.
    pub fn hint(&self, column: &str) -> Hint {
        Hint {
            scale: self.declared.scales.get(column).copied(),
            unit: self.declared.times.get(column).copied(),
            decimals_are_text: self.declared.decimals_are_text,
        }
    }
}

/// Fields that are filled by a column of another name.
fn taken(fields: &HashMap<String, Vec<String>>) -> HashSet<String> {
    let renamed =
        fields.iter().flat_map(|(column, fields)| fields.iter().filter(move |field| *field != column));
    renamed.filter(|field| !fields.contains_key(*field)).cloned().collect()
}
