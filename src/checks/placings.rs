//! Placed rows against the log: each item is one row, its values are the log's, its keys those of its time
//! (DESIGN 13, 15, 16, 22).

use super::lookup::{in_time, part, reserved};
use super::plan::Plan;
use super::rows::{Ledger, role_key};
use super::source::{placed, with_headers};
use super::sql::{all, any, column, name};
use crate::model::Role;

/// Every item that does not wait for its header is one row, and says what the log says.
pub(super) const AS_LOGGED: &str = "every placed line of the log is one row";

/// The name of the check of a role's keys.
pub(super) fn of_its_time(role: &Role) -> String {
    format!("{} of a placed line is the version of its time", role_key(role))
}

/// The columns of a placed row that come from the log as they are.
pub(super) fn logged_columns(ledger: &Ledger<'_>) -> Vec<String> {
    let mut columns = ledger.line();
    columns.extend(ledger.fact.columns.iter().map(|column| column.name.clone()));
    columns.extend(ledger.fact.measures.iter().map(|measure| measure.name.clone()));
    columns
}

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    let items = format!("{}items AS (\n{})", with_headers(ledger), placed(ledger));
    let first = ledger.first("f");
    let rows = format!("(SELECT * FROM {} AS f WHERE {first})", ledger.table);

    let mut compared = vec!["kind".to_owned(), "occurred_at".to_owned()];
    compared.extend(logged_columns(ledger));
    let differs = |column: &String| {
        let column = name(column);
        format!("f.{column} IS DISTINCT FROM i.{column}")
    };
    let problems: Vec<String> = compared
        .iter()
        .map(|column| format!("WHEN {} THEN {}", differs(column), super::sql::literal(column)))
        .collect();
    plan.check(
        &ledger.title,
        AS_LOGGED,
        format!(
            "{items}
SELECT coalesce(i.position, f.position) AS position, coalesce(i.item, f.item) AS item,
  CASE WHEN f.position IS NULL THEN 'no row' WHEN i.position IS NULL THEN 'no event' {} END AS problem
FROM items AS i FULL JOIN {rows} AS f ON f.position = i.position AND f.item = i.item
WHERE f.position IS NULL OR i.position IS NULL OR {}",
            problems.join(" "),
            any(compared.iter().map(differs)),
        ),
    );
    for role in &ledger.fact.roles {
        let key = name(&role_key(role));
        let natural = natural_columns(ledger, role, "i").join(", ");
        plan.check(
            &ledger.title,
            &of_its_time(role),
            format!(
                "{items}
SELECT f.position, f.item, f.occurred_at, f.{key}, {natural}
FROM items AS i JOIN {rows} AS f ON f.position = i.position AND f.item = i.item
LEFT JOIN {} AS v ON v._key = f.{key}
WHERE ({}) IS NOT TRUE",
                ledger.lookup(role).temporary,
                rule(ledger, role, "f", "i", "v"),
            ),
        );
    }
}

/// The parts of a role's natural key in a relation of items.
pub(super) fn natural_columns(ledger: &Ledger<'_>, role: &Role, alias: &str) -> Vec<String> {
    ledger.natural_key(role).iter().map(|key| format!("{alias}.{}", part(&role.name, &key.name))).collect()
}

/// The row `f` bears the key that the item `i` gives; `v` is the version that the key names.
pub(super) fn rule(ledger: &Ledger<'_>, role: &Role, row: &str, item: &str, version: &str) -> String {
    let key = column(row, &role_key(role));
    let reserved = format!("{item}.{}", reserved(&role.name));
    format!(
        "CASE WHEN {reserved} IS NOT NULL THEN {key} = {reserved} ELSE {} AND {} END",
        same_member(ledger, role, item, version),
        in_time(row, version)
    )
}

/// The version is one of the member that the item names.
pub(super) fn same_member(ledger: &Ledger<'_>, role: &Role, item: &str, version: &str) -> String {
    all(ledger
        .natural_key(role)
        .iter()
        .map(|key| format!("{} = {item}.{}", column(version, &key.name), part(&role.name, &key.name))))
}
