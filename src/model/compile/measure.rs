//! `measures` → numbers with exact formulas and defaults; which of them is the quantity, and which the price.

use super::expression::{self, exact};
use super::signs;
use super::types::{Column, MOST_DIGITS, show};
use crate::model::{Additivity, Expression, Measure, ValueType};
use crate::spec::{At, FactSpec, MeasureSpec, Named, NumberText, Problems, Span};

/// A measure, and its type where that is known.
pub(super) struct KnownMeasure {
    pub compiled: Measure,
    pub column: Column,
    /// Has a formula or a default as written, right or wrong: an event need not state it.
    pub is_computed: bool,
}

pub(super) fn compile(
    written: &Named<MeasureSpec>,
    text: &str,
    problems: &mut Problems,
) -> Vec<KnownMeasure> {
    let columns: Vec<Column> = written.iter().map(|(name, spec)| column(name, spec, problems)).collect();
    let mut measures = Vec::new();
    for ((name, spec), column) in written.iter().zip(&columns) {
        let formula =
            spec.formula.as_ref().and_then(|written| formula(name, written, &columns, text, problems));
        if let (Some(formula), Some(written)) = (&formula, &spec.formula) {
            let measure_type = |part: &Expression| match part {
                Expression::Measure(index) => columns.get(*index)?.value_type,
                _ => None,
            };
            check_scale(column, ("the formula", written.span), formula, &measure_type, problems);
        }
        let additive = spec.additive.as_ref().is_none_or(|additive| additive.value);
        let compiled = Measure {
            name: name.value.clone(),
            value_type: column.value_type.unwrap_or(ValueType::Integer),
            additivity: if additive { Additivity::Additive } else { Additivity::NonAdditive },
            formula,
            default: spec.default.as_ref().and_then(|written| default(column, written, problems)),
        };
        let is_computed = spec.formula.is_some() || spec.default.is_some();
        measures.push(KnownMeasure { compiled, column: column.clone(), is_computed });
    }
    report_cycles(written, &measures, problems);
    signs::check(written, &measures, problems);
    measures
}

/// The measure by which a line is used up.
pub(super) fn quantity(spec: &FactSpec, measures: &[KnownMeasure], problems: &mut Problems) -> Option<usize> {
    let index = find("quantity", spec.quantity.as_ref()?, measures, problems)?;
    let measure = measures.get(index)?;
    if measure.compiled.additivity == Additivity::NonAdditive && !problems.doubts(measure.column.name.span) {
        let span = spec.quantity.as_ref()?.span;
        problems.add(
            span,
            "the quantity must add up",
            "leave out `additive = false`, or name another measure",
        );
    }
    Some(index)
}

/// The measure that is a price.
pub(super) fn price(spec: &FactSpec, measures: &[KnownMeasure], problems: &mut Problems) -> Option<usize> {
    let index = find("price", spec.price.as_ref()?, measures, problems)?;
    let measure = measures.get(index)?;
    if measure.compiled.additivity == Additivity::Additive && !problems.doubts(measure.column.name.span) {
        let span = spec.price.as_ref()?.span;
        problems.add(
            span,
            "a price does not add up",
            "say `additive = false` in its measure, or name another one",
        );
    }
    Some(index)
}

fn find(role: &str, name: &At<String>, measures: &[KnownMeasure], problems: &mut Problems) -> Option<usize> {
    let known = || measures.iter().map(|measure| measure.column.name.value.as_str());
    let found = known().position(|measure| measure == name.value);
    if found.is_none() {
        let message = format!("`{role}` names `{}`, which is no measure of this fact", name.value);
        problems.unknown(name.span, message, &name.value, known());
    }
    found
}

fn column(name: &At<String>, spec: &MeasureSpec, problems: &mut Problems) -> Column {
    let Some(written) = &spec.value_type else {
        return Column { name: name.clone(), value_type: None };
    };
    let mut column = Column::read(name, written, problems);
    let is_number =
        |value_type: ValueType| matches!(value_type, ValueType::Integer | ValueType::Decimal { .. });
    if let Some(other) = column.value_type.filter(|value_type| !is_number(*value_type)) {
        let message = format!("the measure `{}` is {}, which is no number", name.value, show(other));
        problems.add(
            written.span,
            message,
            "a measure is an `integer` or a `decimal(18,4)`; other values go to `columns`",
        );
        column.value_type = None;
    }
    column
}

fn formula(
    name: &At<String>,
    written: &At<NumberText>,
    columns: &[Column],
    text: &str,
    problems: &mut Problems,
) -> Option<Expression> {
    let mut resolve = |word: &str, span: Span, problems: &mut Problems| {
        let known = || columns.iter().map(|column| column.name.value.as_str());
        let found = known().position(|measure| measure == word);
        if found.is_none() {
            let others = known().filter(|measure| *measure != name.value);
            problems.unknown(span, format!("`{word}` is no measure of this fact"), word, others);
        }
        found.map(Expression::Measure)
    };
    expression::parse(written, text, &mut resolve, problems)
}

