//! Conditions over columns: what a `where` means, every name resolved and every type known.
//!
//! All of it is pure and exact: there is no division, no clock, and no cast that can fail at a row.

use super::{Column, ValueType};
use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;

/// A value, or a truth value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Term {
    Column(Column),
    Text(String),
    /// A number as it is written: digits, perhaps with a point.
    Number(String),
    Boolean(bool),
    Date(#[serde(serialize_with = "super::hash::date")] NaiveDate),
    /// UTC.
    Timestamp(#[serde(serialize_with = "super::hash::local_instant")] NaiveDateTime),
    Negate(Box<Term>),
    Arithmetic {
        operator: Arithmetic,
        left: Box<Term>,
        right: Box<Term>,
    },
    /// As text, as a date (of a timestamp), as a timestamp (of a date).
    Cast(Box<Term>, ValueType),
    Call {
        function: Function,
        arguments: Vec<Term>,
    },
    Compare {
        operator: Comparison,
        left: Box<Term>,
        right: Box<Term>,
    },
    In {
        term: Box<Term>,
        list: Vec<Term>,
        negated: bool,
    },
    Between {
        term: Box<Term>,
        low: Box<Term>,
        high: Box<Term>,
        negated: bool,
    },
    Like {
        term: Box<Term>,
        pattern: String,
        ignores_case: bool,
        negated: bool,
    },
    IsNull {
        term: Box<Term>,
        negated: bool,
    },
    Not(Box<Term>),
    /// At least two, none of them an `All`.
    All(Vec<Term>),
    /// At least two, none of them an `Any`.
    Any(Vec<Term>),
}

/// What two numbers make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

/// How two values are compared; one that is null makes it neither true nor false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A function that a condition may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Function {
    Lower,
    Upper,
    Trim,
    Length,
    /// From the nth letter on, as many letters as are said.
    Substring,
    StartsWith,
    EndsWith,
    Contains,
    /// Without its sign.
    Absolute,
    /// The first that is not null.
    Coalesce,
}

impl Term {
    /// The conditions that must all hold for this one to hold.
    #[must_use]
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::All(terms) => terms,
            other => std::slice::from_ref(other),
        }
    }

    /// Adds every column that is read for it.
    pub fn columns<'t>(&'t self, columns: &mut Vec<&'t Column>) {
        match self {
            Self::Column(column) => columns.push(column),
            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::Date(_) | Self::Timestamp(_) => {}
            Self::Negate(term)
            | Self::Cast(term, _)
            | Self::Like { term, .. }
            | Self::IsNull { term, .. }
            | Self::Not(term) => term.columns(columns),
            Self::Arithmetic { left, right, .. } | Self::Compare { left, right, .. } => {
                left.columns(columns);
                right.columns(columns);
            }
            Self::Call { arguments: terms, .. } | Self::All(terms) | Self::Any(terms) => {
                terms.iter().for_each(|term| term.columns(columns));
            }
            Self::In { term, list, .. } => {
                term.columns(columns);
                list.iter().for_each(|term| term.columns(columns));
            }
            Self::Between { term, low, high, .. } => {
                [term, low, high].into_iter().for_each(|term| term.columns(columns));
            }
        }
    }
}
