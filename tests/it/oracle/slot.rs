//! The arrivals, one position after the other → the number of every slot (DESIGN 18).
//!
//! After each position the slots that have become possible are listed anew, and those without a number get the next ones.

use super::reading::{Heard, Said, Saying};
use super::timeline::{after, in_valid_order};
use super::value::NaturalKey;
use starlog::model::{Dimension, Entity, Tracking};
use std::collections::{BTreeMap, BTreeSet};

/// The numbers of one entity's slots, as known so far.
#[derive(Debug, Default)]
pub struct Slots {
    /// The number of each member's first mention.
    first: BTreeMap<NaturalKey, i64>,
    /// The instant that took that number over.
    first_instant: BTreeMap<NaturalKey, i64>,
    /// The numbers of all other slots.
    others: BTreeMap<(NaturalKey, i64), i64>,
}

impl Slots {
    /// The number of an inferred row.
    pub fn first(&self, member: &NaturalKey) -> i64 {
        self.first[member]
    }

    /// The number of a version. A version without a slot would be a hole in DESIGN 18.
    pub fn version(&self, member: &NaturalKey, valid_from: i64) -> i64 {
        if self.first_instant.get(member) == Some(&valid_from) {
            return self.first[member];
        }
        *self
            .others
            .get(&(member.clone(), valid_from))
            .unwrap_or_else(|| panic!("DESIGN 18 gives no slot to {member:?} at {valid_from}"))
    }

    /// Members in the order of their first mention.
    pub fn members(&self) -> Vec<&NaturalKey> {
        let mut members: Vec<&NaturalKey> = self.first.keys().collect();
        members.sort_by_key(|member| self.first[*member]);
        members
    }

    fn instants(&self, member: &NaturalKey) -> BTreeSet<i64> {
        let others = self.others.range((member.clone(), i64::MIN)..=(member.clone(), i64::MAX));
        others.map(|((_, instant), _)| *instant).chain(self.first_instant.get(member).copied()).collect()
    }

    fn next_number(&self) -> i64 {
        (self.first.len() + self.others.len()) as i64 + 1
    }
}

/// The slots of each entity of a dimension.
pub fn number_slots(dimension: &Dimension, heard: &[Heard]) -> Vec<Slots> {
    let positions: BTreeSet<u64> = heard
        .iter()
        .flat_map(|heard| heard.mentions.iter().map(|m| m.0).chain(heard.sayings.iter().map(|s| s.position)))
        .collect();
    let mut arrivals: Vec<Arrivals> = heard.iter().map(|_| Arrivals::default()).collect();
    let mut slots: Vec<Slots> = heard.iter().map(|_| Slots::default()).collect();
    for position in positions {
        for level in (0..dimension.entities.len()).rev() {
            let entity = &dimension.entities[level];
            let mentioned =
                heard[level].mentions.iter().filter(|mention| mention.0 == position).map(|m| &m.1);
            for saying in heard[level].sayings.iter().filter(|saying| saying.position == position) {
                arrivals[level].arrive(entity, saying);
            }
            let (below, above) = slots.split_at_mut(level + 1);
            let wanted = arrivals[level].wanted(entity, above.first());
            give_numbers(&mut below[level], mentioned, &arrivals[level], wanted);
        }
    }
    slots
}

/// The own events of an entity's members that have arrived so far.
#[derive(Debug, Default)]
struct Arrivals {
    /// Each with whether it takes a number.
    by_member: BTreeMap<NaturalKey, Vec<(Saying, bool)>>,
}

impl Arrivals {
    fn arrive(&mut self, entity: &Entity, saying: &Saying) {
        let earlier = self.by_member.entry(saying.member.clone()).or_default();
        let loud = !is_quiet(entity, saying, earlier);
        // A late event gives a number to what changed nothing when it arrived.
        for (quiet, takes_number) in earlier.iter_mut() {
            if saying.time <= quiet.time {
                *takes_number = true;
            }
        }
        earlier.push((saying.clone(), loud));
    }

    /// All (member, instant) that a version could open at, by what has arrived so far.
    fn wanted(&self, entity: &Entity, parents: Option<&Slots>) -> BTreeSet<(NaturalKey, i64)> {
        let mut wanted = BTreeSet::new();
        for (saying, takes_number) in self.by_member.values().flatten() {
            let Said::Set { parent, .. } = &saying.said else { continue };
            if *takes_number {
                wanted.insert((saying.member.clone(), saying.time));
            }
            if let (Some(Some(parent)), Some(parents)) = (parent, parents) {
                let since = if entity.parent_tracking == Tracking::History { saying.time } else { i64::MIN };
                let instants = parents.instants(parent);
                wanted.extend(instants.range(since..).map(|&instant| (saying.member.clone(), instant)));
            }
        }
        wanted
    }

    /// The instant of the member's own event that set something first, by arrival.
    fn first_instant(&self, member: &NaturalKey) -> Option<i64> {
        let sayings = self.by_member.get(member)?;
        sayings.iter().map(|(saying, _)| saying).find(|saying| sets(saying)).map(|saying| saying.time)
    }
}

fn sets(saying: &Saying) -> bool {
    matches!(saying.said, Said::Set { .. })
}

/// Later than all that arrived before it, and changing nothing.
fn is_quiet(entity: &Entity, saying: &Saying, earlier: &[(Saying, bool)]) -> bool {
    if earlier.iter().any(|(earlier, _)| earlier.time >= saying.time) {
        return false;
    }
    let known = in_valid_order(earlier.iter().map(|(earlier, _)| earlier));
    let before = known.iter().fold(None, |state, saying| after(state, saying, entity));
    before.is_some() && after(before.clone(), saying, entity) == before
}

fn give_numbers<'a>(
    slots: &mut Slots,
    mentioned: impl Iterator<Item = &'a NaturalKey>,
    arrivals: &Arrivals,
    wanted: BTreeSet<(NaturalKey, i64)>,
) {
    let mut members: Vec<NaturalKey> = slots.members().into_iter().cloned().collect();
    let mut fresh = Vec::new();
    for member in mentioned {
        if !members.contains(member) {
            members.push(member.clone());
            fresh.push(member.clone());
        }
    }
    // By the member's first number, then the instant.
    for member in &members {
        if fresh.contains(member) {
            slots.first.insert(member.clone(), slots.next_number());
        }
        if !slots.first_instant.contains_key(member) {
            let instant = arrivals.first_instant(member);
            slots.first_instant.extend(instant.map(|instant| (member.clone(), instant)));
        }
        let taken_over = slots.first_instant.get(member).copied();
        let instants = wanted.range((member.clone(), i64::MIN)..=(member.clone(), i64::MAX));
        for slot in instants.filter(|slot| Some(slot.1) != taken_over) {
            if !slots.others.contains_key(slot) {
                slots.others.insert(slot.clone(), slots.next_number());
            }
        }
    }
}
