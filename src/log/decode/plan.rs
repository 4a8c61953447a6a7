//! `Model` → [`Plan`]: what to look for in a line, decided before the first one.

use super::amounts::{self, Amounts};
use super::time::Times;
use crate::log::content;
use crate::log::format::Formats;
use crate::log::pii::Cleaner;
use crate::model::{Allowed, EventType, Field, Limits, Model, Unknown, Upcast, ValueType};
use std::collections::HashMap;

/// How a bound of time is shown.
const BOUND: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Up to this many fields, comparing names one by one beats hashing.
const FEW_FIELDS: usize = 16;

/// How to decode every line of a log.
#[derive(Debug)]
pub struct Plan {
    pub envelope: EnvelopePlan,
    pub events: Vec<EventPlan>,
    /// For each event type, what it says of facts.
    pub amounts: Vec<Vec<Amounts>>,
    /// What to look for in records of other formats.
    pub formats: Formats,
    kinds: HashMap<Box<[u8]>, Kind>,
    pub limits: Limits,
    /// Cleans lines before they are looked at.
    pub pii: Option<Cleaner>,
    /// Instants before this one are out of range, in microseconds UTC.
    pub earliest: i64,
    /// Instants from this one on are out of range.
    pub latest: i64,
    /// Both, for a person.
    pub bounds: String,
}

/// What the pipeline thinks of an event type.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Index into [`Plan::events`].
    Event(usize),
    Ignored,
}

/// The fields around a payload. One field may play two parts (`seq` as id and order),
/// so each part is an index into the names.
#[derive(Debug)]
pub struct EnvelopePlan {
    pub names: Vec<String>,
    pub event_type: usize,
    pub time: usize,
    pub version: Option<usize>,
    pub id: Option<usize>,
    pub order: Option<usize>,
    /// `None`: the payload's fields stand beside the envelope's.
    pub payload: Option<String>,
    pub times: Times,
}

/// The contract of one event type.
#[derive(Debug)]
pub struct EventPlan {
    pub name: String,
    pub name_hash: u64,
    pub version: i64,
    pub payload: FieldSet,
    /// The payload's scalar fields: its columns.
    pub columns: Vec<(String, ValueType)>,
    pub lists: Vec<ListPlan>,
    /// What is done with fields that are not declared.
    pub unknown: Unknown,
    /// From the oldest version on; each makes the next one of it, the last one this contract.
    pub upcasts: Vec<Upcast>,
    /// BLAKE3 of the contract and its upcasts, as hexadecimal text: what an event of an older version comes to.
    pub hash: String,
}

/// A declared list.
#[derive(Debug)]
pub struct ListPlan {
    pub name: String,
    pub item: FieldSet,
    pub columns: Vec<(String, ValueType)>,
}

/// The declared members of an object.
#[derive(Debug)]
pub struct FieldSet {
    pub members: Vec<Member>,
    by_name: HashMap<Box<[u8]>, usize>,
}

/// A declared member of an object.
#[derive(Debug)]
pub struct Member {
    pub name: String,
    /// The key's part in the hash of its object.
    pub hash: u64,
    pub shape: Shape,
    /// What it may hold.
    pub allowed: Option<Allowed>,
}

/// What a declared member must be.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Index of its column.
    Scalar { column: usize, optional: bool },
    /// Index into [`EventPlan::lists`].
    List(usize),
}

impl FieldSet {
    fn new(fields: &[Field], lists: &[String]) -> Self {
        let scalars = fields.iter().enumerate().map(|(column, field)| {
            (&field.name, Shape::Scalar { column, optional: field.optional }, field.allowed.clone())
        });
        let lists = lists.iter().enumerate().map(|(list, name)| (name, Shape::List(list), None));
        let members: Vec<Member> = scalars
            .chain(lists)
            .map(|(name, shape, allowed)| {
                let hash = content::text(name.as_bytes());
                Member { name: name.clone(), hash, shape, allowed }
            })
            .collect();
        let by_name =
            members.iter().enumerate().map(|(at, member)| (member.name.as_bytes().into(), at)).collect();
        Self { members, by_name }
    }

