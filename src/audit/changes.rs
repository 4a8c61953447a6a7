//! Two states of a table → the rows that one has and the other has not, or has otherwise, by month.

use super::Event;
use super::books::{self, integer};
use super::causes::Cause;
use super::pair::{Compared, Pair, side};
use crate::checks::sql::name;
use crate::error::Result;
use crate::warehouse::{Month, difference};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What changed of a month of a table; of a table without months, as a whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MonthChange {
    /// `2011-03`; empty for a table without months.
    pub month: String,
    pub rows_before: u64,
    pub rows_after: u64,
    /// Rows that are in the month now; one that has moved to another month counts here and there.
    pub added: i64,
    pub removed: i64,
    /// Rows of the month whose values are others now.
    pub changed: i64,
    /// One for each additive measure.
    pub totals: Vec<Total>,
    /// The events that did it: each changed row counts under one.
    pub causes: Vec<Cause>,
    /// Changed rows for which no event accounts.
    pub unexplained: i64,
}

/// The sum of an additive measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    pub measure: String,
    /// As decimal text; nothing where the measure was not there.
    pub before: Option<String>,
    pub after: Option<String>,
    pub difference: String,
}

/// One row that changed.
#[derive(Debug, Clone, Serialize)]
pub struct RowChange {
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// The month that the row is in, or was in.
    pub month: String,
    #[serde(serialize_with = "super::explain::as_map")]
    pub key: Vec<(String, Value)>,
    /// The columns whose values differ: before, after.
    pub columns: Vec<ColumnChange>,
    /// The event that did it.
    pub by: Option<Event>,
}

/// A value that is another now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnChange {
    pub column: String,
    pub before: Value,
    pub after: Value,
}

/// The name of the temporary table of the changed rows of a compared table.
pub fn temporary(table: &Compared) -> String {
    name(&format!("changed {}", table.name))
}

/// Finds the changed rows. Of each are known the key's columns, `_was` and `_is` (whether it was and is there), `_from`
/// and `_to` (its months), and `_before` and `_after` (all of it).
pub fn find(pair: &Pair<'_>, table: &Compared, has_months: bool) -> Result<()> {
    let both = |column: &String| format!("coalesce(b.{0}, a.{0}) AS {0}", name(column));
    let month = |alias: &str| match has_months {
        true => format!("{alias}.date_month"),
        false => format!("CASE WHEN {alias}._in THEN '' END"),
    };
    let all = |alias: &str| {
        let columns = table.columns.iter().map(|column| format!("{0} := {alias}.{0}", name(column)));
        format!("struct_pack({})", columns.collect::<Vec<_>>().join(", "))
    };
    let join = |columns: &[String], between: &str, how: &str| {
        let pairs = columns.iter().map(|column| format!("b.{0} IS {how} a.{0}", name(column)));
        pairs.collect::<Vec<_>>().join(between)
    };
    let sql = format!(
        "CREATE TEMP TABLE {} AS SELECT {}, b._in IS NOT NULL AS _was, a._in IS NOT NULL AS _is, \
         {} AS _from, {} AS _to, {} AS _before, {} AS _after \
         FROM (SELECT true AS _in, * FROM {}) AS b FULL JOIN (SELECT true AS _in, * FROM {}) AS a ON {} \
         WHERE b._in IS NULL OR a._in IS NULL OR {}",
        temporary(table),
        table.key.iter().map(both).collect::<Vec<_>>().join(", "),
        month("b"),
        month("a"),
        all("b"),
        all("a"),
        side("before", &table.name),
        side("after", &table.name),
        join(&table.key, " AND ", "NOT DISTINCT FROM"),
        join(&table.columns, " OR ", "DISTINCT FROM"),
    );
    pair.session.run(&sql)
}

/// The changed rows, once for each side that they have: `_rid`, `_month`, `_sign` and `_row`.
pub fn sides(table: &Compared) -> String {
    let changed = temporary(table);
    format!(
        "(SELECT rowid AS _rid, _to AS _month, 1 AS _sign, _after AS _row FROM {changed} WHERE _is \
         UNION ALL SELECT rowid, _from, -1, _before FROM {changed} WHERE _was)"
    )
}

