//! Surrogate keys: which instants of which members bear a number, and which (DESIGN 18).
//!
//! A longer log only ever adds numbers, because a slot's number depends on the log up to the position
//! at which the slot became possible, and on nothing after it.

use super::frame::sort_order;
use super::own_events::{ABSENT, Code, NULL, OwnEvents};
use crate::error::{Error, Result};
use crate::model::Tracking;
use std::collections::BTreeMap;

/// The numbered slots of one entity.
pub struct Slots {
    /// By member: the number of its first mention.
    first_number: Vec<i64>,
    /// By member: the slots that have an instant, by instant.
    by_member: Vec<Vec<Slot>>,
}

/// A member's instant at which a version of it could open.
#[derive(Debug, Clone, Copy)]
struct Slot {
    instant: i64,
    /// The position from which on the slot is possible. The number may be older: see [`Slots::number`].
    known_at: i64,
    number: i64,
}

/// The instant of a member's first-arrived own event that sets something: it takes over the first number.
#[derive(Debug, Clone, Copy)]
struct Takeover {
    instant: i64,
    position: i64,
}

impl Slots {
    /// Numbers the slots of an entity whose members were first mentioned at `first_position`.
    /// `parent` holds the slots of the level above and how the link to it is tracked.
    pub fn number(
        own: &OwnEvents,
        first_position: &[i64],
        parent: Option<(&Slots, Tracking)>,
    ) -> Result<Self> {
        let members = first_position.len();
        let mut known: Vec<BTreeMap<i64, i64>> = vec![BTreeMap::new(); members];
        let takeovers = own_slots(own, &mut known);
        if let Some((parents, tracking)) = parent {
            inherit(own, parents, tracking, &mut known);
        }
        let (mut at, mut member_of, mut instant_of) = (Vec::new(), Vec::new(), Vec::new());
        for (member, &first_position) in first_position.iter().enumerate() {
            at.push(first_position);
            member_of.push(member as i64);
            instant_of.push(i64::MIN);
            let taken_over = takeovers[member].map(|takeover| takeover.instant);
            for (&instant, &position) in known[member].iter().filter(|(at, _)| Some(**at) != taken_over) {
                at.push(position);
                member_of.push(member as i64);
                instant_of.push(instant);
            }
        }
        let order = sort_order(&[at.clone(), member_of.clone(), instant_of.clone()])?;
        let mut slots =
            Self { first_number: vec![0; members], by_member: (0..members).map(|_| Vec::new()).collect() };
        for (number, &row) in (1i64..).zip(&order) {
            let row = row as usize;
            let (member, instant) = (member_of[row] as usize, instant_of[row]);
            if instant == i64::MIN {
                slots.first_number[member] = number;
                let takeover = takeovers[member];
                slots.by_member[member].extend(takeover.map(|Takeover { instant, position }| Slot {
                    instant,
                    known_at: position,
                    number,
                }));
            } else {
                slots.by_member[member].push(Slot { instant, known_at: at[row], number });
            }
        }
        slots.by_member.iter_mut().for_each(|slots| slots.sort_unstable_by_key(|slot| slot.instant));
        Ok(slots)
    }

    /// The number of the version of a member that opens at this instant.
    pub fn number_at(&self, member: usize, instant: i64) -> Result<i64> {
        let slots = &self.by_member[member];
        match slots.binary_search_by_key(&instant, |slot| slot.instant) {
            Ok(found) => Ok(slots[found].number),
            Err(_) => Err(Error::bug(format!("no slot of member {member} at {instant}"))),
        }
    }

    /// The number that a member has borne since its first mention.
    pub fn first_number(&self, member: usize) -> i64 {
        self.first_number[member]
    }
}

