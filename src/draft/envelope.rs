//! The fields of whole lines → which of them are the envelope: type, version, time, payload, id and order.
//!
//! By their names where those are telling, else by what their values do: a type decides which fields a payload has, a
//! time reads as one, an id is never seen twice, an order rises.

use super::table::{Column, Table, decides};
use super::words::{has_any, words};
use crate::error::{Error, Result};
use crate::model::Unit;
use std::collections::HashMap;

/// The names of the envelope's fields, and why they were taken.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    pub event_type: String,
    pub version: Option<String>,
    pub time: String,
    pub payload: Option<String>,
    pub id: Option<String>,
    pub order: Option<String>,
    /// Some times name no offset.
    pub is_local: bool,
    /// Times are numbers: so many of these since 1970.
    pub unit: Option<Unit>,
    /// A sentence for each of them.
    pub why: Vec<String>,
    /// Fields beside the payload that are none of these.
    pub beside: Vec<String>,
}

/// What lines have in common, before it is known what they mean.
#[derive(Debug, Default)]
pub struct Lines {
    pub table: Table,
    /// Of each kept line: a hash of all of it, and one of its keys.
    pub contents: Vec<u64>,
    pub builds: Vec<u64>,
}

const TYPES: [&str; 10] =
    ["event type", "type", "event", "evt", "event name", "kind", "action", "message type", "what", "name"];
const TIMES: [&str; 12] = [
    "occurred at",
    "happened at",
    "event time",
    "timestamp",
    "time",
    "at",
    "ts",
    "occurred on",
    "date",
    "created at",
    "datetime",
    "when",
];
/// A time of the road, not of the event.
const LATER: [&str; 7] = ["recorded", "ingested", "published", "received", "stored", "loaded", "processed"];
const PAYLOADS: [&str; 9] =
    ["payload", "data", "body", "event data", "attributes", "properties", "details", "content", "fields"];
const ASIDE: [&str; 5] = ["meta", "metadata", "headers", "context", "source"];
const IDS: [&str; 15] = [
    "id",
    "event id",
    "uuid",
    "uid",
    "guid",
    "message id",
    "msg id",
    "seq",
    "sequence",
    "sequence number",
    "seq no",
    "offset",
    "position",
    "lsn",
    "event no",
];
const SEQUENCES: [&str; 12] = [
    "seq",
    "sequence",
    "order",
    "n",
    "offset",
    "position",
    "lsn",
    "ordinal",
    "sequence number",
    "seq no",
    "event no",
    "id",
];
const VERSIONS: [&str; 5] = ["version", "schema", "v", "ver", "revision"];

/// Finds the envelope.
///
/// # Errors
/// The data owner's, where no field tells the type or the time of an event.
pub fn guess(lines: &Lines) -> Result<Envelope> {
    let table = &lines.table;
    let mut envelope = Envelope { payload: payload(table), ..Envelope::default() };
    let inner = envelope.payload.as_deref().and_then(|name| table.column(name));
    let builds = inner.map_or(&lines.builds, |column| &column.cells);
    let counted = || counted_time(table).map(|(column, unit)| (column, Some(unit)));
    let (time, unit) = time(table).map(|column| (column, None)).or_else(counted).ok_or_else(no_time)?;
    let event_type = event_type(table, builds).ok_or_else(no_type)?;
    let said = |column: &Column, what: &str| {
        let n = table.rows - table.missing(column);
        format!("`{}` is the {what}: in {} of {} lines", column.name, grouped(n), grouped(table.rows))
    };
    let types = event_type.distinct().len();
    let (agree, rows) = decides(&event_type.cells, builds);
    envelope.why.push(format!(
        "{}, {types} different; it decides which fields there are in {} of {}",
        said(event_type, "type"),
        grouped(agree as u64),
        grouped(rows as u64)
    ));
    envelope.event_type.clone_from(&event_type.name);
    envelope.time.clone_from(&time.name);
    envelope.unit = unit;
    let taken = |column: &&Column| column.name != event_type.name && column.name != time.name;
    envelope.is_local = time.shape.local_instants > 0;
    let local = match (time.shape.local_instants, unit) {
        (_, Some(unit)) => format!(", numbers that are times of our days as {} since 1970", since(unit)),
        (0, None) => String::new(),
        (local, None) => format!(", {} of them without an offset", grouped(local)),
    };
    envelope.why.push(format!("{}{local}", said(time, "time")));
    if let Some(column) = version(table, &taken) {
        envelope.why.push(format!(
            "{}, from {} to {}",
            said(column, "version"),
            column.shape.smallest,
            column.shape.largest
        ));
        envelope.version = Some(column.name.clone());
    }
    match inner {
        Some(column) => envelope.why.push(said(column, "payload")),
        None => {
            envelope.why.push("no object holds a payload: its fields stand beside the envelope's".to_owned())
        }
    }
    let is_version = |column: &&Column| Some(&column.name) == envelope.version.as_ref();
    let free = |column: &&Column| taken(column) && !is_version(column);
    let id = id(lines, &free);
    if let Some((column, twice)) = id {
        let twice = match twice {
            0 => "no two events share one".to_owned(),
            twice => format!("{} lines have one that another line had, with other content", grouped(twice)),
        };
        envelope.why.push(format!("{}; {twice}", said(column, "id")));
        envelope.id = Some(column.name.clone());
    }
    if let Some((column, rises, steps)) = order(table, id.map(|(column, _)| column), &free) {
        let rises = format!("it rises in {} of {} steps", grouped(rises), grouped(steps));
        envelope.why.push(format!("{}; {rises}", said(column, "order")));
        envelope.order = Some(column.name.clone());
    }
    if envelope.payload.is_some() {
        let names = table.columns.iter().map(|column| &column.name);
        envelope.beside = names.filter(|name| !envelope.has(name)).cloned().collect();
    }
    Ok(envelope)
}

