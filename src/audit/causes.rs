//! Changed rows → the events that did it: of those between the two releases, which touch a row?
//!
//! A row of a ledger comes from its own event; it changes by events of its header, or, where nothing but its keys
//! changed, by events of the members that it names. A version comes from events of its member or of those above it, and an
//! inferred one from its first mention. Of several events the newest is named (of mentions, the first): each changed row
//! counts once, so that the differences of causes add up to that of the month.

use super::Event;
use super::books::{self, integer};
use super::changes::{sides, temporary};
use super::mention::{self, Mention};
use super::pair::{Compared, Kind, Pair};
use crate::checks::source::scan;
use crate::checks::sql::{cast, field, literal, name};
use crate::error::Result;
use crate::model::{Entity, Fact, KeyColumn, Model};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Events of one type that changed rows of one month in one way.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    pub event: String,
    pub via: Via,
    pub events: i64,
    pub rows: i64,
    /// What these rows add to each measure's sum, as decimal text.
    #[serde(serialize_with = "super::explain::as_map")]
    pub differences: Vec<(String, Value)>,
    /// The first few of them.
    pub examples: Vec<Event>,
}

/// What an event has to do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// It made the row.
    Itself,
    /// It is of the same header.
    Header,
    /// It gave a member that the row names, or one above it, another version at the row's time.
    Rekeyed,
    /// It is the member's own.
    Member,
    /// It is of a member above.
    Above,
    /// It is the first to mention the member.
    Mention,
}

impl Via {
    const ALL: [Self; 6] =
        [Self::Itself, Self::Header, Self::Rekeyed, Self::Member, Self::Above, Self::Mention];

    /// The number under which it stands in SQL; of two, the smaller wins.
    fn number(self) -> usize {
        Self::ALL.iter().position(|via| *via == self).unwrap_or_default()
    }
}

/// How many events are named.
const EXAMPLES: usize = 3;

/// Makes `new_events` known: the events between the two releases. Returns how many there are.
pub fn prepare(pair: &Pair<'_>) -> Result<i64> {
    let (from, to) = pair.positions;
    let select = |event: &crate::model::EventType| {
        format!(
            "SELECT _position AS position, {} AS event, _time AS time, _file AS file, _line AS line, _offset AS \"offset\" \
             FROM {} WHERE _position > {from} AND _position <= {to}",
            literal(&event.name),
            crate::checks::sql::table("log", &event.name)
        )
    };
    let all: Vec<String> = pair.model.events.iter().map(select).collect();
    pair.session.run(&format!("CREATE TEMP TABLE new_events AS {}", all.join(" UNION ALL ")))?;
    for (index, dimension) in pair.model.dimensions.iter().enumerate() {
        for (place, entity) in dimension.entities.iter().enumerate() {
            touch(pair, &own_of(entity), &mention::own(&pair.model, index, place), &entity.key)?;
            touch(pair, &mentions_of(entity), &mention::by_others(&pair.model, index, place), &entity.key)?;
        }
    }
    for fact in &pair.model.facts {
        touch(pair, &headers_of(fact), &mention::of_headers(fact), &fact.header)?;
    }
    let count = pair.session.fetch("SELECT count(*) FROM new_events", &[])?;
    Ok(count.rows.first().map_or(0, |row| integer(row, 0)))
}

/// Makes a table of the new events that name what these parts of events name: `_position` and the natural key.
fn touch(pair: &Pair<'_>, touched: &str, mentions: &[Mention], key: &[KeyColumn]) -> Result<()> {
    let model: &Model = &pair.model;
    let (from, to) = pair.positions;
    let nulls = key.iter().map(|key| format!(", {} AS {}", cast("NULL", key.value_type), name(&key.name)));
    let mut selects = vec![format!("SELECT 0::BIGINT AS _position{} WHERE false", nulls.collect::<String>())];
    selects.extend(mentions.iter().filter_map(|mention| {
        let event = model.events.get(mention.event)?;
        let parts = mention.key.iter().zip(key);
        let parts =
            parts.map(|(reference, key)| format!(", {}", cast(&field(event, *reference), key.value_type)));
        Some(format!(
            "SELECT e._position{} FROM {} WHERE e._position > {from} AND e._position <= {to}",
            parts.collect::<String>(),
            scan("log", event, mention.list)
        ))
    }));
    pair.session.run(&format!("CREATE TEMP TABLE {touched} AS {}", selects.join(" UNION ALL ")))
}

