//! The deeds of one header after the other, in valid order → ledger rows and lines (DESIGN 19-22).

use super::calendar::day;
use super::deed::{Deed, RoleSaid};
use super::dimension::{DimensionTables, NOT_APPLICABLE, UNKNOWN};
use super::measure::complete;
use super::reading::ValidOrder;
use super::reversal;
use super::value::{NaturalKey, Value, days_since_1970};
use chrono::NaiveDate;
use starlog::model::{DateFrom, Fact, FactAction, Model};
use std::collections::BTreeMap;

/// What came of one fact.
#[derive(Debug, Default)]
pub struct Ledger {
    pub rows: Vec<LedgerRow>,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone)]
pub struct LedgerRow {
    pub position: u64,
    pub item: u64,
    /// Nulls where the row names no header.
    pub header: Vec<Value>,
    pub line: Value,
    pub kind: String,
    pub occurred_at: i64,
    pub date: NaiveDate,
    pub columns: Vec<Value>,
    pub role_keys: Vec<i64>,
    pub measures: Vec<Option<i128>>,
}

/// A line that has been placed.
#[derive(Debug, Clone)]
pub struct Line {
    pub header: Vec<Value>,
    pub line: Value,
    /// The event that placed it first, and the place in its list.
    pub first: (u64, u64),
    /// The newest placing: first, repeated, or amended.
    pub placing: Placing,
    /// What is left of the quantity.
    pub left: i128,
    /// What has been reversed since the newest placing.
    pub reversed: i128,
    /// Whether any row has reversed it since then, be it of no quantity.
    pub was_reversed: bool,
    pub status: String,
    /// (place in valid order, milestone, day) of all that has happened to it.
    pub reached: Vec<(ValidOrder, usize, NaiveDate)>,
}

/// A line as placed.
#[derive(Debug, Clone)]
pub struct Placing {
    pub kind: String,
    pub members: Vec<Member>,
    pub role_keys: Vec<i64>,
    pub columns: Vec<Value>,
    pub measures: Vec<Option<i128>>,
    /// For each measure, whether the placing event says it itself instead of leaving it to a formula.
    pub says: Vec<bool>,
}

/// Who stands in a role.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    NotApplicable,
    Unknown,
    Known(NaturalKey),
}

/// The whole fact: every header by itself, and what names none.
pub fn replay(model: &Model, fact: &Fact, dimensions: &[DimensionTables], deeds: &[Deed]) -> Ledger {
    let mut by_header: BTreeMap<NaturalKey, Vec<&Deed>> = BTreeMap::new();
    let mut ledger = Ledger::default();
    for deed in deeds {
        match &deed.header {
            Some(header) => by_header.entry(header.clone()).or_default().push(deed),
            None => Replay::new(model, fact, dimensions, None).run(vec![deed], &mut ledger),
        }
    }
    for (header, deeds) in by_header {
        Replay::new(model, fact, dimensions, Some(header)).run(deeds, &mut ledger);
    }
    ledger
}

/// The replay of one header.
pub struct Replay<'a> {
    model: &'a Model,
    pub fact: &'a Fact,
    dimensions: &'a [DimensionTables],
    header: Option<NaturalKey>,
    pub rows: Vec<LedgerRow>,
    pub lines: BTreeMap<Value, Line>,
}

impl<'a> Replay<'a> {
    fn new(
        model: &'a Model,
        fact: &'a Fact,
        dimensions: &'a [DimensionTables],
        header: Option<NaturalKey>,
    ) -> Self {
        Self { model, fact, dimensions, header, rows: Vec::new(), lines: BTreeMap::new() }
    }

    fn run(mut self, mut deeds: Vec<&Deed>, ledger: &mut Ledger) {
        deeds.sort_by_key(|deed| deed.valid_order());
        let header = deeds.iter().find(|deed| deed.binding.action == FactAction::Header).copied();
        let mut held: Vec<&Deed> = Vec::new();
        for event in deeds.chunk_by(|left, right| left.position == right.position) {
            let mut placed = false;
            for deed in event {
                let applied = self.apply(deed, header);
                placed |=
                    applied && matches!(deed.binding.action, FactAction::Place { .. } | FactAction::Amend);
                if !applied {
                    held.push(deed);
                }
            }
            if placed {
                self.apply_held(&mut held, header);
            }
        }
        ledger.rows.append(&mut self.rows);
        ledger.lines.extend(self.lines.into_values());
    }

