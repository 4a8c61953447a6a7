//! What of a fact a night replays: the headers that new events name, those with rows whose versions are others
//! now, and events without a header of the same two kinds. The exact set, never a look-back window.

use super::before::Before;
use super::calendar::{Day, day_of};
use super::events::{Events, Items};
use super::frame::{NONE, distinct, fingerprints, integers, lookup};
use super::members::of_type;
use super::relation::PartitionKey;
use super::versions::Versions;
use crate::error::{Error, Result};
use crate::model::{Fact, FactEvent, FieldRef};
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat, filter_record_batch, take};
use arrow::datatypes::{Field, Schema};
use chrono_tz::Tz;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The part of a fact that is replayed.
pub struct Scope {
    /// The release's: what is behind it is new.
    position: i64,
    /// The headers' natural keys, each once, with no null part. No columns: no header is in it.
    headers: Vec<ArrayRef>,
    prints: HashSet<u64>,
    /// Older events that name no header.
    loose: HashSet<i64>,
}

/// By old key: the instants at which it is another one now.
type Moved = HashMap<i64, Vec<(i64, i64)>>;

impl Scope {
    /// The scope of a fact. `new` are the events behind the release with the fields that name headers;
    /// `versions` are, by role, those of the release and those of today.
    pub fn find(
        fact: &Fact,
        new: &[Option<Events>],
        before: &dyn Before,
        versions: &[(&Versions, &Versions)],
        zone: Tz,
    ) -> Result<Self> {
        let mut parts: Vec<Vec<ArrayRef>> = Vec::new();
        for binding in fact.events.iter().filter(|binding| !binding.header.is_empty()) {
            parts.push(header_keys(binding, of_type(new, binding.event)?)?);
        }
        let mut loose = HashSet::new();
        let moved: Vec<Moved> = versions.iter().map(|(old, now)| moved(old, now)).collect();
        if moved.iter().any(|moved| !moved.is_empty()) {
            let rows = rows_to_move(fact, before, &moved, zone)?;
            for batch in rows {
                let positions = integers(&column(&batch, "position")?)?;
                let keys = fact
                    .header
                    .iter()
                    .map(|key| Ok(cast(&column(&batch, &key.name)?, &key.value_type.arrow())?));
                let keys = keys.collect::<Result<Vec<_>>>()?;
                let has_header = |row: &usize| !keys.is_empty() && keys.iter().all(|key| key.is_valid(*row));
                loose.extend((0..positions.len()).filter(|row| !has_header(row)).map(|row| positions[row]));
                parts.push(keys);
            }
        }
        let headers = union(fact, &parts)?;
        let prints = fingerprints(&headers)?.into_iter().collect();
        Ok(Self { position: before.position(), headers, prints, loose })
    }

    /// By row of a binding's headers (an event, or an item where headers are named in the list): is it replayed?
    pub fn of(&self, binding: &FactEvent, events: &Events) -> Result<Vec<bool>> {
        let items = named_by(binding, events)?;
        let rows = items.len();
        let position = |row: usize| events.position[items.event_of(row)];
        let keys = header_keys(binding, events)?;
        let has_header = |row: usize| !keys.is_empty() && keys.iter().all(|key| key.is_valid(row));
        let is_loose = |row: usize| self.loose.contains(&position(row)) && !has_header(row);
        let mut is_in: Vec<bool> =
            (0..rows).map(|row| position(row) > self.position || is_loose(row)).collect();
        if !keys.is_empty() {
            for row in self.named(&keys)? {
                is_in[row] = true;
            }
        }
        Ok(is_in)
    }

    /// The rows whose keys are those of headers in it.
    fn named(&self, keys: &[ArrayRef]) -> Result<Vec<usize>> {
        let prints = fingerprints(keys)?;
        let rows: Vec<u32> = (0u32..)
            .zip(prints)
            .filter(|(_, print)| self.prints.contains(print))
            .map(|(row, _)| row)
            .collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let pick = UInt32Array::from(rows);
        let keys = keys.iter().map(|key| take(key, &pick, None)).collect::<Result<Vec<_>, _>>()?;
        let found = pick.values().iter().zip(lookup(&keys, &self.headers)?);
        Ok(found.filter(|(_, header)| *header != NONE).map(|(row, _)| *row as usize).collect())
    }

    /// By event: is any of its rows replayed?
    pub fn of_events(&self, binding: &FactEvent, events: &Events) -> Result<Vec<bool>> {
        by_event(binding, events, &self.of(binding, events)?)
    }

    /// The headers in it, under the names and types of the fact's.
    pub fn headers(&self, fact: &Fact) -> Result<RecordBatch> {
        let fields = fact.header.iter().map(|key| Field::new(&key.name, key.value_type.arrow(), false));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        if self.headers.is_empty() {
            return Ok(RecordBatch::new_empty(schema));
        }
        Ok(RecordBatch::try_new(schema, self.headers.clone())?)
    }

    /// The rows of a table of the release that are none of the scope's.
    pub fn others(&self, fact: &Fact, batch: &RecordBatch) -> Result<RecordBatch> {
        let keys =
            fact.header.iter().map(|key| Ok(cast(&column(batch, &key.name)?, &key.value_type.arrow())?));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let mut stays = vec![true; batch.num_rows()];
        for row in self.named(&keys)? {
            stays[row] = false;
        }
        if !self.loose.is_empty() {
            let positions = integers(&column(batch, "position")?)?;
            for (row, stays) in stays.iter_mut().enumerate() {
                let has_header = !keys.is_empty() && keys.iter().all(|key| key.is_valid(row));
                *stays &= has_header || !self.loose.contains(&positions[row]);
            }
        }
        Ok(filter_record_batch(batch, &BooleanArray::from(stays))?)
    }
}

