//! One header: its lines as the replay leaves them, event by event.

use super::binding::Binding;
use super::calendar::Day;
use super::frame::NONE;
use super::members::{ABSENT, NOT_CARRIED};
use super::replay::{NewRow, Operation, Outcome, Replay};
use super::rows::{NOT_REACHED, Origins, Source};
use crate::error::Result;
use crate::model::{Additivity, DateFrom, FactAction, ReversalTarget, Takes};
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;

/// As many values as a fact usually has roles, measures or milestones: kept in place, without an allocation a line.
pub type Few<T> = SmallVec<[T; 6]>;

/// Lines above this many are found through an index.
const FEW_LINES: usize = 16;

/// The state of one header; used for one after the other.
pub struct Header<'a> {
    replay: &'a Replay<'a>,
    source: Option<Source>,
    lines: Vec<Line>,
    index: HashMap<i64, usize>,
    /// Items whose line has not been placed yet, in valid order.
    waiting: Vec<(Operation, usize)>,
}

/// A line as placed, and what is left of it.
struct Line {
    rank: i64,
    /// The latest placing.
    placing: Source,
    /// Its amendments, the newest first, and the placing itself.
    origins: Origins,
    placing_kind: u16,
    first_day: Day,
    first_position: i64,
    members: Few<u32>,
    keys: Few<i64>,
    /// The measures as placed.
    placed: Few<i128>,
    /// The sums over the ledger.
    left: Few<i128>,
    quantity_placed: i128,
    quantity_left: i128,
    /// Reversed so far of the latest placing.
    quantity_taken: i128,
    status: u16,
    reached: Few<Day>,
    /// The rank of the event that reached it.
    reached_by: Few<u32>,
    /// Whether anything but the placing event made it what it is.
    touched: bool,
}

impl<'a> Header<'a> {
    /// A header to be replayed.
    pub fn new(replay: &'a Replay<'a>) -> Self {
        Self { replay, source: None, lines: Vec::new(), index: HashMap::new(), waiting: Vec::new() }
    }

    /// Replays the events of one header, which come in valid order.
    pub fn replay(&mut self, operations: &[Operation], outcome: &mut Outcome) -> Result<()> {
        self.lines.clear();
        self.index.clear();
        let header_event =
            |operation: &&Operation| self.binding(operation).declared.action == FactAction::Header;
        self.source =
            operations.iter().find(header_event).map(|operation| operation.source(operation.items().start));
        for (index, operation) in operations.iter().enumerate() {
            match self.binding(operation).declared.action {
                FactAction::Header => {}
                FactAction::Place { date_from } => {
                    for item in operation.items() {
                        self.place(operation, item, date_from, outcome)?;
                    }
                    // An event that names its header item by item is in when its last item is.
                    let goes_on =
                        |next: &Operation| (next.binding, next.event) == (operation.binding, operation.event);
                    if !operations.get(index + 1).is_some_and(goes_on) {
                        self.catch_up(outcome)?;
                    }
                }
                _ => {
                    for item in operation.items() {
                        if !self.apply(operation, item, outcome)? {
                            self.waiting.push((*operation, item));
                        }
                    }
                    // An amendment places a line anew.
                    if self.binding(operation).declared.action == FactAction::Amend {
                        self.catch_up(outcome)?;
                    }
                }
            }
        }
        outcome.held += self.waiting.len() as u64;
        self.waiting.clear();
        self.hand_over(operations, outcome);
        Ok(())
    }

    fn binding(&self, operation: &Operation) -> &'a Binding<'a> {
        &self.replay.bindings[operation.binding as usize]
    }

    fn find(&self, rank: i64) -> Option<usize> {
        if self.lines.len() > FEW_LINES {
            return self.index.get(&rank).copied();
        }
        self.lines.iter().position(|line| line.rank == rank)
    }

    /// What stood before its placing in valid order is applied right after it (DESIGN 22).
    fn catch_up(&mut self, outcome: &mut Outcome) -> Result<()> {
        let mut next = 0;
        while let Some(&(operation, item)) = self.waiting.get(next) {
            if !self.apply(&operation, item, outcome)? {
                next += 1;
                continue;
            }
            self.waiting.remove(next);
            // An amendment places a line anew: what stood before it may find its line now.
            if self.binding(&operation).declared.action == FactAction::Amend {
                next = 0;
            }
        }
        Ok(())
    }