fn default(column: &Column, written: &At<NumberText>, problems: &mut Problems) -> Option<i128> {
    let text = written.value.0.trim();
    let Some((unscaled, scale)) = exact(text) else {
        let message = format!("`{text}` is no exact number of up to {MOST_DIGITS} digits");
        problems.add(written.span, message, "a default is a number: `default = \"0\"`");
        return None;
    };
    let (precision, measure_scale) = match column.value_type? {
        ValueType::Decimal { precision, scale } => (u32::from(precision), scale),
        _ => (18, 0),
    };
    let fitted = measure_scale.checked_sub(scale).and_then(|more| {
        let value = unscaled.checked_mul(10_i128.checked_pow(u32::from(more))?)?;
        (value.unsigned_abs() < 10_u128.pow(precision)).then_some(value)
    });
    if fitted.is_none() {
        let message = format!("`{text}` does not fit {}", column.value_type.map(show).unwrap_or_default());
        problems.add(written.span, message, "widen the measure's type, or choose another default");
    }
    fitted
}

/// Reports an expression whose exact value has more digits behind the point than its measure.
pub(super) fn check_scale(
    column: &Column,
    (what, span): (&str, Span),
    expression: &Expression,
    types: &dyn Fn(&Expression) -> Option<ValueType>,
    problems: &mut Problems,
) {
    let (Some(exact), Some(measure)) = (expression::scale(expression, types), column.value_type) else {
        return;
    };
    let (scale, digits) = match measure {
        ValueType::Decimal { precision, scale } => (usize::from(scale), precision - scale),
        _ => (0, 18),
    };
    if exact > usize::from(MOST_DIGITS) {
        let message =
            format!("{what} has {exact} digits behind the point, and no decimal has more than {MOST_DIGITS}");
        problems.add(span, message, "nothing is rounded: use factors with fewer digits behind the point");
    } else if exact > scale {
        let name = &column.name.value;
        let message = format!(
            "{what} has {exact} digits behind the point, but the measure `{name}` is {}",
            show(measure)
        );
        let wider = usize::from(digits) + exact;
        let hint = match wider <= usize::from(MOST_DIGITS) {
            true => format!("nothing is rounded: declare `{name}` as `decimal({wider},{exact})`"),
            false => "nothing is rounded: use factors with fewer digits behind the point".to_owned(),
        };
        problems.add(span, message, hint);
    }
}

/// Reports each formula that leads back to itself, once a cycle.
fn report_cycles(written: &Named<MeasureSpec>, measures: &[KnownMeasure], problems: &mut Problems) {
    let uses: Vec<Vec<usize>> = measures
        .iter()
        .map(|measure| {
            let mut used = Vec::new();
            if let Some(formula) = &measure.compiled.formula {
                collect(formula, &mut used);
            }
            used
        })
        .collect();
    let mut reported = vec![false; measures.len()];
    for start in 0..measures.len() {
        let Some(cycle) = path_back(start, &uses) else { continue };
        if cycle.iter().any(|index| reported[*index]) {
            continue;
        }
        cycle.iter().for_each(|index| reported[*index] = true);
        let names: Vec<&str> = written.names().collect();
        let shown: Vec<String> =
            cycle.iter().chain([&start]).map(|index| format!("`{}`", names[*index])).collect();
        let formula = written.iter().nth(start).and_then(|(_, spec)| spec.formula.as_ref());
        if let Some(formula) = formula {
            let message = format!("this formula leads back to itself: {}", shown.join(" → "));
            problems.add(formula.span, message, "one of them must be stated by events, or have no formula");
        }
    }
}

fn collect(expression: &Expression, used: &mut Vec<usize>) {
    match expression {
        Expression::Measure(index) => used.push(*index),
        Expression::Number { .. } | Expression::Field(_) => {}
        Expression::Negate(inner) => collect(inner, used),
        Expression::Binary { left, right, .. } => {
            collect(left, used);
            collect(right, used);
        }
    }
}

/// The shortest way from a measure back to itself.
fn path_back(start: usize, uses: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut paths = vec![vec![start]];
    let mut seen = vec![false; uses.len()];
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            for next in path.last().and_then(|last| uses.get(*last)).into_iter().flatten() {
                if *next == start {
                    return Some(path);
                }
                if !std::mem::replace(&mut seen[*next], true) {
                    longer.push(path.iter().copied().chain([*next]).collect());
                }
            }
        }
        paths = longer;
    }
    None
}
