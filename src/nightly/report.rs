//! What a run did, for people and for machines.

use crate::error::Error;
use crate::history::Counts;
use crate::log::{Account, FileFailure, FileReport, FileState};
use crate::views::{Choice, Way};
use crate::warehouse::{Release, ViewEntry};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a run did, or how far it came.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// `run`: the ledger has lines of other commands too.
    pub command: &'static str,
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
    /// The same of each file; without files in which nothing was new and nothing waits.
    pub files: Vec<FileLines>,
    /// Rejects of this run by code.
    pub rejects: BTreeMap<String, u64>,
    /// Accepted events at a second :60, which were taken as the second after.
    pub leap_seconds: u64,
    /// Files that could not be read, and why; nothing of them was taken in.
    pub failed_files: Vec<FailedFile>,
    /// Patterns that no file matches.
    pub unmatched: Vec<String>,
    /// Fields that the pipeline does not declare, as `Event.path`, and how often each was seen.
    pub unknown_fields: BTreeMap<String, u64>,
    /// What the replay counted.
    pub counts: Option<Counts>,
    /// Layouts that the release before had and this one has not.
    pub dropped_layouts: Vec<String>,
    /// Tables of the release, by layout and name.
    pub tables: Vec<TableReport>,
    /// Views of the release, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewReport>,
    /// Why tables were made anew, if not only for new events.
    pub because: Vec<String>,
    /// How many checks held.
    pub checks: usize,
    /// Whether they looked at everything, not only at what the night touched.
    pub checked_all: bool,
    /// Wall time of each stage.
    pub stages_ms: BTreeMap<&'static str, u64>,
    pub elapsed_ms: u64,
    /// Why the run failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new release is current.
    Published,
    /// There was nothing new, so nothing was published.
    Unchanged,
    /// Nothing was published; what the log took in stays.
    Failed,
    /// The same, since it was asked to stop.
    Stopped,
}

impl Outcome {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub message: String,
    pub next: Option<String>,
    pub exit_code: u8,
}

/// Where lines went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    pub read: u64,
    pub accepted: u64,
    pub duplicate: u64,
    pub rejected: u64,
    pub blank: u64,
    pub ignored: u64,
}

/// Where the lines of one file went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileLines {
    pub file: String,
    /// `new`, `grown`, `unchanged`, `moved` or `copy`.
    pub state: &'static str,
    /// The name under which a moved or copied file was known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    #[serde(flatten)]
    pub lines: Lines,
    /// Half a line at its end, which waits for the other half.
    pub held_bytes: u64,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedFile {
    pub file: String,
    /// One word: `missing`, `corrupt`, `source-rewritten` ...
    pub code: &'static str,
    pub message: String,
    pub next: String,
    /// 1: the data is at fault, 3: the machine.
    pub exit_code: u8,
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

/// One view of a release.
#[derive(Debug, Clone, Serialize)]
pub struct ViewReport {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// How it came to be, if the release was made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl ViewReport {
    /// The views of a release, by name, and how they came to be.
    pub(super) fn of(release: &Release, choices: &[Choice]) -> Vec<Self> {
        let report = |(name, entry): (&String, &ViewEntry)| {
            let choice = choices.iter().find(|choice| choice.view == *name);
            Self {
                name: name.clone(),
                rows: entry.table.rows,
                bytes: entry.table.files.iter().map(|file| file.bytes).sum(),
                way: choice.map(|choice| choice.way),
                because: choice.map(|choice| choice.because.clone()),
            }
        };
        release.manifest().views.iter().map(report).collect()
    }
}

impl RunReport {
    /// The error with which a run ends that went on without some of its files: as grave as the gravest.
    #[must_use]
    pub fn file_failure(&self) -> Option<Error> {
        let gravest = self.failed_files.iter().max_by_key(|failed| failed.exit_code)?;
        let message = match self.failed_files.len() {
            1 => "1 file could not be read".to_owned(),
            count => format!("{count} files could not be read"),
        };
        Some(gravest.blame(message).next("everything else was taken in; mend the files and run again"))
    }
}

impl FailedFile {
    /// The failure as an error of whoever must act.
    #[must_use]
    pub fn error(&self) -> Error {
        self.blame(format!("{:?}: {}: {}", self.file, self.code, self.message)).next(&self.next)
    }

    fn blame(&self, message: String) -> Error {
        if self.exit_code == 3 { Error::operator(message) } else { Error::data(message) }
    }
}

impl From<&FileFailure> for FailedFile {
    fn from(failure: &FileFailure) -> Self {
        let error = failure.error();
        Self {
            file: failure.file.clone(),
            code: failure.code.as_str(),
            message: failure.message.clone(),
            next: error.next_step().unwrap_or_default().to_owned(),
            exit_code: error.exit_code(),
        }
    }
}

impl Failure {
    /// The error that it was.
    #[must_use]
    pub fn error(&self) -> Error {
        let error = match self.exit_code {
            1 => Error::data(&self.message),
            2 => Error::author(&self.message),
            3 => Error::operator(&self.message),
            signal @ 129.. => Error::stopped(signal - 128),
            _ => Error::bug(&self.message),
        };
        match &self.next {
            Some(next) => error.next(next),
            None => error,
        }
    }

    /// How something ended that ended like this.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        // Above 128 stand signals, as in a shell.
        if self.exit_code > 128 { Outcome::Stopped } else { Outcome::Failed }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            message: error.to_string(),
            next: error.next_step().map(str::to_owned),
            exit_code: error.exit_code(),
        }
    }
}

impl From<Account> for Lines {
    fn from(account: Account) -> Self {
        let Account { read, accepted, duplicate, rejected, blank, ignored } = account;
        Self { read, accepted, duplicate, rejected, blank, ignored }
    }
}

impl FileLines {
    /// What is to be said of a file; nothing, if there is nothing new in it.
    pub(super) fn of(file: &FileReport) -> Option<Self> {
        let is_silent = file.state == FileState::Unchanged && file.held_bytes == 0;
        (!is_silent).then(|| Self {
            file: file.name.clone(),
            state: file.state.as_str(),
            known_as: file.state.known_as().map(str::to_owned),
            lines: file.account.into(),
            held_bytes: file.held_bytes,
        })
    }
}
