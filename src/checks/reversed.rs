//! Reversals and amended rows bear the keys of the line that they take back (DESIGN 19, 20).
//!
//! What stands before the placing of its line in valid order is applied right after it; so the order in
//! which a line's rows came about is valid order, with the rows before the first placing moved behind it.
//! Order matters only where the rows of a line bear different keys.

use super::moved;
use super::plan::{Plan, named};
use super::rows::Ledger;
use super::sql::{any, column, columns, name, present};
use crate::model::FactAction;

/// The name of the check.
pub(super) const REVERSED_KEYS: &str = "reversals bear the keys of the lines that they reverse";

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    if ledger.lines().is_some() {
        plan.prepare.push(moved::create(ledger));
    }
    if !ledger.fact.roles.is_empty() {
        plan.check(&ledger.title, REVERSED_KEYS, wrong_keys(ledger, &mixed_rows(ledger)));
    }
}

/// The check's full name.
pub(super) fn check_name(ledger: &Ledger<'_>) -> String {
    named(&ledger.title, REVERSED_KEYS)
}

/// The rows of all lines whose rows bear different keys, or that no row places.
fn mixed_rows(ledger: &Ledger<'_>) -> String {
    let hash = ledger.line_hash("f");
    let present = present("f", &ledger.header());
    let differ = ledger.role_keys().into_iter().map(|key| {
        let key = column("f", &key);
        format!("min({key}) IS DISTINCT FROM max({key})")
    });
    let unplaced = format!("NOT bool_or({})", ledger.placing("f"));
    format!(
        "SELECT f.* FROM {rows} AS f WHERE {present} AND {hash} IN (
SELECT {hash} FROM {rows} AS f WHERE {present} AND {hash} IN (
SELECT {hash} FROM {rows} AS f WHERE {present} AND NOT {})
GROUP BY {hash} HAVING {})",
        ledger.placing("f"),
        any(std::iter::once(unplaced).chain(differ)),
        rows = ledger.table,
    )
}

/// Among some rows (`rows`, whole lines), those that bear other keys than the placing before them.
fn wrong_keys(ledger: &Ledger<'_>, rows: &str) -> String {
    let keys = ledger.role_keys();
    let placed = |key: &str| name(&format!("placed {key}"));
    let expected: Vec<String> = keys
        .iter()
        .map(|key| {
            let value = name(key);
            format!(
                "last_value(CASE WHEN _placing THEN {value} END IGNORE NULLS) OVER applied AS {}",
                placed(key)
            )
        })
        .collect();
    let line: Vec<String> = ledger.line().iter().map(|column| name(column)).collect();
    let shown: Vec<String> = keys.iter().flat_map(|key| [name(key), placed(key)]).collect();
    let differ = keys.iter().map(|key| format!("{} IS DISTINCT FROM {}", name(key), placed(key)));
    format!(
        "SELECT position, item, kind, {line}, {} FROM (
SELECT *, {}
FROM ({})
WINDOW applied AS (PARTITION BY {line} ORDER BY {}
  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
WHERE NOT _placing AND {}",
        shown.join(", "),
        expected.join(", "),
        ranked(ledger, rows),
        APPLIED.join(", "),
        any(differ),
        line = line.join(", "),
    )
}

/// Some rows of the ledger (`rows`, whole lines), each with `_rank`, its place in valid order, `_begin`, that
/// of its line's first placing, and `_begins`, whether it is of that placing.
///
/// What waits for a line is applied after the whole list that places it, unless each item has its own header.
pub(super) fn ranked(ledger: &Ledger<'_>, rows: &str) -> String {
    let line: Vec<String> = ledger.line().iter().map(|column| name(column)).collect();
    let line = line.join(", ");
    let placing = ledger.placing("f");
    let placed_by_item = ledger
        .bindings(|action| matches!(action, FactAction::Place { .. }))
        .any(|binding| binding.header.iter().any(|field| field.list.is_some()));
    let event = if placed_by_item { "(f.position, f.item)" } else { "f.position" };
    format!(
        "SELECT *, max(_rank) FILTER (_begins) OVER (PARTITION BY {line}) AS _begin FROM (
SELECT *, _event = first_value(CASE WHEN _first THEN _event END IGNORE NULLS) OVER (
  PARTITION BY {line} ORDER BY _rank ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS _begins FROM (
SELECT f.*, {placing} AS _placing, {} AS _first, {event} AS _event,
  row_number() OVER (PARTITION BY {} ORDER BY e._time, e._order NULLS FIRST, f.position, f.item, {placing}) AS _rank
FROM ({rows}) AS f JOIN ({}) AS e ON e._position = f.position))",
        ledger.first("f"),
        columns("f", &ledger.line()),
        instants(ledger),
    )
}

/// The order in which ranked rows of a line came about; each part may be followed by `DESC`.
pub(super) const APPLIED: [&str; 3] = ["greatest(_rank, _begin)", "NOT _begins", "_rank"];

/// Position → the place of an event in valid order.
fn instants(ledger: &Ledger<'_>) -> String {
    let mut selects: Vec<String> = Vec::new();
    for binding in ledger.bindings(|action| !matches!(action, FactAction::Header | FactAction::Milestone)) {
        let select = format!("SELECT _position, _time, _order FROM {}", ledger.events(binding));
        if !selects.contains(&select) {
            selects.push(select);
        }
    }
    selects.join(" UNION ALL ")
}

/// For the proof: wrong keys among the lines that were amended.
pub(super) fn wrong_amended_keys(ledger: &Ledger<'_>) -> String {
    let rows = format!(
        "SELECT f.* FROM {} AS f WHERE {} AND {} IN (SELECT _line FROM {} WHERE _amended)",
        ledger.table,
        present("f", &ledger.header()),
        ledger.line_hash("f"),
        moved::lines(ledger),
    );
    wrong_keys(ledger, &rows)
}
