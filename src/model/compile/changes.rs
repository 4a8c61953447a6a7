//! `[log.tables]` and `[log.outbox]` → which event is a change of a row?

use super::contracts::Contracts;
use super::types::MOST_DIGITS;
use crate::model::{Becoming, ChangedTable, Outbox, Unit};
use crate::spec::{At, LogSpec, Problems, Span, TableSpec, UnitSpec};
use std::collections::HashMap;

pub(super) fn compile(log: &LogSpec, contracts: &Contracts, problems: &mut Problems) -> Vec<ChangedTable> {
    let mut tables: Vec<ChangedTable> = Vec::new();
    for (name, spec) in log.tables.iter() {
        needs_payload(log, name.span, problems);
        let table = one(name, spec, log, contracts, problems);
        if tables.iter().any(|other| other.table == table.table) {
            let place = spec.table.as_ref().unwrap_or(name);
            let message = format!("the table `{}` is declared twice", table.table);
            problems.add(place.span, message, "remove one, or name more of `database.schema.table`");
        }
        tables.push(table);
    }
    tables
}

/// The columns of an outbox, those of Debezium's event router where they are not declared.
pub(super) fn outbox(log: &LogSpec, problems: &mut Problems) -> Outbox {
    let spec = log.outbox.as_ref();
    let named = |written: Option<&At<String>>, default: &str| {
        written.map_or_else(|| default.to_owned(), |written| written.value.clone())
    };
    if let Some(place) = spec.and_then(|spec| {
        [&spec.table, &spec.id, &spec.event_type, &spec.version, &spec.payload, &spec.time]
            .into_iter()
            .flatten()
            .next()
    }) {
        needs_payload(log, place.span, problems);
    }
    Outbox {
        table: spec.and_then(|spec| spec.table.as_ref()).map(|table| table.value.clone()),
        id: named(spec.and_then(|spec| spec.id.as_ref()), "id"),
        event_type: named(spec.and_then(|spec| spec.event_type.as_ref()), "type"),
        version: spec.and_then(|spec| spec.version.as_ref()).map(|version| version.value.clone()),
        payload: named(spec.and_then(|spec| spec.payload.as_ref()), "payload"),
        time: spec.and_then(|spec| spec.time.as_ref()).map(|time| time.value.clone()),
        unit: spec.and_then(|spec| spec.unit.as_ref()).map(|written| unit(written.value)),
    }
}

/// Rows are told from what stands around them only where a payload does it.
pub(super) fn needs_payload(log: &LogSpec, place: Span, problems: &mut Problems) {
    if log.envelope.as_ref().is_some_and(|envelope| envelope.payload.is_none()) {
        problems.add(
            place,
            "rows of a table need an envelope with a `payload`",
            "a column may be called like a field of the envelope: add `payload = \"payload\"` to it",
        );
    }
}

fn one(
    name: &At<String>,
    spec: &TableSpec,
    log: &LogSpec,
    contracts: &Contracts,
    problems: &mut Problems,
) -> ChangedTable {
    let is_known = |event: &str| contracts.types.iter().any(|known| known.name == event);
    let is_ignored = |event: &str| log.ignore.iter().flatten().any(|ignored| ignored.value == event);
    let mut event = |written: &Option<At<String>>, default: String| match written {
        None => default,
        Some(written) => {
            if !is_known(&written.value) && !is_ignored(&written.value) {
                // Reports it, with what was meant.
                contracts.find(written, problems);
            }
            written.value.clone()
        }
    };
    let created = event(&spec.created, format!("{}.created", name.value));
    let found = event(&spec.found, created.clone());
    let changed = event(&spec.changed, format!("{}.changed", name.value));
    let closed = event(&spec.closed, format!("{}.closed", name.value));
    let mut becomes = Vec::new();
    for (column, values) in spec.becomes.iter() {
        for (value, written) in values.iter() {
            let event = event(&Some(written.clone()), String::new());
            becomes.push(Becoming { column: column.value.clone(), value: value.value.clone(), event });
        }
    }
    let events: Vec<&String> =
        [&created, &found, &changed, &closed].into_iter().chain(becomes.iter().map(|it| &it.event)).collect();
    let mut fields: HashMap<String, Vec<String>> = HashMap::new();
    for (field, column) in spec.fields.iter() {
        let types = contracts.types.iter().filter(|known| events.contains(&&known.name));
        let known: Vec<&str> =
            types.flat_map(|known| known.fields.iter().map(|field| field.name.as_str())).collect();
        // Of event types that are not there nothing is known; that was reported.
        if !known.is_empty() && !known.contains(&field.value.as_str()) {
            let message =
                format!("no event type of the table `{}` has a field `{}`", name.value, field.value);
            problems.unknown(field.span, message, &field.value, known);
        }
        fields.entry(column.value.clone()).or_default().push(field.value.clone());
    }
    let mut scales = HashMap::new();
    for (column, scale) in spec.scales.iter() {
        match u8::try_from(scale.value).ok().filter(|scale| *scale <= MOST_DIGITS) {
            Some(scale) => {
                scales.insert(column.value.clone(), scale);
            }
            None => {
                let message = format!("a decimal has 0 to {MOST_DIGITS} digits behind the point");
                problems.add(scale.span, message, "write the scale of the column in the database");
            }
        }
    }
    if let Some(empty) = spec.table.as_ref().filter(|table| table.value.is_empty()) {
        problems.add(empty.span, "an empty table name", "name the table as the database does");
    }
    ChangedTable {
        name: name.value.clone(),
        table: spec.table.as_ref().unwrap_or(name).value.clone(),
        created,
        found,
        changed,
        closed,
        becomes,
        time: spec.time.as_ref().map(|column| column.value.clone()),
        fields,
        scales,
        times: spec.times.iter().map(|(column, of)| (column.value.clone(), unit(of.value))).collect(),
        decimals_are_text: spec.decimals.is_some(),
    }
}

pub(super) fn unit(spec: UnitSpec) -> Unit {
    match spec {
        UnitSpec::S => Unit::Seconds,
        UnitSpec::Ms => Unit::Milliseconds,
        UnitSpec::Us => Unit::Microseconds,
        UnitSpec::Ns => Unit::Nanoseconds,
    }
}
