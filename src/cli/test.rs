//! `starlog test`: the tests that a pipeline file holds.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use serde_json::Value;
use starlog::error::{Error, Result};
use starlog::model;
use starlog::nightly::{self, Options, TableDifference, Trial};
use starlog::query::visible;

use super::failure::of_stdout;
use super::page;
use super::run::now;
use super::signals;
use super::spill::Spill;
use super::summary::as_json;

/// Run the tests that a pipeline file holds
#[derive(Debug, Args)]
#[command(
    long_about = "\
Run the tests that a pipeline file holds.

A [[test]] has given lines of a log, and the rows that are expected of them: of an event type as the log has it \
(`log.OrderPlaced`: there an event of an older version stands as its upcasts have made it), of `log.rejects`, of \
dimensions and facts. Each test is run into a warehouse of its own, which is gone afterwards: the pipeline's own \
log and warehouse are not touched.

All rows of a table that is named are compared, in any order; of their columns only those that are named. A column \
that one row names and another does not is null there. A dimension is compared without its rows -1 and -2.

If a test does not hold, the exit code is 2.",
    after_help = "\
Examples:
  starlog test pipelines/retail.toml
  starlog test pipelines/retail.toml --json | jq '.[] | select(.holds | not)'

A test in a pipeline file:
  [[test]]
  name = \"a cancelled order nets out\"
  given = '''
  {\"seq\":1,\"event_type\":\"OrderPlaced\", ...}
  {\"seq\":2,\"event_type\":\"OrderCancelled\", ...}
  '''
  expect.fact_orders = [
      { order_id = \"O1\", kind = \"placed\", quantity = 2 },
      { order_id = \"O1\", kind = \"cancelled\", quantity = -2 },
  ]
  expect.\"log.rejects\" = []"
)]
pub struct TestArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn test(arguments: &TestArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let scratch = Spill::new()?;
    let options = Options {
        warehouse: PathBuf::new(),
        layouts: Vec::new(),
        log: Vec::new(),
        threads: None,
        memory_bytes: None,
        started: now(),
    };
    let trials = nightly::trials(&model, scratch.folder(), &signals::disk()?, &options)?;
    let text = if arguments.json { as_json(&trials)? } else { page(&trials) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    match trials.iter().filter(|trial| !trial.holds).count() {
        0 => Ok(()),
        failed => Err(Error::author(format!("{failed} of {} tests do not hold", trials.len()))
            .next("correct the pipeline, or what the test expects")),
    }
}

fn page(trials: &[Trial]) -> String {
    if trials.is_empty() {
        return "no tests: the pipeline file has no [[test]]; `starlog test --help` shows one\n".to_owned();
    }
    trials.iter().map(of_trial).collect()
}

fn of_trial(trial: &Trial) -> String {
    let verdict = if trial.holds { "ok    " } else { "FAILED" };
    let mut text = format!("{verdict}  {}\n", visible(&trial.name));
    if let Some(failure) = &trial.failure {
        text.push_str(&format!("        {}\n", visible(failure)));
    }
    for difference in &trial.differences {
        text.push_str(&of_difference(difference));
    }
    text
}

/// The rows of both sides, one below the other in one table.
fn of_difference(difference: &TableDifference) -> String {
    let TableDifference { table, columns, missing, unexpected } = difference;
    let counts = [(missing.len(), "missing"), (unexpected.len(), "not expected")];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let head: Vec<&str> = std::iter::once("").chain(columns.iter().map(String::as_str)).collect();
    let rows = |rows: &[Vec<Value>], side: &str| -> Vec<Vec<String>> {
        let row = |row: &Vec<Value>| {
            std::iter::once(side.to_owned()).chain(row.iter().map(page::value)).collect::<Vec<_>>()
        };
        rows.iter().take(SHOWN).map(row).collect()
    };
    let shown = [rows(missing, "missing"), rows(unexpected, "found")].concat();
    let shown = page::table(&head, shown, &[]);
    let shown: String = shown.lines().map(|line| format!("        {line}\n")).collect();
    format!("        {}: rows {}\n{shown}", visible(table), counts.join(", "))
}

/// As many rows of a side as a person reads.
const SHOWN: usize = 20;
