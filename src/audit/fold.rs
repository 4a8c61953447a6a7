//! A member's own events → what each of them set: old and new, late, closing, opening again.
//!
//! Told as people tell it: one event after another in valid order. What stands in the tables is `history`'s.

use super::Event;
use super::books::{self, Books, ENVELOPE, envelope, is_key};
use crate::checks::sql::{absent, cast, field};
use crate::error::Result;
use crate::model::{Attribute, Dimension, DimensionAction, DimensionEvent, Entity, KeyColumn, Tracking};
use serde::Serialize;
use serde_json::Value;

/// What one event did to a member.
#[derive(Debug, Clone, Serialize)]
pub struct OwnEvent {
    #[serde(flatten)]
    pub event: Event,
    /// The level whose member it is about.
    pub level: String,
    /// Its place in the event's list; 0 without a list.
    pub item: i64,
    /// It came after another event of the member's trail that happened later.
    pub late: bool,
    /// It ends the member.
    pub closes: bool,
    /// It opens the member again after it was closed.
    pub reopens: bool,
    /// What it says, attribute by attribute; what it is silent about is left out.
    pub sets: Vec<Change>,
}

/// What an event says of an attribute, or of the parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub attribute: String,
    /// What it was just before.
    pub old: Value,
    pub new: Value,
}

/// What an event says, before anything is known of the others.
struct Said {
    event: Event,
    micros: i64,
    /// Producer's order; none comes first.
    order: Option<i64>,
    item: i64,
    /// By attribute and, last, the parent; `None` where it is silent. A closing event says nothing at all.
    values: Option<Vec<Option<Value>>>,
}

/// All own events of a member in valid order. `dimension` and `entity` are those of the member.
pub fn own_events(
    books: &Books,
    dimension: &Dimension,
    entity: usize,
    key: &[Value],
) -> Result<Vec<OwnEvent>> {
    let Some(lowest) = dimension.entities.get(entity) else { return Ok(Vec::new()) };
    let parent = dimension.entities.get(entity + 1);
    let mut said = Vec::new();
    for binding in &lowest.events {
        said.extend(say(books, lowest, parent, binding, key)?);
    }
    // A stable sort: within one event, the order of declaration.
    said.sort_by_key(|said| (said.micros, said.order, said.event.position));
    Ok(fold(lowest, parent, said))
}

/// What the events of one binding say of the member.
fn say(
    books: &Books,
    entity: &Entity,
    parent: Option<&Entity>,
    binding: &DimensionEvent,
    key: &[Value],
) -> Result<Vec<Said>> {
    let Some(event) = books.model.events.get(binding.event) else { return Ok(Vec::new()) };
    let mut columns = vec![envelope(event), "e._no::BIGINT".to_owned()];
    let mut places = Vec::new();
    if let DimensionAction::Set { attributes, parent: named } = &binding.action {
        for (attribute, reference) in attributes {
            let Some(declared) = entity.attributes.get(*attribute) else { continue };
            columns.push(cast(&field(event, *reference), declared.value_type));
            columns.push(absent(event, *reference));
            places.push(*attribute);
        }
        if let (Some(named), Some(parent)) = (named, parent) {
            let parts = named.iter().zip(&parent.key);
            let parts = parts.map(|(reference, key)| cast(&field(event, *reference), key.value_type));
            let is_absent = named.iter().map(|reference| absent(event, *reference));
            columns.push(joined(&parts.collect::<Vec<_>>()));
            columns.push(is_absent.collect::<Vec<_>>().join(" OR "));
            places.push(entity.attributes.len());
        }
    }
    let fields = binding.key.iter().map(|reference| field(event, *reference));
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY e._position, e._no",
        columns.join(", "),
        books.scan(event, binding.list),
        is_key(fields, &entity.key)
    );
    let closes = matches!(binding.action, DimensionAction::Close);
    let read = |row: Vec<Value>| {
        let mut values = vec![None; entity.attributes.len() + 1];
        for (pair, place) in row.get(ENVELOPE + 1..).unwrap_or_default().chunks_exact(2).zip(&places) {
            if let ([value, silent], Some(slot)) = (pair, values.get_mut(*place))
                && *silent != Value::Bool(true)
            {
                *slot = Some(value.clone());
            }
        }
        Said {
            event: books::event(&row),
            order: row.get(6).and_then(Value::as_i64),
            micros: books::integer(&row, 7),
            item: books::integer(&row, ENVELOPE),
            values: (!closes).then_some(values),
        }
    };
    Ok(books.ask(&sql, key)?.rows.into_iter().map(read).collect())
}

/// A natural key of several columns as one text, or the value of its only column; null if a part is.
pub fn joined(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        parts => parts.iter().map(|part| format!("{part}::VARCHAR")).collect::<Vec<_>>().join(" || '/' || "),
    }
}

/// Goes through what was said in valid order.
fn fold(entity: &Entity, parent: Option<&Entity>, said: Vec<Said>) -> Vec<OwnEvent> {
    let names: Vec<&str> = entity
        .attributes
        .iter()
        .map(|attribute| attribute.name.as_str())
        .chain(parent.map(|parent| parent.name.as_str()))
        .collect();
    let mut state = vec![Value::Null; entity.attributes.len() + 1];
    let (mut live, mut closed) = (false, false);
    let mut told = Vec::new();
    for Said { event, item, values, .. } in said {
        let mut own = OwnEvent {
            event,
            level: entity.name.clone(),
            item,
            late: false,
            closes: values.is_none(),
            reopens: values.is_some() && closed && !live,
            sets: Vec::new(),
        };
        match values {
            // What a closed member was does not carry over, but for what is one value in all versions.
            None => {
                state
                    .iter_mut()
                    .enumerate()
                    .filter(|(place, _)| ends(entity, *place))
                    .for_each(|(_, value)| *value = Value::Null);
                (live, closed) = (false, true);
            }
            Some(values) => {
                live = true;
                for ((name, value), old) in names.iter().zip(values).zip(&mut state) {
                    let Some(new) = value else { continue };
                    own.sets.push(Change {
                        attribute: (*name).to_owned(),
                        old: old.clone(),
                        new: new.clone(),
                    });
                    *old = new;
                }
            }
        }
        told.push(own);
    }
    told
}

/// Whether a closing ends the value of an attribute, or of the parent.
fn ends(entity: &Entity, place: usize) -> bool {
    let tracking = entity
        .attributes
        .get(place)
        .map_or(entity.parent_tracking, |attribute: &Attribute| attribute.tracking);
    tracking == Tracking::History
}

/// The natural key's columns of an entity in a relation of versions.
pub fn key_of(key: &[KeyColumn]) -> Vec<String> {
    key.iter().map(|key| crate::checks::sql::name(&key.name)).collect()
}