/// The new events of an entity's members.
fn own_of(entity: &Entity) -> String {
    name(&format!("own {}", entity.name))
}

/// The new events that mention members of an entity without setting them.
fn mentions_of(entity: &Entity) -> String {
    name(&format!("mentions {}", entity.name))
}

/// The new events of the headers of a fact.
fn headers_of(fact: &Fact) -> String {
    name(&format!("headers {}", fact.name))
}

/// Both sides have the same natural key.
fn same_key(left: &str, right: &str, key: &[KeyColumn]) -> String {
    let same = key.iter().map(|key| format!("{left}.{0} = {right}.{0}", name(&key.name)));
    same.collect::<Vec<_>>().join(" AND ")
}

/// Says of each changed row of a table which event did it. Returns a temporary table: `_rid`, `_via`, `position`.
pub fn attribute(pair: &Pair<'_>, table: &Compared) -> Result<String> {
    let changed = temporary(table);
    let mut found = vec!["SELECT 0::BIGINT AS _rid, 0 AS _via, 0::BIGINT AS position WHERE false".to_owned()];
    match table.kind {
        Kind::Dates => {}
        Kind::Ledger(_) | Kind::Lines(_) => facts(pair, table, &changed, &mut found),
        Kind::Dimension(dimension) => members(pair, dimension, &changed, &mut found),
    }
    let causes = name(&format!("causes {}", table.name));
    // Of mentions the first, of all else the newest.
    let newest = format!("CASE WHEN _via = {} THEN -position ELSE position END", Via::Mention.number());
    pair.session.run(&format!(
        "CREATE TEMP TABLE {causes} AS SELECT _rid, _via, position FROM ({}) \
         QUALIFY row_number() OVER (PARTITION BY _rid ORDER BY _via, {newest} DESC) = 1",
        found.join(" UNION ALL ")
    ))?;
    Ok(causes)
}

fn facts(pair: &Pair<'_>, table: &Compared, changed: &str, found: &mut Vec<String>) {
    let Some(fact) = pair.fact(table.kind) else { return };
    found.push(format!(
        "SELECT c._rid, {}, c.position FROM (SELECT rowid AS _rid, coalesce(_after.position, _before.position) AS position \
         FROM {changed} WHERE NOT (_was AND _is)) AS c SEMI JOIN new_events AS e ON e.position = c.position",
        Via::Itself.number()
    ));
    let keys: Vec<String> = fact.roles.iter().map(|role| format!("{}_key", role.name)).collect();
    let differs = |column: &String| format!("c._before.{0} IS DISTINCT FROM c._after.{0}", name(column));
    // A row of which nothing but keys changed was not changed by its header, unless by nothing else.
    let others =
        table.columns.iter().filter(|column| !keys.contains(column)).map(differs).collect::<Vec<_>>();
    let only_keys = match others.is_empty() {
        true => "(c._was AND c._is)".to_owned(),
        false => format!("(c._was AND c._is AND NOT ({}))", others.join(" OR ")),
    };
    let last = Via::ALL.len();
    let has_header =
        !fact.header.is_empty() && fact.header.iter().all(|key| table.columns.contains(&key.name));
    if has_header {
        let names = fact.header.iter().map(|key| {
            let column = name(&key.name);
            format!("coalesce(_after.{column}, _before.{column}) AS {column}")
        });
        found.push(format!(
            "SELECT c._rid, CASE WHEN {only_keys} THEN {last} ELSE {} END, t._position \
             FROM (SELECT rowid AS _rid, _was, _is, _before, _after, {} FROM {changed}) AS c JOIN {} AS t ON {}",
            Via::Header.number(),
            names.collect::<Vec<_>>().join(", "),
            headers_of(fact),
            same_key("c", "t", &fact.header)
        ));
    }
    for (role, key) in fact.roles.iter().zip(&keys).filter(|(_, key)| table.columns.contains(key)) {
        let Some(dimension) = pair.model.dimensions.get(role.dimension) else { continue };
        for entity in &dimension.entities {
            for schema in ["before", "after"] {
                found.push(format!(
                    "SELECT c.rowid, {}, t._position FROM {changed} AS c JOIN {} AS w \
                     ON w.{} IN (c._before.{key}, c._after.{key}) JOIN {} AS t ON {} WHERE c._was AND c._is AND {}",
                    Via::Rekeyed.number(),
                    super::pair::side(schema, &format!("dim_{}", dimension.name)),
                    name(&format!("{}_key", dimension.name)),
                    own_of(entity),
                    same_key("w", "t", &entity.key),
                    differs(key),
                    key = name(key),
                ));
            }
        }
    }
}