/// How many rows changed in each month.
pub fn count(pair: &Pair<'_>, table: &Compared) -> Result<BTreeMap<String, [i64; 3]>> {
    let sql = format!(
        "SELECT _month, count(*) FILTER (_is AND NOT _was), count(*) FILTER (_was AND NOT _is), \
         count(*) FILTER (_is AND _was) FROM (SELECT _month, _rid, bool_or(_sign = 1) AS _is, \
         bool_or(_sign = -1) AS _was FROM {} GROUP BY _month, _rid) GROUP BY _month",
        sides(table)
    );
    let rows = pair.session.fetch(&sql, &[])?.rows;
    let counts = |row: &Vec<Value>| (books::text(row, 0), [1, 2, 3].map(|column| integer(row, column)));
    Ok(rows.iter().map(counts).collect())
}

/// The totals of a month before and after.
pub fn totals(before: &Month, after: &Month) -> Result<Vec<Total>> {
    let mut measures: Vec<&String> = after.sums.keys().collect();
    measures.extend(before.sums.keys().filter(|measure| !after.sums.contains_key(*measure)));
    let total = |measure: &String| {
        let (before, after) = (before.sums.get(measure), after.sums.get(measure));
        let of = |sum: Option<&String>| sum.map_or("0", String::as_str).to_owned();
        Ok(Total {
            measure: measure.clone(),
            before: before.cloned(),
            after: after.cloned(),
            difference: difference(&of(after), &of(before))?,
        })
    };
    measures.into_iter().map(total).collect()
}

/// The changed rows themselves, at most so many, each with the event that did it if `causes` is a table of them.
pub fn rows(
    pair: &Pair<'_>,
    table: &Compared,
    causes: &str,
    most: Option<u64>,
) -> Result<(Vec<RowChange>, i64)> {
    let changed = temporary(table);
    let key: Vec<String> = table.key.iter().map(|column| format!("c.{}", name(column))).collect();
    let values = table.columns.iter().flat_map(|column| {
        let column = name(column);
        [format!("c._before.{column}"), format!("c._after.{column}")]
    });
    let columns: Vec<String> = key.iter().cloned().chain(values).collect();
    let limit = most.map_or_else(String::new, |most| format!(" LIMIT {most}"));
    let sql = format!(
        "SELECT c._was, c._is, coalesce(c._to, c._from), e.position, e.event, e.time, e.file, e.line, e.\"offset\", {} \
         FROM {changed} AS c LEFT JOIN {causes} AS s ON s._rid = c.rowid LEFT JOIN new_events AS e ON e.position = s.position \
         ORDER BY 3, {}{limit}",
        columns.join(", "),
        key.join(", ")
    );
    let found = pair.session.fetch(&sql, &[])?;
    let row = |row: Vec<Value>| {
        let (was, is) = (row.first() == Some(&Value::Bool(true)), row.get(1) == Some(&Value::Bool(true)));
        let values = row.get(FIXED..).unwrap_or_default();
        let (key, values) = values.split_at(table.key.len().min(values.len()));
        let pairs = table.columns.iter().zip(values.chunks_exact(2));
        let differing = pairs.filter_map(|(column, pair)| match pair {
            [before, after] if before != after && !table.key.contains(column) => {
                Some(ColumnChange { column: column.clone(), before: before.clone(), after: after.clone() })
            }
            _ => None,
        });
        RowChange {
            change: if !was {
                "added"
            } else if !is {
                "removed"
            } else {
                "changed"
            }
            .to_owned(),
            month: books::text(&row, 2),
            key: table.key.iter().cloned().zip(key.iter().cloned()).collect(),
            columns: differing.collect(),
            by: (!row.get(3).is_none_or(Value::is_null))
                .then(|| books::event(row.get(3..).unwrap_or_default())),
        }
    };
    let shown: Vec<RowChange> = found.rows.into_iter().map(row).collect();
    let all = pair.session.fetch(&format!("SELECT count(*) FROM {changed}"), &[])?;
    let all = all.rows.first().map_or(0, |row| integer(row, 0));
    let left_out = all - i64::try_from(shown.len()).unwrap_or(i64::MAX);
    Ok((shown, left_out))
}

/// The columns of [`rows`] that every table has.
const FIXED: usize = 9;
