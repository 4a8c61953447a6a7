//! Control totals: amounts of the log against amounts of the ledger, to the last digit (DESIGN 31).

use super::plan::Plan;
use super::rows::Ledger;
use super::source::{moved, placed, with_headers};
use super::sql::{literal, name};
use crate::model::{FactAction, FactEvent, ReversalTarget};

/// The sum of every additive measure over all placed lines.
pub(super) const TOTALS: &str = "control totals of placed lines balance";
const REVERSED: &str = "reversals take what their events state";

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    let selects: Vec<String> = ledger
        .additive()
        .map(|measure| {
            let (label, column) = (literal(&measure.name), name(&measure.name));
            format!(
                "SELECT {label} AS measure, (SELECT sum({column}) FROM items) AS log, \
(SELECT sum({column}) FROM {} AS f WHERE {}) AS ledger",
                ledger.table,
                ledger.first("f")
            )
        })
        .collect();
    if !selects.is_empty() {
        plan.check(
            &ledger.title,
            TOTALS,
            format!(
                "{}items AS (\n{})\nSELECT * FROM (\n{}) WHERE log IS DISTINCT FROM ledger",
                with_headers(ledger),
                placed(ledger),
                selects.join("\nUNION ALL\n")
            ),
        );
    }
    let reversed: Vec<String> = ledger.reversals().flat_map(|binding| reversed(ledger, binding)).collect();
    if !reversed.is_empty() {
        plan.check(&ledger.title, REVERSED, reversed.join("\nUNION ALL\n"));
    }
}

/// What a reversal states of one line, its rows take together, with the sign turned.
fn reversed(ledger: &Ledger<'_>, binding: &FactEvent) -> Vec<String> {
    if matches!(binding.action, FactAction::Reverse { target: ReversalTarget::Header, .. }) {
        return Vec::new();
    }
    let stated = ledger.fact.measures.iter().enumerate().filter(|(index, measure)| {
        measure.additivity == crate::model::Additivity::Additive
            && binding.measures.get(*index).is_some_and(Option::is_some)
    });
    stated
        .map(|(_, measure)| {
            let column = name(&measure.name);
            format!(
                "SELECT i.position, i.item, {} AS measure, any_value(i.{column}) AS stated, sum(f.{column}) AS booked
FROM ({}) AS i JOIN {} AS f ON f.position = i.position AND f.item = i.item AND f.kind = i.kind
WHERE i.{column} IS NOT NULL GROUP BY i.position, i.item HAVING sum(f.{column}) <> -any_value(i.{column})",
                literal(&measure.name),
                moved(ledger, binding),
                ledger.moves(),
            )
        })
        .collect()
}
