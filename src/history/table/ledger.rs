//! Fact rows become tables: partitioned by day or month, sorted, wide; a partition is built when it is read.

use super::arithmetic::Numbers;
use super::binding::{Bindings, Carried, NO_LINE};
use super::calendar::{Day, date_key, date_of};
use super::dimension::NOT_APPLICABLE;
use super::frame::NONE;
use super::relation::{FactTable, PartitionKey};
use super::rows::{LedgerRows, LineRows, Made, NOT_REACHED, Source};
use crate::error::{Error, Result};
use crate::model::{Additivity, Fact, ValueType};
use arrow::array::{
    Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array, new_null_array,
};
use arrow::compute::{interleave, take};
use arrow::datatypes::{Field, Schema, SchemaRef};
use chrono::NaiveDate;
use smallvec::{SmallVec, smallvec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the tables of one fact share: the columns that rows point into.
pub struct Shared {
    fact: Fact,
    kinds: Vec<String>,
    headers: Vec<ArrayRef>,
    /// The header event of each header.
    header_sources: Vec<Option<Source>>,
    lines: Option<ArrayRef>,
    /// By binding and measure.
    measures: Vec<Vec<Option<Numbers>>>,
    /// By binding and carried column.
    columns: Vec<Vec<Option<Carried>>>,
}

impl Shared {
    /// Keeps what rows point into, and lets go of the rest.
    pub fn new(fact: &Fact, bindings: Bindings<'_>, kinds: Vec<String>, sources: &[(u32, Source)]) -> Self {
        let headers = bindings.headers.first().map_or(0, |key| key.len());
        let mut header_sources = vec![None; headers];
        sources.iter().for_each(|&(header, source)| header_sources[header as usize] = Some(source));
        let (measures, columns) =
            bindings.all.into_iter().map(|binding| (binding.measures, binding.columns)).unzip();
        Self {
            fact: fact.clone(),
            kinds,
            headers: bindings.headers,
            header_sources,
            lines: bindings.lines,
            measures,
            columns,
        }
    }

    fn header_columns(&self, header: impl Iterator<Item = u32>) -> Result<Vec<ArrayRef>> {
        let pick: UInt32Array = header.map(|header| (header != NONE).then_some(header)).collect();
        if self.headers.is_empty() {
            let nulls = |key: &crate::model::KeyColumn| new_null_array(&key.value_type.arrow(), pick.len());
            return Ok(self.fact.header.iter().map(nulls).collect());
        }
        Ok(self.headers.iter().map(|key| take(key, &pick, None)).collect::<Result<_, _>>()?)
    }

    fn line_column(&self, line: impl Iterator<Item = i64>) -> Result<Option<ArrayRef>> {
        let Some(column) = &self.fact.line else { return Ok(None) };
        let line = line.map(|line| (line != NO_LINE).then_some(line));
        Ok(Some(match (&self.lines, column.value_type) {
            (None, ValueType::Integer) => Arc::new(line.collect::<Int64Array>()),
            (None, other) => new_null_array(&other.arrow(), line.count()),
            (Some(values), _) => {
                take(values, &line.map(|rank| rank.map(|rank| rank as u32)).collect::<UInt32Array>(), None)?
            }
        }))
    }

    fn kind_column(&self, kind: impl Iterator<Item = u16>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(kind.map(|kind| self.kinds[kind as usize].as_str())))
    }

    /// A carried column: the event's own value, else its header's, else that of the line it touches.
    fn carried_column(&self, column: usize, rows: &[RowSources]) -> Result<ArrayRef> {
        let data_type = self.fact.columns[column].value_type.arrow();
        let null = new_null_array(&data_type, 1);
        let mut arrays: Vec<&dyn Array> = vec![null.as_ref()];
        let mut place = vec![0; self.columns.len()];
        for (binding, columns) in self.columns.iter().enumerate() {
            if let Some(carried) = &columns[column] {
                place[binding] = arrays.len();
                arrays.push(carried.values.as_ref());
            }
        }
        let locate = |source: Source| -> Option<(usize, usize)> {
            let carried = self.columns[source.binding as usize][column].as_ref()?;
            let row = carried.row(source.event as usize, source.item as usize)?;
            Some((place[source.binding as usize], row))
        };
        let found = |row: &RowSources| row.0.iter().find_map(|&source| locate(source)).unwrap_or((0, 0));
        let indices: Vec<(usize, usize)> = rows.iter().map(found).collect();
        Ok(interleave(&arrays, &indices)?)
    }

    fn measure(&self, measure: usize, source: Source, made: Option<i128>) -> i128 {
        let stated = || self.measures[source.binding as usize][measure].as_ref();
        made.or_else(|| stated().and_then(|numbers| numbers.get(source.item as usize))).unwrap_or_default()
    }

    fn header_source(&self, header: u32) -> Option<Source> {
        self.header_sources.get(header as usize).copied().flatten()
    }
}

