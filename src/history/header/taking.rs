//! What the row of a reversal says: the measures that go with what is taken from one line (DESIGN 19).

use super::{Few, Item, Line};
use crate::error::Result;
use crate::history::replay::Replay;
use crate::model::Additivity;
use smallvec::smallvec;

/// What an item takes from one line.
pub struct Taking<'t> {
    pub replay: &'t Replay<'t>,
    pub item: &'t Item<'t>,
    pub line: &'t Line,
    pub taken: i128,
    /// What the item has taken from other lines before.
    pub before: i128,
    /// What it takes from all lines.
    pub whole: i128,
}

impl Taking<'_> {
    /// The measures of the row.
    pub fn measures(&self) -> Result<Few<i128>> {
        let mut values: Few<i128> = smallvec![0; self.replay.fact.measures.len()];
        for &m in self.replay.evaluation_order() {
            values[m] = match self.item.stated(m) {
                _ if Some(m) == self.replay.fact.quantity => -self.taken,
                Some(stated) => self.stated(m, stated)?,
                None if self.is_computed(m) => self.replay.computed(m, &values)?,
                None => self.of_the_line(m)?,
            };
        }
        Ok(values)
    }

    fn is_additive(&self, measure: usize) -> bool {
        self.replay.fact.measures[measure].additivity == Additivity::Additive
    }

    /// What the placing itself has stated follows the line, even if there is a formula for others.
    fn is_computed(&self, measure: usize) -> bool {
        let placing = &self.replay.bindings[self.line.placing.binding as usize].declared.measures[measure];
        self.replay.fact.measures[measure].formula.is_some() && placing.is_none()
    }

    /// The line's share of what the item states of all lines.
    fn stated(&self, measure: usize, stated: i128) -> Result<i128> {
        match self.is_additive(measure) {
            false => Ok(stated),
            true if self.taken == self.whole => Ok(-stated),
            true => Ok(-Replay::portion(stated, self.before, self.taken, self.whole)?),
        }
    }

    /// In proportion to what is taken of the line as placed; shares add up. Of a line that was placed without a
    /// quantity, the first reversal takes everything.
    fn of_the_line(&self, measure: usize) -> Result<i128> {
        let line = self.line;
        let placed = line.placed[measure];
        if !self.is_additive(measure) {
            return Ok(placed);
        }
        if line.quantity_placed == 0 {
            let is_first = line.quantity_taken == 0 && !line.touched;
            return Ok(if is_first { -placed } else { 0 });
        }
        Ok(-Replay::portion(placed, line.quantity_taken, self.taken, line.quantity_placed)?)
    }
}
