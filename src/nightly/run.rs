//! One night: ingest, build, check, publish; and a line in the ledger, however it ends.

use super::build::stage;
use super::inspect::inspect;
use super::previous::Previous;
use super::rejects;
use super::report::{FailedFile, Failure, FileLines, Outcome, RunReport, TableReport};
use super::stage::{Progress, Stage, Stopwatch};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, Before};
use crate::layout::Layout;
use crate::log::{EventLog, IngestReport, Progress as LogProgress, expand};
use crate::model::Model;
use crate::warehouse::{FORMAT_VERSION, Release, TableEntry, Writer};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a run is to be done. None of it changes a byte of a table.
#[derive(Debug, Clone)]
pub struct Options {
    /// The warehouse's folder.
    pub warehouse: PathBuf,
    /// None: those of the current release, or the default for a first one.
    pub layouts: Vec<Layout>,
    /// Files or patterns instead of those that the pipeline names, relative to where the program runs.
    pub log: Vec<String>,
    pub threads: Option<usize>,
    /// How much memory the checks may use.
    pub memory_bytes: Option<u64>,
    /// When the run began, RFC 3339: for the ledger, and for whoever finds the warehouse locked.
    pub started: String,
}

/// Runs a pipeline. From when the warehouse is locked on, the ledger gets a line, also of a run that fails.
///
/// # Errors
/// The data owner's: too many rejects, a check failed; the log keeps its new events, the old release stays.
/// The author's: the warehouse belongs to another pipeline, no file matches. The operator's: lock, disk.
pub fn run(model: &Model, options: &Options, disk: &Disk, progress: &dyn Progress) -> Result<RunReport> {
    let watch = Stopwatch::start(progress);
    let writer = Writer::open(disk, &options.warehouse, &model.name, &options.started)?;
    let mut report = RunReport::begun(model, options);
    let night = Night { model, options, disk, progress, writer: &writer, watch: &watch };
    let ended = catch_unwind(AssertUnwindSafe(|| night.walk(&mut report)));
    report.elapsed_ms = watch.elapsed_ms();
    let failure = match &ended {
        Ok(Ok(())) => {
            writer.record(&report)?;
            return Ok(report);
        }
        Ok(Err(error)) => Failure::from(error),
        Err(_) => Failure::from(&Error::bug("the program panicked")),
    };
    report.outcome = Outcome::Failed;
    report.failure = Some(failure);
    // What made the run fail is what is told, even if the ledger cannot be written either.
    let _ = writer.record(&report);
    match ended {
        Ok(ended) => ended.map(|()| report),
        Err(panic) => resume_unwind(panic),
    }
}

/// What a night works with.
struct Night<'a> {
    model: &'a Model,
    options: &'a Options,
    disk: &'a Disk,
    progress: &'a dyn Progress,
    writer: &'a Writer,
    watch: &'a Stopwatch<'a>,
}

