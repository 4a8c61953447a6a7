//! (declared view, what changed) → its rows from those of the release before.
//!
//! What counts is what each row of the fact gives: its group and its values. Rows in files that one of both releases
//! does not have give something else by their own account; rows in files that stay do where a dimension row that they
//! point at (its key never changes) says something else in a column that the view uses. The difference of both bags,
//! value by value, is exact: what cancels out touches no group.

use super::changed::{Changed, wide_name};
use super::declared::{fact, given, group_name, groups_of, is_added_up, value_name, values};
use super::ground::{ADDED, Ground, REMOVED, STAYED, STAYED_BEFORE, VIEWS, WHOLE};
use crate::ask::{Tables, name, type_name};
use crate::error::{Error, Result};
use crate::layout::wide_sql;
use crate::model::{Aggregate, Column, Held, Holds, Model, Question, View};
use crate::query::Session;
use std::collections::BTreeMap;

/// What the rows that changed give: the group, the values, and how many more of them there are.
const CHANGES: &str = "changes";

/// The groups in which something changed.
const TOUCHED: &str = "touched";

/// The SELECT of a view's rows in no order; `None`: they are those of the release before.
pub(super) fn increment(
    session: &Session,
    ground: &Ground,
    model: &Model,
    view: &View,
    question: &Question,
    changed: &Changed,
) -> Result<Option<String>> {
    collect_changes(session, ground, model, question, changed)?;
    let changes = session.fetch(&format!("SELECT count(*) FROM {CHANGES}"), &[])?;
    if changes.rows.first().and_then(|row| row.first()?.as_i64()) == Some(0) {
        return Ok(None);
    }
    if is_added_up(model, question)? {
        return Ok(Some(added_up(view, question)?));
    }
    let whole = tables(ground.layout, WHOLE);
    if question.by.is_empty() {
        return groups_of(model, question, &whole, &[], &[]).map(Some);
    }
    let groups = list(question.by.len(), group_name);
    session
        .run(&format!("CREATE OR REPLACE TEMP TABLE {TOUCHED} AS SELECT DISTINCT {groups} FROM {CHANGES}"))?;
    computed_again(model, view, question, &whole).map(Some)
}

/// Fills [`CHANGES`].
fn collect_changes(
    session: &Session,
    ground: &Ground,
    model: &Model,
    question: &Question,
    changed: &Changed,
) -> Result<()> {
    let (now, then) = (ground.layout, ground.before);
    let mut sides = vec![
        given(model, question, &tables(now, ADDED), 1, &[])?,
        given(model, question, &tables(then, REMOVED), -1, &[])?,
    ];
    if let Some(points_there) = find_members(session, ground, model, question, changed)? {
        let only = [points_there];
        sides.push(given(model, question, &tables(now, STAYED), 1, &only)?);
        sides.push(given(model, question, &tables(then, STAYED_BEFORE), -1, &only)?);
    }
    let sides: Vec<String> = sides.into_iter().map(|side| format!("({side})")).collect();
    let groups = (0..question.by.len()).map(group_name);
    let columns: Vec<String> = groups.chain((0..values(question).len()).map(value_name)).collect();
    let selected: String = columns.iter().map(|column| format!("{column}, ")).collect();
    let grouped =
        if columns.is_empty() { String::new() } else { format!("GROUP BY {} ", columns.join(", ")) };
    session.run(&format!(
        "CREATE OR REPLACE TEMP TABLE {CHANGES} AS\nSELECT {selected}CAST(sum(n) AS BIGINT) AS n\nFROM ({})\n\
         {grouped}HAVING sum(n) <> 0",
        sides.join("\nUNION ALL\n")
    ))
}

