//! One scan of the log, of the ledger and of the lines → do the large checks hold?
//!
//! Sums of 64-bit hashes of rows are compared instead of the rows: no join by position, no grouping by
//! line. Two lists of rows with the same sum are the same list, but for odds of about one in 2^60.
//! An amended row takes its line's hash back with the sign turned, so that what remains of a line's
//! placings is the last one, which is what the lines table holds.

use super::lines::{AGREES, AS_PLACED};
use super::lookup::{in_time, natural_hash, part, reserved};
use super::placings::{AS_LOGGED, of_its_time};
use super::plan::{Proof, named};
use super::rows::{DAY, Ledger, UNIQUE, exists, hash, role_key};
use super::source::{placed, with_headers};
use super::sql::{all, column, name};
use super::{amounts, moved, reversed};
use crate::model::Additivity;

/// The alias of the ledger's rows.
const LEDGER: &str = "f";

/// A claim: the checks that follow from a Boolean of the scan.
struct Claim {
    checks: Vec<String>,
    sql: String,
}

/// The proof of a fact's large checks.
pub(super) fn of(ledger: &Ledger<'_>) -> Option<Proof> {
    let source = placed(ledger);
    if source.is_empty() {
        return None;
    }
    let claims = claims(ledger);
    let totals: Vec<String> = ledger.additive().map(|measure| measure.name.clone()).collect();
    let mut select: Vec<String> = Vec::new();
    let mut checks = Vec::new();
    for claim in claims {
        for check in claim.checks {
            checks.push(check);
            select.push(claim.sql.clone());
        }
    }
    for total in &totals {
        let total = total_column(total);
        select.push(format!("i.{total}::VARCHAR"));
        select.push(format!("f.{total}::VARCHAR"));
    }
    let mut sql = format!(
        "{}counted AS (SELECT count(*) AS rows FROM {}),\ni AS (\n{}),\nf AS (\n{}),\nother AS (\n{})",
        with_headers(ledger),
        ledger.table,
        items(ledger, &source),
        rows(ledger),
        others(ledger)
    );
    let mut from = "counted, i, f, other".to_owned();
    if let Some((_, lines)) = ledger.lines() {
        sql.push_str(&format!(",\nl AS (\n{})", self::lines(ledger, &lines)));
        from.push_str(", l");
    }
    if may_be_amended(ledger) {
        sql.push_str(&format!(
            ",\nwrong AS (SELECT count(*) AS keys FROM (\n{}))",
            reversed::wrong_amended_keys(ledger)
        ));
        from.push_str(", wrong");
    }
    sql.push_str(&format!("\nSELECT {}\nFROM {from}", select.join(", ")));
    let totals = totals.iter().map(|total| format!("{}.{total}", ledger.title)).collect();
    Some(Proof { sql, checks, totals })
}

fn claims(ledger: &Ledger<'_>) -> Vec<Claim> {
    let fact = ledger.fact;
    let ours = |holds: &str| named(&ledger.title, holds);
    // Rows whose keys or day do not exist are lost in the scan's joins.
    let complete = "f.rows = counted.rows".to_owned();
    let logged = "i.rows = f.placed AND i.print IS NOT DISTINCT FROM f.print".to_owned();
    let mut claims = vec![
        Claim { checks: fact.roles.iter().map(|role| ours(&exists(role))).collect(), sql: complete.clone() },
        Claim { checks: vec![ours(DAY)], sql: format!("{complete} AND f.wrong_days = 0") },
        Claim { checks: vec![ours(AS_LOGGED)], sql: format!("{complete} AND {logged}") },
        Claim { checks: vec![ours(UNIQUE)], sql: format!("{complete} AND {logged} AND other.repeated = 0") },
        Claim {
            checks: fact.roles.iter().map(|role| ours(&of_its_time(role))).collect(),
            sql: format!("{complete} AND {logged} AND f.out_of_time = 0"),
        },
        Claim {
            checks: vec![ours(amounts::TOTALS)],
            sql: all(std::iter::once(complete.clone()).chain(ledger.additive().map(|measure| {
                let total = total_column(&measure.name);
                format!("i.{total} IS NOT DISTINCT FROM f.{total}")
            }))),
        },
    ];
    if let Some((title, _)) = ledger.lines() {
        // Rows are lines, and what remains of each line's placings is its row.
        let as_placed =
            format!("{complete} AND l.rows = l.lines AND l.print IS NOT DISTINCT FROM f.line_print");
        claims.push(Claim {
            checks: vec![named(&title, AGREES)],
            sql: format!("{as_placed} AND l.moved = l.all_moved AND l.wrongly_left = 0"),
        });
        if has_moved(ledger) && !fact.roles.is_empty() {
            let amended = if may_be_amended(ledger) { " AND wrong.keys = 0" } else { "" };
            claims.push(Claim {
                checks: vec![reversed::check_name(ledger)],
                sql: format!("{as_placed} AND l.moved = l.all_moved AND l.wrongly_keyed = 0{amended}"),
            });
        }
        claims.push(Claim { checks: vec![named(&title, AS_PLACED)], sql: as_placed });
    }
    claims
}

