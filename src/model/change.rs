//! Changes of database tables, and rows of files: which event is it?

use serde::Serialize;
use std::collections::HashMap;

/// A database table whose changes stand in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedTable {
    /// Its name in the pipeline.
    pub name: String,
    /// The end of `database.schema.table`.
    pub table: String,
    /// The event type of an inserted row.
    pub created: String,
    /// The event type of a row that a snapshot found.
    pub found: String,
    /// The event type of an updated row, unless it becomes something.
    pub changed: String,
    /// The event type of a deleted row.
    pub closed: String,
    /// In the order of declaration; the first that fits decides.
    pub becomes: Vec<Becoming>,
    /// The column that says when a row was inserted or updated; `None`: the database does.
    pub time: Option<String>,
    /// By column: the fields that it fills. A column that is not named here fills the field of its own name.
    pub fields: HashMap<String, Vec<String>>,
    /// By column: the digits behind the point of decimals that come as bytes.
    pub scales: HashMap<String, u8>,
    /// By column: the unit of times that come as numbers.
    pub times: HashMap<String, Unit>,
    /// Whether decimals that come as text are numbers written out.
    pub decimals_are_text: bool,
}

/// An update by which a column takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Becoming {
    pub column: String,
    pub value: String,
    pub event: String,
}

/// The columns of an outbox: a table in which each row is an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// The end of `database.schema.table`; `None`: any undeclared one with the columns of Debezium's event router.
    pub table: Option<String>,
    pub id: String,
    pub event_type: String,
    pub version: Option<String>,
    pub payload: String,
    /// `None`: the time of the row's insertion.
    pub time: Option<String>,
    /// Of times that are numbers without a schema.
    pub unit: Option<Unit>,
}

/// Rows of CSV or Parquet files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Their name in the pipeline.
    pub name: String,
    pub event: EventOfRow,
    /// The column that holds an event's time.
    pub time: String,
    pub id: Option<String>,
    pub order: Option<String>,
    /// By column: the fields that it fills. A column that is not named here fills the field of its own name.
    pub fields: HashMap<String, Vec<String>>,
    /// Texts that stand for null.
    pub nulls: Vec<String>,
    /// What parts the columns of CSV: an ASCII character.
    pub delimiter: u8,
    /// Of times that are numbers.
    pub unit: Option<Unit>,
}

/// The event type of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOfRow {
    Always(String),
    /// The column that names it.
    Column(String),
}

/// The unit of a time that is a number, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Unit {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }
}

impl ChangedTable {
    /// Whether this is the table that the database calls `database.schema.table`.
    #[must_use]
    pub fn is(&self, full_name: &str) -> bool {
        is(&self.table, full_name)
    }
}

impl Outbox {
    /// Whether this is the table that the database calls `database.schema.table`, if one is declared.
    #[must_use]
    pub fn is(&self, full_name: &str) -> bool {
        self.table.as_ref().is_some_and(|table| is(table, full_name))
    }
}

fn is(end: &str, full_name: &str) -> bool {
    full_name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
