//! (model, columns of a fact or of the dates) → the same columns, each with its comment.

use super::comment::type_note;
use super::level::key_name;
use super::{COMMENT, Table, commented, no_comment, table};
use crate::error::{Error, Result};
use crate::model::{Additivity, Fact, FactAction, FactEvent, Measure, Model};
use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The schema of a fact's ledger (`fact_<name>`) or lines (`fact_<lines name>`), with comments.
///
/// # Errors
///
/// A table or column that the model does not explain is a bug.
pub fn fact_schema(model: &Model, table: &str, schema: &Schema) -> Result<SchemaRef> {
    let comments = model.facts.iter().find_map(|fact| {
        let is_lines = fact.lines_name.as_ref().is_some_and(|lines| format!("fact_{lines}") == table);
        if is_lines {
            Some(lines_comments(fact, model))
        } else {
            (format!("fact_{}", fact.name) == table).then(|| ledger_comments(fact, model))
        }
    });
    let comments =
        comments.ok_or_else(|| Error::bug(format!("no fact of the pipeline has the table {table}")))?;
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| explained(field, comments.get(field.name()).map(String::as_str)))
        .collect::<Result<_>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// `dim_date`, the same in every layout. A comment that a column brings along stays.
///
/// # Errors
///
/// A column that nobody explains is a bug.
pub fn date_table(model: &Model, dates: &RecordBatch) -> Result<Table> {
    let columns = dates
        .schema_ref()
        .fields()
        .iter()
        .zip(dates.columns())
        .map(|(field, array)| {
            Ok((explained(field, date_comment(model, field.name()).as_deref())?, Arc::clone(array)))
        })
        .collect::<Result<Vec<_>>>()?;
    table("dim_date".to_owned(), vec!["date_key".to_owned()], columns)
}

fn explained(field: &Field, comment: Option<&str>) -> Result<Field> {
    if field.metadata().contains_key(COMMENT) {
        return Ok(field.clone());
    }
    comment.map(|comment| commented(field, comment)).ok_or_else(|| no_comment(field.name()))
}

fn ledger_comments(fact: &Fact, model: &Model) -> BTreeMap<String, String> {
    let mut comments = common_comments(fact);
    let zone = model.calendar.time_zone;
    let has_rows = |event: &&FactEvent| !matches!(event.action, FactAction::Header | FactAction::Milestone);
    let kinds: Vec<&str> = fact.events.iter().filter(has_rows).map(|event| event.kind.as_str()).collect();
    for (column, comment) in [
        ("position", "Position in the log of the event that made the row".to_owned()),
        ("item", "Place in that event's list, from 1; 0 for an event without a list".to_owned()),
        ("kind", format!("What happened: one of {}", distinct(&kinds).join(", "))),
        ("occurred_at", "When it happened; UTC".to_owned()),
        ("date_key", format!("Day on which it happened in {zone}, as yyyymmdd; row of dim_date")),
    ] {
        comments.insert(column.to_owned(), comment);
    }
    for measure in &fact.measures {
        let sign = match measure.additivity {
            Additivity::Additive => {
                "Signed: what is taken back is negative, so that it adds up over all rows"
            }
            Additivity::NonAdditive => "Never signed, and not to be summed",
        };
        comments.insert(measure.name.clone(), format!("{sign}{}", type_note(measure.value_type)));
    }
    comments
}

fn lines_comments(fact: &Fact, model: &Model) -> BTreeMap<String, String> {
    let mut comments = common_comments(fact);
    let zone = model.calendar.time_zone;
    comments.insert(
        "position".to_owned(),
        "Position in the log of the event that placed the line first".to_owned(),
    );
    comments.insert(
        "item".to_owned(),
        "Place in that event's list, from 1; 0 for an event without a list".to_owned(),
    );
    comments.insert("status".to_owned(), "Kind of the last event of the line".to_owned());
    for milestone in &fact.milestones {
        comments.insert(
            format!("{milestone}_date_key"),
            format!("Day of the first {milestone} in {zone}, as yyyymmdd; row of dim_date; -2 not reached"),
        );
        let first = fact.milestones.first().map_or("", String::as_str);
        comments.insert(
            format!("days_to_{milestone}"),
            format!("Calendar days from {first} to {milestone}; null if either has not been reached"),
        );
    }
    for Measure { name, value_type, .. } in &fact.measures {
        let note = type_note(*value_type);
        comments.insert(name.clone(), format!("{name} as placed{note}"));
        comments.insert(
            format!("{name}_left"),
            format!("What is left of {name} after all that was taken back{note}"),
        );
    }
    comments
}

fn common_comments(fact: &Fact) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    for column in &fact.header {
        comments.insert(
            column.name.clone(),
            format!("Names the header of the line{}", type_note(column.value_type)),
        );
    }
    if let Some(line) = &fact.line {
        comments.insert(
            line.name.clone(),
            format!("Names the line under its header{}", type_note(line.value_type)),
        );
    }
    for column in &fact.columns {
        comments.insert(
            column.name.clone(),
            format!("{} as the event carries it{}", column.name, type_note(column.value_type)),
        );
    }
    for role in &fact.roles {
        comments.insert(
            key_name(&role.name),
            format!("Version of the {} that was valid at the time; -1 unknown, -2 not applicable", role.name),
        );
    }
    comments
}

/// Every word once, in order of first mention.
fn distinct<'text>(words: &[&'text str]) -> Vec<&'text str> {
    let mut seen = Vec::new();
    for word in words {
        if !seen.contains(word) {
            seen.push(*word);
        }
    }
    seen
}

fn date_comment(model: &Model, column: &str) -> Option<String> {
    let fiscal = || {
        let month = model.calendar.fiscal_year_starts.unwrap_or(1);
        format!(
            "of the fiscal year, which starts with month {month} and is named by the year in which it ends"
        )
    };
    let text = match column {
        "date_key" => "Key of the row: the day as yyyymmdd; -1 unknown, -2 not applicable",
        "date" => "The calendar day",
        "year" => "Calendar year",
        "quarter" => "Quarter of the calendar year, 1 to 4",
        "month" => "Month of the calendar year, 1 to 12",
        "month_name" => "English name of the month",
        "day" | "day_of_month" => "Day of the month, 1 to 31",
        "day_of_year" => "Day of the calendar year, 1 to 366",
        "day_of_week" => "ISO day of the week: 1 Monday to 7 Sunday",
        "day_name" => "English name of the day of the week",
        "iso_year" => "Year that the ISO week belongs to",
        "iso_week" => "ISO week, 1 to 53",
        "year_month" => "Calendar month as yyyy-mm",
        "is_weekend" => "Whether the day is a Saturday or a Sunday",
        "is_holiday" => "Whether the pipeline's holiday file names the day",
        "holiday" | "holiday_name" => {
            "Name of the day in the pipeline's holiday file; null if it is not there"
        }
        "fiscal_year" => return Some(format!("Year {}", fiscal())),
        "fiscal_quarter" => return Some(format!("Quarter, 1 to 4, {}", fiscal())),
        "fiscal_month" | "fiscal_period" => return Some(format!("Month, 1 to 12, {}", fiscal())),
        _ => return None,
    };
    Some(text.to_owned())
}
