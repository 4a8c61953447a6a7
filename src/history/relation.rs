//! What `history` hands on: logical relations, with nothing physical about them.

use crate::error::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{Datelike, NaiveDate};

/// Everything that was true, and when.
pub struct History {
    /// In the order of [`crate::model::Model::dimensions`].
    pub dimensions: Vec<DimensionHistory>,
    /// Each ledger, followed by its accumulating table if it has one.
    pub facts: Vec<Box<dyn FactTable>>,
    /// `dim_date`: whole years around the data, with the rows -2 and -1 first.
    pub dates: RecordBatch,
    /// What is worth telling about the replay.
    pub counts: Counts,
}

/// One dimension: a wide relation for each of its entities, from the bottom up.
///
/// Columns: `<entity>_key`, the natural key, the attributes (`previous_<a>` behind `<a>` where it is
/// tracked so), the same of every entity above, `valid_from` and `valid_to` (UTC microseconds, half-open),
/// `is_current`, `is_inferred`, and, but for the last entity, `_parent_key`: the key of the very
/// parent row that was true with it, -2 without a parent. The reserved rows -2 and -1 come first.
pub struct DimensionHistory {
    pub entities: Vec<RecordBatch>,
}

/// A fact table, built partition by partition when asked.
pub trait FactTable: Sync + Send {
    /// `fact_<name>`.
    fn name(&self) -> &str;
    /// The columns of every partition.
    fn schema(&self) -> SchemaRef;
    /// In rising order; none is empty.
    fn partitions(&self) -> &[PartitionKey];
    /// How many rows a partition has.
    fn partition_rows(&self, partition: usize) -> usize;
    /// The rows of one partition, in the table's order.
    fn read(&self, partition: usize) -> Result<RecordBatch>;
    /// The columns that rows are sorted by inside a partition.
    fn sorted_by(&self) -> Vec<String>;
    /// The columns that add up.
    fn additive(&self) -> Vec<String>;
}

/// The days whose rows share a file (DESIGN 25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionKey {
    /// A whole month, by its first day.
    Month(NaiveDate),
    /// One day of the two months up to the newest event.
    Day(NaiveDate),
}

impl PartitionKey {
    /// The partition of a day, where `newest` is the day of the newest event.
    #[must_use]
    pub fn of(day: NaiveDate, newest: NaiveDate) -> Self {
        let months = |date: NaiveDate| date.year() * 12 + date.month0().cast_signed();
        if months(newest) - months(day) < 2 { Self::Day(day) } else { Self::Month(first_of_month(day)) }
    }

    /// `date_month=2011-03`
    #[must_use]
    pub fn directory(self) -> String {
        format!("date_month={}", self.day().format("%Y-%m"))
    }

    /// `2011-03.parquet` or `2011-03-09.parquet`
    #[must_use]
    pub fn file_name(self) -> String {
        match self {
            Self::Month(day) => format!("{}.parquet", day.format("%Y-%m")),
            Self::Day(day) => format!("{}.parquet", day.format("%Y-%m-%d")),
        }
    }

    fn day(self) -> NaiveDate {
        match self {
            Self::Month(day) | Self::Day(day) => day,
        }
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// What a replay counted. Everything here is a function of pipeline and log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Members that only facts or children have mentioned, by level.
    pub inferred: Vec<(String, u64)>,
    /// Look-ups before a member's first version, which took the first (DESIGN 13), by fact and role.
    pub before_first: Vec<(String, u64)>,
    /// Look-ups in a gap or after a close, which took the last version before, by fact and role.
    pub after_close: Vec<(String, u64)>,
    /// Reversals, milestones, amendments and lines that wait for their header, by fact.
    pub held: Vec<(String, u64)>,
    /// Reversals of more than was left, by fact: booked all the same, or rejected where the pipeline says so.
    pub over_reversed: Vec<(String, u64)>,
    /// Lines placed more than once, booked each time, by fact.
    pub placed_again: Vec<(String, u64)>,
}
