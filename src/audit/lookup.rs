//! A key of a fact row → the member, the version, and why it is this one (DESIGN 13, 15, 16, 20).

use super::books::{self, Books};
use super::fold::{key_of, own_events};
use super::versions::{Opening, Version, key_column, versions};
use crate::checks::sql::table;
use crate::error::Result;
use crate::model::Role;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One dimension key of a fact row.
#[derive(Debug, Clone, Serialize)]
pub struct Look {
    pub role: String,
    pub dimension: String,
    pub key: i64,
    pub reason: Reason,
    /// The member's natural key, column by column; empty under a reserved key.
    #[serde(serialize_with = "super::explain::as_map")]
    pub member: Vec<(String, Value)>,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    /// The instant that was looked up, UTC.
    pub at: Option<String>,
    /// The position of the event that looked it up, where that is another than the row's own: a reversal carries what
    /// its line has.
    pub carried_from: Option<i64>,
    pub opened_by: Vec<Opening>,
}

/// Why a row has this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was valid at the time.
    Valid,
    /// The time is before the member's first version, which is taken.
    BeforeFirst,
    /// The time is in a gap or after a close: the last version before it is taken.
    AfterClose,
    /// Nothing but mentions is known of the member.
    Inferred,
    /// The event could name a member and names none.
    Unknown,
    /// The event cannot name a member here.
    NotApplicable,
    /// The release has no such version.
    Missing,
}

/// When a key was looked up, and by which event if not by the row's own.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    pub at: Option<String>,
    pub carried_from: Option<i64>,
}

/// A member's natural key and its versions.
type Known = (Vec<(String, Value)>, Vec<Version>);

/// Looks keys up, each once.
pub struct Looks<'a> {
    books: &'a Books,
    /// By dimension and key.
    known: BTreeMap<(usize, i64), Known>,
}

impl<'a> Looks<'a> {
    /// Nothing has been looked up yet.
    pub fn new(books: &'a Books) -> Self {
        Self { books, known: BTreeMap::new() }
    }

    /// What stands behind a key.
    pub fn look(&mut self, role: &Role, key: i64, moment: &Moment) -> Result<Look> {
        let dimension = self.books.model.dimensions.get(role.dimension);
        let mut look = Look {
            role: role.name.clone(),
            dimension: dimension.map(|dimension| dimension.name.clone()).unwrap_or_default(),
            key,
            reason: match key {
                -1 => Reason::Unknown,
                -2 => Reason::NotApplicable,
                _ => Reason::Missing,
            },
            member: Vec::new(),
            valid_from: None,
            valid_to: None,
            at: moment.at.clone(),
            carried_from: moment.carried_from,
            opened_by: Vec::new(),
        };
        if key < 0 {
            return Ok(look);
        }
        let (member, versions) = self.known(role.dimension, key)?;
        look.member.clone_from(member);
        if let Some(version) = versions.iter().find(|version| version.key == key) {
            look.reason = reason(version, moment.at.as_deref());
            look.valid_from = Some(version.valid_from.clone());
            look.valid_to = Some(version.valid_to.clone());
            look.opened_by.clone_from(&version.opened_by);
        }
        Ok(look)
    }

    fn known(&mut self, dimension: usize, key: i64) -> Result<&Known> {
        let place = (dimension, key);
        if !self.known.contains_key(&place) {
            let known = self.read(dimension, key)?;
            self.known.insert(place, known);
        }
        Ok(&self.known[&place])
    }

    fn read(&self, index: usize, key: i64) -> Result<Known> {
        let nobody = || (Vec::new(), Vec::new());
        let Some(dimension) = self.books.model.dimensions.get(index) else { return Ok(nobody()) };
        let Some(entity) = dimension.entities.first() else { return Ok(nobody()) };
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = $1",
            key_of(&entity.key).join(", "),
            table("star", &format!("dim_{}", dimension.name)),
            key_column(&entity.name)
        );
        let found = self.books.ask(&sql, &[Value::from(key)])?;
        let Some(natural) = found.rows.into_iter().next() else { return Ok(nobody()) };
        let own = own_events(self.books, dimension, 0, &natural)?;
        let versions = versions(self.books, (dimension, 0), &natural, &own)?.map(|(versions, _)| versions);
        Ok((found.columns.into_iter().zip(natural).collect(), versions.unwrap_or_default()))
    }
}

/// Texts of instants are in the order of time.
fn reason(version: &Version, at: Option<&str>) -> Reason {
    match at {
        _ if version.is_inferred => Reason::Inferred,
        Some(at) if at < version.valid_from.as_str() => Reason::BeforeFirst,
        Some(at) if at >= version.valid_to.as_str() => Reason::AfterClose,
        _ => Reason::Valid,
    }
}

/// The key columns of roles, in a row read by its columns.
pub fn key_in(row: &[(String, Value)], role: &Role) -> i64 {
    let name = format!("{}_key", role.name);
    row.iter()
        .find(|(column, _)| *column == name)
        .map_or(0, |(_, value)| books::integer(std::slice::from_ref(value), 0))
}
