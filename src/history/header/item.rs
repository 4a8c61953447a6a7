//! One item of an event of the header, and what it is about.

use super::{Few, Line};
use crate::history::binding::Binding;
use crate::history::replay::{NewRow, Operation, Replay};
use crate::history::roles::ABSENT;
use crate::history::rows::Source;
use crate::model::{FactAction, ReversalTarget};

/// One item of an event.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pub binding: &'a Binding<'a>,
    pub source: Source,
    pub kind: u16,
    /// UTC microseconds.
    pub time: i64,
    /// The place of its event in valid order.
    pub rank: u32,
    header: u32,
}

/// What an item is about: lines, which may not be there yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    /// All lines of the header.
    Header,
    /// The line of this rank.
    Line(i64),
    /// The lines with these members in these roles.
    Members { roles: &'a [usize], members: Few<u32> },
    /// Lines of members, one of whom is missing: nobody is not somebody, so there are none.
    Nobody,
}

impl<'a> Item<'a> {
    /// An item of an operation.
    pub fn new(replay: &'a Replay<'a>, operation: &Operation, item: usize) -> Self {
        let source = operation.source(item);
        Self {
            binding: &replay.bindings[source.binding as usize],
            source,
            kind: replay.kind(source),
            time: replay.time(source),
            rank: operation.rank,
            header: operation.header,
        }
    }

    /// The line that it names.
    pub fn line(&self) -> i64 {
        self.binding.line_of(self.source.item as usize)
    }

    /// What it states of a measure.
    pub fn stated(&self, measure: usize) -> Option<i128> {
        self.binding.stated(measure, self.source.item as usize)
    }

    /// What a reversal, an amendment or a milestone is about.
    pub fn subject(&self, replay: &Replay<'_>) -> Subject<'a> {
        match &self.binding.declared.action {
            FactAction::Reverse { target: ReversalTarget::Header, .. } => Subject::Header,
            FactAction::Reverse { target: ReversalTarget::Members(roles), .. } => {
                let members: Few<u32> = roles.iter().map(|&role| replay.member(self.source, role)).collect();
                match members.iter().all(|&member| member < ABSENT) {
                    true => Subject::Members { roles, members },
                    false => Subject::Nobody,
                }
            }
            FactAction::Reverse { target: ReversalTarget::Line, .. } => Subject::Line(self.line()),
            _ if self.binding.line.is_some() => Subject::Line(self.line()),
            _ => Subject::Header,
        }
    }

    /// A row of the ledger that it makes of a line.
    pub fn row<'k>(&self, line: i64, kind: u16, keys: &'k [i64]) -> NewRow<'k> {
        NewRow { source: self.source, header: self.header, line, kind, time: self.time, keys }
    }
}

impl Subject<'_> {
    /// Whether a line is among what the item is about.
    pub fn has(&self, line: &Line) -> bool {
        match self {
            Self::Header => true,
            Self::Line(rank) => line.rank == *rank,
            Self::Members { roles, members } => {
                roles.iter().zip(members).all(|(&role, member)| line.members[role] == *member)
            }
            Self::Nobody => false,
        }
    }
}
