//! Columns of numbers → their exact sums: the control totals of a fact (DESIGN 25).

use crate::error::{Error, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use std::collections::BTreeMap;

/// The sum of each of a table's additive measures, in units of the measure's last decimal place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<String, (i128, usize)>);

impl Sums {
    /// Sums over a batch. Nulls count as nothing.
    pub(super) fn of(batch: &RecordBatch, columns: &[String]) -> Result<Self> {
        let mut sums = Self::default();
        for name in columns {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| Error::bug(format!("there is no measure {name}")))?;
            let (sum, scale) = match column.data_type() {
                DataType::Int64 => {
                    (column.as_primitive::<Int64Type>().iter().flatten().try_fold(0, add_i64), 0)
                }
                DataType::Decimal128(_, scale) => (
                    column.as_primitive::<Decimal128Type>().iter().flatten().try_fold(0, i128::checked_add),
                    usize::try_from(*scale).unwrap_or(0),
                ),
                other => return Err(Error::bug(format!("measure {name} has the type {other}"))),
            };
            sums.0.insert(name.clone(), (sum.ok_or_else(|| overflow(name))?, scale));
        }
        Ok(sums)
    }

    /// Adds the sums of another part of the same table.
    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        for (name, (sum, scale)) in &other.0 {
            let total = self.0.entry(name.clone()).or_insert((0, *scale));
            total.0 = total.0.checked_add(*sum).ok_or_else(|| overflow(name))?;
        }
        Ok(())
    }

    /// As decimal text: `-12.3400` for a scale of 4.
    pub(super) fn to_text(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, (sum, scale))| (name.clone(), decimal_text(*sum, *scale))).collect()
    }
}

impl Sums {
    /// Reads what [`Sums::to_text`] wrote.
    pub(super) fn from_text(sums: &BTreeMap<String, String>) -> Result<Self> {
        let mut all = BTreeMap::new();
        for (name, text) in sums {
            let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
            let unscaled = format!("{whole}{fraction}").parse::<i128>();
            let unscaled = unscaled.map_err(|error| {
                Error::operator(format!("the manifest's sum of {name} is `{text}`, which is no number"))
                    .because(error)
            })?;
            all.insert(name.clone(), (unscaled, fraction.len()));
        }
        Ok(Self(all))
    }
}

/// The exact difference of two sums in the texts that a manifest has.
pub(crate) fn difference(after: &str, before: &str) -> Result<String> {
    let read = |text: &str| Sums::from_text(&BTreeMap::from([(String::new(), text.to_owned())]));
    let number = |sums: Sums| sums.0.into_values().next().unwrap_or_default();
    let ((after, one), (before, other)) = (number(read(after)?), number(read(before)?));
    let scale = one.max(other);
    let unscaled = |number: i128, own: usize| {
        10_i128
            .checked_pow(u32::try_from(scale - own).unwrap_or(u32::MAX))
            .and_then(|unit| number.checked_mul(unit))
    };
    let difference = unscaled(after, one)
        .zip(unscaled(before, other))
        .and_then(|(after, before)| after.checked_sub(before));
    Ok(decimal_text(difference.ok_or_else(|| overflow("a difference"))?, scale))
}

fn add_i64(sum: i128, value: i64) -> Option<i128> {
    sum.checked_add(i128::from(value))
}

fn decimal_text(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    match digits.split_at(digits.len() - scale) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

fn overflow(name: &str) -> Error {
    Error::data(format!("the sum of {name} does not fit 128 bits"))
        .next("a value in the log is far out of range: look for it with `starlog query`")
}
