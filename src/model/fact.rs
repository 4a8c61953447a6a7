//! Facts: a signed ledger of lines, and one accumulating row a line (DESIGN 19-22).

use super::{Expression, FieldRef, KeyColumn, ValueType};
use serde::Serialize;

/// A fact: lines under headers, placed, amended and reversed by events.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// `orders`: the ledger is `fact_orders`.
    pub name: String,
    /// `order_lines`: the accumulating table is `fact_order_lines`. None: it is not built.
    pub lines_name: Option<String>,
    /// The columns that name a header. Empty: lines stand alone, and nothing can be reversed.
    pub header: Vec<KeyColumn>,
    /// The column that names a line under its header. None: a header has one line.
    pub line: Option<KeyColumn>,
    /// The dimensions of a row, each with the name that its key column `<name>_key` bears.
    pub roles: Vec<Role>,
    /// Columns taken over from events.
    pub columns: Vec<CarriedColumn>,
    pub measures: Vec<Measure>,
    /// Index of the measure by which a line is used up. Additive.
    pub quantity: Option<usize>,
    /// Index of the measure that is a price: matched by reversals that name no line. Not additive.
    pub price: Option<usize>,
    /// In declared order; the first is the one that days are counted from.
    pub milestones: Vec<String>,
    pub events: Vec<FactEvent>,
}

/// A dimension in the part that it plays in a fact.
#[derive(Debug, Clone, Serialize)]
pub struct Role {
    pub name: String,
    /// Index into [`super::Model::dimensions`].
    pub dimension: usize,
}

/// A column that goes from the event to the fact as it is.
#[derive(Debug, Clone, Serialize)]
pub struct CarriedColumn {
    pub name: String,
    pub value_type: ValueType,
}

/// A number of a fact.
#[derive(Debug, Clone, Serialize)]
pub struct Measure {
    pub name: String,
    /// `Integer` or `Decimal`.
    pub value_type: ValueType,
    pub additivity: Additivity,
    /// Computed from other measures ([`Expression::Measure`]) where an event does not state it.
    pub formula: Option<Expression>,
    /// Taken where an event neither states nor computes it; in the measure's own scale.
    pub default: Option<i128>,
}

/// Whether a measure may be summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Additivity {
    /// Adds up; signed in the ledger.
    Additive,
    /// Does not add up (a price); never signed.
    NonAdditive,
}

/// How one event type touches a fact.
#[derive(Debug, Clone, Serialize)]
pub struct FactEvent {
    /// Index into [`super::Model::events`].
    pub event: usize,
    /// Once for each item of this list, or once for the event.
    pub list: Option<usize>,
    /// The value of `kind` and of a line's status: `placed`, `cancelled`, `shipped`, ...
    pub kind: String,
    /// The milestone that the kind names, if it names one: index into [`Fact::milestones`].
    pub milestone: Option<usize>,
    pub action: FactAction,
    /// The header, one field for each column; empty if the event cannot name one.
    pub header: Vec<FieldRef>,
    /// The line.
    pub line: Option<FieldRef>,
    /// For each role, the member's natural key, if the event carries it.
    pub roles: Vec<Option<Vec<FieldRef>>>,
    /// For each carried column, its field, if the event carries it.
    pub columns: Vec<Option<FieldRef>>,
    /// For each measure, an expression over the event's fields ([`Expression::Field`]), if the event states it.
    pub measures: Vec<Option<Expression>>,
}

/// What an event does to a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FactAction {
    /// Says what lines under a header have in common; adds no row of its own.
    Header,
    /// Adds a line.
    Place {
        /// Where the date, the time and the instant of the look-up come from.
        date_from: DateFrom,
    },
    /// Subtracts from lines.
    Reverse { target: ReversalTarget, takes: Takes, over: OverReversing },
    /// Reverses a line as placed and places it anew.
    Amend,
    /// Only reaches a milestone; adds no row.
    Milestone,
}

/// The event that dates a placed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum DateFrom {
    /// The placing event itself.
    Event,
    /// The header event: the line waits for it.
    Header,
}

/// What a reversal (or the item of one) names. Each of them names no header where the header's fields are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ReversalTarget {
    /// Every line of the header.
    Header,
    /// The line that its line field names.
    Line,
    /// The header's lines with the same members in these roles (DESIGN 20).
    Members(Vec<usize>),
}

/// What a reversal without a quantity takes (DESIGN 19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Takes {
    /// The line as placed.
    Placed,
    /// What is left of it, never below zero.
    Left,
}

/// What happens to a reversal (or the item of one) that takes more than is left of a line (DESIGN 22).
///
/// What is left is known only when the header is replayed, and a late event may change it. So what is rejected here is
/// an event of the log all the same, and not among the log's rejects, which are lines that are no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum OverReversing {
    /// It happened all the same: it is booked, and counted.
    Book,
    /// It did not happen, not even in part: it adds no row and changes no line, and is counted.
    Reject,
}

impl FactEvent {
    /// Every field that the binding reads; a list that it walks is among them by one of its fields.
    pub fn fields(&self) -> impl Iterator<Item = FieldRef> {
        let mut fields = self.header.clone();
        fields.extend(self.line);
        fields.extend(self.roles.iter().flatten().flatten().copied());
        fields.extend(self.columns.iter().flatten().copied());
        self.measures.iter().flatten().for_each(|measure| measure.fields(&mut fields));
        fields.extend(self.list.map(|list| FieldRef { list: Some(list), field: 0 }));
        fields.into_iter()
    }
}