/// The log's side: how many items, the sum of their hashes, their totals.
fn items(ledger: &Ledger<'_>, source: &str) -> String {
    let members: Vec<String> = ledger
        .fact
        .roles
        .iter()
        .map(|role| {
            let natural: Vec<String> = ledger
                .natural_key(role)
                .iter()
                .map(|key| format!("i.{}", part(&role.name, &key.name)))
                .collect();
            natural_hash(&format!("i.{}", reserved(&role.name)), &natural.join(", "))
        })
        .collect();
    format!(
        "SELECT count(*) AS rows, sum({}) AS print{}\nFROM (SELECT i.*, {} AS _own FROM (\n{source}) AS i) AS i",
        row_hash(ledger, "i", &members),
        totals(ledger, "i", ""),
        own_hash(ledger, "i"),
    )
}

/// The ledger's side. The inner select names what several hashes share.
fn rows(ledger: &Ledger<'_>) -> String {
    let members: Vec<String> =
        ledger.fact.roles.iter().map(|role| format!("{}._natural", version(&role.name))).collect();
    let joins: String = ledger
        .fact
        .roles
        .iter()
        .map(|role| {
            let alias = version(&role.name);
            format!(
                "\nJOIN {} AS {alias} ON {alias}._key = f.{}",
                ledger.lookup(role).temporary,
                name(&role_key(role))
            )
        })
        .collect();
    let inside = all(ledger.fact.roles.iter().map(|role| in_time("f", &version(&role.name))));
    let hash = line_hash(ledger, LEDGER);
    let line_print = ledger.lines().map_or_else(String::new, |_| {
        format!(
            ", sum(CASE WHEN {} THEN {hash} WHEN {} THEN -{hash} END) AS line_print",
            ledger.placing("f"),
            ledger.amended("f"),
        )
    });
    format!(
        "SELECT count(*) AS rows, count(*) FILTER (d.date IS DISTINCT FROM {}) AS wrong_days,
  count(*) FILTER (f._first) AS placed, sum({}) FILTER (f._first) AS print,
  count(*) FILTER (f._first AND NOT {inside}) AS out_of_time{line_print}{}
FROM (SELECT f.*, {} AS _first, {} AS _own FROM {} AS f) AS f
JOIN {} AS d ON d.date_key = f.date_key{joins}",
        ledger.day("f"),
        row_hash(ledger, LEDGER, &members),
        totals(ledger, LEDGER, " FILTER (f._first)"),
        ledger.first(LEDGER),
        own_hash(ledger, LEDGER),
        ledger.table,
        ledger.dates(),
    )
}

/// Rows that no placing event stands for: few, so their keys are simply counted.
fn others(ledger: &Ledger<'_>) -> String {
    let mut key = vec!["f.position".to_owned(), "f.item".to_owned(), "f.kind".to_owned()];
    key.extend(ledger.fact.line.iter().map(|line| format!("f.{}", name(&line.name))));
    format!("SELECT count(*) - count(DISTINCT ({})) AS repeated FROM {} AS f", key.join(", "), ledger.moves(),)
}

