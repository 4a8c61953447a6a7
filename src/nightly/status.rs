//! A warehouse → where it stands: the log's position against the release's, what waits, what lies on disk.

use crate::error::Result;
use crate::history::Counts;
use crate::log::{Account, Survey, survey};
use crate::warehouse::{Release, Warehouse};
use serde::Serialize;
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
    pub sources: Vec<SourceStatus>,
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
    pub lines: u64,
    pub rejected: u64,
    /// Half a line at its end, which waits for the other half.
    pub held_bytes: u64,
}

/// The current release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseStatus {
    pub release: u64,
    pub log_position: u64,
    pub layouts: Vec<String>,
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
    let sources = log.iter().flat_map(|log: &Survey| &log.sources);
    let sources = sources.map(|source| SourceStatus {
        file: source.name.clone(),
        lines: source.lines,
        rejected: source.account.rejected,
        held_bytes: source.held_bytes,
    });
    Ok(Status {
        pipeline: warehouse.pipeline().to_owned(),
        log_position: log.as_ref().map_or(0, |log| log.position.0),
        lines: log.as_ref().map(|log| log.account).unwrap_or_default(),
        sources: sources.collect(),
        current: warehouse.current()?.as_ref().map(ReleaseStatus::of),
        releases: warehouse.releases()?,
        size_bytes: size(dir, &mut BTreeSet::new()),
    })
}

impl ReleaseStatus {
    fn of(release: &Release) -> Self {
        let manifest = release.manifest();
        Self {
            release: release.number(),
            log_position: manifest.log_position,
            layouts: manifest.layouts.keys().cloned().collect(),
            counts: manifest.findings.counts.clone(),
        }
    }
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
