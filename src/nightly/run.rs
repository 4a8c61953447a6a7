//! One night: ingest, build, check, publish.

use super::build::stage;
use super::inspect::inspect;
use super::previous::Previous;
use super::report::{Lines, Outcome, RunReport, TableReport};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, Before, Counts};
use crate::layout::Layout;
use crate::log::{EventLog, IngestReport, Progress as LogProgress, expand};
use crate::model::Model;
use crate::warehouse::{Release, Writer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// How a run is to be done. None of it changes a byte of what is published.
#[derive(Debug, Clone)]
pub struct Options {
    /// The warehouse's folder.
    pub warehouse: PathBuf,
    pub layouts: Vec<Layout>,
    /// Files or patterns instead of those that the pipeline names, relative to where the program runs.
    pub log: Vec<String>,
    pub threads: Option<usize>,
    /// How much memory the checks may use.
    pub memory_bytes: Option<u64>,
    /// When the run began, RFC 3339: for the ledger, and for whoever finds the warehouse locked.
    pub started: String,
}

/// Is told how far a run has come.
pub trait Progress: LogProgress {
    /// A stage begins.
    fn stage(&self, stage: Stage);
}

impl Progress for () {
    fn stage(&self, _: Stage) {}
}

/// The stages of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Ingest,
    Replay,
    Write,
    Check,
    Publish,
}

impl Stage {
    /// One word for the stage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Replay => "replay",
            Self::Write => "write",
            Self::Check => "check",
            Self::Publish => "publish",
        }
    }
}

/// Runs a pipeline.
///
/// # Errors
/// The data owner's: too many rejects, a check failed; the log keeps its new events, the old release stays.
/// The author's: the warehouse belongs to another pipeline. The operator's: lock, disk.
pub fn run(model: &Model, options: &Options, disk: &Disk, progress: &dyn Progress) -> Result<RunReport> {
    let clock = Clock { begun: Instant::now(), progress };
    let mut stages = BTreeMap::new();
    let writer = Writer::open(disk, &options.warehouse, &model.name, &options.started)?;
    let warehouse = writer.warehouse();
    let mut log = EventLog::open(disk, &warehouse.log_dir(), model)?;
    let threads = options.threads.unwrap_or_else(available_threads);
    let ingested =
        clock.time(Stage::Ingest, &mut stages, || ingest(model, options, &mut log, threads, progress))?;
    refuse_too_many_rejects(model, &ingested)?;

    let current = warehouse.current()?;
    let mut report = RunReport::begun(model, options, &log, &ingested);
    let up_to_date = |current: &&Release| is_up_to_date(current, model, &log, &options.layouts);
    if let Some(current) = current.as_ref().filter(up_to_date) {
        report.outcome = Outcome::Unchanged;
        report.release = Some(current.number());
        report.tables = tables(current);
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| Error::operator(format!("no threads: {error}")))?;
        let before = current.filter(|current| continues(current, model)).map(Previous::new).transpose()?;
        let before = before.map(|before| Arc::new(before) as Arc<dyn Before>);
        let (staged, counts) = pool.install(|| -> Result<_> {
            let history = clock.time(Stage::Replay, &mut stages, || match before {
                Some(before) => history::night(model, &log, &before),
                None => history::replay(model, &log),
            })?;
            let staged = clock.time(Stage::Write, &mut stages, || {
                stage(&writer, model, &log, &history, &options.layouts)
            })?;
            Ok((staged, history.counts))
        })?;
        let candidate = staged.candidate()?;
        report.checks = clock.time(Stage::Check, &mut stages, || {
            inspect(&candidate, model, warehouse.dir(), Some(threads), options.memory_bytes)
        })?;
        let release = clock.time(Stage::Publish, &mut stages, || staged.publish())?;
        report.outcome = Outcome::Published;
        report.release = Some(release.number());
        report.tables = tables(&release);
        report.counts = Some(counts);
    }
    report.stages_ms = stages;
    report.elapsed_ms = clock.elapsed_ms();
    writer.record(&report)?;
    Ok(report)
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn ingest(
    model: &Model,
    options: &Options,
    log: &mut EventLog,
    threads: usize,
    progress: &dyn Progress,
) -> Result<IngestReport> {
    let files = if options.log.is_empty() {
        expand(&model.log.base, &model.log.files)?
    } else {
        expand(&PathBuf::from("."), &options.log)?
    };
    log.ingest(&files, threads, &Upcast(progress))
}

