//! `[log]` as written.

use super::read::{Read, Value};
use super::{At, LimitsSpec, Named, OutboxSpec, PiiSpec, Problems, RowsSpec, TableSpec, UnitSpec};
use schemars::JsonSchema;

/// Where events come from.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LogSpec {
    /// Files or glob patterns, relative to the pipeline file: NDJSON, CSV or Parquet; plain, `.gz` or `.zst`. Their order is the log's.
    /// What a pattern finds through a link outside the folder that it names is refused.
    #[schemars(required)]
    pub files: Option<Vec<At<String>>>,
    /// The names of the fields around a payload. They cannot change once a log has begun.
    #[schemars(required)]
    pub envelope: Option<EnvelopeSpec>,
    /// Events before this instant are rejected: a date (its first moment in UTC) or a date and time with offset. 1900-01-01 where it is left out.
    pub earliest: Option<At<Instant>>,
    /// Events at or after this instant are rejected: a date (its first moment in UTC) or a date and time with offset. 2200-01-01 where it is left out, and never later than 9999-12-31.
    pub latest: Option<At<Instant>>,
    /// Event types that the pipeline has no use for. All others that it does not declare are rejects.
    pub ignore: Option<Vec<At<String>>>,
    /// More rejects than this since the current release, and nothing is published.
    #[schemars(range(min = 0))]
    pub max_rejects: Option<At<i64>>,
    /// A larger share of rejects among the lines read since the current release, and nothing is published: 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub max_reject_share: Option<At<f64>>,
    /// Database tables whose changes stand in the log as Debezium tells them.
    #[schemars(default)]
    pub tables: Named<TableSpec>,
    /// The columns of an outbox, where they are not those of Debezium's event router.
    pub outbox: Option<OutboxSpec>,
    /// Rows of CSV and Parquet files, each an event.
    #[schemars(default)]
    pub rows: Named<RowsSpec>,
    /// Fields that nothing behind the door may hold in clear.
    pub pii: Option<PiiSpec>,
    /// What a line and a file may be.
    pub limits: Option<LimitsSpec>,
}

/// The names of the fields around a payload.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EnvelopeSpec {
    /// The field that names the event type.
    #[schemars(required, rename = "type")]
    pub event_type: Option<At<String>>,
    /// The field that holds the contract's version. Version 1 where it is absent.
    pub version: Option<At<String>>,
    /// The field that holds the event's time, RFC 3339.
    #[schemars(required)]
    pub time: Option<At<String>>,
    /// The field that holds the payload. Left out: the payload's fields stand beside the envelope's.
    pub payload: Option<At<String>>,
    /// The field that identifies an event. Without it there are no duplicates.
    pub id: Option<At<String>>,
    /// The field that holds the producer's order, an integer: decides between events of one instant.
    pub order: Option<At<String>>,
    /// The time zone of times that name none, such as `Europe/Oslo`. Without it such a time is a reject.
    pub zone: Option<At<String>>,
    /// The unit of times that are numbers, counted from 1970-01-01 UTC. Without it such a time is a reject.
    pub unit: Option<At<UnitSpec>>,
}

/// An instant as written; what it means is decided later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant(pub String);

impl Read for LogSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("[log]", problems)?;
        let spec = Self {
            files: table.required("files", problems),
            envelope: table.required("envelope", problems),
            earliest: table.optional("earliest", problems),
            latest: table.optional("latest", problems),
            ignore: table.optional("ignore", problems),
            max_rejects: table.optional("max_rejects", problems),
            max_reject_share: table.optional("max_reject_share", problems),
            tables: table.optional("tables", problems).unwrap_or_default(),
            outbox: table.optional("outbox", problems),
            rows: table.optional("rows", problems).unwrap_or_default(),
            pii: table.optional("pii", problems),
            limits: table.optional("limits", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for EnvelopeSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an envelope", problems)?;
        let spec = Self {
            event_type: table.required("type", problems),
            version: table.optional("version", problems),
            time: table.required("time", problems),
            payload: table.optional("payload", problems),
            id: table.optional("id", problems),
            order: table.optional("order", problems),
            zone: table.optional("zone", problems),
            unit: table.optional("unit", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for At<Instant> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let written = match value.value {
            toml::de::DeValue::Datetime(datetime) => datetime.to_string(),
            toml::de::DeValue::String(text) => text.to_string(),
            _ => return value.refuse("a date or a date and time with offset", problems),
        };
        Some(Self { value: Instant(written), span: value.span })
    }
}
