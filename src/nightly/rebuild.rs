//! The log → all tables from the first event on, beside the current release.

use super::build::{stage, stage_views};
use super::decision::is_of;
use super::in_pool;
use super::inspect::inspect;
use super::ledger::{Deed, enter};
use super::rejects;
use super::verify::{comparable, no_release};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history;
use crate::layout::Layout;
use crate::log::EventLog;
use crate::model::Model;
use crate::query::Means;
use crate::views;
use crate::warehouse::{Release, Staged, Warehouse, Writer};
use serde::Serialize;
use std::path::Path;

/// How a rebuilt release compares with the one before.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The release that was compared.
    pub release: u64,
    /// How many files it has.
    pub files: usize,
    /// Files that a replay of the log from its first event makes otherwise.
    pub differences: Vec<String>,
    /// The release that was published.
    pub published: u64,
}

impl Deed for Comparison {
    fn outcome(&self) -> &'static str {
        "published"
    }
}

/// Replays the log from its first event into a new release, checks it, compares it with the current one and
/// publishes it.
///
/// # Errors
///
/// Too many rejects wait; a check failed; or the tables differ although neither log, pipeline nor format have changed: that is a bug
/// of ours, and the old release stays.
pub fn rebuild(
    model: &Model,
    dir: &Path,
    threads: Option<usize>,
    memory_bytes: Option<u64>,
    disk: &Disk,
    started: &str,
) -> Result<Comparison> {
    // A folder that is none is not made one.
    Warehouse::open(dir)?;
    let writer = Writer::open(disk, dir, &model.name, started)?;
    enter(&writer, "rebuild", started, || publish(&writer, model, threads, memory_bytes, disk))
}

fn publish(
    writer: &Writer,
    model: &Model,
    threads: Option<usize>,
    memory_bytes: Option<u64>,
    disk: &Disk,
) -> Result<Comparison> {
    let (log, current) = open(writer, model, disk)?;
    rejects::refuse_too_many(model, &log, Some(&current))?;
    views::choose(model, None)?;
    let staged = in_pool(threads, || anew(writer, model, &log, &current.layouts()?))?;
    let overflow = writer.overflow();
    let means = Means { threads, memory_bytes, overflow: Some(&overflow), stop: disk.stop() };
    stage_views(&staged, model, None, means)?;
    let candidate = staged.candidate()?;
    inspect(&candidate, model, writer.warehouse().dir(), means)?;
    let differences = candidate.differences(&current);
    let is_of_this_log = current.manifest().log_position == log.position().0 && is_of(&current, &log);
    if is_of_this_log && comparable(&current, model).is_ok() && !differences.is_empty() {
        let shown: Vec<&str> = differences.iter().take(5).map(String::as_str).collect();
        return Err(Error::bug(format!(
            "{} files of release {} are not what the log gives: {}",
            differences.len(),
            current.number(),
            shown.join("; ")
        )));
    }
    let release = staged.publish()?;
    Ok(Comparison {
        release: current.number(),
        files: current.manifest().files().count(),
        differences,
        published: release.number(),
    })
}

/// The log of a warehouse, and the current release.
fn open(writer: &Writer, model: &Model, disk: &Disk) -> Result<(EventLog, Release)> {
    let warehouse = writer.warehouse();
    let log = EventLog::open(disk, &warehouse.log_dir(), model)?;
    match warehouse.current()? {
        Some(current) => Ok((log, current)),
        None => Err(no_release(warehouse.dir())),
    }
}

/// All tables, by a replay of the whole log.
fn anew<'w>(writer: &'w Writer, model: &Model, log: &EventLog, layouts: &[Layout]) -> Result<Staged<'w>> {
    let history = history::replay(model, log)?;
    stage(writer, model, log, &history, layouts)
}
