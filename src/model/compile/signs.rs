//! Formulas of measures that add up → does a row with all signs turned give the same amount with its sign turned?
//!
//! A reversal computes a formula from the measures of its own row, which are signed where they add up (DESIGN 19).
//! It takes back what was placed if each term has exactly one factor that adds up: `quantity * price` does,
//! `quantity * price + 1` and `quantity * weight`, where both add up, do not.

use super::measure::KnownMeasure;
use crate::model::{Additivity, Expression, Operator};
use crate::spec::{MeasureSpec, Named, Problems};

/// What becomes of a value when all that adds up in its row changes sign.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    /// The value stays: numbers, prices.
    Stays,
    /// It changes sign too.
    Turns,
    /// Neither: it becomes another amount.
    Breaks,
}

/// Reports each formula of an additive measure that does not turn its sign with its row.
pub(super) fn check(written: &Named<MeasureSpec>, measures: &[KnownMeasure], problems: &mut Problems) {
    // A mistake of writing in one of them may be the very reason.
    if written.iter().any(|(name, _)| problems.doubts(name.span)) {
        return;
    }
    let signs = signs(measures);
    for ((name, spec), measure) in written.iter().zip(measures) {
        let (Some(formula), Some(place)) = (&measure.compiled.formula, &spec.formula) else { continue };
        let hint = match sign(formula, &signs) {
            _ if measure.compiled.additivity == Additivity::NonAdditive => continue,
            Sign::Turns => continue,
            Sign::Stays => {
                "a number for each line is a `default`, or what events state; prices say `additive = false`"
            }
            Sign::Breaks => {
                "each of its terms needs exactly one factor that adds up: leave out constants, and say \
                 `additive = false` of prices and rates"
            }
        };
        let message =
            format!("`{}` adds up, but a reversal could not take back what this formula gives", name.value);
        problems.add(place.span, message, hint);
    }
}

/// Of each measure. One that does not add up may still be computed from others that do.
fn signs(measures: &[KnownMeasure]) -> Vec<Sign> {
    let declared = |measure: &KnownMeasure| match measure.compiled.additivity {
        Additivity::Additive => Sign::Turns,
        Additivity::NonAdditive => Sign::Stays,
    };
    let mut signs: Vec<Sign> = measures.iter().map(declared).collect();
    // A formula may read a later one; a cycle is reported elsewhere.
    for _ in measures {
        for (index, measure) in measures.iter().enumerate() {
            if let (Additivity::NonAdditive, Some(formula)) =
                (measure.compiled.additivity, &measure.compiled.formula)
            {
                signs[index] = sign(formula, &signs);
            }
        }
    }
    signs
}

fn sign(expression: &Expression, measures: &[Sign]) -> Sign {
    match expression {
        Expression::Number { .. } | Expression::Field(_) => Sign::Stays,
        Expression::Measure(index) => measures.get(*index).copied().unwrap_or(Sign::Stays),
        Expression::Negate(inner) => sign(inner, measures),
        Expression::Binary { operator, left, right } => {
            let sides = (sign(left, measures), sign(right, measures));
            match (operator, sides) {
                (_, (Sign::Breaks, _) | (_, Sign::Breaks)) => Sign::Breaks,
                (Operator::Multiply, (Sign::Turns, Sign::Turns)) => Sign::Breaks,
                (Operator::Multiply, (Sign::Turns, _) | (_, Sign::Turns)) => Sign::Turns,
                (_, (left, right)) if left == right => left,
                _ => Sign::Breaks,
            }
        }
    }
}
