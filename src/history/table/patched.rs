//! A table of the release before, with the rows of a scope replaced: partitions in which nothing changed are
//! kept as they are.

use super::super::before::Before;
use super::super::calendar::date_of;
use super::super::relation::{FactTable, PartitionKey, RowChanges};
use super::super::scope::Scope;
use super::changes::Changes;
use crate::error::{Error, Result};
use crate::model::Fact;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, SortOptions, cast, concat_batches, lexsort_to_indices, take};
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The table of a night.
pub struct Patched {
    fact: Fact,
    before: Arc<dyn Before>,
    scope: Arc<Scope>,
    /// The scope's rows of today.
    rows: Box<dyn FactTable>,
    keys: Vec<PartitionKey>,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct Partition {
    /// The release's partitions that it is made from.
    old: Vec<PartitionKey>,
    /// The scope's partition of today.
    now: Option<usize>,
    rows: u64,
    is_kept: bool,
    changes: RowChanges,
}

impl Patched {
    /// Puts the scope's rows of today in the place of those of the release.
    pub fn new(
        fact: &Fact,
        before: Arc<dyn Before>,
        scope: Arc<Scope>,
        rows: Box<dyn FactTable>,
        changes: &Changes,
        newest: Option<NaiveDate>,
    ) -> Result<Self> {
        let mut made: BTreeMap<PartitionKey, Partition> = BTreeMap::new();
        let key_of = |key: PartitionKey| newest.map_or(key, |newest| key.when(newest));
        let key_of_day = |day| Ok::<_, Error>(key_of(PartitionKey::Day(date_of(day)?)));
        let mut touched: BTreeSet<PartitionKey> = BTreeSet::new();
        for (old, count) in before.partitions(rows.name())? {
            let key = key_of(old);
            let partition = made.entry(key).or_default();
            partition.old.push(old);
            partition.rows += count;
            // The days of a month that has closed become one file.
            if key != old {
                touched.insert(key);
            }
        }
        for (&day, &of_day) in &changes.days {
            let key = key_of_day(day)?;
            touched.insert(key);
            made.entry(key).or_default().changes += of_day;
        }
        for (&day, &count) in &changes.before {
            let partition = made.entry(key_of_day(day)?).or_default();
            let left = partition.rows.checked_sub(count);
            partition.rows = left.ok_or_else(|| lost(rows.name()))?;
        }
        for (index, &key) in rows.partitions().iter().enumerate() {
            let partition = made.entry(key).or_default();
            partition.now = Some(index);
            partition.rows += rows.partition_rows(index) as u64;
        }
        made.retain(|_, partition| partition.rows > 0);
        made.iter_mut().for_each(|(key, partition)| partition.is_kept = !touched.contains(key));
        let (keys, partitions) = made.into_iter().unzip();
        Ok(Self { fact: fact.clone(), before, scope, rows, keys, partitions })
    }

    /// The rows of one of the release's partitions that stay, as today's columns.
    fn staying(&self, partition: PartitionKey) -> Result<RecordBatch> {
        let batch = self.before.rows(self.rows.name(), partition, None)?;
        let batch = self.scope.others(&self.fact, &batch)?;
        let schema = self.rows.schema();
        let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
            Some(column) => Ok(cast(column, field.data_type())?),
            None => Err(Error::bug(format!("{} has no column {}", self.rows.name(), field.name()))),
        });
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<ArrayRef>>>()?)?)
    }
}

impl FactTable for Patched {
    fn name(&self) -> &str {
        self.rows.name()
    }

    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn partitions(&self) -> &[PartitionKey] {
        &self.keys
    }

    fn partition_rows(&self, partition: usize) -> usize {
        self.partitions[partition].rows as usize
    }

    fn is_kept(&self, partition: usize) -> bool {
        self.partitions[partition].is_kept
    }

    fn is_replayed(&self, partition: usize) -> bool {
        self.partitions[partition].now.is_some()
    }

    fn made_from(&self, partition: usize) -> &[PartitionKey] {
        &self.partitions[partition].old
    }

    fn changes(&self, partition: usize) -> Option<RowChanges> {
        Some(self.partitions[partition].changes)
    }

    fn read(&self, partition: usize) -> Result<RecordBatch> {
        let Partition { old, now, rows, .. } = &self.partitions[partition];
        let mut batches = old.iter().map(|&old| self.staying(old)).collect::<Result<Vec<_>>>()?;
        if let Some(now) = now {
            batches.push(self.rows.read(*now)?);
        }
        let batch = concat_batches(&self.schema(), &batches)?;
        if batch.num_rows() as u64 != *rows {
            return Err(lost(self.name()));
        }
        sorted(&batch, &self.sorted_by())
    }

    fn sorted_by(&self) -> Vec<String> {
        self.rows.sorted_by()
    }

    fn additive(&self) -> Vec<String> {
        self.rows.additive()
    }
}

/// Rows by the columns that a table is sorted by, nulls first.
fn sorted(batch: &RecordBatch, by: &[String]) -> Result<RecordBatch> {
    let options = Some(SortOptions { descending: false, nulls_first: true });
    let columns = by.iter().map(|name| {
        let values = batch.column_by_name(name).cloned();
        let values = values.ok_or_else(|| Error::bug(format!("there is no column {name} to sort by")))?;
        Ok(SortColumn { values, options })
    });
    let order = lexsort_to_indices(&columns.collect::<Result<Vec<_>>>()?, None)?;
    let columns = batch.columns().iter().map(|column| take(column, &order, None));
    Ok(RecordBatch::try_new(batch.schema(), columns.collect::<Result<_, _>>()?)?)
}

fn lost(table: &str) -> Error {
    Error::bug(format!("{table} of the release before does not have the rows that its log gives"))
        .next("rebuild the warehouse from its log")
}
