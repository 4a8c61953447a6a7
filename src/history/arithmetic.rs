//! Exact arithmetic of measures: 128-bit integers with a scale, checked; never a float (DESIGN 1).

use crate::error::{Error, Result};
use crate::model::{Expression, FieldRef, Measure, Operator, ValueType, rescale};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};

/// A column of numbers of one scale.
#[derive(Clone)]
pub struct Numbers {
    pub values: Vec<i128>,
    /// `None`: all are there.
    pub valid: Option<Vec<bool>>,
    pub scale: u8,
    /// Rows whose number does not fit 128 bits; they have none.
    pub overflown: Vec<usize>,
}

impl Numbers {
    /// Numbers that are all there.
    pub fn whole(values: Vec<i128>, scale: u8) -> Self {
        Self { values, valid: None, scale, overflown: Vec::new() }
    }

    /// The numbers of an integer or decimal column.
    pub fn from_array(array: &ArrayRef) -> Result<Self> {
        let valid =
            (array.null_count() > 0).then(|| (0..array.len()).map(|row| array.is_valid(row)).collect());
        let (values, scale) = match array.data_type() {
            DataType::Int64 => {
                (array.as_primitive::<Int64Type>().values().iter().map(|&value| value.into()).collect(), 0)
            }
            DataType::Decimal128(_, scale) => {
                (array.as_primitive::<Decimal128Type>().values().to_vec(), scale.unsigned_abs())
            }
            other => return Err(Error::bug(format!("{other} is no number"))),
        };
        Ok(Self { values, valid, scale, overflown: Vec::new() })
    }

    /// Takes away the number of a row.
    fn overflows(&mut self, row: usize) {
        let rows = self.values.len();
        if let Some(valid) = self.valid.get_or_insert_with(|| vec![true; rows]).get_mut(row) {
            *valid = false;
        }
        self.overflown.push(row);
    }

    /// The number of a row, if it is there.
    pub fn get(&self, row: usize) -> Option<i128> {
        self.valid.as_ref().is_none_or(|valid| valid[row]).then(|| self.values[row])
    }
}

/// What the leaves of an expression stand for.
pub trait Leaves {
    /// The column of a field.
    fn field(&self, field: FieldRef) -> Result<Numbers>;
    /// The column of a measure.
    fn measure(&self, measure: usize) -> Result<Numbers>;
    /// How many rows there are.
    fn rows(&self) -> usize;
}

/// Evaluates an expression for all rows and brings it to a measure's scale.
pub fn evaluate(expression: &Expression, leaves: &dyn Leaves, measure: &Measure) -> Result<Numbers> {
    let mut numbers = walk(expression, leaves)?;
    let scale = measure.value_type.scale();
    if numbers.scale != scale {
        for row in 0..numbers.values.len() {
            match rescale(numbers.values[row], numbers.scale, scale) {
                Some(value) => numbers.values[row] = value,
                None => numbers.overflows(row),
            }
        }
        numbers.scale = scale;
    }
    Ok(numbers)
}

fn walk(expression: &Expression, leaves: &dyn Leaves) -> Result<Numbers> {
    match expression {
        Expression::Number { unscaled, scale } => Ok(Numbers::whole(vec![*unscaled; leaves.rows()], *scale)),
        Expression::Field(field) => leaves.field(*field),
        Expression::Measure(measure) => leaves.measure(*measure),
        Expression::Negate(inner) => {
            let mut numbers = walk(inner, leaves)?;
            numbers.values.iter_mut().for_each(|value| *value = -*value);
            Ok(numbers)
        }
        Expression::Binary { operator, left, right } => {
            Ok(combine(*operator, walk(left, leaves)?, &walk(right, leaves)?))
        }
    }
}

fn combine(operator: Operator, mut left: Numbers, right: &Numbers) -> Numbers {
    let common = left.scale.max(right.scale);
    let scale = if operator == Operator::Multiply { left.scale + right.scale } else { common };
    let mut overflown = Vec::new();
    for (row, (value, &other)) in left.values.iter_mut().zip(&right.values).enumerate() {
        match operator.apply((*value, left.scale), (other, right.scale)) {
            Some((result, _)) => *value = result,
            None => overflown.push(row),
        }
    }
    left.scale = scale;
    left.valid = match (left.valid, &right.valid) {
        (None, valid) => valid.clone(),
        (valid, None) => valid,
        (Some(mut valid), Some(other)) => {
            valid.iter_mut().zip(other).for_each(|(valid, other)| *valid &= other);
            Some(valid)
        }
    };
    left.overflown.extend(&right.overflown);
    overflown.into_iter().for_each(|row| left.overflows(row));
    left
}

/// `value * part / whole`, rounded half away from zero; 0 where `whole` is 0.
pub fn share(value: i128, part: i128, whole: i128) -> Result<i128> {
    if whole == 0 {
        return Ok(0);
    }
    let scaled = value.checked_mul(part).ok_or_else(|| Error::data("a share overflows 128 bits"))?;
    let (quotient, remainder) = (scaled / whole, scaled % whole);
    let away = if (scaled < 0) == (whole < 0) { 1 } else { -1 };
    Ok(if remainder.unsigned_abs() * 2 >= whole.unsigned_abs() { quotient + away } else { quotient })
}

/// The measures in an order in which each stands behind those that its formula reads.
pub fn evaluation_order(measures: &[Measure]) -> Vec<usize> {
    fn visit(measure: usize, measures: &[Measure], done: &mut Vec<usize>) {
        if done.contains(&measure) {
            return;
        }
        let mut read = Vec::new();
        measures[measure].formula.iter().for_each(|formula| measures_of(formula, &mut read));
        read.into_iter().for_each(|read| visit(read, measures, done));
        done.push(measure);
    }
    let mut done = Vec::new();
    (0..measures.len()).for_each(|measure| visit(measure, measures, &mut done));
    done
}

fn measures_of(expression: &Expression, into: &mut Vec<usize>) {
    match expression {
        Expression::Number { .. } | Expression::Field(_) => {}
        Expression::Measure(measure) => into.push(*measure),
        Expression::Negate(inner) => measures_of(inner, into),
        Expression::Binary { left, right, .. } => {
            measures_of(left, into);
            measures_of(right, into);
        }
    }
}

/// One row of measures, as the leaves of a formula.
pub struct Row<'a> {
    pub values: &'a [i128],
    pub measures: &'a [Measure],
}

impl Leaves for Row<'_> {
    fn field(&self, _: FieldRef) -> Result<Numbers> {
        Err(Error::bug("a formula reads measures, not fields"))
    }

    fn measure(&self, measure: usize) -> Result<Numbers> {
        let scale = self.measures[measure].value_type.scale();
        Ok(Numbers::whole(vec![self.values[measure]], scale))
    }

    fn rows(&self) -> usize {
        1
    }
}

/// A value of a measure does not fit its type; `place` tells where it comes from.
pub fn overflow(measure: &str, value_type: ValueType, place: &str) -> Error {
    let kind = match value_type {
        ValueType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        _ => "integer".to_owned(),
    };
    Error::data(format!("a value of the measure `{measure}` does not fit {kind}{place}"))
}

/// What to do about it, with the query that shows the line of the event.
pub fn look_up(event: &str, position: i64) -> String {
    format!(
        "widen the measure's type in the pipeline, or begin a new warehouse without that line: \
         SELECT _file, _line FROM log.\"{event}\" WHERE _position = {position}"
    )
}
