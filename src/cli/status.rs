//! `starlog status` and `starlog runs`: where a warehouse stands, and what was done to it.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::Value;
use starlog::error::Result;
use starlog::nightly::{self, LastRun, Status};
use starlog::query::visible;
use starlog::warehouse::Warehouse;

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::summary::{self, grouped, line};

/// Say where the warehouse stands: its log, its releases, what waits.
#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Show the ledger: a line for each command that wrote, the newest last.
#[derive(Debug, Args)]
pub struct RunsArguments {
    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Print the ledger's own lines, JSON each
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn status(arguments: &StatusArguments) -> Result<()> {
    let status = nightly::status(&arguments.warehouse.folder)?;
    let text = if arguments.json { summary::as_json(&status)? } else { page(&status) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

fn page(status: &Status) -> String {
    let mut page = String::new();
    line(&mut page, "pipeline", &status.pipeline);
    line(&mut page, "log", &format!("ends at position {}", grouped(status.log_position)));
    match &status.current {
        Some(current) => {
            let behind = status.log_position.saturating_sub(current.log_position);
            let behind = match behind {
                0 => "with the log".to_owned(),
                events => format!("{} events behind the log", grouped(events)),
            };
            let layouts = current.layouts.join(", ");
            let published = &current.published;
            line(
                &mut page,
                "current",
                &format!("release {} of {published}, {layouts}, {behind}", current.release),
            );
            for view in &current.views {
                line(&mut page, "view", &format!("{}, {} rows", view.name, grouped(view.rows)));
            }
            for (label, counts) in [
                ("inferred", &current.counts.inferred),
                ("held", &current.counts.held),
                ("over", &current.counts.over_reversed),
                ("again", &current.counts.placed_again),
            ] {
                let some = counts.iter().filter(|(_, count)| *count > 0);
                let some: Vec<String> =
                    some.map(|(name, count)| format!("{name} {}", grouped(*count))).collect();
                if !some.is_empty() {
                    line(&mut page, label, &some.join(", "));
                }
            }
        }
        None => line(&mut page, "current", "no release has been published"),
    }
    if let Some(run) = &status.last_run {
        line(&mut page, "last run", &format!("{}: {}", run.started, ended(run)));
    }
    if status.rejected_since > 0 {
        let since = match &status.current {
            Some(current) => format!(" since release {}", current.release),
            None => String::new(),
        };
        line(&mut page, "rejects", &format!("{}{since}", grouped(status.rejected_since)));
    }
    let releases: Vec<String> = status.releases.iter().map(u64::to_string).collect();
    line(&mut page, "releases", &releases.join(", "));
    let lines = &status.lines;
    let read = format!(
        "{} read: {} accepted, {} duplicates, {} rejects, {} ignored, {} blank",
        grouped(lines.read),
        grouped(lines.accepted),
        grouped(lines.duplicate),
        grouped(lines.rejected),
        grouped(lines.ignored),
        grouped(lines.blank)
    );
    line(&mut page, "lines", &read);
    if status.requeued > 0 {
        let waiting = status.lines.rejected.saturating_sub(status.requeued);
        let requeued = grouped(status.requeued);
        line(&mut page, "requeued", &format!("{requeued} of the rejects; {} wait", grouped(waiting)));
    }
    let newest = status.sources.iter().max_by(|one, other| one.changed.cmp(&other.changed));
    let newest = newest.map_or_else(String::new, |newest| {
        format!(", the newest of {}: {}", newest.changed, visible(&newest.file))
    });
    line(&mut page, "sources", &format!("{} files{newest}", grouped(status.sources.len() as u64)));
    for source in status.sources.iter().filter(|source| source.held_bytes > 0) {
        let waiting = format!("half a line in {}, {} bytes", source.file, grouped(source.held_bytes));
        line(&mut page, "waiting", &waiting);
    }
    line(&mut page, "size", &format!("{} bytes", grouped(status.size_bytes)));
    page
}

/// How a run ended, in one line.
fn ended(run: &LastRun) -> String {
    let first = |text: &str| visible(text.lines().next().unwrap_or_default()).into_owned();
    let stuck =
        run.failed_files.iter().map(|stuck| format!("; {}: {}", visible(&stuck.file), visible(&stuck.code)));
    let failure = run.failure.iter().map(|cause| format!(": {}", first(&cause.message)));
    std::iter::once(visible(&run.outcome).into_owned()).chain(failure).chain(stuck).collect()
}

pub fn runs(arguments: &RunsArguments) -> Result<()> {
    let runs = Warehouse::open(&arguments.warehouse.folder)?.runs()?;
    let mut stdout = io::stdout().lock();
    if arguments.json {
        return runs.iter().try_for_each(|run| writeln!(stdout, "{run}")).map_err(of_stdout);
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header([
        "started",
        "command",
        "outcome",
        "release",
        "new events",
        "rejects",
        "seconds",
        "failure",
    ]);
    for run in runs.iter().filter_map(|run| serde_json::from_str::<Value>(run).ok()) {
        let text = |path: &str| match run.pointer(path) {
            Some(Value::String(text)) => visible(text).into_owned(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let seconds = run.pointer("/elapsed_ms").and_then(Value::as_u64).unwrap_or_default();
        table.add_row([
            text("/started"),
            text("/command"),
            text("/outcome"),
            text("/release"),
            text("/lines/accepted"),
            text("/lines/rejected"),
            format!("{}.{:02}", seconds / 1000, seconds % 1000 / 10),
            failure(&run),
        ]);
    }
    writeln!(stdout, "{table}").map_err(of_stdout)
}

/// The first line of what made a run fail, and the files that it could not read.
fn failure(run: &Value) -> String {
    let text = |value: &Value, path: &str| {
        value
            .pointer(path)
            .and_then(Value::as_str)
            .map(|text| visible(text.lines().next().unwrap_or_default()).into_owned())
    };
    let files = run.pointer("/failed_files").and_then(Value::as_array).into_iter().flatten();
    let stuck = files.filter_map(|file| Some(format!("{}: {}", text(file, "/file")?, text(file, "/code")?)));
    text(run, "/failure/message").into_iter().chain(stuck).collect::<Vec<_>>().join("\n")
}