/// Where a row's carried columns may be found, the best first.
struct RowSources(SmallVec<[Source; 4]>);

fn number_column(value_type: ValueType, values: impl Iterator<Item = i128>) -> Result<ArrayRef> {
    match value_type {
        ValueType::Decimal { precision, scale } => {
            let values = Decimal128Array::from_iter_values(values);
            let column = values.with_precision_and_scale(precision, scale.cast_signed())?;
            column.validate_decimal_precision(precision).map_err(|error| {
                Error::data(format!("a measure overflows its type: {error}"))
                    .next("widen the measure's type in the pipeline")
            })?;
            Ok(Arc::new(column))
        }
        _ => {
            let narrow = |value: i128| {
                i64::try_from(value).map_err(|_| Error::data(format!("{value} does not fit an integer")))
            };
            Ok(Arc::new(Int64Array::from(values.map(narrow).collect::<Result<Vec<_>>>()?)))
        }
    }
}

/// The rows of each partition.
struct Partitions {
    keys: Vec<PartitionKey>,
    rows: Vec<Vec<u32>>,
}

impl Partitions {
    fn new(days: &[Day], newest: Option<NaiveDate>) -> Result<Self> {
        let mut by_day: BTreeMap<Day, Vec<u32>> = BTreeMap::new();
        for (row, &day) in days.iter().enumerate() {
            by_day.entry(day).or_default().push(row as u32);
        }
        let mut by_key: BTreeMap<PartitionKey, Vec<u32>> = BTreeMap::new();
        for (day, rows) in by_day {
            let date = date_of(day)?;
            by_key.entry(PartitionKey::of(date, newest.unwrap_or(date))).or_default().extend(rows);
        }
        let (keys, rows) = by_key.into_iter().unzip();
        Ok(Self { keys, rows })
    }

    /// The rows of a partition, sorted by a key that no two rows share. They come nearly sorted.
    fn sorted<K: Ord>(&self, partition: usize, key: impl Fn(usize) -> K) -> Vec<usize> {
        let mut rows: Vec<usize> = self.rows[partition].iter().map(|&row| row as usize).collect();
        rows.sort_by_key(|&row| key(row));
        rows
    }
}

/// Columns under construction.
#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: impl Into<String>, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    fn finish(self) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)?)
    }
}

fn additive(fact: &Fact, suffix: &str) -> Vec<String> {
    let additive = fact.measures.iter().filter(|measure| measure.additivity == Additivity::Additive);
    additive.map(|measure| format!("{}{suffix}", measure.name)).collect()
}

/// `fact_<name>`: the ledger.
pub struct Ledger {
    name: String,
    shared: Arc<Shared>,
    rows: LedgerRows,
    partitions: Partitions,
    schema: SchemaRef,
}

impl Ledger {
    /// The table of these rows; `newest` is the day of the log's newest event.
    pub fn new(shared: Arc<Shared>, rows: LedgerRows, newest: Option<NaiveDate>) -> Result<Self> {
        let partitions = Partitions::new(&rows.day, newest)?;
        let name = format!("fact_{}", shared.fact.name);
        let mut ledger = Self { name, shared, rows, partitions, schema: Arc::new(Schema::empty()) };
        ledger.schema = ledger.build(&[])?.schema();
        Ok(ledger)
    }

