//! Dimension → a comment for each column: what would a stranger ask of it?

use super::level::previous_name;
use crate::model::{Attribute, Dimension, Entity, Tracking, ValueType};
use std::collections::BTreeMap;

/// Comments of all columns but keys, by column name (unique in a dimension).
pub(super) fn columns(dimension: &Dimension) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    for entity in &dimension.entities {
        for (index, column) in entity.key.iter().enumerate() {
            comments.insert(column.name.clone(), natural_key(entity, index));
        }
        for attribute in &entity.attributes {
            comments.insert(attribute.name.clone(), value(entity, attribute));
            if let Some(previous) = previous_name(attribute) {
                let text = format!(
                    "What {} of the {} was before its last change (SCD 3){}",
                    attribute.name,
                    entity.name,
                    type_note(attribute.value_type)
                );
                comments.insert(previous, text);
            }
        }
    }
    for (column, comment) in [
        ("valid_from", "From this instant on, inclusive, the row was true; UTC"),
        (
            "valid_to",
            "Until this instant, exclusive, the row was true; UTC; 9999-12-31 if nothing has ended it",
        ),
        ("is_current", "Whether the row is its member's version of now"),
        ("is_inferred", "Whether only facts have mentioned the member so far"),
    ] {
        comments.insert(column.to_owned(), comment.to_owned());
    }
    comments
}

/// The key of an entity's own table.
pub(super) fn entity_key(level: &str) -> String {
    format!("Key of the row: one version of one {level}; -1 unknown, -2 not applicable")
}

/// The key of a plain level's own table.
pub(super) fn plain_key(level: &str) -> String {
    format!(
        "Key of the row: one {level}, told apart by its columns and all levels above; -1 unknown, -2 not applicable; \
         may change from release to release"
    )
}

/// A column of a plain level's own table, which has no versions.
pub(super) fn plain_column(column: &str, entity: &str) -> String {
    format!("{column} as rows of dim_{entity} carry it")
}

/// The key of the parent in the child's table.
pub(super) fn parent_key(child: &str, parent: &str) -> String {
    format!("Row of dim_{parent} that was true with this {child}; -1 unknown, -2 none")
}

fn natural_key(entity: &Entity, index: usize) -> String {
    let part = match entity.key.len() {
        1 => String::new(),
        count => format!(", part {} of {count}", index + 1),
    };
    let note = entity.key.get(index).map_or(String::new(), |column| type_note(column.value_type));
    format!("Natural key of the {}{part}{note}", entity.name)
}

fn value(entity: &Entity, attribute: &Attribute) -> String {
    let tracking = match attribute.tracking {
        Tracking::History => "as it was in this version: a change opens a version (SCD 2)",
        Tracking::Overwrite => "its last value in every version (SCD 1)",
        Tracking::Fixed => "its first value in every version (SCD 0)",
        Tracking::Previous => "its last value in every version; the one before it stands beside it (SCD 3)",
    };
    format!("{} of the {}, {tracking}{}", attribute.name, entity.name, type_note(attribute.value_type))
}

/// What the type alone does not tell.
pub(super) fn type_note(value_type: ValueType) -> String {
    match value_type {
        ValueType::Timestamp => "; UTC".to_owned(),
        ValueType::Decimal { scale, .. } => format!("; exact, {scale} decimal places"),
        ValueType::Text | ValueType::Integer | ValueType::Boolean | ValueType::Date => String::new(),
    }
}
