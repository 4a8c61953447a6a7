//! The accumulating table against the ledger (DESIGN 21).

use super::lookup::NOT_APPLICABLE;
use super::moved::left;
use super::plan::Plan;
use super::reversed::{APPLIED, ranked};
use super::rows::Ledger;
use super::sql::{any, columns, equal, literal, name, present};

/// One row for every placed line, and what is left of it is the ledger's sum.
pub(super) const AGREES: &str = "one row a placed line, and what is left is the ledger's sum";
/// The rest of the row is that of the line's last placing.
pub(super) const AS_PLACED: &str = "a line is as it was placed last";
const MILESTONES: &str = "milestones are days of dim_date, or not reached";

/// The columns of a lines row that its last placing gives.
pub(super) fn placed_columns(ledger: &Ledger<'_>) -> Vec<String> {
    let mut all: Vec<String> = ledger.fact.columns.iter().map(|column| column.name.clone()).collect();
    all.extend(ledger.role_keys());
    all.extend(ledger.fact.measures.iter().map(|measure| measure.name.clone()));
    all
}

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    let Some((title, lines)) = ledger.lines() else { return };
    agrees(plan, ledger, &title, &lines);
    as_placed(plan, ledger, &title, &lines);
    milestones(plan, ledger, &title, &lines);
}

fn agrees(plan: &mut Plan, ledger: &Ledger<'_>, title: &str, lines: &str) {
    let line = ledger.line();
    let own: Vec<String> = ledger.additive().map(|measure| name(&measure.name)).collect();
    let ours: String = own.iter().map(|measure| format!(", f.{measure}")).collect();
    let theirs: String =
        ledger.additive().map(|measure| format!(", -l.{}", name(&left(&measure.name)))).collect();
    let sums: String = own.iter().map(|measure| format!(", sum({measure}) AS {measure}")).collect();
    let wrong = ["sum(_rows) <> 1".to_owned(), "NOT bool_or(_placing)".to_owned()]
        .into_iter()
        .chain(own.iter().map(|measure| format!("sum({measure}) IS DISTINCT FROM 0")));
    plan.check(
        title,
        AGREES,
        format!(
            "SELECT {}, sum(_rows) AS rows{sums} FROM (
SELECT {}, 0 AS _rows, {} AS _placing{ours} FROM {} AS f WHERE {}
UNION ALL
SELECT {}, 1, false{theirs} FROM {lines} AS l)
GROUP BY {} HAVING {}",
            plain(&line),
            columns("f", &line),
            ledger.placing("f"),
            ledger.table,
            present("f", &ledger.header()),
            columns("l", &line),
            plain(&line),
            any(wrong),
        ),
    );
}

/// Most lines are placed once; the order of placings is asked only for the others.
fn as_placed(plan: &mut Plan, ledger: &Ledger<'_>, title: &str, lines: &str) {
    let line = ledger.line();
    let line_list = plain(&line);
    let placed = placed_columns(ledger);
    let mut shown = line.clone();
    shown.extend(placed.iter().cloned());
    let rows = format!(
        "SELECT f.* FROM {} AS f WHERE {} AND {}",
        ledger.table,
        ledger.placing("f"),
        present("f", &ledger.header())
    );
    let again = format!("SELECT f.* FROM ({rows}) AS f SEMI JOIN several AS s ON {}", equal("f", "s", &line));
    let problems: Vec<String> = placed
        .iter()
        .map(|column| {
            let (label, column) = (literal(column), name(column));
            format!("WHEN p.{column} IS DISTINCT FROM l.{column} THEN {label}")
        })
        .collect();
    let differs = placed.iter().map(|column| {
        let column = name(column);
        format!("p.{column} IS DISTINCT FROM l.{column}")
    });
    plan.check(
        title,
        AS_PLACED,
        format!(
            "WITH several AS (SELECT {line_list} FROM ({rows}) GROUP BY {line_list} HAVING count(*) > 1),
placed AS (
SELECT {} FROM ({rows}) AS f ANTI JOIN several AS s ON {}
UNION ALL
SELECT {} FROM ({})
QUALIFY row_number() OVER (PARTITION BY {line_list} ORDER BY {}) = 1)
SELECT {}, CASE WHEN l._there IS NULL THEN 'no row' WHEN p._there IS NULL THEN 'not placed' {} END AS problem
FROM (SELECT true AS _there, * FROM placed) AS p FULL JOIN (SELECT true AS _there, * FROM {lines}) AS l ON {}
WHERE p._there IS NULL OR l._there IS NULL OR {}",
            columns("f", &shown),
            equal("f", "s", &line),
            plain(&shown),
            ranked(ledger, &again),
            APPLIED.map(|part| format!("{part} DESC")).join(", "),
            line.iter()
                .map(|column| {
                    let column = name(column);
                    format!("coalesce(p.{column}, l.{column}) AS {column}")
                })
                .collect::<Vec<_>>()
                .join(", "),
            problems.join(" "),
            equal("p", "l", &line),
            any(differs),
        ),
    );
}

/// Few distinct days stand for many lines.
fn milestones(plan: &mut Plan, ledger: &Ledger<'_>, title: &str, lines: &str) {
    let mut selects = Vec::new();
    for milestone in &ledger.fact.milestones {
        let key = name(&format!("{milestone}_date_key"));
        selects.push(format!(
            "SELECT {} AS milestone, l.{key} AS date_key, l.lines
FROM (SELECT {key}, count(*) AS lines FROM {lines} GROUP BY {key}) AS l LEFT JOIN {} AS d ON d.date_key = l.{key}
WHERE d.date_key IS NULL AND l.{key} IS DISTINCT FROM {NOT_APPLICABLE}",
            literal(milestone),
            ledger.dates(),
        ));
    }
    if !selects.is_empty() {
        plan.check(title, MILESTONES, selects.join("\nUNION ALL\n"));
    }
}

fn plain(names: &[String]) -> String {
    names.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ")
}
