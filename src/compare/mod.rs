//! Layouts → a report: which is larger, slower, dearer to change, and by how much?
//!
//! [`compare`] takes a log in once, replays it once, and writes what comes out as every layout and as one big table, in
//! a folder of its caller's. It asks each the same questions, and renames what is at the top of a hierarchy. All that it
//! finds is one value, [`Comparison`]; [`markdown`] and [`page`] are made from it and from nothing else.
//!
//! Never touches a warehouse, and gives no figure of a question that two layouts answer differently.

mod build;
mod measure;
mod page;
mod questions;
mod rename;
mod report;
mod shape;
mod spread;
mod target;
mod text;
mod words;

pub use page::page;
pub use report::{
    AnswerFigures, ColumnFigures, Comparison, LayoutFigures, Machine, QuestionFigures, Ratio, Refused,
    Rename, RenameCost, RenameWay, Spread, TableFigures, TableKind,
};
pub use spread::Clock;
pub use text::{bytes, duration, grouped, markdown, ratio};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::log::EventLog;
use crate::model::{AsOf, Model};
use crate::nightly::{self, in_pool, take_in};
use crate::query::{Session, SessionSpec};
use build::{Built, Plan};
use measure::{Means, Outcome, measure};
use rename::{Before, rename};
use shape::Shape;
use spread::{rounded, spread, timed};
use std::path::Path;
use target::Target;

/// How a comparison is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files or patterns instead of those that the pipeline names, relative to where the program runs.
    pub log: Vec<String>,
    /// How often each question is asked of each layout.
    pub runs: usize,
    pub threads: Option<usize>,
    /// How much memory DuckDB may use.
    pub memory_bytes: Option<u64>,
    /// When it began, RFC 3339.
    pub started: String,
}

/// Is told how far a comparison has come.
pub trait Progress: nightly::Progress {
    /// Something is begun that may take a while.
    fn doing(&self, what: &str);
}

impl Progress for () {
    fn doing(&self, _: &str) {}
}

/// How often each layout is built.
const BUILDS: usize = 3;

/// Compares the layouts of a pipeline on its log. `scratch` is an empty folder, which whoever asks removes.
///
/// # Errors
/// Those of a first run before it publishes.
pub fn compare(
    model: &Model,
    options: &Options,
    scratch: &Path,
    disk: &Disk,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Comparison> {
    let model = &ledgers_only(model);
    let run = nightly::Options {
        warehouse: scratch.join("warehouse"),
        layouts: Vec::new(),
        log: options.log.clone(),
        threads: options.threads,
        memory_bytes: options.memory_bytes,
        started: options.started.clone(),
    };
    let bench = Bench { model, options, scratch, disk, clock, progress };
    progress.doing("ingest");
    let (log, ingest_us) = timed(clock, || take_in(model, &run, &scratch.join("log"), disk, progress));
    let log = log?;
    in_pool(options.threads, || {
        progress.doing("replay");
        let (history, replay_us) = timed(clock, || history::replay(model, &log));
        let history = history?;
        let sides = bench.build(&history)?;
        let (questions, refused) = bench.ask(&sides)?;
        let (rename, no_rename) = match bench.rename(&log, &history)? {
            Ok(rename) => (Some(rename), None),
            Err(why) => (None, Some(why)),
        };
        let mut comparison = Comparison {
            pipeline: model.name.clone(),
            events: log.position().0,
            runs: options.runs,
            builds: BUILDS,
            machine: bench.machine()?,
            ingest_us,
            replay_us,
            layouts: figures(&sides),
            questions,
            refused,
            rename,
            no_rename,
            words: Vec::new(),
        };
        for layout in &mut comparison.layouts {
            layout.warm_mean = warm_mean(&comparison.questions, &layout.name);
        }
        comparison.words = words::words(&comparison);
        Ok(comparison)
    })
}

/// The accumulating tables of lines are left out: no question is about them, and they would lie the same everywhere.
fn ledgers_only(model: &Model) -> Model {
    let mut model = model.clone();
    for fact in &mut model.facts {
        fact.lines_name = None;
    }
    model
}

/// A shape that was built.
struct Side {
    shape: Shape,
    built: Built,
    took_us: Vec<u64>,
}

/// How much each is, beside the first.
fn figures(sides: &[Side]) -> Vec<LayoutFigures> {
    let bytes = |side: &Side| -> u64 { side.built.tables.iter().map(|table| table.bytes).sum() };
    let first_bytes = sides.first().map_or(0, bytes).max(1);
    let first_us = sides.first().map_or(&[][..], |side| &side.took_us);
    let figures = sides.iter().map(|side| LayoutFigures {
        name: side.shape.to_string(),
        rows: side.built.tables.iter().map(|table| table.rows).sum(),
        files: side.built.tables.iter().map(|table| table.files).sum(),
        bytes: bytes(side),
        bytes_ratio: rounded(bytes(side) as f64 / first_bytes as f64),
        build: spread(&side.took_us),
        build_ratio: spread::ratio(&side.took_us, first_us),
        warm_mean: None,
        tables: side.built.tables.clone(),
    });
    figures.collect()
}

/// The geometric mean of a layout's ratios.
fn warm_mean(questions: &[QuestionFigures], layout: &str) -> Option<f64> {
    let answers = questions.iter().flat_map(|question| &question.answers);
    let ratios: Vec<f64> =
        answers.filter(|answer| answer.layout == layout).map(|answer| answer.warm_ratio.median).collect();
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.max(1e-9).ln()).sum();
    (!ratios.is_empty()).then(|| rounded((logarithms / ratios.len() as f64).exp()))
}

