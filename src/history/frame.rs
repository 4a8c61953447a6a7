//! Sorting, grouping and joining, by Polars; columns cross over without a copy through the Arrow C data
//! interface. The only file that knows both, and the only one with unsafe code.

use crate::error::{Error, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::{Row, RowConverter, Rows, SortField};
use polars::prelude::{
    Column, DataFrame, DataFrameJoinOps, IntoColumn, JoinArgs, JoinType, MaintainOrderJoin, NamedFrom,
    Series, SortMultipleOptions,
};
use polars_arrow::datatypes::ArrowDataType;
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Stands for "no row", "no member", "no version".
pub const NONE: u32 = u32::MAX;

/// The rows at which each distinct key stands for the first time, rising. Keys with a null part are left out.
pub fn distinct(keys: &[ArrayRef]) -> Result<Vec<u32>> {
    if height(keys) < FEW {
        return distinct_of_few(keys);
    }
    let (frame, names) = key_frame(keys)?;
    let groups = frame.group_by_stable(&names)?;
    let mut rows: Vec<u32> = groups.get_groups().iter().map(|group| group.first()).collect();
    rows.retain(|&row| is_whole(keys, row as usize));
    rows.sort_unstable();
    Ok(rows)
}

/// For each key, the row among `candidates` (whose keys are distinct) that bears it, or [`NONE`].
pub fn lookup(keys: &[ArrayRef], candidates: &[ArrayRef]) -> Result<Vec<u32>> {
    if height(keys) == 0 || height(candidates) == 0 {
        return Ok(vec![NONE; height(keys)]);
    }
    if height(keys) + height(candidates) < FEW {
        return lookup_of_few(keys, candidates);
    }
    let (left, names) = key_frame(keys)?;
    let (mut right, _) = key_frame(candidates)?;
    let rows: Vec<u32> = (0..right.height() as u32).collect();
    right.with_column(Series::new("row".into(), rows).into_column())?;
    let mut how = JoinArgs::new(JoinType::Left);
    how.maintain_order = MaintainOrderJoin::Left;
    let joined = left.join(&right, &names, &names, how, None)?;
    let found = joined.column("row")?.as_materialized_series().u32()?.clone();
    Ok(found.iter().map(|row| row.unwrap_or(NONE)).collect())
}

/// For each key, a number that equal keys share and others hardly ever do: to leave most of them out of a join.
pub fn fingerprints(keys: &[ArrayRef]) -> Result<Vec<u64>> {
    let mut prints = vec![0; keys.first().map_or(0, |key| key.len())];
    for key in keys {
        let key = comparable(key)?;
        let add = |(print, bytes): (&mut u64, &[u8])| *print = xxh3_64_with_seed(bytes, *print);
        match key.data_type() {
            DataType::Utf8 => {
                let texts = key.as_string::<i32>();
                prints
                    .iter_mut()
                    .enumerate()
                    .for_each(|(row, print)| add((print, texts.value(row).as_bytes())));
            }
            _ => {
                let numbers = key.as_primitive::<arrow::datatypes::Int64Type>().values();
                prints
                    .iter_mut()
                    .zip(numbers)
                    .for_each(|(print, number)| add((print, &number.to_le_bytes())));
            }
        }
    }
    Ok(prints)
}

/// The permutation that sorts rows by these columns, the first the most significant.
/// No two rows may be equal in all of them, so that the order is one.
pub fn sort_order(columns: &[Vec<i64>]) -> Result<Vec<u32>> {
    let height = columns.first().map_or(0, Vec::len);
    if height < FEW {
        let mut rows: Vec<u32> = (0..height as u32).collect();
        rows.sort_unstable_by_key(|&row| {
            columns.iter().map(|column| column[row as usize]).collect::<Vec<_>>()
        });
        return Ok(rows);
    }
    let mut frame: Vec<Column> = Vec::with_capacity(columns.len() + 1);
    let mut names = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let name = format!("by{index}");
        frame.push(Series::new(name.as_str().into(), column.as_slice()).into_column());
        names.push(name);
    }
    let rows: Vec<u32> = (0..height as u32).collect();
    frame.push(Series::new("row".into(), rows).into_column());
    let sorted = DataFrame::new(height, frame)?.sort(&names, SortMultipleOptions::default())?;
    let rows = sorted.column("row")?.as_materialized_series().u32()?.rechunk().into_owned();
    Ok(rows.cont_slice()?.to_vec())
}

