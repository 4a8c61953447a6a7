//! What the tables of one fact share: the columns that rows point into.

use super::super::arithmetic::Numbers;
use super::super::binding::{Bindings, Carried, NO_LINE};
use super::super::frame::NONE;
use super::super::rows::{Made, Source};
use crate::error::Result;
use crate::model::{Fact, KeyColumn, ValueType};
use arrow::array::{Array, ArrayRef, Int64Array, StringArray, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// What the tables of one fact share: the columns that rows point into.
pub struct Shared {
    pub fact: Fact,
    kinds: Vec<String>,
    headers: Vec<ArrayRef>,
    /// By binding: the name of its event type.
    event_names: Vec<String>,
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
    pub fn new(
        fact: &Fact,
        bindings: Bindings<'_>,
        kinds: Vec<String>,
        sources: impl Iterator<Item = (u32, Source)>,
    ) -> Self {
        let headers = bindings.headers.first().map_or(0, |key| key.len());
        let mut header_sources = vec![None; headers];
        sources.for_each(|(header, source)| header_sources[header as usize] = Some(source));
        let event_names = bindings.all.iter().map(|binding| binding.items.events.name().to_owned()).collect();
        let (measures, columns) =
            bindings.all.into_iter().map(|binding| (binding.measures, binding.columns)).unzip();
        Self {
            fact: fact.clone(),
            kinds,
            event_names,
            headers: bindings.headers,
            header_sources,
            lines: bindings.lines,
            measures,
            columns,
        }
    }

    /// The natural key of each row's header; null where a row has none.
    pub fn header_columns(&self, header: impl Iterator<Item = u32>) -> Result<Vec<ArrayRef>> {
        let pick: UInt32Array = header.map(|header| (header != NONE).then_some(header)).collect();
        if self.headers.is_empty() {
            let nulls = |key: &KeyColumn| new_null_array(&key.value_type.arrow(), pick.len());
            return Ok(self.fact.header.iter().map(nulls).collect());
        }
        Ok(self.headers.iter().map(|key| take(key, &pick, None)).collect::<Result<_, _>>()?)
    }

    /// The line key of each row.
    pub fn line_column(&self, line: impl Iterator<Item = i64>) -> Result<Option<ArrayRef>> {
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

    /// The type of the event that a row comes from.
    pub fn event_name(&self, source: Source) -> &str {
        &self.event_names[source.binding as usize]
    }

    /// The name of each row's kind.
    pub fn kind_column(&self, kind: impl Iterator<Item = u16>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(kind.map(|kind| self.kinds[kind as usize].as_str())))
    }

    /// A carried column: the event's own value, else its header's, else that of the line it touches.
    pub fn carried_column(&self, column: usize, rows: &[RowSources]) -> Result<ArrayRef> {
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

    /// A measure as the replay made it, else as the item states it.
    pub fn measure(&self, measure: usize, source: Source, made: Option<i128>) -> i128 {
        let stated = || self.measures[source.binding as usize][measure].as_ref();
        made.or_else(|| stated().and_then(|numbers| numbers.get(source.item as usize))).unwrap_or_default()
    }

    /// Where the columns of a row may be found: its source alone, or the origins of what the replay made.
    pub fn sources(&self, source: Source, made: Option<usize>, rows: &Made, header: u32) -> RowSources {
        let mut sources: SmallVec<[Source; 4]> = match made {
            None => smallvec![source],
            Some(made) => rows.origins[made].iter().copied().collect(),
        };
        sources.extend(self.header_sources.get(header as usize).copied().flatten());
        RowSources(sources)
    }
}

/// Where a row's carried columns may be found, the best first.
pub struct RowSources(SmallVec<[Source; 4]>);
