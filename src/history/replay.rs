//! Events of a fact become ledger rows and lines: every header is replayed in valid order (DESIGN 19-22).

use super::arithmetic::{Row, evaluate, evaluation_order, look_up, overflow, share};
use super::binding::{Binding, Bindings, NO_LINE};
use super::calendar::{Day, day_of};
use super::dimension::{NOT_APPLICABLE, UNKNOWN};
use super::frame::{NONE, sort_order};
use super::header::{Few, Header};
use super::roles::{ABSENT, NOT_CARRIED};
use super::rows::{LedgerRows, LineRows, Origins, Source};
use super::versions::{Found, Versions};
use crate::error::{Error, Result, Who};
use crate::model::{Additivity, Fact, FactAction, FactEvent};
use crate::stop::Stop;
use chrono_tz::Tz;
use rayon::prelude::*;
use smallvec::smallvec;

/// What every header's replay needs to know.
pub struct Replay<'a> {
    pub fact: &'a Fact,
    pub bindings: &'a [Binding<'a>],
    /// By role.
    versions: Vec<&'a Versions>,
    zone: Tz,
    /// The kinds of the fact, sorted.
    pub kinds: Vec<String>,
    kind_of: Vec<u16>,
    evaluation_order: Vec<usize>,
    /// By binding and row of its headers: what is replayed; `None`: everything.
    part: Option<&'a [Vec<bool>]>,
    /// The position at which the log is cut, if it is.
    until: Option<i64>,
}

/// An event of a header: an event of a binding, or one item of it.
#[derive(Clone, Copy)]
pub struct Operation {
    pub header: u32,
    pub binding: u32,
    pub event: u32,
    first_item: u32,
    last_item: u32,
    names_header: bool,
    /// The place of the event in valid order.
    pub rank: u32,
}

/// What the replay of some headers brought.
#[derive(Default)]
pub struct Outcome {
    pub ledger: LedgerRows,
    pub lines: LineRows,
    /// The header event of each header that has one.
    pub header_sources: Vec<(u32, Source)>,
    pub held: u64,
    pub over_reversed: u64,
    pub placed_again: u64,
    /// By role.
    pub before_first: Vec<u64>,
    pub after_close: Vec<u64>,
}

impl Outcome {
    fn new(roles: usize) -> Self {
        Self { before_first: vec![0; roles], after_close: vec![0; roles], ..Self::default() }
    }
}

