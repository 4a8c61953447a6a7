//! Objects of one kind → columns: what was seen under each key, and the values of the first of them, as hashes.
//!
//! Counts are of all rows. Questions about values that stand together (is it unique, does one decide the other) are asked
//! of the rows that are kept.

use super::shape::Shape;
use crate::log::{Value, hash, plain_decimal};
use std::collections::{HashMap, HashSet};

/// Rows of which values are kept.
pub const KEPT_ROWS: usize = 100_000;
/// More keys than this are no columns: somebody uses an object as a dictionary.
const MOST_COLUMNS: usize = 400;

/// Objects of one kind.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: u64,
    pub columns: Vec<Column>,
    /// Keys beyond the limit were met.
    pub overflows: bool,
}

/// What stands under one key.
#[derive(Debug, Default)]
pub struct Column {
    pub name: String,
    pub nulls: u64,
    pub shape: Shape,
    /// A hash of each kept row's value; 0 where there is none.
    pub cells: Vec<u64>,
    /// The kept rows' numbers, as digits and how many of them stand behind the point.
    pub numbers: Vec<Option<(i128, u32)>>,
    /// Keys of nested objects, in the order in which they were met.
    pub inner: Vec<String>,
}

impl Table {
    /// Adds the members of an object that are wanted.
    pub fn add<'a>(&mut self, members: impl Iterator<Item = (&'a str, &'a Value<'a>)>) {
        let row = usize::try_from(self.rows).unwrap_or(usize::MAX);
        self.rows += 1;
        for (hint, (name, value)) in members.enumerate() {
            let found = match self.columns.get(hint) {
                Some(column) if column.name == name => Some(hint),
                _ => self.columns.iter().position(|column| column.name == name),
            };
            let at = match found {
                Some(at) => at,
                None if self.columns.len() >= MOST_COLUMNS => {
                    self.overflows = true;
                    continue;
                }
                None => {
                    self.columns.push(Column { name: name.to_owned(), ..Column::default() });
                    self.columns.len() - 1
                }
            };
            if let Some(column) = self.columns.get_mut(at) {
                column.add(row, value);
            }
        }
    }

    /// Makes all columns as long as the table.
    pub fn finish(&mut self) {
        let kept = self.kept();
        for column in &mut self.columns {
            column.cells.resize(kept, 0);
            column.numbers.resize(kept, None);
        }
    }

    pub fn kept(&self) -> usize {
        usize::try_from(self.rows).unwrap_or(usize::MAX).min(KEPT_ROWS)
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Rows in which the column has no value.
    pub fn missing(&self, column: &Column) -> u64 {
        self.rows - column.shape.values()
    }
}

impl Column {
    fn add(&mut self, row: usize, value: &Value<'_>) {
        self.shape.add(value);
        self.nulls += u64::from(matches!(value, Value::Null));
        if row < KEPT_ROWS {
            self.cells.resize(row, 0);
            self.numbers.resize(row, None);
            self.cells.push(cell(value));
            self.numbers.push(number(value));
        }
        let members = match value {
            Value::Object(members) => members.as_slice(),
            _ => &[],
        };
        for (key, _) in members {
            if self.inner.len() < 20 && !self.inner.iter().any(|known| known == key) {
                self.inner.push(key.clone().into_owned());
            }
        }
    }

    pub fn distinct(&self) -> HashSet<u64> {
        self.cells.iter().copied().filter(|cell| *cell != 0).collect()
    }

    /// How many kept rows hold a value.
    pub fn kept_values(&self) -> usize {
        self.cells.iter().filter(|cell| **cell != 0).count()
    }

    /// Whether nearly all values differ.
    pub fn is_unique(&self) -> bool {
        let (values, distinct) = (self.kept_values(), self.distinct().len());
        let allowed = if values >= 5 { (values / 100).max(1) } else { 0 };
        values > 0 && values - distinct <= allowed
    }
}

/// A scalar's hash; an object's is that of its keys, so that objects of one build are one value.
fn cell(value: &Value<'_>) -> u64 {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
            keys.sort_unstable();
            hash(&Value::Text(keys.join("\n").into()))
        }
        other => hash(other),
    }
}

fn number(value: &Value<'_>) -> Option<(i128, u32)> {
    let number = match value {
        Value::Number(number) => *number,
        Value::Text(text) => plain_decimal(text)?,
        _ => return None,
    };
    let scale = u32::try_from(-number.exponent).unwrap_or(0);
    let unscaled = number.scaled(38, u8::try_from(scale).ok()?).ok()?;
    Some((unscaled, scale))
}

/// Of the rows in which both have a value, how many agree with what is most often seen of `what` beside their `by`; and
/// how many rows there are.
pub fn decides(by: &[u64], what: &[u64]) -> (usize, usize) {
    let mut seen: HashMap<u64, HashMap<u64, usize>> = HashMap::new();
    let mut rows = 0;
    for (by, what) in by.iter().zip(what).filter(|(by, what)| **by != 0 && **what != 0) {
        *seen.entry(*by).or_default().entry(*what).or_default() += 1;
        rows += 1;
    }
    (seen.values().map(|beside| beside.values().max().copied().unwrap_or(0)).sum(), rows)
}