/// Of fewer rows than these, a night has many: what Polars does before it begins would cost more than the rest.
const FEW: usize = 32;

fn distinct_of_few(keys: &[ArrayRef]) -> Result<Vec<u32>> {
    let rows = Comparing::of(keys)?.rows(keys)?;
    let mut seen = HashSet::new();
    let mut firsts = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if is_whole(keys, index) && seen.insert(row) {
            firsts.push(index as u32);
        }
    }
    Ok(firsts)
}

fn lookup_of_few(keys: &[ArrayRef], candidates: &[ArrayRef]) -> Result<Vec<u32>> {
    let comparing = Comparing::of(keys)?;
    let (rows, candidates) = (comparing.rows(keys)?, comparing.rows(candidates)?);
    let known: HashMap<Row<'_>, u32> = candidates.iter().zip(0..).collect();
    let found = |(index, row): (usize, Row<'_>)| {
        known.get(&row).copied().filter(|_| is_whole(keys, index)).unwrap_or(NONE)
    };
    Ok(rows.iter().enumerate().map(found).collect())
}

/// Makes keys of the same columns bytes that are equal where the keys are.
struct Comparing(RowConverter);

impl Comparing {
    fn of(keys: &[ArrayRef]) -> Result<Self> {
        let field = |key: &ArrayRef| Ok(SortField::new(comparable(key)?.data_type().clone()));
        Ok(Self(RowConverter::new(keys.iter().map(field).collect::<Result<_>>()?)?))
    }

    fn rows(&self, keys: &[ArrayRef]) -> Result<Rows> {
        Ok(self.0.convert_columns(&keys.iter().map(comparable).collect::<Result<Vec<_>>>()?)?)
    }
}

fn is_whole(keys: &[ArrayRef], row: usize) -> bool {
    keys.iter().all(|key| key.is_valid(row))
}

fn height(keys: &[ArrayRef]) -> usize {
    keys.first().map_or(0, |key| key.len())
}

fn key_frame(keys: &[ArrayRef]) -> Result<(DataFrame, Vec<String>)> {
    let height = height(keys);
    let mut columns = Vec::with_capacity(keys.len());
    let mut names = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let name = format!("key{index}");
        columns.push(to_polars(&name, &comparable(key)?)?);
        names.push(name);
    }
    Ok((DataFrame::new(height, columns)?, names))
}

/// The same values as integers or text, equal exactly where the originals are.
fn comparable(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8 | DataType::Int64 => array.clone(),
        DataType::Timestamp(..) | DataType::Boolean => cast(array, &DataType::Int64)?,
        DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
        DataType::Decimal128(..) => cast(array, &DataType::Utf8)?,
        other => return Err(Error::bug(format!("{other} cannot be compared"))),
    })
}

/// Hands an Arrow column of integers or text to Polars.
fn to_polars(name: &str, array: &ArrayRef) -> Result<Column> {
    let data_type = match array.data_type() {
        DataType::Utf8 => ArrowDataType::Utf8,
        DataType::Int64 => ArrowDataType::Int64,
        other => return Err(Error::bug(format!("{other} does not cross over to Polars"))),
    };
    let (exported, _schema) = arrow::ffi::to_ffi(&array.to_data())?;
    // SAFETY: both are the C data interface's `struct ArrowArray`, `#[repr(C)]` with the same ten members;
    // ownership moves with the value, whose release callback is called by its new owner alone.
    // The data type is the array's own.
    #[allow(unsafe_code)]
    let imported = unsafe {
        let array: polars_arrow::ffi::ArrowArray = std::mem::transmute(exported);
        polars_arrow::ffi::import_array_from_c(array, data_type)?
    };
    Ok(Series::from_arrow(name.into(), imported)?.into_column())
}

/// The integers of an `Int64` or microsecond `Timestamp` column without nulls.
pub fn integers(array: &ArrayRef) -> Result<Vec<i64>> {
    let array = cast(array, &DataType::Int64)?;
    Ok(array.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec())
}
