//! What `history` hands on: logical relations, with nothing physical about them.

use super::before::Findings;
use super::calendar::{Day, day_number};
use crate::error::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

/// Everything that was true, and when.
pub struct History {
    /// In the order of [`crate::model::Model::dimensions`].
    pub dimensions: Vec<DimensionHistory>,
    /// Each ledger, followed by its accumulating table if it has one.
    pub facts: Vec<Box<dyn FactTable>>,
    /// `dim_date`: whole years around the data, with the rows -2 and -1 first.
    pub dates: RecordBatch,
    /// What the release is to remember of the replay.
    pub findings: Findings,
    /// What is worth telling of the replay; look-ups are those of the part that was replayed.
    pub counts: Counts,
    /// The members of each entity with their first mentions, by the entity's name: where a night goes on from.
    pub members: Vec<(String, RecordBatch)>,
    /// What of each fact was replayed, in the order of [`crate::model::Model::facts`]; none: all of the log.
    pub replayed: Vec<Replayed>,
}

/// What of a fact a night replayed.
pub struct Replayed {
    /// The natural keys of headers, each once, with the names and types of the fact's header.
    pub headers: RecordBatch,
    /// By event type: positions, rising.
    pub events: BTreeMap<usize, Vec<i64>>,
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
    /// Whether a partition is that of the release before, to the byte.
    fn is_kept(&self, _partition: usize) -> bool {
        false
    }
    /// Whether rows of what was replayed lie in a partition.
    fn is_replayed(&self, _partition: usize) -> bool {
        true
    }
    /// The partitions of the release before that a partition is made from.
    fn made_from(&self, _partition: usize) -> &[PartitionKey] {
        &[]
    }
    /// What is another thing in a partition than in those; `None` where nothing was compared.
    fn changes(&self, _partition: usize) -> Option<RowChanges> {
        None
    }
    /// The rows of one partition, in the table's order.
    fn read(&self, partition: usize) -> Result<RecordBatch>;
    /// The columns that rows are sorted by inside a partition.
    fn sorted_by(&self) -> Vec<String>;
    /// The columns that add up.
    fn additive(&self) -> Vec<String>;
}

/// How many rows of a table a night changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct RowChanges {
    pub added: u64,
    /// The same row, with another value or key.
    pub changed: u64,
    pub removed: u64,
}

impl std::ops::AddAssign for RowChanges {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.removed += other.removed;
    }
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

    /// The partition whose file has this name, without `.parquet`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        match day(name) {
            Some(day) => Some(Self::Day(day)),
            None => day(&format!("{name}-01")).map(Self::Month),
        }
    }

    /// The partition that its days belong to when `newest` is the day of the newest event.
    #[must_use]
    pub fn when(self, newest: NaiveDate) -> Self {
        match self {
            Self::Month(_) => self,
            Self::Day(day) => Self::of(day, newest),
        }
    }

    /// The first day of its month.
    #[must_use]
    pub fn month(self) -> NaiveDate {
        first_of_month(self.day())
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

    /// The first and the last of its days; a month counts for 31.
    #[must_use]
    pub fn days(self) -> (Day, Day) {
        let first = day_number(self.day());
        (first, if matches!(self, Self::Month(_)) { first + 30 } else { first })
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

/// What a replay counted. All but the look-ups is a function of pipeline and log;
/// those are of the part that was replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

impl Counts {
    /// Adds what another part of a replay counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.change(other, u64::saturating_add);
    }

    /// What holds of the whole log, however much of it was replayed: all but the look-ups. One that finds
    /// another version now may do so in a row that is the same.
    pub(super) fn lasting(&self) -> Self {
        Self { before_first: Vec::new(), after_close: Vec::new(), ..self.clone() }
    }

    /// Takes away what a part of a replay counted.
    pub(super) fn take(&mut self, other: &Self) {
        self.change(other, u64::saturating_sub);
    }

    fn change(&mut self, other: &Self, change: impl Fn(u64, u64) -> u64) {
        let pairs = [
            (&mut self.inferred, &other.inferred),
            (&mut self.before_first, &other.before_first),
            (&mut self.after_close, &other.after_close),
            (&mut self.held, &other.held),
            (&mut self.over_reversed, &other.over_reversed),
            (&mut self.placed_again, &other.placed_again),
        ];
        for (counts, changes) in pairs {
            for (name, by) in changes {
                match counts.iter_mut().find(|(known, _)| known == name) {
                    Some((_, count)) => *count = change(*count, *by),
                    None => counts.push((name.clone(), change(0, *by))),
                }
            }
        }
    }
}
