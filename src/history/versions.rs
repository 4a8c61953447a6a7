//! Versions: own intervals split by what was true of the parents, equal neighbours merged, each with its key.

use super::frame::NONE;
use super::own_events::{Code, FIRST_VALUE};
use super::slots::Slots;
use super::timeline::{EVER, FOREVER, Timelines};
use crate::error::Result;
use crate::model::{Entity, Tracking};

/// The versions of one entity's members, by member and time. An inferred member has one.
pub struct Versions {
    /// Versions of member `m` are `first[m]..first[m + 1]`.
    first: Vec<u32>,
    pub member: Vec<u32>,
    pub from: Vec<i64>,
    pub to: Vec<i64>,
    pub key: Vec<i64>,
    /// The own interval that a version takes its values from; [`NONE`] for an inferred member.
    pub interval: Vec<u32>,
    /// The parent's version that was true at `from`; [`NONE`] without a parent.
    pub parent: Vec<u32>,
}

/// How a look-up found its version (DESIGN 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The version was valid at the instant.
    Valid,
    /// The instant is before the first version, which was taken.
    BeforeFirst,
    /// The instant is in a gap or after a close; the last version before was taken.
    AfterClose,
}

/// An entity whose versions are made. A chain of them stands from the top down.
pub struct Rung<'a> {
    pub entity: &'a Entity,
    pub timelines: Timelines,
    pub versions: Versions,
}

/// An entity whose versions are being made, and the chain above it.
pub struct Lineage<'a> {
    pub entity: &'a Entity,
    pub timelines: &'a Timelines,
    pub above: &'a [Rung<'a>],
}

impl Versions {
    /// Makes the versions of all members of an entity.
    pub fn make(lineage: &Lineage<'_>, slots: &Slots, members: usize) -> Result<Self> {
        let mut versions = Self::empty(members);
        for member in 0..members {
            let start = versions.from.len();
            versions.begin();
            for interval in lineage.timelines.of(member) {
                versions.split(lineage, member, interval, start);
            }
            if versions.from.len() == start {
                versions.push(member, EVER, FOREVER, NONE, NONE);
                versions.key.push(slots.first_number(member));
            }
            for version in versions.key.len()..versions.from.len() {
                versions.key.push(slots.number_at(member, versions.from[version])?);
            }
        }
        versions.begin();
        Ok(versions)
    }

    /// None yet, of so many members.
    pub fn empty(members: usize) -> Self {
        Self {
            first: Vec::with_capacity(members + 1),
            member: Vec::new(),
            from: Vec::new(),
            to: Vec::new(),
            key: Vec::new(),
            interval: Vec::new(),
            parent: Vec::new(),
        }
    }

    /// The next member begins, or the last one has ended.
    pub fn begin(&mut self) {
        self.first.push(self.from.len() as u32);
    }

    /// Adds a version of which only the interval and the key are known.
    pub fn know(&mut self, member: usize, (from, to): (i64, i64), key: i64) {
        self.push(member, from, to, NONE, NONE);
        self.key.push(key);
    }

    /// Splits an own interval wherever its parent turns a page, and adds the pieces.
    fn split(&mut self, lineage: &Lineage<'_>, member: usize, interval: usize, start: usize) {
        let (from, to) = (lineage.timelines.from[interval], lineage.timelines.to[interval]);
        let parent = lineage.parent_of(member, interval);
        let (Some(parent), Some(Rung { versions: parents, .. })) = (parent, lineage.above.last()) else {
            self.add(lineage, member, (from, to), interval, NONE, start);
            return;
        };
        let (at_start, _) = parents.at(parent, from);
        let pages = parents.of(parent).filter(|&v| parents.from[v] > from && parents.from[v] < to);
        let mut begin = (from, at_start);
        for page in pages {
            let next = parents.from[page];
            self.add(lineage, member, (begin.0, next), interval, begin.1 as u32, start);
            begin = (next, page);
        }
        self.add(lineage, member, (begin.0, to), interval, begin.1 as u32, start);
    }

