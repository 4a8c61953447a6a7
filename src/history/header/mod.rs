//! One header: its events in valid order, and what its lines are after them (DESIGN 19-22).
//!
//! [`placing`], [`reversal`] and [`amendment`] are what events do to lines; [`line`] is what they do it to, and
//! [`waiting`] keeps those that come before their lines in valid order.

mod amendment;
mod item;
mod line;
mod lines;
mod placing;
mod reversal;
mod taking;
mod waiting;

use super::frame::NONE;
use super::replay::{Operation, Outcome, Replay};
use super::rows::Source;
use crate::error::Result;
use crate::model::FactAction;
use item::{Item, Subject};
use line::Line;
use lines::Lines;
use reversal::Terms;
use smallvec::SmallVec;
use waiting::Waiting;

/// As many values as a fact usually has roles, measures or milestones: kept in place, without an allocation a line.
pub type Few<T> = SmallVec<[T; 6]>;

/// The state of one header; used for one after the other.
pub struct Header<'a> {
    replay: &'a Replay<'a>,
    /// The header event.
    source: Option<Source>,
    lines: Lines,
    waiting: Waiting<'a>,
}

impl<'a> Header<'a> {
    /// A header to be replayed.
    pub fn new(replay: &'a Replay<'a>) -> Self {
        Self { replay, source: None, lines: Lines::default(), waiting: Waiting::default() }
    }

    /// Replays the events of one header, which come in valid order.
    pub fn replay(&mut self, operations: &[Operation], outcome: &mut Outcome) -> Result<()> {
        self.lines.clear();
        self.source = operations
            .iter()
            .find(|operation| self.is_header(operation))
            .map(|operation| operation.source(operation.items().start));
        for (index, operation) in operations.iter().enumerate() {
            for item in operation.items().map(|item| Item::new(self.replay, operation, item)) {
                self.meet(&item, outcome)?;
            }
            // An event that names its header item by item is in when its last item is.
            let goes_on =
                |next: &Operation| (next.binding, next.event) == (operation.binding, operation.event);
            if !operations.get(index + 1).is_some_and(goes_on) {
                self.catch_up(outcome)?;
            }
        }
        outcome.held += self.waiting.end();
        self.hand_over(operations, outcome);
        Ok(())
    }

    fn is_header(&self, operation: &Operation) -> bool {
        self.replay.bindings[operation.binding as usize].declared.action == FactAction::Header
    }

    /// An item whose turn has come in valid order.
    fn meet(&mut self, item: &Item<'a>, outcome: &mut Outcome) -> Result<()> {
        match item.binding.declared.action {
            FactAction::Header => {}
            FactAction::Place { date_from } => self.place(item, date_from, outcome)?,
            FactAction::Reverse { .. } | FactAction::Amend | FactAction::Milestone => {
                if let Some(subject) = self.apply(item, outcome)? {
                    self.waiting.add(*item, subject);
                }
            }
        }
        Ok(())
    }

    /// What stood before its placing in valid order is applied right after it (DESIGN 22). An amendment places a
    /// line anew, so that what stood before it may find its line now.
    fn catch_up(&mut self, outcome: &mut Outcome) -> Result<()> {
        while let Some(held) = self.waiting.next() {
            if let Some(subject) = self.apply(&held.item, outcome)? {
                self.waiting.put_back(held, subject);
            }
        }
        Ok(())
    }

    /// Applies an item that needs lines; returns what it is about if that is not there yet.
    fn apply(&mut self, item: &Item<'a>, outcome: &mut Outcome) -> Result<Option<Subject<'a>>> {
        let subject = item.subject(self.replay);
        let lines = self.lines.of(&subject);
        let Some(&first) = lines.first() else { return Ok(Some(subject)) };
        match &item.binding.declared.action {
            FactAction::Reverse { target, takes, over } => {
                self.reverse(item, &Terms { target, takes: *takes, over: *over }, lines, outcome)?;
            }
            FactAction::Amend => self.amend(item, first, outcome)?,
            FactAction::Milestone => {
                let day = self.replay.day(item.time)?;
                lines.iter().for_each(|&line| self.lines[line].mark(item, day));
            }
            FactAction::Header | FactAction::Place { .. } => {}
        }
        Ok(None)
    }

    /// Hands the lines over to the accumulating table.
    fn hand_over(&self, operations: &[Operation], outcome: &mut Outcome) {
        let Some(header) = operations.first().map(|operation| operation.header) else { return };
        outcome.header_sources.extend(self.source.map(|source| (header, source)));
        let rows = &mut outcome.lines;
        for line in self.lines.iter() {
            rows.source.push(line.placing);
            rows.header.push(header);
            rows.line.push(line.rank);
            rows.status.push(line.status);
            rows.day.push(line.first_day);
            rows.position.push(line.first_position);
            rows.item.push(line.first_item);
            rows.keys.extend_from_slice(&line.keys);
            rows.reached.extend_from_slice(&line.reached);
            if line.touched {
                rows.made_row.push(rows.made.len() as u32);
                rows.made.values.extend_from_slice(&line.placed);
                rows.made.values.extend_from_slice(&line.left);
                rows.made.origins.push(line.origins.clone());
            } else {
                rows.made_row.push(NONE);
            }
        }
    }
}
