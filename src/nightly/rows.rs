//! Two files of one table → the rows that differ, by key and column.

use super::remade::Rows;
use crate::error::Result;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;

/// A row that is not what the log gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowDifference {
    /// The file's path in the release.
    pub file: String,
    /// The columns that tell the row from others, and their values.
    pub key: Vec<(String, Option<String>)>,
    pub difference: Difference,
}

/// How a row differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The log gives it, the release has it not.
    Missing,
    /// The release has it, the log does not give it.
    TooMuch,
    /// Both have it, with other values in these columns.
    Values(Vec<ColumnDifference>),
}

/// A value that is not what the log gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDifference {
    pub column: String,
    /// In the release; none is null.
    pub is: Option<String>,
    /// By the log.
    pub should_be: Option<String>,
}

impl fmt::Display for RowDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        let key: Vec<String> =
            self.key.iter().map(|(name, value)| format!("{name} {}", said(value))).collect();
        write!(formatter, "{}: {}: ", self.file, key.join(", "))?;
        match &self.difference {
            Difference::Missing => formatter.write_str("is missing"),
            Difference::TooMuch => formatter.write_str("should not be there"),
            Difference::Values(columns) => {
                let column = |difference: &ColumnDifference| {
                    let ColumnDifference { column, is, should_be } = difference;
                    format!("{column} is {}, should be {}", said(is), said(should_be))
                };
                formatter.write_str(&columns.iter().map(column).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// The first rows of a file that are not what they should be, as many as are asked for.
pub fn differing_rows(
    file: &str,
    is: &RecordBatch,
    should_be: &Rows,
    at_most: usize,
) -> Result<Vec<RowDifference>> {
    let names: Vec<String> =
        should_be.batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let key = match should_be.sorted_by.as_slice() {
        // Members: the natural key, in front of what is the log's own.
        [] => names.iter().filter(|name| !name.starts_with('_')).cloned().collect(),
        sorted_by => sorted_by.to_vec(),
    };
    let there = Side::of(is, &should_be.batch, &names);
    let wanted = Side::of(&should_be.batch, &should_be.batch, &names);
    let key: Vec<usize> =
        key.iter().filter_map(|column| names.iter().position(|name| name == column)).collect();
    let mut by_key: HashMap<Vec<Option<String>>, Vec<usize>> = HashMap::new();
    for row in (0..is.num_rows()).rev() {
        by_key.entry(there.values(&key, row)?).or_default().push(row);
    }
    let mut found = Vec::new();
    let mut tell = |side: &Side, row: usize, difference: Difference| -> Result<bool> {
        let names = key.iter().map(|&column| names[column].clone());
        let key = names.zip(side.values(&key, row)?).collect();
        found.push(RowDifference { file: file.to_owned(), key, difference });
        Ok(found.len() >= at_most)
    };
    for row in 0..should_be.batch.num_rows() {
        let same = by_key.get_mut(&wanted.values(&key, row)?).and_then(Vec::pop);
        let difference = match same {
            None => Difference::Missing,
            Some(same) => {
                let mut columns = Vec::new();
                for (column, name) in names.iter().enumerate() {
                    let (is, should_be) = (there.value(column, same)?, wanted.value(column, row)?);
                    if is != should_be {
                        columns.push(ColumnDifference { column: name.clone(), is, should_be });
                    }
                }
                if columns.is_empty() {
                    continue;
                }
                Difference::Values(columns)
            }
        };
        if tell(&wanted, row, difference)? {
            return Ok(found);
        }
    }
    let mut rest: Vec<usize> = by_key.into_values().flatten().collect();
    rest.sort_unstable();
    for row in rest {
        if tell(&there, row, Difference::TooMuch)? {
            break;
        }
    }
    Ok(found)
}

/// The rows of one side as text, column by column; a column that is not there is null.
struct Side {
    columns: Vec<Option<ArrayRef>>,
}

impl Side {
    /// The columns of a batch as another one has them.
    fn of(batch: &RecordBatch, like: &RecordBatch, names: &[String]) -> Self {
        let column = |(name, like): (&String, &ArrayRef)| {
            // One of another type is compared as it is.
            let found = batch.column_by_name(name)?;
            Some(cast(found, like.data_type()).unwrap_or_else(|_| found.clone()))
        };
        Self { columns: names.iter().zip(like.columns()).map(column).collect() }
    }

    fn value(&self, column: usize, row: usize) -> Result<Option<String>> {
        let Some(values) = &self.columns[column] else { return Ok(None) };
        if values.is_null(row) {
            return Ok(None);
        }
        let options = FormatOptions::default();
        Ok(Some(ArrayFormatter::try_new(values, &options)?.value(row).to_string()))
    }

    fn values(&self, columns: &[usize], row: usize) -> Result<Vec<Option<String>>> {
        columns.iter().map(|&column| self.value(column, row)).collect()
    }
}
