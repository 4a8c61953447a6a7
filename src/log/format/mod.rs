//! A record of a foreign format → the line of JSON that an event of this log would be.
//!
//! The format of a file is told by its content (`recognise`), once. A log's own lines go to `decode` as they are. A record
//! of any other format is first written down as one object with the envelope that the pipeline declares, and goes the
//! same way then; so what is judged, typed, compared and kept is the same for all. What cannot be written down is a reject
//! with the record's own bytes.
//!
//! Never: change a value in silence, guess a unit or a scale, or make two events of one record.

mod connect;
mod control;
mod csv;
mod debezium;
mod identity;
mod object;
mod outbox;
mod place;
mod plan;
mod recognise;
mod rows;
mod unavailable;
mod writer;

pub use csv::{RecordEnd, cells, last_end, record_length};
pub use debezium::Debezium;
pub use plan::Formats;
pub use recognise::{Recognised, of_record, recognise};
pub use rows::{CsvRows, read_object};
pub use writer::{Clock, write_text, write_time};

/// Whether a value is a word of Debezium's own, in the place of a value or of a type: it says nothing of anybody.
pub fn is_said_by_debezium(raw: &[u8]) -> bool {
    unavailable::is_unavailable(raw) || connect::is_type_name(raw)
}

use serde::{Deserialize, Serialize};

/// How the records of a file stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The log's own: one event a line.
    #[default]
    Lines,
    /// Changes of database tables as Debezium tells them, or rows of an outbox; one a line.
    Debezium,
    /// Rows of a table, each an object whose members are its columns.
    Objects,
    /// Rows of a table under a header.
    Csv(CsvFile),
}

impl Format {
    /// As it is kept with a reject.
    pub fn to_json(&self) -> String {
        // A value of names and numbers always has its JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What the header of a CSV file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvFile {
    /// Without its line end.
    pub header: String,
    pub delimiter: u8,
    /// Where the first row begins.
    pub rows_from_bytes: u64,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// An event: it has been written down.
    Event,
    /// Something that the pipeline ignores by name.
    Ignored,
    /// Nothing at all, such as the tombstone behind a deletion.
    Nothing,
}