/// By event: is any of a binding's rows replayed?
pub fn by_event(binding: &FactEvent, events: &Events, rows: &[bool]) -> Result<Vec<bool>> {
    let items = named_by(binding, events)?;
    let mut wanted = vec![false; events.len()];
    rows.iter().enumerate().for_each(|(row, &is_in)| wanted[items.event_of(row)] |= is_in);
    Ok(wanted)
}

/// The fields that decide what is in a scope.
pub fn deciding(fact: &Fact, event: usize) -> BTreeSet<FieldRef> {
    let bindings = fact.events.iter().filter(|binding| binding.event == event);
    bindings.flat_map(|binding| binding.header.iter().copied()).collect()
}

/// What names headers: items where a part of the name stands in the list, else events.
pub fn named_by<'a>(binding: &FactEvent, events: &'a Events) -> Result<Items<'a>> {
    let by_item = binding.header.iter().any(|field| field.list.is_some());
    events.items(binding.list.filter(|_| by_item))
}

pub fn header_keys(binding: &FactEvent, events: &Events) -> Result<Vec<ArrayRef>> {
    let items = named_by(binding, events)?;
    binding.header.iter().map(|&field| items.values(field)).collect()
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let found = batch.column_by_name(name).cloned();
    found.ok_or_else(|| Error::bug(format!("a table of the release has no column {name}")))
}

/// Each key once.
pub fn union(fact: &Fact, parts: &[Vec<ArrayRef>]) -> Result<Vec<ArrayRef>> {
    if parts.is_empty() || fact.header.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for key in 0..fact.header.len() {
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part[key].as_ref()).collect();
        all.push(concat(&parts)?);
    }
    let rows = distinct(&all)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let rows = UInt32Array::from(rows);
    Ok(all.iter().map(|key| take(key, &rows, None)).collect::<Result<_, _>>()?)
}

/// Which keys a look-up gives today where it gave others, and when.
fn moved(old: &Versions, now: &Versions) -> Moved {
    let mut moved = Moved::new();
    for member in 0..old.members() {
        let (mut then, mut today) = (old.steps(member).peekable(), now.steps(member).peekable());
        let (mut then_key, mut today_key) = (None, None);
        let mut since = i64::MIN;
        loop {
            let next = match (then.peek(), today.peek()) {
                (None, None) => i64::MAX,
                (one, other) => {
                    let at = |step: Option<&(i64, i64)>| step.map_or(i64::MAX, |step| step.0);
                    at(one).min(at(other))
                }
            };
            if let Some(key) = then_key
                && then_key != today_key
                && since < next
            {
                moved.entry(key).or_default().push((since, next));
            }
            if next == i64::MAX {
                break;
            }
            while let Some((_, key)) = then.next_if(|step| step.0 == next) {
                then_key = Some(key);
            }
            while let Some((_, key)) = today.next_if(|step| step.0 == next) {
                today_key = Some(key);
            }
            since = next;
        }
    }
    moved
}

/// Rows of the ledger with such a key at such an instant: their headers, and their positions.
fn rows_to_move(fact: &Fact, before: &dyn Before, moved: &[Moved], zone: Tz) -> Result<Vec<RecordBatch>> {
    let table = format!("fact_{}", fact.name);
    let instants = || moved.iter().flat_map(HashMap::values).flatten();
    let day = |instant: i64| -> Result<Day> {
        // Beyond all calendars: nothing is before or behind it.
        if instant <= super::timeline::EVER {
            return Ok(Day::MIN);
        }
        if instant >= super::timeline::FOREVER { Ok(Day::MAX) } else { day_of(instant, zone) }
    };
    let first = day(instants().map(|(from, _)| *from).min().unwrap_or(i64::MAX))?;
    let last = day(instants().map(|(_, to)| *to).max().unwrap_or(i64::MIN))?;
    let mut columns = vec!["position".to_owned(), "occurred_at".to_owned()];
    columns.extend(fact.header.iter().map(|key| key.name.clone()));
    let role_keys: Vec<String> = fact.roles.iter().map(|role| format!("{}_key", role.name)).collect();
    columns.extend(role_keys.iter().cloned());
    let partitions = before.partitions(&table)?;
    let may_hold = |partition: &PartitionKey| {
        let (begin, end) = partition.days();
        begin <= last && end >= first
    };
    let partitions: Vec<_> = partitions.into_iter().filter(|(partition, _)| may_hold(partition)).collect();
    let read = |(partition, _): &(PartitionKey, u64)| -> Result<RecordBatch> {
        let batch = before.rows(&table, *partition, Some(&columns))?;
        let instants = integers(&column(&batch, "occurred_at")?)?;
        let mut moves = vec![false; batch.num_rows()];
        for (role, moved) in role_keys.iter().zip(moved).filter(|(_, moved)| !moved.is_empty()) {
            for (row, key) in integers(&column(&batch, role)?)?.into_iter().enumerate() {
                let Some(spans) = moved.get(&key) else { continue };
                moves[row] |= spans.iter().any(|&(from, to)| from <= instants[row] && instants[row] < to);
            }
        }
        Ok(filter_record_batch(&batch, &BooleanArray::from(moves))?)
    };
    partitions.par_iter().map(read).collect()
}