impl<'a> Replay<'a> {
    /// Prepares the replay of a fact; `versions` are those of its roles.
    pub fn new(fact: &'a Fact, bindings: &'a Bindings<'a>, versions: Vec<&'a Versions>, zone: Tz) -> Self {
        let mut kinds: Vec<String> = fact.events.iter().map(|event| event.kind.clone()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let rank = |event: &FactEvent| kinds.binary_search(&event.kind).unwrap_or_default() as u16;
        let kind_of = fact.events.iter().map(rank).collect();
        let evaluation_order = evaluation_order(&fact.measures);
        let bindings = &bindings.all;
        let (part, until) = (None, None);
        Self { fact, bindings, versions, zone, kind_of, evaluation_order, kinds, part, until }
    }

    /// Replays only this part: by binding and row of its headers.
    pub fn only(mut self, part: &'a [Vec<bool>]) -> Self {
        self.part = Some(part);
        self
    }

    /// Replays the log as it was at this position.
    pub fn until(mut self, position: i64) -> Self {
        self.until = Some(position);
        self
    }

    /// Replays everything, in parts: how they are cut decides no row.
    pub fn run(&self, stop: &Stop) -> Result<Vec<Outcome>> {
        let operations = self.operations()?;
        let headed = operations.partition_point(|operation| operation.header != NONE);
        let (headed, loose) = operations.split_at(headed);
        let mut parts: Vec<Outcome> = chunks(headed)
            .par_iter()
            .map(|chunk| {
                let mut outcome = Outcome::new(self.fact.roles.len());
                let mut header = Header::new(self);
                for operations in chunk.chunk_by(|one, other| one.header == other.header) {
                    stop.go_on()?;
                    let replayed = header.replay(operations, &mut outcome);
                    replayed.map_err(|error| self.among(error, operations))?;
                }
                Ok(outcome)
            })
            .collect::<Result<_>>()?;
        let mut rest = Outcome::new(self.fact.roles.len());
        for operation in loose {
            self.loose(operation, &mut rest)?;
        }
        parts.push(rest);
        Ok(parts)
    }

    /// An error of the data, with the events of the header at which it came up.
    fn among(&self, error: Error, operations: &[Operation]) -> Error {
        if error.who() != Who::Data {
            return error;
        }
        let event = |operation: &Operation| {
            let events = self.bindings[operation.binding as usize].items.events;
            (events.name(), events.position[operation.event as usize])
        };
        let names: Vec<String> =
            operations.iter().map(event).map(|(name, position)| format!("{position} (`{name}`)")).collect();
        let message = format!("{error}; it comes from these events, which go together: {}", names.join(", "));
        let (name, position) = operations.last().map(event).unwrap_or_default();
        Error::data(message).next(look_up(name, position))
    }

    /// All events by header in valid order; those without one last.
    fn operations(&self) -> Result<Vec<Operation>> {
        let mut operations = Vec::new();
        for (b, binding) in self.bindings.iter().enumerate() {
            for row in 0..binding.header.len() {
                let (event, items) = match binding.header_by_item {
                    true => (binding.items.event_of(row), row..row + 1),
                    false => (row, binding.items.of_event(row)),
                };
                let is_out = self.part.is_some_and(|part| !part[b][row])
                    || self.until.is_some_and(|until| binding.items.events.position[event] > until);
                if is_out {
                    continue;
                }
                operations.push(Operation {
                    header: binding.header[row],
                    binding: b as u32,
                    event: event as u32,
                    first_item: items.start as u32,
                    last_item: items.end as u32,
                    names_header: binding.names_header[row],
                    rank: 0,
                });
            }
        }
        // One narrow column sorts fast: the header, then the row, so that no two are equal.
        let keys =
            operations.iter().zip(0i64..).map(|(operation, row)| (i64::from(operation.header) << 31) | row);
        let order = sort_order(&[keys.collect()])?;
        let mut operations: Vec<Operation> = order.iter().map(|&row| operations[row as usize]).collect();
        operations.par_chunk_by_mut(|one, other| one.header == other.header).for_each(|operations| {
            operations.sort_unstable_by_key(|operation| self.valid_order(operation));
        });
        operations.iter_mut().zip(0..).for_each(|(operation, rank)| operation.rank = rank);
        Ok(operations)
    }

    /// Time, producer's order, position, place in the list (DESIGN 3).
    fn valid_order(&self, operation: &Operation) -> (i64, i64, i64, u32) {
        let events = self.bindings[operation.binding as usize].items.events;
        let event = operation.event as usize;
        (events.time[event], events.order[event], events.position[event], operation.first_item)
    }

    /// An event that belongs to no header, or to one that never came.
    fn loose(&self, operation: &Operation, outcome: &mut Outcome) -> Result<()> {
        let binding = &self.bindings[operation.binding as usize];
        if operation.names_header {
            outcome.held += operation.items().len() as u64;
            return Ok(());
        }
        for item in operation.items() {
            let source = operation.source(item);
            let line = match (&binding.declared.action, &self.fact.line) {
                (FactAction::Place { .. }, Some(_)) => binding.line_of(item),
                _ => NO_LINE,
            };
            let sign = match binding.declared.action {
                FactAction::Place { .. } => 1,
                FactAction::Reverse { .. } => -1,
                _ => {
                    outcome.held += 1;
                    continue;
                }
            };
            let time = self.time(source);
            let members =
                (0..self.fact.roles.len()).map(|role| self.member(source, role)).collect::<Vec<_>>();
            let keys = self.keys(&members, time, outcome);
            let row = NewRow { source, header: NONE, line, kind: self.kind(source), time, keys: &keys };
            if sign == 1 {
                self.book(&row, None, outcome)?;
                continue;
            }
            let mut values = vec![0; self.fact.measures.len()];
            for &m in &self.evaluation_order {
                let measure = &self.fact.measures[m];
                let sign = if measure.additivity == Additivity::Additive { -1 } else { 1 };
                values[m] = match (binding.stated(m, item), &measure.formula) {
                    (Some(stated), _) => sign * stated,
                    (None, Some(_)) => self.computed(m, &values)?,
                    (None, None) => sign * measure.default.unwrap_or(0),
                };
            }
            self.book(&row, Some((&values, smallvec![source])), outcome)?;
        }
        Ok(())
    }

    /// Adds a row to the ledger.
    pub fn book(
        &self,
        row: &NewRow<'_>,
        made: Option<(&[i128], Origins)>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let items = &self.bindings[row.source.binding as usize].items;
        let rows = &mut outcome.ledger;
        rows.source.push(row.source);
        rows.position.push(items.events.position[row.source.event as usize]);
        rows.item.push(items.number(row.source.item as usize));
        rows.header.push(row.header);
        rows.line.push(row.line);
        rows.kind.push(row.kind);
        rows.day.push(self.day(row.time)?);
        rows.occurred_at.push(row.time);
        rows.keys.extend_from_slice(row.keys);
        match made {
            None => rows.made_row.push(NONE),
            Some((values, origins)) => {
                rows.made_row.push(rows.made.len() as u32);
                rows.made.values.extend_from_slice(values);
                rows.made.origins.push(origins);
            }
        }
        Ok(())
    }

    /// The instant of an event, UTC microseconds.
    pub fn time(&self, source: Source) -> i64 {
        self.bindings[source.binding as usize].items.events.time[source.event as usize]
    }

    /// The calendar day of an instant.
    pub fn day(&self, time: i64) -> Result<Day> {
        day_of(time, self.zone)
    }

    /// The rank of an event's kind.
    pub fn kind(&self, source: Source) -> u16 {
        self.kind_of[source.binding as usize]
    }

    /// Whom an item names in a role; [`NOT_CARRIED`] where its event cannot say.
    pub fn member(&self, source: Source, role: usize) -> u32 {
        match &self.bindings[source.binding as usize].roles[role] {
            Some(members) => members.of(source.event as usize, source.item as usize),
            None => NOT_CARRIED,
        }
    }

    /// The keys of members at an instant (DESIGN 13, 16).
    pub fn keys(&self, members: &[u32], instant: i64, outcome: &mut Outcome) -> Few<i64> {
        let key = |(role, &member): (usize, &u32)| match member {
            NOT_CARRIED => NOT_APPLICABLE,
            NONE | ABSENT => UNKNOWN,
            member => {
                let (version, found) = self.versions[role].at(member as usize, instant);
                match found {
                    Found::Valid => {}
                    Found::BeforeFirst => outcome.before_first[role] += 1,
                    Found::AfterClose => outcome.after_close[role] += 1,
                }
                self.versions[role].key[version]
            }
        };
        members.iter().enumerate().map(key).collect()
    }

    /// A measure as its formula gives it from the others of the row.
    pub fn computed(&self, measure: usize, values: &[i128]) -> Result<i128> {
        let declared = &self.fact.measures[measure];
        match &declared.formula {
            Some(formula) => {
                let row = Row { values, measures: &self.fact.measures };
                let numbers = evaluate(formula, &row, declared)?;
                numbers.get(0).ok_or_else(|| overflow(&declared.name, declared.value_type, ""))
            }
            None => Ok(values[measure]),
        }
    }

    /// The measures in the order in which they can be computed.
    pub fn evaluation_order(&self) -> &[usize] {
        &self.evaluation_order
    }

    /// What a part takes of an amount, where `before` of `whole` was taken already: shares add up.
    pub fn portion(value: i128, before: i128, taken: i128, whole: i128) -> Result<i128> {
        Ok(share(value, before + taken, whole)? - share(value, before, whole)?)
    }
}

/// A row to be booked.
pub struct NewRow<'a> {
    pub source: Source,
    pub header: u32,
    pub line: i64,
    pub kind: u16,
    pub time: i64,
    pub keys: &'a [i64],
}

impl Operation {
    /// The items that it consists of.
    pub fn items(&self) -> std::ops::Range<usize> {
        self.first_item as usize..self.last_item as usize
    }

    /// One of its items.
    pub fn source(&self, item: usize) -> Source {
        Source { binding: self.binding, event: self.event, item: item as u32 }
    }
}

/// Parts of about equal size that do not cut a header in two.
fn chunks(operations: &[Operation]) -> Vec<&[Operation]> {
    let size = operations.len() / 16 + 1;
    let mut rest = operations;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let mut end = size.min(rest.len());
        while end < rest.len() && rest[end].header == rest[end - 1].header {
            end += 1;
        }
        let (chunk, behind) = rest.split_at(end);
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}
