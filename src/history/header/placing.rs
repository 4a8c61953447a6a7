//! Placing: an item adds a line, or places it once more.

use super::{Few, Header, Item, Line};
use crate::error::Result;
use crate::history::replay::{NewRow, Outcome};
use crate::history::roles::{ABSENT, NOT_CARRIED};
use crate::model::DateFrom;
use smallvec::smallvec;

impl Header<'_> {
    /// What the event does not carry comes from the header.
    pub(super) fn place(
        &mut self,
        item: &Item<'_>,
        date_from: DateFrom,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let replay = self.replay;
        let dated_by = match (date_from, self.source) {
            (DateFrom::Event, _) => item.source,
            (DateFrom::Header, Some(header)) => header,
            (DateFrom::Header, None) => {
                outcome.held += 1;
                return Ok(());
            }
        };
        let time = replay.time(dated_by);
        let members: Few<u32> =
            (0..replay.fact.roles.len()).map(|role| self.placed_member(item, role)).collect();
        let keys = replay.keys(&members, time, outcome);
        let rank = if replay.fact.line.is_some() { item.line() } else { 0 };
        replay.book(&NewRow { time, ..item.row(rank, item.kind, &keys) }, None, outcome)?;
        let placed: Few<i128> =
            (0..replay.fact.measures.len()).map(|measure| item.stated(measure).unwrap_or_default()).collect();
        let quantity = replay.fact.quantity.map_or(1, |quantity| placed[quantity]);
        let day = replay.day(time)?;
        let line = match self.lines.find(rank) {
            Some(place) => {
                outcome.placed_again += 1;
                self.lines[place].touched = true;
                place
            }
            None => self.lines.push(Line::new(replay, item, rank, day)),
        };
        let line = &mut self.lines[line];
        line.add(&placed);
        line.placing = item.source;
        line.origins = smallvec![item.source];
        line.placing_kind = item.kind;
        line.quantity_placed = quantity;
        line.quantity_left += quantity;
        line.quantity_taken = 0;
        line.reversed = false;
        (line.members, line.keys, line.placed) = (members, keys, placed);
        line.mark(item, day);
        self.waiting.wake(line);
        Ok(())
    }

    fn placed_member(&self, item: &Item<'_>, role: usize) -> u32 {
        match (self.replay.member(item.source, role), self.source) {
            (own @ (ABSENT | NOT_CARRIED), Some(header)) => match self.replay.member(header, role) {
                NOT_CARRIED => own,
                member => member,
            },
            (member, _) => member,
        }
    }
}