    fn place(
        &mut self,
        operation: &Operation,
        item: usize,
        date_from: DateFrom,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let replay = self.replay;
        let binding = self.binding(operation);
        let source = operation.source(item);
        let dated_by = match (date_from, self.source) {
            (DateFrom::Event, _) => source,
            (DateFrom::Header, Some(header)) => header,
            (DateFrom::Header, None) => {
                outcome.held += 1;
                return Ok(());
            }
        };
        let time = replay.time(dated_by);
        let member = |role| match (replay.member(source, role), self.source) {
            (own @ (ABSENT | NOT_CARRIED), Some(header)) => match replay.member(header, role) {
                NOT_CARRIED => own,
                member => member,
            },
            (member, _) => member,
        };
        let members: Few<u32> = (0..replay.fact.roles.len()).map(member).collect();
        let keys = replay.keys(&members, time, outcome);
        let rank = if replay.fact.line.is_some() { binding.line_of(item) } else { 0 };
        let kind = replay.kind(source);
        let row = NewRow { source, header: operation.header, line: rank, kind, time, keys: &keys };
        replay.book(&row, None, outcome)?;
        let placed: Few<i128> =
            (0..replay.fact.measures.len()).map(|m| binding.stated(m, item).unwrap_or_default()).collect();
        let quantity = replay.fact.quantity.map_or(1, |quantity| placed[quantity]);
        let day = replay.day(time)?;
        let index = match self.find(rank) {
            Some(index) => {
                outcome.placed_again += 1;
                let line = &mut self.lines[index];
                line.left.iter_mut().zip(&placed).for_each(|(left, placed)| *left += placed);
                line.quantity_left += quantity;
                line.touched = true;
                index
            }
            None => {
                self.index.insert(rank, self.lines.len());
                self.lines.push(Line {
                    rank,
                    placing: source,
                    origins: Origins::new(),
                    placing_kind: kind,
                    first_day: day,
                    first_position: binding.items.events.position[operation.event as usize],
                    members: Few::new(),
                    keys: Few::new(),
                    placed: Few::new(),
                    left: placed.clone(),
                    quantity_placed: 0,
                    quantity_left: quantity,
                    quantity_taken: 0,
                    status: 0,
                    reached: smallvec![NOT_REACHED; replay.fact.milestones.len()],
                    reached_by: smallvec![0; replay.fact.milestones.len()],
                    touched: false,
                });
                self.lines.len() - 1
            }
        };
        let line = &mut self.lines[index];
        line.placing = source;
        line.origins = smallvec![source];
        line.placing_kind = kind;
        line.quantity_placed = quantity;
        line.quantity_taken = 0;
        (line.members, line.keys, line.placed) = (members, keys, placed);
        line.mark(binding, kind, day, operation.rank);
        Ok(())
    }

    /// Applies an item that needs lines; false if they are not there yet.
    fn apply(&mut self, operation: &Operation, item: usize, outcome: &mut Outcome) -> Result<bool> {
        let binding = self.binding(operation);
        match &binding.declared.action {
            FactAction::Reverse { target, takes } => {
                let lines = self.targets(target, operation, item);
                if lines.is_empty() {
                    return Ok(false);
                }
                self.reverse(&lines, target, *takes, operation, item, outcome)?;
            }
            FactAction::Amend => {
                let Some(line) = self.named(binding, item).first().copied() else { return Ok(false) };
                self.amend(line, operation, item, outcome)?;
            }
            FactAction::Milestone => {
                let lines = self.named(binding, item);
                let kind = self.replay.kind(operation.source(item));
                let day = self.replay.day(self.replay.time(operation.source(item)))?;
                lines.iter().for_each(|&line| self.lines[line].mark(binding, kind, day, operation.rank));
                return Ok(!lines.is_empty());
            }
            FactAction::Header | FactAction::Place { .. } => {}
        }
        Ok(true)
    }

    /// The line that an item names, or all lines if it names none.
    fn named(&self, binding: &Binding<'_>, item: usize) -> Vec<usize> {
        match &binding.line {
            Some(line) => self.find(line[item]).into_iter().collect(),
            None => (0..self.lines.len()).collect(),
        }
    }

