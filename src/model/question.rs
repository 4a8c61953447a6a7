//! Questions about a fact: aggregates by columns, of the rows that a condition holds for.
//!
//! A question is logical: it names roles, columns and measures, and no table. `ask` renders it for the tables at hand.

use super::{Term, ValueType};
use chrono::NaiveDate;
use serde::Serialize;

/// What is asked of one fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Unique among the questions of the pipeline.
    pub name: String,
    /// Index into [`super::Model::facts`]; the rows are those of its ledger.
    pub fact: usize,
    /// At least one.
    pub measures: Vec<Asked>,
    /// The columns that make the groups. None: one row for all.
    pub by: Vec<Group>,
    /// Which rows of the ledger; a truth value.
    pub filter: Option<Term>,
    pub as_of: AsOf,
}

/// A number that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The column of the answer; unique in the question, letter case aside.
    pub name: String,
    pub aggregate: Aggregate,
}

/// How many rows of the ledger become one number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Aggregate {
    /// How many rows there are.
    Rows,
    /// How many of them have a value.
    Count(Column),
    /// The sum of a measure that adds up; null where no row has a value.
    Sum(Column),
    /// The sum by the number of values, with [`Aggregate::MORE_DIGITS`] more digits than the column.
    Average(Column),
    Least(Column),
    Greatest(Column),
    /// How many different values these columns have together, rows aside in which one of them is null.
    Distinct(Vec<Column>),
}

/// A column of the answer by which rows are put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The column of the answer; unique in the question, letter case aside.
    pub name: String,
    pub column: Column,
}

/// A column that a row of the ledger has, or that one of its keys leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Column {
    /// Of the ledger itself.
    Own { name: String, value_type: ValueType },
    /// Of `dim_date`, of the day on which the row happened.
    Date { name: String, value_type: ValueType },
    /// Of any level of the dimension that plays this role (index into [`super::Fact::roles`]).
    OfRole { role: usize, name: String, value_type: ValueType },
}

/// Whose attributes a question means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum AsOf {
    /// Those of the version that the fact holds: of the fact's own time.
    Sold,
    /// Those of each member's newest version.
    Now,
    /// Those at the end of a day in the pipeline's time zone.
    Day(#[serde(serialize_with = "super::hash::date")] NaiveDate),
}

impl Column {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Own { name, .. } | Self::Date { name, .. } | Self::OfRole { name, .. } => name,
        }
    }

    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Own { value_type, .. }
            | Self::Date { value_type, .. }
            | Self::OfRole { value_type, .. } => *value_type,
        }
    }
}

impl Aggregate {
    /// The digits behind the point that an average has beyond those of its column.
    pub const MORE_DIGITS: u8 = 4;

    /// The columns that are read for it.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        match self {
            Self::Rows => &[],
            Self::Count(column)
            | Self::Sum(column)
            | Self::Average(column)
            | Self::Least(column)
            | Self::Greatest(column) => std::slice::from_ref(column),
            Self::Distinct(columns) => columns,
        }
    }

    /// The type of the number. Sums have all the digits that there are, so that none overflows.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Rows | Self::Count(_) | Self::Distinct(_) => ValueType::Integer,
            Self::Sum(column) => ValueType::Decimal { precision: 38, scale: column.value_type().scale() },
            Self::Average(column) => {
                let scale = column.value_type().scale().saturating_add(Self::MORE_DIGITS).min(38);
                ValueType::Decimal { precision: 38, scale }
            }
            Self::Least(column) | Self::Greatest(column) => column.value_type(),
        }
    }
}

impl Question {
    /// Every column that is read for it, each once, in order of first mention.
    #[must_use]
    pub fn columns(&self) -> Vec<&Column> {
        let mut columns: Vec<&Column> = self.by.iter().map(|group| &group.column).collect();
        columns.extend(self.measures.iter().flat_map(|asked| asked.aggregate.columns()));
        if let Some(filter) = &self.filter {
            filter.columns(&mut columns);
        }
        let mut seen = Vec::with_capacity(columns.len());
        for column in columns {
            if !seen.contains(&column) {
                seen.push(column);
            }
        }
        seen
    }
}
