//! One night: ingest, build, check, publish; and a line in the ledger, however it ends.

use super::build::{stage, stage_views};
use super::decision::{Build, decide};
use super::inputs::Inputs;
use super::inspect::{Touched, inspect, inspect_night};
use super::ledger::told;
use super::previous::Previous;
use super::rejects;
use super::report::{FailedFile, Failure, FileLines, Outcome, RunReport, TableReport, ViewReport};
use super::stage::{Progress, Stage, Stopwatch};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, Before};
use crate::layout::Layout;
use crate::log::{EventLog, IngestReport};
use crate::model::Model;
use crate::query::Means;
use crate::views;
use crate::warehouse::{Release, TableEntry, Writer};
use std::collections::BTreeMap;
use std::path::PathBuf;
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
    let inputs = Inputs { model, options, progress };
    let night = Night { inputs, disk, writer: &writer, watch: &watch };
    let tell = |report: &mut RunReport, failure: Option<Failure>| {
        report.elapsed_ms = watch.elapsed_ms();
        if let Some(failure) = failure {
            // It may have failed behind the swap.
            report.release = writer.warehouse().current_number()?;
            report.outcome = failure.outcome();
            report.failure = Some(failure);
        }
        writer.record(report)
    };
    told(RunReport::begun(model, options), |report| night.walk(report), tell)
}

/// What a night works with.
struct Night<'a> {
    inputs: Inputs<'a>,
    disk: &'a Disk,
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
        let (inputs, model) = (&self.inputs, self.inputs.model);
        let layouts = inputs.layouts(&built);

        // SQL that is no view is known before anything is done.
        views::choose(model, None)?;
        let mut log = EventLog::open(self.disk, &warehouse.log_dir(), model)?;
        report.log_position = log.position().0;
        let stages_ms = &mut report.stages_ms;
        let ingested = self.watch.time(Stage::Ingest, stages_ms, || inputs.ingest(&mut log))?;
        report.unmatched = inputs.unmatched()?;
        report.took_in(&log, &ingested);
        if current.is_none() && log.sources().is_empty() {
            return Err(inputs.nothing_to_read(report));
        }
        rejects::refuse_too_many(model, &log, current.as_ref())?;

        let decision = decide(model, &log, current.as_ref(), &layouts);
        report.because = decision.because;
        if let (Build::Nothing, Some(current)) = (decision.build, &current) {
            report.outcome = Outcome::Unchanged;
            report.tables = tables(current);
            report.views = ViewReport::of(current, &[]);
            return Ok(());
        }
        report.drops(&built, &layouts);
        let before = current.filter(|_| decision.build == Build::Night);
        self.publish(&log, before, &layouts, report)
    }

    fn publish(
        &self,
        log: &EventLog,
        release: Option<Release>,
        layouts: &[Layout],
        report: &mut RunReport,
    ) -> Result<()> {
        let Inputs { model, options, .. } = self.inputs;
        let (threads, stages_ms) = (self.inputs.threads(), &mut report.stages_ms);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            Error::operator(format!("no threads: {error}")).next("name fewer: --threads 2")
        })?;
        let before = release.clone().map(Previous::new).transpose()?;
        let before = before.map(|before| Arc::new(before) as Arc<dyn Before>);
        let (staged, history) = pool.install(|| -> Result<_> {
            let history = self.watch.time(Stage::Replay, stages_ms, || match before {
                Some(before) => history::night(model, log, &before),
                None => history::replay(model, log),
            })?;
            let staged = self
                .watch
                .time(Stage::Write, stages_ms, || stage(self.writer, model, log, &history, layouts))?;
            Ok((staged, history))
        })?;
        report.counts = Some(history.counts.clone());
        let warehouse = self.writer.warehouse().dir();
        let (memory_bytes, stop) = (options.memory_bytes, self.disk.stop());
        let overflow = self.writer.overflow();
        let means = Means { threads: Some(threads), memory_bytes, overflow: Some(&overflow), stop };
        let choices = match model.views.as_slice() {
            [] => Vec::new(),
            _ => self
                .watch
                .time(Stage::Views, stages_ms, || stage_views(&staged, model, release.as_ref(), means))?,
        };
        let touched = release.and_then(|before| Touched::of(before, history, log));
        let candidate = staged.candidate()?;
        let verdict = self.watch.time(Stage::Check, stages_ms, || match &touched {
            Some(touched) => inspect_night(&candidate, touched, model, log, warehouse, means),
            None => inspect(&candidate, model, warehouse, means),
        })?;
        report.checks = verdict.checks;
        report.checked_all = verdict.is_whole;
        let release = self.watch.time(Stage::Publish, stages_ms, || staged.publish())?;
        report.outcome = Outcome::Published;
        report.release = Some(release.number());
        report.tables = tables(&release);
        report.views = ViewReport::of(&release, &choices);
        Ok(())
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
    pub(super) fn begun(model: &Model, options: &Options) -> Self {
        Self {
            command: "run",
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
            views: Vec::new(),
            because: Vec::new(),
            checks: 0,
            checked_all: false,
            stages_ms: BTreeMap::new(),
            elapsed_ms: 0,
            failure: None,
        }
    }

    /// Says which layouts there will be no more.
    pub(super) fn drops(&mut self, built: &[Layout], layouts: &[Layout]) {
        let dropped = built.iter().filter(|layout| !layouts.contains(layout));
        self.dropped_layouts = dropped.map(ToString::to_string).collect();
    }

    pub(super) fn took_in(&mut self, log: &EventLog, ingested: &IngestReport) {
        self.log_position = log.position().0;
        self.lines = ingested.total.into();
        self.files = ingested.files.iter().filter_map(FileLines::of).collect();
        self.rejects = ingested.rejects.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
        self.leap_seconds = ingested.leap_seconds;
        self.failed_files = ingested.failures.iter().map(FailedFile::from).collect();
        self.unknown_fields.clone_from(&ingested.unknown_fields);
    }
}
