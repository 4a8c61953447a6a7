//! `starlog verify`: a release, its log and their files against a replay from the first event.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::{Error, Result};
use starlog::model;
use starlog::nightly::{self, Scrutiny, Verification};
use starlog::query::visible;

use super::arguments::{LimitArguments, WarehouseArgument};
use super::failure::of_stdout;
use super::run::bind_polars;
use super::signals;
use super::spill::Spill;
use super::summary::{self, grouped, line};

/// Hash everything, and compare the current release with a replay of the log
#[derive(Debug, Args)]
#[command(
    long_about = "\
Hash everything, and compare the current release with a replay of the log.

Every file of the release is hashed against its manifest, every file of the log against what was committed, and \
of the source files that are still there every byte that was read. Then each file of the release is made again \
from the log's first event on, with none of the ways in which a night saves work, and compared; of what differs, \
the rows are named. And every built-in check is asked of all rows. Nothing is written, and a run may publish meanwhile.

With --sample, facts are made again for a part of the months only, other months for every release; dimensions \
are always compared whole, and everything is hashed.

Files that are not what was written exit with 3, source files that have changed with 1, and tables that are \
not what the log gives are a bug of ours and exit with 4.",
    after_help = "\
Examples:
  starlog verify pipelines/retail.toml
  starlog verify pipelines/retail.toml --sample 5%       in less time, after each night"
)]
pub struct VerifyArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    /// Make only this part of the months of facts again: 5% or 0.05
    #[arg(long, value_name = "P", value_parser = share, env = "STARLOG_SAMPLE", hide_env_values = true)]
    pub sample: Option<f64>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    #[command(flatten)]
    pub limits: LimitArguments,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number <= whole => Ok(number / whole),
        _ => Err("a part of the months is more than 0 and at most 1: 5% or 0.05".to_owned()),
    }
}

/// As many files as a person reads.
const SHOWN: usize = 20;

pub fn verify(arguments: &VerifyArguments) -> Result<()> {
    bind_polars(arguments.limits.threads);
    let model = model::load(&arguments.pipeline)?;
    let spill = Spill::new()?;
    let overflow = spill.overflow();
    let scrutiny = Scrutiny {
        share: arguments.sample,
        threads: arguments.limits.threads.map(Into::into),
        memory_bytes: arguments.limits.memory.map(|memory| memory.bytes),
        overflow: Some(&overflow),
    };
    let found = nightly::verify(&model, &arguments.warehouse.folder, &scrutiny, &signals::disk()?)?;
    let text = if arguments.json { summary::as_json(&found)? } else { page(&found) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    verdict(&found)
}

fn page(found: &Verification) -> String {
    let mut page = String::new();
    let count = |count: usize| grouped(count as u64);
    let some = |wrong: usize, fine: &str, not: &str| match wrong {
        0 => format!("all {fine}"),
        wrong => format!("{} {not}", count(wrong)),
    };
    let hashed = some(found.damages.len(), "as published", "not as published");
    line(&mut page, "release", &format!("{}: {} files hashed, {hashed}", found.release, count(found.files)));
    let store = &found.store;
    let hashed = some(store.damages.len(), "as committed", "not as committed");
    line(&mut page, "log", &format!("{} files hashed, {hashed}", count(store.files)));
    if store.without_hash > 0 {
        let older = format!("{} files of an older program have no hash", count(store.without_hash));
        line(&mut page, "", &older);
    }
    let sources = &found.sources;
    let wrong = sources.changes.len() + sources.unreadable.len();
    let hashed = some(wrong, "as they were read", "not as they were read");
    let gone = match sources.gone {
        0 => String::new(),
        gone => format!("; {} not there any more", count(gone)),
    };
    let there = count(sources.whole + wrong);
    line(&mut page, "sources", &format!("{there} files hashed, {hashed}{gone}"));
    let replay = match (found.remade, found.differences.len()) {
        (0, _) => "not done: what a damaged log gives says nothing of the release".to_owned(),
        (remade, wrong) => {
            format!(
                "{} files made again from the log, {}",
                count(remade),
                some(wrong, "the same", "not the same")
            )
        }
    };
    line(&mut page, "replay", &replay);
    let checks = match (found.checks, found.violations.len()) {
        (0, _) => "not asked: what damaged files hold says nothing".to_owned(),
        (checks, wrong) => {
            some(wrong, &format!("{} held", count(checks)), &format!("of {} failed", count(checks)))
        }
    };
    line(&mut page, "checks", &checks);
    if let Some(months) = &found.months {
        let of = format!("of {} months of facts: {}", count(found.months_of_all), months.join(", "));
        line(&mut page, "sample", &format!("{} {of}; and all dimensions", count(months.len())));
    }
    let files = store.damages.iter().chain(&found.damages).chain(&sources.changes);
    let files = files.chain(&sources.unreadable).chain(&found.differences).chain(&found.violations);
    let rows = found.rows.iter().map(ToString::to_string);
    for text in files.take(SHOWN).cloned().chain(rows) {
        page.push_str(&format!("  {}\n", visible(&text)));
    }
    page
}

/// The gravest of what was found.
fn verdict(found: &Verification) -> Result<()> {
    if !found.store.damages.is_empty() {
        return Err(Error::operator("files of the log are not what was committed").next(
            "restore the folder of the log from a backup, or begin a new warehouse from the source files",
        ));
    }
    if !found.damages.is_empty() {
        return Err(Error::operator("files of the release are not what was published")
            .next("starlog rebuild PIPELINE makes them again from the log"));
    }
    if !found.differences.is_empty() {
        return Err(Error::bug("the release is not what its log gives"));
    }
    if !found.violations.is_empty() {
        return Err(Error::bug("the release breaks checks that it must have passed"));
    }
    if !found.sources.changes.is_empty() {
        return Err(Error::data("source files do not hold any more what was read from them")
            .next("a log only grows: restore them; the log and the release still hold what was read"));
    }
    match found.sources.unreadable.as_slice() {
        [] => Ok(()),
        _ => {
            Err(Error::operator("source files could not be read").next("check the permissions and the disk"))
        }
    }
}
