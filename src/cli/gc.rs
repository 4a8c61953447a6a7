//! `starlog gc`: room on the disk.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::Result;
use starlog::nightly::{self, Collected, Keep};

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::run::{clock, now};
use super::signals;
use super::summary::{as_json, grouped, line};
use super::wait::WaitArgument;

/// Remove old releases, and what no release needs any more.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Remove old releases, and what no release needs any more.

A release goes if it is not among the newest, was not published of late, is not current, and nobody reads it: \
whoever queries holds a lock on it, which ends with the process. Other programs can hold one too: \
`flock --shared FOLDER COMMAND`, on the folder to which `current` leads. The log keeps all its events; of it, only \
files go whose events were written anew (put together, or because a contract changed), and that no remaining release shows.",
    after_help = "\
Examples:
  starlog gc --dry-run                       say what would go, and what that frees
  starlog gc
  starlog gc --keep 30 --hours 720           a month"
)]
pub struct GcArguments {
    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Keep so many of the newest releases
    #[arg(
        long,
        value_name = "N",
        default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(1..),
        env = "STARLOG_KEEP",
        hide_env_values = true
    )]
    pub keep: u32,

    /// Keep all releases that were current within so many hours
    #[arg(long, value_name = "N", default_value_t = 48, env = "STARLOG_HOURS", hide_env_values = true)]
    pub hours: u64,

    /// Only say what would go
    #[arg(long, env = "STARLOG_DRY_RUN", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub dry_run: bool,

    #[command(flatten)]
    pub wait: WaitArgument,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn gc(arguments: &GcArguments) -> Result<()> {
    let folder = &arguments.warehouse.folder;
    let keep = || Keep { releases: arguments.keep as usize, hours: arguments.hours, now: clock().into() };
    let collected = if arguments.dry_run {
        nightly::gc_plan(folder, keep())?
    } else {
        let disk = signals::disk()?;
        arguments.wait.when_free(&disk, || nightly::gc(folder, keep(), &disk, &now()))?
    };
    let text = if arguments.json { as_json(&collected)? } else { page(&collected, arguments.dry_run) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

fn page(collected: &Collected, dry_run: bool) -> String {
    let mut page = String::new();
    let (removed, freed) = if dry_run { ("would go", "would free") } else { ("removed", "freed") };
    let numbers = |numbers: &[u64]| match numbers {
        [] => "no release".to_owned(),
        [one] => format!("release {one}"),
        some => {
            let some: Vec<String> = some.iter().map(u64::to_string).collect();
            format!("releases {}", some.join(", "))
        }
    };
    line(&mut page, removed, &numbers(&collected.removed));
    if !collected.in_use.is_empty() {
        line(&mut page, "in use", &format!("{}: somebody reads it, so it stays", numbers(&collected.in_use)));
    }
    line(&mut page, "kept", &numbers(&collected.kept));
    if !collected.log_files.is_empty() {
        let count = grouped(collected.log_files.len() as u64);
        line(&mut page, "log", &format!("{count} files that were written anew since"));
    }
    line(&mut page, freed, &format!("{} bytes", grouped(collected.freed_bytes)));
    page
}
