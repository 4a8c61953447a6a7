//! Whom the bindings of facts name in their roles.

use super::events::{Events, Items};
use super::frame::{NONE, lookup};
use super::members::{Members, of_type};
use crate::error::Result;
use crate::model::{Fact, FactEvent, FieldRef, Role};
use arrow::array::ArrayRef;
use rayon::prelude::*;

/// Stands for a member where the event type does not carry the role at all.
pub const NOT_CARRIED: u32 = NONE - 1;
/// Stands for a member where the event type carries the role, but this event is silent about it.
/// What is below it is a member.
pub const ABSENT: u32 = NONE - 2;

/// Whom a binding names in a role: one member an event, or one an item.
pub enum RoleMembers {
    ByEvent(Vec<u32>),
    ByItem(Vec<u32>),
}

impl RoleMembers {
    /// The member of an item, [`NONE`] where its natural key is null, [`ABSENT`] where it is not there.
    pub fn of(&self, event: usize, item: usize) -> u32 {
        match self {
            Self::ByEvent(members) => members[event],
            Self::ByItem(members) => members[item],
        }
    }
}

/// By binding and role, where the binding carries the role.
pub type FactMembers = Vec<Vec<Option<RoleMembers>>>;

/// Whom the events of a fact name; `members` are by dimension and entity.
pub fn find(fact: &Fact, events: &[Option<Events>], members: &[Vec<Members>]) -> Result<FactMembers> {
    let of_binding = |binding: &FactEvent| -> Result<Vec<Option<RoleMembers>>> {
        let items = of_type(events, binding.event)?.items(binding.list)?;
        let of_role = |(role, keys): (&Role, &Option<Vec<FieldRef>>)| match (
            keys,
            members.get(role.dimension).and_then(|entities| entities.first()),
        ) {
            (Some(keys), Some(members)) => named(binding, &items, keys, members).map(Some),
            _ => Ok(None),
        };
        fact.roles.par_iter().zip(&binding.roles).map(of_role).collect()
    };
    fact.events.par_iter().map(of_binding).collect()
}

fn named(
    binding: &FactEvent,
    items: &Items<'_>,
    keys: &[FieldRef],
    members: &Members,
) -> Result<RoleMembers> {
    if binding.list.is_some() && keys.iter().any(|key| key.list.is_some()) {
        let values = keys.iter().map(|&key| items.values(key)).collect::<Result<Vec<_>>>()?;
        ids(&values, items.len(), any_absent(keys, |key| items.absent(key))?, members)
            .map(RoleMembers::ByItem)
    } else {
        let events = items.events;
        let values = keys.iter().map(|&key| events.values(key)).collect::<Result<Vec<_>>>()?;
        ids(&values, events.len(), any_absent(keys, |key| events.absent(key))?, members)
            .map(RoleMembers::ByEvent)
    }
}

fn ids(keys: &[ArrayRef], rows: usize, absent: Vec<bool>, members: &Members) -> Result<Vec<u32>> {
    let mut ids = if members.len() == 0 { vec![NONE; rows] } else { lookup(keys, &members.keys)? };
    let silent = ids.iter_mut().zip(absent).filter(|(_, absent)| *absent);
    silent.for_each(|(id, _)| *id = ABSENT);
    Ok(ids)
}

/// By row: whether the event is silent about a part of the natural key. Empty: none is.
fn any_absent(
    keys: &[FieldRef],
    absent: impl Fn(FieldRef) -> Result<Option<Vec<bool>>>,
) -> Result<Vec<bool>> {
    let mut any: Vec<bool> = Vec::new();
    for &key in keys {
        if let Some(flags) = absent(key)? {
            any.resize(flags.len(), false);
            any.iter_mut().zip(flags).for_each(|(any, flag)| *any |= flag);
        }
    }
    Ok(any)
}
