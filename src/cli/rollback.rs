//! `starlog rollback`: an older release, current again.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::Result;
use starlog::nightly;

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::run::now;
use super::signals;
use super::summary;
use super::wait::WaitArgument;

/// Make an older release the current one again; a swap of the pointer.
#[derive(Debug, Args)]
#[command(long_about = "\
Make an older release the current one again. Only the pointer is swapped: no file is touched, readers go on, \
and the log keeps all its events. The next run publishes the whole log again, so mend what was wrong first.")]
pub struct RollbackArguments {
    /// The release; without it, the one before the current one
    pub release: Option<u64>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    #[command(flatten)]
    pub wait: WaitArgument,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn rollback(arguments: &RollbackArguments) -> Result<()> {
    let folder = &arguments.warehouse.folder;
    let disk = signals::disk()?;
    let roll_back = || nightly::rollback(folder, arguments.release, &disk, &now());
    let done = arguments.wait.when_free(&disk, roll_back)?;
    let text = match arguments.json {
        true => summary::as_json(&done)?,
        false => format!("release {} is current; it was {}\n", done.release, done.was),
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
