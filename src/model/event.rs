//! The log and the contracts of its events.

use super::{ChangedTable, Outbox, Rows, Unit, Upcast, ValueType};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use std::path::PathBuf;

/// Where events come from.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// The folder that relative patterns start from: the pipeline file's own.
    #[serde(skip)]
    pub base: PathBuf,
    /// Files or glob patterns, in declared order.
    #[serde(skip)]
    pub files: Vec<String>,
    pub envelope: Envelope,
    /// Events before this instant are rejected as `time-range`. Never before 0001-01-01.
    #[serde(serialize_with = "super::hash::instant")]
    pub earliest: DateTime<Utc>,
    /// Events at or after this instant are rejected as `time-range`. Never behind 9999-12-31, which ends intervals.
    #[serde(serialize_with = "super::hash::instant")]
    pub latest: DateTime<Utc>,
    /// How many rejects a run bears. Says nothing of the tables, so it is no part of the hash.
    #[serde(skip)]
    pub bears: RejectLimits,
    /// Database tables whose changes stand in the log. They say how lines become events, nothing of the events
    /// that are there, so they are no part of the hash either.
    #[serde(skip)]
    pub tables: Vec<ChangedTable>,
    /// The columns of an outbox. No part of the hash, for the same reason.
    #[serde(skip)]
    pub outbox: Outbox,
    /// Rows of CSV and Parquet files. No part of the hash, for the same reason.
    #[serde(skip)]
    pub rows: Vec<Rows>,
    /// What is personal in a line. Says nothing of events that are in the log, so it is no part of the hash.
    #[serde(skip)]
    pub pii: Option<Pii>,
    /// What a line and a file may be. Says nothing of events that are in the log, so it is no part of the hash.
    #[serde(skip)]
    pub limits: Limits,
}

/// Fields that nothing behind the door holds in clear, by name, wherever they stand in a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pii {
    /// The environment variable that holds the key.
    pub key_env: String,
    /// Replaced by a keyed hash.
    pub hash: Vec<String>,
    /// Left out.
    pub drop: Vec<String>,
    /// Whether this is a trial, whose key is one that everybody knows.
    pub is_trial: bool,
}

/// What a line may be, and a file: beyond these, the one is a reject, and the other fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The length of a line.
    pub line_bytes: usize,
    /// How deep objects and lists may stand in each other.
    pub depth: u32,
    /// The members of one object.
    pub fields: u32,
    /// The lines of one CSV record.
    pub record_lines: usize,
    /// The length of a key.
    pub key_bytes: usize,
    /// How much larger a compressed file may become, once that is more than 256 MiB.
    pub decompression_ratio: u64,
}

impl Limits {
    /// No declared depth is greater: whoever reads what is nested calls itself.
    pub const DEEPEST: u32 = 512;

    /// Where nothing is declared.
    pub const USUAL: Self = Self {
        line_bytes: 64 << 20,
        // As serde_json has it.
        depth: 128,
        fields: 4_096,
        record_lines: 1_000,
        key_bytes: 4_096,
        // No log compresses better; deflate itself ends at 1,032.
        decompression_ratio: 500,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}

/// How many rejects are borne since the current release; none: any number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RejectLimits {
    pub max_rejects: Option<u64>,
    pub max_reject_share: Option<f64>,
}

/// The names of the fields around a payload (DESIGN 1). They cannot change once a log has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Envelope {
    pub event_type: String,
    /// Version 1 where the field is absent or not declared.
    pub version: Option<String>,
    pub time: String,
    /// `None`: the payload's fields stand beside the envelope's.
    pub payload: Option<String>,
    /// Without an id there are no duplicates (DESIGN 4).
    pub id: Option<String>,
    /// The producer's order, an integer (DESIGN 3).
    pub order: Option<String>,
    /// The zone of times that name none; without it such a time is a reject.
    #[serde(serialize_with = "super::hash::zone_if_any")]
    pub zone: Option<Tz>,
    /// The unit of times that are numbers, counted from 1970 UTC; without it such a time is a reject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

/// The contract of one event type at one version.
#[derive(Debug, Clone, Serialize)]
pub struct EventType {
    pub name: String,
    pub version: i64,
    /// Fields of the payload, in the order of declaration.
    pub fields: Vec<Field>,
    /// Lists of objects in the payload, in the order of declaration.
    pub lists: Vec<ListField>,
    /// How many rejects of this type a run bears. No part of the hash.
    #[serde(skip)]
    pub bears: RejectLimits,
    /// What is done with fields that are not declared. Says nothing of the tables, so it is no part of the hash.
    #[serde(skip)]
    pub unknown: Unknown,
    /// Older versions, from the oldest on: each is lifted to the next, the last one to this contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upcasts: Vec<Upcast>,
}

/// What is done with a field that is not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    /// It is kept, and reported.
    #[default]
    Evolve,
    /// The line is a reject.
    Freeze,
    /// It is kept.
    Ignore,
}

/// A scalar field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    pub name: String,
    pub value_type: ValueType,
    /// `text?`: may be absent or null. Otherwise a missing or null value is a reject.
    pub optional: bool,
    /// What it may hold. Judges lines, and says nothing of events that are in the log, so it is no part of the hash.
    #[serde(skip)]
    pub allowed: Option<Allowed>,
}

/// What a field may hold. Numbers are unscaled, in the scale of the field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    Texts(Vec<String>),
    Numbers(Vec<i128>),
    /// Both ends are allowed.
    Between {
        min: Option<i128>,
        max: Option<i128>,
    },
}

/// A field that holds a list of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListField {
    pub name: String,
    pub fields: Vec<Field>,
}

/// A field of an event type: of the payload itself, or of an item of one of its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct FieldRef {
    /// Index into [`EventType::lists`]; `None` for a field of the payload itself.
    pub list: Option<usize>,
    /// Index into the fields of the payload or of the list.
    pub field: usize,
}

impl EventType {
    /// The field that a reference of this event type names.
    #[must_use]
    pub fn field(&self, reference: FieldRef) -> &Field {
        match reference.list {
            None => &self.fields[reference.field],
            Some(list) => &self.lists[list].fields[reference.field],
        }
    }
}
