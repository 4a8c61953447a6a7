//! (model, entity) → where events name its members: which part of which event type is about whom?

use crate::model::{DimensionAction, Fact, FieldRef, Model};

/// A part of an event type that names members of an entity.
#[derive(Debug, Clone)]
pub struct Mention {
    /// Index into [`Model::events`].
    pub event: usize,
    pub list: Option<usize>,
    /// The natural key.
    pub key: Vec<FieldRef>,
}

/// The member's own events: what sets it and what closes it.
pub fn own(model: &Model, dimension: usize, entity: usize) -> Vec<Mention> {
    let entity = model.dimensions.get(dimension).and_then(|dimension| dimension.entities.get(entity));
    let events = entity.into_iter().flat_map(|entity| &entity.events);
    events.map(|event| Mention { event: event.event, list: event.list, key: event.key.clone() }).collect()
}

/// What else can be the first to mention a member: facts, and the members of the level below.
pub fn by_others(model: &Model, dimension: usize, entity: usize) -> Vec<Mention> {
    let mut mentions = Vec::new();
    if let Some(below) = entity.checked_sub(1) {
        let below = model.dimensions.get(dimension).and_then(|dimension| dimension.entities.get(below));
        for event in below.into_iter().flat_map(|entity| &entity.events) {
            if let DimensionAction::Set { parent: Some(parent), .. } = &event.action {
                mentions.push(Mention { event: event.event, list: event.list, key: parent.clone() });
            }
        }
        return mentions;
    }
    for fact in &model.facts {
        for event in &fact.events {
            for (role, key) in fact.roles.iter().zip(&event.roles) {
                if let (true, Some(key)) = (role.dimension == dimension, key) {
                    let list = event.list.filter(|_| key.iter().any(|field| field.list.is_some()));
                    mentions.push(Mention { event: event.event, list, key: key.clone() });
                }
            }
        }
    }
    mentions
}

/// The headers that the events of a fact name.
pub fn of_headers(fact: &Fact) -> Vec<Mention> {
    let events = fact.events.iter().filter(|event| !event.header.is_empty());
    let mention = |event: &crate::model::FactEvent| Mention {
        event: event.event,
        list: event.list.filter(|_| event.header.iter().any(|field| field.list.is_some())),
        key: event.header.clone(),
    };
    events.map(mention).collect()
}
