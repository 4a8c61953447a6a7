//! A view in SQL → what it reads, why it is none, and its rows.
//!
//! It must be a function of the release: no clock, no chance, no floats, and nothing that depends on the order in which
//! rows happen to be read, as far as that can be seen in the text. Its rows are sorted by all columns.

use super::changed::relations;
use crate::error::{Error, Result};
use crate::layout::Table;
use crate::model::Model;
use crate::query::{Session, SessionSpec};
use crate::spec::closest;
use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, cast, concat_batches, lexsort_to_indices, take};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What depends on more than its arguments, though DuckDB's catalog does not say so; and, under the name of a column,
/// what needs no parentheses.
const OF_THE_SESSION: [&str; 14] = [
    "age",
    "current_catalog",
    "current_date",
    "current_role",
    "current_setting",
    "current_time",
    "current_timestamp",
    "current_user",
    "getvariable",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
    "version",
];

/// Aggregates whose value depends on the order of rows, unless that is said within the call.
const OF_THE_ORDER: [&str; 12] = [
    "any_value",
    "arbitrary",
    "array_agg",
    "first",
    "group_concat",
    "last",
    "list",
    "listagg",
    "mode",
    "reservoir_quantile",
    "string_agg",
    "approx_quantile",
];

/// Functions that stand in a FROM clause and read no table.
const ROWS_FROM_NOTHING: [&str; 3] = ["generate_series", "range", "unnest"];

/// The relations that a view reads. Refuses what is no function of the release.
pub(super) fn reads(model: &Model, view: &str, sql: &str) -> Result<BTreeSet<String>> {
    let session = Session::open(&SessionSpec::default())?;
    let of_view = |error: Error| {
        refused(view, &error.to_string(), error.next_step().unwrap_or("it is DuckDB's SQL, one SELECT"))
    };
    let questions = session.questions(sql).map_err(of_view)?;
    if questions.len() != 1 || questions.iter().any(|question| question.is_a_plan()) {
        return Err(refused(view, "it is not one SELECT", "write one SELECT into its file"));
    }
    let found = Found::of(&session, view, sql)?;
    found.judge(&session, view)?;
    let known: BTreeSet<String> = relations(model).collect();
    let mut read = BTreeSet::new();
    for (schema, name) in &found.tables {
        let lower = name.to_lowercase();
        let is_own = schema.is_empty() && found.own.contains(&lower);
        match known.iter().find(|known| known.to_lowercase() == lower) {
            _ if is_own => {}
            Some(known) if ["", "main", "star"].contains(&schema.to_lowercase().as_str()) => {
                read.insert(known.clone());
            }
            _ => {
                let shown = if schema.is_empty() { name.clone() } else { format!("{schema}.{name}") };
                let hint = match closest(name, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => {
                        format!("it may read {}", known.iter().cloned().collect::<Vec<_>>().join(", "))
                    }
                };
                return Err(refused(
                    view,
                    &format!("it reads `{shown}`, which is no table that views read"),
                    &hint,
                ));
            }
        }
    }
    Ok(read)
}

fn refused(view: &str, why: &str, next: &str) -> Error {
    Error::author(format!("the view `{view}`: {why}")).next(next)
}

/// What stands in the SQL of a view.
#[derive(Default)]
struct Found {
    /// Schema and name.
    tables: BTreeSet<(String, String)>,
    /// Names of relations that the SQL defines itself, in lower case.
    own: BTreeSet<String>,
    functions: BTreeSet<String>,
    table_functions: BTreeSet<String>,
    /// Names that stand where columns do, without any table before them.
    bare: BTreeSet<String>,
    /// Functions in a call that says no order.
    unordered: BTreeSet<String>,
    has_float: bool,
    takes_some: bool,
}