/// Keeps, by role, the keys of dimension rows that say something else than before in a column that is used. Returns
/// the condition that a row of the fact points at one of them; `None`: there is no such key.
fn find_members(
    session: &Session,
    ground: &Ground,
    model: &Model,
    question: &Question,
    changed: &Changed,
) -> Result<Option<String>> {
    let fact = fact(model, question)?;
    let mut used: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for column in question.columns() {
        if let Column::OfRole { role, name, .. } = column {
            used.entry(*role).or_default().push(name);
        }
    }
    let mut conditions = Vec::new();
    for (index, columns) in used {
        let role = fact.roles.get(index).ok_or_else(|| Error::bug("a view uses a role that is not there"))?;
        let dimension = model.dimensions.get(role.dimension);
        let dimension = dimension.ok_or_else(|| Error::bug("a role has no dimension"))?;
        if !changed.has(&wide_name(dimension)) {
            continue;
        }
        let key = name(&format!("{}_key", dimension.name));
        let differ = columns.iter().map(|column| {
            let column = name(column);
            format!("one.{column} IS DISTINCT FROM other.{column}")
        });
        let differ = differ.collect::<Vec<_>>().join(" OR ");
        let keys = format!("keys_{index}");
        session.run(&format!(
            "CREATE OR REPLACE TEMP TABLE {keys} AS\nSELECT one.{key} AS key FROM ({}) AS one JOIN ({}) AS other \
             ON one.{key} = other.{key} WHERE {differ}",
            wide_sql(ground.layout, dimension, WHOLE),
            wide_sql(ground.before, dimension, REMOVED),
        ))?;
        let count = session.fetch(&format!("SELECT count(*) FROM {keys}"), &[])?;
        if count.rows.first().and_then(|row| row.first()?.as_i64()) != Some(0) {
            let own = name(&format!("fact_{}", fact.name));
            let key = name(&format!("{}_key", role.name));
            conditions.push(format!("{own}.{key} IN (SELECT key FROM {keys})"));
        }
    }
    Ok((!conditions.is_empty()).then(|| format!("({})", conditions.join(" OR "))))
}

/// Numbers that add up: those before and what the changes give, group by group; a group without rows has gone.
fn added_up(view: &View, question: &Question) -> Result<String> {
    let values = values(question);
    let place = |column: &Column| {
        let place = values.iter().position(|value| value == column);
        place.map(value_name).ok_or_else(|| Error::bug("a view sums a column that it does not read"))
    };
    let held = question.held();
    let (mut before, mut change, mut sum) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = String::new();
    for (at, Held { name: column, what, value_type }) in held.iter().enumerate() {
        before.push(format!("{} AS h{at}", name(column)));
        change.push(match what {
            Holds::Group(_) => group_name(at),
            Holds::Number(Aggregate::Sum(of)) => {
                format!("CAST({} AS {}) * CAST(n AS DECIMAL(18, 0))", place(of)?, type_name(*value_type))
            }
            Holds::Number(Aggregate::Count(of)) => {
                format!("CASE WHEN {} IS NULL THEN 0 ELSE n END", place(of)?)
            }
            Holds::Number(_) => "n".to_owned(),
        });
        sum.push(match what {
            Holds::Group(_) => format!("h{at} AS {}", name(column)),
            Holds::Number(aggregate) => {
                if *aggregate == Aggregate::Rows {
                    rows = format!("h{at}");
                }
                format!("CAST(sum(h{at}) AS {}) AS {}", type_name(*value_type), name(column))
            }
        });
    }
    let groups = match question.by.len() {
        0 => String::new(),
        count => format!("GROUP BY {} ", list(count, |at| format!("h{at}"))),
    };
    Ok(format!(
        "SELECT {}\nFROM (SELECT {} FROM {VIEWS}.{}\nUNION ALL\nSELECT {} FROM {CHANGES})\n{groups}HAVING sum({rows}) > 0",
        sum.join(", "),
        before.join(", "),
        name(&view.name),
        change.join(", "),
    ))
}

/// The groups in which nothing changed as they were, and the others from all rows of the fact.
fn computed_again(model: &Model, view: &View, question: &Question, whole: &Tables) -> Result<String> {
    let columns: Vec<String> = question.held().iter().map(|held| name(&held.name)).collect();
    let same = |left: &dyn Fn(usize) -> String| {
        let pairs = (0..question.by.len())
            .map(|at| format!("{} IS NOT DISTINCT FROM {TOUCHED}.{}", left(at), group_name(at)));
        pairs.collect::<Vec<_>>().join(" AND ")
    };
    let before = same(&|at| format!("v.{}", held_name(question, at)));
    let groups =
        crate::ask::select(model, &Question { measures: Vec::new(), ..question.clone() }, whole)?.groups;
    let now = same(&|at| groups.get(at).map_or_else(String::new, |group| group.sql.clone()));
    let again = groups_of(model, question, whole, &[format!("SEMI JOIN {TOUCHED} ON {now}")], &[])?;
    Ok(format!(
        "SELECT {} FROM {VIEWS}.{} AS v ANTI JOIN {TOUCHED} ON {before}\nUNION ALL\n({again})",
        columns.join(", "),
        name(&view.name),
    ))
}

/// The column of a group in the view.
fn held_name(question: &Question, group: usize) -> String {
    question.by.get(group).map_or_else(String::new, |group| name(&group.name))
}

fn tables(layout: crate::layout::Layout, schema: &str) -> Tables {
    Tables::Layout { layout, schema: Some(schema.to_owned()) }
}

/// `g0, g1`
fn list(count: usize, name: impl Fn(usize) -> String) -> String {
    (0..count).map(name).collect::<Vec<_>>().join(", ")
}