impl Envelope {
    /// Whether a field of this name belongs to it.
    pub fn has(&self, name: &str) -> bool {
        let others = [&self.version, &self.payload, &self.id, &self.order];
        self.event_type == name
            || self.time == name
            || others.into_iter().flatten().any(|other| other == name)
    }
}

/// The place of a name in a list of names, the most telling first.
fn rank(column: &Column, names: &[&str]) -> Option<usize> {
    let name = words(&column.name).join(" ");
    names.iter().position(|known| *known == name)
}

fn is_nearly(part: u64, whole: u64, share: u64) -> bool {
    part * 100 >= whole * share
}

fn payload(table: &Table) -> Option<String> {
    let objects: Vec<&Column> =
        table.columns.iter().filter(|column| is_nearly(column.shape.objects, table.rows, 90)).collect();
    let named =
        objects.iter().filter_map(|column| Some((rank(column, &PAYLOADS)?, column))).min_by_key(|it| it.0);
    let others = table.columns.len() - objects.len();
    let alone = objects.iter().find(|column| rank(column, &ASIDE).is_none() && others <= 6);
    named.map(|(_, column)| column).or(alone).map(|column| column.name.clone())
}

fn time(table: &Table) -> Option<&Column> {
    let is_time =
        |column: &&Column| is_nearly(column.shape.instants + column.shape.local_instants, table.rows, 90);
    let is_later = |column: &Column| has_any(&words(&column.name), &LATER);
    let key = |column: &&Column| (is_later(column), rank(column, &TIMES).unwrap_or(TIMES.len()));
    table.columns.iter().filter(is_time).min_by_key(key)
}

/// A number that its name calls a time, and the unit in which all its values lie in our days.
fn counted_time(table: &Table) -> Option<(&Column, Unit)> {
    /// From 2000 to 2100, in seconds.
    const OUR_DAYS: std::ops::RangeInclusive<i64> = 946_684_800..=4_102_444_800;
    let unit = |column: &Column| {
        let shape = &column.shape;
        let units = [
            (Unit::Seconds, 1),
            (Unit::Milliseconds, 1_000),
            (Unit::Microseconds, 1_000_000),
            (Unit::Nanoseconds, 1_000_000_000),
        ];
        let is_ours = |per_second: i64| {
            OUR_DAYS.contains(&(shape.smallest / per_second))
                && OUR_DAYS.contains(&(shape.largest / per_second))
        };
        let found = units.into_iter().find(|(_, per_second)| is_ours(*per_second));
        found.filter(|_| is_nearly(shape.integers, table.rows, 90)).map(|(unit, _)| unit)
    };
    let named =
        table.columns.iter().filter_map(|column| Some((rank(column, &TIMES)?, column, unit(column)?)));
    named.min_by_key(|(rank, ..)| *rank).map(|(_, column, unit)| (column, unit))
}