/// The slots of own events: by member, instant → position. Returns the takeovers by member.
fn own_slots(own: &OwnEvents, known: &mut [BTreeMap<i64, i64>]) -> Vec<Option<Takeover>> {
    let mut takeovers = vec![None; known.len()];
    let mut arrivals: Vec<Option<Arrivals>> = (0..known.len()).map(|_| None).collect();
    let mut rank = vec![0; own.len()];
    for (place, &event) in (0i64..).zip(&own.valid_order) {
        rank[event as usize] = place;
    }
    for (event, &rank) in rank.iter().enumerate() {
        let member = own.member[event] as usize;
        let (time, position) = (own.time[event], own.position[event]);
        let arrivals = arrivals[member].get_or_insert_with(|| Arrivals::new(own.width()));
        let mut take = |instant: i64| {
            known[member].entry(instant).and_modify(|at| *at = position.min(*at)).or_insert(position);
        };
        // A late event gives those that changed nothing, at its instant or behind, their number.
        while arrivals.silent.last().is_some_and(|&silent| silent >= time) {
            arrivals.silent.pop().into_iter().for_each(&mut take);
        }
        let is_latest = arrivals.latest.is_none_or(|latest| time > latest);
        if own.closes[event] {
            arrivals.close(rank);
        } else {
            let changes = arrivals.set(rank, own.codes(event));
            if is_latest && !changes {
                arrivals.silent.push(time);
            } else {
                take(time);
            }
            takeovers[member].get_or_insert(Takeover { instant: time, position });
        }
        arrivals.latest = Some(arrivals.latest.map_or(time, |latest| latest.max(time)));
    }
    takeovers
}

/// The newest state of a member, as folded from the events that have arrived so far.
/// Events are told apart by their rank in valid order.
struct Arrivals {
    /// The newest instant.
    latest: Option<i64>,
    /// Instants of events that changed nothing and have no number yet, rising.
    silent: Vec<i64>,
    /// By attribute: the rank and value of the last event that set it.
    carried: Vec<(i64, Code)>,
    last_close: i64,
    last_set: i64,
}

impl Arrivals {
    fn new(width: usize) -> Self {
        Self {
            latest: None,
            silent: Vec::new(),
            carried: vec![(-1, NULL); width],
            last_close: -1,
            last_set: -1,
        }
    }

    /// Takes in a setting event. True if the newest state changed, for an event that is the newest.
    fn set(&mut self, rank: i64, codes: &[Code]) -> bool {
        let mut changes = self.last_set <= self.last_close;
        for (carried, &code) in self.carried.iter_mut().zip(codes) {
            if code != ABSENT && rank > carried.0 {
                let before = if carried.0 > self.last_close { carried.1 } else { NULL };
                changes |= before != code;
                *carried = (rank, code);
            }
        }
        self.last_set = self.last_set.max(rank);
        changes
    }

    fn close(&mut self, rank: i64) {
        self.last_close = self.last_close.max(rank);
    }
}

/// Once an event has said that a member belongs to a parent, the parent's slots from then on are its own.
fn inherit(own: &OwnEvents, parents: &Slots, tracking: Tracking, known: &mut [BTreeMap<i64, i64>]) {
    // The links of a (member, parent) that no earlier one covers: each begins before all known before it.
    let mut links: BTreeMap<(u32, u32), Vec<(i64, i64)>> = BTreeMap::new();
    for event in 0..own.len() {
        let Some(parent) = own.parent(event) else { continue };
        let from = if tracking == Tracking::History { own.time[event] } else { i64::MIN };
        let links = links.entry((own.member[event], parent)).or_default();
        if links.last().is_none_or(|&(earliest, _)| from < earliest) {
            links.push((from, own.position[event]));
        }
    }
    for ((member, parent), links) in links {
        for slot in &parents.by_member[parent as usize] {
            // The first link that reaches the slot is the one known first.
            let Some(&(_, linked_at)) = links.iter().find(|&&(from, _)| from <= slot.instant) else {
                continue;
            };
            let position = linked_at.max(slot.known_at);
            known[member as usize]
                .entry(slot.instant)
                .and_modify(|at| *at = position.min(*at))
                .or_insert(position);
        }
    }
}
