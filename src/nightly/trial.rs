//! (pipeline, its tests) → which of them hold: given lines are run into a warehouse of their own, and rows compared.
//!
//! The way is that of every run: ingest, upcasts, replay, checks, publication. Nothing of it outlives the trial.

use super::run::{Options, run};
use crate::checks::sql::{name, table};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::model::{Case, Expected, Model, RejectLimits};
use crate::query::{Session, describe};
use crate::warehouse::Warehouse;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    pub name: String,
    pub holds: bool,
    /// Why the given lines could not be run at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Tables whose rows are not as expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<TableDifference>,
}

/// The rows in which a table is not as expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableDifference {
    /// As the test names it.
    pub table: String,
    pub columns: Vec<String>,
    /// Expected, and not there.
    pub missing: Vec<Vec<Value>>,
    /// There, and not expected.
    pub unexpected: Vec<Vec<Value>>,
}

/// Runs the tests of a pipeline. `scratch` is an empty folder.
///
/// # Errors
/// The operator's. That a test does not hold is no error here.
pub fn trials(model: &Model, scratch: &Path, disk: &Disk, options: &Options) -> Result<Vec<Trial>> {
    let cases = model.cases.iter().enumerate();
    cases.map(|(at, case)| trial(model, case, &scratch.join(at.to_string()), disk, options)).collect()
}

fn trial(model: &Model, case: &Case, folder: &Path, disk: &Disk, options: &Options) -> Result<Trial> {
    disk.go_on()?;
    let mut trial = Trial { name: case.name.clone(), holds: false, failure: None, differences: Vec::new() };
    let found = differences(model, case, folder, disk, options);
    // Releases are read-only, which keeps everyone but root from removing them.
    disk.remove_dir_all(folder).map_err(|error| Error::io("remove", folder, error))?;
    match found {
        Ok(differences) => trial.differences = differences,
        // Given lines that no run bears, or a column that there is not, are a test's own affair.
        Err(error) if matches!(error.exit_code(), 1 | 2) => trial.failure = Some(said(&error)),
        Err(error) => return Err(error),
    }
    trial.holds = trial.failure.is_none() && trial.differences.is_empty();
    Ok(trial)
}

fn said(error: &Error) -> String {
    match error.next_step() {
        Some(next) => format!("{error}; {next}"),
        None => error.to_string(),
    }
}

fn differences(
    model: &Model,
    case: &Case,
    folder: &Path,
    disk: &Disk,
    options: &Options,
) -> Result<Vec<TableDifference>> {
    disk.create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    let given = folder.join("given.ndjson");
    disk.write(&given, case.given.as_bytes()).map_err(|error| Error::io("write", &given, error))?;
    let mut model = model.clone();
    // Its lines stand in the pipeline, so there is nothing to hide, and hashes can be expected.
    model.log.pii.iter_mut().for_each(|pii| pii.is_trial = true);
    // A test may be of nothing but rejects.
    model.log.bears = RejectLimits::default();
    model.events.iter_mut().for_each(|event| event.bears = RejectLimits::default());
    let log = given.to_str().ok_or_else(|| Error::operator("the folder for temporary files is not UTF-8"))?;
    let warehouse = folder.join("warehouse");
    let options = Options {
        warehouse: warehouse.clone(),
        layouts: vec![Layout::default()],
        log: vec![log.to_owned()],
        ..options.clone()
    };
    run(&model, &options, disk, &())?;
    let release = Warehouse::open(&warehouse)?.current()?;
    let release = release.ok_or_else(|| Error::bug("a run that published has left no release"))?;
    let session = Session::open(&describe(&release, Layout::default(), &warehouse))?;
    let compared = case.expect.iter().map(|expected| compare(&session, expected));
    compared.filter_map(Result::transpose).collect()
}

