//! A natural key → the audit trail of a member: its events beside the versions that they made.

use super::books::Books;
use super::fold::{OwnEvent, own_events};
use super::versions::{Opening, Version, first_mention, versions};
use crate::error::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// One member's history.
#[derive(Debug, Clone, Serialize)]
pub struct MemberHistory {
    /// The entity that it is a member of.
    pub level: String,
    /// Its natural key, as it was asked for.
    pub key: Vec<String>,
    pub release: u64,
    /// Its own events and those above that opened versions of it, in valid order.
    pub events: Vec<OwnEvent>,
    /// In the order of time. `None`: the release has no table with versions of this level.
    pub versions: Option<Vec<Version>>,
    /// The first fact, or member of the level below, that named it; empty if none has.
    pub first_mention: Option<Opening>,
}

/// Tells what happened to the member with this natural key, up to the release.
///
/// `name` is a dimension or one of its levels.
///
/// # Errors
///
/// The author's: no such dimension, a key of another shape, a member that nobody has ever named. The operator's: the
/// release or the log cannot be read.
pub fn member(books: &Books, name: &str, key: &[String]) -> Result<MemberHistory> {
    let (dimension, index) = books.entity(name)?;
    let entity = dimension.entities.get(index).ok_or_else(|| Error::bug("an entity without a place"))?;
    let values: Vec<Value> = key.iter().map(|part| Value::from(part.as_str())).collect();
    books.check_key(entity, &values)?;
    let mut events = own_events(books, dimension, index, &values)?;
    let first_mention = first_mention(books, (dimension, index), &values)?.into_iter().next();
    let versions = match versions(books, (dimension, index), &values, &events)? {
        Some((versions, above)) => {
            events.extend(above);
            // Stable: the valid order of what one level says of one instant stays.
            events.sort_by(|one, other| one.event.time.cmp(&other.event.time));
            Some(versions)
        }
        None => None,
    };
    mark_late(&mut events);
    let is_known = versions.as_ref().map_or(!events.is_empty(), |versions| !versions.is_empty());
    if !is_known && first_mention.is_none() {
        return Err(Error::author(format!(
            "release {} knows no {} {}",
            books.release.number(),
            entity.name,
            key.join(" ")
        ))
        .next(format!("starlog query 'FROM star.dim_{} LIMIT 10' shows some", dimension.name)));
    }
    Ok(MemberHistory {
        level: entity.name.clone(),
        key: key.to_vec(),
        release: books.release.number(),
        events,
        versions,
        first_mention,
    })
}

/// Late is what came after another event of the trail that happened later: it changed what was known already.
fn mark_late(events: &mut [OwnEvent]) {
    let mut by_arrival: Vec<(i64, String)> =
        events.iter().map(|event| (event.event.position, event.event.time.clone())).collect();
    by_arrival.sort();
    let mut newest = String::new();
    let mut late = BTreeSet::new();
    for (position, time) in by_arrival {
        if time < newest {
            late.insert(position);
        }
        newest = newest.max(time);
    }
    events.iter_mut().for_each(|event| event.late = late.contains(&event.event.position));
}
