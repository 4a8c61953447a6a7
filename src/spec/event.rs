//! `[events.<type>]` as written.

use super::read::{Read, Value};
use super::{At, Literal, Named, Problems, UpcastSpec};
use schemars::JsonSchema;

/// The contract of an event type: the fields of its payload.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EventSpec {
    /// The version of the contract; 1 where it is left out.
    #[schemars(range(min = 1))]
    pub version: Option<At<i64>>,
    /// Fields and their types: `text`, `integer`, `decimal(18,4)`, `boolean`, `date`, `timestamp`; `?` behind: may be absent or null.
    #[schemars(default)]
    pub fields: Named<At<String>>,
    /// Lists of objects, each with the fields of its items.
    #[schemars(default)]
    pub lists: Named<Named<At<String>>>,
    /// What fields may hold: `currency = ["EUR", "USD"]`, `"lines.quantity" = { min = 1, max = 1000 }`. Other lines are rejects.
    #[schemars(default)]
    pub values: Named<At<Literal>>,
    /// More rejects of this type than this since the current release, and nothing is published.
    #[schemars(range(min = 0))]
    pub max_rejects: Option<At<i64>>,
    /// A larger share of rejects among the lines of this type since the current release, duplicates aside, and nothing is published: 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub max_reject_share: Option<At<f64>>,
    /// What is done with fields that are not declared; `evolve` where it is left out.
    pub unknown: Option<At<UnknownSpec>>,
    /// Older versions, each with the steps that make the next one of it.
    #[schemars(default)]
    pub upcast: Vec<UpcastSpec>,
}

/// What is done with fields that are not declared. The log keeps them whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum UnknownSpec {
    /// They are kept, and every run reports them.
    Evolve,
    /// The line is a reject.
    Freeze,
    /// They are kept, and nobody hears of them.
    Ignore,
}

impl Read for EventSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an event type", problems)?;
        let spec = Self {
            version: table.optional("version", problems),
            fields: table.optional("fields", problems).unwrap_or_default(),
            lists: table.optional("lists", problems).unwrap_or_default(),
            values: table.optional("values", problems).unwrap_or_default(),
            max_rejects: table.optional("max_rejects", problems),
            max_reject_share: table.optional("max_reject_share", problems),
            unknown: table.optional("unknown", problems),
            upcast: table.optional("upcast", problems).unwrap_or_default(),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for At<UnknownSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let words = [
            ("evolve", UnknownSpec::Evolve),
            ("freeze", UnknownSpec::Freeze),
            ("ignore", UnknownSpec::Ignore),
        ];
        value.choose(&words, problems)
    }
}