    /// Adds a version, or lengthens the one before where nothing differs (DESIGN 11, 14).
    fn add(
        &mut self,
        lineage: &Lineage<'_>,
        member: usize,
        (from, to): (i64, i64),
        interval: usize,
        parent: u32,
        start: usize,
    ) {
        let last = self.from.len();
        if last > start && self.to[last - 1] == from {
            let before = (self.interval[last - 1], self.parent[last - 1]);
            if lineage.same((interval as u32, parent), before) {
                self.to[last - 1] = to;
                return;
            }
        }
        self.push(member, from, to, interval as u32, parent);
    }

    fn push(&mut self, member: usize, from: i64, to: i64, interval: u32, parent: u32) {
        self.member.push(member as u32);
        self.from.push(from);
        self.to.push(to);
        self.interval.push(interval);
        self.parent.push(parent);
    }

    /// How many versions there are.
    pub fn len(&self) -> usize {
        self.from.len()
    }

    /// The versions of a member.
    pub fn of(&self, member: usize) -> std::ops::Range<usize> {
        self.first[member] as usize..self.first[member + 1] as usize
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// From when on a look-up gives which key; the first from ever.
    pub fn steps(&self, member: usize) -> impl Iterator<Item = (i64, i64)> {
        let versions = self.of(member);
        let first = versions.start;
        versions.map(move |version| {
            (if version == first { i64::MIN } else { self.from[version] }, self.key[version])
        })
    }

    /// The version of a member at an instant: the valid one, else the last before, else the first.
    pub fn at(&self, member: usize, instant: i64) -> (usize, Found) {
        let versions = self.of(member);
        let began = self.from[versions.clone()].partition_point(|&from| from <= instant);
        if began == 0 {
            return (versions.start, Found::BeforeFirst);
        }
        let version = versions.start + began - 1;
        let found = if instant < self.to[version] { Found::Valid } else { Found::AfterClose };
        (version, found)
    }
}

impl Lineage<'_> {
    /// The parent of a member in an interval, as its link is tracked.
    fn parent_of(&self, member: usize, interval: usize) -> Option<usize> {
        let code = self.parent_code(member, interval);
        code.checked_sub(FIRST_VALUE).map(|parent| parent as usize)
    }

    fn parent_code(&self, member: usize, interval: usize) -> Code {
        let link = self.entity.attributes.len();
        match self.entity.parent_tracking {
            Tracking::History => self.timelines.state(interval)[link],
            Tracking::Overwrite | Tracking::Previous => self.timelines.last(member, link),
            Tracking::Fixed => self.timelines.first_value(member, link),
        }
    }

    /// Whether two versions of one member say the same in everything that is tracked as history,
    /// up the whole chain. Values are compared, not a parent's keys.
    fn same(&self, one: (u32, u32), other: (u32, u32)) -> bool {
        let ((interval, parent), (before, parent_before)) = (one, other);
        if interval != before {
            // An inferred parent says nothing; it has one version, so both sides are it.
            if interval == NONE || before == NONE {
                return false;
            }
            let (state, state_before) =
                (self.timelines.state(interval as usize), self.timelines.state(before as usize));
            let history = self.entity.attributes.iter().map(|attribute| attribute.tracking);
            let differs = |((now, then), tracking): ((&Code, &Code), Tracking)| {
                tracking == Tracking::History && now != then
            };
            if state.iter().zip(state_before).zip(history).any(differs) {
                return false;
            }
        }
        let Some((rung, above)) = self.above.split_last() else { return true };
        if parent == parent_before {
            return true;
        }
        if parent == NONE || parent_before == NONE {
            return false;
        }
        let (parent, parent_before) = (parent as usize, parent_before as usize);
        let versions = &rung.versions;
        versions.member[parent] == versions.member[parent_before]
            && Lineage { entity: rung.entity, timelines: &rung.timelines, above }.same(
                (versions.interval[parent], versions.parent[parent]),
                (versions.interval[parent_before], versions.parent[parent_before]),
            )
    }
}
