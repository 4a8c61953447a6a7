//! Reversing: from which lines, and how much of each (DESIGN 19, 20, 22).

use super::taking::Taking;
use super::{Few, Header, Item};
use crate::error::Result;
use crate::history::replay::Outcome;
use crate::model::{OverReversing, ReversalTarget, Takes};

/// What a pipeline declares of a reversal.
pub struct Terms<'t> {
    pub target: &'t ReversalTarget,
    pub takes: Takes,
    pub over: OverReversing,
}

/// What is taken from a line.
struct Share {
    line: usize,
    taken: i128,
}

impl Header<'_> {
    /// Takes from these lines. More than is left is taken all the same, or nothing at all, as the terms say; it is
    /// counted either way.
    pub(super) fn reverse(
        &mut self,
        item: &Item<'_>,
        terms: &Terms<'_>,
        mut lines: Few<usize>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let replay = self.replay;
        self.sort(&mut lines, item, terms.target);
        let shares = self.shares(&lines, item, terms);
        let over_reversed = self.over_reversed(&shares);
        if over_reversed > 0 && terms.over == OverReversing::Reject {
            outcome.over_reversed += 1;
            return Ok(());
        }
        outcome.over_reversed += over_reversed;
        let whole: i128 = shares.iter().map(|share| share.taken).sum();
        let day = replay.day(item.time)?;
        let mut before = 0;
        for Share { line, taken } in shares {
            let line = &mut self.lines[line];
            let values = Taking { replay, item, line, taken, before, whole }.measures()?;
            let origins = line.with(item.source);
            line.book(replay, item, item.kind, (&values, origins), outcome)?;
            line.quantity_left -= taken;
            line.quantity_taken += taken;
            line.mark(item, day);
            before += taken;
        }
        // What names a line or a whole header is about it, whatever is left of it.
        if !matches!(terms.target, ReversalTarget::Members(_)) {
            lines.iter().for_each(|&line| self.lines[line].mark(item, day));
        }
        Ok(())
    }

    /// The order in which lines are taken from: by line number; by members, those of the price first (DESIGN 20).
    fn sort(&self, lines: &mut [usize], item: &Item<'_>, target: &ReversalTarget) {
        let price = self.replay.fact.price.and_then(|price| Some((price, item.stated(price)?)));
        let price = price.filter(|_| matches!(target, ReversalTarget::Members(_)));
        lines.sort_by_key(|&line| {
            let line = &self.lines[line];
            (price.is_some_and(|(measure, stated)| line.placed[measure] != stated), line.rank)
        });
    }

    /// How much is taken from each line; those that nothing is taken from may be left out.
    fn shares(&self, lines: &[usize], item: &Item<'_>, terms: &Terms<'_>) -> Vec<Share> {
        let stated = self.replay.fact.quantity.and_then(|quantity| item.stated(quantity));
        match (stated, terms.target) {
            (None, _) => self.unstated(lines, terms.takes),
            (Some(stated), ReversalTarget::Header | ReversalTarget::Line) => {
                lines.iter().map(|&line| Share { line, taken: stated }).collect()
            }
            (Some(stated), ReversalTarget::Members(_)) => self.spend(lines, stated),
        }
    }

    /// From how many lines more is taken than is left; one if there is nothing left to take from.
    fn over_reversed(&self, shares: &[Share]) -> u64 {
        let is_over = |share: &&Share| share.taken > self.lines[share.line].quantity_left.max(0);
        if shares.is_empty() { 1 } else { shares.iter().filter(is_over).count() as u64 }
    }

    /// What is taken where no quantity is stated (DESIGN 19).
    fn unstated(&self, lines: &[usize], takes: Takes) -> Vec<Share> {
        let share = |&line: &usize| match takes {
            Takes::Placed => Some(Share { line, taken: self.lines[line].quantity_placed }),
            Takes::Left => {
                Some(Share { line, taken: self.lines[line].quantity_left }).filter(|share| share.taken > 0)
            }
        };
        lines.iter().filter_map(share).collect()
    }

    /// Spends what is left of each line; the rest goes to the last one tried (DESIGN 20).
    fn spend(&self, lines: &[usize], stated: i128) -> Vec<Share> {
        let mut rest = stated;
        let mut shares: Vec<Share> = Vec::new();
        for &line in lines {
            let taken = rest.min(self.lines[line].quantity_left);
            if taken > 0 {
                shares.push(Share { line, taken });
                rest -= taken;
            }
        }
        if let Some(&last) = lines.last()
            && (rest != 0 || shares.is_empty())
        {
            match shares.iter_mut().find(|share| share.line == last) {
                Some(share) => share.taken += rest,
                None => shares.push(Share { line: last, taken: rest }),
            }
        }
        shares
    }
}
