//! Events → what each says about members, and whom it mentions (DESIGN 7, 15, 18).

use super::event::OracleEvent;
use super::value::{NaturalKey, Value};
use starlog::model::{DimensionAction, EventType, FieldRef, Model};

/// What the log tells about one entity, in the order of arrival.
#[derive(Debug, Default)]
pub struct Heard {
    /// (position, member), in the order of mention.
    pub mentions: Vec<(u64, NaturalKey)>,
    pub sayings: Vec<Saying>,
}

/// What one event, or one item of its list, says about one member: an "own event" of the member.
#[derive(Debug, Clone)]
pub struct Saying {
    pub position: u64,
    pub item: u64,
    pub time: i64,
    pub order: Option<i64>,
    pub member: NaturalKey,
    pub said: Said,
}

#[derive(Debug, Clone)]
pub enum Said {
    Set {
        /// (attribute, value) of what the event carries, null included.
        attributes: Vec<(usize, Value)>,
        /// `None`: it says nothing of the parent. `Some(None)`: the member has none.
        parent: Option<Option<NaturalKey>>,
    },
    Close,
}

/// A place in valid order (DESIGN 3): time, the producer's order (none comes first), position, item.
pub type ValidOrder = (i64, Option<i64>, u64, u64);

impl Saying {
    pub fn valid_order(&self) -> ValidOrder {
        (self.time, self.order, self.position, self.item)
    }
}

/// For each dimension, for each of its entities: what was heard of it.
pub fn read_dimensions(model: &Model, events: &[OracleEvent]) -> Vec<Vec<Heard>> {
    let mut heard: Vec<Vec<Heard>> = model
        .dimensions
        .iter()
        .map(|dimension| dimension.entities.iter().map(|_| Heard::default()).collect())
        .collect();
    for event in events {
        read_own_events(model, event, &mut heard);
        read_roles(model, event, &mut heard);
    }
    heard
}

fn read_own_events(model: &Model, event: &OracleEvent, heard: &mut [Vec<Heard>]) {
    let contract_index = event.contract(model);
    let contract = &model.events[contract_index];
    for (dimension, heard) in model.dimensions.iter().zip(heard) {
        for (level, entity) in dimension.entities.iter().enumerate() {
            for binding in entity.events.iter().filter(|binding| binding.event == contract_index) {
                for item in event.items(contract, binding.list) {
                    let Some(member) = natural_key(event, contract, item, &binding.key) else { continue };
                    let said = match &binding.action {
                        DimensionAction::Close => Said::Close,
                        DimensionAction::Set { attributes, parent } => {
                            heard[level].mentions.push((event.position, member.clone()));
                            let parent =
                                parent.as_ref().and_then(|fields| said_key(event, contract, item, fields));
                            if let Some(Some(parent)) = &parent {
                                heard[level + 1].mentions.push((event.position, parent.clone()));
                            }
                            let carried = |&(attribute, field): &(usize, FieldRef)| {
                                event.value(contract, item, field).map(|value| (attribute, value))
                            };
                            Said::Set { attributes: attributes.iter().filter_map(carried).collect(), parent }
                        }
                    };
                    let (position, time, order) = (event.position, event.time_us, event.order);
                    heard[level].sayings.push(Saying { position, item, time, order, member, said });
                }
            }
        }
    }
}

/// A fact mentions the members of its roles, whatever it does (DESIGN 15, 18).
fn read_roles(model: &Model, event: &OracleEvent, heard: &mut [Vec<Heard>]) {
    let contract_index = event.contract(model);
    let contract = &model.events[contract_index];
    for fact in &model.facts {
        for binding in fact.events.iter().filter(|binding| binding.event == contract_index) {
            let mut items = event.items(contract, binding.list);
            let is_empty = items.is_empty();
            items.extend(is_empty.then_some(0)); // an empty list hides nobody whom the event itself names
            for item in items {
                for (role, fields) in fact.roles.iter().zip(&binding.roles) {
                    let Some(fields) = fields else { continue };
                    if is_empty && fields.iter().any(|field| field.list.is_some()) {
                        continue;
                    }
                    if let Some(member) = natural_key(event, contract, item, fields) {
                        heard[role.dimension][0].mentions.push((event.position, member));
                    }
                }
            }
        }
    }
}

/// The natural key in these fields; `None` if any of its columns is null or absent.
pub fn natural_key(
    event: &OracleEvent,
    contract: &EventType,
    item: u64,
    fields: &[FieldRef],
) -> Option<NaturalKey> {
    fields.iter().map(|&field| Value::known(event.value(contract, item, field))).collect()
}

/// The same, telling apart what is absent (`None`) from what is null (`Some(None)`).
pub fn said_key(
    event: &OracleEvent,
    contract: &EventType,
    item: u64,
    fields: &[FieldRef],
) -> Option<Option<NaturalKey>> {
    let absent = fields.iter().all(|&field| event.value(contract, item, field).is_none());
    (!absent).then(|| natural_key(event, contract, item, fields))
}
