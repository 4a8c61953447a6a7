//! `starlog rebuild`: all tables, made again from the log's first event.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::Result;
use starlog::model;
use starlog::nightly;

use super::arguments::{LimitArguments, WarehouseArgument};
use super::failure::of_stdout;
use super::run::{bind_polars, now};
use super::signals;
use super::summary;
use super::wait::WaitArgument;

/// Make all tables again from the log's first event, and publish them
#[derive(Debug, Args)]
#[command(long_about = "\
Make all tables again from the log's first event, and publish them.

They are checked and compared with the current release, which readers keep meanwhile. If they differ although \
neither log, pipeline nor program have changed, that is a bug of ours: nothing is swapped, and the exit code \
is 4.")]
pub struct RebuildArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    #[command(flatten)]
    pub limits: LimitArguments,

    #[command(flatten)]
    pub wait: WaitArgument,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// As many differences as a person reads.
const SHOWN: usize = 20;

pub fn rebuild(arguments: &RebuildArguments) -> Result<()> {
    bind_polars(arguments.limits.threads);
    let model = model::load(&arguments.pipeline)?;
    let limits = &arguments.limits;
    let memory = limits.memory.map(|memory| memory.bytes);
    let folder = &arguments.warehouse.folder;
    let threads = limits.threads.map(Into::into);
    let disk = signals::disk()?;
    let rebuild = || nightly::rebuild(&model, folder, threads, memory, &disk, &now());
    let compared = arguments.wait.when_free(&disk, rebuild)?;
    let text = format!(
        "release {}, rebuilt from the log, published; {}\n",
        compared.published,
        match compared.differences.len() {
            0 => format!("every file is that of release {}", compared.release),
            count => format!("{count} files are others than in release {}", compared.release),
        }
    );
    let text = if arguments.json {
        summary::as_json(&compared)?
    } else {
        let shown = compared.differences.iter().take(SHOWN).map(|line| format!("  {line}\n"));
        let more = compared.differences.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!("  and {more} more: --json has all\n") } else { String::new() };
        text + &shown.collect::<String>() + &more
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