/// What everything is done with.
struct Bench<'a> {
    model: &'a Model,
    options: &'a Options,
    scratch: &'a Path,
    disk: &'a Disk,
    clock: &'a dyn Clock,
    progress: &'a dyn Progress,
}

impl Bench<'_> {
    /// Builds every shape several times, in turns, and keeps the last of each.
    fn build(&self, history: &History) -> Result<Vec<Side>> {
        let shapes: Vec<Shape> = Shape::all().collect();
        let mut took_us = vec![Vec::new(); shapes.len()];
        let mut sides = Vec::new();
        for round in 0..BUILDS {
            for turn in 0..shapes.len() {
                let at = (round + turn) % shapes.len();
                let shape = shapes[at];
                self.disk.go_on()?;
                self.progress.doing(&format!("build {shape}"));
                let folder = |round: usize| self.scratch.join(format!("{shape} {round}"));
                let write = || Plan::new(shape, self.model, history)?.write(&folder(round), self.disk);
                let (built, took) = timed(self.clock, write);
                let built = built?;
                took_us[at].push(took);
                if let Some(before) = round.checked_sub(1).map(folder) {
                    let removed = self.disk.remove_dir_all(&before);
                    removed.map_err(|error| Error::io("remove", &before, error))?;
                }
                if round + 1 == BUILDS {
                    sides.push((at, built));
                }
            }
        }
        sides.sort_by_key(|(at, _)| *at);
        let sides = sides.into_iter().zip(took_us);
        Ok(sides.map(|((at, built), took_us)| Side { shape: shapes[at], built, took_us }).collect())
    }

    /// Asks every question of every shape.
    fn ask(&self, sides: &[Side]) -> Result<(Vec<QuestionFigures>, Vec<Refused>)> {
        let sessions = |shape: Shape, as_of: AsOf| {
            let side = sides.iter().find(|side| side.shape == shape);
            let side = side.ok_or_else(|| Error::bug(format!("{shape} was not built")))?;
            Ok(self.limited(side.built.session(self.model, as_of)))
        };
        let go_on = || self.disk.go_on();
        let means = Means { sessions: &sessions, runs: self.options.runs, clock: self.clock, go_on: &go_on };
        let (mut measured, mut refused) = (Vec::new(), Vec::new());
        for put in questions::questions(self.model)? {
            self.progress.doing(&format!("ask {}", put.name));
            match measure(&put, &means)? {
                Outcome::Measured(figures) => measured.push(figures),
                Outcome::Refused(why) => refused.push(why),
            }
        }
        Ok((measured, refused))
    }

    fn rename(&self, log: &EventLog, history: &History) -> Result<Result<Rename, String>> {
        let target = match Target::choose(self.model, history)? {
            Ok(target) => target,
            Err(why) => return Ok(Err(why)),
        };
        self.progress.doing("rename");
        let before = Before { model: self.model, log, history, threads: self.threads() };
        rename(&before, &target, self.scratch, self.disk).map(Ok)
    }

    fn machine(&self) -> Result<Machine> {
        let version = Session::open(&SessionSpec::default())?.fetch("SELECT version()", &[])?;
        let version = version.rows.first().and_then(|row| row.first()?.as_str().map(str::to_owned));
        Ok(Machine {
            starlog: env!("CARGO_PKG_VERSION").to_owned(),
            duckdb: version.unwrap_or_default(),
            platform: format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: self.threads(),
            started: self.options.started.clone(),
        })
    }

    fn limited(&self, spec: SessionSpec) -> SessionSpec {
        SessionSpec { threads: Some(self.threads()), memory_bytes: self.options.memory_bytes, ..spec }
    }

    fn threads(&self) -> usize {
        let available = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.options.threads.unwrap_or_else(available)
    }
}
