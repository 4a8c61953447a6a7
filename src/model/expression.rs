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

/// A number that 128 bits do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

/// An exact number, unscaled, and its scale.
type Exact = (i128, u8);

impl Operator {
    /// The exact result, if 128 bits hold it.
    pub fn apply(self, (left, of_left): Exact, (right, of_right): Exact) -> Option<Exact> {
        let common = of_left.max(of_right);
        let aligned = || Some((rescale(left, of_left, common)?, rescale(right, of_right, common)?));
        match self {
            Self::Multiply => Some((left.checked_mul(right)?, of_left + of_right)),
            Self::Add => aligned().and_then(|(left, right)| Some((left.checked_add(right)?, common))),
            Self::Subtract => aligned().and_then(|(left, right)| Some((left.checked_sub(right)?, common))),
        }
    }
}

/// The same number at another scale; none where it would lose digits or overflow.
#[must_use]
pub fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if from == to {
        return Some(value);
    }
    if from < to {
        return 10i128.checked_pow((to - from).into()).and_then(|factor| value.checked_mul(factor));
    }
    let factor = 10i128.checked_pow((from - to).into())?;
    (value % factor == 0).then(|| value / factor)
}

impl Expression {
    /// The value of one row at this scale; none where a field or measure of it has none.
    ///
    /// # Errors
    /// Where it, or a part of it, overflows.
    pub fn value(
        &self,
        scale: u8,
        field: &dyn Fn(FieldRef) -> Option<Exact>,
        measure: &dyn Fn(usize) -> Result<Option<Exact>, Overflow>,
    ) -> Result<Option<i128>, Overflow> {
        match self.exact(field, measure)? {
            Some((value, from)) => rescale(value, from, scale).map(Some).ok_or(Overflow),
            None => Ok(None),
        }
    }

    fn exact(
        &self,
        field: &dyn Fn(FieldRef) -> Option<Exact>,
        measure: &dyn Fn(usize) -> Result<Option<Exact>, Overflow>,
    ) -> Result<Option<Exact>, Overflow> {
        Ok(match self {
            Self::Number { unscaled, scale } => Some((*unscaled, *scale)),
            Self::Field(reference) => field(*reference),
            Self::Measure(index) => measure(*index)?,
            Self::Negate(inner) => inner.exact(field, measure)?.map(|(value, scale)| (-value, scale)),
            Self::Binary { operator, left, right } => {
                let (Some(left), Some(right)) = (left.exact(field, measure)?, right.exact(field, measure)?)
                else {
                    return Ok(None);
                };
                Some(operator.apply(left, right).ok_or(Overflow)?)
            }
        })
    }

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
