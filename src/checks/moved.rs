//! The temporary table of moved lines, those with rows beside their placings, and what a lines row must be
//! by it. It serves the proof alone: lines are known by a hash.

use super::rows::Ledger;
use super::sql::{any, column, name, present, table};

/// The temporary table: `_line`, whether it was `_amended`, the least and the most of the keys that its
/// other rows bear, and what reversals took of each measure.
pub(super) fn create(ledger: &Ledger<'_>) -> String {
    let keys: String = ledger
        .role_keys()
        .iter()
        .map(|key| {
            let value = column("f", key);
            format!(", min({value}) AS {}, max({value}) AS {}", least(key), most(key))
        })
        .collect();
    let amended = ledger.amended("f");
    let sums: String = ledger
        .additive()
        .map(|measure| {
            let value = column("f", &measure.name);
            format!(", coalesce(sum({value}) FILTER (NOT {amended}), 0) AS {}", taken(&measure.name))
        })
        .collect();
    format!(
        "CREATE OR REPLACE TEMP TABLE {} AS
SELECT {} AS _line, bool_or({amended}) AS _amended{keys}{sums}
FROM {} AS f WHERE {} AND NOT {} GROUP BY ALL",
        name(&short(ledger)),
        ledger.line_hash("f"),
        ledger.moves(),
        present("f", &ledger.header()),
        ledger.placing("f"),
    )
}

/// Its name.
pub(super) fn lines(ledger: &Ledger<'_>) -> String {
    table("temp", &short(ledger))
}

fn short(ledger: &Ledger<'_>) -> String {
    format!("checks_moved_{}", ledger.fact.name)
}

/// The lines table's column for what is left of a measure.
pub(super) fn left(measure: &str) -> String {
    format!("{measure}_left")
}

/// Of the row `l` of the lines table something else is left than was placed.
pub(super) fn changed(ledger: &Ledger<'_>) -> String {
    any(ledger.additive().map(|measure| {
        format!("{} IS DISTINCT FROM {}", column("l", &measure.name), column("l", &left(&measure.name)))
    }))
}

/// Of the row `l`, moved as `m` says, something else is left than was placed and not taken.
pub(super) fn wrongly_left(ledger: &Ledger<'_>) -> String {
    any(ledger.additive().map(|measure| {
        let left = column("l", &left(&measure.name));
        format!("{left} IS DISTINCT FROM {} + m.{}", column("l", &measure.name), taken(&measure.name))
    }))
}

/// A reversal of the row `l`, moved as `m` says and never amended, bears other keys than it.
pub(super) fn wrongly_keyed(ledger: &Ledger<'_>) -> String {
    let differ = any(ledger.role_keys().iter().flat_map(|key| {
        [least(key), most(key)].map(|edge| format!("{} IS DISTINCT FROM m.{edge}", column("l", key)))
    }));
    format!("NOT m._amended AND {differ}")
}

fn least(key: &str) -> String {
    name(&format!("least {key}"))
}

fn most(key: &str) -> String {
    name(&format!("most {key}"))
}

fn taken(measure: &str) -> String {
    name(&format!("taken {measure}"))
}
