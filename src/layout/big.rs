//! (fact, dimensions, dates) → the fact as one big table: every attribute beside every row, and no key that leads on.
//!
//! It is no layout of a warehouse: it forgets members without facts and versions that no fact bears. Whoever compares
//! layouts builds it from the same relations, and asks it the same questions.

use super::level::{PARENT_KEY, VALIDITY, key_name, wide_columns};
use crate::error::{Error, Result};
use crate::model::{Column, Dimension, Fact, Model, Role};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Int64Type, Schema, SchemaRef};
use std::collections::BTreeSet;
use std::sync::Arc;

/// `obt_<fact>`.
#[must_use]
pub fn big_table_name(fact: &Fact) -> String {
    format!("obt_{}", fact.name)
}

/// How the one big table of a fact calls a column; `None`: it does not hold it.
#[must_use]
pub fn big_column_name(model: &Model, fact: &Fact, column: &Column) -> Option<String> {
    let names = Names::of(model, fact);
    match column {
        Column::Own { name, .. } => {
            let leads_on = fact.roles.iter().any(|role| key_name(&role.name) == *name);
            (!leads_on).then(|| name.clone())
        }
        Column::Date { name, .. } => Some(names.of_date(name)),
        Column::OfRole { role, name, .. } => names.of_role(*role, name),
    }
}

/// The names of a big table's columns. One that another column has already gets a number.
struct Names {
    /// (index of the role, column, name)
    roles: Vec<(usize, String, String)>,
    taken: BTreeSet<String>,
}

impl Names {
    fn of(model: &Model, fact: &Fact) -> Self {
        let fixed = ["position", "item", "kind", "occurred_at", "date_key"].map(str::to_owned).into_iter();
        let header = fact.header.iter().chain(&fact.line).map(|column| column.name.clone());
        let carried = fact.columns.iter().map(|column| column.name.clone());
        let measures = fact.measures.iter().map(|measure| measure.name.clone());
        let own = fixed.chain(header).chain(carried).chain(measures);
        let mut taken: BTreeSet<String> = own.map(|name| name.to_lowercase()).collect();
        let mut roles = Vec::new();
        for (index, role) in fact.roles.iter().enumerate() {
            for column in attributes(model, role) {
                let name = free(&taken, &role.name, &column);
                taken.insert(name.to_lowercase());
                roles.push((index, column, name));
            }
        }
        Self { roles, taken }
    }

    fn of_role(&self, role: usize, column: &str) -> Option<String> {
        let found = self.roles.iter().find(|(of, known, _)| *of == role && known == column);
        found.map(|(_, _, name)| name.clone())
    }

    fn of_date(&self, column: &str) -> String {
        free(&self.taken, "date", column)
    }
}

/// `<part>_<column>`, as DuckDB tells names apart: letter case aside.
fn free(taken: &BTreeSet<String>, part: &str, column: &str) -> String {
    let name = format!("{part}_{column}");
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !taken.contains(&name.to_lowercase())).unwrap_or(name)
}

/// Natural keys and attributes of all levels, from the bottom up.
fn attributes(model: &Model, role: &Role) -> impl Iterator<Item = String> {
    let dimension: Option<&Dimension> = model.dimensions.get(role.dimension);
    dimension.into_iter().flat_map(|dimension| dimension.entities.iter().flat_map(wide_columns))
}

/// A fact as one big table.
pub struct BigTable {
    pub name: String,
    /// As the ledger.
    pub sorted_by: Vec<String>,
    pub schema: SchemaRef,
    /// Columns of the ledger that stay.
    own: Vec<String>,
    beside: Vec<Beside>,
}

/// What stands beside a row in place of a key.
struct Beside {
    key: String,
    /// Rising.
    keys: Int64Array,
    columns: Vec<ArrayRef>,
}

impl BigTable {
    /// `wide` holds the wide relation of each dimension of the model, in order; `ledger` the columns of the fact.
    ///
    /// # Errors
    /// A relation without its key is a bug.
    pub fn new(
        model: &Model,
        fact: &Fact,
        ledger: &Schema,
        sorted_by: Vec<String>,
        wide: &[RecordBatch],
        dates: &RecordBatch,
    ) -> Result<Self> {
        let names = Names::of(model, fact);
        let leads_on = |name: &str| fact.roles.iter().any(|role| key_name(&role.name) == name);
        let stay = ledger.fields().iter().filter(|field| !leads_on(field.name()));
        let mut fields: Vec<Field> = stay.map(|field| field.as_ref().clone()).collect();
        let own = fields.iter().map(|field| field.name().clone()).collect();
        let mut beside = Vec::new();
        let date = part(dates, "date_key", "date_key", &mut fields, &|name| Some(names.of_date(name)))?;
        beside.push(date);
        for (index, role) in fact.roles.iter().enumerate() {
            let dimension = model.dimensions.get(role.dimension);
            let wide = wide.get(role.dimension).zip(dimension);
            let (wide, dimension) =
                wide.ok_or_else(|| Error::bug(format!("role {} has no dimension", role.name)))?;
            let own = key_name(&dimension.name);
            let name = |name: &str| names.of_role(index, name);
            beside.push(part(wide, &own, &key_name(&role.name), &mut fields, &name)?);
        }
        Ok(Self { name: big_table_name(fact), sorted_by, schema: Arc::new(Schema::new(fields)), own, beside })
    }

    /// The rows of a partition, each with what its keys lead to.
    ///
    /// # Errors
    /// A key that leads nowhere is a bug.
    pub fn rows(&self, facts: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for name in &self.own {
            columns.push(Arc::clone(column(facts, name)?));
        }
        for beside in &self.beside {
            let rows = beside.rows(facts)?;
            for column in &beside.columns {
                columns.push(take(column, &rows, None)?);
            }
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Beside {
    fn rows(&self, facts: &RecordBatch) -> Result<UInt32Array> {
        let known = self.keys.values();
        // Rows are sorted by day, and lines of one header lie together: many have the key of the one before.
        let (mut last, mut last_row) = (None, 0);
        let row = |key: i64| {
            if last != Some(key) {
                let found = known.binary_search(&key);
                let found = found.map_err(|_| Error::bug(format!("{} {key} leads nowhere", self.key)))?;
                (last, last_row) = (Some(key), u32::try_from(found).unwrap_or(u32::MAX));
            }
            Ok(last_row)
        };
        let keys = column(facts, &self.key)?.as_primitive::<Int64Type>();
        Ok(UInt32Array::from(keys.values().iter().copied().map(row).collect::<Result<Vec<_>>>()?))
    }
}

/// What stands in place of `key`: the columns of a relation that have a name, which are added to the fields.
fn part(
    relation: &RecordBatch,
    own_key: &str,
    key: &str,
    fields: &mut Vec<Field>,
    name: &dyn Fn(&str) -> Option<String>,
) -> Result<Beside> {
    let keys = column(relation, own_key)?.as_primitive::<Int64Type>().clone();
    let mut columns = Vec::new();
    for (field, values) in relation.schema_ref().fields().iter().zip(relation.columns()) {
        let is_attribute = field.name() != own_key
            && field.name() != PARENT_KEY
            && !VALIDITY.iter().any(|validity| validity == field.name());
        if is_attribute && let Some(name) = name(field.name()) {
            fields.push(field.as_ref().clone().with_name(name).with_nullable(true));
            columns.push(Arc::clone(values));
        }
    }
    Ok(Beside { key: key.to_owned(), keys, columns })
}

fn column<'batch>(batch: &'batch RecordBatch, name: &str) -> Result<&'batch ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::bug(format!("a relation lacks column {name}")))
}
