//! The text that was kept of undeclared fields → the columns of fields that are declared by now.
//!
//! The same decoder reads them that would read their lines today, so the log says the same whenever it took them.

use super::column::Column;
use super::fields::{Notes, Place, Reading};
use super::plan::{EventPlan, ListPlan, Shape};
use super::rows::PayloadRows;
use super::time::Times;
use crate::log::json::Scanner;
use crate::log::reject::{Code, Flaw};
use crate::model::{EventType, Field, ListField, Unknown, ValueType};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use std::collections::HashMap;

/// What a contract declares and stored events lack.
pub struct Missing {
    /// Fields and lists of the payload.
    pub payload: EventPlan,
    /// Lists that are stored, each with the fields that its items lack.
    pub items: Vec<ListPlan>,
    times: Times,
}

/// Columns in the making: of the payload, of stored lists, and what is now absent or still unknown.
pub struct Lifted<'m> {
    missing: &'m Missing,
    payload: PayloadRows,
    items: Vec<Vec<Column>>,
    absent: Column,
    unknown: Column,
    notes: Notes,
}

/// The columns of some events.
pub struct LiftedColumns {
    pub absent: ArrayRef,
    pub unknown: ArrayRef,
    /// The payload's: fields, then lists.
    pub payload: Vec<ArrayRef>,
    /// For each of [`Missing::items`], its columns.
    pub items: Vec<Vec<ArrayRef>>,
}

impl Missing {
    /// What events with these columns lack; `None` if nothing.
    pub fn of(contract: &EventType, stored: &Schema, times: Times) -> Option<Self> {
        let is_stored = |name: &str| stored.column_with_name(name).is_some();
        let part = |fields: Vec<Field>, lists: Vec<ListField>| {
            // An event that was taken stays: a policy is for lines.
            let (unknown, upcasts) = (Unknown::Evolve, Vec::new());
            EventPlan::new(&EventType { fields, lists, unknown, upcasts, ..contract.clone() })
        };
        let fields: Vec<Field> =
            contract.fields.iter().filter(|field| !is_stored(&field.name)).cloned().collect();
        let lists: Vec<ListField> =
            contract.lists.iter().filter(|list| !is_stored(&list.name)).cloned().collect();
        let of_items = |list: &ListField| {
            let (_, column) = stored.column_with_name(&list.name)?;
            let DataType::List(element) = column.data_type() else { return None };
            let DataType::Struct(known) = element.data_type() else { return None };
            let fields: Vec<Field> =
                list.fields.iter().filter(|field| known.find(&field.name).is_none()).cloned().collect();
            (!fields.is_empty()).then(|| ListField { name: list.name.clone(), fields })
        };
        let items: Vec<ListField> = contract.lists.iter().filter_map(of_items).collect();
        let is_whole = fields.is_empty() && lists.is_empty() && items.is_empty();
        (!is_whole).then(|| Self {
            payload: part(fields, lists),
            items: part(Vec::new(), items).lists,
            times,
        })
    }

    /// The list, item and member that a key such as `list[0].field` means, if it is one of those that items lack.
    fn item_of(&self, key: &[u8]) -> Option<(usize, usize, usize)> {
        let key = std::str::from_utf8(key).ok()?;
        self.items.iter().enumerate().find_map(|(list, plan)| {
            let (item, name) = key.strip_prefix(plan.name.as_str())?.strip_prefix('[')?.split_once("].")?;
            let member = plan.item.members.iter().position(|member| member.name == name)?;
            Some((list, item.parse().ok()?, member))
        })
    }
}

impl<'m> Lifted<'m> {
    pub fn new(missing: &'m Missing) -> Self {
        let columns = |plan: &ListPlan| plan.columns.iter().map(|(_, kind)| Column::new(*kind)).collect();
        Self {
            missing,
            payload: PayloadRows::new(&missing.payload),
            items: missing.items.iter().map(columns).collect(),
            absent: Column::new(ValueType::Text),
            unknown: Column::new(ValueType::Text),
            notes: Notes::default(),
        }
    }

    /// Adds an event: what was absent of it, what was unknown, and the length of each of [`Missing::items`].
    ///
    /// # Errors
    /// The flaw that would make the line a reject today.
    pub fn add(&mut self, absent: &str, unknown: &str, lengths: &[usize]) -> Result<(), Flaw> {
        self.notes.clear();
        let missing = self.missing;
        let unknown = if unknown.is_empty() { "{}" } else { unknown };
        let mut reading = Reading {
            scanner: Scanner::again(unknown.as_bytes()),
            notes: &mut self.notes,
            times: missing.times,
            hashes: false,
            // An event that was taken stays: a policy is for lines.
            judges: false,
            unknown: Unknown::Evolve,
            flaw: None,
        };
        let (set, lists) = (&missing.payload.payload, &missing.payload.lists);
        let mut of_items = HashMap::new();
        reading.scanner.open_line()?;
        reading.scanner.enter(1)?;
        let mut object = reading.begin(set);
        let mut count = 0;
        while let Some(key) = reading.scanner.next_key(&mut count)? {
            // The members of all items stand here side by side: there may be more than one object may have.
            count = 1;
            if let Some(place) = missing.item_of(&key.value()) {
                let start = reading.scanner.at();
                reading.scanner.value(1, &mut reading.notes.scratch)?;
                of_items.insert(place, reading.scanner.since(start));
            } else {
                reading.member(&mut object, key, set, &mut self.payload, lists, 1)?;
            }
        }
        reading.end(&object, set, &mut self.payload.fields, Place::Payload)?;
        for (list, ((plan, columns), &length)) in
            missing.items.iter().zip(&mut self.items).zip(lengths).enumerate()
        {
            for item in 0..length {
                for (at, member) in plan.item.members.iter().enumerate() {
                    let Shape::Scalar { column, optional } = member.shape else { continue };
                    let Some(column) = columns.get_mut(column) else { continue };
                    if let Some(text) = of_items.get(&(list, item, at)) {
                        reading.scanner = Scanner::again(text);
                        reading.scalar(column, optional, &member.name, 1)?;
                    } else if optional {
                        column.push_null();
                        reading.absent(&member.name, Place::Item(&plan.name, item));
                    } else {
                        let message = format!("{} is missing", member.name);
                        reading.breach(|| Flaw::new(Code::MissingField, message));
                    }
                }
            }
        }
        if let Some(flaw) = reading.flaw {
            return Err(flaw);
        }
        let notes = &mut self.notes;
        if !notes.unknown.is_empty() {
            notes.unknown.push(b'}');
        }
        if !absent.is_empty() && !notes.absent.is_empty() {
            notes.absent.push(b',');
        }
        notes.absent.extend_from_slice(absent.as_bytes());
        for (column, note) in [(&mut self.absent, &notes.absent), (&mut self.unknown, &notes.unknown)] {
            if note.is_empty() {
                column.push_null();
            } else {
                column.push_text(note);
            }
        }
        Ok(())
    }

    /// The columns of all events that were added.
    pub fn finish(self) -> Result<LiftedColumns, ArrowError> {
        let finish =
            |columns: Vec<Column>| columns.into_iter().map(Column::finish).collect::<Result<Vec<_>, _>>();
        Ok(LiftedColumns {
            absent: self.absent.finish()?,
            unknown: self.unknown.finish()?,
            payload: self.payload.finish(&self.missing.payload)?,
            items: self.items.into_iter().map(finish).collect::<Result<_, _>>()?,
        })
    }
}
