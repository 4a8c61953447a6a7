//! `[dimensions.<name>]` as written.

use super::read::{Read, Value};
use super::{At, Named, Problems, Span};
use schemars::JsonSchema;

/// A dimension; this table is its lowest level, which bears its name.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DimensionSpec {
    /// The natural key: one or several columns with their types.
    #[schemars(required)]
    pub key: Option<Named<At<String>>>,
    /// The other columns, each with its type and how its changes are tracked.
    #[schemars(default)]
    pub attributes: Named<AttributeSpec>,
    /// How the link to the next level is tracked; `history` where it is left out.
    pub parent_tracking: Option<At<TrackingSpec>>,
    /// The event types that set or close a member.
    #[schemars(default)]
    pub on: Named<DimensionEventSpec>,
    /// The levels above, from the bottom up; up to five levels in all.
    #[schemars(default)]
    pub levels: Named<LevelSpec>,
}

/// A level above the lowest: an entity with a key of its own, or plain columns of the last entity.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LevelSpec {
    /// Attributes of the last entity that form this level. Stands alone.
    pub columns: Option<Vec<At<String>>>,
    /// The natural key of an entity: one or several columns with their types.
    pub key: Option<Named<At<String>>>,
    /// The other columns of an entity, each with its type and how its changes are tracked.
    #[schemars(default)]
    pub attributes: Named<AttributeSpec>,
    /// How the link to the next level is tracked; `history` where it is left out.
    pub parent_tracking: Option<At<TrackingSpec>>,
    /// The event types that set or close a member of an entity.
    #[schemars(default)]
    pub on: Named<DimensionEventSpec>,
}

/// A column of a level.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AttributeSpec {
    /// `text`, `integer`, `decimal(18,4)`, `boolean`, `date` or `timestamp`.
    #[schemars(required, rename = "type")]
    pub value_type: Option<At<String>>,
    /// What a change does; `history` where it is left out.
    pub tracking: Option<At<TrackingSpec>>,
}

/// What a change of a value does to the versions of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum TrackingSpec {
    /// A change opens a version (SCD 2).
    History,
    /// The last value, in every version (SCD 1).
    Overwrite,
    /// The first value, in every version (SCD 0).
    Fixed,
    /// The last value in every version, and the one before it in a column of its own (SCD 3).
    Previous,
}

/// How one event type touches the members of a level.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DimensionEventSpec {
    /// `set` where it is left out.
    pub does: Option<At<DimensionDoes>>,
    /// Once for each item of this list; left out: once for the event.
    pub each: Option<At<String>>,
    /// The fields that name the member; left out: those with the names of the key columns.
    pub key: Option<FieldsSpec>,
    /// What the event sets; left out: every attribute that it has a field of the same name for.
    pub sets: Option<SetsSpec>,
    /// The fields that name the parent; left out: those with the names of the parent's key columns.
    pub parent: Option<FieldsSpec>,
}

/// What an event does to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum DimensionDoes {
    /// Sets what it carries; opens a closed member again.
    Set,
    /// Ends the member at the event's time.
    Close,
}

/// The fields that hold the columns of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldsSpec {
    /// `"field"`
    One(At<String>),
    /// `["field", ...]`, in the order of the columns.
    Many(At<Vec<At<String>>>),
    /// `{ column = "field", ... }`
    ByColumn(At<Named<At<String>>>),
}

impl FieldsSpec {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::One(field) => field.span,
            Self::Many(fields) => fields.span,
            Self::ByColumn(fields) => fields.span,
        }
    }

    /// `[]`: no field at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Many(fields) if fields.value.is_empty())
    }
}

/// The attributes that an event sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetsSpec {
    /// `["attribute", ...]`: these alone, from the fields of the same names.
    Only(Vec<At<String>>),
    /// `{ attribute = "field", ... }`: these too, besides those with a field of the same name.
    Also(Named<At<String>>),
}

const TRACKING: [(&str, TrackingSpec); 4] = [
    ("history", TrackingSpec::History),
    ("overwrite", TrackingSpec::Overwrite),
    ("fixed", TrackingSpec::Fixed),
    ("previous", TrackingSpec::Previous),
];

impl Read for DimensionSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a dimension", problems)?;
        let spec = Self {
            key: table.required("key", problems),
            attributes: table.optional("attributes", problems).unwrap_or_default(),
            parent_tracking: table.optional("parent_tracking", problems),
            on: table.optional("on", problems).unwrap_or_default(),
            levels: table.optional("levels", problems).unwrap_or_default(),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for LevelSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a level", problems)?;
        let spec = Self {
            columns: table.optional("columns", problems),
            key: table.optional("key", problems),
            attributes: table.optional("attributes", problems).unwrap_or_default(),
            parent_tracking: table.optional("parent_tracking", problems),
            on: table.optional("on", problems).unwrap_or_default(),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for AttributeSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an attribute", problems)?;
        let spec = Self {
            value_type: table.required("type", problems),
            tracking: table.optional("tracking", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for DimensionEventSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an event of a dimension", problems)?;
        let spec = Self {
            does: table.optional("does", problems),
            each: table.optional("each", problems),
            key: table.optional("key", problems),
            sets: table.optional("sets", problems),
            parent: table.optional("parent", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for At<TrackingSpec> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&TRACKING, problems)
    }
}

impl Read for At<DimensionDoes> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        value.choose(&[("set", DimensionDoes::Set), ("close", DimensionDoes::Close)], problems)
    }
}

impl Read for FieldsSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let span = value.span;
        if value.array().is_some() {
            return Some(Self::Many(At { value: Read::read(value, problems)?, span }));
        }
        if value.table().is_some() {
            return Some(Self::ByColumn(At { value: Read::read(value, problems)?, span }));
        }
        match value.value.as_str() {
            Some(field) => Some(Self::One(At { value: field.to_owned(), span })),
            None => value.refuse("a field, an array of fields, or a table { column = \"field\" }", problems),
        }
    }
}

impl Read for SetsSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        if value.array().is_some() {
            return Some(Self::Only(Read::read(value, problems)?));
        }
        if value.table().is_some() {
            return Some(Self::Also(Read::read(value, problems)?));
        }
        value.refuse("an array of attributes or a table { attribute = \"field\" }", problems)
    }
}
