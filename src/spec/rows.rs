//! `[log.rows.<name>]` as written.

use super::read::{Read, Value};
use super::{At, Named, Problems, UnitSpec};
use schemars::JsonSchema;

/// Rows of CSV or Parquet files, or JSON objects of other names: each is an event. A file is known by the columns that are named here.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RowsSpec {
    /// The event type of every row.
    pub event: Option<At<String>>,
    /// The column that names a row's event type, where `event` is left out.
    #[schemars(rename = "type")]
    pub event_type: Option<At<String>>,
    /// The column that holds an event's time.
    #[schemars(required)]
    pub time: Option<At<String>>,
    /// The column that identifies an event; needed where the envelope has an id.
    pub id: Option<At<String>>,
    /// The column that holds the producer's order, an integer.
    pub order: Option<At<String>>,
    /// For fields of the event types the column; left out: that of the same name.
    #[schemars(default)]
    pub fields: Named<At<String>>,
    /// Texts that stand for null: `["", "NULL"]`. None where it is left out: an empty text is an empty text.
    pub nulls: Option<Vec<At<String>>>,
    /// What parts the columns of a CSV file: one character, `,` where it is left out.
    pub delimiter: Option<At<String>>,
    /// The unit of times that are numbers.
    pub unit: Option<At<UnitSpec>>,
}

impl Read for RowsSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("rows of the log", problems)?;
        let spec = Self {
            event: table.optional("event", problems),
            event_type: table.optional("type", problems),
            time: table.required("time", problems),
            id: table.optional("id", problems),
            order: table.optional("order", problems),
            fields: table.optional("fields", problems).unwrap_or_default(),
            nulls: table.optional("nulls", problems),
            delimiter: table.optional("delimiter", problems),
            unit: table.optional("unit", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}
