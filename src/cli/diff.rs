//! `starlog diff`: what changed between two releases, by month, and which events did it.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::audit::{self, Cause, ColumnChange, Diff, MonthChange, Only, RowChange, TableDiff, Via};
use starlog::error::{Error, Result};
use starlog::warehouse::{Release, Warehouse};

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::page::{decimal, place, signed, table, value};
use super::summary::{as_json, grouped, line};

/// Say what changed between two releases, by table and month, and which events did it
#[derive(Debug, Args)]
#[command(
    long_about = "\
Say what changed between two releases: the rows and sums of each table, month by month, and the events that did it.

Without numbers it compares the release before the current one with the current one; with one number, that release with \
the current one. Files that both releases share are not read. Each changed row counts under one event: the one that made \
it, the newest of its header, or, where nothing but its keys changed, the newest of the members that it names. So what \
the events add is the difference of the month.

With --table or --month it shows the changed rows too, each with its event.",
    after_help = "\
Examples:
  starlog diff                                     the last publication
  starlog diff 41                                  everything since release 41
  starlog diff 41 48 --table fact_orders --month 2011-03
  starlog diff --json | jq '.tables[].months[] | {month, totals}'"
)]
pub struct DiffArguments {
    /// The release to compare from; without it, the one before the other
    #[arg(value_name = "A")]
    pub before: Option<u64>,

    /// The release to compare with; without it, the current one
    #[arg(value_name = "B")]
    pub after: Option<u64>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Compare this table alone, and show its rows
    #[arg(long, value_name = "TABLE", env = "STARLOG_TABLE", hide_env_values = true)]
    pub table: Option<String>,

    /// Compare this month of the facts alone, and show its rows
    #[arg(long, value_name = "YYYY-MM", value_parser = month, env = "STARLOG_MONTH", hide_env_values = true)]
    pub month: Option<String>,

