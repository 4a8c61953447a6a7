//! (rows of the last entity, their plain levels) → the rows of each plain level and the key that each
//! entity row points to (DESIGN 24).
//!
//! A plain level is identified by its columns and those of all levels above it. Its row takes the
//! smallest key among the entity rows that carry it: those of the level below it take theirs from the
//! same rows, so the smallest key of its children is the same number.

use super::level::plain_columns;
use crate::error::{Error, Result};
use crate::model::Dimension;
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow::row::{RowConverter, SortField};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Key of the row that stands for nothing: a level whose columns, and all above, are null.
const NOT_APPLICABLE: i64 = -2;

/// The rows of one plain level, as rows of the entity that carry them.
pub(super) struct PlainRows {
    /// The reserved rows and, for each combination of values, the row with the smallest key; by key.
    pub carriers: Vec<u32>,
    /// For each row of the entity, the key of this level.
    pub keys: Int64Array,
}

/// One [`PlainRows`] for each plain level, bottom up.
pub(super) fn plain_rows(
    dimension: &Dimension,
    wide: &RecordBatch,
    keys: &Int64Array,
) -> Result<Vec<PlainRows>> {
    (0..dimension.plain_levels.len())
        .map(|level| {
            let identity = (level..dimension.plain_levels.len())
                .flat_map(|above| plain_columns(dimension, above))
                .map(|attribute| {
                    wide.column_by_name(&attribute.name).map(Arc::clone).ok_or_else(|| {
                        Error::bug(format!("dimension {} lacks column {}", dimension.name, attribute.name))
                    })
                })
                .collect::<Result<Vec<ArrayRef>>>()?;
            group(&identity, keys)
        })
        .collect()
}

/// Rows come sorted by key, so the first row of a combination has its smallest key.
fn group(identity: &[ArrayRef], keys: &Int64Array) -> Result<PlainRows> {
    let types = identity.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(types)?.convert_columns(identity)?;
    let mut first = HashMap::with_capacity(1024);
    let mut carriers = Vec::new();
    let mut level_keys = Vec::with_capacity(keys.len());
    for (row, (position, key)) in rows.iter().zip((0u32..).zip(keys.values().iter().copied())) {
        let is_empty = || identity.iter().all(|column| column.is_null(position as usize));
        let level_key = if key < 0 {
            carriers.push(position);
            key
        } else if is_empty() {
            NOT_APPLICABLE
        } else {
            match first.entry(row) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    carriers.push(position);
                    *new.insert(key)
                }
            }
        };
        level_keys.push(level_key);
    }
    Ok(PlainRows { carriers, keys: Int64Array::from(level_keys) })
}
