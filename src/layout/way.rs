//! (layout, dimension, column) → the tables to be joined, one after the other, from a fact's key to the column.

use super::Layout;
use super::level::{key_name, levels, table_name};
use crate::error::{Error, Result};
use crate::model::Dimension;

/// A table on the way from a fact to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The level whose table it is; the dimension's own where the table is all of it.
    pub level: String,
    pub table: String,
    /// Its key. But for the first step, the table before has a column of the same name that leads here.
    pub key: String,
}

/// The tables that lead to a column of a dimension, the one that the fact's key names first, the one that holds
/// the column last. Every join is an inner one that finds exactly one row: reserved rows lead on too.
///
/// # Errors
///
/// A column that no level has is a bug.
pub fn way(layout: Layout, dimension: &Dimension, column: &str) -> Result<Vec<Step>> {
    let levels = levels(dimension);
    let holder = levels.iter().position(|level| level.columns.iter().any(|own| own == column));
    let holder =
        holder.ok_or_else(|| Error::bug(format!("dimension {} has no column {column}", dimension.name)))?;
    let step = |level: &str| Step { level: level.to_owned(), table: table_name(level), key: key_name(level) };
    Ok(match layout {
        Layout::Star => vec![step(&dimension.name)],
        Layout::Snowflake => levels.iter().take(holder + 1).map(|level| step(level.name)).collect(),
    })
}
