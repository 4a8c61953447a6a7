//! (model, log) → versions, keys and fact rows: what was true, and when?
//!
//! The heart of the product, and a pure function: no clock, no randomness, nothing from the order of threads
//! or of hash maps, no word about layouts, files of a release or SQL.

mod arithmetic;
mod before;
mod binding;
mod calendar;
mod dimension;
mod events;
mod frame;
mod header;
mod members;
mod night;
mod own_events;
mod relation;
mod replay;
mod roles;
mod rows;
mod sample;
mod scope;
mod slots;
mod table;
mod timeline;
mod versions;

pub use before::{Before, Findings};
pub use night::night;
pub use relation::{Counts, DimensionHistory, FactTable, History, PartitionKey, Replayed, RowChanges};
pub use sample::{Months, sample};
pub use timeline::FOREVER;

use crate::error::Result;
use crate::log::EventLog;
use crate::model::{Dimension, Fact, Model};
use binding::Bindings;
use calendar::{Day, date_of, date_relation, day_of};
use dimension::DimensionFacts;
use events::{Events, Loaded, load_all, needed_by_all};
use members::AllMembers;
use rayon::prelude::*;
use replay::{Outcome, Replay};
use std::sync::Arc;
use table::{Ledger, Lines, Shared};

/// Replays the whole log.
pub fn replay(model: &Model, log: &EventLog) -> Result<History> {
    let events = load_all(model, &needed_by_all(model), |_, event, needed| Events::load(log, event, needed))?;
    let all = members::find(model, &events, &events, None)?;
    log.go_on()?;
    let dimensions = dimensions(model, &events, &all)?;
    let mut counts = Counts { inferred: inferred(model, &dimensions), ..Counts::default() };
    let span = Span::of(model, times(&[&events]))?;
    let mut facts: Vec<Box<dyn FactTable>> = Vec::new();
    for fact in &model.facts {
        let roles = roles::find(fact, &events, &all.members)?;
        let bindings = binding::read(fact, &events, &roles, log)?;
        let versions = fact.roles.iter().map(|role| &dimensions[role.dimension].versions).collect();
        let replay = Replay::new(fact, &bindings, versions, model.calendar.time_zone);
        log.go_on()?;
        let parts = replay.run(log.stop())?;
        let kinds = replay.kinds;
        counts.add(&count(fact, &parts));
        log.go_on()?;
        facts.extend(tables(fact, bindings, kinds, parts, span.newest)?);
    }
    history(model, dimensions, facts, &all, span, counts)
}

/// The days of the log.
struct Span {
    times: Option<(i64, i64)>,
    days: Option<(Day, Day)>,
    newest: Option<chrono::NaiveDate>,
}

impl Span {
    fn of(model: &Model, times: Option<(i64, i64)>) -> Result<Self> {
        let zone = model.calendar.time_zone;
        let days: Option<(Day, Day)> = match times {
            Some((oldest, newest)) => Some((day_of(oldest, zone)?, day_of(newest, zone)?)),
            None => None,
        };
        Ok(Self { times, days, newest: days.map(|(_, newest)| date_of(newest)).transpose()? })
    }
}

/// The instants of the oldest and the newest event.
fn times(loaded: &[&Loaded]) -> Option<(i64, i64)> {
    let events = loaded.iter().flat_map(|loaded| loaded.iter().flatten());
    let spans = events.filter_map(|events| Some((*events.time.iter().min()?, *events.time.iter().max()?)));
    spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

fn dimensions(model: &Model, events: &Loaded, all: &AllMembers) -> Result<Vec<DimensionFacts>> {
    let make = |(d, dimension): (usize, &Dimension)| {
        dimension::make(dimension, events, &all.members[d], &all.own[d], &all.parents[d])
    };
    model.dimensions.par_iter().enumerate().map(make).collect()
}

fn inferred(model: &Model, dimensions: &[DimensionFacts]) -> Vec<(String, u64)> {
    let of_dimension = |(dimension, made): (&Dimension, &DimensionFacts)| {
        let names = dimension.entities.iter().map(|entity| entity.name.clone());
        names.zip(made.inferred.clone()).collect::<Vec<_>>()
    };
    model.dimensions.iter().zip(dimensions).flat_map(of_dimension).collect()
}

/// What the replay of a fact counted.
fn count(fact: &Fact, parts: &[Outcome]) -> Counts {
    let sum = |name: &str, count: &dyn Fn(&Outcome) -> u64| (name.to_owned(), parts.iter().map(count).sum());
    let by_role = |count: &dyn Fn(&Outcome, usize) -> u64| {
        let roles = fact.roles.iter().enumerate();
        roles.map(|(r, role)| sum(&format!("{}.{}", fact.name, role.name), &|part| count(part, r))).collect()
    };
    Counts {
        inferred: Vec::new(),
        before_first: by_role(&|part, role| part.before_first[role]),
        after_close: by_role(&|part, role| part.after_close[role]),
        held: vec![sum(&fact.name, &|part| part.held)],
        over_reversed: vec![sum(&fact.name, &|part| part.over_reversed)],
        placed_again: vec![sum(&fact.name, &|part| part.placed_again)],
    }
}

/// The ledger of a fact, and its accumulating table if it has one.
fn tables(
    fact: &Fact,
    bindings: Bindings<'_>,
    kinds: Vec<String>,
    parts: Vec<Outcome>,
    newest: Option<chrono::NaiveDate>,
) -> Result<Vec<Box<dyn FactTable>>> {
    let header_sources = parts.iter().flat_map(|part| part.header_sources.iter().copied());
    let shared = Arc::new(Shared::new(fact, bindings, kinds, header_sources));
    let (ledger, lines) = parts.into_iter().map(|part| (part.ledger, part.lines)).unzip();
    let mut tables: Vec<Box<dyn FactTable>> = vec![Box::new(Ledger::new(shared.clone(), ledger, newest)?)];
    if let Some(name) = &fact.lines_name {
        tables.push(Box::new(Lines::new(name, shared, lines, newest)?));
    }
    Ok(tables)
}

fn history(
    model: &Model,
    dimensions: Vec<DimensionFacts>,
    facts: Vec<Box<dyn FactTable>>,
    all: &AllMembers,
    span: Span,
    counts: Counts,
) -> Result<History> {
    let (first, last) = (span.days.map(|(first, _)| first), span.days.map(|(_, last)| last));
    let dates = date_relation(&model.calendar, first, last)?;
    let mut members = Vec::new();
    for (dimension, found) in model.dimensions.iter().zip(&all.members) {
        for (entity, found) in dimension.entities.iter().zip(found) {
            members.push((entity.name.clone(), found.to_batch(entity)?));
        }
    }
    let dimensions = dimensions.into_iter().map(|made| made.relations).collect();
    let findings = Findings { times: span.times, counts: counts.lasting() };
    Ok(History { dimensions, facts, dates, findings, counts, members, replayed: Vec::new() })
}
