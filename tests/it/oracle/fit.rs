//! Lines of a log, through `log` and `history`, into a DuckDB in memory → which checks do not hold of a right release?

use super::engine::take_in;
use crate::support::memory_folder;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use duckdb::{Config, Connection};
use starlog::checks::{Effort, Tables, examine};
use starlog::history;
use starlog::layout::{self, Layout};
use starlog::log::EventLog;
use starlog::model::Model;

/// What the checks say; `None`: the release may be published. All are asked in full, and the proofs too, so that with
/// proofs alone no more could be found.
pub fn violations(model: &Model, log: &[String]) -> Option<String> {
    let folder = memory_folder();
    let log = take_in(model, &[log], folder.path());
    let connection = stage(model, &log);
    let tables = Tables {
        levels: Some("levels".to_owned()),
        rejoined: Some("rejoined".to_owned()),
        ..Tables::default()
    };
    let report = examine(&connection, model, &tables, Effort::Everything);
    report.and_then(|report| report.verdict()).err().map(|error| error.to_string())
}

/// All tables of a release in both layouts, and the log, where [`Tables`] says.
fn stage(model: &Model, log: &EventLog) -> Connection {
    let config = Config::default().with("threads", "1").expect("a setting");
    let connection = Connection::open_in_memory_with_flags(config).expect("a database");
    let run = |sql: &str| connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    run("CREATE SCHEMA star; CREATE SCHEMA levels; CREATE SCHEMA rejoined; CREATE SCHEMA log");
    let create = |schema: &str, name: &str, columns: &Schema| {
        run(&format!("CREATE TABLE {schema}.\"{name}\" {}", sql_columns(columns)));
    };
    let fill = |schema: &str, name: &str, rows: &RecordBatch| {
        let mut appender = connection.appender_to_db(name, schema).expect("a table");
        appender.append_record_batch(rows.clone()).expect("rows of the table");
    };
    let history = history::replay(model, log).expect("a history");
    for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
        for (layout, schema) in [(Layout::Star, "star"), (Layout::Snowflake, "levels")] {
            for table in layout::tables(layout, dimension, &made.entities).expect("tables") {
                create(schema, &table.name, table.batch.schema_ref());
                fill(schema, &table.name, &table.batch);
            }
        }
        let joined = layout::wide_sql(Layout::Snowflake, dimension, "levels");
        run(&format!("CREATE TABLE rejoined.\"dim_{}\" AS {joined}", dimension.name));
    }
    let dates = layout::date_table(model, &history.dates).expect("dates");
    create("main", &dates.name, dates.batch.schema_ref());
    fill("main", &dates.name, &dates.batch);
    for fact in &history.facts {
        create("main", fact.name(), &fact.schema());
        for partition in 0..fact.partitions().len() {
            fill("main", fact.name(), &fact.read(partition).expect("a partition"));
        }
    }
    for event in &model.events {
        create("log", &event.name, &log.schema(&event.name).expect("a schema"));
        for segment in log.segments(&event.name) {
            let file = segment.to_str().expect("a path");
            run(&format!("INSERT INTO log.\"{}\" BY NAME FROM read_parquet('{file}')", event.name));
        }
    }
    connection
}

fn sql_columns(schema: &Schema) -> String {
    let columns = schema.fields().iter();
    let columns = columns.map(|field| format!("\"{}\" {}", field.name(), sql_type(field.data_type())));
    format!("({})", columns.collect::<Vec<_>>().join(", "))
}

fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Utf8 => "VARCHAR".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::List(item) => format!("{}[]", sql_type(item.data_type())),
        DataType::Struct(fields) => format!("STRUCT{}", sql_columns(&Schema::new(fields.clone()))),
        other => panic!("a table has no business with {other}"),
    }
}
