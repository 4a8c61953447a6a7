//! A stored event that came when its version was today's → its payload as JSON, as its contract reads it.
//!
//! The log keeps no text of such an event, only values; a line that says the same is brought into this very form
//! before it is lifted ([`super::upcast`]), so both come to the same.

use super::plan::EventPlan;
use super::written;
use crate::error::{Error, Result};
use crate::log::json::{Members, Tree};
use crate::model::{OldField, OldShape, ValueType};
use arrow::array::{Array, AsArray, ListArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

/// The types of a payload's values by their paths, `list[].field` for those of items.
pub type Types = BTreeMap<String, String>;

/// What the columns of stored events hold.
pub fn types_of(stored: &Schema) -> Types {
    let mut types = Types::new();
    for column in stored.fields().iter().filter(|column| !column.name().starts_with('_')) {
        match items_of(column.data_type()) {
            None => drop(types.insert(column.name().clone(), column.data_type().to_string())),
            Some(fields) => types.extend(fields.iter().map(|field| {
                (format!("{}[].{}", column.name(), field.name()), field.data_type().to_string())
            })),
        }
    }
    types
}

fn items_of(list: &DataType) -> Option<&arrow::datatypes::Fields> {
    match list {
        DataType::List(element) => match element.data_type() {
            DataType::Struct(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}

/// What a contract declares of events of this version.
pub fn declared(contract: &EventPlan, version: i64) -> Types {
    let mut types = Types::new();
    let mut add = |prefix: &str, name: &str, value_type: ValueType| {
        types.insert(format!("{prefix}{name}"), value_type.arrow().to_string());
    };
    if version == contract.version {
        contract.columns.iter().for_each(|(name, value_type)| add("", name, *value_type));
        for list in &contract.lists {
            let prefix = format!("{}[].", list.name);
            list.columns.iter().for_each(|(name, value_type)| add(&prefix, name, *value_type));
        }
    } else if let Some(upcast) = contract.upcasts.iter().find(|upcast| upcast.from == version) {
        let mut all = |prefix: &str, fields: &[OldField]| {
            for field in fields {
                if let OldShape::Scalar { value_type, .. } = field.shape {
                    add(prefix, &field.name, value_type);
                }
            }
        };
        all("", &upcast.fields);
        upcast.lists.iter().for_each(|(list, fields)| all(&format!("{list}[]."), fields));
    }
    types
}

/// The payload of one event. Members of the envelope that nobody declared are none of it.
pub fn payload(batch: &RecordBatch, row: usize, has_envelope: bool) -> Result<Vec<u8>> {
    let schema = batch.schema();
    let absent: HashSet<&str> = text(batch, "_absent", row)?.split(',').collect();
    let mut payload = Members::default();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let name = field.name().as_str();
        if name.starts_with('_') || absent.contains(name) {
            continue;
        }
        let value = match column.as_list_opt::<i32>() {
            Some(list) => items(list, row, name, &absent),
            None => scalar(column, row),
        };
        payload.push(name, value.ok_or_else(|| Error::bug(format!("{name} has no JSON")))?);
    }
    let unknown = text(batch, "_unknown", row)?;
    if !unknown.is_empty() {
        let damaged = |_| Error::bug("undeclared fields of an event are no JSON object");
        for (name, value) in Tree::read_members(unknown.as_bytes()).map_err(damaged)? {
            if has_envelope && name.starts_with("envelope.") {
                continue;
            }
            match item_of(&mut payload, &name) {
                Some((item, name)) => item.push(&name, value),
                None => payload.push(&name, value),
            }
        }
    }
    let mut text = Vec::new();
    payload.write(&mut text);
    Ok(text)
}

/// The item that a key such as `list[0].field` speaks of, and the field.
fn item_of<'p, 'a>(payload: &'p mut Members<'a>, key: &str) -> Option<(&'p mut Members<'a>, String)> {
    let (list, rest) = key.split_once('[')?;
    let (item, name) = rest.split_once("].")?;
    let item: usize = item.parse().ok()?;
    match payload.get_mut(list)? {
        Tree::List(items) => match items.get_mut(item)? {
            Tree::Object(members) => Some((members, name.to_owned())),
            _ => None,
        },
        _ => None,
    }
}

fn items(list: &ListArray, row: usize, name: &str, absent: &HashSet<&str>) -> Option<Tree<'static>> {
    let items = list.value(row);
    let items = items.as_struct_opt()?;
    let item = |at: usize| {
        let mut members = Members::default();
        for (field, column) in items.fields().iter().zip(items.columns()) {
            if !absent.contains(format!("{name}[{at}].{}", field.name()).as_str()) {
                members.push(field.name(), scalar(column, at)?);
            }
        }
        Some(Tree::Object(members))
    };
    (0..items.len()).map(item).collect::<Option<_>>().map(Tree::List)
}

fn scalar(column: &dyn Array, row: usize) -> Option<Tree<'static>> {
    let raw = if column.is_null(row) { b"null".to_vec() } else { written::stored(column, row)? };
    Some(Tree::Scalar(Cow::Owned(raw)))
}

/// What a column of notes says of an event; nothing where it is null.
pub fn text<'b>(batch: &'b RecordBatch, name: &str, row: usize) -> Result<&'b str> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let column = column.ok_or_else(|| Error::bug(format!("the event store has no texts {name}")))?;
    Ok(if column.is_null(row) { "" } else { column.value(row) })
}