impl Night<'_> {
    /// Does all of it; the report says how far it came.
    fn walk(&self, report: &mut RunReport) -> Result<()> {
        let warehouse = self.writer.warehouse();
        let current = warehouse.current()?;
        report.release = current.as_ref().map(Release::number);
        let built = current.as_ref().map(Release::layouts).transpose()?.unwrap_or_default();
        let layouts = self.layouts(&built);

        let mut log = EventLog::open(self.disk, &warehouse.log_dir(), self.model)?;
        report.log_position = log.position().0;
        let threads = self.options.threads.unwrap_or_else(available_threads);
        let stages_ms = &mut report.stages_ms;
        let ingested = self.watch.time(Stage::Ingest, stages_ms, || self.ingest(&mut log, threads))?;
        report.unmatched = self.unmatched()?;
        report.took_in(&log, &ingested);
        if current.is_none() && log.sources().is_empty() {
            return Err(self.nothing_to_read(report));
        }
        rejects::refuse_too_many(self.model, &log, current.as_ref(), warehouse.dir())?;

        if let Some(current) = current.as_ref().filter(|current| self.is_up_to_date(current, &log, &layouts))
        {
            report.outcome = Outcome::Unchanged;
            report.tables = tables(current);
            return Ok(());
        }
        let dropped = built.iter().filter(|layout| !layouts.contains(layout));
        report.dropped_layouts = dropped.map(ToString::to_string).collect();
        self.publish(&log, current, &layouts, threads, report)
    }

    fn publish(
        &self,
        log: &EventLog,
        current: Option<Release>,
        layouts: &[Layout],
        threads: usize,
        report: &mut RunReport,
    ) -> Result<()> {
        let (model, stages_ms) = (self.model, &mut report.stages_ms);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            Error::operator(format!("no threads: {error}")).next("name fewer: --threads 2")
        })?;
        let before = current.filter(|current| continues(current, model)).map(Previous::new).transpose()?;
        let before = before.map(|before| Arc::new(before) as Arc<dyn Before>);
        let (staged, counts) = pool.install(|| -> Result<_> {
            let history = self.watch.time(Stage::Replay, stages_ms, || match before {
                Some(before) => history::night(model, log, &before),
                None => history::replay(model, log),
            })?;
            let staged = self
                .watch
                .time(Stage::Write, stages_ms, || stage(self.writer, model, log, &history, layouts))?;
            Ok((staged, history.counts))
        })?;
        report.counts = Some(counts);
        let candidate = staged.candidate()?;
        let warehouse = self.writer.warehouse().dir();
        report.checks = self.watch.time(Stage::Check, stages_ms, || {
            inspect(&candidate, model, warehouse, Some(threads), self.options.memory_bytes)
        })?;
        let release = self.watch.time(Stage::Publish, stages_ms, || staged.publish())?;
        report.outcome = Outcome::Published;
        report.release = Some(release.number());
        report.tables = tables(&release);
        Ok(())
    }

    /// What is asked for, else what is there, else the default.
    fn layouts(&self, built: &[Layout]) -> Vec<Layout> {
        let asked = &self.options.layouts;
        let mut layouts = if asked.is_empty() { built.to_vec() } else { asked.clone() };
        if layouts.is_empty() {
            layouts.push(Layout::default());
        }
        layouts.sort_unstable();
        layouts.dedup();
        layouts
    }

    /// Where patterns are relative to, and the patterns.
    fn patterns(&self) -> (&Path, &[String]) {
        match self.options.log.as_slice() {
            [] => (&self.model.log.base, &self.model.log.files),
            named => (Path::new("."), named),
        }
    }

    fn ingest(&self, log: &mut EventLog, threads: usize) -> Result<IngestReport> {
        let (base, patterns) = self.patterns();
        log.ingest(&expand(base, patterns)?, threads, &Upcast(self.progress))
    }

    /// The patterns that mean no file at all.
    fn unmatched(&self) -> Result<Vec<String>> {
        let (base, patterns) = self.patterns();
        let mut unmatched = Vec::new();
        for pattern in patterns {
            if expand(base, std::slice::from_ref(pattern))?.is_empty() {
                unmatched.push(pattern.clone());
            }
        }
        Ok(unmatched)
    }

    /// A first run without a single file is a mistake, not an empty warehouse.
    fn nothing_to_read(&self, report: &RunReport) -> Error {
        if let Some(gravest) = report.failed_files.iter().max_by_key(|failed| failed.exit_code) {
            return gravest.error();
        }
        let patterns: Vec<String> = report.unmatched.iter().map(|pattern| format!("`{pattern}`")).collect();
        let next = if self.options.log.is_empty() {
            format!(
                "correct `files` in [log]: they are relative to the pipeline's folder, {}",
                self.model.log.base.display()
            )
        } else {
            "correct --log: it is relative to the folder in which starlog runs".to_owned()
        };
        Error::author(format!("there is nothing to read: no file matches {}", patterns.join(" or ")))
            .next(next)
    }

    fn is_up_to_date(&self, current: &Release, log: &EventLog, layouts: &[Layout]) -> bool {
        let manifest = current.manifest();
        let has_layouts = current.layouts().is_ok_and(|mut built| {
            built.sort_unstable();
            built == layouts
        });
        manifest.format_version == FORMAT_VERSION
            && manifest.log_position == log.position().0
            && manifest.pipeline.hash == self.model.hash
            && has_layouts
            && !rejects::are_unseen(log, current, self.writer.warehouse().dir())
    }
}

/// Whether a release is one that a night can go on from.
fn continues(current: &Release, model: &Model) -> bool {
    let manifest = current.manifest();
    manifest.format_version == FORMAT_VERSION && manifest.pipeline.hash == model.hash
}

pub(super) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The part of the progress that `log` knows.
struct Upcast<'a>(&'a dyn Progress);

impl LogProgress for Upcast<'_> {
    fn bytes(&self, done: u64, total: u64) {
        self.0.bytes(done, total);
    }
}

fn tables(release: &Release) -> Vec<TableReport> {
    let of_layout = |(layout, tables): (&String, &BTreeMap<String, TableEntry>)| {
        let report = |(name, entry): (&String, &TableEntry)| TableReport {
            layout: layout.clone(),
            name: name.clone(),
            rows: entry.rows,
            files: entry.files.len(),
            bytes: entry.files.iter().map(|file| file.bytes).sum(),
        };
        tables.iter().map(report).collect::<Vec<_>>()
    };
    release.manifest().layouts.iter().flat_map(of_layout).collect()
}

impl RunReport {
    fn begun(model: &Model, options: &Options) -> Self {
        Self {
            pipeline: model.name.clone(),
            started: options.started.clone(),
            outcome: Outcome::Failed,
            release: None,
            log_position: 0,
            lines: super::report::Lines::default(),
            files: Vec::new(),
            rejects: BTreeMap::new(),
            leap_seconds: 0,
            failed_files: Vec::new(),
            unmatched: Vec::new(),
            unknown_fields: BTreeMap::new(),
            counts: None,
            dropped_layouts: Vec::new(),
            tables: Vec::new(),
            checks: 0,
            stages_ms: BTreeMap::new(),
            elapsed_ms: 0,
            failure: None,
        }
    }

    fn took_in(&mut self, log: &EventLog, ingested: &IngestReport) {
        self.log_position = log.position().0;
        self.lines = ingested.total.into();
        self.files = ingested.files.iter().filter_map(FileLines::of).collect();
        self.rejects = ingested.rejects.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
        self.leap_seconds = ingested.leap_seconds;
        self.failed_files = ingested.failures.iter().map(FailedFile::from).collect();
        self.unknown_fields.clone_from(&ingested.unknown_fields);
    }
}
