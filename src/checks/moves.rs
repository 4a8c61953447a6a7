//! Rows of reversals and amendments: which events they stand for, and which members these name
//! (DESIGN 19, 20, 22). `reversed` says whose keys they bear where they name none.

use super::lookup::{in_time, reserved};
use super::placings::{natural_columns, rule, same_member};
use super::plan::Plan;
use super::reversed;
use super::rows::{Ledger, role_key};
use super::source::moved;
use super::sql::{all, column, columns, equal, literal, name, present, same};
use crate::model::{FactAction, FactEvent, OverReversing, ReversalTarget, Role, Takes};

/// Rows that place no line by themselves are rows of their events.
const OF_EVENTS: &str = "reversals and amendments are of their events";
const OWN_KEYS: &str = "reversals without a header bear the keys of their own time";
const AMENDED_KEYS: &str = "amended lines bear the keys of the amendment's time";
const BOOKED: &str = "reversals and amendments of placed lines are booked";

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    let moves: Vec<&FactEvent> = ledger.reversals().chain(ledger.amendments()).collect();
    of_events(plan, ledger, &moves);
    if moves.is_empty() || ledger.fact.header.is_empty() {
        return;
    }
    reversed::plan(plan, ledger);
    let alone = alone(ledger);
    if !alone.is_empty() {
        plan.check(&ledger.title, OWN_KEYS, alone.join("\nUNION ALL\n"));
    }
    let amended: Vec<String> = ledger
        .amendments()
        .flat_map(|binding| ledger.fact.roles.iter().map(move |role| amended_keys(ledger, binding, role)))
        .collect();
    if !amended.is_empty() {
        plan.check(&ledger.title, AMENDED_KEYS, amended.join("\nUNION ALL\n"));
    }
    let booked: Vec<String> = moves.iter().filter_map(|binding| booked(ledger, binding)).collect();
    if !booked.is_empty() {
        plan.check(&ledger.title, BOOKED, booked.join("\nUNION ALL\n"));
    }
}

/// Every other row stands for a reversal or an amendment of its position and item.
fn of_events(plan: &mut Plan, ledger: &Ledger<'_>, moves: &[&FactEvent]) {
    let rows = ledger.moves();
    let header = ledger.header();
    let shown = columns("f", &ledger.line());
    let shown = if shown.is_empty() { String::new() } else { format!(", {shown}") };
    let sql = if moves.is_empty() {
        format!("SELECT f.position, f.item, f.kind{shown} FROM {rows} AS f")
    } else {
        let items: Vec<String> = moves
            .iter()
            .map(|binding| {
                let names: Vec<String> = header.iter().map(|column| name(column)).collect();
                let names = if names.is_empty() { String::new() } else { format!(", {}", names.join(", ")) };
                let amends = binding.action == FactAction::Amend;
                format!(
                    "SELECT position, item, kind, occurred_at, {amends} AS _amends{names} FROM ({})",
                    moved(ledger, binding)
                )
            })
            .collect();
        format!(
            "SELECT f.position, f.item, f.kind, f.occurred_at{shown}
FROM {rows} AS f LEFT JOIN ({}) AS i ON i.position = f.position AND i.item = f.item
WHERE i.position IS NULL OR i.occurred_at IS DISTINCT FROM f.occurred_at
  OR NOT (i.kind = f.kind OR i._amends AND {}) OR NOT {}",
            items.join("\nUNION ALL\n"),
            ledger.placing("f"),
            same("f", "i", &header),
        )
    };
    plan.check(&ledger.title, OF_EVENTS, sql);
}

/// Reversals that name no header, or cannot: rows with the keys of their own time.
fn alone(ledger: &Ledger<'_>) -> Vec<String> {
    let missing = format!("NOT {}", present("f", &ledger.header()));
    let mut selects = Vec::new();
    for binding in ledger.reversals() {
        let event = &ledger.model.events[binding.event];
        let certain =
            !binding.header.is_empty() && binding.header.iter().all(|field| !event.field(*field).optional);
        if certain {
            continue;
        }
        for role in &ledger.fact.roles {
            selects.push(format!(
                "SELECT f.position, f.item, f.kind, {} AS role, f.{} AS key
FROM {} AS f JOIN ({}) AS i ON i.position = f.position AND i.item = f.item
LEFT JOIN {} AS v ON v._key = f.{}
WHERE {missing} AND f.kind = {} AND ({}) IS NOT TRUE",
                literal(&role.name),
                name(&role_key(role)),
                ledger.moves(),
                moved(ledger, binding),
                ledger.lookup(role).temporary,
                name(&role_key(role)),
                literal(&binding.kind),
                rule(ledger, role, "f", "i", "v"),
            ));
        }
    }
    selects
}

