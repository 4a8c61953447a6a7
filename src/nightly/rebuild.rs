//! The log → all tables from the first event on, beside the current release: rebuilt, or only compared.

use super::build::stage;
use super::inspect::{Means, inspect};
use super::ledger::{Deed, enter};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history;
use crate::layout::Layout;
use crate::log::EventLog;
use crate::model::Model;
use crate::warehouse::{FORMAT_VERSION, Release, Staged, Writer};
use serde::Serialize;
use std::path::Path;

/// How a release compares with the log.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The release that was compared.
    pub release: u64,
    /// How many files it has.
    pub files: usize,
    /// Files whose bytes are not those of the manifest.
    pub damages: Vec<String>,
    /// Files that a replay of the log from its first event makes otherwise.
    pub differences: Vec<String>,
    /// The release that was published, if one was.
    pub published: Option<u64>,
}

impl Comparison {
    /// What is wrong, if the release is to be what was published and what its log gives.
    ///
    /// # Errors
    /// Files were changed: the operator's. Tables are not what the log gives: ours.
    pub fn verdict(&self) -> Result<()> {
        if !self.damages.is_empty() {
            return Err(Error::operator("files of the release are not what was published")
                .next("starlog rebuild PIPELINE makes them again from the log"));
        }
        if !self.differences.is_empty() {
            return Err(Error::bug("the release is not what its log gives"));
        }
        Ok(())
    }
}

impl Deed for Comparison {
    fn outcome(&self) -> &'static str {
        match (self.published, self.verdict()) {
            (Some(_), _) => "published",
            (None, Ok(())) => "equal",
            (None, Err(_)) => "differs",
        }
    }

    fn failure(&self) -> Option<Error> {
        if self.published.is_some() { None } else { self.verdict().err() }
    }
}

/// Replays the log from its first event and compares every file with the current release. Publishes nothing.
///
/// # Errors
///
/// There is no release, or it is not of this log, pipeline and format: then there is nothing to compare.
pub fn verify(
    model: &Model,
    dir: &Path,
    threads: Option<usize>,
    disk: &Disk,
    started: &str,
) -> Result<Comparison> {
    let writer = Writer::open(disk, dir, &model.name, started)?;
    enter(&writer, "verify", started, || {
        let (log, current) = open(&writer, model, disk)?;
        comparable(&current, model, &log)?;
        let (damages, staged) = in_pool(threads, || {
            let damages = current.damages(disk.stop())?;
            Ok((damages, anew(&writer, model, &log, &current.layouts()?)?))
        })?;
        let differences = staged.candidate()?.differences(&current);
        Ok(Comparison {
            release: current.number(),
            files: current.manifest().files().count(),
            damages,
            differences,
            published: None,
        })
    })
}

/// Replays the log from its first event into a new release, checks it, compares it with the current one and
/// publishes it.
///
/// # Errors
///
/// A check failed, or the tables differ although neither log, pipeline nor format have changed: that is a bug
/// of ours, and the old release stays.
pub fn rebuild(
    model: &Model,
    dir: &Path,
    threads: Option<usize>,
    memory_bytes: Option<u64>,
    disk: &Disk,
    started: &str,
) -> Result<Comparison> {
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
    let staged = in_pool(threads, || anew(writer, model, &log, &current.layouts()?))?;
    let candidate = staged.candidate()?;
    let means = Means { threads, memory_bytes, stop: disk.stop() };
    inspect(&candidate, model, writer.warehouse().dir(), means)?;
    let differences = candidate.differences(&current);
    if comparable(&current, model, &log).is_ok() && !differences.is_empty() {
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
        damages: Vec::new(),
        differences,
        published: Some(release.number()),
    })
}

/// The log of a warehouse, and the current release.
fn open(writer: &Writer, model: &Model, disk: &Disk) -> Result<(EventLog, Release)> {
    let warehouse = writer.warehouse();
    let log = EventLog::open(disk, &warehouse.log_dir(), model)?;
    match warehouse.current()? {
        Some(current) => Ok((log, current)),
        None => Err(Error::author(format!("{} holds no release yet", warehouse.dir().display()))
            .next("publish one: starlog run PIPELINE")),
    }
}

/// All tables, by a replay of the whole log.
fn anew<'w>(writer: &'w Writer, model: &Model, log: &EventLog, layouts: &[Layout]) -> Result<Staged<'w>> {
    let history = history::replay(model, log)?;
    stage(writer, model, log, &history, layouts)
}

/// Whether a release must be what a replay of the log gives today.
fn comparable(current: &Release, model: &Model, log: &EventLog) -> Result<()> {
    let manifest = current.manifest();
    let changed = if manifest.format_version != FORMAT_VERSION {
        format!("it was written in format {}, this program writes {FORMAT_VERSION}", manifest.format_version)
    } else if manifest.pipeline.hash != model.hash {
        "the pipeline has changed since".to_owned()
    } else if manifest.log_position != log.position().0 {
        format!("it ends at position {}, the log at {}", manifest.log_position, log.position().0)
    } else {
        return Ok(());
    };
    Err(Error::author(format!("release {} cannot be compared with the log: {changed}", current.number()))
        .next("starlog run PIPELINE publishes one that can"))
}

fn in_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = threads.unwrap_or_else(super::inputs::available_threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool
        .map_err(|error| Error::operator(format!("no threads: {error}")).next("name fewer: --threads 2"))?;
    pool.install(work)
}