    /// The lines that a reversal is about, in the order in which it takes from them (DESIGN 20).
    fn targets(&self, target: &ReversalTarget, operation: &Operation, item: usize) -> Vec<usize> {
        let binding = self.binding(operation);
        let mut lines: Vec<usize> = match target {
            ReversalTarget::Header => (0..self.lines.len()).collect(),
            ReversalTarget::Line => self.find(binding.line_of(item)).into_iter().collect(),
            ReversalTarget::Members(roles) => {
                let source = operation.source(item);
                // Nobody is not somebody: a missing key names no line.
                let same = |line: &usize| {
                    roles.iter().all(|&role| {
                        let member = self.replay.member(source, role);
                        member < ABSENT && self.lines[*line].members[role] == member
                    })
                };
                (0..self.lines.len()).filter(same).collect()
            }
        };
        let price = self.replay.fact.price.and_then(|price| Some((price, binding.stated(price, item)?)));
        lines.sort_by_key(|&line| {
            let line = &self.lines[line];
            let other_price = price.is_some_and(|(measure, stated)| line.placed[measure] != stated);
            (matches!(target, ReversalTarget::Members(_)) && other_price, line.rank)
        });
        lines
    }

    /// How much a reversal takes from each line.
    fn shares(
        &self,
        lines: &[usize],
        target: &ReversalTarget,
        takes: Takes,
        stated: Option<i128>,
    ) -> Vec<(usize, i128)> {
        match (stated, target) {
            (None, _) => {
                let take = |line: &Line| match takes {
                    Takes::Placed => line.quantity_placed,
                    Takes::Left => line.quantity_left.max(0),
                };
                let used_up = |line: &Line| takes == Takes::Left && line.quantity_left <= 0;
                let lines = lines.iter().filter(|&&line| !used_up(&self.lines[line]));
                lines.map(|&line| (line, take(&self.lines[line]))).collect()
            }
            (Some(stated), ReversalTarget::Header | ReversalTarget::Line) => {
                lines.iter().map(|&line| (line, stated)).collect()
            }
            (Some(stated), ReversalTarget::Members(_)) => {
                let mut rest = stated;
                let mut shares: Vec<(usize, i128)> = Vec::new();
                for &line in lines {
                    let take = rest.min(self.lines[line].quantity_left);
                    if take > 0 {
                        shares.push((line, take));
                        rest -= take;
                    }
                }
                if let Some(&last) = lines.last()
                    && (rest != 0 || shares.is_empty())
                {
                    match shares.iter_mut().find(|(line, _)| *line == last) {
                        Some((_, share)) => *share += rest,
                        None => shares.push((last, rest)),
                    }
                }
                shares
            }
        }
    }

    fn reverse(
        &mut self,
        lines: &[usize],
        target: &ReversalTarget,
        takes: Takes,
        operation: &Operation,
        item: usize,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let replay = self.replay;
        let binding = self.binding(operation);
        let source = operation.source(item);
        let (time, kind) = (replay.time(source), replay.kind(source));
        let stated_quantity = replay.fact.quantity.and_then(|quantity| binding.stated(quantity, item));
        let shares = self.shares(lines, target, takes, stated_quantity);
        if shares.is_empty() {
            outcome.over_reversed += 1;
        }
        let whole: i128 = shares.iter().map(|(_, share)| share).sum();
        let day = replay.day(time)?;
        let mut before = 0;
        for (index, taken) in shares {
            let line = &self.lines[index];
            let mut values = vec![0; replay.fact.measures.len()];
            for &m in replay.evaluation_order() {
                let measure = &replay.fact.measures[m];
                let additive = measure.additivity == Additivity::Additive;
                let placing = &replay.bindings[line.placing.binding as usize].declared.measures[m];
                values[m] =
                    match (binding.stated(m, item), &measure.formula) {
                        _ if Some(m) == replay.fact.quantity => -taken,
                        (Some(stated), _) if !additive => stated,
                        (Some(stated), _) if taken == whole => -stated,
                        (Some(stated), _) => -Replay::portion(stated, before, taken, whole)?,
                        (None, Some(_)) if placing.is_none() => replay.computed(m, &values)?,
                        (None, _) if !additive => line.placed[m],
                        (None, _) if line.quantity_placed == 0 => {
                            if line.quantity_taken == 0 && !line.touched { -line.placed[m] } else { 0 }
                        }
                        (None, _) => {
                            let (placed, quantity) = (line.placed[m], line.quantity_placed);
                            -Replay::portion(placed, line.quantity_taken, taken, quantity)?
                        }
                    };
            }
            outcome.over_reversed += u64::from(taken > line.quantity_left);
            let rank = line.rank;
            let row = NewRow { source, header: operation.header, line: rank, kind, time, keys: &line.keys };
            replay.book(&row, Some((&values, line.with(source))), outcome)?;
            let line = &mut self.lines[index];
            line.left.iter_mut().zip(&values).for_each(|(left, value)| *left += value);
            line.quantity_left -= taken;
            line.quantity_taken += taken;
            line.touched = true;
            line.mark(binding, kind, day, operation.rank);
            before += taken;
        }
        // What names a line or a whole header is about it, whatever is left of it.
        if !matches!(target, ReversalTarget::Members(_)) {
            lines.iter().for_each(|&line| self.lines[line].mark(binding, kind, day, operation.rank));
        }
        Ok(())
    }

