//! Versions of members by themselves, and against the events that open and close them (DESIGN 10-12, 15, 16).

use super::lookup::{self, END, Lookup, NOT_APPLICABLE, UNKNOWN};
use super::plan::{Plan, Tables};
use super::source::scan;
use super::sql::{all, any, cast, columns, field, name};
use crate::model::{Dimension, DimensionAction, Entity, Model};

const KEYS: &str = "keys are unique, and the reserved rows are there";
const INTERVALS: &str = "intervals are not empty and do not overlap";
const LIVE: &str = "a live member has one current version, a closed one none";

pub(super) fn plan(plan: &mut Plan, model: &Model, dimension: &Dimension, tables: &Tables) {
    let lookup = lookup::wide(dimension, tables);
    keys(plan, &lookup.title, &lookup.temporary, "_key");
    intervals(plan, &lookup);
    if let Some(bottom) = dimension.entities.first() {
        live(plan, model, bottom, &lookup, tables);
    }
}

/// Keys of a table: not null, unique, positive except the two reserved ones, which are there.
pub(super) fn keys(plan: &mut Plan, title: &str, table: &str, key: &str) {
    plan.check(
        title,
        KEYS,
        format!(
            "SELECT {key} AS key, count(*) AS rows FROM {table} GROUP BY {key}
HAVING count(*) > 1 OR {key} IS NULL OR NOT ({key} > 0 OR {key} IN ({UNKNOWN}, {NOT_APPLICABLE}))
UNION ALL
SELECT reserved, 0 FROM (VALUES ({UNKNOWN}), ({NOT_APPLICABLE})) AS r(reserved)
WHERE NOT EXISTS (FROM {table} WHERE {key} = reserved)"
        ),
    );
}

/// A version has a member and half of an open interval; a reserved row has neither.
pub(super) fn intervals(plan: &mut Plan, lookup: &Lookup) {
    let natural = columns("v", &lookup.natural);
    let missing = any(lookup.natural.iter().map(|column| format!("v.{} IS NULL", name(column))));
    let reserved = any(lookup
        .natural
        .iter()
        .map(|column| format!("v.{} IS NOT NULL", name(column)))
        .chain(["v.valid_from IS NOT NULL".to_owned(), "v.valid_to IS NOT NULL".to_owned()]));
    plan.check(
        &lookup.title,
        INTERVALS,
        format!(
            "SELECT v._key AS {}, {natural}, v.valid_from, v.valid_to, v.is_current
FROM {} AS v
WHERE CASE WHEN v._key < 0 THEN {reserved}
  ELSE {missing} OR (v.valid_from < v.valid_to AND v.valid_to <= v._until) IS NOT TRUE
    OR v.is_current IS DISTINCT FROM (v.valid_to = {END}) OR v.is_inferred IS NULL END",
            name(&lookup.key),
            lookup.temporary,
        ),
    );
}

/// Who is live is computed again from the log: the last of a member's own events at its last instant.
pub(super) fn live(plan: &mut Plan, model: &Model, entity: &Entity, lookup: &Lookup, tables: &Tables) {
    if entity.events.is_empty() {
        return;
    }
    let natural: Vec<String> = lookup.natural.iter().map(|column| name(column)).collect();
    let natural = natural.join(", ");
    let events: Vec<String> =
        entity.events.iter().map(|binding| own_events(model, entity, binding, tables)).collect();
    let same = all(lookup.natural.iter().map(|column| {
        let column = name(column);
        format!("m.{column} = s.{column}")
    }));
    let either: Vec<String> = lookup
        .natural
        .iter()
        .map(|column| {
            let column = name(column);
            format!("coalesce(m.{column}, s.{column}) AS {column}")
        })
        .collect();
    plan.check(
        &lookup.title,
        LIVE,
        format!(
            "WITH events AS (
{}),
instants AS (
SELECT {natural}, _time, last(_sets ORDER BY _order NULLS FIRST, _position, _no) AS _live FROM events GROUP BY ALL),
said AS (
SELECT {natural}, bool_or(_live) AS has_versions, arg_max(_live, _time) AS is_live FROM instants GROUP BY ALL),
members AS (
SELECT {natural}, count(*) AS versions, count(*) FILTER (is_current) AS current_versions, bool_or(is_inferred) AS is_inferred
FROM {} WHERE _key > 0 GROUP BY ALL)
SELECT {}, versions, current_versions, is_inferred, has_versions, is_live
FROM members AS m FULL JOIN said AS s ON {same}
WHERE CASE WHEN m.versions IS NULL THEN s.has_versions
  WHEN coalesce(s.has_versions, false) THEN m.is_inferred OR m.current_versions <> s.is_live::INTEGER
  ELSE NOT m.is_inferred OR m.versions <> 1 OR m.current_versions <> 1 END",
            events.join("\nUNION ALL\n"),
            lookup.temporary,
            either.join(", "),
        ),
    );
}

fn own_events(
    model: &Model,
    entity: &Entity,
    binding: &crate::model::DimensionEvent,
    tables: &Tables,
) -> String {
    let event = &model.events[binding.event];
    let sets = matches!(binding.action, DimensionAction::Set { .. });
    let fields: Vec<String> = binding.key.iter().map(|reference| field(event, *reference)).collect();
    let columns: Vec<String> = entity
        .key
        .iter()
        .zip(&fields)
        .map(|(key, field)| format!("{} AS {}", cast(field, key.value_type), name(&key.name)))
        .collect();
    format!(
        "SELECT {}, e._time, e._order, e._position, e._no, {sets} AS _sets FROM {} WHERE {}",
        columns.join(", "),
        scan(&tables.log, event, binding.list),
        all(fields.iter().map(|field| format!("{field} IS NOT NULL"))),
    )
}
