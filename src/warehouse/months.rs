//! The files of a table → its rows and sums by month, from the manifest alone.

use super::sums::Sums;
use super::{DataFile, TableEntry};
use crate::error::Result;
use std::collections::BTreeMap;

/// What a table holds of one month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    pub rows: u64,
    /// The exact sum of each additive measure, as decimal text.
    pub sums: BTreeMap<String, String>,
}

impl DataFile {
    /// The month whose partition the file lies in, as `2011-03`.
    #[must_use]
    pub fn month(&self) -> Option<&str> {
        let (_, behind) = self.path.split_once("/date_month=")?;
        behind.split('/').next()
    }
}

impl TableEntry {
    /// Rows and sums by month; one entry under the empty name for a table without partitions. Months without rows are
    /// left out.
    ///
    /// # Errors
    ///
    /// A total that is no number, or does not fit.
    pub fn months(&self) -> Result<BTreeMap<String, Month>> {
        let mut totals: BTreeMap<String, (u64, Sums)> = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.rows > 0) {
            let total = totals.entry(file.month().unwrap_or_default().to_owned()).or_default();
            total.0 += file.rows;
            total.1.add(&Sums::from_text(&file.sums)?)?;
        }
        let month =
            |(month, (rows, sums)): (String, (u64, Sums))| (month, Month { rows, sums: sums.to_text() });
        Ok(totals.into_iter().map(month).collect())
    }
}