    /// The member of this name; `hint` is where it stands if the line keeps the order of the last one.
    #[inline]
    pub fn find(&self, name: &[u8], hint: usize) -> Option<usize> {
        let is_it = |member: &Member| member.name.as_bytes() == name;
        if self.members.get(hint).is_some_and(is_it) {
            Some(hint)
        } else if self.members.len() <= FEW_FIELDS {
            self.members.iter().position(is_it)
        } else {
            self.by_name.get(name).copied()
        }
    }
}

impl EventPlan {
    pub fn new(event: &EventType) -> Self {
        let columns =
            |fields: &[Field]| fields.iter().map(|field| (field.name.clone(), field.value_type)).collect();
        let lists: Vec<String> = event.lists.iter().map(|list| list.name.clone()).collect();
        Self {
            name: event.name.clone(),
            name_hash: content::text(event.name.as_bytes()),
            version: event.version,
            payload: FieldSet::new(&event.fields, &lists),
            columns: columns(&event.fields),
            unknown: event.unknown,
            upcasts: event.upcasts.clone(),
            hash: hash(event),
            lists: event
                .lists
                .iter()
                .map(|list| ListPlan {
                    name: list.name.clone(),
                    item: FieldSet::new(&list.fields, &[]),
                    columns: columns(&list.fields),
                })
                .collect(),
        }
    }

    /// Whether the payloads of older versions are kept as they came.
    pub fn has_original(&self) -> bool {
        !self.upcasts.is_empty()
    }

    /// Whether lines of this version are read: today's, or one that is lifted to it.
    #[inline]
    pub fn knows(&self, version: i64) -> bool {
        version == self.version || self.upcasts.iter().any(|upcast| upcast.from == version)
    }
}

/// A contract always has its JSON.
fn hash(event: &EventType) -> String {
    blake3::hash(&serde_json::to_vec(event).unwrap_or_default()).to_hex().to_string()
}

impl Plan {
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let ignored = model.ignored.iter().map(|name| (name.as_bytes().into(), Kind::Ignored));
        let known = model
            .events
            .iter()
            .enumerate()
            .map(|(at, event)| (event.name.as_bytes().into(), Kind::Event(at)));
        Self {
            envelope: EnvelopePlan::new(&model.log.envelope),
            events: model.events.iter().map(EventPlan::new).collect(),
            amounts: amounts::of(model),
            formats: Formats::new(model),
            kinds: ignored.chain(known).collect(),
            limits: model.log.limits,
            pii: model.log.pii.as_ref().map(|pii| Cleaner::new(pii, model.log.limits)),
            bounds: format!("{} to {}", model.log.earliest.format(BOUND), model.log.latest.format(BOUND)),
            earliest: model.log.earliest.timestamp_micros(),
            latest: model.log.latest.timestamp_micros(),
        }
    }

    /// What the pipeline thinks of events of this type; `None` if it knows nothing of them.
    #[inline]
    pub fn kind(&self, event_type: &[u8]) -> Option<Kind> {
        self.kinds.get(event_type).copied()
    }

    /// Whether contents are hashed: only an id makes duplicates (DESIGN 4).
    pub fn has_ids(&self) -> bool {
        self.envelope.id.is_some()
    }
}

impl EnvelopePlan {
    fn new(envelope: &crate::model::Envelope) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut part = |name: &String| match names.iter().position(|known| known == name) {
            Some(at) => at,
            None => {
                names.push(name.clone());
                names.len() - 1
            }
        };
        let event_type = part(&envelope.event_type);
        let time = part(&envelope.time);
        let version = envelope.version.as_ref().map(&mut part);
        let id = envelope.id.as_ref().map(&mut part);
        let order = envelope.order.as_ref().map(&mut part);
        let times = Times { zone: envelope.zone, unit: envelope.unit };
        let payload = envelope.payload.clone();
        Self { names, event_type, time, version, id, order, payload, times }
    }

    /// The part of the envelope that bears this name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.names.iter().position(|known| known.as_bytes() == name)
    }

    /// The name of a part.
    pub fn name(&self, part: usize) -> &str {
        self.names.get(part).map_or("", String::as_str)
    }
}
