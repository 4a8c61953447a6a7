//! A question of the program's own → all its rows as JSON values: exact, for whoever makes a report of them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use duckdb::params_from_iter;
use serde_json::{Map, Value};

use super::Session;
use super::{fault, value};
use crate::error::{Error, Result};
use arrow::record_batch::RecordBatch;

/// The answer to a question, as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Session {
    /// Asks for rows that are few. `values` stand for `$1`, `$2` and so on.
    ///
    /// Integers and truth values are such values of JSON, what is nested is nested, all else is text: a decimal would
    /// lose digits as a number of JSON.
    ///
    /// # Errors
    ///
    /// The machine gave out. All else is a bug, for the question is the program's.
    pub(crate) fn fetch(&self, sql: &str, values: &[Value]) -> Result<Rows> {
        let ours = |error: duckdb::Error| fault::of_ours(&format!("answer `{}`", beginning(sql)), &error);
        let mut statement = self.connection.prepare(sql).map_err(ours)?;
        let schema = statement
            .stream_arrow(params_from_iter(values.iter().map(parameter)))
            .map_err(ours)?
            .get_schema();
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::new();
        while let Some(batch) = statement.step().map_err(ours)? {
            let batch = RecordBatch::from(&batch);
            let row = |row| batch.columns().iter().map(|column| json(column, row)).collect();
            rows.extend((0..batch.num_rows()).map(row));
        }
        Ok(Rows { columns, rows })
    }
}

impl Session {
    /// Asks for rows that become a table, in the order in which they come. An amount too large for its type is the data's.
    ///
    /// # Errors
    ///
    /// As for [`Session::fetch`]; a sum overflows.
    pub(crate) fn collect(&self, sql: &str) -> Result<RecordBatch> {
        let of_numbers = |error: duckdb::Error| match fault::message(&error) {
            text if text.starts_with("Out of Range Error") || text.starts_with("Conversion Error") => {
                Error::data(format!("a number of `{}` does not fit: {text}", beginning(sql)))
                    .next("a value in the log is far out of range: look for it with `starlog query`")
            }
            _ => fault::of_ours(&format!("answer `{}`", beginning(sql)), &error),
        };
        let mut statement = self.connection.prepare(sql).map_err(of_numbers)?;
        let schema = statement.stream_arrow([]).map_err(of_numbers)?.get_schema();
        let mut batches = Vec::new();
        while let Some(batch) = statement.step().map_err(of_numbers)? {
            batches.push(RecordBatch::from(&batch));
        }
        Ok(concat_batches(&schema, &batches)?)
    }

    /// Runs a statement of the program's own that makes a temporary table. Nothing else can be written.
    ///
    /// # Errors
    ///
    /// As for [`Session::fetch`].
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| fault::of_ours(&format!("run `{}`", beginning(sql)), &error))
    }
}

/// As much of a statement as tells which one it is.
fn beginning(sql: &str) -> String {
    sql.chars().take(200).collect()
}

fn parameter(value: &Value) -> duckdb::types::Value {
    match value {
        Value::Null => duckdb::types::Value::Null,
        Value::Bool(truth) => duckdb::types::Value::Boolean(*truth),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| duckdb::types::Value::Text(number.to_string()), duckdb::types::Value::BigInt),
        Value::String(text) => duckdb::types::Value::Text(text.clone()),
        nested => duckdb::types::Value::Text(nested.to_string()),
    }
}

fn json(array: &ArrayRef, row: usize) -> Value {
    let mut text = String::new();
    match array.data_type() {
        DataType::Boolean if array.is_valid(row) => return Value::Bool(array.as_boolean().value(row)),
        DataType::List(_) if array.is_valid(row) => {
            let items = array.as_list::<i32>().value(row);
            return (0..items.len()).map(|item| json(&items, item)).collect();
        }
        DataType::Struct(fields) if array.is_valid(row) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members = members.map(|(field, column)| (field.name().clone(), json(column, row)));
            return Value::Object(members.collect::<Map<_, _>>());
        }
        _ => {}
    }
    if !value::write_text(array, row, &mut text) {
        return Value::Null;
    }
    match text.parse::<i64>() {
        Ok(number) if array.data_type().is_integer() => Value::from(number),
        _ => Value::String(text),
    }
}
