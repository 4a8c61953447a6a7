//! Reversals and amended rows bear the keys of the line that they take back (DESIGN 19, 20).
//!
//! What stands before the placing of its line in valid order is applied right after it; so the order in
//! which a line's rows came about is valid order, with the rows before the first placing moved behind it.
//! A reversal by members goes on waiting until a line becomes one of its members', by an amendment or by a second
//! placing; only then may its row bear the keys of a placing behind it. Which of several such placings it was,
//! nobody asks here. Order matters only where the rows of a line bear different keys.

use super::moved;
use super::plan::{Plan, named};
use super::rows::{Ledger, role_key};
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
    let placed = |key: &str| name(&placed_key(key));
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
    let line = line.join(", ");
    let (mut later, mut window) = (String::new(), String::new());
    if ledger.by_members().next().is_some() {
        let quoted: Vec<String> = keys.iter().map(|key| name(key)).collect();
        later = format!(", list({}) FILTER (_placing) OVER later AS _later", keys_hash(&quoted));
        window = format!(
            ",
  later AS (PARTITION BY {line} ORDER BY {} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)",
            APPLIED.join(", ")
        );
    }
    let wrong = format!(
        "SELECT * FROM (
SELECT *, {}{later}
FROM ({})
WINDOW applied AS (PARTITION BY {line} ORDER BY {}
  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING){window})
WHERE NOT _placing AND {}",
        expected.join(", "),
        ranked(ledger, rows),
        APPLIED.join(", "),
        any(differ),
    );
    let waited = found_later(ledger);
    let unless = if waited.is_empty() { waited } else { format!(" WHERE NOT ({waited})") };
    format!("SELECT position, item, kind, {line}, {} FROM ({wrong}) AS r{unless}", shown.join(", "))
}

/// The row `r`, which bears other keys than the placing before it, is of a reversal by members, and has found its
/// line by a later placing: it bears the keys of one, and the placing before it was of other members. Empty: there
/// are no such reversals.
fn found_later(ledger: &Ledger<'_>) -> String {
    let keys: Vec<String> = ledger.role_keys().iter().map(|key| format!("r.{}", name(key))).collect();
    let ways: Vec<String> = ledger
        .by_members()
        .map(|(binding, roles)| {
            let other = any(roles.map(|role| {
                let member = |key: &str| {
                    format!(
                        "(SELECT any_value(v._natural) FROM {} AS v WHERE v._key = r.{})",
                        ledger.lookup(role).temporary,
                        name(key)
                    )
                };
                let key = role_key(role);
                format!("{} IS DISTINCT FROM {}", member(&key), member(&placed_key(&key)))
            }));
            format!("WHEN {} THEN {other}", binding.event)
        })
        .collect();
    if ways.is_empty() {
        return String::new();
    }
    format!(
        "coalesce(list_contains(r._later, {}), false) AND CASE r._by_members {} ELSE false END",
        keys_hash(&keys),
        ways.join(" ")
    )
}

/// The column for the key of the placing before a row.
fn placed_key(key: &str) -> String {
    format!("placed {key}")
}

fn keys_hash(keys: &[String]) -> String {
    format!("hash({})", keys.join(", "))
}

/// Some rows of the ledger (`rows`, whole lines), each with `_rank`, its place in valid order, `_begin`, that
/// of its line's first placing, and `_begins`, whether it is of that placing.
///
/// What waits for a line is applied after the whole list that places it.
pub(super) fn ranked(ledger: &Ledger<'_>, rows: &str) -> String {
    let line: Vec<String> = ledger.line().iter().map(|column| name(column)).collect();
    let line = line.join(", ");
    let placing = ledger.placing("f");
    let by_members = if ledger.by_members().next().is_some() { ", e._by_members" } else { "" };
    format!(
        "SELECT *, max(_rank) FILTER (_begins) OVER (PARTITION BY {line}) AS _begin FROM (
SELECT *, position = first_value(CASE WHEN _first THEN position END IGNORE NULLS) OVER (
  PARTITION BY {line} ORDER BY _rank ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS _begins FROM (
SELECT f.*, {placing} AS _placing, {} AS _first{by_members},
  row_number() OVER (PARTITION BY {} ORDER BY e._time, e._order NULLS FIRST, f.position, f.item, {placing}) AS _rank
FROM ({rows}) AS f JOIN ({}) AS e ON e._position = f.position))",
        ledger.first("f"),
        columns("f", &ledger.line()),
        instants(ledger),
    )
}

/// The order in which ranked rows of a line came about; each part may be followed by `DESC`.
pub(super) const APPLIED: [&str; 3] = ["greatest(_rank, _begin)", "NOT _begins", "_rank"];

/// Position → the place of an event in valid order; `_by_members`, if the fact has such reversals, tells them apart.
fn instants(ledger: &Ledger<'_>) -> String {
    let mut selects: Vec<String> = Vec::new();
    let by_members: Vec<usize> = ledger.by_members().map(|(binding, _)| binding.event).collect();
    for binding in ledger.bindings(|action| !matches!(action, FactAction::Header | FactAction::Milestone)) {
        let mark = match by_members.contains(&binding.event) {
            _ if by_members.is_empty() => String::new(),
            true => format!(", {} AS _by_members", binding.event),
            false => ", NULL::INTEGER AS _by_members".to_owned(),
        };
        let select = format!("SELECT _position, _time, _order{mark} FROM {}", ledger.events(binding));
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
