//! Older versions of a contract, and the steps that lift each to the next one.

use super::ValueType;
use serde::Serialize;

/// An older version of an event type: what its payload holds, and what makes the next version of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Upcast {
    /// The version that is lifted; the steps make `from + 1` of it.
    pub from: i64,
    pub fields: Vec<OldField>,
    /// Lists of objects, each with the fields of its items.
    pub lists: Vec<(String, Vec<OldField>)>,
    pub steps: Vec<Step>,
}

/// A field of an older version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OldField {
    pub name: String,
    pub shape: OldShape,
}

/// What an old field holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum OldShape {
    Scalar {
        value_type: ValueType,
        /// It may be absent or null.
        optional: bool,
    },
    /// It may be left out if all of its members may.
    Object(Vec<OldField>),
}

/// One change of a payload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Once for each item of this list; its fields are the item's then.
    pub each: Option<String>,
    pub act: Act,
}

/// The names that lead to a field, through the objects that it stands in.
pub type FieldPath = Vec<String>;

/// What a step does. A source that is absent leaves its target absent, one that is null makes it null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Act {
    /// Takes a field away and puts it there; an object that this has emptied goes.
    Move {
        from: FieldPath,
        to: FieldPath,
    },
    /// Gives a value, as JSON, where there is none or null.
    Default {
        field: FieldPath,
        value: String,
    },
    /// Gives a value, as JSON, whatever was there.
    Constant {
        field: FieldPath,
        value: String,
    },
    /// Cuts a text into as many as there are names; the last takes what is left.
    Split {
        from: FieldPath,
        at: String,
        into: Vec<FieldPath>,
    },
    /// Puts texts together; none where one of them is missing.
    Join {
        from: Vec<FieldPath>,
        with: String,
        to: FieldPath,
    },
    Cast {
        field: FieldPath,
        from: ValueType,
        to: ValueType,
    },
    Drop {
        field: FieldPath,
    },
}

impl OldShape {
    /// Whether lines may leave it out.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        match self {
            Self::Scalar { optional, .. } => *optional,
            Self::Object(members) => members.iter().all(|member| member.shape.is_optional()),
        }
    }
}
