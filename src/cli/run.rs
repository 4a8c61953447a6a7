//! `starlog run`: one night.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::{Error, Result};
use starlog::model;
use starlog::nightly::{self, Failure};

use super::arguments::{LayoutArgument, LimitArguments, WarehouseArgument};
use super::failure::{of_stdout, say};
use super::plan;
use super::progress::Bar;
use super::signals;
use super::summary;
use super::wait::WaitArgument;

/// Take in new events, build the tables, check them, publish them.
#[derive(Debug, Args)]
#[command(
    override_usage = "starlog run <PIPELINE> [OPTIONS]",
    long_about = "\
Take in new events, build the tables, check them, publish them.

What a run publishes is a release: an immutable folder of Parquet files, to which \
`warehouse/current` points. Whoever reads the release before goes on undisturbed. When a check fails, \
nothing is published, and the next run goes on from there. Running again takes what is new.

A line that was rejected stays rejected: a file that was read may grow, but not change. Put the corrected \
line into a new file, and run again.",
    after_help = "\
Examples:
  starlog run pipelines/retail.toml
  starlog run pipelines/retail.toml --layout star,snowflake --warehouse /data/shop
  starlog run pipelines/retail.toml --log 'incoming/*.ndjson.gz'
  starlog run pipelines/retail.toml --json | jq .release"
)]
pub struct RunArguments {
    /// The pipeline file; `starlog schema` describes it
    pub pipeline: Option<PathBuf>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// How dimensions lie on disk; both, if both are named. Without it, what the current release has;
    /// a first release is a star
    #[arg(
        long,
        value_name = "LAYOUT",
        value_delimiter = ',',
        env = "STARLOG_LAYOUT",
        hide_env_values = true
    )]
    pub layout: Vec<LayoutArgument>,

    /// Read these files instead of those that the pipeline names: NDJSON, change events, CSV or Parquet, as their content says.
    /// Relative to where starlog runs; in the environment, commas stand between several
    #[arg(long, value_name = "FILE-OR-GLOB", num_args = 1.., env = LOG, hide_env_values = true)]
    pub log: Vec<String>,

    #[command(flatten)]
    pub limits: LimitArguments,

    /// Say what would be done, and do none of it, as `starlog plan`
    #[arg(long, env = "STARLOG_DRY_RUN", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub dry_run: bool,

    #[command(flatten)]
    pub wait: WaitArgument,

    /// Print the summary as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

impl RunArguments {
    /// The pipeline and the files to read. `--log` takes whatever follows it, also a pipeline at the end.
    pub fn inputs(&self) -> Result<(PathBuf, Vec<String>), Error> {
        let mut log = self.log.clone();
        let of_environment = std::env::var(LOG).ok();
        if let ([all], Some(text)) = (log.as_slice(), of_environment)
            && *all == text
        {
            log = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        }
        match &self.pipeline {
            Some(pipeline) => Ok((pipeline.clone(), log)),
            None if log.last().is_some_and(|last| last.ends_with(".toml")) => {
                let pipeline = log.pop().unwrap_or_default();
                if log.is_empty() { Err(no_log()) } else { Ok((PathBuf::from(pipeline), log)) }
            }
            None => {
                Err(Error::author("no pipeline is named").next("starlog run PIPELINE --log FILE-OR-GLOB ..."))
            }
        }
    }
}

impl RunArguments {
    /// What the library is told.
    pub fn options(&self, log: Vec<String>) -> nightly::Options {
        nightly::Options {
            warehouse: self.warehouse.folder.clone(),
            layouts: self.layout.iter().map(|layout| (*layout).into()).collect(),
            log,
            threads: self.limits.threads.map(Into::into),
            memory_bytes: self.limits.memory.map(|memory| memory.bytes),
            started: now(),
        }
    }
}

fn no_log() -> Error {
    Error::author("--log names no file but the pipeline").next("starlog run PIPELINE --log FILE-OR-GLOB ...")
}

/// The environment variable of `--log`.
const LOG: &str = "STARLOG_LOG";

pub fn run(arguments: &RunArguments) -> Result<()> {
    if arguments.dry_run {
        return plan::plan(arguments);
    }
    let (pipeline, log) = arguments.inputs()?;
    bind_polars(arguments.limits.threads);
    let model = model::load(&pipeline)?;
    let options = || arguments.options(log.clone());
    let bar = Bar::new();
    let disk = signals::disk()?;
    let report = arguments.wait.when_free(&disk, || nightly::run(&model, &options(), &disk, &bar));
    bar.finish();
    let report = match report {
        Err(error) if arguments.json => {
            let failure = Failure::from(&error);
            let failed = serde_json::json!({ "outcome": failure.outcome(), "failure": failure });
            io::stdout().lock().write_all(summary::as_json(&failed)?.as_bytes()).map_err(of_stdout)?;
            return Err(error);
        }
        report => report?,
    };
    let text = if arguments.json {
        summary::as_json(&report)?
    } else {
        summary::of_run(&report, arguments.warehouse.to_repeat())
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    report.failed_files.iter().for_each(|failed| say(&failed.error()));
    report.file_failure().map_or(Ok(()), Err)
}

/// Polars asks the environment how many threads it may have, once, and a program cannot safely change its
/// own environment. So it begins anew, as the same process, with what Polars looks for.
pub fn bind_polars(threads: Option<u16>) {
    const POLARS: &str = "POLARS_MAX_THREADS";
    let Some(threads) = threads.map(|threads| threads.to_string()) else { return };
    if env::var(POLARS).is_ok_and(|bound| bound == threads) {
        return;
    }
    if let Ok(program) = env::current_exe() {
        let mut again = Command::new(program);
        again.args(env::args_os().skip(1)).env(POLARS, threads);
        // Comes back only if it cannot be done; then Polars has as many threads as there are cores.
        let _ = again.exec();
    }
}

/// What time it is, in words.
pub fn now() -> String {
    clock().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The one place that reads the clock (DESIGN 1).
#[allow(clippy::disallowed_methods)]
pub fn clock() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
