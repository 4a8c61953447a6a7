//! Views: what a release holds computed in advance (DESIGN 29, 30).
//!
//! A view decides no other table, so it is no part of the model's hash: each has a hash of its own, and one that changes
//! is made anew while facts and dimensions stay.

use super::{Aggregate, Asked, Column, Question, ValueType};
use crate::error::{Error, Result};
use serde::Serialize;

/// A table that is computed from facts and dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The name of the table.
    pub name: String,
    pub definition: Definition,
    /// BLAKE3 of the definition, as hexadecimal text.
    pub hash: String,
}

/// What a view says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Definition {
    /// The answer to a question. Only groups that have rows are there.
    Declared(Question),
    /// The rows of a SELECT over facts and the wide relations of dimensions.
    Sql(String),
}

/// A column of a declared view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub name: String,
    pub what: Holds,
    pub value_type: ValueType,
}

/// What a column of a declared view holds. An average is held as a sum and a count, since those add up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holds {
    Group(Column),
    /// Never an [`Aggregate::Average`].
    Number(Aggregate),
}

/// The column that counts the rows of a group, where the view does not ask for them: by it a group is known to have gone.
pub const ROW_COUNT: &str = "row_count";

impl View {
    /// A view with its hash.
    pub(super) fn new(name: &str, definition: Definition) -> Result<Self> {
        let canonical = serde_json::to_vec(&definition)
            .map_err(|error| Error::bug("a view cannot be written as JSON").because(error))?;
        Ok(Self { name: name.to_owned(), definition, hash: blake3::hash(&canonical).to_hex().to_string() })
    }

    /// The question that it answers, if it is declared.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        match &self.definition {
            Definition::Declared(question) => Some(question),
            Definition::Sql(_) => None,
        }
    }
}

impl Question {
    /// The columns of the view that answers the question: its groups, its numbers, and the count of rows.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let group = |group: &super::Group| Held {
            name: group.name.clone(),
            value_type: group.column.value_type(),
            what: Holds::Group(group.column.clone()),
        };
        let number = |name: String, aggregate: Aggregate| Held {
            name,
            value_type: aggregate.value_type(),
            what: Holds::Number(aggregate),
        };
        let numbers = |Asked { name, aggregate }: &Asked| match aggregate {
            Aggregate::Average(column) => vec![
                number(format!("{name}_sum"), Aggregate::Sum(column.clone())),
                number(format!("{name}_count"), Aggregate::Count(column.clone())),
            ],
            other => vec![number(name.clone(), other.clone())],
        };
        let mut held: Vec<Held> = self.by.iter().map(group).collect();
        held.extend(self.measures.iter().flat_map(numbers));
        if !held.iter().any(|held| held.what == Holds::Number(Aggregate::Rows)) {
            held.push(number(ROW_COUNT.to_owned(), Aggregate::Rows));
        }
        held
    }
}
