//! `starlog plan`: what a run would do.

use std::io::{self, Write};

use clap::Args;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};
use starlog::error::Result;
use starlog::model;
use starlog::nightly::{self, Build, FilePlan, Plan};
use starlog::query::visible;

use super::failure::{of_stdout, say};
use super::progress::Bar;
use super::run::{RunArguments, bind_polars};
use super::signals;
use super::spill::Spill;
use super::summary::{self, grouped, line};

/// Say what a run would do, and do none of it.
#[derive(Debug, Args)]
#[command(
    override_usage = "starlog plan <PIPELINE> [OPTIONS]",
    long_about = "\
Say what a run would do, and do none of it: what would be taken in, which files would be written and why, in rows \
and bytes, and whether each view would be kept, refreshed by what changes, or made anew. The events are read and replayed for it, so the figures are exact; it takes about as long as the run.

The same as `starlog run --dry-run`.",
    after_help = "\
Examples:
  starlog plan pipelines/retail.toml
  starlog plan pipelines/retail.toml --log 'incoming/*.ndjson.gz'
  starlog plan pipelines/retail.toml --json | jq '.tables[] | {name, rows, written}'"
)]
pub struct PlanArguments {
    #[command(flatten)]
    pub run: RunArguments,
}

/// As many files as a person reads.
const SHOWN: usize = 40;

pub fn plan(arguments: &RunArguments) -> Result<()> {
    let (pipeline, log) = arguments.inputs()?;
    bind_polars(arguments.limits.threads);
    let model = model::load(&pipeline)?;
    let options = arguments.options(log);
    let scratch = Spill::new()?;
    let bar = Bar::new();
    let plan = nightly::plan(&model, &options, scratch.folder(), &signals::disk()?, &bar);
    bar.finish();
    let plan = plan?;
    let text = if arguments.json { summary::as_json(&plan)? } else { page(&plan) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    plan.ingest.failed_files.iter().for_each(|failed| say(&failed.error()));
    match (&plan.refused, plan.ingest.file_failure()) {
        (Some(refused), _) => Err(refused.error()),
        (None, Some(failed)) => Err(failed),
        (None, None) => Ok(()),
    }
}

fn page(plan: &Plan) -> String {
    let mut page = String::new();
    line(&mut page, "build", &build(plan));
    plan.because.iter().for_each(|reason| line(&mut page, "because", reason));
    summary::of_ingest(&mut page, &plan.ingest, None);
    if let Some(refused) = &plan.refused {
        let reason = refused.message.lines().next().unwrap_or_default();
        line(&mut page, "refused", &format!("nothing would be published: {reason}"));
    }
    for table in &plan.tables {
        if let Some(key) = table.greatest_key.filter(|key| *key > DIRECT_JOIN) {
            let text = format!(
                "{} of the {} has keys up to {}: DuckDB joins up to {} by array index, and hashes beyond",
                table.name,
                table.layout,
                grouped(key.unsigned_abs()),
                grouped(DIRECT_JOIN.unsigned_abs())
            );
            line(&mut page, "keys", &text);
        }
    }
    for choice in &plan.views {
        line(&mut page, "view", &format!("{}: {}, since {}", choice.view, choice.way.name(), choice.because));
    }
    if plan.tables.is_empty() {
        return page;
    }
    page.push('\n');
    page.push_str(&tables(plan));
    let files: Vec<&FilePlan> = plan.tables.iter().flat_map(|table| &table.written).collect();
    for file in files.iter().take(SHOWN) {
        let text =
            format!("{}, {} rows, {} bytes{}", file.path, grouped(file.rows), grouped(file.bytes), why(file));
        line(&mut page, "write", &text);
    }
    if files.len() > SHOWN {
        line(&mut page, "", &format!("and {} more: --json has all", grouped((files.len() - SHOWN) as u64)));
    }
    for removed in plan.tables.iter().flat_map(|table| &table.removed).take(SHOWN) {
        line(&mut page, "remove", removed);
    }
    page
}

/// The widest range of keys that DuckDB joins by array index (DESIGN 18).
const DIRECT_JOIN: i64 = 1_048_576;

fn build(plan: &Plan) -> String {
    let release = plan.release.unwrap_or_default();
    let position = grouped(plan.release_position);
    match plan.build {
        Build::Nothing => {
            format!("nothing: release {release} is what the log gives, up to position {position}")
        }
        Build::First => "a first release".to_owned(),
        Build::Night => format!("from release {release}, which ends at position {position}, by what is new"),
        Build::Rebuild => "all tables anew, from the log's first event on".to_owned(),
    }
}

fn why(file: &FilePlan) -> String {
    let changes = &file.changes;
    let counts = [(changes.added, "added"), (changes.changed, "changed"), (changes.removed, "removed")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0 && *count != file.rows);
    let mut reasons: Vec<String> = counts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
    if !file.because.is_empty() {
        reasons.push(file.because.clone());
    }
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) }
}

fn tables(plan: &Plan) -> String {
    let mut table = Table::new();
    let columns = ["layout", "table", "rows before", "rows", "kept files", "written", "bytes written"];
    table.load_preset(UTF8_FULL_CONDENSED).set_header(columns);
    for entry in &plan.tables {
        let bytes = entry.written.iter().map(|file| file.bytes).sum();
        let numbers =
            [entry.rows_before, entry.rows, entry.kept_files as u64, entry.written.len() as u64, bytes];
        let right = |number: u64| Cell::new(grouped(number)).set_alignment(CellAlignment::Right);
        let names = [Cell::new(visible(&entry.layout)), Cell::new(visible(&entry.name))];
        table.add_row(names.into_iter().chain(numbers.map(right)));
    }
    format!("{table}\n")
}
