//! `starlog run`: one night.

use std::io::{self, Write};

use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::{model, nightly};

use super::arguments::RunArguments;
use super::failure::of_stdout;
use super::progress::Bar;
use super::summary;

pub fn run(arguments: &RunArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let options = nightly::Options {
        warehouse: arguments.warehouse.folder.clone(),
        layouts: arguments.layout.iter().map(|layout| (*layout).into()).collect(),
        log: arguments.log.clone(),
        threads: arguments.limits.threads.map(Into::into),
        memory_bytes: arguments.limits.memory.map(|memory| memory.bytes),
        started: now(),
    };
    let bar = Bar::new();
    let report = nightly::run(&model, &options, &Disk::default(), &bar);
    bar.finish();
    let report = report?;
    let text = if arguments.json { summary::as_json(&report)? } else { summary::of_run(&report) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    if report.failed_files.is_empty() {
        return Ok(());
    }
    Err(Error::data(format!("could not be read: {}", report.failed_files.join("; ")))
        .next("everything else was taken in; mend the files and run again"))
}

/// The one place that reads the clock (DESIGN 1).
#[allow(clippy::disallowed_methods)]
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
