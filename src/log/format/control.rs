//! Lines that change data capture writes beside the changes of rows: what are they called, if a pipeline ignores them?

use super::object::Object;
use crate::log::decode::{Kind, Plan};
use crate::log::reject::{Code, Flaw};

/// A line that says nothing of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// By which a pipeline ignores it.
    pub name: &'static str,
    /// For a person.
    pub what: &'static str,
}

/// Whether a line is of a kind.
type Test = fn(&Object<'_>) -> bool;

/// Every kind of them, with what tells it.
const CONTROLS: [(Control, Test); 6] = [
    (
        Control { name: "debezium.message", what: "a message in the database's log, no change of a row" },
        |line| line.text("op").as_deref() == Some("m"),
    ),
    (
        Control { name: "debezium.schema-change", what: "a change of a table's columns, not of its rows" },
        |line| line.has("ddl") || line.has("tableChanges"),
    ),
    (Control { name: "debezium.transaction", what: "the begin or end of a transaction" }, |line| {
        line.has("status") && line.has("id") && (line.has("event_count") || line.has("data_collections"))
    }),
    (Control { name: "debezium.notification", what: "a notification of the connector" }, |line| {
        line.has("aggregate_type") && line.has("additional_data")
    }),
    (Control { name: "debezium.heartbeat", what: "a heartbeat of the connector" }, |line| {
        line.has("ts_ms") && line.members().iter().all(|member| member.name.starts_with(b"ts_"))
    }),
    (
        Control {
            name: "debezium.cloudevent",
            what: "a change event as a CloudEvent, an envelope that Starlog does not read",
        },
        |line| line.has("specversion") && line.has("iodebeziumop"),
    ),
];

/// All rows of a table at once.
pub const TRUNCATION: Control = Control {
    name: "debezium.truncate",
    what: "the truncation of a table, which does not say which rows went",
};

impl Control {
    /// What this line is, if it is none of a row.
    pub fn of(line: &Object<'_>) -> Option<Self> {
        CONTROLS.iter().find(|(_, is_it)| is_it(line)).map(|(control, _)| *control)
    }

    /// Nothing, if the pipeline ignores such lines by name.
    pub fn judge(self, plan: &Plan) -> Result<(), Flaw> {
        if let Some(Kind::Ignored) = plan.kind(self.name.as_bytes()) {
            return Ok(());
        }
        let message = format!(
            "{}; `ignore = [\"{}\"]` of the pipeline's log passes such lines over",
            self.what, self.name
        );
        Err(Flaw::new(Code::UnknownType, message))
    }
}
