//! A text case → a log and the rows that it must give. The cases stand in `cases/`, one file for each point of DESIGN.
//!
//! ```text
//! # DESIGN 11. Events of one instant fold into one version.
//! pipeline shop
//!
//! log
//!   01       ProductCreated   product_id=p1 name=Mug
//!   02T10:30 OrderPlaced      order_id=o1 lines=[line_no=1 product_id=p1 quantity=2 unit_price=1.00]
//!
//! dim_product
//!   product_key  product_id  valid_from
//!   1            p1          01
//! ```
//!
//! A time is a day of January 2024 in UTC, with `T` and a time of day if it is not midnight, and `@3` for the producer's order.
//! `-` is null; `ever` and `end` are the ends of time. A table's rows are all its rows but the reserved ones, in the columns listed.

use super::pipeline::{Draft, load};
use super::{Row, Tables, Value, instant};
use serde_json::{Map, Value as Json, json};
use starlog::model::{EventType, Field, Model, ValueType};
use std::collections::BTreeMap;

/// One case.
pub struct Case {
    pub model: Model,
    pub log: Vec<String>,
    /// For each table, the columns and the rows as written.
    expected: BTreeMap<String, Vec<Vec<String>>>,
}

impl Case {
    /// Reads a case. Cases are ours: a mistake in one is a panic.
    pub fn read(text: &str) -> Self {
        let mut pipeline = "";
        let mut section = String::new();
        let mut events = Vec::new();
        let mut expected: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end()) {
            match line.strip_prefix("  ") {
                _ if line.is_empty() => {}
                Some(event) if section == "log" => events.push(event.trim()),
                Some(row) => {
                    let row = row.split_whitespace().map(str::to_owned).collect();
                    expected.entry(section.clone()).or_default().push(row);
                }
                None => match line.strip_prefix("pipeline ") {
                    Some(name) => pipeline = name,
                    None => line.clone_into(&mut section),
                },
            }
        }
        let model = load(pipeline);
        let log = events.iter().enumerate().map(|(index, event)| read_event(&model, index, event)).collect();
        Self { model, log, expected }
    }

    /// What differs from the rows as written.
    pub fn differences(&self, tables: &Tables) -> Option<String> {
        let mut report = String::new();
        for (table, written) in &self.expected {
            let (columns, written) = written.split_first().expect("a table has a line of columns");
            let key = &tables[table][0][0].0;
            let reserved = |row: &&Row| {
                table.starts_with("dim_")
                    && matches!(&row[0], (name, Value::Int(number)) if name == key && *number < 0)
            };
            let rows = tables[table].iter().filter(|row| !reserved(row));
            let mut actual: Vec<String> = rows.map(|row| written_row(row, columns)).collect();
            let mut expected: Vec<String> = written.iter().map(|row| row.join(" ")).collect();
            actual.sort();
            expected.sort();
            if actual != expected {
                report += &format!(
                    "{table} ({})\n expected\n  {}\n actual\n  {}\n",
                    columns.join(" "),
                    expected.join("\n  "),
                    actual.join("\n  ")
                );
            }
        }
        (!report.is_empty()).then_some(report)
    }
}

fn written_row(row: &Row, columns: &[String]) -> String {
    let value = |column: &String| {
        let found = row.iter().find(|(name, _)| name == column);
        written(&found.unwrap_or_else(|| panic!("no column {column} in {row:?}")).1)
    };
    columns.iter().map(value).collect::<Vec<_>>().join(" ")
}

fn written(value: &Value) -> String {
    let text = value.to_string();
    match value {
        Value::Timestamp(_) if text.starts_with("0001-01-01") => "ever".to_owned(),
        Value::Timestamp(_) if text.starts_with("9999-12-31") => "end".to_owned(),
        Value::Timestamp(_) => {
            let short = text.trim_start_matches("2024-01-");
            let short = short.strip_suffix(":00").unwrap_or(short);
            short.strip_suffix("T00:00").unwrap_or(short).to_owned()
        }
        _ => text,
    }
}

fn read_event(model: &Model, index: usize, text: &str) -> String {
    let (when, rest) = text.split_once(char::is_whitespace).expect("a time");
    let rest = rest.trim();
    let (event_type, fields) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let contract = model.events.iter().find(|contract| contract.name == event_type);
    let contract = contract.unwrap_or_else(|| panic!("no event type {event_type}"));
    let (when, order) = when.split_once('@').map_or((when, None), |(when, order)| (when, order.parse().ok()));
    let (day, time) = when.split_once('T').unwrap_or((when, "00:00"));
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let time = format!("2024-01-{day}T{time}{seconds}Z");
    assert!(instant(&time).is_some(), "a time: {time}");
    let payload = read_payload(contract, fields.trim());
    Draft { id: format!("e{index}"), event_type: event_type.to_owned(), time, order, payload }.line(model)
}

fn read_payload(contract: &EventType, text: &str) -> Map<String, Json> {
    let mut payload = Map::new();
    let (before, list) = text.split_once("=[").map_or((text, None), |(before, rest)| (before, Some(rest)));
    let (fields, list_name) = match list {
        Some(_) => before.rsplit_once(' ').unwrap_or(("", before)),
        None => (before, ""),
    };
    payload.extend(read_fields(&contract.fields, fields));
    if let Some(items) = list {
        let (items, after) = items.split_once(']').expect("a closing bracket");
        assert!(after.trim().is_empty(), "the list comes last: {after}");
        let declared = contract.lists.iter().find(|list| list.name == list_name).expect("a list");
        let items = items
            .split(';')
            .map(|item| Json::Object(read_fields(&declared.fields, item).into_iter().collect()));
        payload.insert(list_name.to_owned(), items.collect());
    }
    payload
}

fn read_fields(fields: &[Field], text: &str) -> Vec<(String, Json)> {
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("name=value: {pair}"));
        let field =
            fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}"));
        let value = match (field.value_type, value) {
            (_, "-") => Json::Null,
            (ValueType::Integer, number) => json!(number.parse::<i64>().expect("an integer")),
            (ValueType::Boolean, bool) => json!(bool.parse::<bool>().expect("a boolean")),
            (_, text) => json!(text),
        };
        (name.to_owned(), value)
    };
    text.split_whitespace().map(read).collect()
}
