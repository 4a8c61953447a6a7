//! `[views.<name>]` as written: a question whose answer is kept as a table, or a file of SQL.

use super::read::{Read, Value};
use super::table::Table;
use super::{At, Problems, QuestionSpec};
use schemars::JsonSchema;

/// A table that every release holds, computed from its facts and dimensions: exact for that release.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ViewSpec {
    /// The fact. May be left out where a measure says which one is meant.
    pub fact: Option<At<String>>,
    /// What is computed for each group, as in a question: `net_amount`, `avg(net_amount)`, `buyers = count_distinct(customer.customer_id)`.
    #[schemars(default)]
    pub measures: Vec<At<String>>,
    /// The columns that make the groups, as in a question: `product.department`, `date.month`. Left out: one row.
    #[schemars(default)]
    pub by: Vec<At<String>>,
    /// Which rows of the fact: a condition, as in a question.
    #[schemars(rename = "where")]
    pub filter: Option<At<String>>,
    /// Instead of all that: a file beside the pipeline with a SELECT over fact tables and dimensions.
    pub sql: Option<At<String>>,
}

impl Read for ViewSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table: Table<'_> = value.open("a view", problems)?;
        let spec = Self {
            fact: table.optional("fact", problems),
            measures: table.optional("measures", problems).unwrap_or_default(),
            by: table.optional("by", problems).unwrap_or_default(),
            filter: table.optional("where", problems),
            sql: table.optional("sql", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl ViewSpec {
    /// The question that a declared view answers: with the attributes of each fact's own time, since those are all that
    /// a release alone decides.
    #[must_use]
    pub fn question(&self, name: &At<String>) -> QuestionSpec {
        QuestionSpec {
            name: Some(name.clone()),
            fact: self.fact.clone(),
            measures: Some(self.measures.clone()),
            by: self.by.clone(),
            filter: self.filter.clone(),
            as_of: None,
        }
    }
}
