//! `"country = 'France' AND sum(x)"` → a tree, or what is wrong and where: SQL's expression language, as far as a
//! question may speak it.
//!
//! Nothing here knows what a name refers to. What SQL reads by precedence that few know by heart (`a = b = c`) is refused.

mod parse;
mod token;

pub(super) use parse::parse;

use crate::model::{Arithmetic, Comparison};
use std::ops::Range;

/// An expression, and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub place: Range<usize>,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// `part` or `role.part`; what stands in double quotes is one part.
    Name(Vec<String>),
    Number(String),
    Text(String),
    Boolean(bool),
    Null,
    /// `DATE '2023-01-31'`, `TIMESTAMP '2023-01-31 12:00:00'`: the word in capitals, and the text.
    Typed(String, String),
    /// The function in lower case.
    Call(String, Vec<Node>),
    /// The type in lower case.
    Cast(Box<Node>, String),
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    In {
        term: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    Between {
        term: Box<Node>,
        low: Box<Node>,
        high: Box<Node>,
        negated: bool,
    },
    Like {
        term: Box<Node>,
        pattern: Box<Node>,
        ignores_case: bool,
        negated: bool,
    },
    IsNull {
        term: Box<Node>,
        negated: bool,
    },
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub place: Range<usize>,
    pub message: String,
    pub hint: String,
}

impl Mistake {
    pub fn new(place: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: hint.into() }
    }
}
