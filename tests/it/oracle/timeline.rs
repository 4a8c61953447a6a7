//! The own events of a member → its own versions (DESIGN 7, 9-12, 14).

use super::reading::{Said, Saying};
use super::value::{NaturalKey, Value};
use starlog::model::{Entity, Tracking};

/// 9999-12-31 00:00:00: the end of what is current.
pub const FOREVER: i64 = 253_402_214_400_000_000;

/// What a member is, as told by its own events alone.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub attributes: Vec<Value>,
    pub parent: Option<NaturalKey>,
}

/// A state over `[from, to)`.
#[derive(Debug, Clone)]
pub struct OwnVersion {
    pub from: i64,
    pub to: i64,
    pub state: State,
    /// For each attribute, what stands in `previous_<name>`.
    pub previous: Vec<Value>,
}

/// The sayings, sorted in valid order.
pub fn in_valid_order<'a>(sayings: impl IntoIterator<Item = &'a Saying>) -> Vec<&'a Saying> {
    let mut sorted: Vec<&Saying> = sayings.into_iter().collect();
    sorted.sort_by_key(|saying| saying.valid_order());
    sorted
}

/// What the member is after one more saying; `None`: it is closed.
pub fn after(state: Option<State>, saying: &Saying, entity: &Entity) -> Option<State> {
    let nothing = || State { attributes: vec![Value::Null; entity.attributes.len()], parent: None };
    match &saying.said {
        Said::Close => None,
        Said::Set { attributes, parent } => {
            let mut state = state.unwrap_or_else(nothing); // a reopening starts from nothing (12)
            for (attribute, value) in attributes {
                state.attributes[*attribute] = value.clone();
            }
            if let Some(parent) = parent {
                state.parent = parent.clone();
            }
            Some(state)
        }
    }
}

/// The member's versions by its own events. None at all: the member is inferred (15).
pub fn own_versions(entity: &Entity, sayings: &[&Saying]) -> Vec<OwnVersion> {
    let mut versions: Vec<OwnVersion> = Vec::new();
    for (from, to, state) in live_intervals(entity, sayings) {
        let (state, previous) = as_tracked(entity, state, sayings);
        match versions.last_mut() {
            // What is equal before and after is one version (11, 14).
            Some(last) if last.to == from && last.state == state => last.to = to,
            _ => versions.push(OwnVersion { from, to, state, previous }),
        }
    }
    versions
}

/// The state after each instant at which anything was said, as long as the member is open.
fn live_intervals(entity: &Entity, sayings: &[&Saying]) -> Vec<(i64, i64, State)> {
    let instants: Vec<&[&Saying]> = sayings.chunk_by(|left, right| left.time == right.time).collect();
    let mut intervals = Vec::new();
    let mut state = None;
    for (index, instant) in instants.iter().enumerate() {
        for saying in *instant {
            state = after(state, saying, entity);
        }
        let until = instants.get(index + 1).map_or(FOREVER, |next| next[0].time);
        if let Some(state) = &state {
            intervals.push((instant[0].time, until, state.clone()));
        }
    }
    intervals
}

/// The state with what is not tracked as history replaced by what holds in every version (9).
fn as_tracked(entity: &Entity, mut state: State, sayings: &[&Saying]) -> (State, Vec<Value>) {
    let mut previous = vec![Value::Null; entity.attributes.len()];
    for (index, attribute) in entity.attributes.iter().enumerate() {
        let said = values_said(sayings, index);
        let first = said.first().cloned().unwrap_or(Value::Null);
        let last = said.last().cloned().unwrap_or(Value::Null);
        match attribute.tracking {
            Tracking::History => {}
            Tracking::Overwrite => state.attributes[index] = last,
            Tracking::Fixed => state.attributes[index] = first,
            Tracking::Previous => {
                let mut changes = said;
                changes.dedup();
                state.attributes[index] = last;
                if changes.len() > 1 {
                    previous[index] = changes[changes.len() - 2].clone();
                }
            }
        }
    }
    let parents: Vec<&Option<NaturalKey>> = sayings.iter().filter_map(|saying| said_parent(saying)).collect();
    match entity.parent_tracking {
        Tracking::History => {}
        Tracking::Fixed => state.parent = parents.first().copied().cloned().flatten(),
        Tracking::Overwrite | Tracking::Previous => state.parent = parents.last().copied().cloned().flatten(),
    }
    (state, previous)
}

fn values_said(sayings: &[&Saying], attribute: usize) -> Vec<Value> {
    let value = |saying: &&Saying| match &saying.said {
        Said::Set { attributes, .. } => {
            attributes.iter().find(|(index, _)| *index == attribute).map(|(_, value)| value.clone())
        }
        Said::Close => None,
    };
    sayings.iter().filter_map(value).collect()
}

fn said_parent(saying: &Saying) -> Option<&Option<NaturalKey>> {
    match &saying.said {
        Said::Set { parent, .. } => parent.as_ref(),
        Said::Close => None,
    }
}