/// The part of the progress that `log` knows.
struct Upcast<'a>(&'a dyn Progress);

impl LogProgress for Upcast<'_> {
    fn bytes(&self, done: u64, total: u64) {
        self.0.bytes(done, total);
    }
}

fn refuse_too_many_rejects(model: &Model, ingested: &IngestReport) -> Result<()> {
    let (rejected, read) = (ingested.total.rejected, ingested.total.read);
    let over_count = model.log.max_rejects.is_some_and(|limit| rejected > limit);
    let over_share = model.log.max_reject_share.is_some_and(|limit| rejected as f64 > limit * read as f64);
    if !over_count && !over_share {
        return Ok(());
    }
    let codes: Vec<String> = ingested.rejects.iter().map(|(code, count)| format!("{count} {code}")).collect();
    Err(Error::data(format!("{rejected} of {read} lines were rejected: {}", codes.join(", "))).next(
        "the log keeps what it took in and the old release stays current; mend the source or raise the \
         limit in [log], and run again",
    ))
}

fn is_up_to_date(current: &Release, model: &Model, log: &EventLog, layouts: &[Layout]) -> bool {
    let manifest = current.manifest();
    let has_layouts =
        current.layouts().is_ok_and(|built| layouts.iter().all(|layout| built.contains(layout)));
    manifest.format_version == crate::warehouse::FORMAT_VERSION
        && manifest.log_position == log.position().0
        && manifest.pipeline.hash == model.hash
        && has_layouts
}

/// Whether a release is one that a night can go on from.
fn continues(current: &Release, model: &Model) -> bool {
    let manifest = current.manifest();
    manifest.format_version == crate::warehouse::FORMAT_VERSION && manifest.pipeline.hash == model.hash
}

fn tables(release: &Release) -> Vec<TableReport> {
    let of_layout = |(layout, tables): (&String, &BTreeMap<String, crate::warehouse::TableEntry>)| {
        let report = |(name, entry): (&String, &crate::warehouse::TableEntry)| TableReport {
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
    fn begun(model: &Model, options: &Options, log: &EventLog, ingested: &IngestReport) -> Self {
        let total = &ingested.total;
        Self {
            pipeline: model.name.clone(),
            started: options.started.clone(),
            outcome: Outcome::Unchanged,
            release: None,
            log_position: log.position().0,
            lines: Lines {
                read: total.read,
                accepted: total.accepted,
                duplicate: total.duplicate,
                rejected: total.rejected,
                blank: total.blank,
                ignored: total.ignored,
            },
            rejects: ingested.rejects.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect(),
            failed_files: ingested.failures.iter().map(|failure| failure.error().to_string()).collect(),
            unknown_fields: ingested.unknown_fields.clone(),
            counts: None::<Counts>,
            tables: Vec::new(),
            checks: 0,
            stages_ms: BTreeMap::new(),
            elapsed_ms: 0,
        }
    }
}

/// Measures stages. Elapsed time goes to the ledger only.
struct Clock<'a> {
    begun: Instant,
    progress: &'a dyn Progress,
}

impl Clock<'_> {
    fn time<T>(
        &self,
        stage: Stage,
        stages: &mut BTreeMap<&'static str, u64>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.progress.stage(stage);
        let before = self.elapsed_ms();
        let result = work();
        stages.insert(stage.name(), self.elapsed_ms() - before);
        result
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
