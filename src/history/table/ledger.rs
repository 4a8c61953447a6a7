//! `fact_<name>`: a row for each line and business event, signed (DESIGN 19).

use super::super::dimension::NOT_APPLICABLE;
use super::super::frame::NONE;
use super::super::relation::{FactTable, PartitionKey};
use super::super::rows::{LedgerRows, RowId};
use super::columns::{Columns, additive, number_column};
use super::partitions::Partitions;
use super::shared::{RowSources, Shared};
use crate::error::Result;
use arrow::array::{RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{Schema, SchemaRef};
use chrono::NaiveDate;
use std::sync::Arc;

/// The ledger of a fact.
pub struct Ledger {
    name: String,
    shared: Arc<Shared>,
    parts: Vec<LedgerRows>,
    partitions: Partitions,
    schema: SchemaRef,
}

impl Ledger {
    /// The table of these rows; `newest` is the day of the log's newest event.
    pub fn new(shared: Arc<Shared>, parts: Vec<LedgerRows>, newest: Option<NaiveDate>) -> Result<Self> {
        let days: Vec<_> = parts.iter().map(|rows| rows.day.as_slice()).collect();
        let partitions = Partitions::new(&days, newest)?;
        let name = format!("fact_{}", shared.fact.name);
        let mut ledger = Self { name, shared, parts, partitions, schema: Arc::new(Schema::empty()) };
        ledger.schema = ledger.build(&[])?.schema();
        Ok(ledger)
    }

    /// The columns that a row stands in, and its place there.
    fn at(&self, id: RowId) -> (&LedgerRows, usize) {
        (&self.parts[id.part as usize], id.index())
    }

    fn value(&self, id: RowId, measure: usize) -> i128 {
        let (rows, row) = self.at(id);
        let width = self.shared.fact.measures.len();
        let made = made(rows, row).map(|made| rows.made.values[made * width + measure]);
        self.shared.measure(measure, rows.source[row], made)
    }

    fn sources(&self, id: RowId) -> RowSources {
        let (rows, row) = self.at(id);
        self.shared.sources(rows.source[row], made(rows, row), &rows.made, rows.header[row])
    }

    fn build(&self, order: &[RowId]) -> Result<RecordBatch> {
        let (shared, fact) = (&self.shared, &self.shared.fact);
        let rows = || order.iter().map(|&id| self.at(id));
        let mut columns = Columns::default();
        columns.push_integers("position", rows().map(|(rows, row)| rows.position[row]));
        columns.push_integers("item", rows().map(|(rows, row)| rows.item[row]));
        let headers = shared.header_columns(rows().map(|(rows, row)| rows.header[row]))?;
        for (key, array) in fact.header.iter().zip(headers) {
            columns.push(&key.name, array, true);
        }
        if !fact.columns.is_empty() {
            let sources: Vec<RowSources> = order.iter().map(|&id| self.sources(id)).collect();
            for (index, column) in fact.columns.iter().enumerate() {
                columns.push(&column.name, shared.carried_column(index, &sources)?, true);
            }
        }
        if let (Some(line), Some(key)) =
            (shared.line_column(rows().map(|(rows, row)| rows.line[row]))?, &fact.line)
        {
            columns.push(&key.name, line, true);
        }
        columns.push("kind", shared.kind_column(rows().map(|(rows, row)| rows.kind[row])), false);
        let instants = rows().map(|(rows, row)| rows.occurred_at[row]);
        columns.push("occurred_at", Arc::new(TimestampMicrosecondArray::from_iter_values(instants)), false);
        columns.push_days("date_key", rows().map(|(rows, row)| Some(rows.day[row])), NOT_APPLICABLE)?;
        let width = fact.roles.len();
        for (r, role) in fact.roles.iter().enumerate() {
            let keys = rows().map(|(rows, row)| rows.keys[row * width + r]);
            columns.push_integers(format!("{}_key", role.name), keys);
        }
        for (m, measure) in fact.measures.iter().enumerate() {
            let values = order.iter().map(|&id| self.value(id, m));
            let source = |row: usize| {
                let (rows, row) = self.at(order[row]);
                (shared.event_name(rows.source[row]), rows.position[row])
            };
            let column = number_column(&measure.name, measure.value_type, values, source)?;
            columns.push(&measure.name, column, false);
        }
        columns.finish()
    }
}

/// Where the replay made a row's measures, if it did.
fn made(rows: &LedgerRows, row: usize) -> Option<usize> {
    Some(rows.made_row[row]).filter(|&made| made != NONE).map(|made| made as usize)
}

impl FactTable for Ledger {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn partitions(&self) -> &[PartitionKey] {
        &self.partitions.keys
    }

    fn partition_rows(&self, partition: usize) -> usize {
        self.partitions.len(partition)
    }

    fn read(&self, partition: usize) -> Result<RecordBatch> {
        let order = self.partitions.sorted(partition, |id| {
            let (rows, row) = self.at(id);
            (rows.day[row], rows.position[row], rows.item[row], rows.line[row], rows.kind[row])
        });
        self.build(&order)
    }

    fn sorted_by(&self) -> Vec<String> {
        let line = self.shared.fact.line.as_ref().map(|line| line.name.clone());
        let before = ["date_key", "position", "item"].map(str::to_owned);
        before.into_iter().chain(line).chain(["kind".to_owned()]).collect()
    }

    fn additive(&self) -> Vec<String> {
        additive(&self.shared.fact, "")
    }
}
