//! A relation of versions → a temporary table that says which version is looked up when (DESIGN 13).
//!
//! Version and instant decide each other: a version is looked up from its `valid_from` (the first one: from
//! ever) until the next one's. So a gap or a closing falls to the version before it, and a fact's key is
//! right when its row has the fact's natural key and the fact's instant is inside `_from` and `_until`.
//! Joining on the key, a small integer, is much cheaper than looking members up by text.

use super::plan::Tables;
use super::sql::{column, columns, name, names, table};
use crate::model::{Dimension, Entity};

/// The key of rows for a missing natural key (DESIGN 16).
pub(super) const UNKNOWN: i64 = -1;
/// The key of rows for what does not apply.
pub(super) const NOT_APPLICABLE: i64 = -2;
/// The `valid_to` of a current version.
pub(super) const END: &str = "TIMESTAMP '9999-12-31'";

/// One relation of versions.
pub(super) struct Lookup {
    /// As people know it: `dim_x`.
    pub title: String,
    source: String,
    /// The temporary table.
    pub temporary: String,
    /// Its own key column.
    pub key: String,
    /// The columns of its natural key.
    pub natural: Vec<String>,
}

/// The wide relation of a dimension.
pub(super) fn wide(dimension: &Dimension, tables: &Tables) -> Lookup {
    let bottom = dimension.entities.first();
    Lookup {
        title: format!("dim_{}", dimension.name),
        source: table(&tables.wide, &format!("dim_{}", dimension.name)),
        temporary: table("temp", &format!("checks_{}", dimension.name)),
        key: format!("{}_key", dimension.name),
        natural: bottom.map(|entity| names(&entity.key)).unwrap_or_default(),
    }
}

/// The table of a level that is an entity.
pub(super) fn level(entity: &Entity, schema: &str) -> Lookup {
    Lookup {
        title: format!("{schema}.dim_{}", entity.name),
        source: table(schema, &format!("dim_{}", entity.name)),
        temporary: table("temp", &format!("checks_level_{}", entity.name)),
        key: format!("{}_key", entity.name),
        natural: names(&entity.key),
    }
}

impl Lookup {
    /// Creates the temporary table: `_key`, the natural key, the interval and its flags, when it is looked
    /// up, and `_natural`, a hash that tells members and the reserved rows apart.
    pub(super) fn create(&self) -> String {
        let natural = columns("d", &self.natural);
        format!(
            "CREATE OR REPLACE TEMP TABLE {} AS
SELECT {} AS _key, {natural}, valid_from, valid_to, is_current, is_inferred,
  CASE WHEN lag(valid_from) OVER versions IS NULL THEN TIMESTAMP '-infinity' ELSE valid_from END AS _from,
  coalesce(lead(valid_from) OVER versions, TIMESTAMP 'infinity') AS _until,
  {} AS _natural
FROM {} AS d
WINDOW versions AS (PARTITION BY {natural} ORDER BY valid_from)",
            self.short(),
            column("d", &self.key),
            natural_hash(&column("d", &self.key), &natural),
            self.source,
        )
    }

    /// `CREATE TEMP TABLE` takes a name without its schema.
    fn short(&self) -> &str {
        self.temporary.split_once('.').map_or(self.temporary.as_str(), |(_, short)| short)
    }
}

/// What tells members apart in a proof: the reserved key, or a hash of the natural key.
pub(super) fn natural_hash(reserved: &str, natural: &str) -> String {
    format!(
        "CASE {reserved} WHEN {NOT_APPLICABLE} THEN 0::UBIGINT WHEN {UNKNOWN} THEN 1::UBIGINT \
ELSE hash({natural}) END"
    )
}

/// The version `v` is looked up at the row's instant.
pub(super) fn in_time(row: &str, version: &str) -> String {
    format!("{row}.occurred_at >= {version}._from AND {row}.occurred_at < {version}._until")
}

/// The name of the column that holds a role's reserved key in a relation of items, or null.
pub(super) fn reserved(role: &str) -> String {
    name(&format!("{role}._reserved"))
}

/// The name of the column that holds a part of a role's natural key in a relation of items.
pub(super) fn part(role: &str, column: &str) -> String {
    name(&format!("{role}.{column}"))
}
