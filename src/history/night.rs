//! (model, log, the release before) → the same history as a replay of the whole log, by replaying what changed.
//!
//! Dimensions are made anew from their own events, whose number goes with the members. Of the facts only a
//! [`Scope`] is replayed: twice, as the log was and as it is, so that the days on which rows differ are known
//! exactly. Every other partition is the release's.

use super::before::{self, Before, Findings};
use super::binding;
use super::events::{Events, Loaded, load_all, needed_by_dimensions, needed_by_facts};
use super::members;
use super::members::of_type;
use super::relation::{Counts, FactTable, History, Replayed};
use super::replay::{Outcome, Replay};
use super::roles;
use super::rows::Source;
use super::scope::{self, Scope, deciding};
use super::table::Patched;
use super::table::changes::{Changes, Side, Widths, of_ledger, of_lines};
use super::versions::Versions;
use super::{Span, count, dimensions, history, inferred, tables, times};
use crate::error::Result;
use crate::log::{EventLog, Position};
use crate::model::{EventType, Fact, FieldRef, Model};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Goes on from a release of the same pipeline, to the end of the log.
pub fn night(model: &Model, log: &EventLog, before: &Arc<dyn Before>) -> Result<History> {
    let Findings { times: old_times, counts: old_counts } = before.findings();
    let position = before.position();
    let own =
        load_all(model, &needed_by_dimensions(model), |_, event, needed| Events::load(log, event, needed))?;
    let needed = needed_by_facts(model);
    let since = Position(position.cast_unsigned());
    let new = load_all(model, &needed, |_, event, needed| Events::load_behind(log, event, needed, since))?;
    let all = members::find(model, &own, &new, Some(before.as_ref()))?;
    let made = dimensions(model, &own, &all)?;
    let spans = [*old_times, times(&[&own, &new])].into_iter().flatten();
    let span = Span::of(model, spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))))?;
    let mut old_versions: BTreeMap<usize, Versions> = BTreeMap::new();
    for role in model.facts.iter().flat_map(|fact| &fact.roles) {
        if let Entry::Vacant(entry) = old_versions.entry(role.dimension) {
            let members = &all.members[role.dimension][0];
            entry.insert(before::versions(before.as_ref(), model, role.dimension, members)?);
        }
    }
    let versions = |fact: &Fact| -> Vec<(&Versions, &Versions)> {
        fact.roles
            .iter()
            .map(|role| (&old_versions[&role.dimension], &made[role.dimension].versions))
            .collect()
    };
    let zone = model.calendar.time_zone;
    let scopes = model
        .facts
        .iter()
        .map(|fact| Scope::find(fact, &new, before.as_ref(), &versions(fact), zone).map(Arc::new))
        .collect::<Result<Vec<_>>>()?;
    drop(new);
    let load = |index: usize, event: &EventType, needed: &BTreeSet<FieldRef>| {
        let decided_by = model.facts.iter().flat_map(|fact| deciding(fact, index)).collect();
        let wanted = |events: &Events| wanted(model, &scopes, index, events);
        Events::load_wanted(log, event, needed, &decided_by, &wanted)
    };
    let events = load_all(model, &needed, load)?;
    let mut counts = Counts { inferred: Vec::new(), ..old_counts.clone() };
    let mut facts: Vec<Box<dyn FactTable>> = Vec::new();
    let mut replayed = Vec::new();
    for (fact, scope) in model.facts.iter().zip(&scopes) {
        let roles = roles::find(fact, &events, &all.members)?;
        let bindings = binding::read(fact, &events, &roles, log)?;
        let part = fact
            .events
            .iter()
            .map(|binding| scope.of(binding, of_type(&events, binding.event)?))
            .collect::<Result<Vec<_>>>()?;
        let (then, today): (Vec<_>, Vec<_>) = versions(fact).into_iter().unzip();
        let old = Replay::new(fact, &bindings, then, zone).only(&part).until(position).run(log.stop())?;
        let replay = Replay::new(fact, &bindings, today, zone).only(&part);
        let now = replay.run(log.stop())?;
        let kinds = replay.kinds;
        counts.take(&count(fact, &old).lasting());
        counts.add(&count(fact, &now));
        let changes = changes(fact, &old, &now);
        replayed.push(Replayed { headers: scope.headers(fact)?, events: positions(fact, &part, &events)? });
        for (rows, changes) in tables(fact, bindings, kinds, now, span.newest)?.into_iter().zip(changes) {
            let table =
                Patched::new(fact, Arc::clone(before), Arc::clone(scope), rows, &changes, span.newest)?;
            facts.push(Box::new(table));
        }
    }
    counts.inferred = inferred(model, &made);
    Ok(History { replayed, ..history(model, made, facts, &all, span, counts)? })
}

/// The positions of the events that a fact's scope holds, by event type. `part` says it of each binding's rows.
fn positions(fact: &Fact, part: &[Vec<bool>], events: &Loaded) -> Result<BTreeMap<usize, Vec<i64>>> {
    let mut positions: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for (binding, part) in fact.events.iter().zip(part) {
        let of_type = of_type(events, binding.event)?;
        let wanted = scope::by_event(binding, of_type, part)?;
        let found = (0..of_type.len()).filter(|&event| wanted[event]).map(|event| of_type.position[event]);
        positions.entry(binding.event).or_default().extend(found);
    }
    for found in positions.values_mut() {
        found.sort_unstable();
        found.dedup();
    }
    Ok(positions)
}

/// By event of a type: does the scope of any fact hold it?
fn wanted(model: &Model, scopes: &[Arc<Scope>], event: usize, events: &Events) -> Result<Vec<bool>> {
    let mut wanted = vec![false; events.len()];
    for (fact, scope) in model.facts.iter().zip(scopes) {
        for binding in fact.events.iter().filter(|binding| binding.event == event) {
            let of_binding = scope.of_events(binding, events)?;
            wanted.iter_mut().zip(of_binding).for_each(|(wanted, is_in)| *wanted |= is_in);
        }
    }
    Ok(wanted)
}

/// What changed in the ledger, and in the accumulating table.
fn changes(fact: &Fact, old: &[Outcome], now: &[Outcome]) -> [Changes; 2] {
    let widths =
        Widths { roles: fact.roles.len(), measures: fact.measures.len(), milestones: fact.milestones.len() };
    let sources = |parts: &[Outcome]| -> BTreeMap<u32, Source> {
        parts.iter().flat_map(|part| part.header_sources.iter().copied()).collect()
    };
    let ledger = |parts| -> Side<'_, _> {
        let parts: &[Outcome] = parts;
        Side { parts: parts.iter().map(|part| &part.ledger).collect(), header_sources: sources(parts) }
    };
    let lines = |parts| -> Side<'_, _> {
        let parts: &[Outcome] = parts;
        Side { parts: parts.iter().map(|part| &part.lines).collect(), header_sources: sources(parts) }
    };
    [of_ledger(&ledger(old), &ledger(now), widths), of_lines(&lines(old), &lines(now), widths)]
}
