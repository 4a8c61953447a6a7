//! Two releases → what changed between them, by table and month, and the events that did it.

use super::causes::{attribute, by_month, prepare};
use super::changes::{MonthChange, RowChange, count, find, rows, totals};
use super::pair::{Compared, Kind, Pair};
use crate::error::{Error, Result};
use crate::spec::closest;
use crate::warehouse::{Month, Release, TableEntry};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is to be compared of two releases.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// This table.
    pub table: Option<String>,
    /// This month, of tables that have months: `2011-03`.
    pub month: Option<String>,
    /// The changed rows themselves, at most so many a table; 0 for none.
    pub rows: u64,
}

/// What changed between two releases.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    pub before: Side,
    pub after: Side,
    /// How many events one of the two has seen and the other has not.
    pub events: i64,
    /// Whether their pipelines mean the same; if not, changes need no event.
    pub same_pipeline: bool,
    pub same_format: bool,
    /// Tables that changed. The others are not even read.
    pub tables: Vec<TableDiff>,
    /// Tables that only one of the two has, or whose rows cannot be told apart in both.
    pub not_compared: Vec<String>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    pub release: u64,
    pub log_position: u64,
}

/// What changed of a table.
#[derive(Debug, Clone, Serialize)]
pub struct TableDiff {
    pub name: String,
    /// Columns that only one of the two has, or that are of another type: they are not compared.
    pub changed_columns: Vec<String>,
    pub months: Vec<MonthChange>,
    /// As many rows as were asked for.
    pub rows: Vec<RowChange>,
    /// Changed rows that are not among them.
    pub rows_left_out: i64,
}

/// Compares two releases. `warehouse` is the folder that their log lies in.
///
/// # Errors
///
/// The author's: no such table. The operator's: files cannot be read.
pub fn diff(before: &Release, after: &Release, warehouse: &Path, only: &Only) -> Result<Diff> {
    let known = names(before)?.into_iter().chain(names(after)?).collect::<BTreeSet<_>>();
    let wanted = only.table.as_deref().map(|table| find_name(table, &known)).transpose()?;
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let pair = Pair::open(before, after, warehouse, &is_wanted, only.month.as_deref())?;
    let events = prepare(&pair)?;
    let mut tables = Vec::new();
    for table in &pair.tables {
        let told = tell(&pair, table, only)?;
        if !told.months.is_empty() || !told.changed_columns.is_empty() {
            tables.push(told);
        }
    }
    let side =
        |release: &Release| Side { release: release.number(), log_position: release.manifest().log_position };
    let (one, other) = (before.manifest(), after.manifest());
    Ok(Diff {
        before: side(before),
        after: side(after),
        events,
        same_pipeline: one.pipeline.hash == other.pipeline.hash,
        same_format: one.format_version == other.format_version,
        tables,
        not_compared: not_compared(&pair, &known, &is_wanted)?,
    })
}

/// Fact tables, `dim_date` and dimensions.
fn names(release: &Release) -> Result<Vec<String>> {
    let Some(layout) = release.layouts()?.into_iter().next() else { return Ok(Vec::new()) };
    let wide = release.manifest().relations.wide.get(&layout.to_string()).into_iter().flatten();
    let wide = wide.map(|wide| wide.name.clone());
    let tables = release.tables(layout).map(|(name, _)| name.to_owned());
    Ok(tables.filter(|name| name.starts_with("fact_") || name == "dim_date").chain(wide).collect())
}

fn find_name(asked: &str, known: &BTreeSet<String>) -> Result<String> {
    let candidates = [asked.to_owned(), format!("fact_{asked}"), format!("dim_{asked}")];
    let found = candidates.iter().find(|name| known.contains(*name));
    found.cloned().ok_or_else(|| {
        let hint = match closest(asked, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are: {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
        };
        Error::author(format!("there is no table `{asked}`")).next(hint)
    })
}

fn not_compared(
    pair: &Pair<'_>,
    known: &BTreeSet<String>,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let (one, other) = (names(pair.before)?, names(pair.after)?);
    let mut told = Vec::new();
    for name in known.iter().filter(|name| is_wanted(name)) {
        match (one.contains(name), other.contains(name)) {
            (true, false) => told.push(format!("{name}: only in release {}", pair.before.number())),
            (false, true) => told.push(format!("{name}: only in release {}", pair.after.number())),
            _ => {}
        }
    }
    Ok(told)
}

fn entry<'a>(release: &'a Release, name: &str) -> Result<Option<&'a TableEntry>> {
    let Some(layout) = release.layouts()?.into_iter().next() else { return Ok(None) };
    Ok(release.tables(layout).find(|(known, _)| *known == name).map(|(_, entry)| entry))
}

/// The totals of a table by month, from its manifest.
fn months(release: &Release, table: &Compared) -> Result<BTreeMap<String, Month>> {
    match entry(release, &table.name)? {
        Some(entry) => entry.months(),
        None => Ok(BTreeMap::new()),
    }
}

fn tell(pair: &Pair<'_>, table: &Compared, only: &Only) -> Result<TableDiff> {
    find(pair, table, pair.fact(table.kind).is_some())?;
    let causes = attribute(pair, table)?;
    let (before, after) = (months(pair.before, table)?, months(pair.after, table)?);
    let measures: Vec<String> = after
        .values()
        .chain(before.values())
        .flat_map(|month| month.sums.keys())
        .filter(|measure| table.columns.contains(measure))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect();
    let counts = count(pair, table)?;
    let mut by_month = by_month(pair, table, &causes, &measures)?;
    let mut told = Vec::new();
    for (month, [added, removed, changed]) in counts {
        let of = |months: &BTreeMap<String, Month>| months.get(&month).cloned().unwrap_or_default();
        let (before, after) = (of(&before), of(&after));
        let (causes, unexplained) = by_month.remove(&month).unwrap_or_default();
        told.push(MonthChange {
            rows_before: before.rows,
            rows_after: after.rows,
            added,
            removed,
            changed,
            totals: totals(&before, &after)?,
            causes,
            // Years that the calendar covers follow from all events at once.
            unexplained: if table.kind == Kind::Dates { 0 } else { unexplained },
            month,
        });
    }
    let (rows, rows_left_out) = match only.rows {
        0 => (Vec::new(), 0),
        most => rows(pair, table, &causes, Some(most))?,
    };
    Ok(TableDiff {
        name: table.name.clone(),
        changed_columns: table.changed_columns.clone(),
        months: told,
        rows,
        rows_left_out,
    })
}
