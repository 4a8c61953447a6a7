//! The tests that a pipeline file holds: given lines, and the rows that are expected of them.

use serde_json::Value;

/// A test of the pipeline. It says nothing of the tables' meaning, so it is no part of the hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    /// Lines of a log.
    pub given: String,
    pub expect: Vec<Expected>,
}

/// All rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The schema, if it is not that of the facts and dimensions, and the table.
    pub schema: Option<String>,
    pub table: String,
    /// The columns that are compared.
    pub columns: Vec<String>,
    /// For each row the values of those columns, in any order of rows; null where a row does not name one.
    pub rows: Vec<Vec<Value>>,
}
