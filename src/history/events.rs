//! The events of one type, columns in memory, and their items: what a binding of the pipeline reads.

use super::frame::integers;
use crate::error::{Error, Result};
use crate::log::EventLog;
use crate::model::{EventType, FieldRef, Model};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StructArray, UInt32Array};
use arrow::compute::{concat_batches, take};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The events of one type in the order of their positions; only the columns that were asked for.
pub struct Events {
    /// Position of each event.
    pub position: Vec<i64>,
    /// Instant of each event, UTC microseconds.
    pub time: Vec<i64>,
    /// The producer's order; `i64::MIN` where there is none, so that it comes first (DESIGN 3).
    pub order: Vec<i64>,
    absent: Option<StringArray>,
    fields: Vec<Option<ArrayRef>>,
    lists: Vec<Option<List>>,
    names: EventType,
}

struct List {
    /// Items of event `i` are `offsets[i]..offsets[i + 1]`.
    offsets: Vec<u32>,
    items: StructArray,
}

impl Events {
    /// Reads the events of one type, with these fields.
    pub fn load(log: &EventLog, event: &EventType, needed: &BTreeSet<FieldRef>) -> Result<Self> {
        let mut columns = vec!["_position", "_time", "_order", "_absent"];
        columns.extend(event.fields.iter().enumerate().filter_map(|(field, declared)| {
            needed.contains(&FieldRef { list: None, field }).then_some(declared.name.as_str())
        }));
        columns.extend(event.lists.iter().enumerate().filter_map(|(list, declared)| {
            needed.iter().any(|field| field.list == Some(list)).then_some(declared.name.as_str())
        }));
        let whole = log.schema(&event.name)?;
        let places = columns.iter().map(|name| whole.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(whole.project(&places)?);
        let pieces = log.pieces(&event.name)?;
        let read = pieces.par_iter().map(|piece| log.read_piece(&event.name, piece, &columns));
        let batches = read.collect::<Result<Vec<_>>>()?.concat();
        Self::from_batch(event, &concat_batches(&schema, &batches)?)
    }

    fn from_batch(event: &EventType, batch: &RecordBatch) -> Result<Self> {
        let order = column(batch, "_order")?;
        let order = order.as_primitive::<arrow::datatypes::Int64Type>();
        let absent = column(batch, "_absent")?;
        let lists = event.lists.iter().map(|list| list_of(batch, &list.name)).collect::<Result<_>>()?;
        Ok(Self {
            position: integers(&column(batch, "_position")?)?,
            time: integers(&column(batch, "_time")?)?,
            order: order.iter().map(|order| order.unwrap_or(i64::MIN)).collect(),
            absent: (absent.null_count() < absent.len()).then(|| absent.as_string::<i32>().clone()),
            fields: event.fields.iter().map(|field| batch.column_by_name(&field.name).cloned()).collect(),
            lists,
            names: event.clone(),
        })
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.position.len()
    }

    /// The items that a binding sees: those of its list, or the events themselves.
    pub fn items(&self, list: Option<usize>) -> Result<Items<'_>> {
        let offsets = match list {
            None => None,
            Some(list) => Some(&self.list(list)?.offsets),
        };
        let event_of = offsets.map(|offsets| {
            let mut event_of = Vec::with_capacity(offsets.last().map_or(0, |&last| last as usize));
            for (event, bounds) in offsets.windows(2).enumerate() {
                event_of.extend(std::iter::repeat_n(event as u32, (bounds[1] - bounds[0]) as usize));
            }
            event_of
        });
        Ok(Items { events: self, offsets: offsets.map(Vec::as_slice), event_of })
    }

    fn list(&self, list: usize) -> Result<&List> {
        self.lists.get(list).and_then(Option::as_ref).ok_or_else(|| Error::bug("a list was not loaded"))
    }

    /// The values of a field: one an event, or one an item of its list.
    pub fn values(&self, field: FieldRef) -> Result<ArrayRef> {
        match field.list {
            None => self.fields.get(field.field).cloned().flatten(),
            Some(list) => self.list(list)?.items.columns().get(field.field).cloned(),
        }
        .ok_or_else(|| Error::bug("a field was not loaded"))
    }

