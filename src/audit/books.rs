//! A release → the session that all questions of this room are put to, and what its names mean.

use super::Event;
use crate::checks::sql::{cast, literal, names, table, type_name};
use crate::error::{Error, Result};
use crate::layout::entity_sql;
use crate::model::{Dimension, Entity, EventType, KeyColumn, Model};
use crate::query::{Candidate, Rows, Session, candidate};
use crate::spec::closest;
use crate::warehouse::Release;
use serde_json::Value;
use std::path::Path;

/// A release, opened to be asked; it stays on that release.
pub struct Books {
    pub(super) release: Release,
    pub(super) model: Model,
    session: Session,
    /// The schema of the tables of levels, if the release has them.
    levels: Option<String>,
}

/// The columns that tell of the event under the alias `e`: what [`event`] reads. Behind them stand `_order` and the time
/// in microseconds.
pub fn envelope(event: &EventType) -> String {
    format!(
        "e._position, {}, e._time, e._file, e._line, e._offset, e._order, epoch_us(e._time)",
        literal(&event.name)
    )
}

/// How many columns [`envelope`] gives.
pub const ENVELOPE: usize = 8;

/// The event of a row that begins with [`envelope`].
pub fn event(row: &[Value]) -> Event {
    Event {
        position: integer(row, 0),
        event: text(row, 1),
        time: text(row, 2),
        file: text(row, 3),
        line: integer(row, 4),
        offset: integer(row, 5),
    }
}

/// An integer of a row.
pub fn integer(row: &[Value], column: usize) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

/// A value of a row as text; nothing for null.
pub fn text(row: &[Value], column: usize) -> String {
    match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The columns hold the natural key `$1`, `$2`, ...
pub fn is_key(columns: impl Iterator<Item = String>, key: &[KeyColumn]) -> String {
    let equal = |(number, (column, key)): (usize, (String, &KeyColumn))| {
        format!("{} = {}", cast(&column, key.value_type), cast(&format!("${}", number + 1), key.value_type))
    };
    columns.zip(key).enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
}

impl Books {
    /// Opens a release. `warehouse` is the folder that its log lies in.
    ///
    /// # Errors
    ///
    /// The operator's: the release does not hold its pipeline, or cannot be read.
    pub fn open(release: &Release, warehouse: &Path) -> Result<Self> {
        let model = release.model()?;
        let Candidate { spec, levels, .. } = candidate(release, &model, warehouse)?;
        Ok(Self { release: release.clone(), model, session: Session::open(&spec)?, levels })
    }

    /// Asks.
    pub(super) fn ask(&self, sql: &str, values: &[Value]) -> Result<Rows> {
        self.session.fetch(sql, values)
    }

    /// The dimension and the entity of it that this name means.
    pub(super) fn entity(&self, name: &str) -> Result<(&Dimension, usize)> {
        let plain = name.strip_prefix("dim_").unwrap_or(name);
        let all = || self.model.dimensions.iter();
        let found = all().find_map(|dimension| {
            let entity = dimension.entities.iter().position(|entity| entity.name == plain)?;
            Some((dimension, entity))
        });
        found.ok_or_else(|| {
            let names = || all().flat_map(|dimension| &dimension.entities).map(|entity| entity.name.as_str());
            let all: Vec<&str> = names().collect();
            let hint = match closest(plain, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are: {}", all.join(", ")),
            };
            Error::author(format!("no dimension and no level with members is called `{plain}`")).next(hint)
        })
    }

    /// A relation with the versions of an entity and what was above them, if the release's layouts have one.
    pub(super) fn versions(&self, dimension: &Dimension, entity: usize) -> Option<String> {
        match &self.levels {
            Some(levels) => Some(format!("({})", entity_sql(dimension, entity, levels))),
            None if entity == 0 => Some(table("star", &format!("dim_{}", dimension.name))),
            None => None,
        }
    }

    /// Refuses a natural key that none of the entity's members can have.
    pub(super) fn check_key(&self, entity: &Entity, key: &[Value]) -> Result<()> {
        let columns = names(&entity.key).join(" ");
        if key.len() != entity.key.len() {
            let message =
                format!("a {} is named by {} values, not by {}", entity.name, entity.key.len(), key.len());
            return Err(Error::author(message).next(format!("give them in this order: {columns}")));
        }
        let mut parts = entity.key.iter().zip(key);
        parts.try_for_each(|(column, value)| {
            self.check_value(&column.name, &type_name(column.value_type), value)
        })
    }

    /// Refuses a value that a column cannot hold.
    pub(super) fn check_value(&self, column: &str, type_name: &str, value: &Value) -> Result<()> {
        let fits = self
            .ask(&format!("SELECT TRY_CAST($1 AS {type_name}) IS NOT NULL"), std::slice::from_ref(value))?;
        if fits.rows.first().and_then(|row| row.first()) == Some(&Value::Bool(true)) {
            return Ok(());
        }
        let value = text(std::slice::from_ref(value), 0);
        Err(Error::author(format!("`{value}` is no value of {column}"))
            .next(format!("{column} is {type_name}")))
    }

    /// Events under the alias `e`, once for each item of a list.
    pub(super) fn scan(&self, event: &EventType, list: Option<usize>) -> String {
        crate::checks::source::scan("log", event, list)
    }
}
