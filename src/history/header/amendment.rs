//! Amending: the line is reversed as placed, and placed anew (DESIGN 19).

use super::{Few, Header, Item};
use crate::error::Result;
use crate::history::replay::Outcome;
use crate::history::roles::{ABSENT, NOT_CARRIED};
use crate::model::Additivity;

impl Header<'_> {
    /// Both rows are dated by the amendment; what it does not say stays as it was.
    pub(super) fn amend(&mut self, item: &Item<'_>, line: usize, outcome: &mut Outcome) -> Result<()> {
        let replay = self.replay;
        let line = &mut self.lines[line];
        let sign = |m: usize| match replay.fact.measures[m].additivity {
            Additivity::Additive => -1,
            Additivity::NonAdditive => 1,
        };
        let undone: Few<i128> = line.placed.iter().enumerate().map(|(m, value)| sign(m) * value).collect();
        let origins = line.origins.clone();
        line.book(replay, item, item.kind, (&undone, origins), outcome)?;

        for &m in replay.evaluation_order() {
            if let Some(stated) = item.stated(m) {
                line.placed[m] = stated;
            } else if replay.fact.measures[m].formula.is_some() {
                line.placed[m] = replay.computed(m, &line.placed)?;
            }
        }
        for (role, member) in line.members.iter_mut().enumerate() {
            match replay.member(item.source, role) {
                ABSENT | NOT_CARRIED => {}
                amended => *member = amended,
            }
        }
        line.keys = replay.keys(&line.members, item.time, outcome);
        line.origins = line.with(item.source);
        let (placed, origins) = (line.placed.clone(), line.origins.clone());
        line.book(replay, item, line.placing_kind, (&placed, origins), outcome)?;

        let quantity = replay.fact.quantity.map_or(1, |quantity| line.placed[quantity]);
        line.quantity_left += quantity - line.quantity_placed;
        line.quantity_placed = quantity;
        line.quantity_taken = 0;
        line.reversed = false;
        line.mark(item, replay.day(item.time)?);
        self.waiting.wake(line);
        Ok(())
    }
}
