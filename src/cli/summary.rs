//! What a run did → a page for a person, or JSON for a program.

use std::fmt::Write;
use std::path::Path;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;
use starlog::error::{Error, Result};
use starlog::nightly::{Outcome, RunReport, Stage};
use starlog::query::visible;
use starlog::views::Way;

/// Indented JSON with a line end.
pub fn as_json(value: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::bug("the summary cannot be written as JSON").because(error))?;
    text.push('\n');
    Ok(text)
}

/// The end of a run in a few lines. `warehouse` is what a question has to name.
pub fn of_run(report: &RunReport, warehouse: Option<&Path>) -> String {
    let mut page = String::new();
    line(&mut page, "release", &release(report));
    let warehouse = warehouse.map_or_else(String::new, |folder| format!(" --warehouse {}", word(folder)));
    let ask = format!("starlog query{warehouse} 'SELECT code, file, line, message FROM log.rejects'");
    of_ingest(&mut page, report, Some(&ask));
    report.because.iter().for_each(|reason| line(&mut page, "because", reason));
    for (what, counts) in curiosities(report) {
        line(&mut page, what, &counts);
    }
    let ways = [Way::Incremental, Way::Full, Way::Kept]
        .map(|way| (report.views.iter().filter(|view| view.way == Some(way)).count() as u64, way.name()));
    let ways: Vec<String> = ways
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, way)| format!("{} {way}", grouped(*count)))
        .collect();
    if !ways.is_empty() {
        line(&mut page, "views", &ways.join(", "));
    }
    if report.outcome == Outcome::Published {
        line(&mut page, "checks", &checks(report));
    }
    let stages = [Stage::Ingest, Stage::Replay, Stage::Write, Stage::Views, Stage::Check, Stage::Publish]
        .map(Stage::name);
    let stages =
        stages.iter().filter_map(|stage| Some(format!("{stage} {}", seconds(*report.stages_ms.get(stage)?))));
    line(&mut page, "took", &format!("{} ({})", seconds(report.elapsed_ms), join(stages)));
    page.push('\n');
    page.push_str(&tables(report));
    page
}

/// What was taken in; `ask` is how to look at rejects.
pub fn of_ingest(page: &mut String, report: &RunReport, ask: Option<&str>) {
    line(page, "events", &events(report));
    if !report.rejects.is_empty() {
        let codes = report.rejects.iter().map(|(code, count)| format!("{} {code}", grouped(*count)));
        line(page, "rejects", &join(codes));
        ask.iter().for_each(|question| line(page, "", question));
    }
    for file in report.files.iter().filter(|file| file.held_bytes > 0) {
        let waiting =
            format!("half a line in {}, {} bytes, until it ends", file.file, grouped(file.held_bytes));
        line(page, "waiting", &waiting);
    }
    if report.leap_seconds > 0 {
        let leap = format!("{} events at a second :60, taken as the next", grouped(report.leap_seconds));
        line(page, "leap", &leap);
    }
    for layout in &report.dropped_layouts {
        let dropped =
            format!("no {layout} any more: the release before had one; --layout names all that are built");
        line(page, "layout", &dropped);
    }
    for pattern in &report.unmatched {
        line(page, "nothing", &format!("matches `{pattern}`"));
    }
    if !report.unknown_fields.is_empty() {
        let fields =
            report.unknown_fields.iter().map(|(field, count)| format!("{field} ({})", grouped(*count)));
        line(page, "unknown", &format!("fields that the pipeline does not declare: {}", join(fields)));
    }
}

/// A path as a word of a command line.
pub fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |sign: char| sign.is_alphanumeric() || "/._-+@%,:=".contains(sign);
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

pub fn line(page: &mut String, label: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{label:<9} {}", visible(text));
}

fn checks(report: &RunReport) -> String {
    let of_what = if report.checked_all { "" } else { ", of what the night touched" };
    format!("all {} held{of_what}", report.checks)
}

fn release(report: &RunReport) -> String {
    let number = report.release.map_or_else(|| "none".to_owned(), |number| number.to_string());
    let outcome = match report.outcome {
        Outcome::Published => "published",
        Outcome::Unchanged => "unchanged: there was nothing new",
        Outcome::Failed | Outcome::Stopped => "nothing was published",
    };
    let position = grouped(report.log_position);
    format!("{number} of {}, {outcome}; the log ends at position {position}", report.pipeline)
}

/// Every line of this run is accounted for (DESIGN 6).
fn events(report: &RunReport) -> String {
    let lines = &report.lines;
    let others = [
        (lines.duplicate, "duplicates"),
        (lines.rejected, "rejects"),
        (lines.ignored, "ignored"),
        (lines.blank, "blank"),
    ];
    let mut text = format!("{} new, of {} lines", grouped(lines.accepted), grouped(lines.read));
    for (count, what) in others {
        if count > 0 {
            let _ = write!(text, "; {} {what}", grouped(count));
        }
    }
    text
}

/// What is right but worth a look, where there is any.
fn curiosities(report: &RunReport) -> Vec<(&'static str, String)> {
    let Some(counts) = &report.counts else { return Vec::new() };
    let all = [
        ("inferred", "members that were only mentioned", &counts.inferred),
        ("early", "look-ups before a member's first version", &counts.before_first),
        ("closed", "look-ups after a member was closed", &counts.after_close),
        ("held", "reversals and milestones that wait for their header", &counts.held),
        ("over", "reversals of more than was left", &counts.over_reversed),
        ("again", "lines placed more than once", &counts.placed_again),
    ];
    let told = |(label, what, counts): (&'static str, &str, &Vec<(String, u64)>)| {
        let some = counts.iter().filter(|(_, count)| *count > 0);
        let some: Vec<String> = some.map(|(name, count)| format!("{name} {}", grouped(*count))).collect();
        (!some.is_empty()).then(|| (label, format!("{what}: {}", some.join(", "))))
    };
    all.into_iter().filter_map(told).collect()
}

fn tables(report: &RunReport) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["layout", "table", "rows", "files", "bytes"]);
    for entry in &report.tables {
        let numbers = [entry.rows, entry.files as u64, entry.bytes];
        let right = |number: u64| Cell::new(grouped(number)).set_alignment(CellAlignment::Right);
        let names = [Cell::new(visible(&entry.layout)), Cell::new(visible(&entry.name))];
        table.add_row(names.into_iter().chain(numbers.map(right)));
    }
    for view in &report.views {
        let numbers = [view.rows, 1, view.bytes];
        let right = |number: u64| Cell::new(grouped(number)).set_alignment(CellAlignment::Right);
        let names = [Cell::new("views"), Cell::new(visible(&view.name))];
        table.add_row(names.into_iter().chain(numbers.map(right)));
    }
    format!("{table}\n")
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}

/// 1234567 → `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
