//! A typed value → JSON, in one way for all that mean the same: what a step of an upcast sees depends on nothing else.

use super::column::{Column, Values};
use super::time::Times;
use super::value;
use crate::log::json::{Scanner, Token, quoted};
use crate::log::reject::{Code, Flaw};
use crate::model::ValueType;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, TimeDelta};

/// A written value as one of this type; tells whether it was a leap second.
///
/// # Errors
/// The flaw of a line that says it.
pub fn typed(raw: &[u8], value_type: ValueType, times: Times) -> Result<(Vec<u8>, bool), Flaw> {
    let mut scanner = Scanner::again(raw);
    let token = scanner.token()?;
    if !matches!(token, Token::Container) && scanner.at() != raw.len() {
        return Err(Flaw::new(Code::Type, "more than one value"));
    }
    let mut column = Column::new(value_type);
    let leap = value::push(&mut column, token, times)?;
    Ok((last(&column, raw), leap))
}

/// The only value of a column; texts are as they were written.
fn last(column: &Column, raw: &[u8]) -> Vec<u8> {
    match &column.values {
        Values::Text(_) | Values::Boolean(_) | Values::Date(_) => raw.to_vec(),
        Values::Integer(values) => values.last().copied().unwrap_or_default().to_string().into_bytes(),
        Values::Decimal { values, scale, .. } => {
            decimal(values.last().copied().unwrap_or_default(), *scale).into_bytes()
        }
        Values::Timestamp(values) => instant(values.last().copied().unwrap_or_default()),
    }
}

/// A value of the event store that is not null.
pub fn stored(array: &dyn Array, row: usize) -> Option<Vec<u8>> {
    Some(match array.data_type() {
        DataType::Utf8 => quoted(array.as_string::<i32>().value(row)),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string().into_bytes(),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).unwrap_or_default();
            decimal(array.as_primitive::<Decimal128Type>().value(row), scale).into_bytes()
        }
        DataType::Boolean => array.as_boolean().value(row).to_string().into_bytes(),
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(..) => instant(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        _ => return None,
    })
}

/// All digits behind the point that the type has.
pub fn decimal(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if value < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    format!("{sign}{whole}{point}{fraction}")
}

fn date(days: i32) -> Vec<u8> {
    let epoch = NaiveDate::default();
    let date = epoch.checked_add_signed(TimeDelta::days(days.into())).unwrap_or(epoch);
    quoted(&date.to_string())
}

/// In UTC; a fraction of a second only if there is one.
fn instant(micros: i64) -> Vec<u8> {
    let instant = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let format = if micros % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    quoted(&instant.format(format).to_string())
}