    /// Show all changed rows; without it, the first 20 of a table
    #[arg(long, env = "STARLOG_ALL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub all: bool,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// As many changed rows of a table as a person looks at.
const ROWS: u64 = 20;

fn month(text: &str) -> Result<String, String> {
    let is_digit =
        |(place, sign): (usize, char)| if place == 4 { sign == '-' } else { sign.is_ascii_digit() };
    if text.chars().count() == 7 && text.chars().enumerate().all(is_digit) {
        Ok(text.to_owned())
    } else {
        Err("write the year and the month: 2011-03".to_owned())
    }
}

pub fn diff(arguments: &DiffArguments) -> Result<()> {
    let folder = &arguments.warehouse.folder;
    let warehouse = Warehouse::open(&folder.canonicalize().unwrap_or_else(|_| folder.clone()))?;
    let (before, after) = releases(&warehouse, arguments)?;
    let shows_rows = arguments.all || arguments.table.is_some() || arguments.month.is_some();
    let only = Only {
        table: arguments.table.clone(),
        month: arguments.month.clone(),
        rows: match (shows_rows, arguments.all) {
            (false, _) => 0,
            (true, false) => ROWS,
            (true, true) => u64::from(u32::MAX),
        },
    };
    let diff = audit::diff(&before, &after, warehouse.dir(), &only)?;
    let text = if arguments.json { as_json(&diff)? } else { page(&diff) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

fn releases(warehouse: &Warehouse, arguments: &DiffArguments) -> Result<(Release, Release)> {
    let after = match arguments.after {
        Some(number) => warehouse.release(number)?,
        None => warehouse.current()?.ok_or_else(|| {
            Error::author(format!("{} holds no release yet", warehouse.dir().display()))
                .next("publish one: starlog run PIPELINE")
        })?,
    };
    let before = match arguments.before {
        Some(number) => number,
        None => {
            let older = warehouse.releases()?.into_iter().filter(|number| *number < after.number()).max();
            older.ok_or_else(|| {
                Error::author(format!("there is no release before {}", after.number()))
                    .next("`starlog status` names those that are there: starlog diff A B")
            })?
        }
    };
    Ok((warehouse.release(before)?, after))
}

fn page(diff: &Diff) -> String {
    let mut page = String::new();
    for (label, side) in [("before", &diff.before), ("after", &diff.after)] {
        let position = grouped(side.log_position);
        line(&mut page, label, &format!("release {}, log position {position}", side.release));
    }
    let whose = if diff.before.log_position > diff.after.log_position {
        "that it no longer has"
    } else {
        "between them"
    };
    line(&mut page, "events", &format!("{} {whose}", decimal(&diff.events.to_string())));
    if !diff.same_pipeline {
        line(&mut page, "pipeline", "it has changed, so rows may differ without an event");
    }
    if !diff.same_format {
        line(&mut page, "format", "it has changed, so rows may differ without an event");
    }
    for told in &diff.not_compared {
        line(&mut page, "apart", told);
    }
    if diff.tables.is_empty() {
        line(&mut page, "tables", "all the same");
    }
    for table in &diff.tables {
        page.push('\n');
        page.push_str(&of_table(table));
    }
    page
}

fn of_table(told: &TableDiff) -> String {
    let mut page = format!("{}\n", told.name);
    if !told.changed_columns.is_empty() {
        line(
            &mut page,
            "columns",
            &format!("not compared, since only one has them: {}", told.changed_columns.join(", ")),
        );
    }
    let mut rows = Vec::new();
    for month in &told.months {
        let counted = i128::from(month.rows_after) - i128::from(month.rows_before);
        rows.push(vec![
            month.month.clone(),
            "rows".to_owned(),
            grouped(month.rows_before),
            grouped(month.rows_after),
            signed(&counted.to_string()),
        ]);
        // What did not change is in the JSON.
        for total in month.totals.iter().filter(|total| signed(&total.difference).starts_with(['+', '-'])) {
            let shown = |sum: &Option<String>| sum.as_deref().map_or_else(|| "-".to_owned(), decimal);
            let numbers = [shown(&total.before), shown(&total.after), signed(&total.difference)];
            rows.push([String::new(), total.measure.clone()].into_iter().chain(numbers).collect());
        }
    }
    page.push_str(&table(&["month", "sum of", "before", "after", "difference"], rows, &[2, 3, 4]));
    for month in &told.months {
        page.push_str(&why(month));
    }
    if !told.rows.is_empty() {
        page.push_str(&table(
            &["month", "row", "change", "by", "from"],
            told.rows.iter().map(of_row).collect(),
            &[],
        ));
    }
    if told.rows_left_out > 0 {
        line(
            &mut page,
            "",
            &format!(
                "{} more rows; --all shows them all",
                signed(&told.rows_left_out.to_string()).trim_start_matches('+')
            ),
        );
    }
    page
}

/// The events that changed a month, each way of changing with its share of the difference.
fn why(month: &MonthChange) -> String {
    let mut page = String::new();
    let changes = [(month.added, "added"), (month.removed, "removed"), (month.changed, "changed")];
    let changes: Vec<String> = changes
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", decimal(&number.to_string())))
        .collect();
    line(&mut page, &month.month, &format!("rows: {}", changes.join(", ")));
    for cause in &month.causes {
        line(&mut page, "", &of_cause(cause));
        for event in &cause.examples {
            line(
                &mut page,
                "",
                &format!("  position {} of {}, {}", event.position, event.time, place(event)),
            );
        }
    }
    if month.unexplained > 0 {
        line(
            &mut page,
            "",
            &format!("no event accounts for {} of them", decimal(&month.unexplained.to_string())),
        );
    }
    page
}

fn of_cause(cause: &Cause) -> String {
    let rows = match cause.rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", decimal(&rows.to_string())),
    };
    let did = match cause.via {
        Via::Itself => format!("made {rows}"),
        Via::Header => format!("changed {rows} of the same header"),
        Via::Rekeyed => format!("gave {rows} another version of their member"),
        Via::Member => format!("made {rows} what they are"),
        Via::Above => format!("changed {rows} from above"),
        Via::Mention => format!("mentioned {rows} first"),
    };
    let shares = cause.differences.iter().filter_map(|(measure, sum)| {
        let shown = signed(sum.as_str()?);
        shown.starts_with(['+', '-']).then(|| format!("{measure} {shown}"))
    });
    let shares: Vec<String> = shares.collect();
    let shares = if shares.is_empty() { String::new() } else { format!(": {}", shares.join(", ")) };
    format!("{} {} {did}{shares}", count(cause.events), cause.event)
}

fn count(events: i64) -> String {
    match events {
        1 => "1 event".to_owned(),
        events => format!("{} events", decimal(&events.to_string())),
    }
}

fn of_row(row: &RowChange) -> Vec<String> {
    let key: Vec<String> = row.key.iter().map(|(column, held)| format!("{column} {}", value(held))).collect();
    let told = |change: &ColumnChange| {
        let (column, before, after) = (&change.column, value(&change.before), value(&change.after));
        match row.change.as_str() {
            "added" => format!("{column} {after}"),
            "removed" => format!("{column} {before}"),
            _ => format!("{column} {before} → {after}"),
        }
    };
    let columns: Vec<String> = row.columns.iter().map(told).collect();
    // Of a row that came or went, all that it holds; that of which something changed is read value by value.
    let columns = columns.join(if row.change == "changed" { "\n" } else { ", " });
    let by = row.by.as_ref().map_or_else(String::new, |event| format!("{} {}", event.position, event.event));
    let from = row.by.as_ref().map(place).unwrap_or_default();
    vec![row.month.clone(), key.join("\n"), format!("{}\n{columns}", row.change), by, from]
}