fn members(pair: &Pair<'_>, index: usize, changed: &str, found: &mut Vec<String>) {
    let Some(dimension) = pair.model.dimensions.get(index) else { return };
    for (place, entity) in dimension.entities.iter().enumerate() {
        let by = match place {
            0 => vec![(own_of(entity), Via::Member), (mentions_of(entity), Via::Mention)],
            _ => vec![(own_of(entity), Via::Above)],
        };
        for (touched, via) in by {
            for row in ["_before", "_after"] {
                let columns = entity.key.iter().map(|key| format!("{row}.{0} AS {0}", name(&key.name)));
                found.push(format!(
                    "SELECT c._rid, {}, t._position \
                     FROM (SELECT rowid AS _rid, {} FROM {changed}) AS c JOIN {} AS t ON {}",
                    via.number(),
                    columns.collect::<Vec<_>>().join(", "),
                    touched,
                    same_key("c", "t", &entity.key)
                ));
            }
        }
    }
}

/// The causes of a table by month, and how many changed rows of each month have none.
pub fn by_month(
    pair: &Pair<'_>,
    table: &Compared,
    causes: &str,
    measures: &[String],
) -> Result<BTreeMap<String, (Vec<Cause>, i64)>> {
    let sums = measures.iter().map(|measure| {
        // A column that the other release does not have is not compared.
        format!(", sum(CASE s._sign WHEN 1 THEN s._row.{0} ELSE -s._row.{0} END)::VARCHAR", name(measure))
    });
    let sql = format!(
        "SELECT s._month, e.event, c._via, count(DISTINCT c.position), count(DISTINCT s._rid), \
         list_sort(list(DISTINCT c.position))[1:{EXAMPLES}]{} FROM {} AS s LEFT JOIN {causes} AS c ON c._rid = s._rid \
         LEFT JOIN new_events AS e ON e.position = c.position GROUP BY ALL ORDER BY 1, 3, 2",
        sums.collect::<String>(),
        sides(table)
    );
    let mut found: BTreeMap<String, (Vec<Cause>, i64)> = BTreeMap::new();
    let rows = pair.session.fetch(&sql, &[])?.rows;
    let events = examples(pair, &rows)?;
    for row in rows {
        let month = books::text(&row, 0);
        if row.get(1).is_none_or(Value::is_null) {
            found.entry(month).or_default().1 += integer(&row, 4);
            continue;
        }
        let positions = row.get(5).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64);
        let via = usize::try_from(integer(&row, 2)).unwrap_or_default();
        found.entry(month).or_default().0.push(Cause {
            event: books::text(&row, 1),
            // Behind all others stands a header's event for rows of which only keys changed.
            via: Via::ALL.get(via).copied().unwrap_or(Via::Header),
            events: integer(&row, 3),
            rows: integer(&row, 4),
            differences: measures.iter().cloned().zip(row.iter().skip(6).cloned()).collect(),
            examples: positions.filter_map(|position| events.get(&position).cloned()).collect(),
        });
    }
    Ok(found)
}

/// The events that are named as examples.
fn examples(pair: &Pair<'_>, rows: &[Vec<Value>]) -> Result<BTreeMap<i64, Event>> {
    let positions: BTreeSet<i64> =
        rows.iter().filter_map(|row| row.get(5)?.as_array()).flatten().filter_map(Value::as_i64).collect();
    let positions: Vec<String> = positions.iter().map(i64::to_string).collect();
    if positions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT position, event, time, file, line, \"offset\" FROM new_events WHERE position IN ({})",
        positions.join(", ")
    );
    let rows = pair.session.fetch(&sql, &[])?.rows;
    Ok(rows.iter().map(|row| (integer(row, 0), books::event(row))).collect())
}
