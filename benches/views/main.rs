//! What views are worth: every question that one covers, asked of the facts and of the view, in turns.
//!
//! Both are asked in one session that is open already, so opening it is no part of either. It never fails because
//! something was slow.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

#[path = "../shared/measure.rs"]
mod measure;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use clap::Parser;
use starlog::ask::{self, View};
use starlog::generate::{self, Share};
use starlog::layout::Layout;
use starlog::model::{self, AsOf, Model, Question};
use starlog::query::{self, Session};
use starlog::warehouse::{Release, Warehouse};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// How much faster a view answers than the facts.
#[derive(Parser)]
#[command(name = "views")]
struct Options {
    /// Orders in the log
    #[arg(long, default_value_t = 2_000_000)]
    orders: u64,
    /// Days in the log
    #[arg(long, default_value_t = 730)]
    days: u32,
    /// The share of events that come days late
    #[arg(long, default_value = "0.001")]
    late: Share,
    /// How often each question is asked of both
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// A warehouse of retail.toml that is there already, instead of a new one
    #[arg(long)]
    warehouse: Option<PathBuf>,
    /// Cargo says this to every benchmark
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn main() -> ExitCode {
    match play(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(options: &Options) -> Result<()> {
    let place = tempfile::tempdir()?;
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/retail.toml");
    let folder = match &options.warehouse {
        Some(folder) => folder.clone(),
        None => built(options, place.path(), &pipeline)?,
    };
    let release = Warehouse::open(&folder)?.current()?.ok_or("no release")?;
    let model = model::load(&pipeline)?;
    let session = Session::open(&query::describe(&release, Layout::Star, &folder))?;
    let facts = release.tables(Layout::Star).find(|(name, _)| *name == "fact_orders");
    let rows: u64 = facts.map_or(0, |(_, facts)| facts.files.iter().map(|file| file.rows).sum());
    println!("retail.toml, star, {rows} rows in fact_orders; {} rounds, medians", options.rounds);
    println!(
        "{:<34} {:<34} {:>9} {:>10} {:>10} {:>8}",
        "question", "view", "its rows", "facts", "view", "ratio"
    );
    for pair in pairs(&model, &release)? {
        pair.measure(&session, options.rounds)?;
    }
    Ok(())
}

/// Makes the log, and a warehouse of it.
fn built(options: &Options, place: &Path, pipeline: &Path) -> Result<PathBuf> {
    let log = generate::Options {
        orders: options.orders,
        seed: 1,
        days: options.days,
        late: options.late,
        ..generate::Options::default()
    };
    generate::write(&log, &place.join("log"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.arg("run").arg(pipeline).arg("--warehouse").arg(place.join("warehouse"));
    command.arg("--log").arg(place.join("log/*.ndjson")).stdout(Stdio::null());
    let cost = measure::run(&mut command)?;
    println!(
        "{} orders over {} days, built in {:.2} s ({:.2} s of processors, {} MB)",
        options.orders,
        options.days,
        cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        cost.peak_bytes / 1_000_000
    );
    Ok(place.join("warehouse"))
}

/// A question, as it is asked of the facts and of a view.
struct Pair {
    question: String,
    view: View,
    of_facts: String,
    of_view: String,
}

/// The questions of the pipeline that a view covers, and those that the views themselves are.
fn pairs(model: &Model, release: &Release) -> Result<Vec<Pair>> {
    let views = ask::views(release, model);
    let own = views.iter().map(|view| Question { name: format!("({})", view.name), ..view.question.clone() });
    let asked = model.questions.iter().filter(|question| !matches!(question.as_of, AsOf::Day(_))).cloned();
    let mut pairs = Vec::new();
    for question in asked.chain(own) {
        let answer = ask::answer(model, &question, &Layout::Star.into(), &views)?;
        let Some(view) = views.iter().find(|view| answer.taken.as_ref() == Some(&view.name)) else {
            continue;
        };
        pairs.push(Pair {
            of_facts: ask::select(model, &question, &Layout::Star.into())?.to_string(),
            of_view: answer.select.to_string(),
            question: question.name,
            view: view.clone(),
        });
    }
    Ok(pairs)
}

impl Pair {
    fn measure(&self, session: &Session, rounds: usize) -> Result<()> {
        if answer(session, &self.of_facts)? != answer(session, &self.of_view)? {
            return Err(format!("{}: the view answers something else", self.question).into());
        }
        let (mut facts, mut view, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let of_facts = timed(session, &self.of_facts)?;
            let of_view = timed(session, &self.of_view)?;
            facts.push(of_facts.as_secs_f64());
            view.push(of_view.as_secs_f64());
            ratios.push(of_facts.as_secs_f64() / of_view.as_secs_f64());
        }
        println!(
            "{:<34} {:<34} {:>9} {:>7.1} ms {:>7.1} ms {:>7.0}×",
            self.question,
            self.view.name,
            self.view.rows,
            median(&mut facts) * 1e3,
            median(&mut view) * 1e3,
            median(&mut ratios)
        );
        Ok(())
    }
}

/// All rows of an answer.
fn answer(session: &Session, sql: &str) -> Result<RecordBatch> {
    let question = session.questions(sql)?.into_iter().next().ok_or("no question")?;
    let mut answer = session.ask(&question)?;
    let mut batches = Vec::new();
    while let Some(batch) = answer.next_batch()? {
        batches.push(batch);
    }
    Ok(concat_batches(answer.schema(), &batches)?)
}

/// How long an answer takes, all its rows taken and none looked at.
fn timed(session: &Session, sql: &str) -> Result<Duration> {
    let question = session.questions(sql)?.into_iter().next().ok_or("no question")?;
    let begin = Instant::now();
    let mut answer = session.ask(&question)?;
    while answer.next_batch()?.is_some() {}
    Ok(begin.elapsed())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
