//! Dimension → its levels, bottom up: which level holds which column, and who is above it?

use crate::model::{Attribute, Dimension, Entity, Tracking};

/// The key of the parent entity's row, in a batch that came from `history`.
pub(super) const PARENT_KEY: &str = "_parent_key";

/// What every row of an entity says of its own time, after its columns.
pub(super) const VALIDITY: [&str; 4] = ["valid_from", "valid_to", "is_current", "is_inferred"];

/// A rung of a dimension, as the snowflake stores it.
pub(super) struct Level<'model> {
    pub name: &'model str,
    /// Natural key and attributes of an entity, or the columns of a plain level; in order.
    pub columns: Vec<String>,
    /// The level above.
    pub parent: Option<&'model str>,
}

/// The levels of a dimension: its entities, then its plain levels, each from the bottom up.
pub(super) fn levels(dimension: &Dimension) -> Vec<Level<'_>> {
    let entities = dimension.entities.iter().enumerate().map(|(index, entity)| {
        let is_last = index + 1 == dimension.entities.len();
        (entity.name.as_str(), entity_columns(dimension, entity, is_last))
    });
    let plain = (0..dimension.plain_levels.len()).map(|index| {
        let level = &dimension.plain_levels[index];
        (level.name.as_str(), plain_columns(dimension, index).map(|column| column.name.clone()).collect())
    });
    let named: Vec<(&str, Vec<String>)> = entities.chain(plain).collect();
    let parents: Vec<Option<&str>> =
        named.iter().skip(1).map(|(name, _)| Some(*name)).chain([None]).collect();
    named.into_iter().zip(parents).map(|((name, columns), parent)| Level { name, columns, parent }).collect()
}

/// The attributes of one plain level.
pub(super) fn plain_columns(dimension: &Dimension, level: usize) -> impl Iterator<Item = &Attribute> {
    let attributes = dimension.entities.last().map_or(&[][..], |entity| &entity.attributes);
    dimension.plain_levels[level].attributes.iter().map(|attribute| &attributes[*attribute])
}

/// What the table of an entity holds: all its columns but those of plain levels. The value before a
/// plain level's column stays here: it is a matter of the member, and does not identify the level.
fn entity_columns(dimension: &Dimension, entity: &Entity, is_last: bool) -> Vec<String> {
    let in_plain_level = |attribute: usize| {
        is_last && dimension.plain_levels.iter().any(|level| level.attributes.contains(&attribute))
    };
    let mut columns: Vec<String> = entity.key.iter().map(|column| column.name.clone()).collect();
    for (index, attribute) in entity.attributes.iter().enumerate() {
        if !in_plain_level(index) {
            columns.push(attribute.name.clone());
        }
        columns.extend(previous_name(attribute));
    }
    columns
}

/// The columns of an entity in the wide relation, in order.
pub(super) fn wide_columns(entity: &Entity) -> Vec<String> {
    let keys = entity.key.iter().map(|column| column.name.clone());
    let attributes = entity
        .attributes
        .iter()
        .flat_map(|attribute| [Some(attribute.name.clone()), previous_name(attribute)].into_iter().flatten());
    keys.chain(attributes).collect()
}

/// The column that keeps the value before the last change, if the attribute is tracked so.
pub(super) fn previous_name(attribute: &Attribute) -> Option<String> {
    (attribute.tracking == Tracking::Previous).then(|| format!("previous_{}", attribute.name))
}

/// The key column of a level.
pub(super) fn key_name(level: &str) -> String {
    format!("{level}_key")
}

/// The table of a level, or of a dimension.
pub(super) fn table_name(level: &str) -> String {
    format!("dim_{level}")
}
