//! What became of every line: read = accepted + duplicate + rejected + blank + ignored (DESIGN 6).

use super::source::FileFailure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};

/// The lines of a file, of a run, or of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Counted where lines are found; the others where they are judged.
    pub read: u64,
    pub accepted: u64,
    /// Same id, same content (DESIGN 4); or bytes that are known from another file.
    pub duplicate: u64,
    pub rejected: u64,
    pub blank: u64,
    /// Events of types that the pipeline ignores by name.
    pub ignored: u64,
}

impl Account {
    /// Whether every line is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.read == self.accepted + self.duplicate + self.rejected + self.blank + self.ignored
    }
}

impl Add for Account {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            accepted: self.accepted + other.accepted,
            duplicate: self.duplicate + other.duplicate,
            rejected: self.rejected + other.rejected,
            blank: self.blank + other.blank,
            ignored: self.ignored + other.ignored,
        }
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Account {
    fn sum<I: Iterator<Item = Self>>(accounts: I) -> Self {
        accounts.fold(Self::default(), Add::add)
    }
}

/// How a file was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Never seen before.
    New,
    /// Known, and read on.
    Grown,
    /// Known, and nothing new in it.
    Unchanged,
    /// Known under this name before, which no longer holds it; read on.
    Moved(String),
    /// Begins with what this file holds too: those lines count as duplicates.
    CopyOf(String),
}

impl FileState {
    /// One word for the state.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Unchanged => "unchanged",
            Self::Moved(_) => "moved",
            Self::CopyOf(_) => "copy",
        }
    }

    /// The name under which its content was known before, if that is another one.
    #[must_use]
    pub fn known_as(&self) -> Option<&str> {
        match self {
            Self::Moved(name) | Self::CopyOf(name) => Some(name),
            Self::New | Self::Grown | Self::Unchanged => None,
        }
    }
}

/// What one ingest made of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// As it is shown, and stands in `_file`.
    pub name: String,
    pub state: FileState,
    /// Of the lines of this run.
    pub account: Account,
    /// An unfinished last line that waits for its end.
    pub held_bytes: u64,
}

/// What one ingest did.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct IngestReport {
    /// In the order of reading, without those that failed.
    pub files: Vec<FileReport>,
    /// Over all files.
    pub total: Account,
    /// Rejects by code.
    pub rejects: BTreeMap<&'static str, u64>,
    /// Undeclared fields, as `Event.path`, and how often each was seen.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Accepted events in which a `:60` became the next second.
    pub leap_seconds: u64,
    /// Files that failed, each alone: nothing of them was committed, everything else was.
    pub failures: Vec<FileFailure>,
}

impl IngestReport {
    /// The report, or the first failure of a file as an error; for callers that tolerate none.
    ///
    /// # Errors
    /// The operator's or the data owner's, naming the file.
    pub fn without_failures(self) -> crate::error::Result<Self> {
        match self.failures.as_slice() {
            [] => Ok(self),
            [failure] => Err(failure.error()),
            [failure, rest @ ..] => {
                Err(failure.error().next(format!("and {} more files failed", rest.len())))
            }
        }
    }
}
