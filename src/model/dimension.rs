//! Dimensions: chains of entities, topped by levels of plain columns (DESIGN 9-17, 24).

use super::{FieldRef, KeyColumn, ValueType};
use serde::Serialize;

/// A dimension: its entities from the bottom up, then its levels of plain columns from the bottom up.
#[derive(Debug, Clone, Serialize)]
pub struct Dimension {
    /// `product`: the table is `dim_product`, its key `product_key`. The name of its lowest level too.
    pub name: String,
    /// At least one. `entities[i + 1]` is the parent of `entities[i]`.
    pub entities: Vec<Entity>,
    /// Above the last entity, whose attributes they group. May be empty.
    pub plain_levels: Vec<PlainLevel>,
}

/// A level whose rows are things of their own: natural key, events, versions, numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Entity {
    /// The level's name: its table in the snowflake is `dim_<name>`, its key `<name>_key`.
    pub name: String,
    /// One or several columns.
    pub key: Vec<KeyColumn>,
    /// In the order of declaration; those of the plain levels above the last entity are among them.
    pub attributes: Vec<Attribute>,
    /// How the link to the parent entity is tracked; meaningless on the last entity.
    pub parent_tracking: Tracking,
    /// Which events set and close a member, in the order of declaration.
    pub events: Vec<DimensionEvent>,
}

/// A rung of plain columns: `country` in `StoreOpened`.
#[derive(Debug, Clone, Serialize)]
pub struct PlainLevel {
    /// The level's name: its table in the snowflake is `dim_<name>`, its key `<name>_key`.
    pub name: String,
    /// Indices into the last entity's attributes.
    pub attributes: Vec<usize>,
}

/// A column of a level. Its name is unique in the whole dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attribute {
    pub name: String,
    pub value_type: ValueType,
    pub tracking: Tracking,
}

/// What happens to an attribute when it changes (DESIGN 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Tracking {
    /// A change opens a version (SCD 2).
    History,
    /// The last value, in every version (SCD 1).
    Overwrite,
    /// The first value, in every version (SCD 0).
    Fixed,
    /// The last value in every version, and the one before it in `previous_<name>` (SCD 3).
    Previous,
}

/// How one event type touches members of an entity.
#[derive(Debug, Clone, Serialize)]
pub struct DimensionEvent {
    /// Index into [`super::Model::events`].
    pub event: usize,
    /// Once for each item of this list, or once for the event.
    pub list: Option<usize>,
    /// The member, one field for each key column.
    pub key: Vec<FieldRef>,
    pub action: DimensionAction,
}

/// What an event does to the member that it names.
#[derive(Debug, Clone, Serialize)]
pub enum DimensionAction {
    /// Sets what it carries; opens a closed member again.
    Set {
        /// (index into [`Entity::attributes`], the field that carries it).
        attributes: Vec<(usize, FieldRef)>,
        /// The parent's natural key, one field for each of its columns.
        parent: Option<Vec<FieldRef>>,
    },
    /// Ends the member at the event's time (DESIGN 12).
    Close,
}

impl DimensionEvent {
    /// Every field that the binding reads; a list that it walks is among them by one of its fields.
    pub fn fields(&self) -> impl Iterator<Item = FieldRef> {
        let mut fields = self.key.clone();
        if let DimensionAction::Set { attributes, parent } = &self.action {
            fields.extend(attributes.iter().map(|(_, field)| *field));
            fields.extend(parent.iter().flatten().copied());
        }
        fields.extend(self.list.map(|list| FieldRef { list: Some(list), field: 0 }));
        fields.into_iter()
    }
}