impl Found {
    fn of(session: &Session, view: &str, sql: &str) -> Result<Self> {
        let text = Value::String(sql.to_owned());
        let rows = session.fetch("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", &[text])?.rows;
        let tree = rows.first().and_then(|row| row.first()?.as_str()).unwrap_or_default();
        let tree: Value = serde_json::from_str(tree)
            .map_err(|_| refused(view, "it is nested too deeply", "write it in steps: WITH … AS"))?;
        let mut found = Self::default();
        found.walk(&tree);
        Ok(found)
    }

    fn walk(&mut self, node: &Value) {
        match node {
            Value::Array(nodes) => nodes.iter().for_each(|node| self.walk(node)),
            Value::Object(members) => {
                let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
                match text("type") {
                    "BASE_TABLE" => {
                        self.tables.insert((text("schema_name").to_owned(), text("table_name").to_owned()));
                    }
                    "TABLE_FUNCTION" => {
                        let name = members.get("function").and_then(|function| function.get("function_name"));
                        self.table_functions.extend(name.and_then(Value::as_str).map(str::to_lowercase));
                    }
                    "COLUMN_REF" => {
                        let names = members.get("column_names").and_then(Value::as_array);
                        if let Some([name]) = names.map(Vec::as_slice) {
                            self.bare.extend(name.as_str().map(str::to_lowercase));
                        }
                    }
                    "LIMIT_MODIFIER" | "LIMIT_PERCENT_MODIFIER" => self.takes_some = true,
                    "DISTINCT_MODIFIER" => {
                        let targets = members.get("distinct_on_targets").and_then(Value::as_array);
                        self.takes_some |= targets.is_some_and(|targets| !targets.is_empty());
                    }
                    _ => {}
                }
                if members.get("sample").is_some_and(|sample| !sample.is_null()) {
                    self.takes_some = true;
                }
                let had_float = self.has_float;
                if let Some(name) = members.get("function_name").and_then(Value::as_str) {
                    let sorted_by = members.get("order_bys").and_then(Value::as_object).into_iter().flatten();
                    let is_some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
                    if !sorted_by.into_iter().any(|(_, list)| is_some(list)) {
                        self.unordered.insert(name.to_lowercase());
                    }
                    self.functions.insert(name.to_lowercase());
                }
                if let Some(map) = members.get("cte_map").and_then(|map| map.get("map")) {
                    let entries = map.as_array().into_iter().flatten();
                    let names = entries.filter_map(|entry| entry.get("key")?.as_str());
                    self.own.extend(names.map(str::to_lowercase));
                }
                let target = members.get("cast_type").and_then(|target| target.get("id"));
                self.has_float |= matches!(target.and_then(Value::as_str), Some("FLOAT" | "DOUBLE"));
                members.values().for_each(|node| self.walk(node));
                // `INTERVAL 1 DAY` is parsed as to_days(trunc(1::DOUBLE)::INTEGER), and is exact.
                let makes_interval = |name: &str| name.starts_with("to_") && name.ends_with('s');
                if makes_interval(text("function_name")) {
                    self.has_float = had_float;
                }
            }
            _ => {}
        }
    }

    fn judge(&self, session: &Session, view: &str) -> Result<()> {
        let strange = self.table_functions.iter().find(|name| !ROWS_FROM_NOTHING.contains(&name.as_str()));
        if let Some(name) = strange {
            let why = format!("it calls {name} in a FROM clause");
            return Err(refused(view, &why, "a view reads fact tables and dimensions by their names"));
        }
        let names = self.functions.iter().chain(&self.bare).map(String::as_str);
        let of_session = names.clone().find(|name| OF_THE_SESSION.contains(name));
        if let Some(name) = of_session.map(str::to_owned).or(self.volatile(session)?) {
            let why = format!("`{name}` gives something else each time that it is asked");
            return Err(refused(view, &why, "a view is a function of the release alone: leave it out"));
        }
        let estimated = self.functions.iter().find(|name| name.starts_with("approx_"));
        let unordered = self.unordered.iter().find(|name| OF_THE_ORDER.contains(&name.as_str()));
        if let Some(name) = estimated.or(unordered) {
            let why = format!("{name} depends on the order in which rows are read");
            return Err(refused(
                view,
                &why,
                "say the order within the call: list(x ORDER BY y); or use min or max",
            ));
        }
        if self.has_float {
            return Err(refused(view, "it casts to a float", "cast to DECIMAL(precision, scale)"));
        }
        if self.takes_some {
            return Err(refused(
                view,
                "it takes some of several rows, and not always the same",
                "choose rows by what they hold: QUALIFY rank() OVER (ORDER BY x) <= 10",
            ));
        }
        Ok(())
    }

