//! Exact arithmetic of measures: expressions, signs and proportions (DESIGN 1, 19).

use starlog::model::{Additivity, Expression, Fact, Operator, ValueType};

/// An exact number.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    unscaled: i128,
    scale: u32,
}

impl Number {
    /// Unscaled, in the scale of a measure; the model has made sure that it fits.
    pub fn in_scale_of(self, value_type: ValueType) -> i128 {
        let scale = scale_of(value_type);
        let missing = scale.checked_sub(self.scale).expect("the model has checked the scale");
        self.unscaled * 10_i128.pow(missing)
    }
}

pub fn scale_of(value_type: ValueType) -> u32 {
    match value_type {
        ValueType::Decimal { scale, .. } => scale.into(),
        _ => 0,
    }
}

/// The value of an expression whose fields and measures `leaf` gives as (unscaled, scale); `None` if one is missing.
pub fn evaluate(
    expression: &Expression,
    leaf: &dyn Fn(&Expression) -> Option<(i128, u32)>,
) -> Option<Number> {
    match expression {
        Expression::Number { unscaled, scale } => {
            Some(Number { unscaled: *unscaled, scale: u32::from(*scale) })
        }
        Expression::Field(_) | Expression::Measure(_) => {
            leaf(expression).map(|(unscaled, scale)| Number { unscaled, scale })
        }
        Expression::Negate(inner) => {
            evaluate(inner, leaf).map(|number| Number { unscaled: -number.unscaled, ..number })
        }
        Expression::Binary { operator, left, right } => {
            let (left, right) = (evaluate(left, leaf)?, evaluate(right, leaf)?);
            let common = left.scale.max(right.scale);
            let aligned = |number: Number| number.unscaled * 10_i128.pow(common - number.scale);
            Some(match operator {
                Operator::Add => Number { unscaled: aligned(left) + aligned(right), scale: common },
                Operator::Subtract => Number { unscaled: aligned(left) - aligned(right), scale: common },
                Operator::Multiply => {
                    Number { unscaled: left.unscaled * right.unscaled, scale: left.scale + right.scale }
                }
            })
        }
    }
}

/// All measures of a row: what `known` gives, else the formula over the row's own measures, else what `otherwise` gives.
pub fn complete(
    fact: &Fact,
    known: impl Fn(usize) -> Option<i128>,
    otherwise: impl Fn(usize) -> Option<i128>,
) -> Vec<Option<i128>> {
    (0..fact.measures.len()).map(|index| one(fact, index, &known, &otherwise)).collect()
}

fn one(
    fact: &Fact,
    index: usize,
    known: &dyn Fn(usize) -> Option<i128>,
    otherwise: &dyn Fn(usize) -> Option<i128>,
) -> Option<i128> {
    let measure = &fact.measures[index];
    let computed = || {
        let formula = measure.formula.as_ref()?;
        let number = evaluate(formula, &|leaf| match leaf {
            Expression::Measure(other) => {
                let scale = scale_of(fact.measures[*other].value_type);
                one(fact, *other, known, otherwise).map(|unscaled| (unscaled, scale))
            }
            _ => None,
        })?;
        Some(number.in_scale_of(measure.value_type))
    };
    known(index).or_else(computed).or_else(|| otherwise(index))
}

pub fn is_additive(fact: &Fact, index: usize) -> bool {
    fact.measures[index].additivity == Additivity::Additive
}

/// The part of `whole` that goes to the portion from `before` to `after` of `total`, so that parts add up.
pub fn share(whole: i128, before: i128, after: i128, total: i128) -> i128 {
    rounded(whole * after, total) - rounded(whole * before, total)
}

/// A quotient, rounded half away from zero. Nothing is divided by nothing: a part of a zero total is zero.
fn rounded(dividend: i128, divisor: i128) -> i128 {
    if divisor == 0 {
        return 0;
    }
    let sign = dividend.signum() * divisor.signum();
    let (dividend, divisor) = (dividend.abs(), divisor.abs());
    sign * ((2 * dividend + divisor) / (2 * divisor))
}
