//! The pipelines of these tests, and lines in their envelopes.

use serde_json::{Map, Value as Json, json};
use starlog::model::{self, Model};
use std::path::{Path, PathBuf};

/// The folder of one of the oracle's kinds of data.
pub fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle").join(kind)
}

pub fn pipeline_file(name: &str) -> PathBuf {
    folder("pipelines").join(format!("{name}.toml"))
}

pub fn load(name: &str) -> Model {
    model::load(&pipeline_file(name)).unwrap_or_else(|error| panic!("{error}\n{:?}", error.report()))
}

/// One event of a log to be.
pub struct Draft {
    pub id: String,
    pub event_type: String,
    /// RFC 3339.
    pub time: String,
    pub order: Option<i64>,
    pub payload: Map<String, Json>,
}

impl Draft {
    /// Its line of the log.
    pub fn line(self, model: &Model) -> String {
        let envelope = &model.log.envelope;
        let mut line = Map::new();
        if let Some(id) = &envelope.id {
            line.insert(id.clone(), json!(self.id));
        }
        line.insert(envelope.event_type.clone(), json!(self.event_type));
        line.insert(envelope.time.clone(), json!(self.time));
        if let (Some(name), Some(order)) = (&envelope.order, self.order) {
            line.insert(name.clone(), json!(order));
        }
        match &envelope.payload {
            Some(name) => drop(line.insert(name.clone(), Json::Object(self.payload))),
            None => line.extend(self.payload),
        }
        Json::Object(line).to_string()
    }
}
