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
    /// Whether it takes from no line behind this one.
    pub is_last: bool,
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

    /// Whether a row of these measures adds anything to any sum.
    pub fn adds(&self, values: &[i128]) -> bool {
        self.taken != 0 || values.iter().enumerate().any(|(m, &value)| value != 0 && self.is_additive(m))
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
            true if self.whole == 0 && !self.is_last => Ok(0),
            true if self.whole == 0 || (self.before == 0 && self.taken == self.whole) => Ok(-stated),
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
            return Ok(if line.reversed { 0 } else { -placed });
        }
        Ok(-Replay::portion(placed, line.quantity_taken, self.taken, line.quantity_placed)?)
    }
}
