//! `[events.<type>.values]` → what a field may hold.

use super::expression::exact;
use super::types;
use crate::model::{Allowed, Field, ValueType};
use crate::spec::{At, Literal, Problems};
use serde_json::Value as Json;

/// What is written of a field; none where it was reported.
pub(super) fn compile(written: &At<Literal>, field: &Field, problems: &mut Problems) -> Option<Allowed> {
    let number = |value: &Json| unscaled(value, field.value_type);
    let allowed = match (&written.value.0, field.value_type) {
        (Json::Array(values), _) if values.is_empty() => None,
        (Json::Array(values), ValueType::Text) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Allowed::Texts)
        }
        (Json::Array(values), ValueType::Integer | ValueType::Decimal { .. }) => {
            values.iter().map(number).collect::<Option<_>>().map(Allowed::Numbers)
        }
        (Json::Object(ends), ValueType::Integer | ValueType::Decimal { .. }) => {
            let end = |name: &str| ends.get(name).map(number);
            let is_known = !ends.is_empty() && ends.keys().all(|name| name == "min" || name == "max");
            match (end("min"), end("max")) {
                (Some(None), _) | (_, Some(None)) => None,
                (min, max) => is_known.then_some(Allowed::Between { min: min.flatten(), max: max.flatten() }),
            }
        }
        _ => None,
    };
    if allowed.is_none() {
        let shown = types::show(field.value_type);
        let (message, hint) = match field.value_type {
            ValueType::Text => (
                format!("these are no values of `{}`, which is {shown}", field.name),
                "write texts: `[\"EUR\", \"USD\"]`",
            ),
            ValueType::Integer | ValueType::Decimal { .. } => (
                format!("these are no values of `{}`, which is {shown}", field.name),
                "write numbers that the type holds, `[1, 2, \"2.5\"]`, or their ends, `{ min = 0, max = \"99.99\" }`",
            ),
            _ => (
                format!("`{}` is {shown}: only texts and numbers are judged by their value", field.name),
                "leave it out",
            ),
        };
        problems.add(written.span, message, hint);
    }
    if let Some(Allowed::Between { min: Some(min), max: Some(max) }) = &allowed
        && min > max
    {
        problems.add(written.span, "`max` is less than `min`: no value is allowed", "swap them");
    }
    allowed
}

/// A number in the scale of its type; none if the type does not hold it.
fn unscaled(value: &Json, value_type: ValueType) -> Option<i128> {
    let text = match value {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (unscaled, own) = exact(&text)?;
    let more = u32::from(value_type.scale().checked_sub(own)?);
    let scaled = unscaled.checked_mul(10_i128.checked_pow(more)?)?;
    value_type.holds(scaled).then_some(scaled)
}
