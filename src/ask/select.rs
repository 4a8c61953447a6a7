//! (question, tables at hand) → a SELECT in its parts, and as text.

use super::source::{Source, Tables};
use super::sql::{name, type_name};
use super::term::{Called, condition, conjunct};
use crate::error::{Error, Result};
use crate::model::{Aggregate, Column, Model, Question, ValueType};
use std::fmt;

/// A question as SQL, part by part. [`fmt::Display`] makes it one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// What makes the groups.
    pub groups: Vec<Part>,
    /// What is computed of each.
    pub aggregates: Vec<Part>,
    /// One relation a line: the fact, then its joins.
    pub from: Vec<String>,
    /// What must hold for a row; all of them.
    pub conditions: Vec<String>,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub sql: String,
    pub value_type: ValueType,
}

/// The SQL that answers a question from these tables.
///
/// # Errors
///
/// A question that is not of this model is a bug; one that one big table cannot answer the author's.
pub fn select(model: &Model, question: &Question, tables: &Tables) -> Result<Select> {
    let fact = model.facts.get(question.fact).ok_or_else(|| Error::bug("a question has no fact"))?;
    let source = Source::of(model, fact, &question.columns(), tables, question.as_of)?;
    let called = |column: &Column| source.called(column);
    let groups = question.by.iter().map(|group| Part {
        name: group.name.clone(),
        sql: called(&group.column),
        value_type: group.column.value_type(),
    });
    let aggregates = question.measures.iter().map(|asked| Part {
        name: asked.name.clone(),
        sql: aggregate(&asked.aggregate, &called),
        value_type: asked.aggregate.value_type(),
    });
    let conditions = question.filter.iter().flat_map(|filter| filter.conjuncts());
    let conditions =
        conditions.map(|term| match question.filter.as_ref().map(|filter| filter.conjuncts().len()) {
            Some(1) => condition(term, &called),
            _ => conjunct(term, &called),
        });
    Ok(Select {
        groups: groups.collect(),
        aggregates: aggregates.collect(),
        conditions: conditions.collect(),
        from: source.relations,
    })
}

/// A number of many rows.
fn aggregate(aggregate: &Aggregate, called: &Called<'_>) -> String {
    let of = |function: &str, column: &Column| format!("{function}({})", called(column));
    match aggregate {
        Aggregate::Rows => "count(*)".to_owned(),
        Aggregate::Count(column) => of("count", column),
        Aggregate::Sum(column) => sum(column.value_type(), &called(column)),
        Aggregate::Average(column) => {
            average(&of("sum", column), &of("count", column), aggregate.value_type())
        }
        Aggregate::Least(column) => of("min", column),
        Aggregate::Greatest(column) => of("max", column),
        Aggregate::Distinct(columns) => distinct(&columns.iter().map(called).collect::<Vec<_>>()),
    }
}

/// How many different values these columns have together; where one of them is null there is none.
pub(super) fn distinct(columns: &[String]) -> String {
    match columns {
        [only] => format!("count(DISTINCT {only})"),
        several => {
            let present: Vec<String> = several.iter().map(|column| format!("{column} IS NOT NULL")).collect();
            format!("count(DISTINCT ({})) FILTER (WHERE {})", several.join(", "), present.join(" AND "))
        }
    }
}

/// The sum of a column of this type: of decimals it has all digits anyway, of integers it would be of a type that
/// Parquet does not have.
pub(super) fn sum(value_type: ValueType, column: &str) -> String {
    match value_type {
        ValueType::Integer => format!("CAST(sum({column}) AS DECIMAL(38, 0))"),
        _ => format!("sum({column})"),
    }
}

/// The quotient in double precision, rounded to the digits of the type; null where nothing was counted.
pub(super) fn average(sum: &str, count: &str, value_type: ValueType) -> String {
    format!("CAST({sum} / {count} AS {})", type_name(value_type))
}

impl fmt::Display for Select {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.groups.iter().chain(&self.aggregates).map(Part::to_string);
        write!(formatter, "SELECT\n  {}", columns.collect::<Vec<_>>().join(",\n  "))?;
        write!(formatter, "\nFROM {}", self.from.join("\n"))?;
        for (index, condition) in self.conditions.iter().enumerate() {
            let word = if index == 0 { "WHERE" } else { "  AND" };
            write!(formatter, "\n{word} {condition}")?;
        }
        if !self.groups.is_empty() {
            let places: Vec<String> = (1..=self.groups.len()).map(|place| place.to_string()).collect();
            let places = places.join(", ");
            write!(formatter, "\nGROUP BY {places}\nORDER BY {places}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sql.rsplit('.').next() == Some(&name(&self.name)) {
            true => formatter.write_str(&self.sql),
            false => write!(formatter, "{} AS {}", self.sql, name(&self.name)),
        }
    }
}
