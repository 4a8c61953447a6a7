//! The columns of a partition, one after the other.

use super::super::arithmetic::{look_up, overflow};
use super::super::calendar::{Day, date_key};
use crate::error::Result;
use crate::model::{Additivity, Fact, ValueType};
use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use std::sync::Arc;

/// Columns under construction.
#[derive(Default)]
pub struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// Adds a column.
    pub fn push(&mut self, name: impl Into<String>, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    /// Adds a column of integers without nulls.
    pub fn push_integers(&mut self, name: impl Into<String>, values: impl Iterator<Item = i64>) {
        self.push(name, Arc::new(Int64Array::from_iter_values(values)), false);
    }

    /// Adds a column of days as yyyymmdd; `none` where there is no day.
    pub fn push_days(
        &mut self,
        name: impl Into<String>,
        days: impl Iterator<Item = Option<Day>>,
        none: i64,
    ) -> Result<()> {
        // Rows are sorted by day: most have the one before.
        let (mut last, mut last_key) = (None, none);
        let key = |day: Option<Day>| {
            if day != last {
                last_key = day.map_or(Ok(none), date_key)?;
                last = day;
            }
            Ok(last_key)
        };
        let keys = days.map(key).collect::<Result<Vec<_>>>()?;
        self.push(name, Arc::new(Int64Array::from(keys)), false);
        Ok(())
    }

    /// The batch of all columns.
    pub fn finish(self) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)?)
    }
}

/// A column of a measure, from its values in the scale of its type; `source` is the event that a row comes from.
pub fn number_column<'a>(
    name: &str,
    value_type: ValueType,
    values: impl Iterator<Item = i128>,
    source: impl Fn(usize) -> (&'a str, i64),
) -> Result<ArrayRef> {
    let values: Vec<i128> = values.collect();
    if let Some(row) = values.iter().position(|&value| !value_type.holds(value)) {
        let (event, position) = source(row);
        let place = format!(" in a row that event {position}, `{event}`, has made");
        return Err(overflow(name, value_type, &place).next(look_up(event, position)));
    }
    match value_type {
        ValueType::Decimal { precision, scale } => {
            let column = Decimal128Array::from(values);
            Ok(Arc::new(column.with_precision_and_scale(precision, scale.cast_signed())?))
        }
        _ => Ok(Arc::new(Int64Array::from_iter_values(values.into_iter().map(|value| value as i64)))),
    }
}

/// The names of the columns that add up.
pub fn additive(fact: &Fact, suffix: &str) -> Vec<String> {
    let additive = fact.measures.iter().filter(|measure| measure.additivity == Additivity::Additive);
    additive.map(|measure| format!("{}{suffix}", measure.name)).collect()
}
