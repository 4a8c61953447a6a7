//! `starlog run`: one night.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use starlog::disk::Disk;
use starlog::error::Result;
use starlog::{model, nightly};

use super::arguments::RunArguments;
use super::failure::{of_stdout, say};
use super::progress::Bar;
use super::summary;

pub fn run(arguments: &RunArguments) -> Result<()> {
    let (pipeline, log) = arguments.inputs()?;
    bind_polars(arguments.limits.threads);
    let model = model::load(&pipeline)?;
    let options = nightly::Options {
        warehouse: arguments.warehouse.folder.clone(),
        layouts: arguments.layout.iter().map(|layout| (*layout).into()).collect(),
        log,
        threads: arguments.limits.threads.map(Into::into),
        memory_bytes: arguments.limits.memory.map(|memory| memory.bytes),
        started: now(),
    };
    let bar = Bar::new();
    let report = nightly::run(&model, &options, &Disk::default(), &bar);
    bar.finish();
    let report = report?;
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
fn bind_polars(threads: Option<u16>) {
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

/// The one place that reads the clock (DESIGN 1).
#[allow(clippy::disallowed_methods)]
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
