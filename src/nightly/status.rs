//! A warehouse → where it stands: the log's position against the release's, what waits, what lies on disk.

use super::report::ViewReport;
use crate::error::Result;
use crate::history::Counts;
use crate::log::{Account, Survey, reject_files, survey};
use crate::warehouse::{Release, Warehouse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where a warehouse stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub pipeline: String,
    /// Of the log's last event.
    pub log_position: u64,
    /// What became of every line that was ever read.
    pub lines: Account,
    /// Of the rejects among them: how many have been put back.
    pub requeued: u64,
    pub sources: Vec<SourceStatus>,
    /// The last run that the ledger knows.
    pub last_run: Option<LastRun>,
    /// Lines that were rejected since the current release.
    pub rejected_since: u64,
    /// The current release, if one was published.
    pub current: Option<ReleaseStatus>,
    /// The numbers of all releases that are there.
    pub releases: Vec<u64>,
    /// Bytes on disk; a file that several releases share counts once.
    pub size_bytes: u64,
}

/// A file that was read.
#[derive(Debug, Clone, Serialize)]
pub struct SourceStatus {
    pub file: String,
    /// When it had last changed as it was last read, by the clock of its disk: RFC 3339, UTC.
    pub changed: String,
    pub lines: u64,
    pub rejected: u64,
    /// Half a line at its end, which waits for the other half.
    pub held_bytes: u64,
}

/// How the last run ended, as its line in the ledger says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LastRun {
    /// RFC 3339, UTC.
    pub started: String,
    pub outcome: String,
    /// Files that it could not read.
    pub failed_files: Vec<StuckFile>,
    /// Why it failed, if it did.
    pub failure: Option<Cause>,
}

/// A file that a run could not read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StuckFile {
    pub file: String,
    /// One word: `missing`, `corrupt`, `source-rewritten` ...
    pub code: String,
}

/// Why a run failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cause {
    pub message: String,
}

/// The current release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseStatus {
    pub release: u64,
    /// When it was published, by the clock of its disk: RFC 3339, UTC.
    pub published: String,
    pub log_position: u64,
    pub layouts: Vec<String>,
    /// Its views, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewReport>,
    /// What its replay counted of the whole log.
    pub counts: Counts,
}

/// Looks at the warehouse in this folder; changes nothing.
///
/// # Errors
/// The folder is no warehouse, or cannot be read.
pub fn status(dir: &Path) -> Result<Status> {
    let warehouse = Warehouse::open(dir)?;
    let log = survey(&warehouse.log_dir())?;
    let current = warehouse.current()?;
    let account = log.as_ref().map(|log| log.account).unwrap_or_default();
    let published = current.as_ref().map_or(0, |current| current.manifest().log_lines.rejected);
    let sources = log.iter().flat_map(|log: &Survey| &log.sources);
    let sources = sources.map(|source| SourceStatus {
        file: source.name.clone(),
        changed: shown(DateTime::from_timestamp_nanos(source.stored.modified_ns)),
        lines: source.lines,
        rejected: source.account.rejected,
        held_bytes: source.held_bytes,
    });
    Ok(Status {
        pipeline: warehouse.pipeline().to_owned(),
        log_position: log.as_ref().map_or(0, |log| log.position.0),
        lines: account,
        requeued: reject_files(&warehouse.log_dir())?.iter().map(|file| file.requeued).sum(),
        sources: sources.collect(),
        last_run: last_run(&warehouse)?,
        rejected_since: account.rejected.saturating_sub(published),
        current: current.map(|current| ReleaseStatus::of(&warehouse, &current)).transpose()?,
        releases: warehouse.releases()?,
        size_bytes: size(dir, &mut BTreeSet::new()),
    })
}

fn last_run(warehouse: &Warehouse) -> Result<Option<LastRun>> {
    let runs = warehouse.runs()?;
    let is_run = |line: &Value| line.get("command").is_none_or(|command| command == "run");
    let lines = runs.iter().rev().filter_map(|line| serde_json::from_str(line).ok());
    Ok(lines.into_iter().find(is_run).and_then(|line| serde_json::from_value(line).ok()))
}

impl ReleaseStatus {
    fn of(warehouse: &Warehouse, release: &Release) -> Result<Self> {
        let manifest = release.manifest();
        let published: DateTime<Utc> = warehouse.published_at(release.number())?.into();
        Ok(Self {
            release: release.number(),
            published: shown(published),
            log_position: manifest.log_position,
            layouts: manifest.layouts.keys().cloned().collect(),
            views: ViewReport::of(release, &[]),
            counts: manifest.findings.counts.clone(),
        })
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What a run removes meanwhile counts nothing.
fn size(dir: &Path, seen: &mut BTreeSet<u64>) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path(), seen),
        Ok(metadata) if metadata.is_file() && seen.insert(metadata.ino()) => metadata.len(),
        _ => 0,
    };
    entries.map(of_entry).sum()
}
