//! The real thing, asked the oracle's question: lines of a log, through `log` and `history`, to every logical table.

use super::{Row, Tables, Value};
use crate::support::memory_folder;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use starlog::disk::Disk;
use starlog::history::{self, FactTable, History, PartitionKey};
use starlog::log::EventLog;
use starlog::model::{Model, ValueType};
use std::path::Path;

/// The tables of a log that arrives in one file.
pub fn engine(model: &Model, log: &[String]) -> Tables {
    let folder = memory_folder();
    let log = take_in(model, &[log], folder.path());
    logical(model, &history::replay(model, &log).expect("a history"))
}

/// The tables of a history.
pub(super) fn logical(model: &Model, history: &History) -> Tables {
    let mut tables = Tables::new();
    for (dimension, built) in model.dimensions.iter().zip(&history.dimensions) {
        for (entity, relation) in dimension.entities.iter().zip(&built.entities) {
            tables.insert(format!("dim_{}", entity.name), rows(relation));
        }
    }
    let mut dates = rows(&history.dates);
    dates.iter_mut().for_each(|row| row.retain(|(name, _)| name == "date_key"));
    tables.insert("dim_date".to_owned(), dates);
    for fact in &history.facts {
        tables.insert(fact.name().to_owned(), fact_rows(fact.as_ref()));
    }
    tables
}

/// The log of these nights, kept in the folder.
pub(super) fn take_in(model: &Model, nights: &[&[String]], folder: &Path) -> EventLog {
    let add = |(night, lines): (usize, &&[String])| add_file(model, folder, night, lines);
    nights.iter().enumerate().map(add).fold(None, |_, log| Some(log)).expect("a night")
}

/// A blank line that no other file of the log begins with: else one that says the same as an earlier one would be a
/// copy of it (DESIGN 5).
pub(super) fn beginning(file: usize) -> String {
    " ".repeat(file) + "\n"
}

/// Adds lines to the log in `log` of a folder, as a file of their own.
pub(super) fn add_file(model: &Model, folder: &Path, night: usize, lines: &[String]) -> EventLog {
    let file = folder.join(format!("night_{night:03}.ndjson"));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, beginning(night) + &text).expect("a file");
    let mut log = EventLog::open(&Disk::default(), &folder.join("log"), model).expect("a log");
    let report = log.ingest(&[file], 1, &()).expect("an ingest");
    assert!(report.failures.is_empty(), "a file was refused");
    log
}

fn fact_rows(fact: &dyn FactTable) -> Vec<Row> {
    let mut all = Vec::new();
    let partitions: &[PartitionKey] = fact.partitions();
    assert!(partitions.windows(2).all(|pair| pair[0] < pair[1]), "{}: partitions rise", fact.name());
    for partition in 0..partitions.len() {
        let relation = fact.read(partition).expect("a partition");
        assert_eq!(relation.schema(), fact.schema(), "{}: one schema", fact.name());
        let rows = rows(&relation);
        assert!(!rows.is_empty(), "{}: no partition is empty", fact.name());
        assert!(rows.is_sorted_by_key(|row| sort_key(row, &fact.sorted_by())), "{}: sorted", fact.name());
        all.extend(rows);
    }
    assert_eq!(
        all.len() as u64,
        (0..fact.partitions().len()).map(|p| fact.partition_rows(p) as u64).sum::<u64>(),
        "{}: rows",
        fact.name()
    );
    all
}

fn sort_key(row: &Row, columns: &[String]) -> Vec<Value> {
    let value = |column: &String| row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
    columns.iter().map(|column| value(column).expect("a sorted column")).collect()
}

pub(super) fn rows(relation: &RecordBatch) -> Vec<Row> {
    let schema = relation.schema();
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    let row = |index: usize| {
        let values = relation.columns().iter().map(|column| value(column.as_ref(), index));
        names.iter().map(|name| (*name).clone()).zip(values).collect()
    };
    (0..relation.num_rows()).map(row).collect()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(row).into()),
        DataType::Utf8 => Value::text(column.as_string::<i32>().value(row)),
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Date32 => Value::Date(column.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Value::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Decimal128(precision, scale) => {
            let value_type =
                ValueType::Decimal { precision: *precision, scale: u8::try_from(*scale).expect("a scale") };
            Value::number(column.as_primitive::<Decimal128Type>().value(row), value_type)
        }
        other => panic!("a table has no business with {other}"),
    }
}
