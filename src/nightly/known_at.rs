//! (pipeline of a release, log, position) → the release that a run over the log cut there would have published.
//!
//! A reader: it takes no lock of the warehouse and changes nothing in it. What it makes lies in a folder of its
//! caller's, as a warehouse in which nothing is ever published.

use super::build::{stage, stage_views};
use super::decision::changed_views;
use super::in_pool;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history;
use crate::layout::Layout;
use crate::log::{EventLog, Position};
use crate::model::Model;
use crate::query::Means;
use crate::warehouse::{FORMAT_VERSION, Release, Warehouse, Writer};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::path::Path;

/// How the log is cut, and where what comes out may lie.
#[derive(Debug, Clone)]
pub struct Cut<'a> {
    /// The position of the last event that is seen; 0: none.
    pub position: u64,
    /// The layout that is wanted.
    pub layout: Layout,
    /// A folder that may be filled. Whoever asks removes it when the release has been read.
    pub folder: &'a Path,
    pub threads: Option<usize>,
    /// When the program began, RFC 3339.
    pub started: &'a str,
}

/// What would have been reported when an event was the log's last, by the pipeline of this release: a published
/// release that ends there, or else a replay of the log cut there.
///
/// # Errors
///
/// The log does not reach so far, the release does not hold its pipeline, or the disk fails.
pub fn known_at(warehouse: &Warehouse, release: &Release, cut: &Cut<'_>) -> Result<Release> {
    let model = release.model()?;
    if let Some(published) = published(warehouse, &model, cut)? {
        return Ok(published);
    }
    let disk = Disk::default();
    let _held = warehouse.hold_log()?;
    let log = EventLog::open(&disk, &warehouse.log_dir(), &model)?;
    let position = Position(cut.position);
    if position > log.position() {
        return Err(Error::author(format!("the log ends at position {}, before {position}", log.position()))
            .next("starlog status says how far the log has come"));
    }
    let log = log.until(position)?;
    let writer = Writer::open(&disk, &cut.folder.join("warehouse"), &model.name, cut.started)?;
    let staged = in_pool(cut.threads, || {
        let history = history::replay(&model, &log)?;
        stage(&writer, &model, &log, &history, &[cut.layout])
    })?;
    let overflow = writer.overflow();
    let means =
        Means { threads: cut.threads, memory_bytes: None, overflow: Some(&overflow), stop: disk.stop() };
    stage_views(&staged, &model, None, means)?;
    staged.candidate()
}

/// A release that ends just there: it is what a replay would give (DESIGN 1).
fn published(warehouse: &Warehouse, model: &Model, cut: &Cut<'_>) -> Result<Option<Release>> {
    for number in warehouse.releases()?.into_iter().rev() {
        // One that is not there any more, or is damaged, is none that could be used.
        let Ok(release) = warehouse.release(number) else { continue };
        let manifest = release.manifest();
        if manifest.log_position == cut.position
            && manifest.pipeline.hash == model.hash
            && manifest.format_version == FORMAT_VERSION
            && release.layouts()?.contains(&cut.layout)
            && changed_views(model, &release).is_empty()
        {
            return Ok(Some(release));
        }
    }
    Ok(None)
}

/// The position of the last event that a run had taken in when it ended, of all runs that had ended by then.
///
/// # Errors
///
/// No run had ended by then, or the ledger cannot be read.
pub fn position_known(warehouse: &Warehouse, instant: DateTime<Utc>) -> Result<u64> {
    let runs = warehouse.runs()?;
    let runs = runs.iter().filter_map(|run| serde_json::from_str::<Run>(run).ok());
    let ended = runs.filter(|run| run.ended().is_some_and(|ended| ended <= instant));
    ended.map(|run| run.log_position).max().ok_or_else(|| {
        Error::author(format!("no run had ended by {}", instant.to_rfc3339()))
            .next("starlog runs says when they ran")
    })
}

/// A line of the ledger, as far as it matters here.
#[derive(Deserialize)]
struct Run {
    started: String,
    elapsed_ms: u64,
    log_position: u64,
}

impl Run {
    fn ended(&self) -> Option<DateTime<Utc>> {
        let started = DateTime::parse_from_rfc3339(&self.started).ok()?.to_utc();
        started.checked_add_signed(TimeDelta::milliseconds(i64::try_from(self.elapsed_ms).ok()?))
    }
}
