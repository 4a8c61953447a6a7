//! `[facts.<name>]` as written.

use super::read::{Read, Value};
use super::{At, FieldsSpec, Named, Problems};
use schemars::JsonSchema;
use toml::de::DeValue;

/// A fact: a signed ledger of lines under headers, and one accumulating row a line.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FactSpec {
    /// The columns that name a header. Left out: lines stand alone, and nothing can be reversed.
    pub header: Option<Named<At<String>>>,
    /// The column that names a line under its header. Left out: a header has one line.
    pub line: Option<Named<At<String>>>,
    /// The name of the accumulating fact. Left out: it is not built.
    pub lines: Option<At<String>>,
    /// Dimensions, or a table of roles: `{ role = "dimension" }`.
    pub dimensions: Option<RolesSpec>,
    /// Columns taken over from events, with their types.
    #[schemars(default)]
    pub columns: Named<At<String>>,
    /// The additive measure by which a line is used up.
    pub quantity: Option<At<String>>,
    /// The measure that is a price: reversals that name no line match by it.
    pub price: Option<At<String>>,
    /// Kinds of events whose first date each line keeps; days are counted from the first of them.
    pub milestones: Option<Vec<At<String>>>,
    /// The numbers of a row.
    #[schemars(default)]
    pub measures: Named<MeasureSpec>,
    /// The event types that place, amend, reverse or date lines.
    #[schemars(default)]
    pub on: Named<FactEventSpec>,
}

/// A number of a fact.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MeasureSpec {
    /// `integer` or `decimal(18,4)`.
    #[schemars(required, rename = "type")]
    pub value_type: Option<At<String>>,
    /// Whether it may be summed; true where it is left out. A price may not.
    pub additive: Option<At<bool>>,
    /// Computed from other measures where an event does not state it: `quantity * unit_price`.
    pub formula: Option<At<NumberText>>,
    /// Taken where an event neither states nor computes it.
    pub default: Option<At<NumberText>>,
}

/// How one event type touches a fact.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FactEventSpec {
    /// What the event does.
    #[schemars(required)]
    pub does: Option<At<FactDoes>>,
    /// The kind that rows and lines get from it: `placed`, `cancelled`, ... Not for a header.
    pub kind: Option<At<String>>,
    /// Once for each item of this list; left out: once for the event.
    pub each: Option<At<String>>,
    /// The fields that name the header; left out: those with the names of the header's columns. `[]`: the event never names one.
    pub header: Option<FieldsSpec>,
    /// The field that names the line; left out: that with the name of the line's column.
    pub line: Option<At<String>>,
    /// For each role the fields of its member's key; left out: those with the names of the key columns, if the role bears its dimension's name.
    #[schemars(default)]
    pub dimensions: Named<FieldsSpec>,
    /// For carried columns the field; left out: that of the same name.
    #[schemars(default)]
    pub columns: Named<At<String>>,
    /// For measures an expression over fields: `quantity * price`; left out: the field of the same name.
    #[schemars(default)]
    pub measures: Named<At<NumberText>>,
    /// What a reversal without a quantity takes; `left` where it is left out.
    pub takes: Option<At<TakesSpec>>,
    /// What happens to a reversal of more than is left; `book` where it is left out.
    pub over_reversing: Option<At<OverReversingSpec>>,
    /// The roles by which a reversal that names no line finds its lines.
    pub matches: Option<Vec<At<String>>>,
    /// The event that dates a placed line; the header's where a fact has one, else its own.
    pub date_from: Option<At<DateFromSpec>>,
}

/// What an event does to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum FactDoes {
    /// Adds lines.
    Place,
    /// Says what the lines under a header have in common.
    Header,
    /// Subtracts from lines.
    Reverse,
    /// Reverses lines as placed and places them anew.
    Amend,
    /// Only reaches a milestone.
    Milestone,
}

/// What a reversal without a quantity takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum TakesSpec {
    /// The line as placed.
    Placed,
    /// What is left of it.
    Left,
}

/// What happens to a reversal of more than is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum OverReversingSpec {
    /// It happened all the same: it is booked, and counted.
    Book,
    /// It did not happen: it adds no row and changes no line, and is counted by itself.
    Reject,
}

/// The event that dates a placed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum DateFromSpec {
    /// The placing event itself.
    Event,
    /// The header event.
    Header,
}

/// The dimensions of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolesSpec {
    /// `["dimension", ...]`: each role bears its dimension's name.
    Dimensions(Vec<At<String>>),
    /// `{ role = "dimension", ... }`
    Named(Named<At<String>>),
}

/// A number or an expression: text, or an integer without quotes. A float is not exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberText(pub String);

impl Read for FactSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a fact", problems)?;
        let spec = Self {
            header: table.optional("header", problems),
            line: table.optional("line", problems),
            lines: table.optional("lines", problems),
            dimensions: table.optional("dimensions", problems),
            columns: table.optional("columns", problems).unwrap_or_default(),
            quantity: table.optional("quantity", problems),
            price: table.optional("price", problems),
            milestones: table.optional("milestones", problems),
            measures: table.optional("measures", problems).unwrap_or_default(),
            on: table.optional("on", problems).unwrap_or_default(),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for MeasureSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a measure", problems)?;
        let spec = Self {
            value_type: table.required("type", problems),
            additive: table.optional("additive", problems),
            formula: table.optional("formula", problems),
            default: table.optional("default", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for FactEventSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an event of a fact", problems)?;
        let spec = Self {
            does: table.required("does", problems),
            kind: table.optional("kind", problems),
            each: table.optional("each", problems),
            header: table.optional("header", problems),
            line: table.optional("line", problems),
            dimensions: table.optional("dimensions", problems).unwrap_or_default(),
            columns: table.optional("columns", problems).unwrap_or_default(),
            measures: table.optional("measures", problems).unwrap_or_default(),
            takes: table.optional("takes", problems),
            over_reversing: table.optional("over_reversing", problems),
            matches: table.optional("matches", problems),
            date_from: table.optional("date_from", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for At<FactDoes> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let words = [
            ("place", FactDoes::Place),
            ("header", FactDoes::Header),
            ("reverse", FactDoes::Reverse),
            ("amend", FactDoes::Amend),
            ("milestone", FactDoes::Milestone),
        ];
        value.choose(&words, problems)
    }
}

impl Read for At<TakesSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&[("placed", TakesSpec::Placed), ("left", TakesSpec::Left)], problems)
    }
}

impl Read for At<OverReversingSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&[("book", OverReversingSpec::Book), ("reject", OverReversingSpec::Reject)], problems)
    }
}

impl Read for At<DateFromSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&[("event", DateFromSpec::Event), ("header", DateFromSpec::Header)], problems)
    }
}

impl Read for RolesSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        if value.array().is_some() {
            return Some(Self::Dimensions(Read::read(value, problems)?));
        }
        if value.table().is_some() {
            return Some(Self::Named(Read::read(value, problems)?));
        }
        value.refuse("an array of dimensions or a table { role = \"dimension\" }", problems)
    }
}

impl Read for At<NumberText> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let written = match value.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            DeValue::Float(float) => {
                let hint = format!(
                    "put the number in quotes, and it is read as an exact decimal: \"{}\"",
                    float.as_str()
                );
                problems.add(value.span, "a float is not exact, and has no place in a measure", hint);
                // Read on, so that what refers to it is not reported too.
                "0".to_owned()
            }
            _ => return value.refuse("a number or an expression in quotes", problems),
        };
        Some(Self { value: NumberText(written), span: value.span })
    }
}
