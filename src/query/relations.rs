//! [`Table`] and [`View`] → views in DuckDB, and the statements that comment on every column that has a comment.

use duckdb::Connection;
use std::path::Path;

use super::spec::{Column, Table, View};
use super::{fault, sql};
use crate::error::{Error, Result};

/// Makes a table known; gives the statements that say what it means.
pub(super) fn open_table(connection: &Connection, table: &Table) -> Result<String> {
    try_open_table(connection, table).map_err(|fault| fault.of(&table.schema, &table.name))
}

/// Makes a view known; gives the statements that say what it means.
pub(super) fn open_view(connection: &Connection, view: &View) -> Result<String> {
    try_open_view(connection, view).map_err(|fault| fault.of(&view.schema, &view.name))
}

/// What can go wrong with one relation: DuckDB's word, or our own.
enum Fault {
    Duck(duckdb::Error),
    Ours(Error),
}

impl Fault {
    fn of(self, schema: &str, name: &str) -> Error {
        match self {
            Self::Duck(error) => fault::of_relation(schema, name, &error),
            Self::Ours(error) => error,
        }
    }
}

impl From<duckdb::Error> for Fault {
    fn from(error: duckdb::Error) -> Self {
        Self::Duck(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

fn try_open_table(connection: &Connection, table: &Table) -> Result<String, Fault> {
    let select = if table.files.is_empty() {
        let columns = table.columns.iter().chain(&table.partition);
        let nulls = columns.map(typed_null).collect::<Result<Vec<_>>>()?;
        if nulls.is_empty() {
            return Ok(String::new());
        }
        format!("SELECT {} WHERE false", nulls.join(", "))
    } else {
        select_from_files(connection, table)?
    };
    create_view(connection, &table.schema, &table.name, &select)?;
    let columns = table.columns.iter().chain(&table.partition);
    let comments = columns.filter_map(|column| Some((column.name.as_str(), column.comment.as_deref()?)));
    Ok(comment(&table.schema, &table.name, table.comment.as_deref(), comments))
}

fn select_from_files(connection: &Connection, table: &Table) -> Result<String, Fault> {
    let source = source(table)?;
    let mut columns = Vec::new();
    if table.files_may_differ {
        let present = columns_of(connection, &source)?;
        for column in &table.columns {
            if present.contains(&column.name) {
                columns.push(shown_column(table, &column.name));
            } else {
                columns.push(typed_null(column)?);
            }
        }
    } else {
        columns.extend(table.columns.iter().map(|column| shown_column(table, &column.name)));
    }
    columns.extend(table.partition.iter().map(|column| partition_column(table, column)));
    let mut select = format!("SELECT {} FROM {source}", columns.join(", "));
    if let Some(until) = &table.until {
        select.push_str(&format!(" WHERE {} <= {}", sql::identifier(&until.column), until.at_most));
    }
    Ok(select)
}

/// A column of the files, or what its values are shown as.
fn shown_column(table: &Table, name: &str) -> String {
    let column = sql::identifier(name);
    match &table.shown {
        Some(shown) if shown.column == name && !shown.values.is_empty() => {
            let list = |texts: Vec<&String>| {
                sql::list(&texts.iter().map(|text| sql::literal(text)).collect::<Vec<_>>())
            };
            let (from, to) = (list(shown.values.keys().collect()), list(shown.values.values().collect()));
            format!("coalesce(map({from}, {to})[{column}], {column}) AS {column}")
        }
        _ => column,
    }
}

/// `read_parquet` of exactly these files.
fn source(table: &Table) -> Result<String> {
    let paths = table.files.iter().map(|file| sql::path(file)).collect::<Result<Vec<_>>>()?;
    let directories = match &table.partition {
        Some(column) if !is_ambiguous(table, column) => {
            format!("hive_partitioning = true, hive_types = {{{}: VARCHAR}}", sql::literal(&column.name))
        }
        Some(_) => format!("hive_partitioning = false, filename = {}", sql::literal(PATH_COLUMN)),
        // Directories above the warehouse may look like a partition: they are none.
        None => "hive_partitioning = false".to_owned(),
    };
    let by_name = if table.files_may_differ { ", union_by_name = true" } else { "" };
    Ok(format!("read_parquet({}, {directories}{by_name})", sql::list(&paths)))
}

const PATH_COLUMN: &str = "_path";

/// Whether a directory above the table's own has the name of a partition too. DuckDB would take the
/// first, so the value has to be cut out of the path, at the price that DuckDB opens every file.
fn is_ambiguous(table: &Table, column: &Column) -> bool {
    let named = |file: &Path| {
        let directories = file.iter().filter_map(|part| part.to_str()?.split_once('='));
        directories.filter(|(name, _)| name.eq_ignore_ascii_case(&column.name)).count()
    };
    table.files.iter().any(|file| named(file) != 1)
}

fn partition_column(table: &Table, column: &Column) -> String {
    let name = sql::identifier(&column.name);
    if !is_ambiguous(table, column) {
        return name;
    }
    let directory = format!("str_split({}, '/')[-2]", sql::identifier(PATH_COLUMN));
    format!("substr({directory}, {}) AS {name}", column.name.len() + 2)
}

fn columns_of(connection: &Connection, source: &str) -> Result<Vec<String>, duckdb::Error> {
    let mut query = connection.prepare(&format!("DESCRIBE SELECT * FROM {source}"))?;
    let names = query.query_map([], |row| row.get(0))?;
    names.collect()
}

/// A column without any value.
fn typed_null(column: &Column) -> Result<String> {
    let name = sql::identifier(&column.name);
    match &column.sql_type {
        Some(sql_type) => Ok(format!("NULL::{sql_type} AS {name}")),
        None => Ok(format!("NULL::VARCHAR AS {name}")),
    }
}

fn try_open_view(connection: &Connection, view: &View) -> Result<String, Fault> {
    create_view(connection, &view.schema, &view.name, &view.sql)?;
    let comments = view.column_comments.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Ok(comment(&view.schema, &view.name, view.comment.as_deref(), comments))
}

fn create_view(connection: &Connection, schema: &str, name: &str, select: &str) -> Result<(), Fault> {
    connection.execute_batch(&format!(
        "CREATE SCHEMA IF NOT EXISTS {}; CREATE VIEW {} AS {select}",
        sql::identifier(schema),
        sql::qualified(schema, name)
    ))?;
    Ok(())
}

fn comment<'a>(
    schema: &str,
    name: &str,
    of_relation: Option<&str>,
    of_columns: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let relation = sql::qualified(schema, name);
    let of_relation =
        of_relation.map(|text| format!("COMMENT ON VIEW {relation} IS {};\n", sql::literal(text)));
    let of_columns = of_columns.map(|(column, text)| {
        format!("COMMENT ON COLUMN {relation}.{} IS {};\n", sql::identifier(column), sql::literal(text))
    });
    of_relation.into_iter().chain(of_columns).collect()
}