    /// Reverses the line as placed and places it anew.
    fn amend(
        &mut self,
        index: usize,
        operation: &Operation,
        item: usize,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let replay = self.replay;
        let binding = self.binding(operation);
        let source = operation.source(item);
        let (time, kind) = (replay.time(source), replay.kind(source));
        let line = &mut self.lines[index];
        let sign = |m: usize| match replay.fact.measures[m].additivity {
            Additivity::Additive => -1,
            Additivity::NonAdditive => 1,
        };
        let undone: Few<i128> = line.placed.iter().enumerate().map(|(m, value)| sign(m) * value).collect();
        let rank = line.rank;
        let row = NewRow { source, header: operation.header, line: rank, kind, time, keys: &line.keys };
        replay.book(&row, Some((&undone, line.origins.clone())), outcome)?;
        for &m in replay.evaluation_order() {
            if let Some(stated) = binding.stated(m, item) {
                line.placed[m] = stated;
            } else if replay.fact.measures[m].formula.is_some() {
                line.placed[m] = replay.computed(m, &line.placed)?;
            }
        }
        for (role, member) in line.members.iter_mut().enumerate() {
            match replay.member(source, role) {
                ABSENT | NOT_CARRIED => {}
                amended => *member = amended,
            }
        }
        line.keys = replay.keys(&line.members, time, outcome);
        let row = NewRow {
            source,
            header: operation.header,
            line: rank,
            kind: line.placing_kind,
            time,
            keys: &line.keys,
        };
        replay.book(&row, Some((&line.placed, line.with(source))), outcome)?;
        let changes = line.left.iter_mut().zip(&undone).zip(&line.placed);
        changes.for_each(|((left, undone), placed)| *left += undone + placed);
        let quantity = replay.fact.quantity.map_or(1, |quantity| line.placed[quantity]);
        line.quantity_left += quantity - line.quantity_placed;
        line.quantity_placed = quantity;
        line.quantity_taken = 0;
        line.origins = line.with(source);
        line.touched = true;
        line.mark(binding, kind, replay.day(time)?, operation.rank);
        Ok(())
    }

    /// Hands the lines over to the accumulating table.
    fn hand_over(&self, operations: &[Operation], outcome: &mut Outcome) {
        let Some(header) = operations.first().map(|operation| operation.header) else { return };
        outcome.header_sources.extend(self.source.map(|source| (header, source)));
        let rows = &mut outcome.lines;
        for line in &self.lines {
            rows.source.push(line.placing);
            rows.header.push(header);
            rows.line.push(line.rank);
            rows.status.push(line.status);
            rows.day.push(line.first_day);
            rows.position.push(line.first_position);
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

impl Line {
    /// The origins of what an event makes of the line: the event, then the line's own.
    fn with(&self, event: Source) -> Origins {
        std::iter::once(event).chain(self.origins.iter().copied()).collect()
    }

    /// The last event's kind is the status; the first of a kind in valid order, which may have waited and so
    /// come behind another, dates the milestone (DESIGN 21).
    fn mark(&mut self, binding: &Binding<'_>, kind: u16, day: Day, rank: u32) {
        self.status = kind;
        if let Some(milestone) = binding.declared.milestone
            && (self.reached[milestone] == NOT_REACHED || rank < self.reached_by[milestone])
        {
            self.reached[milestone] = day;
            self.reached_by[milestone] = rank;
        }
    }
}