/// How the rows of a table differ from those that are expected; `None` if they do not.
fn compare(session: &Session, expected: &Expected) -> Result<Option<TableDifference>> {
    let Expected { schema, table: table_name, columns, rows } = expected;
    let shown = schema.as_ref().map_or_else(|| table_name.clone(), |schema| format!("{schema}.{table_name}"));
    let from = table(schema.as_deref().unwrap_or("main"), table_name);
    let known = session.fetch(&format!("DESCRIBE SELECT * FROM {from}"), &[])?.rows;
    let known: Vec<(&str, &str)> =
        known.iter().filter_map(|row| Some((row.first()?.as_str()?, row.get(1)?.as_str()?))).collect();
    let mut kinds = Vec::new();
    for column in columns {
        let Some((_, sql_type)) = known.iter().find(|(name, _)| name == column) else {
            let meant = crate::spec::closest(column, known.iter().map(|(name, _)| *name));
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            return Err(Error::author(format!("{shown} has no column `{column}`{meant}")));
        };
        kinds.push(Kind::of(sql_type));
    }
    // The rows -1 and -2 are in every dimension.
    let members = table_name.strip_prefix("dim_").filter(|name| *name != "date");
    let members =
        members.map_or_else(String::new, |entity| format!(" WHERE {} > 0", name(&format!("{entity}_key"))));
    let selected: Vec<String> = columns.iter().map(|column| name(column)).collect();
    let selected = if selected.is_empty() { "1".to_owned() } else { selected.join(", ") };
    let mut unexpected = session.fetch(&format!("SELECT {selected} FROM {from}{members}"), &[])?.rows;
    let is_same = |one: &[Value], other: &[Value]| {
        one.iter().zip(other).zip(&kinds).all(|((one, other), kind)| same(one, other, *kind))
    };
    let mut missing = Vec::new();
    for row in rows {
        match unexpected.iter().position(|found| is_same(row, found)) {
            Some(at) => drop(unexpected.remove(at)),
            None => missing.push(row.clone()),
        }
    }
    if columns.is_empty() {
        unexpected.iter_mut().for_each(Vec::clear);
    }
    let differs = !missing.is_empty() || !unexpected.is_empty();
    Ok(differs.then(|| TableDifference { table: shown, columns: columns.clone(), missing, unexpected }))
}

/// How values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// By their value: 1.5 is 1.50.
    Number,
    /// With or without the `Z` of UTC.
    Instant,
    /// Fields of the items by their values; one that is not named is null.
    Nested,
    Exact,
}

impl Kind {
    fn of(sql_type: &str) -> Self {
        match sql_type {
            nested if nested.ends_with(']') || nested.starts_with("STRUCT") => Self::Nested,
            "BIGINT" => Self::Number,
            decimal if decimal.starts_with("DECIMAL") => Self::Number,
            "TIMESTAMP" => Self::Instant,
            _ => Self::Exact,
        }
    }
}

fn same(expected: &Value, found: &Value, kind: Kind) -> bool {
    match (expected, found) {
        (Value::Null, found) => found.is_null(),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(expected, found)| same(expected, found, kind))
        }
        (Value::Object(expected), Value::Object(found)) => {
            let is_known = expected.keys().all(|name| found.contains_key(name));
            is_known
                && found
                    .iter()
                    .all(|(name, found)| same(expected.get(name).unwrap_or(&Value::Null), found, kind))
        }
        (expected, found) => {
            let (expected, found) = (text(expected), text(found));
            expected == found
                || match kind {
                    Kind::Number => shortest(&expected) == shortest(&found),
                    Kind::Instant => instant(&expected) == instant(&found),
                    Kind::Nested => {
                        shortest(&expected) == shortest(&found) || instant(&expected) == instant(&found)
                    }
                    Kind::Exact => false,
                }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A decimal without zeros at its end.
fn shortest(number: &str) -> &str {
    match number.contains('.')
        && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
    {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

fn instant(written: &str) -> String {
    let written = written.strip_suffix('Z').unwrap_or(written);
    let written =
        if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.') } else { written };
    written.replacen(' ', "T", 1)
}