    /// What stood before its placing is applied right after it, in valid order (22).
    fn apply_held(&mut self, held: &mut Vec<&Deed>, header: Option<&Deed>) {
        while let Some(index) = held.iter().position(|deed| self.apply(deed, header)) {
            held.remove(index);
        }
    }

    /// Whether the deed could be applied; if not, it is held.
    fn apply(&mut self, deed: &Deed, header: Option<&Deed>) -> bool {
        match &deed.binding.action {
            FactAction::Header => true,
            FactAction::Place { date_from: DateFrom::Event } => self.place(deed, header, deed.time),
            FactAction::Place { date_from: DateFrom::Header } => match header {
                Some(header) => self.place(deed, Some(header), header.time),
                None => true, // waits for its header: not placed, and nothing can be done to it
            },
            FactAction::Reverse { target, takes, over } => reversal::apply(self, deed, target, *takes, *over),
            FactAction::Amend => self.amend(deed),
            FactAction::Milestone => self.reach(deed),
        }
    }

    /// Adds a line, or places it once more. What the event does not carry comes from the header.
    fn place(&mut self, deed: &Deed, header: Option<&Deed>, time: i64) -> bool {
        let members: Vec<Member> = (0..self.fact.roles.len())
            .map(|role| match (&deed.roles[role], header.map(|header| &header.roles[role])) {
                (RoleSaid::Member(member), _) => Member::Known(member.clone()),
                (RoleSaid::Null, _) => Member::Unknown,
                (_, Some(RoleSaid::Member(member))) => Member::Known(member.clone()),
                (_, Some(RoleSaid::Null | RoleSaid::Absent)) | (RoleSaid::Absent, _) => Member::Unknown,
                (RoleSaid::NotCarried, Some(RoleSaid::NotCarried) | None) => Member::NotApplicable,
            })
            .collect();
        let from_header = |index: usize| header.and_then(|header| header.columns[index].clone());
        let columns = deed.columns.iter().enumerate();
        let placing = Placing {
            kind: deed.binding.kind.clone(),
            role_keys: self.keys(&members, time),
            members,
            columns: columns
                .map(|(i, own)| own.clone().or_else(|| from_header(i)).unwrap_or(Value::Null))
                .collect(),
            measures: complete(
                self.fact,
                |index| deed.stated[index],
                |index| self.fact.measures[index].default,
            ),
            says: deed.binding.measures.iter().map(Option::is_some).collect(),
        };
        let date = day(self.model, time);
        let row = self.row(deed, deed.line.clone(), &placing);
        self.rows.push(LedgerRow { occurred_at: time, date, ..row });
        if self.header.is_none() {
            return true; // stands alone: nothing can name it any more
        }
        let quantity = self.quantity(&placing);
        let key = deed.line.clone().unwrap_or(Value::Null);
        let milestone = deed.binding.milestone.map(|milestone| (deed.valid_order(), milestone, date));
        match self.lines.get_mut(&key) {
            Some(line) => {
                line.placing = placing;
                line.left += quantity;
                (line.reversed, line.was_reversed) = (0, false);
                line.status.clone_from(&deed.binding.kind);
                line.reached.extend(milestone);
            }
            None => {
                let line = Line {
                    header: self.header.clone().unwrap_or_default(),
                    line: key.clone(),
                    first: (deed.position, deed.item),
                    placing,
                    left: quantity,
                    reversed: 0,
                    was_reversed: false,
                    status: deed.binding.kind.clone(),
                    reached: milestone.into_iter().collect(),
                };
                self.lines.insert(key, line);
            }
        }
        true
    }

