//! `[[test]]` as written: lines of a log, and what is to come of them.

use super::read::{Read, Value};
use super::{At, Literal, Named, Problems};
use schemars::JsonSchema;

/// A test of the pipeline, which `starlog test` runs.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CaseSpec {
    /// What is shown of it: a sentence.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// A log: lines as they would stand in a file.
    #[schemars(required)]
    pub given: Option<At<String>>,
    /// Tables, each with all its rows in any order: `"log.OrderPlaced" = [{ column = value }]`. Only columns that are named are compared.
    #[schemars(required)]
    pub expect: Option<Named<Vec<Named<At<Literal>>>>>,
}

impl Read for CaseSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a test", problems)?;
        let spec = Self {
            name: table.required("name", problems),
            given: table.required("given", problems),
            expect: table.required("expect", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}
