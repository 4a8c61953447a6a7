//! Ledger rows and lines → the rows of their tables (DESIGN 19, 21).

use super::Row;
use super::calendar::date_key;
use super::replay::{Ledger, LedgerRow, Line, days_between};
use super::value::Value;
use chrono::NaiveDate;
use starlog::model::{Additivity, Fact};

/// The date key of a milestone that was not reached.
const NOT_REACHED: i128 = -2;

/// The ledger, sorted by day, position, item, line and kind.
pub fn ledger_rows(fact: &Fact, ledger: &Ledger) -> Vec<Row> {
    let mut rows: Vec<&LedgerRow> = ledger.rows.iter().collect();
    rows.sort_by_key(|row| (row.date, row.position, row.item, row.line.clone(), row.kind.clone()));
    rows.into_iter().map(|row| ledger_row(fact, row)).collect()
}

fn ledger_row(fact: &Fact, row: &LedgerRow) -> Row {
    let mut columns = Row::new();
    columns.push(("position".to_owned(), Value::Int(row.position.into())));
    columns.push(("item".to_owned(), Value::Int(row.item.into())));
    columns.extend(fact.header.iter().map(|column| column.name.clone()).zip(row.header.clone()));
    columns.extend(fact.columns.iter().map(|column| column.name.clone()).zip(row.columns.clone()));
    columns.extend(fact.line.iter().map(|column| (column.name.clone(), row.line.clone())));
    columns.push(("kind".to_owned(), Value::text(&row.kind)));
    columns.push(("occurred_at".to_owned(), Value::Timestamp(row.occurred_at)));
    columns.push(("date_key".to_owned(), Value::Int(date_key(row.date))));
    columns.extend(role_columns(fact, &row.role_keys));
    columns.extend(measure_columns(fact, &row.measures));
    columns
}

/// One row for each line that was ever placed, by header and line.
pub fn line_rows(fact: &Fact, ledger: &Ledger) -> Vec<Row> {
    ledger.lines.iter().map(|line| line_row(fact, line, &ledger.rows)).collect()
}

fn line_row(fact: &Fact, line: &Line, ledger: &[LedgerRow]) -> Row {
    let mut columns = Row::new();
    columns.push(("position".to_owned(), Value::Int(line.first.0.into())));
    columns.push(("item".to_owned(), Value::Int(line.first.1.into())));
    columns.extend(fact.header.iter().map(|column| column.name.clone()).zip(line.header.clone()));
    columns.extend(fact.line.iter().map(|column| (column.name.clone(), line.line.clone())));
    columns.extend(fact.columns.iter().map(|column| column.name.clone()).zip(line.placing.columns.clone()));
    columns.push(("status".to_owned(), Value::text(&line.status)));
    columns.extend(role_columns(fact, &line.placing.role_keys));
    let dates: Vec<Option<NaiveDate>> =
        (0..fact.milestones.len()).map(|index| reached(line, index)).collect();
    for (milestone, date) in fact.milestones.iter().zip(&dates) {
        columns.push((format!("{milestone}_date_key"), Value::Int(date.map_or(NOT_REACHED, date_key))));
    }
    for (milestone, date) in fact.milestones.iter().zip(&dates).skip(1) {
        let days = dates[0].zip(*date).map(|(start, date)| Value::Int(days_between(start, date)));
        columns.push((format!("days_to_{milestone}"), days.unwrap_or(Value::Null)));
    }
    columns.extend(measure_columns(fact, &line.placing.measures));
    for (index, measure) in fact.measures.iter().enumerate() {
        if measure.additivity == Additivity::Additive {
            let rows = ledger.iter().filter(|row| row.header == line.header && row.line == line.line);
            let left = rows.filter_map(|row| row.measures[index]).sum();
            columns.push((format!("{}_left", measure.name), Value::number(left, measure.value_type)));
        }
    }
    columns
}

/// The first day of a milestone, in valid order.
fn reached(line: &Line, milestone: usize) -> Option<NaiveDate> {
    let of_kind = line.reached.iter().filter(|(_, reached, _)| *reached == milestone);
    of_kind.min_by_key(|(order, ..)| *order).map(|(.., date)| *date)
}

fn role_columns(fact: &Fact, keys: &[i64]) -> Row {
    let columns = fact.roles.iter().zip(keys);
    columns.map(|(role, key)| (format!("{}_key", role.name), Value::Int((*key).into()))).collect()
}

fn measure_columns(fact: &Fact, values: &[Option<i128>]) -> Row {
    let value = |(measure, value): (&starlog::model::Measure, &Option<i128>)| {
        let value = value.map_or(Value::Null, |value| Value::number(value, measure.value_type));
        (measure.name.clone(), value)
    };
    fact.measures.iter().zip(values).map(value).collect()
}
