//! `starlog compare`: star, snowflake and one big table, measured on one log.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::compare::{
    self, AnswerFigures, Clock, Comparison, Options, bytes, duration, grouped, markdown, ratio,
};
use starlog::error::{Error, Result};
use starlog::model;
use starlog::query::visible;

use super::arguments::LimitArguments;
use super::failure::{note, of_stdout};
use super::page::table;
use super::progress::Bar;
use super::run::{bind_polars, now};
use super::signals;
use super::spill::Spill;
use super::summary::{as_json, line, word};

/// Measure star, snowflake and one big table on a log
#[derive(Debug, Args)]
#[command(
    long_about = "\
Measure star, snowflake and one big table on a log.

The log is read and replayed once, and written three times with the same sort, encoding and row groups: as a star, as \
a snowflake, and as one big table for each fact, with every attribute beside every row. Then each question of the \
pipeline (its [[question]]s; without any, its additive measures by the top of each dimension and by month) is asked of \
each, in interleaved runs: the first time in a new session (cold) and again in the same (warm). And the member at the \
top of the deepest hierarchy is renamed, tracked as `history` and as `overwrite`, to see what each layout has to \
rewrite for it. A question whose answers differ has no figures, and the exit code is 4.

All is done in the folder for temporary files (TMPDIR). No warehouse is touched.",
    after_help = "\
Examples:
  starlog compare pipelines/retail.toml
  starlog compare pipelines/retail.toml --out comparison --runs 21     and open comparison/comparison.html
  starlog compare pipelines/retail.toml --log 'incoming/*.ndjson.gz' --json | jq '.layouts[] | {name, bytes}'"
)]
pub struct CompareArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    /// Read these files instead of those that the pipeline names, relative to where starlog runs
    #[arg(long, value_name = "FILE-OR-GLOB", num_args = 1.., env = "STARLOG_LOG", hide_env_values = true)]
    pub log: Vec<String>,

    /// How often each question is asked of each layout
    #[arg(
        long,
        value_name = "N",
        default_value = "11",
        value_parser = clap::value_parser!(u16).range(1..=10_000),
        env = "STARLOG_RUNS",
        hide_env_values = true
    )]
    pub runs: u16,

    /// Write comparison.json, comparison.md and comparison.html into this folder: the page holds everything, with
    /// pictures of the schemas and plots, and needs no network
    #[arg(long, value_name = "DIR", env = "STARLOG_OUT", hide_env_values = true)]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub limits: LimitArguments,

    /// Print the comparison as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn compare(arguments: &CompareArguments) -> Result<()> {
    bind_polars(arguments.limits.threads);
    let model = model::load(&arguments.pipeline)?;
    let options = Options {
        log: arguments.log.clone(),
        runs: arguments.runs.into(),
        threads: arguments.limits.threads.map(Into::into),
        memory_bytes: arguments.limits.memory.map(|memory| memory.bytes),
        started: now(),
    };
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    let scratch = Spill::new()?;
    let bar = Bar::new();
    let found =
        compare::compare(&model, &options, scratch.folder(), &signals::disk()?, &Stopwatch::start(), &bar);
    bar.finish();
    let found = found?;
    if let Some(folder) = &arguments.out {
        write(folder, "comparison.json", &as_json(&found)?)?;
        write(folder, "comparison.md", &markdown(&found))?;
        write(folder, "comparison.html", &compare::page(&found)?)?;
        note(&format!("written: {}", word(&folder.join("comparison.html"))));
    }
    let text = if arguments.json { as_json(&found)? } else { page(&found) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    let differing = found.refused.iter().filter(|refused| refused.answers_differ);
    let differing: Vec<&str> = differing.map(|refused| refused.name.as_str()).collect();
    match differing.as_slice() {
        [] => Ok(()),
        names => Err(Error::bug(format!("layouts give different answers to {}", names.join(", ")))),
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| Error::io("write", &path, error))
}

/// The machine's clock, for durations.
struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(
        clippy::disallowed_methods,
        reason = "durations, not times: nothing of a release comes from them"
    )]
    fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Stopwatch {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

fn page(found: &Comparison) -> String {
    let mut page = String::new();
    line(&mut page, "pipeline", &visible(&found.pipeline));
    line(&mut page, "events", &grouped(found.events));
    page.push('\n');
    page.push_str(&sizes(found));
    if !found.questions.is_empty() {
        page.push_str(&format!(
            "\nwarm latency, median of {}; in brackets the ratio to the {}\n",
            found.runs,
            first(found)
        ));
        page.push_str(&of_questions(found, latency));
        page.push_str("\njoins, columns and bytes read\n");
        page.push_str(&of_questions(found, effort));
    }
    for refused in &found.refused {
        line(&mut page, "refused", &format!("{}: {}", visible(&refused.name), visible(&refused.reason)));
    }
    page.push_str(&rename(found));
    for words in &found.words {
        page.push_str(&format!("\n{}\n", visible(words)));
    }
    page
}

fn first(found: &Comparison) -> &str {
    found.layouts.first().map_or("first", |layout| layout.name.as_str())
}

fn sizes(found: &Comparison) -> String {
    let rows = found.layouts.iter().map(|layout| {
        vec![
            layout.name.clone(),
            layout.tables.len().to_string(),
            grouped(layout.rows),
            bytes(layout.bytes),
            ratio(layout.bytes_ratio),
            duration(layout.build.median_us),
        ]
    });
    let to_first = format!("to the {}", first(found));
    table(&["layout", "tables", "rows", "bytes", &to_first, "written in"], rows.collect(), &[1, 2, 3, 4, 5])
}

fn of_questions(found: &Comparison, figure: fn(&AnswerFigures) -> String) -> String {
    let head: Vec<&str> =
        std::iter::once("question").chain(found.layouts.iter().map(|layout| layout.name.as_str())).collect();
    let rows = found.questions.iter().map(|question| {
        let cells = found.layouts.iter().map(|layout| {
            let answer = question.answers.iter().find(|answer| answer.layout == layout.name);
            answer.map_or_else(|| "-".to_owned(), figure)
        });
        std::iter::once(question.name.clone()).chain(cells).collect()
    });
    let numbers: Vec<usize> = (1..head.len()).collect();
    table(&head, rows.collect(), &numbers)
}

fn latency(answer: &AnswerFigures) -> String {
    format!("{} ({})", duration(answer.warm.median_us), ratio(answer.warm_ratio.median))
}

fn effort(answer: &AnswerFigures) -> String {
    format!("{}, {}, {}", answer.joins, answer.columns, bytes(answer.bytes_read))
}

fn rename(found: &Comparison) -> String {
    let Some(rename) = &found.rename else {
        return found
            .no_rename
            .as_ref()
            .map_or_else(String::new, |why| format!("\nno rename: {}\n", visible(why)));
    };
    let top = rename.levels.last().map_or("", String::as_str);
    let rows = rename.ways.iter().flat_map(|way| {
        way.costs.iter().map(|cost| {
            vec![
                way.tracking.clone(),
                cost.layout.clone(),
                grouped(cost.rows_added),
                grouped(cost.rows_changed),
                grouped(cost.files_rewritten),
                grouped(cost.rows_rewritten),
                bytes(cost.bytes_rewritten),
            ]
        })
    });
    let head = ["tracked as", "layout", "rows added", "changed", "files", "rows in them", "bytes"];
    format!("\nto rename one {}\n{}", visible(top), table(&head, rows.collect(), &[2, 3, 4, 5, 6]))
}
