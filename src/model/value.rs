//! The types that a field, an attribute or a measure may have. There is no float among them (DESIGN 1).

use serde::Serialize;

/// The type of a value in an event and in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