fn since(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Milliseconds => "milliseconds",
        Unit::Microseconds => "microseconds",
        Unit::Nanoseconds => "nanoseconds",
    }
}

fn event_type<'t>(table: &'t Table, builds: &[u64]) -> Option<&'t Column> {
    let may = |column: &&Column| {
        is_nearly(column.shape.names, table.rows, 90) && column.shape.instants + column.shape.dates == 0
    };
    // How well it decides what fields there are counts most; a telling name is worth a tenth.
    let score = |column: &Column| {
        let (agree, rows) = decides(&column.cells, builds);
        let distinct = column.distinct().len();
        let named = rank(column, &TYPES);
        if rows == 0 || (named.is_none() && (distinct > 1_000 || distinct * 2 > rows)) || distinct > 5_000 {
            return None;
        }
        let name = named.map_or(0, |rank| 200 - rank * 5);
        Some((agree * 1_000 / rows + name, std::cmp::Reverse(distinct)))
    };
    let scored = table.columns.iter().filter(may).filter_map(|column| Some((score(column)?, column)));
    // The first of equals.
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, column)| column)
}

fn version<'t>(table: &'t Table, free: &dyn Fn(&&Column) -> bool) -> Option<&'t Column> {
    let is_version = |column: &&Column| {
        let shape = &column.shape;
        let small = shape.integers > 0 && shape.smallest >= 1 && shape.largest <= 1_000;
        let only = shape.integers == shape.values() && column.distinct().len() <= 20;
        small && only && has_any(&words(&column.name), &VERSIONS)
    };
    table.columns.iter().filter(free).find(is_version)
}

/// The id, and how many lines bear one that another content had before.
fn id<'t>(lines: &'t Lines, free: &dyn Fn(&&Column) -> bool) -> Option<(&'t Column, u64)> {
    let table = &lines.table;
    let twice = |column: &Column| {
        let mut first: HashMap<u64, u64> = HashMap::new();
        let pairs = column.cells.iter().zip(&lines.contents).filter(|(cell, _)| **cell != 0);
        pairs.filter(|(cell, content)| *first.entry(**cell).or_insert(**content) != **content).count() as u64
    };
    let may = |column: &'t Column| {
        let named = rank(column, &IDS)?;
        let scalar = column.shape.texts + column.shape.integers;
        let twice = twice(column);
        let few = if table.rows >= 20 { (table.rows / 200).max(2) } else { 0 };
        (is_nearly(scalar, table.rows, 98) && twice <= few).then_some((named, column, twice))
    };
    let found = table.columns.iter().filter(free).filter_map(may).min_by_key(|(named, _, _)| *named);
    found.map(|(_, column, twice)| (column, twice))
}

/// The order, in how many steps it rises, and how many there are.
fn order<'t>(
    table: &'t Table,
    id: Option<&'t Column>,
    free: &dyn Fn(&&Column) -> bool,
) -> Option<(&'t Column, u64, u64)> {
    let may = |column: &'t Column| {
        let named = rank(column, &SEQUENCES)?;
        let values: Vec<i128> = column.numbers.iter().flatten().map(|(number, _)| *number).collect();
        let steps = values.len().saturating_sub(1) as u64;
        let rises = values.windows(2).filter(|pair| pair.first() < pair.last()).count() as u64;
        let shape = &column.shape;
        let is_integer = shape.integers > 0 && shape.integers == shape.values();
        let is_frequent = is_nearly(shape.integers, table.rows, 90) || words(&column.name) != ["id"];
        (is_integer && is_frequent && is_nearly(rises, steps, 60)).then_some((named, column, rises, steps))
    };
    let columns =
        table.columns.iter().filter(|column| free(column) || id.is_some_and(|id| id.name == column.name));
    let found = columns.filter_map(may).min_by_key(|(named, ..)| *named);
    found.map(|(_, column, rises, steps)| (column, rises, steps))
}

fn no_type() -> Error {
    Error::data("no field of the lines tells the type of an event").next(
        "each line needs a text field that says what happened, such as \"type\": \"Opened\", beside its time; \
         add one where the log is written",
    )
}

fn no_time() -> Error {
    Error::data("no field of the lines holds the time of an event").next(
        "each line needs a field beside its payload with the time of the event, 2024-05-01T12:00:00Z (RFC 3339), or a \
         number since 1970 under a name like `timestamp`",
    )
}

/// `12345` → `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<String> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(",")
}
