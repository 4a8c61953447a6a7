//! `[log.rows]` → which event is a row of a file?

use super::changes::{needs_payload, unit};
use super::contracts::Contracts;
use crate::model::{EventOfRow, Rows};
use crate::spec::{At, LogSpec, Problems, RowsSpec};
use std::collections::HashMap;

pub(super) fn compile(log: &LogSpec, contracts: &Contracts, problems: &mut Problems) -> Vec<Rows> {
    let rows = log.rows.iter().filter_map(|(name, spec)| {
        needs_payload(log, name.span, problems);
        one(name, spec, log, contracts, problems)
    });
    rows.collect()
}

fn one(
    name: &At<String>,
    spec: &RowsSpec,
    log: &LogSpec,
    contracts: &Contracts,
    problems: &mut Problems,
) -> Option<Rows> {
    let event = match (&spec.event, &spec.event_type) {
        (Some(event), None) => {
            contracts.find(event, problems);
            EventOfRow::Always(event.value.clone())
        }
        (None, Some(column)) => EventOfRow::Column(column.value.clone()),
        (given, _) => {
            let message = format!("rows of `{}` need either `event` or `type`", name.value);
            let hint = "`event` names the type of every row, `type` the column that names it";
            match given {
                None => problems.absent(name.span, message, hint),
                Some(_) => problems.add(name.span, message, hint),
            }
            return None;
        }
    };
    let has_id = log.envelope.as_ref().is_some_and(|envelope| envelope.id.is_some());
    if has_id && spec.id.is_none() {
        let message = format!("the envelope has an id, and rows of `{}` name no column for it", name.value);
        problems.absent(name.span, message, "name the column that identifies a row: `id = \"...\"`");
    }
    let known = contracts.types.iter().filter(|known| match &event {
        EventOfRow::Always(event) => known.name == *event,
        EventOfRow::Column(_) => true,
    });
    let known: Vec<&str> =
        known.flat_map(|known| known.fields.iter().map(|field| field.name.as_str())).collect();
    let mut fields: HashMap<String, Vec<String>> = HashMap::new();
    for (field, column) in spec.fields.iter() {
        // Of event types that are not there nothing is known; that was reported.
        if !known.is_empty() && !known.contains(&field.value.as_str()) {
            let message = format!("no event type of the rows `{}` has a field `{}`", name.value, field.value);
            problems.unknown(field.span, message, &field.value, known.iter().copied());
        }
        fields.entry(column.value.clone()).or_default().push(field.value.clone());
    }
    let delimiter = match spec.delimiter.as_ref().map(|written| (written, written.value.as_bytes())) {
        None => b',',
        Some((_, [one])) if !matches!(one, b'"' | b'\r' | b'\n') && one.is_ascii() => *one,
        Some((written, _)) => {
            problems.add(written.span, "no delimiter of columns", "one character, such as `;` or `\\t`");
            b','
        }
    };
    Some(Rows {
        name: name.value.clone(),
        event,
        time: spec.time.as_ref()?.value.clone(),
        id: spec.id.as_ref().map(|column| column.value.clone()),
        order: spec.order.as_ref().map(|column| column.value.clone()),
        fields,
        nulls: spec.nulls.iter().flatten().map(|text| text.value.clone()).collect(),
        delimiter,
        unit: spec.unit.as_ref().map(|written| unit(written.value)),
    })
}
