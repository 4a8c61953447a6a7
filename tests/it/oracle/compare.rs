//! Two sets of tables → what differs, row by row, for people to read.

use super::{Row, Tables, Value};
use std::fmt::Write;

/// `None` if both hold the same tables with the same columns and rows.
pub fn differences(expected: &Tables, actual: &Tables) -> Option<String> {
    let mut report = String::new();
    let names = expected.keys().chain(actual.keys().filter(|name| !expected.contains_key(*name)));
    for name in names {
        match (expected.get(name), actual.get(name)) {
            (Some(expected), Some(actual)) => compare_rows(name, expected, actual, &mut report),
            (None, _) => drop(writeln!(report, "{name}: a table too many")),
            (_, None) => drop(writeln!(report, "{name}: the table is missing")),
        }
    }
    (!report.is_empty()).then_some(report)
}

fn compare_rows(name: &str, expected: &[Row], actual: &[Row], report: &mut String) {
    let columns = |row: &Row| row.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if let (Some(left), Some(right)) = (expected.first(), actual.first())
        && columns(left) != columns(right)
    {
        let _ = writeln!(
            report,
            "{name}: columns\n  expected {:?}\n  actual   {:?}",
            columns(left),
            columns(right)
        );
    }
    let (mut missing, mut extra) = (expected.to_vec(), Vec::new());
    for row in actual {
        match missing.iter().position(|expected| expected == row) {
            Some(index) => drop(missing.remove(index)),
            None => extra.push(row.clone()),
        }
    }
    for row in missing {
        let _ = writeln!(report, "{name}: expected {}", text(&row));
    }
    for row in extra {
        let _ = writeln!(report, "{name}: actual   {}", text(&row));
    }
}

fn text(row: &Row) -> String {
    let shown = row.iter().filter(|(_, value)| *value != Value::Null);
    shown.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
