//! The events of one type, columns in memory, and their items: what a binding of the pipeline reads.

use super::frame::integers;
use crate::error::{Error, Result};
use crate::log::{EventLog, Piece, Position};
use crate::model::{EventType, FieldRef, Model};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array, new_empty_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};

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
    /// By field: a value an item.
    items: Vec<ArrayRef>,
}

impl Events {
    /// Reads the events of one type, with these fields.
    pub fn load(log: &EventLog, event: &EventType, needed: &BTreeSet<FieldRef>) -> Result<Self> {
        let columns = Columns::of(log, event, needed)?;
        let pieces = log.pieces(&event.name)?;
        let read = pieces.par_iter().map(|piece| log.read_piece(&event.name, piece, &columns.names));
        Self::from_batches(event, &columns.schema, read.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Reads the events behind a position.
    pub fn load_behind(
        log: &EventLog,
        event: &EventType,
        needed: &BTreeSet<FieldRef>,
        position: Position,
    ) -> Result<Self> {
        let is_new = |events: &Self| -> Result<Vec<bool>> {
            Ok(events.position.iter().map(|&at| at > position.as_i64()).collect())
        };
        Self::pick(log, event, needed, &BTreeSet::new(), &log.pieces_behind(&event.name, position)?, &is_new)
    }

    /// Reads the events that are wanted, which is decided by these fields alone.
    pub fn load_wanted(
        log: &EventLog,
        event: &EventType,
        needed: &BTreeSet<FieldRef>,
        decided_by: &BTreeSet<FieldRef>,
        wanted: &(dyn Fn(&Self) -> Result<Vec<bool>> + Sync),
    ) -> Result<Self> {
        Self::pick(log, event, needed, decided_by, &log.pieces(&event.name)?, wanted)
    }

    fn pick(
        log: &EventLog,
        event: &EventType,
        needed: &BTreeSet<FieldRef>,
        decided_by: &BTreeSet<FieldRef>,
        pieces: &[Piece],
        wanted: &(dyn Fn(&Self) -> Result<Vec<bool>> + Sync),
    ) -> Result<Self> {
        let columns = Columns::of(log, event, needed)?;
        let first = Columns::of(log, event, decided_by)?;
        let read = pieces.par_iter().map(|piece| {
            let batches = log.read_piece(&event.name, piece, &first.names)?;
            let wanted = wanted(&Self::from_batches(event, &first.schema, batches)?)?;
            match wanted.contains(&true) {
                true => log.read_rows(&event.name, piece, &columns.names, wanted),
                false => Ok(Vec::new()),
            }
        });
        Self::from_batches(event, &columns.schema, read.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Puts batches together, column by column, side by side.
    fn from_batches(event: &EventType, schema: &Schema, batches: Vec<RecordBatch>) -> Result<Self> {
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(batches.len()); schema.fields().len()];
        for batch in batches {
            parts.iter_mut().zip(batch.columns()).for_each(|(parts, column)| parts.push(column.clone()));
        }
        let whole = schema.fields().iter().zip(parts).par_bridge().map(|(field, parts)| {
            let column = match field.data_type() {
                DataType::List(element) => Whole::List(List::join(element, parts)?),
                other => Whole::Plain(join(other, &parts)?),
            };
            Ok((field.name().as_str(), column))
        });
        let mut whole = whole.collect::<Result<HashMap<&str, Whole>>>()?;
        let mut plain = |name: &str| match whole.remove(name) {
            Some(Whole::Plain(column)) => Some(column),
            _ => None,
        };
        let mut own = |name: &str| {
            plain(name).ok_or_else(|| Error::bug(format!("the event store has no column {name}")))
        };
        let (position, time, order, absent) =
            (own("_position")?, own("_time")?, own("_order")?, own("_absent")?);
        let order = order.as_primitive::<arrow::datatypes::Int64Type>();
        let fields = event.fields.iter().map(|field| plain(&field.name)).collect();
        let mut list = |name: &str| match whole.remove(name) {
            Some(Whole::List(list)) => Some(list),
            _ => None,
        };
        let lists = event.lists.iter().map(|declared| list(&declared.name)).collect();
        Ok(Self {
            position: integers(&position)?,
            time: integers(&time)?,
            order: order.iter().map(|order| order.unwrap_or(i64::MIN)).collect(),
            absent: (absent.null_count() < absent.len()).then(|| absent.as_string::<i32>().clone()),
            fields,
            lists,
            names: event.clone(),
        })
    }

    /// The name of their type.
    pub fn name(&self) -> &str {
        &self.names.name
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
            Some(list) => self.list(list)?.items.get(field.field).cloned(),
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
            let of_event = &mut flags[bounds[0] as usize..bounds[1] as usize];
            for path in paths.iter().flat_map(|paths| paths.split(',')) {
                if let Some(flag) = item_of(path, list_name, name).and_then(|item| of_event.get_mut(item)) {
                    *flag = true;
                }
            }
        }
        Ok(Some(flags))
    }
}

/// The item, from 0, of a path `list[item].field`, if it is of this list and field.
fn item_of(path: &str, list: &str, field: &str) -> Option<usize> {
    let (item, named) = path.strip_prefix(list)?.strip_prefix('[')?.split_once("].")?;
    if named == field { item.parse().ok() } else { None }
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

enum Whole {
    Plain(ArrayRef),
    List(List),
}

fn join(data_type: &DataType, parts: &[ArrayRef]) -> Result<ArrayRef> {
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() { Ok(new_empty_array(data_type)) } else { Ok(concat(&parts)?) }
}

impl List {
    /// The lists of several batches as one.
    fn join(element: &Field, parts: Vec<ArrayRef>) -> Result<Self> {
        let DataType::Struct(fields) = element.data_type() else {
            return Err(Error::bug(format!("{} is no list of objects", element.name())));
        };
        let mut offsets = vec![0];
        let mut items = Vec::with_capacity(parts.len());
        for part in &parts {
            let lists = part.as_list::<i32>();
            let first = lists.offsets().first().copied().unwrap_or(0);
            let before = offsets.last().copied().unwrap_or(0);
            // A null list has no items: its offsets are equal.
            offsets.extend(lists.offsets().iter().skip(1).map(|offset| before + (offset - first) as u32));
            let length = offsets.last().copied().unwrap_or(0) - before;
            items.push(lists.values().as_struct().slice(first as usize, length as usize));
        }
        drop(parts);
        let columns = (0..fields.len()).into_par_iter().map(|field| {
            let parts: Vec<ArrayRef> = items.iter().map(|items| items.column(field).clone()).collect();
            join(fields[field].data_type(), &parts)
        });
        Ok(Self { offsets, items: columns.collect::<Result<_>>()? })
    }
}

/// The columns of the event store that hold some fields, and what comes with every event.
struct Columns<'a> {
    names: Vec<&'a str>,
    schema: Schema,
}

impl<'a> Columns<'a> {
    fn of(log: &EventLog, event: &'a EventType, needed: &BTreeSet<FieldRef>) -> Result<Self> {
        let mut names = vec!["_position", "_time", "_order", "_absent"];
        names.extend(event.fields.iter().enumerate().filter_map(|(field, declared)| {
            needed.contains(&FieldRef { list: None, field }).then_some(declared.name.as_str())
        }));
        names.extend(event.lists.iter().enumerate().filter_map(|(list, declared)| {
            needed.iter().any(|field| field.list == Some(list)).then_some(declared.name.as_str())
        }));
        let whole = log.schema(&event.name)?;
        let places = names.iter().map(|name| whole.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { schema: whole.project(&places)?, names })
    }
}

/// Loaded events: one entry for each of `model.events`, where it is needed.
pub type Loaded = Vec<Option<Events>>;

/// The fields of each event type that something needs; none of a type that nothing needs.
pub type Needed = Vec<Option<BTreeSet<FieldRef>>>;

/// What the dimensions are made from.
pub fn needed_by_dimensions(model: &Model) -> Needed {
    let mut needed: Needed = vec![None; model.events.len()];
    for entity in model.dimensions.iter().flat_map(|dimension| &dimension.entities) {
        for binding in &entity.events {
            needed[binding.event].get_or_insert_default().extend(binding.fields());
        }
    }
    needed
}

/// What the facts are made from.
pub fn needed_by_facts(model: &Model) -> Needed {
    let mut needed: Needed = vec![None; model.events.len()];
    for binding in model.facts.iter().flat_map(|fact| &fact.events) {
        needed[binding.event].get_or_insert_default().extend(binding.fields());
    }
    needed
}

/// What either needs.
pub fn needed_by_all(model: &Model) -> Needed {
    let mut needed = needed_by_dimensions(model);
    for (needed, more) in needed.iter_mut().zip(needed_by_facts(model)) {
        if let Some(more) = more {
            needed.get_or_insert_default().extend(more);
        }
    }
    needed
}

/// Loads every event type of which something is needed.
pub fn load_all(
    model: &Model,
    needed: &Needed,
    load: impl Fn(usize, &EventType, &BTreeSet<FieldRef>) -> Result<Events> + Sync,
) -> Result<Loaded> {
    let load = |((index, event), needed): ((usize, &EventType), &Option<BTreeSet<FieldRef>>)| match needed {
        Some(needed) => load(index, event, needed).map(Some),
        None => Ok(None),
    };
    model.events.par_iter().enumerate().zip(needed).map(load).collect()
}
