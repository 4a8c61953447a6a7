//! `fact_<lines>`: a row for each line, with its status and its milestones (DESIGN 21).

use super::super::dimension::NOT_APPLICABLE;
use super::super::frame::NONE;
use super::super::relation::{FactTable, PartitionKey};
use super::super::rows::{LineRows, NOT_REACHED, RowId};
use super::columns::{Columns, additive, number_column};
use super::partitions::Partitions;
use super::shared::{RowSources, Shared};
use crate::error::Result;
use crate::model::Additivity;
use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use chrono::NaiveDate;
use std::sync::Arc;

/// The accumulating table of a fact.
pub struct Lines {
    name: String,
    shared: Arc<Shared>,
    parts: Vec<LineRows>,
    partitions: Partitions,
    schema: SchemaRef,
}

impl Lines {
    /// The table of these rows; `newest` is the day of the log's newest event.
    pub fn new(
        name: &str,
        shared: Arc<Shared>,
        parts: Vec<LineRows>,
        newest: Option<NaiveDate>,
    ) -> Result<Self> {
        let days: Vec<_> = parts.iter().map(|rows| rows.day.as_slice()).collect();
        let partitions = Partitions::new(&days, newest)?;
        let name = format!("fact_{name}");
        let mut lines = Self { name, shared, parts, partitions, schema: Arc::new(Schema::empty()) };
        lines.schema = lines.build(&[])?.schema();
        Ok(lines)
    }

    /// The columns that a row stands in, and its place there.
    fn at(&self, id: RowId) -> (&LineRows, usize) {
        (&self.parts[id.part as usize], id.index())
    }

    /// A measure as placed (`part` 0) or what is left of it (`part` 1).
    fn value(&self, id: RowId, measure: usize, part: usize) -> i128 {
        let (rows, row) = self.at(id);
        let width = self.shared.fact.measures.len();
        let made = made(rows, row).map(|made| rows.made.values[(made * 2 + part) * width + measure]);
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
            columns.push(&key.name, array, false);
        }
        if let (Some(line), Some(key)) =
            (shared.line_column(rows().map(|(rows, row)| rows.line[row]))?, &fact.line)
        {
            columns.push(&key.name, line, true);
        }
        if !fact.columns.is_empty() {
            let sources: Vec<RowSources> = order.iter().map(|&id| self.sources(id)).collect();
            for (index, column) in fact.columns.iter().enumerate() {
                columns.push(&column.name, shared.carried_column(index, &sources)?, true);
            }
        }
        columns.push("status", shared.kind_column(rows().map(|(rows, row)| rows.status[row])), false);
        let width = fact.roles.len();
        for (r, role) in fact.roles.iter().enumerate() {
            let keys = rows().map(|(rows, row)| rows.keys[row * width + r]);
            columns.push_integers(format!("{}_key", role.name), keys);
        }
        self.milestones(order, &mut columns)?;
        let source = |row: usize| {
            let (rows, row) = self.at(order[row]);
            (shared.event_name(rows.source[row]), rows.position[row])
        };
        for (m, measure) in fact.measures.iter().enumerate() {
            let placed = order.iter().map(|&id| self.value(id, m, 0));
            let column = number_column(&measure.name, measure.value_type, placed, source)?;
            columns.push(&measure.name, column, false);
        }
        for (m, measure) in fact.measures.iter().enumerate() {
            if measure.additivity == Additivity::Additive {
                let left = order.iter().map(|&id| self.value(id, m, 1));
                let name = format!("{}_left", measure.name);
                let column = number_column(&name, measure.value_type, left, source)?;
                columns.push(name, column, false);
            }
        }
        columns.finish()
    }

    fn milestones(&self, order: &[RowId], columns: &mut Columns) -> Result<()> {
        let names = &self.shared.fact.milestones;
        let reached = |id: RowId, milestone: usize| {
            let (rows, row) = self.at(id);
            Some(rows.reached[row * names.len() + milestone]).filter(|&day| day != NOT_REACHED)
        };
        for (milestone, name) in names.iter().enumerate() {
            let days = order.iter().map(|&id| reached(id, milestone));
            columns.push_days(format!("{name}_date_key"), days, NOT_APPLICABLE)?;
        }
        for (milestone, name) in names.iter().enumerate().skip(1) {
            let days = order.iter().map(|&id| Some(i64::from(reached(id, milestone)? - reached(id, 0)?)));
            columns.push(format!("days_to_{name}"), Arc::new(days.collect::<Int64Array>()), true);
        }
        Ok(())
    }
}

/// Where the replay made a row's measures, if it did.
fn made(rows: &LineRows, row: usize) -> Option<usize> {
    Some(rows.made_row[row]).filter(|&made| made != NONE).map(|made| made as usize)
}

impl FactTable for Lines {
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
            (rows.position[row], rows.item[row])
        });
        self.build(&order)
    }

    fn sorted_by(&self) -> Vec<String> {
        ["position", "item"].map(str::to_owned).to_vec()
    }

    fn additive(&self) -> Vec<String> {
        let placed = additive(&self.shared.fact, "");
        placed.into_iter().chain(additive(&self.shared.fact, "_left")).collect()
    }
}
