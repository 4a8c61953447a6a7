//! `[log.tables.<name>]` and `[log.outbox]` as written.

use super::read::{Read, Value};
use super::{At, Named, Problems};
use schemars::JsonSchema;

/// A database table whose changes stand in the log as Debezium tells them: what does a change of a row mean?
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TableSpec {
    /// The table in the database: the end of `database.schema.table`. Left out: the name that it has here.
    pub table: Option<At<String>>,
    /// The event type of a row that was inserted. Left out: `<name>.created`.
    pub created: Option<At<String>>,
    /// The event type of a row that a snapshot found. Left out: that of `created`.
    pub found: Option<At<String>>,
    /// The event type of a row that was updated. Left out: `<name>.changed`.
    pub changed: Option<At<String>>,
    /// The event type of a row that was deleted. Left out: `<name>.closed`.
    pub closed: Option<At<String>>,
    /// Updates by which a column takes a value: `becomes.status = { cancelled = "Cancelled" }`. They need the row as it was before.
    #[schemars(default)]
    pub becomes: Named<Named<At<String>>>,
    /// The column that says when a row was inserted or updated. Left out: the time of the change in the database.
    pub time: Option<At<String>>,
    /// For fields of the event types the column; left out: that of the same name.
    #[schemars(default)]
    pub fields: Named<At<String>>,
    /// Columns of decimals that come as bytes without a schema, with their digits behind the point.
    #[schemars(default)]
    pub scales: Named<At<i64>>,
    /// Columns of times that come as numbers without a schema, with their unit.
    #[schemars(default)]
    pub times: Named<At<UnitSpec>>,
    /// `text`: decimals that come as text without a schema are numbers written out, never bytes.
    pub decimals: Option<At<DecimalsSpec>>,
}

/// The columns of an outbox, a table in which each row is an event. Those of Debezium's event router where they are left out.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OutboxSpec {
    /// The table in the database: the end of `database.schema.table`. Left out: any that is not declared and has the columns `aggregatetype`, `aggregateid`, `type` and `payload`.
    pub table: Option<At<String>>,
    /// The column that identifies an event. Left out: `id`.
    pub id: Option<At<String>>,
    /// The column that names the event type. Left out: `type`.
    #[schemars(rename = "type")]
    pub event_type: Option<At<String>>,
    /// The column that holds the contract's version. Left out: version 1.
    pub version: Option<At<String>>,
    /// The column that holds the payload: an object, or a text that is one. Left out: `payload`.
    pub payload: Option<At<String>>,
    /// The column that holds the event's time. Left out: the time of the row's insertion; `timestamp` where rows stand alone.
    pub time: Option<At<String>>,
    /// The unit of times that are numbers without a schema.
    pub unit: Option<At<UnitSpec>>,
}

/// The unit of a time that is a number, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum UnitSpec {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

/// How decimals stand in lines that bring no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum DecimalsSpec {
    /// Written out: `"12.34"`.
    Text,
}

impl Read for TableSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a table of the log", problems)?;
        let spec = Self {
            table: table.optional("table", problems),
            created: table.optional("created", problems),
            found: table.optional("found", problems),
            changed: table.optional("changed", problems),
            closed: table.optional("closed", problems),
            becomes: table.optional("becomes", problems).unwrap_or_default(),
            time: table.optional("time", problems),
            fields: table.optional("fields", problems).unwrap_or_default(),
            scales: table.optional("scales", problems).unwrap_or_default(),
            times: table.optional("times", problems).unwrap_or_default(),
            decimals: table.optional("decimals", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for OutboxSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an outbox", problems)?;
        let spec = Self {
            table: table.optional("table", problems),
            id: table.optional("id", problems),
            event_type: table.optional("type", problems),
            version: table.optional("version", problems),
            payload: table.optional("payload", problems),
            time: table.optional("time", problems),
            unit: table.optional("unit", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for At<UnitSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let words = [("s", UnitSpec::S), ("ms", UnitSpec::Ms), ("us", UnitSpec::Us), ("ns", UnitSpec::Ns)];
        value.choose(&words, problems)
    }
}

impl Read for At<DecimalsSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&[("text", DecimalsSpec::Text)], problems)
    }
}
