//! Stored numbers → the same numbers under the types that today's contract gives their fields.
//!
//! A type may change as long as every number that the log holds is one of the new type, to the last digit: so it is what
//! a line of the log would come to today (DESIGN 1). Anything else is refused before anything is taken in.

use super::decode::{EventPlan, decimal};
use super::lift::{broken, misfit};
use super::reject::{Code, Flaw};
use super::store::word;
use crate::error::{Error, Result};
use crate::model::ValueType;
use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, ListArray, RecordBatch, StructArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Fields, Int64Type, Schema, SchemaRef};
use std::sync::Arc;

/// The stored columns with today's types; `None` if they have them.
///
/// # Errors
/// The author's: a field has another type now, and values of the old one cannot be of the new one.
pub fn retyped(stored: &SchemaRef, contract: &EventPlan) -> Result<Option<SchemaRef>> {
    let mut fields: Vec<FieldRef> = Vec::new();
    for field in stored.fields() {
        let list = contract.lists.iter().find(|list| list.name == *field.name());
        fields.push(match (items_of(field), list) {
            (Some(items), Some(list)) => {
                let path = |name: &str| format!("{}[].{name}", list.name);
                let items = items.iter().map(|item| typed(item, &list.columns, &path(item.name()), contract));
                let items: Fields = items.collect::<Result<_>>()?;
                Arc::new(Field::new_list(field.name(), Field::new_struct("item", items, true), true))
            }
            _ => typed(field, &contract.columns, field.name(), contract)?,
        });
    }
    let wanted = Arc::new(Schema::new(fields));
    Ok((wanted != *stored).then_some(wanted))
}

/// A stored field with the type that it has now; one that is declared no more stays as it is.
fn typed(
    stored: &FieldRef,
    declared: &[(String, ValueType)],
    path: &str,
    contract: &EventPlan,
) -> Result<FieldRef> {
    let now = declared.iter().find(|(name, _)| name == stored.name()).map(|(_, now)| now.arrow());
    let Some(now) = now.filter(|now| now != stored.data_type()) else { return Ok(Arc::clone(stored)) };
    let is_number = |kind: &DataType| matches!(kind, DataType::Int64 | DataType::Decimal128(..));
    if is_number(stored.data_type()) && is_number(&now) {
        return Ok(Arc::new(stored.as_ref().clone().with_data_type(now)));
    }
    let (was, now) = (word(stored.data_type()), word(&now));
    let message = format!("`{path}` was {was} when they came, and is {now} now");
    Err(broken(&contract.name, &message))
}

/// A batch with these types.
///
/// # Errors
/// The author's: a number is none of its new type; the message says in which line it came.
pub fn retype(batch: &RecordBatch, wanted: &SchemaRef, event: &str) -> Result<RecordBatch> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(wanted.fields()) {
        columns.push(match items_of(field) {
            Some(items) if column.data_type() != field.data_type() => {
                list(column.as_list(), items, field).map_err(|at| at.of(batch, field.name(), event))?
            }
            _ => numbers(column, field.data_type()).map_err(|at| at.of(batch, field.name(), event))?,
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(wanted), columns)?)
}

/// Where a number stands that does not fit.
enum Fault {
    Row(usize, String),
    Ours(Error),
}

impl Fault {
    fn of(self, batch: &RecordBatch, name: &str, event: &str) -> Error {
        match self {
            Self::Row(row, message) => {
                misfit(&Flaw::new(Code::Range, format!("{name}: {message}")), batch, row, event)
            }
            Self::Ours(error) => error,
        }
    }
}

impl From<arrow::error::ArrowError> for Fault {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Ours(error.into())
    }
}

fn list(list: &ListArray, items: &Fields, wanted: &Field) -> Result<ArrayRef, Fault> {
    let DataType::List(element) = wanted.data_type() else {
        return Err(Fault::Ours(Error::bug(format!("{} is no list", wanted.name()))));
    };
    let values = list.values().as_struct();
    let row_of = |item: usize| {
        let ends_before = |&&end: &&i32| usize::try_from(end).is_ok_and(|end| end <= item);
        list.offsets().iter().skip(1).take_while(ends_before).count()
    };
    let columns = values.columns().iter().zip(items).map(|(column, field)| {
        numbers(column, field.data_type()).map_err(|fault| match fault {
            Fault::Row(item, message) => Fault::Row(row_of(item), format!("{}: {message}", field.name())),
            ours => ours,
        })
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let items =
        StructArray::try_new_with_length(items.clone(), columns, values.nulls().cloned(), values.len())?;
    let list = ListArray::try_new(
        Arc::clone(element),
        list.offsets().clone(),
        Arc::new(items),
        list.nulls().cloned(),
    )?;
    Ok(Arc::new(list))
}

fn numbers(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Fault> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let (value_type, was) = match (wanted, column.data_type()) {
        (DataType::Int64, DataType::Decimal128(_, scale)) => (ValueType::Integer, *scale),
        (DataType::Decimal128(precision, to), kind) => {
            let scale = to.unsigned_abs();
            let was = if let DataType::Decimal128(_, scale) = kind { *scale } else { 0 };
            (ValueType::Decimal { precision: *precision, scale }, was)
        }
        _ => return Err(Fault::Ours(Error::bug("a column that is no number has another type now"))),
    };
    let value = |row: usize| match column.data_type() {
        DataType::Int64 => i128::from(column.as_primitive::<Int64Type>().value(row)),
        _ => column.as_primitive::<Decimal128Type>().value(row),
    };
    let fits = |row: usize| {
        let number = value(row);
        let more = i32::from(value_type.scale()) - i32::from(was);
        let power = 10_i128.checked_pow(more.unsigned_abs())?;
        let number = match more {
            0.. => number.checked_mul(power)?,
            _ if number % power == 0 => number / power,
            _ => return None,
        };
        value_type.holds(number).then_some(number)
    };
    let mut numbers: Vec<Option<i128>> = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        numbers.push(match column.is_null(row) {
            true => None,
            false => Some(fits(row).ok_or_else(|| {
                let shown = decimal(value(row), was.unsigned_abs());
                Fault::Row(row, format!("{shown} is no {}", word(wanted)))
            })?),
        });
    }
    Ok(match wanted {
        DataType::Int64 => {
            let integer = |number: Option<i128>| number.and_then(|number| i64::try_from(number).ok());
            Arc::new(numbers.into_iter().map(integer).collect::<Int64Array>())
        }
        _ => Arc::new(numbers.into_iter().collect::<Decimal128Array>().with_data_type(wanted.clone())),
    })
}

/// The fields of a list's items.
pub fn items_of(list: &Field) -> Option<&Fields> {
    match list.data_type() {
        DataType::List(element) => match element.data_type() {
            DataType::Struct(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}
