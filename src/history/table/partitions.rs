//! Which rows stand in which file, and in which order.

use super::super::calendar::{Day, date_of};
use super::super::relation::PartitionKey;
use super::super::rows::RowId;
use crate::error::Result;
use chrono::NaiveDate;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The rows of each partition.
pub struct Partitions {
    pub keys: Vec<PartitionKey>,
    rows: Vec<Vec<RowId>>,
}

impl Partitions {
    /// Shares out rows by their days, of which each part of the replay has a list.
    pub fn new(parts: &[&[Day]], newest: Option<NaiveDate>) -> Result<Self> {
        let by_day = |(part, days): (usize, &&[Day])| {
            let mut by_day: BTreeMap<Day, Vec<RowId>> = BTreeMap::new();
            for (row, &day) in days.iter().enumerate() {
                by_day.entry(day).or_default().push(RowId { part: part as u32, row: row as u32 });
            }
            by_day
        };
        let parts: Vec<BTreeMap<Day, Vec<RowId>>> = parts.par_iter().enumerate().map(by_day).collect();
        let mut by_key: BTreeMap<PartitionKey, Vec<RowId>> = BTreeMap::new();
        for (day, rows) in parts.into_iter().flatten() {
            let date = date_of(day)?;
            by_key.entry(PartitionKey::of(date, newest.unwrap_or(date))).or_default().extend(rows);
        }
        let (keys, rows) = by_key.into_iter().unzip();
        Ok(Self { keys, rows })
    }

    /// How many rows a partition has.
    pub fn len(&self, partition: usize) -> usize {
        self.rows[partition].len()
    }

    /// The rows of a partition, sorted by a key that no two rows share. They come nearly sorted.
    pub fn sorted<K: Ord>(&self, partition: usize, key: impl Fn(RowId) -> K) -> Vec<RowId> {
        let mut rows: Vec<(K, RowId)> = self.rows[partition].iter().map(|&row| (key(row), row)).collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}
