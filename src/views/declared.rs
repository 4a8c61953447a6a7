//! (declared view, tables at hand) → SQL: all its groups, and what each row gives to them.

use crate::ask::{Part, Select, Tables, name, select};
use crate::error::{Error, Result};
use crate::model::{Additivity, Aggregate, Asked, Column, Fact, Group, Held, Holds, Model, Question};

/// The fact that a question is of.
pub(super) fn fact<'m>(model: &'m Model, question: &Question) -> Result<&'m Fact> {
    model.facts.get(question.fact).ok_or_else(|| Error::bug("a view is of no fact"))
}

/// A SELECT of all columns that a view holds, in no order. `and` stands among its joins, `only` among its conditions.
pub fn groups_of(
    model: &Model,
    question: &Question,
    tables: &Tables,
    and: &[String],
    only: &[String],
) -> Result<String> {
    let numbers = question.held().into_iter().filter_map(|held| match held.what {
        Holds::Number(aggregate) => Some(Asked { name: held.name, aggregate }),
        Holds::Group(_) => None,
    });
    let question = Question { measures: numbers.collect(), ..question.clone() };
    let Select { groups, aggregates, from, conditions } = select(model, &question, tables)?;
    let columns: Vec<String> = groups.iter().chain(&aggregates).map(named).collect();
    let grouped = match groups.len() {
        // Without groups there is a row even where nothing is.
        0 => "HAVING count(*) > 0".to_owned(),
        count => {
            format!("GROUP BY {}", (1..=count).map(|place| place.to_string()).collect::<Vec<_>>().join(", "))
        }
    };
    Ok(format!(
        "SELECT {}\nFROM {}\n{}{grouped}",
        columns.join(", "),
        from.iter().chain(and).cloned().collect::<Vec<_>>().join("\n"),
        restricted(&conditions, only),
    ))
}

/// What rows of the fact give to the view: `g0`, `g1` … the group, `v0`, `v1` … what [`values`] names, and `n`, which is
/// `sign`: 1 for rows that come, -1 for those that go. `only` are conditions more.
pub(super) fn given(
    model: &Model,
    question: &Question,
    tables: &Tables,
    sign: i8,
    only: &[String],
) -> Result<String> {
    let groups = question.by.iter().map(|group| group.column.clone());
    let groups = groups.enumerate().map(|(at, column)| Group { name: group_name(at), column });
    let values = values(question).into_iter().enumerate();
    let values = values.map(|(at, column)| Group { name: value_name(at), column });
    let rows = Question { by: groups.chain(values).collect(), measures: Vec::new(), ..question.clone() };
    let Select { groups: columns, from, conditions, .. } = select(model, &rows, tables)?;
    let mut columns: Vec<String> = columns.iter().map(named).collect();
    columns.push(format!("{sign} AS n"));
    Ok(format!("SELECT {}\nFROM {}\n{}", columns.join(", "), from.join("\n"), restricted(&conditions, only)))
}

pub(super) fn group_name(at: usize) -> String {
    format!("g{at}")
}

pub(super) fn value_name(at: usize) -> String {
    format!("v{at}")
}

/// The columns that numbers are made of, each once.
pub(super) fn values(question: &Question) -> Vec<Column> {
    let mut values: Vec<Column> = Vec::new();
    for column in question.measures.iter().flat_map(|asked| asked.aggregate.columns()) {
        if !values.contains(column) {
            values.push(column.clone());
        }
    }
    values
}

/// Whether every number of the view is the sum of what its rows give.
pub(super) fn is_added_up(model: &Model, question: &Question) -> Result<bool> {
    let fact = fact(model, question)?;
    Ok(question.held().iter().all(|held| adds_up(fact, held)))
}

/// A sum that may be null cannot tell, when rows go, whether one with a value is left.
pub(super) fn adds_up(fact: &Fact, held: &Held) -> bool {
    match &held.what {
        Holds::Group(_) | Holds::Number(Aggregate::Rows | Aggregate::Count(_)) => true,
        Holds::Number(Aggregate::Sum(Column::Own { name, .. })) => {
            fact.measures.iter().any(|own| own.name == *name && own.additivity == Additivity::Additive)
        }
        Holds::Number(_) => false,
    }
}

fn named(part: &Part) -> String {
    format!("{} AS {}", part.sql, name(&part.name))
}

fn restricted(conditions: &[String], only: &[String]) -> String {
    let all: Vec<&str> = conditions.iter().chain(only).map(String::as_str).collect();
    if all.is_empty() { String::new() } else { format!("WHERE {}\n", all.join("\n  AND ")) }
}
