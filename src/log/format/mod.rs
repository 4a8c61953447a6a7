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
mod debezium;
mod object;
mod outbox;
mod place;
mod plan;
mod recognise;
mod writer;

pub use debezium::Debezium;
pub use plan::Formats;
pub use recognise::{Recognised, recognise};

use serde::{Deserialize, Serialize};

/// How the records of a file stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The log's own: one event a line.
    #[default]
    Lines,
    /// Changes of database tables as Debezium tells them, or rows of an outbox; one a line.
    Debezium,
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
