//! (model, log, some months) → all dimensions, and the facts of those months: a replay from the first event on that
//! leaves out what cannot stand in them.
//!
//! A row's day is that of an event of its header, or of its own event where it has none. So the rows of a month are
//! those of the headers that an event of that month names, and of that month's events without a header. These headers
//! are replayed whole, and what a release holds for such a month must be exactly this, to the byte. Other months
//! come out incomplete.

use super::binding;
use super::calendar::{date_of, day_of};
use super::events::{Events, Loaded, Needed, load_all, needed_by_dimensions, needed_by_facts};
use super::frame::{NONE, lookup};
use super::members::{self, of_type};
use super::relation::{Counts, FactTable, History};
use super::replay::Replay;
use super::roles;
use super::scope::{deciding, header_keys, named_by, union};
use super::{Span, dimensions, history, tables, times};
use crate::error::Result;
use crate::log::EventLog;
use crate::model::{EventType, Fact, FactEvent, FieldRef, Model};
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Months, each by its first day.
pub type Months = BTreeSet<NaiveDate>;

/// Replays the dimensions, and the facts of those months that `choose` takes of the months of the facts' events.
pub fn sample(
    model: &Model,
    log: &EventLog,
    choose: &dyn Fn(&Months) -> Months,
) -> Result<(History, Months)> {
    let names = load_all(model, &names_of_all(model), |_, event, needed| Events::load(log, event, needed))?;
    let all = members::find(model, &names, &names, None)?;
    let made = dimensions(model, &names, &all)?;
    let span = Span::of(model, times(&[&names]))?;
    let zone = model.calendar.time_zone;
    let months = choose(&months_of_facts(model, &names, zone)?);
    let samples = model
        .facts
        .iter()
        .map(|fact| Sample::find(fact, &names, &months, zone))
        .collect::<Result<Vec<_>>>()?;
    drop(names);
    let load = |index: usize, event: &EventType, needed: &BTreeSet<FieldRef>| {
        let decided_by = model.facts.iter().flat_map(|fact| deciding(fact, index)).collect();
        let wanted = |events: &Events| {
            let mut wanted = vec![false; events.len()];
            for (fact, sample) in model.facts.iter().zip(&samples) {
                for binding in fact.events.iter().filter(|binding| binding.event == index) {
                    sample.mark(binding, events, &mut wanted)?;
                }
            }
            Ok(wanted)
        };
        Events::load_wanted(log, event, needed, &decided_by, &wanted)
    };
    let events = load_all(model, &needed_by_facts(model), load)?;
    let mut facts: Vec<Box<dyn FactTable>> = Vec::new();
    for (fact, sample) in model.facts.iter().zip(&samples) {
        let roles = roles::find(fact, &events, &all.members)?;
        let bindings = binding::read(fact, &events, &roles, log)?;
        let part = fact.events.iter().map(|binding| sample.of(binding, of_type(&events, binding.event)?));
        let part = part.collect::<Result<Vec<_>>>()?;
        let versions = fact.roles.iter().map(|role| &made[role.dimension].versions).collect();
        let replay = Replay::new(fact, &bindings, versions, zone).only(&part);
        let parts = replay.run(log.stop())?;
        let kinds = replay.kinds;
        facts.extend(tables(fact, bindings, kinds, parts, span.newest)?);
    }
    Ok((history(model, made, facts, &all, span, Counts::default())?, months))
}

/// What dimensions are made from, and of facts what says whom their events name.
fn names_of_all(model: &Model) -> Needed {
    let mut needed = needed_by_dimensions(model);
    for binding in model.facts.iter().flat_map(|fact| &fact.events) {
        let fields = needed[binding.event].get_or_insert_default();
        fields.extend(binding.header.iter().copied());
        fields.extend(binding.roles.iter().flatten().flatten().copied());
        // How many items there are must be known, whatever they say.
        fields.extend(binding.list.map(|list| FieldRef { list: Some(list), field: 0 }));
    }
    needed
}

/// The month of each event.
fn months_of(events: &Events, zone: Tz) -> Result<Vec<NaiveDate>> {
    let month = |&time: &i64| {
        let date = date_of(day_of(time, zone)?)?;
        Ok(date.with_day(1).unwrap_or(date))
    };
    events.time.par_iter().map(month).collect()
}

fn months_of_facts(model: &Model, names: &Loaded, zone: Tz) -> Result<Months> {
    let bindings = model.facts.iter().flat_map(|fact| &fact.events);
    let types: BTreeSet<usize> = bindings.map(|binding| binding.event).collect();
    let mut months = Months::new();
    for event in types {
        months.extend(months_of(of_type(names, event)?, zone)?);
    }
    Ok(months)
}

/// What of a fact is replayed.
struct Sample<'a> {
    /// The natural keys of headers that events of the months name. No columns: there are none.
    headers: Vec<ArrayRef>,
    months: &'a Months,
    zone: Tz,
}

impl<'a> Sample<'a> {
    fn find(fact: &Fact, names: &Loaded, months: &'a Months, zone: Tz) -> Result<Self> {
        let mut parts = Vec::new();
        for binding in fact.events.iter().filter(|binding| !binding.header.is_empty()) {
            let events = of_type(names, binding.event)?;
            let (items, by_event) = (named_by(binding, events)?, months_of(events, zone)?);
            let rows = 0..items.len() as u32;
            let rows = rows.filter(|&row| months.contains(&by_event[items.event_of(row as usize)]));
            let rows: UInt32Array = rows.collect::<Vec<_>>().into();
            let keys = header_keys(binding, events)?;
            parts.push(keys.iter().map(|key| take(key, &rows, None)).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self { headers: union(fact, &parts)?, months, zone })
    }

    /// By row of a binding's headers (an event, or an item where headers are named in the list): is it replayed?
    fn of(&self, binding: &FactEvent, events: &Events) -> Result<Vec<bool>> {
        let (items, by_event) = (named_by(binding, events)?, months_of(events, self.zone)?);
        let rows = items.len();
        let named = match binding.header.is_empty() || self.headers.is_empty() {
            true => vec![NONE; rows],
            false => lookup(&header_keys(binding, events)?, &self.headers)?,
        };
        let is_in = |row: usize| named[row] != NONE || self.months.contains(&by_event[items.event_of(row)]);
        Ok((0..rows).map(is_in).collect())
    }

    /// Marks the events of which any row is replayed.
    fn mark(&self, binding: &FactEvent, events: &Events, wanted: &mut [bool]) -> Result<()> {
        let items = named_by(binding, events)?;
        for (row, is_in) in self.of(binding, events)?.into_iter().enumerate() {
            wanted[items.event_of(row)] |= is_in;
        }
        Ok(())
    }
}
