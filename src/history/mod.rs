//! (model, log) → versions, keys and fact rows: what was true, and when?
//!
//! The heart of the product, and a pure function: no clock, no randomness, nothing from the order of threads
//! or of hash maps, no word about layouts, files of a release or SQL.

mod arithmetic;
mod binding;
mod calendar;
mod dimension;
mod events;
mod frame;
mod header;
mod members;
mod own_events;
mod relation;
mod replay;
mod rows;
mod slots;
mod table;
mod timeline;
mod versions;

pub use relation::{Counts, DimensionHistory, FactTable, History, PartitionKey};

use crate::error::Result;
use crate::log::EventLog;
use crate::model::{Dimension, Fact, Model};
use calendar::{Day, date_of, date_relation, day_of};
use dimension::DimensionFacts;
use events::Events;
use members::RoleMembers;
use rayon::prelude::*;
use replay::{Outcome, Replay};
use std::sync::Arc;
use table::{Ledger, Lines, Shared};

/// Replays the whole log.
pub fn replay(model: &Model, log: &EventLog) -> Result<History> {
    let events = events::load_all(model, log)?;
    let mut all = members::find(model, &events)?;
    let mut counts = Counts::default();
    let make = |(d, dimension): (usize, &Dimension)| {
        dimension::make(dimension, &events, &all.members[d], &all.own[d], &all.parents[d])
    };
    let dimensions: Vec<DimensionFacts> =
        model.dimensions.par_iter().enumerate().map(make).collect::<Result<_>>()?;
    for (dimension, made) in model.dimensions.iter().zip(&dimensions) {
        for (entity, &inferred) in dimension.entities.iter().zip(&made.inferred) {
            counts.inferred.push((entity.name.clone(), inferred));
        }
    }
    let days = days(model, &events)?;
    let newest = days.map(|(_, newest)| date_of(newest)).transpose()?;
    let mut facts: Vec<Box<dyn FactTable>> = Vec::new();
    for (fact, roles) in model.facts.iter().zip(std::mem::take(&mut all.roles)) {
        facts.extend(fact_tables(model, fact, &events, &roles, &dimensions, newest, &mut counts)?);
    }
    let dates = date_relation(&model.calendar, days.map(|(first, _)| first), days.map(|(_, last)| last))?;
    let dimensions = dimensions.into_iter().map(|made| made.relations).collect();
    Ok(History { dimensions, facts, dates, counts })
}

fn fact_tables(
    model: &Model,
    fact: &Fact,
    events: &[Option<Events>],
    roles: &[Vec<Option<RoleMembers>>],
    dimensions: &[DimensionFacts],
    newest: Option<chrono::NaiveDate>,
    counts: &mut Counts,
) -> Result<Vec<Box<dyn FactTable>>> {
    let bindings = binding::read(fact, events, roles)?;
    let versions = fact.roles.iter().map(|role| &dimensions[role.dimension].versions).collect();
    let replay = Replay::new(fact, &bindings, versions, model.calendar.time_zone);
    let parts = replay.run()?;
    let kinds = replay.kinds;
    let sum = |count: &dyn Fn(&Outcome) -> u64| parts.iter().map(count).sum::<u64>();
    counts.held.push((fact.name.clone(), sum(&|part| part.held)));
    counts.over_reversed.push((fact.name.clone(), sum(&|part| part.over_reversed)));
    counts.placed_again.push((fact.name.clone(), sum(&|part| part.placed_again)));
    for (r, role) in fact.roles.iter().enumerate() {
        let name = format!("{}.{}", fact.name, role.name);
        counts.before_first.push((name.clone(), sum(&|part| part.before_first[r])));
        counts.after_close.push((name, sum(&|part| part.after_close[r])));
    }
    let header_sources = parts.iter().flat_map(|part| part.header_sources.iter().copied());
    let shared = Arc::new(Shared::new(fact, bindings, kinds, header_sources));
    let (ledger, lines) = parts.into_iter().map(|part| (part.ledger, part.lines)).unzip();
    let mut tables: Vec<Box<dyn FactTable>> = vec![Box::new(Ledger::new(shared.clone(), ledger, newest)?)];
    if let Some(name) = &fact.lines_name {
        tables.push(Box::new(Lines::new(name, shared, lines, newest)?));
    }
    Ok(tables)
}

/// The days of the oldest and the newest event.
fn days(model: &Model, events: &[Option<Events>]) -> Result<Option<(Day, Day)>> {
    let times = || events.iter().flatten().flat_map(|events| &events.time);
    let (Some(&oldest), Some(&newest)) = (times().min(), times().max()) else { return Ok(None) };
    let zone = model.calendar.time_zone;
    Ok(Some((day_of(oldest, zone)?, day_of(newest, zone)?)))
}
