//! The types that a field, an attribute or a measure may have. There is no float among them (DESIGN 1).

use arrow::datatypes::{DataType, TimeUnit};
use serde::Serialize;

/// The type of a value in an event and in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ValueType {
    /// UTF-8 text, byte for byte. Arrow `Utf8`.
    Text,
    /// 64-bit integer. Arrow `Int64`.
    Integer,
    /// Exact decimal, `precision` up to 38. Arrow `Decimal128(precision, scale)`.
    Decimal { precision: u8, scale: u8 },
    /// Arrow `Boolean`.
    Boolean,
    /// Calendar date. Arrow `Date32`.
    Date,
    /// Instant in UTC, microseconds, stored without zone. Arrow `Timestamp(Microsecond, None)`.
    Timestamp,
}

/// A column of a natural key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct KeyColumn {
    pub name: String,
    pub value_type: ValueType,
}

impl ValueType {
    /// The Arrow type of a column of such values.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    /// Whether a number, unscaled, fits: an integer into 64 bits, a decimal into its digits.
    #[must_use]
    pub fn holds(self, number: i128) -> bool {
        match self {
            Self::Decimal { precision, .. } => number.unsigned_abs() < 10_u128.pow(precision.min(38).into()),
            _ => i64::try_from(number).is_ok(),
        }
    }

    /// Digits after the point; 0 for everything but decimals.
    #[must_use]
    pub fn scale(self) -> u8 {
        match self {
            Self::Decimal { scale, .. } => scale,
            _ => 0,
        }
    }
}
