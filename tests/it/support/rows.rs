//! Tables as text, so that those written by hand and those read back are one type.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::collections::BTreeMap;
use std::fmt;

/// A table of text. `-` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Rows {
    pub fn of(schema: &Schema, batches: &[RecordBatch]) -> Self {
        let options = FormatOptions::new().with_null("-").with_display_error(false);
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect();
            rows.extend((0..batch.num_rows()).map(row));
        }
        Self { columns: schema.fields().iter().map(|field| field.name().clone()).collect(), rows }
    }

    /// The lines of a Markdown table: `| a | b |`, a line of dashes, and the rows.
    pub fn markdown(lines: &[&str]) -> Self {
        let cells = |line: &&str| -> Vec<String> {
            line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let columns = cells(lines.first().expect("a table has a head"));
        let rows: Vec<Vec<String>> = lines.iter().skip(2).map(cells).collect();
        assert!(
            rows.iter().all(|row| row.len() == columns.len()),
            "a row is not as wide as its table: {lines:#?}"
        );
        Self { columns, rows }
    }

    /// The same rows, ordered by their text.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.rows.sort();
        self
    }

    /// The first `keys` columns of each row → the others.
    pub fn by_key(self, keys: usize) -> BTreeMap<Vec<String>, Vec<String>> {
        let count = self.rows.len();
        let split = |mut row: Vec<String>| {
            let values = row.split_off(keys);
            (row, values)
        };
        let map: BTreeMap<_, _> = self.rows.into_iter().map(split).collect();
        assert_eq!(map.len(), count, "the keys are not unique");
        map
    }

    /// The one cell of a table of one row and one column.
    pub fn only(&self) -> &str {
        assert_eq!((self.columns.len(), self.rows.len()), (1, 1), "{self}");
        &self.rows[0][0]
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = || std::iter::once(&self.columns).chain(&self.rows);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| all().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        for row in all() {
            for (cell, width) in row.iter().zip(&widths) {
                write!(formatter, "| {cell:<width$} ")?;
            }
            writeln!(formatter, "|")?;
        }
        Ok(())
    }
}

/// Both tables must be the same, row by row; shows what is on one side only.
pub fn assert_same(what: &str, expected: &Rows, found: &Rows) {
    if expected == found {
        return;
    }
    let only = |some: &Rows, others: &Rows| Rows {
        columns: some.columns.clone(),
        rows: some.rows.iter().filter(|row| !others.rows.contains(row)).take(20).cloned().collect(),
    };
    panic!(
        "{what}: {} rows expected, {} found\nexpected, not found:\n{}\nfound, not expected:\n{}",
        expected.rows.len(),
        found.rows.len(),
        only(expected, found),
        only(found, expected),
    );
}
