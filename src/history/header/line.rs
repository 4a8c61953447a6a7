//! The state of a line: as placed, what is left of it, and what has happened to it.

use super::{Few, Item};
use crate::error::Result;
use crate::history::calendar::Day;
use crate::history::replay::{Outcome, Replay};
use crate::history::rows::{NOT_REACHED, Origins, Source};
use smallvec::smallvec;

/// A line as placed, and what is left of it.
pub struct Line {
    pub rank: i64,
    /// The latest placing.
    pub placing: Source,
    /// Its amendments, the newest first, and the placing itself.
    pub origins: Origins,
    pub placing_kind: u16,
    pub first_day: Day,
    pub first_position: i64,
    /// In that event's list.
    pub first_item: i64,
    pub members: Few<u32>,
    pub keys: Few<i64>,
    /// The measures as placed.
    pub placed: Few<i128>,
    /// The sums over the ledger.
    pub left: Few<i128>,
    pub quantity_placed: i128,
    pub quantity_left: i128,
    /// Reversed so far of the latest placing.
    pub quantity_taken: i128,
    /// Whether anything was, since a line may be placed with a quantity of zero.
    pub reversed: bool,
    pub status: u16,
    pub reached: Few<Day>,
    /// The rank of the event that reached it.
    reached_by: Few<u32>,
    /// Whether anything but the placing event made it what it is.
    pub touched: bool,
}

impl Line {
    /// A line that an item is about to place for the first time.
    pub fn new(replay: &Replay<'_>, item: &Item<'_>, rank: i64, first_day: Day) -> Self {
        Self {
            rank,
            placing: item.source,
            origins: Origins::new(),
            placing_kind: item.kind,
            first_day,
            first_position: item.binding.items.events.position[item.source.event as usize],
            first_item: item.binding.items.number(item.source.item as usize),
            members: Few::new(),
            keys: Few::new(),
            placed: Few::new(),
            left: smallvec![0; replay.fact.measures.len()],
            quantity_placed: 0,
            quantity_left: 0,
            quantity_taken: 0,
            reversed: false,
            status: 0,
            reached: smallvec![NOT_REACHED; replay.fact.milestones.len()],
            reached_by: smallvec![0; replay.fact.milestones.len()],
            touched: false,
        }
    }

    /// The origins of what an event makes of the line: the event, then the line's own.
    pub fn with(&self, event: Source) -> Origins {
        std::iter::once(event).chain(self.origins.iter().copied()).collect()
    }

    /// Books a row that an item makes of the line, and adds it to what is left.
    pub fn book(
        &mut self,
        replay: &Replay<'_>,
        item: &Item<'_>,
        kind: u16,
        (values, origins): (&[i128], Origins),
        outcome: &mut Outcome,
    ) -> Result<()> {
        replay.book(&item.row(self.rank, kind, &self.keys), Some((values, origins)), outcome)?;
        self.add(values);
        self.touched = true;
        Ok(())
    }

    /// Adds the measures of a row to what is left.
    pub fn add(&mut self, values: &[i128]) {
        self.left.iter_mut().zip(values).for_each(|(left, value)| *left += value);
    }

    /// The last event's kind is the status; the first of a kind in valid order, which may have waited and so
    /// come behind another, dates the milestone (DESIGN 21).
    pub fn mark(&mut self, item: &Item<'_>, day: Day) {
        self.status = item.kind;
        if let Some(milestone) = item.binding.declared.milestone
            && (self.reached[milestone] == NOT_REACHED || item.rank < self.reached_by[milestone])
        {
            self.reached[milestone] = day;
            self.reached_by[milestone] = item.rank;
        }
    }
}
