//! What happened to the members of one entity: its own events, with values as small codes.

use super::events::Events;
use super::frame::{NONE, distinct, lookup, sort_order};
use super::members::of_type;
use crate::error::Result;
use crate::model::{DimensionAction, Entity, FieldRef};
use arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array};
use arrow::compute::{concat, take};

/// The code of a value: what an event says of an attribute.
pub type Code = u32;
/// The event does not carry the attribute: it stays as it was (DESIGN 7).
pub const ABSENT: Code = 0;
/// The event sets the attribute to null. Also what an attribute starts from.
pub const NULL: Code = 1;
/// The code of the first value.
pub const FIRST_VALUE: Code = 2;

/// The own events of an entity's members, in the order of their arrival (position, place in the list).
pub struct OwnEvents {
    pub member: Vec<u32>,
    /// UTC microseconds.
    pub time: Vec<i64>,
    pub position: Vec<i64>,
    /// Whether the event ends the member; else it sets what it carries.
    pub closes: Vec<bool>,
    /// Codes of attributes and, last, of the parent: [`OwnEvents::width`] an event.
    codes: Vec<Code>,
    width: usize,
    /// Events by member in valid order: time, producer's order, position, place (DESIGN 3).
    pub valid_order: Vec<u32>,
    /// The values that an attribute's codes stand for, from [`FIRST_VALUE`].
    pub values: Vec<ArrayRef>,
}

impl OwnEvents {
    /// Attributes, and the parent.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.member.len()
    }

    /// What an event says: the codes of the attributes and, last, of the parent.
    pub fn codes(&self, event: usize) -> &[Code] {
        &self.codes[event * self.width..(event + 1) * self.width]
    }

    /// The parent that an event names.
    pub fn parent(&self, event: usize) -> Option<u32> {
        self.codes(event).last().and_then(|&code| code.checked_sub(FIRST_VALUE))
    }

    /// Gathers the own events of an entity from its bindings; `members` and `parents` are by binding and item.
    pub fn gather(
        entity: &Entity,
        events: &[Option<Events>],
        members: &[Vec<u32>],
        parents: &[Option<Vec<u32>>],
    ) -> Result<Self> {
        let width = entity.attributes.len() + 1;
        let mut raw = Raw::default();
        let mut carried: Vec<Vec<Carried>> = entity.attributes.iter().map(|_| Vec::new()).collect();
        for (b, binding) in entity.events.iter().enumerate() {
            let items = of_type(events, binding.event)?.items(binding.list)?;
            let start = raw.member.len();
            raw.member.extend(&members[b]);
            raw.time.extend(items.spread(&items.events.time));
            raw.order.extend(items.spread(&items.events.order));
            raw.position.extend(items.spread(&items.events.position));
            raw.item.extend((0..items.len()).map(|item| items.number(item)));
            raw.closes
                .extend(std::iter::repeat_n(matches!(binding.action, DimensionAction::Close), items.len()));
            let DimensionAction::Set { attributes, parent } = &binding.action else {
                raw.parent.extend(std::iter::repeat_n(ABSENT, items.len()));
                continue;
            };
            let absent = |fields: &[FieldRef]| -> Result<Vec<bool>> {
                let mut any = vec![false; items.len()];
                for &field in fields {
                    for (flag, absent) in any.iter_mut().zip(items.absent(field)?.unwrap_or_default()) {
                        *flag |= absent;
                    }
                }
                Ok(any)
            };
            match (parent, &parents[b]) {
                (Some(fields), Some(parents)) => {
                    let code = |(&parent, absent): (&u32, bool)| match (absent, parent) {
                        (true, _) => ABSENT,
                        (false, NONE) => NULL,
                        (false, parent) => parent + FIRST_VALUE,
                    };
                    raw.parent.extend(parents.iter().zip(absent(fields)?).map(code));
                }
                _ => raw.parent.extend(std::iter::repeat_n(ABSENT, items.len())),
            }
            for &(attribute, field) in attributes {
                let values = items.values(field)?;
                carried[attribute].push(Carried { start, values, absent: absent(&[field])? });
            }
        }
        let mut codes = vec![ABSENT; raw.member.len() * width];
        let mut values = Vec::with_capacity(entity.attributes.len());
        for (a, (attribute, carried)) in entity.attributes.iter().zip(carried).enumerate() {
            values.push(
                encode(&carried, |event, code| codes[event * width + a] = code)?
                    .unwrap_or_else(|| new_empty_array(&attribute.value_type.arrow())),
            );
        }
        for (event, &parent) in raw.parent.iter().enumerate() {
            codes[event * width + width - 1] = parent;
        }
        raw.arrange(&codes, width, values)
    }
}

/// Own events as they come out of the bindings, one binding after the other.
#[derive(Default)]
struct Raw {
    member: Vec<u32>,
    time: Vec<i64>,
    order: Vec<i64>,
    position: Vec<i64>,
    item: Vec<i64>,
    closes: Vec<bool>,
    parent: Vec<Code>,
}

impl Raw {
    /// Puts the events in the order of arrival; those whose natural key is missing name nobody.
    fn arrange(self, codes: &[Code], width: usize, values: Vec<ArrayRef>) -> Result<OwnEvents> {
        let mut arrival = sort_order(&[self.position.clone(), self.item.clone()])?;
        arrival.retain(|&event| self.member[event as usize] != NONE);
        let pick = |column: &[i64]| arrival.iter().map(|&e| column[e as usize]).collect::<Vec<i64>>();
        let member: Vec<u32> = arrival.iter().map(|&event| self.member[event as usize]).collect();
        let by_member = member.iter().map(|&member| i64::from(member)).collect();
        let (time, position) = (pick(&self.time), pick(&self.position));
        let keys = [by_member, time.clone(), pick(&self.order), position.clone(), pick(&self.item)];
        Ok(OwnEvents {
            valid_order: sort_order(&keys)?,
            closes: arrival.iter().map(|&event| self.closes[event as usize]).collect(),
            codes: arrival
                .iter()
                .flat_map(|&event| &codes[event as usize * width..(event as usize + 1) * width])
                .copied()
                .collect(),
            member,
            time,
            position,
            width,
            values,
        })
    }
}

/// The values that one binding carries for an attribute.
struct Carried {
    /// The binding's first event.
    start: usize,
    values: ArrayRef,
    absent: Vec<bool>,
}

/// Gives each value its code; returns the distinct values, or nothing where no binding carries the attribute.
fn encode(carried: &[Carried], mut set: impl FnMut(usize, Code)) -> Result<Option<ArrayRef>> {
    let parts: Vec<&dyn Array> = carried.iter().map(|carried| carried.values.as_ref()).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let all = concat(&parts)?;
    let rows = UInt32Array::from(distinct(std::slice::from_ref(&all))?);
    let values = take(&all, &rows, None)?;
    let codes = lookup(&[all], std::slice::from_ref(&values))?;
    let mut codes = codes.into_iter();
    for part in carried {
        for (row, (&absent, code)) in part.absent.iter().zip(codes.by_ref()).enumerate() {
            let code = match (absent, code) {
                (true, _) => ABSENT,
                (false, NONE) => NULL,
                (false, code) => code + FIRST_VALUE,
            };
            set(part.start + row, code);
        }
    }
    Ok(Some(values))
}