    fn made(&self, row: usize) -> Option<usize> {
        Some(self.rows.made_row[row]).filter(|&made| made != NONE).map(|made| made as usize)
    }

    fn value(&self, row: usize, measure: usize) -> i128 {
        let width = self.shared.fact.measures.len();
        let made = self.made(row).map(|made| self.rows.made.values[made * width + measure]);
        self.shared.measure(measure, self.rows.source[row], made)
    }

    fn build(&self, order: &[usize]) -> Result<RecordBatch> {
        let (rows, shared) = (&self.rows, &self.shared);
        let fact = &shared.fact;
        let pick = |column: &[i64]| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(order.iter().map(|&row| column[row])))
        };
        let mut columns = Columns::default();
        columns.push("position", pick(&rows.position), false);
        columns.push("item", pick(&rows.item), false);
        let headers = shared.header_columns(order.iter().map(|&row| rows.header[row]))?;
        for (key, array) in fact.header.iter().zip(headers) {
            columns.push(&key.name, array, true);
        }
        let sources: Vec<RowSources> = order.iter().map(|&row| self.sources(row)).collect();
        for (index, column) in fact.columns.iter().enumerate() {
            columns.push(&column.name, shared.carried_column(index, &sources)?, true);
        }
        if let (Some(line), Some(key)) =
            (shared.line_column(order.iter().map(|&row| rows.line[row]))?, &fact.line)
        {
            columns.push(&key.name, line, true);
        }
        columns.push("kind", shared.kind_column(order.iter().map(|&row| rows.kind[row])), false);
        let instants = order.iter().map(|&row| rows.occurred_at[row]);
        columns.push("occurred_at", Arc::new(TimestampMicrosecondArray::from_iter_values(instants)), false);
        let dates = order.iter().map(|&row| date_key(rows.day[row])).collect::<Result<Vec<_>>>()?;
        columns.push("date_key", Arc::new(Int64Array::from(dates)), false);
        let width = fact.roles.len();
        for (r, role) in fact.roles.iter().enumerate() {
            let keys = order.iter().map(|&row| rows.keys[row * width + r]);
            columns.push(format!("{}_key", role.name), Arc::new(Int64Array::from_iter_values(keys)), false);
        }
        for (m, measure) in fact.measures.iter().enumerate() {
            let values = order.iter().map(|&row| self.value(row, m));
            columns.push(&measure.name, number_column(measure.value_type, values)?, false);
        }
        columns.finish()
    }

    fn sources(&self, row: usize) -> RowSources {
        let mut sources: SmallVec<[Source; 4]> = match self.made(row) {
            None => smallvec![self.rows.source[row]],
            Some(made) => self.rows.made.origins[made].iter().copied().collect(),
        };
        sources.extend(self.shared.header_source(self.rows.header[row]));
        RowSources(sources)
    }
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

    fn read(&self, partition: usize) -> Result<RecordBatch> {
        let rows = &self.rows;
        let order = self.partitions.sorted(partition, |row| {
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

    fn rows(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// `fact_<lines>`: the accumulating table.
pub struct Lines {
    name: String,
    shared: Arc<Shared>,
    rows: LineRows,
    partitions: Partitions,
    schema: SchemaRef,
}

impl Lines {
    /// The table of these rows; `newest` is the day of the log's newest event.
    pub fn new(name: &str, shared: Arc<Shared>, rows: LineRows, newest: Option<NaiveDate>) -> Result<Self> {
        let partitions = Partitions::new(&rows.day, newest)?;
        let name = format!("fact_{name}");
        let mut lines = Self { name, shared, rows, partitions, schema: Arc::new(Schema::empty()) };
        lines.schema = lines.build(&[])?.schema();
        Ok(lines)
    }

    /// A measure as placed (`part` 0) or what is left of it (`part` 1).
    fn value(&self, row: usize, measure: usize, part: usize) -> i128 {
        let width = self.shared.fact.measures.len();
        let Made { values, .. } = &self.rows.made;
        let made = Some(self.rows.made_row[row]).filter(|&made| made != NONE);
        let made = made.map(|made| values[(made as usize * 2 + part) * width + measure]);
        self.shared.measure(measure, self.rows.source[row], made)
    }

    fn build(&self, order: &[usize]) -> Result<RecordBatch> {
        let (rows, shared) = (&self.rows, &self.shared);
        let fact = &shared.fact;
        let mut columns = Columns::default();
        let headers = shared.header_columns(order.iter().map(|&row| rows.header[row]))?;
        for (key, array) in fact.header.iter().zip(headers) {
            columns.push(&key.name, array, false);
        }
        if let (Some(line), Some(key)) =
            (shared.line_column(order.iter().map(|&row| rows.line[row]))?, &fact.line)
        {
            columns.push(&key.name, line, true);
        }
        let sources: Vec<RowSources> = order.iter().map(|&row| self.sources(row)).collect();
        for (index, column) in fact.columns.iter().enumerate() {
            columns.push(&column.name, shared.carried_column(index, &sources)?, true);
        }
        columns.push("status", shared.kind_column(order.iter().map(|&row| rows.status[row])), false);
        let width = fact.roles.len();
        for (r, role) in fact.roles.iter().enumerate() {
            let keys = order.iter().map(|&row| rows.keys[row * width + r]);
            columns.push(format!("{}_key", role.name), Arc::new(Int64Array::from_iter_values(keys)), false);
        }
        self.milestones(order, &mut columns)?;
        for (m, measure) in fact.measures.iter().enumerate() {
            let placed = order.iter().map(|&row| self.value(row, m, 0));
            columns.push(&measure.name, number_column(measure.value_type, placed)?, false);
        }
        for (m, measure) in fact.measures.iter().enumerate() {
            if measure.additivity == Additivity::Additive {
                let left = order.iter().map(|&row| self.value(row, m, 1));
                columns.push(
                    format!("{}_left", measure.name),
                    number_column(measure.value_type, left)?,
                    false,
                );
            }
        }
        columns.finish()
    }

    fn milestones(&self, order: &[usize], columns: &mut Columns) -> Result<()> {
        let names = &self.shared.fact.milestones;
        let reached = |row: usize, milestone: usize| {
            Some(self.rows.reached[row * names.len() + milestone]).filter(|&day| day != NOT_REACHED)
        };
        for (milestone, name) in names.iter().enumerate() {
            let key = |&row: &usize| reached(row, milestone).map_or(Ok(NOT_APPLICABLE), date_key);
            let keys = order.iter().map(key).collect::<Result<Vec<_>>>()?;
            columns.push(format!("{name}_date_key"), Arc::new(Int64Array::from(keys)), false);
        }
        for (milestone, name) in names.iter().enumerate().skip(1) {
            let days = order.iter().map(|&row| Some(i64::from(reached(row, milestone)? - reached(row, 0)?)));
            columns.push(format!("days_to_{name}"), Arc::new(days.collect::<Int64Array>()), true);
        }
        Ok(())
    }

    fn sources(&self, row: usize) -> RowSources {
        let mut sources: SmallVec<[Source; 4]> = match self.rows.made_row[row] {
            NONE => smallvec![self.rows.source[row]],
            made => self.rows.made.origins[made as usize].iter().copied().collect(),
        };
        sources.extend(self.shared.header_source(self.rows.header[row]));
        RowSources(sources)
    }
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

    fn read(&self, partition: usize) -> Result<RecordBatch> {
        let rows = &self.rows;
        let order = self
            .partitions
            .sorted(partition, |row| (rows.day[row], rows.position[row], rows.header[row], rows.line[row]));
        self.build(&order)
    }

    fn sorted_by(&self) -> Vec<String> {
        // By the day, then by the position of the first placing, which is no column here.
        Vec::new()
    }

    fn additive(&self) -> Vec<String> {
        let placed = additive(&self.shared.fact, "");
        placed.into_iter().chain(additive(&self.shared.fact, "_left")).collect()
    }

    fn rows(&self) -> u64 {
        self.rows.len() as u64
    }
}