/// The lines' side: as many lines as rows, the sum of their hashes, and how many are not what the rows
/// beside their placings make of them.
fn lines(ledger: &Ledger<'_>, lines: &str) -> String {
    let changed = moved::changed(ledger);
    let (wrong, join) = if has_moved(ledger) {
        let moved = moved::lines(ledger);
        (
            format!(
                "count(m._line) AS moved, (SELECT count(*) FROM {moved}) AS all_moved,
  count(*) FILTER (CASE WHEN m._line IS NULL THEN {changed} ELSE {} END) AS wrongly_left,
  count(*) FILTER ({}) AS wrongly_keyed",
                moved::wrongly_left(ledger),
                moved::wrongly_keyed(ledger)
            ),
            format!("\nLEFT JOIN {moved} AS m ON m._line = l._line"),
        )
    } else {
        (format!("0 AS moved, 0 AS all_moved, count(*) FILTER ({changed}) AS wrongly_left"), String::new())
    };
    format!(
        "SELECT count(*) AS rows, count(DISTINCT l._line) AS lines, sum({}) AS print,
  {wrong}
FROM (SELECT l.*, {} AS _own, {} AS _line FROM {lines} AS l) AS l{join}",
        line_hash(ledger, "l"),
        own_hash(ledger, "l"),
        ledger.line_hash("l"),
    )
}

/// Whether there is the temporary table about lines with rows beside their placings.
fn has_moved(ledger: &Ledger<'_>) -> bool {
    ledger.lines().is_some()
        && !ledger.fact.header.is_empty()
        && ledger.reversals().chain(ledger.amendments()).next().is_some()
}

/// Whether there may be lines whose keys depend on the order of their rows.
fn may_be_amended(ledger: &Ledger<'_>) -> bool {
    has_moved(ledger) && !ledger.fact.roles.is_empty() && ledger.amendments().next().is_some()
}

/// What a row says of its line: names, carried columns, measures; for an amended row, of the line as it was.
fn own_hash(ledger: &Ledger<'_>, alias: &str) -> String {
    let takes_back = alias == LEDGER && ledger.amendments().next().is_some();
    let mut values: Vec<String> = ledger.line().iter().map(|name| column(alias, name)).collect();
    values.extend(ledger.fact.columns.iter().map(|carried| column(alias, &carried.name)));
    values.extend(ledger.fact.measures.iter().map(|measure| {
        let value = column(alias, &measure.name);
        if takes_back && measure.additivity == Additivity::Additive {
            format!("CASE WHEN {} THEN -{value} ELSE {value} END", ledger.amended(alias))
        } else {
            value
        }
    }));
    hash(&values)
}

/// A placed row, wherever it comes from: by event, time and members.
fn row_hash(ledger: &Ledger<'_>, alias: &str, members: &[String]) -> String {
    let mut values =
        ["_own", "position", "item", "occurred_at"].map(|name| format!("{alias}.{name}")).to_vec();
    if ledger.several_kinds() {
        values.push(format!("{alias}.kind"));
    }
    values.extend(members.iter().cloned());
    halved(&format!("hash({})", values.join(", ")))
}

/// A line as it was placed.
fn line_hash(ledger: &Ledger<'_>, alias: &str) -> String {
    let mut values = vec![format!("{alias}._own")];
    values.extend(ledger.role_keys().iter().map(|key| column(alias, key)));
    halved(&format!("hash({})", values.join(", ")))
}

/// A hash as a signed integer, which sums fastest.
fn halved(hash: &str) -> String {
    format!("({hash} >> 1)::BIGINT")
}

fn totals(ledger: &Ledger<'_>, alias: &str, filter: &str) -> String {
    ledger
        .additive()
        .map(|measure| {
            format!(", sum({}){filter} AS {}", column(alias, &measure.name), total_column(&measure.name))
        })
        .collect()
}

fn total_column(measure: &str) -> String {
    name(&format!("total {measure}"))
}

/// The alias of a role's versions.
fn version(role: &str) -> String {
    name(&format!("version {role}"))
}