    /// For each value of [`Events::values`]: whether the event did not carry the field at all.
    pub fn absent(&self, field: FieldRef) -> Result<Option<Vec<bool>>> {
        let Some(absent) = &self.absent else { return Ok(None) };
        let name = &self.names.field(field).name;
        let Some(list) = field.list else {
            let is_absent =
                |paths: Option<&str>| paths.is_some_and(|paths| paths.split(',').any(|p| p == name));
            return Ok(Some(absent.iter().map(is_absent).collect()));
        };
        let offsets = &self.list(list)?.offsets;
        let list_name = &self.names.lists[list].name;
        let mut flags = vec![false; offsets.last().map_or(0, |&last| last as usize)];
        for (paths, bounds) in absent.iter().zip(offsets.windows(2)) {
            let Some(paths) = paths else { continue };
            for item in bounds[0]..bounds[1] {
                let path = format!("{list_name}[{}].{name}", item - bounds[0]);
                flags[item as usize] = paths.split(',').any(|p| p == path);
            }
        }
        Ok(Some(flags))
    }
}

/// The items of one binding: rows at the grain at which it happens.
pub struct Items<'a> {
    pub events: &'a Events,
    offsets: Option<&'a [u32]>,
    event_of: Option<Vec<u32>>,
}

impl Items<'_> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.event_of.as_ref().map_or(self.events.len(), Vec::len)
    }

    /// The event of an item, as a row of [`Events`].
    pub fn event_of(&self, item: usize) -> usize {
        self.event_of.as_ref().map_or(item, |event_of| event_of[item] as usize)
    }

    /// The place of an item in its list, from 1; 0 for an event without a list (DESIGN 19).
    pub fn number(&self, item: usize) -> i64 {
        self.offsets.map_or(0, |offsets| (item as u32 - offsets[self.event_of(item)]) as i64 + 1)
    }

    /// The items of an event.
    pub fn of_event(&self, event: usize) -> std::ops::Range<usize> {
        match self.offsets {
            None => event..event + 1,
            Some(offsets) => offsets[event] as usize..offsets[event + 1] as usize,
        }
    }

    /// The values of a field, one an item.
    pub fn values(&self, field: FieldRef) -> Result<ArrayRef> {
        let values = self.events.values(field)?;
        match &self.event_of {
            Some(event_of) if field.list.is_none() => {
                Ok(take(&values, &UInt32Array::from(event_of.clone()), None)?)
            }
            _ => Ok(values),
        }
    }

    /// For each item: whether the event did not carry the field at all.
    pub fn absent(&self, field: FieldRef) -> Result<Option<Vec<bool>>> {
        let Some(flags) = self.events.absent(field)? else { return Ok(None) };
        match &self.event_of {
            Some(event_of) if field.list.is_none() => {
                Ok(Some(event_of.iter().map(|&event| flags[event as usize]).collect()))
            }
            _ => Ok(Some(flags)),
        }
    }

    /// Spreads one value an event over its items.
    pub fn spread<T: Copy>(&self, by_event: &[T]) -> Vec<T> {
        match &self.event_of {
            None => by_event.to_vec(),
            Some(event_of) => event_of.iter().map(|&event| by_event[event as usize]).collect(),
        }
    }
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    batch
        .column_by_name(name)
        .cloned()
        .ok_or_else(|| Error::bug(format!("the event store has no column {name}")))
}

fn list_of(batch: &RecordBatch, name: &str) -> Result<Option<List>> {
    let Some(array) = batch.column_by_name(name) else { return Ok(None) };
    let lists = array.as_list::<i32>();
    let first = lists.offsets().first().copied().unwrap_or(0);
    let length = lists.offsets().last().copied().unwrap_or(0) - first;
    let items = lists.values().as_struct().slice(first as usize, length as usize);
    // A null list has no items: its offsets are equal.
    let offsets = lists.offsets().iter().map(|offset| (offset - first) as u32).collect();
    Ok(Some(List { offsets, items }))
}

/// Every event type that the pipeline's tables are made from, loaded: one entry for each of `model.events`.
pub fn load_all(model: &Model, log: &EventLog) -> Result<Vec<Option<Events>>> {
    let mut needed: Vec<Option<BTreeSet<FieldRef>>> = vec![None; model.events.len()];
    for entity in model.dimensions.iter().flat_map(|dimension| &dimension.entities) {
        for binding in &entity.events {
            needed[binding.event].get_or_insert_default().extend(binding.fields());
        }
    }
    for binding in model.facts.iter().flat_map(|fact| &fact.events) {
        needed[binding.event].get_or_insert_default().extend(binding.fields());
    }
    let load = |(event, needed): (&EventType, &Option<BTreeSet<FieldRef>>)| match needed {
        Some(needed) => Events::load(log, event, needed).map(Some),
        None => Ok(None),
    };
    model.events.par_iter().zip(&needed).map(load).collect()
}
