//! What a run did, for people and for machines.

use crate::history::Counts;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    pub pipeline: String,
    /// RFC 3339, UTC.
    pub started: String,
    pub outcome: Outcome,
    /// The release that is current now.
    pub release: Option<u64>,
    /// The position of the last event in the log.
    pub log_position: u64,
    /// Lines of this run: `read` is the sum of the others.
    pub lines: Lines,
    /// Rejects of this run by code.
    pub rejects: BTreeMap<String, u64>,
    /// Files that could not be read, and why; nothing of them was taken in.
    pub failed_files: Vec<String>,
    /// Fields that the pipeline does not declare, as `Event.path`, and how often each was seen.
    pub unknown_fields: BTreeMap<String, u64>,
    /// What the replay counted.
    pub counts: Option<Counts>,
    /// Tables of the release, by layout and name.
    pub tables: Vec<TableReport>,
    /// How many checks held.
    pub checks: usize,
    /// Wall time of each stage.
    pub stages_ms: BTreeMap<&'static str, u64>,
    pub elapsed_ms: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new release is current.
    Published,
    /// There was nothing new, so nothing was published.
    Unchanged,
}

/// Where the lines of a run went.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Lines {
    pub read: u64,
    pub accepted: u64,
    pub duplicate: u64,
    pub rejected: u64,
    pub blank: u64,
    pub ignored: u64,
}

/// One table of a release.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    pub layout: String,
    pub name: String,
    pub rows: u64,
    pub files: usize,
    pub bytes: u64,
}
