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
        if terms.over == OverReversing::Reject && self.is_too_much(&shares, item, terms) {
            outcome.over_reversed += 1;
            return Ok(());
        }
        let whole: i128 = shares.iter().map(|share| share.taken).sum();
        let last = shares.last().map(|share| share.line);
        let day = replay.day(item.time)?;
        let (mut before, mut takes_nothing) = (0, true);
        for Share { line, taken } in shares {
            let is_last = Some(line) == last;
            let line = &mut self.lines[line];
            let taking = Taking { replay, item, line, taken, before, whole, is_last };
            let values = taking.measures()?;
            // A row that adds nothing to any sum is none, and the line stays as it was.
            if !taking.adds(&values) {
                continue;
            }
            takes_nothing = false;
            outcome.over_reversed += u64::from(taken != 0 && taken > line.quantity_left);
            let origins = line.with(item.source);
            line.book(replay, item, item.kind, (&values, origins), outcome)?;
            line.quantity_left -= taken;
            line.quantity_taken += taken;
            line.reversed = true;
            line.mark(item, day);
            before += taken;
        }
        outcome.over_reversed += u64::from(takes_nothing);
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

    /// How much is taken from each line.
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

    /// Whether more is taken than is left of any line, or what is left where nothing is.
    fn is_too_much(&self, shares: &[Share], item: &Item<'_>, terms: &Terms<'_>) -> bool {
        let is_over = |share: &Share| share.taken > self.lines[share.line].quantity_left.max(0);
        let takes_what_is_left = terms.takes == Takes::Left
            && self.replay.fact.quantity.and_then(|quantity| item.stated(quantity)).is_none();
        shares.iter().any(is_over) || takes_what_is_left && shares.iter().all(|share| share.taken == 0)
    }

    /// What is taken where no quantity is stated (DESIGN 19).
    fn unstated(&self, lines: &[usize], takes: Takes) -> Vec<Share> {
        let taken = |line: usize| match takes {
            Takes::Placed => self.lines[line].quantity_placed,
            Takes::Left => self.lines[line].quantity_left.max(0),
        };
        lines.iter().map(|&line| Share { line, taken: taken(line) }).collect()
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
        // Where there is nothing to spend, the first one tried is the last.
        let last = if stated == 0 { lines.first() } else { lines.last() };
        if let Some(&last) = last
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
