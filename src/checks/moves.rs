//! Rows of reversals and amendments: which events they stand for, and which members these name
//! (DESIGN 19, 20, 22). `reversed` says whose keys they bear where they name none.

use super::lookup::{UNKNOWN, in_time, reserved};
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
const BY_MEMBERS: &str = "reversals by members bear the members that they name";
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
    let by_members: Vec<String> = ledger
        .by_members()
        .flat_map(|(binding, roles)| roles.map(move |role| named_members(ledger, binding, role)))
        .collect();
    if !by_members.is_empty() {
        plan.check(&ledger.title, BY_MEMBERS, by_members.join("\nUNION ALL\n"));
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

/// The new row of an amendment: the members that the event names, or nobody where it says null; where it is
/// silent, those of the row that it takes back.
fn amended_keys(ledger: &Ledger<'_>, binding: &FactEvent, role: &Role) -> String {
    let key = name(&role_key(role));
    let natural: Vec<String> = ledger.natural_key(role).iter().map(|key| key.name.clone()).collect();
    let lookup = ledger.lookup(role).temporary;
    let event = &ledger.model.events[binding.event];
    let own = ledger.fact.roles.iter().position(|other| other.name == role.name);
    let own = own.and_then(|index| binding.roles.get(index)).and_then(Option::as_ref);
    let nobody = if own.is_some_and(|fields| fields.iter().any(|field| event.field(*field).optional)) {
        format!("\n  WHEN i.{} = {UNKNOWN} THEN f.{key} = {UNKNOWN}", reserved(&role.name))
    } else {
        String::new()
    };
    format!(
        "SELECT f.position, f.item, f.kind, {} AS role, f.{key} AS key, {}
FROM {} AS f JOIN ({}) AS i ON i.position = f.position AND i.item = f.item
LEFT JOIN {} AS o ON o.position = f.position AND o.item = f.item AND o.kind = {} AND {}
LEFT JOIN {lookup} AS v ON v._key = f.{key}
LEFT JOIN {lookup} AS was ON was._key = o.{key}
WHERE {} AND (CASE WHEN i.{} IS NULL THEN {} AND {}{nobody}
  WHEN o.{key} < 0 THEN f.{key} = o.{key} ELSE {} AND {} END) IS NOT TRUE",
        literal(&role.name),
        named(ledger, role),
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

/// The natural key that an item names, as one column: roles have keys of different widths.
fn named(ledger: &Ledger<'_>, role: &Role) -> String {
    format!("row({})::VARCHAR AS natural_key", natural_columns(ledger, role, "i").join(", "))
}

/// A row of a reversal by members is about a line of the very member that it names.
fn named_members(ledger: &Ledger<'_>, binding: &FactEvent, role: &Role) -> String {
    let key = name(&role_key(role));
    format!(
        "SELECT f.position, f.item, f.kind, {} AS role, f.{key} AS key, {}
FROM {} AS f JOIN ({}) AS i ON i.position = f.position AND i.item = f.item AND i.kind = f.kind
LEFT JOIN {} AS v ON v._key = f.{key}
WHERE {} AND ({}) IS NOT TRUE",
        literal(&role.name),
        named(ledger, role),
        ledger.moves(),
        moved(ledger, binding),
        ledger.lookup(role).temporary,
        present("f", &ledger.header()),
        same_member(ledger, role, "i", "v"),
    )
}

/// The keys that each line bears by its last placing: those of the lines table. Without one, those of the lines
/// that were placed once.
fn last_placings(ledger: &Ledger<'_>) -> String {
    match ledger.lines() {
        Some((_, lines)) => lines,
        None => format!(
            "(SELECT f.* FROM {} AS f WHERE {} QUALIFY count(*) OVER (PARTITION BY {}) = 1)",
            ledger.table,
            ledger.placing("f"),
            columns("f", &ledger.line()),
        ),
    }
}

/// Items of a binding without a row, although the ledger has what they reverse or amend. Those that may
/// rightly add no row are left out: nothing left, a quantity of zero, more than is left where that is rejected, and
/// what takes lines as placed where one was placed with a quantity of zero.
///
/// A reversal by members is due where the last placing of a line is of its members: whatever came before, it
/// finds that line. What an amendment took back it may have come too late to find.
fn booked<'a>(ledger: &Ledger<'a>, binding: &'a FactEvent) -> Option<String> {
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
        for role in ledger.roles(roles) {
            let alias = name(&format!("v {}", role.name));
            joins.push_str(&format!(
                " JOIN {} AS {alias} ON {alias}._key = f.{}",
                ledger.lookup(role).temporary,
                name(&role_key(role))
            ));
            members.push(same_member(ledger, role, "i", &alias));
        }
    }
    let placings = format!("(SELECT f.* FROM {} AS f WHERE {})", ledger.table, ledger.placing("f"));
    let found = if members.is_empty() { placings.clone() } else { last_placings(ledger) };
    let of_nothing = match (&binding.action, ledger.fact.quantity) {
        (FactAction::Reverse { takes: Takes::Placed, .. }, Some(index)) => {
            let quantity = column("p", &ledger.fact.measures[index].name);
            let on = equal("p", "i", &line);
            format!("\nANTI JOIN (SELECT p.* FROM {placings} AS p WHERE {quantity} = 0) AS p ON {on}")
        }
        _ => String::new(),
    };
    let shown = columns("i", &ledger.header());
    Some(format!(
        "SELECT DISTINCT i.position, i.item, i.kind, {shown}
FROM (SELECT i.* FROM ({}) AS i ANTI JOIN {} AS b ON b.position = i.position AND b.item = i.item AND b.kind = i.kind) AS i
JOIN {found} AS f ON {}{joins}{of_nothing}
WHERE {due} AND {}",
        moved(ledger, binding),
        ledger.moves(),
        equal("f", "i", &line),
        all(members),
    ))
}