/// The new row of an amendment: the members that the event names, else those of the row that it takes back.
fn amended_keys(ledger: &Ledger<'_>, binding: &FactEvent, role: &Role) -> String {
    let key = name(&role_key(role));
    let natural: Vec<String> = ledger.natural_key(role).iter().map(|key| key.name.clone()).collect();
    let lookup = ledger.lookup(role).temporary;
    format!(
        "SELECT f.position, f.item, f.kind, {} AS role, f.{key} AS key, {}
FROM {} AS f JOIN ({}) AS i ON i.position = f.position AND i.item = f.item
LEFT JOIN {} AS o ON o.position = f.position AND o.item = f.item AND o.kind = {} AND {}
LEFT JOIN {lookup} AS v ON v._key = f.{key}
LEFT JOIN {lookup} AS was ON was._key = o.{key}
WHERE {} AND (CASE WHEN i.{} IS NULL THEN {} AND {}
  WHEN o.{key} < 0 THEN f.{key} = o.{key} ELSE {} AND {} END) IS NOT TRUE",
        literal(&role.name),
        natural_columns(ledger, role, "i").join(", "),
        ledger.moves(),
        moved(ledger, binding),
        ledger.moves(),
        literal(&binding.kind),
        same("o", "f", &ledger.line()),
        ledger.placing("f"),
        reserved(&role.name),
        same_member(ledger, role, "i", "v"),
        in_time("f", "v"),
        equal("v", "was", &natural),
        in_time("f", "v"),
    )
}

/// Items of a binding without a row, although the ledger has what they reverse or amend. Those that may
/// rightly add no row (nothing left, a quantity of zero, more than is left where that is rejected) are left out.
fn booked(ledger: &Ledger<'_>, binding: &FactEvent) -> Option<String> {
    let (target, line_matters) = match &binding.action {
        FactAction::Amend => (None, true),
        FactAction::Reverse { target, .. } => (Some(target), matches!(target, ReversalTarget::Line)),
        FactAction::Header | FactAction::Place { .. } | FactAction::Milestone => return None,
    };
    let quantity = ledger.fact.quantity.and_then(|index| {
        let stated = binding.measures.get(index)?.is_some();
        stated.then(|| column("i", &ledger.fact.measures[index].name))
    });
    let due = match (&binding.action, quantity) {
        (FactAction::Reverse { over: OverReversing::Reject, .. }, _)
        | (FactAction::Reverse { takes: Takes::Left, .. }, None) => return None,
        (FactAction::Reverse { takes: Takes::Left, .. }, Some(quantity)) => {
            format!("{quantity} IS NOT NULL AND {quantity} <> 0")
        }
        (FactAction::Reverse { .. }, Some(quantity)) => format!("{quantity} IS DISTINCT FROM 0"),
        _ => "true".to_owned(),
    };
    let line = if line_matters { ledger.line() } else { ledger.header() };
    let mut joins = String::new();
    let mut members = Vec::new();
    if let Some(ReversalTarget::Members(roles)) = target {
        for role in roles.iter().filter_map(|index| ledger.fact.roles.get(*index)) {
            let alias = name(&format!("v {}", role.name));
            joins.push_str(&format!(
                " JOIN {} AS {alias} ON {alias}._key = f.{}",
                ledger.lookup(role).temporary,
                name(&role_key(role))
            ));
            members.push(same_member(ledger, role, "i", &alias));
        }
    }
    let shown = columns("i", &ledger.header());
    Some(format!(
        "SELECT DISTINCT i.position, i.item, i.kind, {shown}
FROM (SELECT i.* FROM ({}) AS i ANTI JOIN {} AS b ON b.position = i.position AND b.item = i.item AND b.kind = i.kind) AS i
JOIN (SELECT f.* FROM {} AS f WHERE {}) AS f ON {}{joins}
WHERE {due} AND {}",
        moved(ledger, binding),
        ledger.moves(),
        ledger.table,
        ledger.placing("f"),
        equal("f", "i", &line),
        all(members),
    ))
}
