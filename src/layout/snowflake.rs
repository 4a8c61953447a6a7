//! Wide relations → one table for each level (DESIGN 24).
//!
//! Each child row holds the key of the very parent row that was true with it. Nothing is looked up
//! here: `history` has said which parent row that is, and plain levels are functions of the row.

use super::level::{Level, PARENT_KEY, VALIDITY, key_name, levels, table_name};
use super::plain::{PlainRows, plain_rows};
use super::{Table, comment, commented, no_comment, table};
use crate::error::{Error, Result};
use crate::model::Dimension;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int64Type};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn tables(dimension: &Dimension, entities: &[RecordBatch]) -> Result<Vec<Table>> {
    let comments = comment::columns(dimension);
    let levels = levels(dimension);
    let (entity_levels, plain_levels) = levels.split_at(entities.len().min(levels.len()));
    let (Some(last), Some(wide)) = (entity_levels.last(), entities.last()) else {
        return Err(Error::bug(format!("dimension {} has no entity", dimension.name)));
    };
    let plain = plain_rows(dimension, wide, keys(last, wide)?)?;

    let mut tables = Vec::with_capacity(levels.len());
    for (index, (level, wide)) in entity_levels.iter().zip(entities).enumerate() {
        let is_last = index + 1 == entities.len();
        let parent_keys = if is_last {
            plain.first().map(|rows| Arc::new(rows.keys.clone()) as ArrayRef)
        } else {
            Some(column(wide, PARENT_KEY)?)
        };
        tables.push(entity_table(level, wide, parent_keys, &comments)?);
    }
    for (index, (level, rows)) in plain_levels.iter().zip(&plain).enumerate() {
        tables.push(plain_table(level, last.name, wide, rows, plain.get(index + 1))?);
    }
    Ok(tables)
}

/// All rows of an entity, those without children too.
fn entity_table(
    level: &Level<'_>,
    wide: &RecordBatch,
    parent_keys: Option<ArrayRef>,
    comments: &BTreeMap<String, String>,
) -> Result<Table> {
    let key = key_name(level.name);
    let mut columns =
        vec![key_column(level.name, &comment::entity_key(level.name), Arc::new(keys(level, wide)?.clone()))];
    for name in &level.columns {
        columns.push(own_column(wide, name, comments)?);
    }
    if let (Some(parent), Some(parent_keys)) = (level.parent, parent_keys) {
        columns.push(key_column(parent, &comment::parent_key(level.name, parent), parent_keys));
    }
    for name in VALIDITY {
        columns.push(own_column(wide, name, comments)?);
    }
    table(table_name(level.name), vec![key], columns)
}

/// One row for each combination of values that a row of the entity below carries.
fn plain_table(
    level: &Level<'_>,
    entity: &str,
    wide: &RecordBatch,
    rows: &PlainRows,
    above: Option<&PlainRows>,
) -> Result<Table> {
    let carriers = UInt32Array::from(rows.carriers.clone());
    let key = key_name(level.name);
    let mut columns =
        vec![key_column(level.name, &comment::plain_key(level.name), take(&rows.keys, &carriers, None)?)];
    for name in &level.columns {
        let field = commented(wide.schema_ref().field_with_name(name)?, &comment::plain_column(name, entity));
        columns.push((field, take(&column(wide, name)?, &carriers, None)?));
    }
    if let (Some(parent), Some(above)) = (level.parent, above) {
        let parent_keys = take(&above.keys, &carriers, None)?;
        columns.push(key_column(parent, &comment::parent_key(level.name, parent), parent_keys));
    }
    table(table_name(level.name), vec![key], columns)
}

/// The keys of an entity's batch, whose order the tables rely on.
fn keys<'batch>(level: &Level<'_>, wide: &'batch RecordBatch) -> Result<&'batch Int64Array> {
    let keys = wide
        .column_by_name(&key_name(level.name))
        .and_then(|column| column.as_primitive_opt::<Int64Type>())
        .filter(|keys| keys.null_count() == 0)
        .ok_or_else(|| Error::bug(format!("level {} has no key column", level.name)))?;
    let begins_reserved = keys.values().starts_with(&[-2, -1]);
    let rises = keys.values().windows(2).all(|pair| pair[0] < pair[1]);
    if begins_reserved && rises {
        Ok(keys)
    } else {
        Err(Error::bug(format!(
            "the rows of level {} are not sorted by key, reserved rows first",
            level.name
        )))
    }
}

fn key_column(level: &str, comment: &str, keys: ArrayRef) -> (Field, ArrayRef) {
    (commented(&Field::new(key_name(level), DataType::Int64, false), comment), keys)
}

fn own_column(
    wide: &RecordBatch,
    name: &str,
    comments: &BTreeMap<String, String>,
) -> Result<(Field, ArrayRef)> {
    let array = column(wide, name)?;
    let comment = comments.get(name).ok_or_else(|| no_comment(name))?;
    Ok((commented(wide.schema_ref().field_with_name(name)?, comment), array))
}

fn column(wide: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let array =
        wide.column_by_name(name).ok_or_else(|| Error::bug(format!("a dimension lacks column {name}")))?;
    Ok(Arc::clone(array))
}
