//! Exact arithmetic over fields and measures: `quantity * unit_price - discount`.

use super::FieldRef;
use serde::Serialize;

/// An expression. Exact: it has no division, and its scale is known before the first row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Expression {
    /// A number with its scale: `1.50` is (150, 2).
    Number {
        unscaled: i128,
        scale: u8,
    },
    /// A field of the event at hand.
    Field(FieldRef),
    /// A measure of the fact at hand, by index.
    Measure(usize),
    Binary {
        operator: Operator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Negate(Box<Expression>),
}

/// The operators, by rising precedence of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
}

impl Expression {
    /// Adds the fields that the expression reads.
    pub fn fields(&self, into: &mut Vec<FieldRef>) {
        match self {
            Self::Number { .. } | Self::Measure(_) => {}
            Self::Field(field) => into.push(*field),
            Self::Negate(inner) => inner.fields(into),
            Self::Binary { left, right, .. } => {
                left.fields(into);
                right.fields(into);
            }
        }
    }
}
