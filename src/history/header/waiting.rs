//! What waits for its lines (DESIGN 22), found by what has come.
//!
//! An item waits under what it is about, so that a line that is placed or amended wakes those alone that it may
//! concern. Woken items are tried in valid order; one that finds its lines changed by another goes back to wait.

use super::{Item, Line, Subject};
use std::collections::{BTreeMap, HashMap};

/// The items of one header whose lines are not there yet.
#[derive(Default)]
pub struct Waiting<'a> {
    /// By what they are about, with their places in valid order.
    asleep: HashMap<Subject<'a>, Vec<Held<'a>>>,
    /// The roles by which some of them know their lines.
    roles: Vec<&'a [usize]>,
    /// Those whose lines may be there now, by their places.
    woken: BTreeMap<u64, Item<'a>>,
    /// The place of the next item.
    next: u64,
}

/// An item and its place in valid order among all that ever waited.
pub struct Held<'a> {
    place: u64,
    pub item: Item<'a>,
}

impl<'a> Waiting<'a> {
    /// Adds an item behind all others.
    pub fn add(&mut self, item: Item<'a>, subject: Subject<'a>) {
        self.put_back(Held { place: self.next, item }, subject);
        self.next += 1;
    }

    /// Lets a woken item wait on, in its old place.
    pub fn put_back(&mut self, held: Held<'a>, subject: Subject<'a>) {
        if let Subject::Members { roles, .. } = subject
            && !self.roles.contains(&roles)
        {
            self.roles.push(roles);
        }
        self.asleep.entry(subject).or_default().push(held);
    }

    /// Wakes those that may be about a line, which was placed or amended.
    pub fn wake(&mut self, line: &Line) {
        if self.asleep.is_empty() {
            return;
        }
        let members = |roles: &&'a [usize]| Subject::Members {
            roles,
            members: roles.iter().map(|&role| line.members[role]).collect(),
        };
        let by_members = self.roles.iter().map(members);
        for subject in [Subject::Header, Subject::Line(line.rank)].into_iter().chain(by_members) {
            let held = self.asleep.remove(&subject).unwrap_or_default();
            self.woken.extend(held.into_iter().map(|held| (held.place, held.item)));
        }
    }

    /// The next of the woken items in valid order.
    pub fn next(&mut self) -> Option<Held<'a>> {
        self.woken.pop_first().map(|(place, item)| Held { place, item })
    }

    /// Ends the header: how many items have waited in vain.
    pub fn end(&mut self) -> u64 {
        let held = self.asleep.values().map(Vec::len).sum::<usize>() + self.woken.len();
        if self.next > 0 {
            *self = Self::default();
        }
        held as u64
    }
}
