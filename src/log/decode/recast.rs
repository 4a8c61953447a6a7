//! The kept payloads of events of older versions → columns under the contract of today.

use super::amounts::Amounts;
use super::column::Column;
use super::fields::{Notes, Place, Reading};
use super::plan::{EventPlan, Plan};
use super::rows::PayloadRows;
use super::upcast::lift_payload;
use crate::log::json::{Members, Scanner, Tree};
use crate::log::reject::Flaw;
use crate::model::{Unknown, ValueType};
use arrow::array::ArrayRef;
use arrow::error::ArrowError;

/// Columns in the making.
pub struct Recast<'p> {
    plan: &'p Plan,
    contract: &'p EventPlan,
    amounts: &'p [Amounts],
    payload: PayloadRows,
    absent: Column,
    unknown: Column,
    original: Column,
    notes: Notes,
}

/// The columns of some events.
pub struct RecastColumns {
    pub absent: ArrayRef,
    pub unknown: ArrayRef,
    pub original: ArrayRef,
    /// Fields, then lists.
    pub payload: Vec<ArrayRef>,
}

impl<'p> Recast<'p> {
    /// Nothing yet, of the event type with this index.
    pub fn new(plan: &'p Plan, event: usize, contract: &'p EventPlan) -> Self {
        let text = || Column::new(ValueType::Text);
        Self {
            plan,
            contract,
            amounts: plan.amounts.get(event).map(Vec::as_slice).unwrap_or_default(),
            payload: PayloadRows::new(contract),
            absent: text(),
            unknown: text(),
            original: text(),
            notes: Notes::default(),
        }
    }

    /// Adds an event: its version, its payload as it came, and what was unknown of it so far.
    ///
    /// # Errors
    /// The flaw that would make the line a reject today.
    pub fn add(&mut self, version: i64, original: &[u8], unknown: &str) -> Result<(), Flaw> {
        let mut payload = Tree::read_object(original)?;
        self.notes.clear();
        self.keep_beside(&payload, unknown)?;
        lift_payload(self.contract, &mut payload, version, self.plan.envelope.times)?;
        let mut text = Vec::with_capacity(original.len());
        payload.write(&mut text);
        let (set, lists) = (&self.contract.payload, &self.contract.lists);
        let mut reading = Reading {
            scanner: Scanner::again(&text),
            notes: &mut self.notes,
            times: self.plan.envelope.times,
            hashes: false,
            // An event that was taken stays: a policy is for lines.
            judges: false,
            unknown: Unknown::Evolve,
            flaw: None,
        };
        reading.scanner.open_line()?;
        reading.scanner.enter(1)?;
        let mut object = reading.begin(set);
        let mut count = 0;
        while let Some(key) = reading.scanner.next_key(&mut count)? {
            reading.member(&mut object, key, set, &mut self.payload, lists, 1)?;
        }
        reading.end(&object, set, &mut self.payload.fields, Place::Payload)?;
        if let Some(flaw) = reading.flaw {
            return Err(flaw);
        }
        self.amounts.iter().try_for_each(|amounts| amounts.check(&self.payload))?;
        let notes = &mut self.notes;
        if !notes.unknown.is_empty() {
            notes.unknown.push(b'}');
        }
        for (column, note) in [(&mut self.absent, &notes.absent), (&mut self.unknown, &notes.unknown)] {
            if note.is_empty() {
                column.push_null();
            } else {
                column.push_text(note);
            }
        }
        self.original.push_text(original);
        Ok(())
    }

    /// What stood beside the payload, undeclared, is still there.
    fn keep_beside(&mut self, payload: &Members<'_>, unknown: &str) -> Result<(), Flaw> {
        if unknown.is_empty() || self.plan.envelope.payload.is_none() {
            return Ok(());
        }
        let mut beside = Members::default();
        for (name, value) in Tree::read_members(unknown.as_bytes())? {
            if name.starts_with("envelope.") && payload.get(&name).is_none() {
                beside.push(&name, value);
            }
        }
        if !beside.is_empty() {
            beside.write(&mut self.notes.unknown);
            self.notes.unknown.pop();
        }
        Ok(())
    }

    /// The columns of all events that were added.
    pub fn finish(self) -> Result<RecastColumns, ArrowError> {
        Ok(RecastColumns {
            absent: self.absent.finish()?,
            unknown: self.unknown.finish()?,
            original: self.original.finish()?,
            payload: self.payload.finish(self.contract)?,
        })
    }
}
