//! (model, history) → whom a rename is to hit: the member at the top of the deepest hierarchy with the most below it.

use crate::error::{Error, Result};
use crate::history::History;
use crate::model::{Attribute, Dimension, KeyColumn, Model, ValueType};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A member of the last entity of a dimension, and what it is called by.
#[derive(Debug, Clone)]
pub struct Target {
    /// Index into [`Model::dimensions`].
    pub dimension: usize,
    /// Index into the last entity's attributes.
    pub attribute: usize,
    /// As an event says it, a value for each key column.
    pub key: Vec<Value>,
    /// What it is called now.
    pub label: String,
    /// Members of the lowest level that belong to it now.
    pub members_below: u64,
}

impl Target {
    /// Whom to rename; or why nobody.
    pub fn choose(model: &Model, history: &History) -> Result<Result<Self, String>> {
        let mut hierarchies: Vec<(usize, usize)> = Vec::new();
        for (index, dimension) in model.dimensions.iter().enumerate() {
            if dimension.entities.len() > 1
                && let Some(attribute) = called_by(dimension)
            {
                hierarchies.push((index, attribute));
            }
        }
        // The deepest, of those the first declared.
        let depth = |index: usize| model.dimensions.get(index).map_or(0, |it| it.entities.len());
        let deepest = hierarchies.into_iter().rev().max_by_key(|(index, _)| depth(*index));
        let Some((dimension, attribute)) = deepest else {
            let why = "no dimension has an entity above another one with a text to rename: where levels are plain \
                       columns, each member below says for itself where it belongs";
            return Ok(Err(why.to_owned()));
        };
        let found = Self::greatest(model, history, dimension, attribute)?;
        Ok(found.ok_or_else(|| "no member at the top of the hierarchy has anybody below it".to_owned()))
    }

    pub fn dimension<'m>(&self, model: &'m Model) -> Result<&'m Dimension> {
        model.dimensions.get(self.dimension).ok_or_else(|| Error::bug("the dimension has gone"))
    }

    pub fn attribute<'m>(&self, model: &'m Model) -> Result<&'m Attribute> {
        let top = self.dimension(model)?.entities.last();
        let attribute = top.and_then(|top| top.attributes.get(self.attribute));
        attribute.ok_or_else(|| Error::bug("the attribute has gone"))
    }

    fn greatest(
        model: &Model,
        history: &History,
        dimension: usize,
        attribute: usize,
    ) -> Result<Option<Self>> {
        let made = history.dimensions.get(dimension).and_then(|made| made.entities.first());
        let declared = model.dimensions.get(dimension);
        let top = declared.and_then(|dimension| dimension.entities.last());
        let (Some(wide), Some(top)) = (made, top) else { return Ok(None) };
        let Some(called) = top.attributes.get(attribute) else { return Ok(None) };
        let keys: Vec<(&KeyColumn, &ArrayRef)> =
            top.key.iter().map(|key| Ok((key, column(wide, &key.name)?))).collect::<Result<_>>()?;
        let labels = column(wide, &called.name)?.as_string::<i32>();
        let is_current = column(wide, "is_current")?.as_boolean();
        // By the text of the key: the first of equals is the same on every machine.
        let mut members: BTreeMap<String, (u64, Vec<Value>, String)> = BTreeMap::new();
        for row in 0..wide.num_rows() {
            let is_live = is_current.is_valid(row) && is_current.value(row);
            if !is_live || labels.is_null(row) || keys.iter().any(|(_, values)| values.is_null(row)) {
                continue;
            }
            let key: Vec<Value> = keys.iter().map(|(key, values)| said(key, values, row)).collect();
            let known = members.entry(Value::from(key.clone()).to_string());
            known.or_insert_with(|| (0, key, labels.value(row).to_owned())).0 += 1;
        }
        let greatest = members.into_values().rev().max_by_key(|(below, ..)| *below);
        Ok(greatest.map(|(members_below, key, label)| Self {
            dimension,
            attribute,
            key,
            label,
            members_below,
        }))
    }
}

/// What the top of a hierarchy is called by: the first text whose name says so, else its first text.
fn called_by(dimension: &Dimension) -> Option<usize> {
    let attributes = &dimension.entities.last()?.attributes;
    let is_plain =
        |index: &usize| dimension.plain_levels.iter().any(|level| level.attributes.contains(index));
    let is_text = |index: &usize| attributes[*index].value_type == ValueType::Text;
    let texts: Vec<usize> = (0..attributes.len()).filter(is_text).filter(|at| !is_plain(at)).collect();
    let named = texts.iter().find(|index| attributes[**index].name.ends_with("name"));
    named.or(texts.first()).copied()
}

/// A value as a line of the log says it.
fn said(key: &KeyColumn, values: &ArrayRef, row: usize) -> Value {
    match key.value_type {
        ValueType::Text => json!(values.as_string::<i32>().value(row)),
        ValueType::Integer => json!(values.as_primitive::<Int64Type>().value(row)),
        ValueType::Boolean => json!(values.as_boolean().value(row)),
        ValueType::Decimal { .. } => json!(values.as_primitive::<Decimal128Type>().value_as_string(row)),
        ValueType::Date => {
            json!(values.as_primitive::<Date32Type>().value_as_date(row).map(|day| day.to_string()))
        }
        ValueType::Timestamp => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            let instant = DateTime::from_timestamp_micros(micros);
            json!(instant.map(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true)))
        }
    }
}

fn column<'batch>(batch: &'batch RecordBatch, name: &str) -> Result<&'batch ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::bug(format!("a relation lacks column {name}")))
}