    /// Takes the line back as placed, and places it anew (19). What is not said stays as it was.
    fn amend(&mut self, deed: &Deed) -> bool {
        let Some(line) = self.lines.get(&deed.line.clone().unwrap_or(Value::Null)) else { return false };
        let mut line = line.clone();
        let old = line.placing.clone();
        let members: Vec<Member> = (deed.roles.iter().zip(&old.members))
            .map(|(said, old)| match said {
                RoleSaid::Member(member) => Member::Known(member.clone()),
                RoleSaid::Null => Member::Unknown,
                RoleSaid::Absent | RoleSaid::NotCarried => old.clone(),
            })
            .collect();
        let columns = deed.columns.iter().zip(&old.columns);
        let new = Placing {
            kind: old.kind.clone(),
            role_keys: self.keys(&members, deed.time),
            members,
            columns: columns.map(|(said, old)| said.clone().unwrap_or_else(|| old.clone())).collect(),
            measures: complete(self.fact, |index| deed.stated[index], |index| old.measures[index]),
            says: old.says.clone(),
        };
        let taken_back = complete(self.fact, |index| self.signed(index, -1, old.measures[index]), |_| None);
        let taken_back = Placing { kind: deed.binding.kind.clone(), measures: taken_back, ..old.clone() };
        self.rows.push(self.row(deed, Some(line.line.clone()), &taken_back));
        self.rows.push(self.row(deed, Some(line.line.clone()), &new));
        line.left += self.quantity(&new) - self.quantity(&old);
        (line.reversed, line.was_reversed) = (0, false);
        line.placing = new;
        self.lines.insert(line.line.clone(), line);
        self.touch(&[deed.line.clone().unwrap_or(Value::Null)], deed);
        true
    }

    /// A milestone of a line, or of all lines placed so far.
    fn reach(&mut self, deed: &Deed) -> bool {
        let lines: Vec<Value> = match deed.binding.line {
            Some(_) => deed.line.iter().filter(|line| self.lines.contains_key(line)).cloned().collect(),
            None => self.lines.keys().cloned().collect(),
        };
        self.touch(&lines, deed);
        !lines.is_empty()
    }

    /// The deed becomes the newest thing that happened to these lines (21).
    pub fn touch(&mut self, lines: &[Value], deed: &Deed) {
        let date = day(self.model, deed.time);
        let milestone = deed.binding.milestone.map(|milestone| (deed.valid_order(), milestone, date));
        for (_, line) in self.lines.iter_mut().filter(|(key, _)| lines.contains(key)) {
            line.status.clone_from(&deed.binding.kind);
            line.reached.extend(milestone);
        }
    }

    /// A ledger row of a deed, dated by the deed itself.
    pub fn row(&self, deed: &Deed, line: Option<Value>, placing: &Placing) -> LedgerRow {
        let no_header = || vec![Value::Null; self.fact.header.len()];
        LedgerRow {
            position: deed.position,
            item: deed.item,
            header: self.header.clone().unwrap_or_else(no_header),
            line: line.unwrap_or(Value::Null),
            kind: placing.kind.clone(),
            occurred_at: deed.time,
            date: day(self.model, deed.time),
            columns: placing.columns.clone(),
            role_keys: placing.role_keys.clone(),
            measures: placing.measures.clone(),
        }
    }

    /// The versions that these members had at an instant (13, 16).
    pub fn keys(&self, members: &[Member], instant: i64) -> Vec<i64> {
        let key = |(member, role): (&Member, &starlog::model::Role)| match member {
            Member::NotApplicable => NOT_APPLICABLE,
            Member::Unknown => UNKNOWN,
            Member::Known(key) => self.dimensions[role.dimension].key_at(key, instant),
        };
        members.iter().zip(&self.fact.roles).map(key).collect()
    }

    /// The quantity of a placing; a line without one counts as one.
    pub fn quantity(&self, placing: &Placing) -> i128 {
        self.fact.quantity.map_or(1, |quantity| placing.measures[quantity].unwrap_or(0))
    }

    /// A measure with the sign of its row; a price bears none.
    pub fn signed(&self, index: usize, sign: i128, value: Option<i128>) -> Option<i128> {
        if super::measure::is_additive(self.fact, index) { value.map(|value| sign * value) } else { value }
    }

    pub fn names_header(&self) -> bool {
        self.header.is_some()
    }
}

/// The days from one date to another.
pub fn days_between(from: NaiveDate, to: NaiveDate) -> i128 {
    i128::from(days_since_1970(to)) - i128::from(days_since_1970(from))
}
