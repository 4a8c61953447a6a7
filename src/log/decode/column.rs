//! A column that grows value by value and can be cut back when a line turns out to be a reject.

use crate::model::ValueType;
use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::sync::Arc;

/// Values in the making.
#[derive(Debug)]
pub enum Values {
    Text(Texts),
    Integer(Vec<i64>),
    Decimal { values: Vec<i128>, precision: u8, scale: u8 },
    Boolean(Vec<bool>),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
}

/// Strings, end to end.
#[derive(Debug)]
pub struct Texts {
    /// Where each string begins, and where the last one ends.
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

impl Texts {
    /// Ends the string that has been written to [`Texts::open`].
    #[inline]
    pub fn close(&mut self) {
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    /// Where the next string is written.
    #[inline]
    pub fn open(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let place = |at: usize| usize::try_from(*self.offsets.get(at)?).ok();
        self.bytes.get(place(at)?..place(at + 1)?)
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |&end| usize::try_from(end).unwrap_or_default()));
    }
}

/// A column in the making.
#[derive(Debug)]
pub struct Column {
    pub values: Values,
    valid: BooleanBufferBuilder,
}

impl Column {
    pub fn new(value_type: ValueType) -> Self {
        let values = match value_type {
            ValueType::Text => Values::Text(Texts::default()),
            ValueType::Integer => Values::Integer(Vec::new()),
            ValueType::Decimal { precision, scale } => {
                Values::Decimal { values: Vec::new(), precision, scale }
            }
            ValueType::Boolean => Values::Boolean(Vec::new()),
            ValueType::Date => Values::Date(Vec::new()),
            ValueType::Timestamp => Values::Timestamp(Vec::new()),
        };
        Self { values, valid: BooleanBufferBuilder::new(0) }
    }

    /// Says that the value just pushed is one.
    #[inline]
    pub fn is_value(&mut self) {
        self.valid.append(true);
    }

    #[inline]
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Text(texts) => texts.close(),
            Values::Integer(values) | Values::Timestamp(values) => values.push(0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Boolean(values) => values.push(false),
            Values::Date(values) => values.push(0),
        }
        self.valid.append(false);
    }

    /// A number, unscaled, and its scale, if there is one at this place.
    pub fn number(&self, at: usize) -> Option<(i128, u8)> {
        if at >= self.valid.len() || !self.valid.get_bit(at) {
            return None;
        }
        match &self.values {
            Values::Integer(values) => values.get(at).map(|&value| (value.into(), 0)),
            Values::Decimal { values, scale, .. } => values.get(at).map(|&value| (value, *scale)),
            _ => None,
        }
    }

    /// A text, if there is one at this place.
    pub fn text(&self, at: usize) -> Option<&[u8]> {
        let Values::Text(texts) = &self.values else { return None };
        (at < self.valid.len() && self.valid.get_bit(at)).then(|| texts.get(at)).flatten()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// A whole string.
    #[inline]
    pub fn push_text(&mut self, text: &[u8]) {
        if let Values::Text(texts) = &mut self.values {
            texts.open().extend_from_slice(text);
            texts.close();
            self.valid.append(true);
        }
    }

    /// An integer or an instant.
    #[inline]
    pub fn push_i64(&mut self, value: i64) {
        if let Values::Integer(values) | Values::Timestamp(values) = &mut self.values {
            values.push(value);
            self.valid.append(true);
        }
    }

    /// Forgets all rows from here on, half-written ones too.
    pub fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Text(texts) => texts.truncate(rows),
            Values::Integer(values) | Values::Timestamp(values) => values.truncate(rows),
            Values::Decimal { values, .. } => values.truncate(rows),
            Values::Boolean(values) => values.truncate(rows),
            Values::Date(values) => values.truncate(rows),
        }
        if self.valid.len() > rows {
            self.valid.truncate(rows);
        }
    }

    /// The column as Arrow has it.
    pub fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = Some(NullBuffer::new(self.valid.finish())).filter(|nulls| nulls.null_count() > 0);
        Ok(match self.values {
            Values::Text(texts) => Arc::new(StringArray::try_new(
                OffsetBuffer::new(ScalarBuffer::from(texts.offsets)),
                Buffer::from_vec(texts.bytes),
                nulls,
            )?),
            Values::Integer(values) => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            Values::Decimal { values, precision, scale } => Arc::new(
                Decimal128Array::try_new(values.into(), nulls)?
                    .with_precision_and_scale(precision, i8::try_from(scale).unwrap_or(i8::MAX))?,
            ),
            Values::Boolean(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
            Values::Date(values) => Arc::new(Date32Array::try_new(values.into(), nulls)?),
            Values::Timestamp(values) => Arc::new(TimestampMicrosecondArray::try_new(values.into(), nulls)?),
        })
    }
}
