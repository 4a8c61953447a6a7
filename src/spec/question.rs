//! `[[question]]` as written: measures by attributes.

use super::log::Instant;
use super::read::{Read, Value};
use super::table::Table;
use super::{At, Problems};
use schemars::JsonSchema;

/// A question about one fact: what is measured, by what, of which rows.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct QuestionSpec {
    /// By what `starlog ask --question` knows it.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// The fact. May be left out where a measure says which one is meant.
    pub fact: Option<At<String>>,
    /// A measure that adds up, the fact's own name for the number of its headers, or `sum`, `min`, `max`, `avg`, `count`, `count_distinct` of something. `name = sum(x)` names it.
    #[schemars(required)]
    pub measures: Option<Vec<At<String>>>,
    /// Columns of roles (`role.column`), their levels (`role.level`), of the date (`date.month`), of the fact itself. Left out: one row.
    #[schemars(default)]
    pub by: Vec<At<String>>,
    /// Which rows: a condition in SQL's expression language over such columns.
    #[schemars(rename = "where")]
    pub filter: Option<At<String>>,
    /// Whose attributes: those of the fact's own time (`sold`, where it is left out), today's (`now`), or a date's.
    #[schemars(rename = "as")]
    pub as_of: Option<At<Instant>>,
}

impl QuestionSpec {
    /// What a question asks, without its name.
    pub(super) fn body(table: &mut Table<'_>, problems: &mut Problems) -> Self {
        Self {
            name: None,
            fact: table.optional("fact", problems),
            measures: table.required("measures", problems),
            by: table.optional("by", problems).unwrap_or_default(),
            filter: table.optional("where", problems),
            as_of: table.optional("as", problems),
        }
    }
}

impl Read for QuestionSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a question", problems)?;
        let name = table.required("name", problems);
        let spec = Self { name, ..Self::body(&mut table, problems) };
        table.finish(problems);
        Some(spec)
    }
}