    /// A function that DuckDB's catalog does not call consistent.
    fn volatile(&self, session: &Session) -> Result<Option<String>> {
        let is_word = |name: &&String| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        for name in self.functions.iter().filter(is_word) {
            let sql = "SELECT count(*) FROM duckdb_functions() WHERE function_name = $1 AND stability <> 'CONSISTENT'";
            let rows = session.fetch(sql, &[Value::String(name.clone())])?.rows;
            if rows.first().and_then(|row| row.first()?.as_i64()) != Some(0) {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}

/// The rows of a view, sorted.
pub(super) fn table(session: &Session, view: &str, sql: &str) -> Result<Table> {
    let of_view = |error: Error| match error.exit_code() {
        2 => refused(
            view,
            &error.to_string(),
            "a view reads facts, dates and whole dimensions, in star and snowflake alike",
        ),
        _ => error,
    };
    let questions = session.questions(sql).map_err(of_view)?;
    let question = questions.first().ok_or_else(|| refused(view, "it is empty", "write one SELECT"))?;
    let mut answer = session.ask(question).map_err(of_view)?;
    let schema = answer.schema().clone();
    let mut batches = Vec::new();
    while let Some(batch) = answer.next_batch().map_err(of_view)? {
        batches.push(batch);
    }
    let rows = concat_batches(&schema, &batches)?;
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (field, array) in schema.fields().iter().zip(rows.columns()) {
        let name = field.name();
        if fields.iter().any(|other: &Field| other.name().eq_ignore_ascii_case(name)) {
            let why = format!("two of its columns are called `{name}`");
            return Err(refused(view, &why, "name one otherwise: AS"));
        }
        let held = held(field.data_type()).map_err(|next| {
            refused(view, &format!("its column `{name}` is of type {}", field.data_type()), next)
        })?;
        arrays.push(cast(array, &held)?);
        fields.push(Field::new(name, held, true));
    }
    let sorted_by = fields.iter().map(|field| field.name().clone()).collect();
    let batch = sorted(&RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)?;
    Ok(Table { name: view.to_owned(), sorted_by, batch })
}

/// The type in which a table holds values of this one; or what its author is to do.
fn held(data_type: &DataType) -> std::result::Result<DataType, &'static str> {
    Ok(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            DataType::Utf8
        }
        DataType::Boolean => DataType::Boolean,
        DataType::Date32 => DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            return Err("no table holds floats: cast it to DECIMAL(precision, scale)");
        }
        _ => return Err("cast it to VARCHAR, BIGINT, DECIMAL, BOOLEAN, DATE or TIMESTAMP"),
    })
}

/// By all columns, from the first on, nulls first.
fn sorted(batch: &RecordBatch) -> Result<RecordBatch> {
    let options = Some(SortOptions { descending: false, nulls_first: true });
    let columns: Vec<SortColumn> =
        batch.columns().iter().map(|values| SortColumn { values: values.clone(), options }).collect();
    let order: UInt32Array = lexsort_to_indices(&columns, None)?;
    let arrays = batch.columns().iter().map(|column| take(column, &order, None));
    Ok(RecordBatch::try_new(batch.schema(), arrays.collect::<std::result::Result<_, _>>()?)?)
}
