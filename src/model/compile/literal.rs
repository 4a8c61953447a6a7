//! A value as written in the pipeline → JSON of the type that is wanted.

use super::expression::exact;
use super::types;
use crate::model::ValueType;
use crate::spec::{At, Literal, Problems};
use chrono::{DateTime, NaiveDate};
use serde_json::Value as Json;

/// The value as JSON, and its type: the one that is wanted, or its own. An empty list has none.
pub(super) fn compile(
    written: &At<Literal>,
    wanted: Option<ValueType>,
    problems: &mut Problems,
) -> Option<(String, Option<ValueType>)> {
    let value = &written.value.0;
    let own = match value {
        Json::String(_) => Some(ValueType::Text),
        Json::Number(_) => Some(ValueType::Integer),
        Json::Bool(_) => Some(ValueType::Boolean),
        Json::Array(items) if items.is_empty() => return Some(("[]".to_owned(), None)),
        _ => {
            problems.add(
                written.span,
                "a field holds one value",
                "write a text, a number or a truth value; or `[]`",
            );
            return None;
        }
    };
    let wanted = wanted.or(own)?;
    let fits = match (wanted, value) {
        (ValueType::Text, Json::String(_))
        | (ValueType::Integer, Json::Number(_))
        | (ValueType::Boolean, Json::Bool(_)) => Some(value.to_string()),
        (ValueType::Decimal { precision, scale }, Json::Number(_) | Json::String(_)) => {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
            decimal(&text, precision, scale)
        }
        (ValueType::Date, Json::String(text)) => {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|_| value.to_string())
        }
        (ValueType::Timestamp, Json::String(text)) => {
            DateTime::parse_from_rfc3339(text).ok().map(|_| value.to_string())
        }
        _ => None,
    };
    if fits.is_none() {
        let message = format!("{value} is no {}", types::show(wanted));
        problems.add(written.span, message, "write a value of that type");
    }
    Some((fits?, Some(wanted)))
}

/// An exact number of so many digits, as JSON.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<String> {
    let (unscaled, own) = exact(text)?;
    let more = u32::from(scale.checked_sub(own)?);
    let scaled = unscaled.checked_mul(10_i128.checked_pow(more)?)?;
    if scaled.unsigned_abs() >= 10_u128.pow(u32::from(precision.min(types::MOST_DIGITS))) {
        return None;
    }
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(own) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(own));
    let (sign, point) = (if unscaled < 0 { "-" } else { "" }, if own > 0 { "." } else { "" });
    Some(format!("{sign}{whole}{point}{fraction}"))
}
