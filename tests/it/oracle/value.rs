//! A value of a logical table, in a form that two engines must agree on to the letter.

use chrono::{DateTime, NaiveDate};
use serde_json::Value as Json;
use starlog::model::ValueType;
use std::fmt;

/// A value. The derived order is that of a table sorted by it (numbers by number, text by bytes).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Int(i128),
    /// Canonical text with all the digits of its scale: `-0.50`.
    Decimal(String),
    Text(String),
    Bool(bool),
    /// Microseconds since 1970 in UTC.
    Timestamp(i64),
    /// Days since 1970.
    Date(i32),
}

/// The columns of one entity's natural key; none of them is null.
pub type NaturalKey = Vec<Value>;

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number in the column's own type.
    pub fn number(unscaled: i128, value_type: ValueType) -> Self {
        match value_type {
            ValueType::Decimal { scale, .. } => Self::Decimal(decimal_text(unscaled, scale)),
            _ => Self::Int(unscaled),
        }
    }

    /// The value that a JSON value states for a column of this type; `None`: it breaks the contract.
    pub fn read(json: &Json, value_type: ValueType) -> Option<Self> {
        match (value_type, json) {
            (_, Json::Null) => Some(Self::Null),
            (ValueType::Text, Json::String(text)) => Some(Self::text(text)),
            (ValueType::Integer, Json::Number(number)) => number.as_i64().map(|n| Self::Int(n.into())),
            (ValueType::Decimal { scale, .. }, Json::String(text)) => decimal(text, scale),
            (ValueType::Decimal { scale, .. }, Json::Number(number)) => decimal(&number.to_string(), scale),
            (ValueType::Boolean, Json::Bool(bool)) => Some(Self::Bool(*bool)),
            (ValueType::Date, Json::String(text)) => {
                text.parse::<NaiveDate>().ok().map(|date| Self::Date(days_since_1970(date)))
            }
            (ValueType::Timestamp, Json::String(text)) => instant(text).map(Self::Timestamp),
            _ => None,
        }
    }

    /// The value of a key: `None` where it is absent or null.
    pub fn known(value: Option<Self>) -> Option<Self> {
        value.filter(|value| *value != Self::Null)
    }

    /// (unscaled, scale) of a number; `None`: null, or no number.
    pub fn as_number(&self) -> Option<(i128, u32)> {
        match self {
            Self::Int(number) => Some((*number, 0)),
            Self::Decimal(text) => {
                let scale = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                Some((text.replace('.', "").parse().ok()?, u32::try_from(scale).ok()?))
            }
            _ => None,
        }
    }
}

/// Microseconds since 1970 of an RFC 3339 text.
pub fn instant(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}

pub fn days_since_1970(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).expect("a calendar date")
}

fn decimal(text: &str, scale: u8) -> Option<Value> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::from(scale).checked_sub(digits.len())?;
    let unscaled: i128 = format!("{whole}{digits}{}", "0".repeat(missing)).parse().ok()?;
    Some(Value::Decimal(decimal_text(unscaled, scale)))
}

fn decimal_text(unscaled: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => write!(formatter, "-"),
            Self::Int(number) => write!(formatter, "{number}"),
            Self::Decimal(text) | Self::Text(text) => write!(formatter, "{text}"),
            Self::Bool(bool) => write!(formatter, "{bool}"),
            Self::Timestamp(micros) => match DateTime::from_timestamp_micros(*micros) {
                Some(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
                None => write!(formatter, "{micros}us"),
            },
            Self::Date(days) => {
                let date = NaiveDate::default() + chrono::Duration::days(i64::from(*days));
                write!(formatter, "{date}")
            }
        }
    }
}
