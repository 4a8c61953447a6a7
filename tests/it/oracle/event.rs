//! A line of a log → an accepted event, for logs as our generator writes them.
//!
//! It knows contracts, duplicates and conflicts of ids (DESIGN 3, 4, 7), and none of the many ways in which bytes can be broken.

use super::value::{Value, instant};
use serde_json::{Map, Value as Json};
use starlog::model::{EventType, Field, FieldRef, Model};
use std::collections::BTreeMap;

/// An accepted event.
#[derive(Debug, Clone)]
pub struct OracleEvent {
    pub position: u64,
    pub event_type: String,
    pub version: i64,
    pub time_us: i64,
    pub order: Option<i64>,
    pub payload: Json,
}

impl OracleEvent {
    /// Its index in [`Model::events`].
    pub fn contract(&self, model: &Model) -> usize {
        model
            .events
            .iter()
            .position(|contract| contract.name == self.event_type && contract.version == self.version)
            .expect("an accepted event has a contract")
    }

    /// The items of a list, counted from 1; the single item 0 where there is no list (DESIGN 19, fine print).
    pub fn items(&self, contract: &EventType, list: Option<usize>) -> Vec<u64> {
        let Some(list) = list else { return vec![0] };
        let count = self.payload[&contract.lists[list].name].as_array().map_or(0, Vec::len);
        (1..=count as u64).collect()
    }

    /// The value of a field; `None` where it is absent, `Null` where it is null (DESIGN 7).
    pub fn value(&self, contract: &EventType, item: u64, reference: FieldRef) -> Option<Value> {
        let object = match reference.list {
            None => &self.payload,
            Some(list) => &self.payload[&contract.lists[list].name][item as usize - 1],
        };
        let field = contract.field(reference);
        object.get(&field.name).map(|json| Value::read(json, field.value_type).expect("an accepted value"))
    }
}

/// The accepted events of a log, by position; lines that cannot become events are left out.
pub fn accept(model: &Model, lines: &[String]) -> Vec<OracleEvent> {
    let mut seen_ids: BTreeMap<String, OracleEvent> = BTreeMap::new();
    let mut accepted: Vec<OracleEvent> = Vec::new();
    for line in lines {
        let Some((id, mut event)) = read_line(model, line) else { continue };
        if let Some(id) = id {
            if seen_ids.contains_key(&id) {
                continue; // a duplicate or a conflict: the first stays
            }
            seen_ids.insert(id, event.clone());
        }
        event.position = accepted.len() as u64 + 1;
        accepted.push(event);
    }
    accepted
}

fn read_line(model: &Model, line: &str) -> Option<(Option<String>, OracleEvent)> {
    let envelope = &model.log.envelope;
    let object: Map<String, Json> = serde_json::from_str(line).ok()?;
    let event_type = object.get(&envelope.event_type)?.as_str()?.to_owned();
    let version = match envelope.version.as_ref().and_then(|name| object.get(name)) {
        Some(version) => version.as_i64()?,
        None => 1,
    };
    let time_us = instant(object.get(&envelope.time)?.as_str()?)?;
    let order = match envelope.order.as_ref().and_then(|name| object.get(name)) {
        None | Some(Json::Null) => None,
        Some(order) => Some(order.as_i64()?),
    };
    let id = match &envelope.id {
        Some(name) => Some(object.get(name).filter(|id| !id.is_null())?.to_string()),
        None => None,
    };
    let payload = match &envelope.payload {
        Some(name) => object.get(name)?.clone(),
        None => Json::Object(object),
    };
    let contract = model.events.iter().find(|known| known.name == event_type && known.version == version)?;
    keeps(contract, &payload)
        .then_some((id, OracleEvent { position: 0, event_type, version, time_us, order, payload }))
}

fn keeps(contract: &EventType, payload: &Json) -> bool {
    all_well(&contract.fields, payload)
        && contract.lists.iter().all(|list| {
            let items = payload[&list.name].as_array();
            items.is_some_and(|items| items.iter().all(|item| all_well(&list.fields, item)))
        })
}

fn all_well(fields: &[Field], object: &Json) -> bool {
    fields.iter().all(|field| match object.get(&field.name) {
        None | Some(Json::Null) => field.optional,
        Some(json) => Value::read(json, field.value_type).is_some(),
    })
}
