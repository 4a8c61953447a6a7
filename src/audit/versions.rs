//! A member → its versions, each with the events that opened it.

use super::Event;
use super::books::{self, Books, envelope, is_key};
use super::fold::{OwnEvent, key_of, own_events};
use super::mention;
use crate::checks::sql::{field, name};
use crate::error::Result;
use crate::model::Dimension;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A version, as the release has it.
#[derive(Debug, Clone, Serialize)]
pub struct Version {
    /// `<level>_key`.
    pub key: i64,
    /// UTC.
    pub valid_from: String,
    /// UTC, exclusive; 9999-12-31 for a version that has not ended.
    pub valid_to: String,
    pub is_current: bool,
    pub is_inferred: bool,
    /// The other columns, in the order of the table.
    #[serde(serialize_with = "super::explain::as_map")]
    pub attributes: Vec<(String, Value)>,
    /// What happened at `valid_from`: to the member itself or, where that is nothing, above it. Of an inferred member,
    /// its first mention.
    pub opened_by: Vec<Opening>,
}

/// An event that opened a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opening {
    #[serde(flatten)]
    pub event: Event,
    /// The level whose member the event is about.
    pub level: String,
}

/// The versions of a member in the order of time, and the events above it that opened any. `None`: no table has them.
pub fn versions(
    books: &Books,
    (dimension, entity): (&Dimension, usize),
    key: &[Value],
    own: &[OwnEvent],
) -> Result<Option<(Vec<Version>, Vec<OwnEvent>)>> {
    let (Some(relation), Some(lowest)) = (books.versions(dimension, entity), dimension.entities.get(entity))
    else {
        return Ok(None);
    };
    let key_columns = key_of(&lowest.key);
    let sql = format!(
        "SELECT * FROM {relation} WHERE {} ORDER BY valid_from",
        is_key(key_columns.into_iter(), &lowest.key)
    );
    let found = books.ask(&sql, key)?;
    let mut above = Above { books, dimension, entity, known: BTreeMap::new(), told: Vec::new() };
    let mut versions = Vec::new();
    for row in found.rows {
        let row: Map<String, Value> = found.columns.iter().cloned().zip(row).collect();
        let get = |name: &str| row.get(name).cloned().unwrap_or_default();
        let valid_from = books::text(&[get("valid_from")], 0);
        let is_inferred = get("is_inferred") == Value::Bool(true);
        let opened_by = if is_inferred {
            first_mention(books, (dimension, entity), key)?
        } else {
            above.openings(own, &row, &valid_from)?
        };
        let key_name = format!("{}_key", lowest.name);
        let validity = ["valid_from", "valid_to", "is_current", "is_inferred"];
        let is_attribute = |column: &&String| **column != key_name && !validity.contains(&column.as_str());
        versions.push(Version {
            key: get(&key_name).as_i64().unwrap_or_default(),
            valid_to: books::text(&[get("valid_to")], 0),
            is_current: get("is_current") == Value::Bool(true),
            is_inferred,
            attributes: found
                .columns
                .iter()
                .filter(is_attribute)
                .map(|column| (column.clone(), get(column)))
                .collect(),
            opened_by,
            valid_from,
        });
    }
    Ok(Some((versions, above.told)))
}

/// The members above one, and what happened to them.
struct Above<'a> {
    books: &'a Books,
    dimension: &'a Dimension,
    entity: usize,
    /// By entity and natural key.
    known: BTreeMap<(usize, String), Vec<OwnEvent>>,
    /// The events above that opened a version.
    told: Vec<OwnEvent>,
}

impl Above<'_> {
    /// The own events of the instant, else those of the nearest member above that turned a page then.
    fn openings(
        &mut self,
        own: &[OwnEvent],
        row: &Map<String, Value>,
        instant: &str,
    ) -> Result<Vec<Opening>> {
        let mine = at(own, instant);
        if !mine.is_empty() {
            return Ok(mine.iter().map(|event| event.opening()).collect());
        }
        for (index, entity) in self.dimension.entities.iter().enumerate().skip(self.entity + 1) {
            let key: Vec<Value> =
                entity.key.iter().map(|key| row.get(&key.name).cloned().unwrap_or_default()).collect();
            if key.contains(&Value::Null) {
                break;
            }
            let known = (index, Value::from(key.clone()).to_string());
            if !self.known.contains_key(&known) {
                let events = own_events(self.books, self.dimension, index, &key)?;
                self.known.insert(known.clone(), events);
            }
            let events = at(self.known.get(&known).map_or(&[][..], Vec::as_slice), instant);
            if !events.is_empty() {
                for event in &events {
                    let is_told =
                        |told: &OwnEvent| (&told.event, &told.level) == (&event.event, &event.level);
                    if !self.told.iter().any(is_told) {
                        self.told.push(event.clone());
                    }
                }
                return Ok(events.iter().map(OwnEvent::opening).collect());
            }
        }
        Ok(Vec::new())
    }
}

impl OwnEvent {
    fn opening(&self) -> Opening {
        Opening { event: self.event.clone(), level: self.level.clone() }
    }
}

/// The events of an instant that say something.
fn at(events: &[OwnEvent], instant: &str) -> Vec<OwnEvent> {
    events.iter().filter(|event| !event.closes && event.event.time == instant).cloned().collect()
}

/// The first event that names the member without setting it.
pub fn first_mention(
    books: &Books,
    (dimension, entity): (&Dimension, usize),
    key: &[Value],
) -> Result<Vec<Opening>> {
    let all = &books.model.dimensions;
    let Some(index) = all.iter().position(|one| one.name == dimension.name) else { return Ok(Vec::new()) };
    let Some(lowest) = dimension.entities.get(entity) else { return Ok(Vec::new()) };
    let mut first: Option<Event> = None;
    for mention in mention::by_others(&books.model, index, entity) {
        let Some(event) = books.model.events.get(mention.event) else { continue };
        let fields = mention.key.iter().map(|reference| field(event, *reference));
        let sql = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY e._position LIMIT 1",
            envelope(event),
            books.scan(event, mention.list),
            is_key(fields, &lowest.key)
        );
        let found = books.ask(&sql, key)?.rows.first().map(|row| books::event(row));
        first = match (first, found) {
            (Some(first), Some(found)) => Some(if found.position < first.position { found } else { first }),
            (first, found) => first.or(found),
        };
    }
    Ok(first.map(|event| Opening { event, level: lowest.name.clone() }).into_iter().collect())
}

/// The quoted name of an entity's key column.
pub fn key_column(entity: &str) -> String {
    name(&format!("{entity}_key"))
}
