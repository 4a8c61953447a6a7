//! `levels` → the rungs of a dimension: entities from the bottom up, then plain columns of the last of them.

use super::types::Column;
use crate::model::PlainLevel;
use crate::spec::{
    At, AttributeSpec, DimensionEventSpec, DimensionSpec, LevelSpec, Named, Problems, TrackingSpec,
};

const MOST_LEVELS: usize = 5;

/// An entity as written.
pub(super) struct EntitySpec<'s> {
    pub name: &'s At<String>,
    pub key: Option<&'s Named<At<String>>>,
    pub attributes: &'s Named<AttributeSpec>,
    pub parent_tracking: Option<&'s At<TrackingSpec>>,
    pub on: &'s Named<DimensionEventSpec>,
}

/// A level of plain columns as written.
pub(super) struct PlainSpec<'s> {
    pub name: &'s At<String>,
    pub columns: &'s [At<String>],
}

/// The levels of one dimension, sorted by their nature.
pub(super) struct Rungs<'s> {
    pub entities: Vec<EntitySpec<'s>>,
    pub plain: Vec<PlainSpec<'s>>,
}

impl<'s> Rungs<'s> {
    pub fn read(name: &'s At<String>, dimension: &'s DimensionSpec, problems: &mut Problems) -> Self {
        let lowest = EntitySpec {
            name,
            key: dimension.key.as_ref(),
            attributes: &dimension.attributes,
            parent_tracking: dimension.parent_tracking.as_ref(),
            on: &dimension.on,
        };
        let mut rungs = Self { entities: vec![lowest], plain: Vec::new() };
        for (index, (name, level)) in dimension.levels.iter().enumerate() {
            if index + 1 == MOST_LEVELS {
                let message = format!("`{}` is level {} of its dimension", name.value, index + 2);
                problems.add(
                    name.span,
                    message,
                    format!("a dimension has up to {MOST_LEVELS} levels, its lowest included"),
                );
            }
            problems.within(name.span, |problems| rungs.add(name, level, problems));
        }
        if let (1, Some(tracking)) = (rungs.entities.len(), &dimension.parent_tracking) {
            report_parent_tracking(name, tracking, problems);
        } else if let Some(EntitySpec { name, parent_tracking: Some(tracking), .. }) = rungs.entities.last() {
            report_parent_tracking(name, tracking, problems);
        }
        rungs
    }

    fn add(&mut self, name: &'s At<String>, level: &'s LevelSpec, problems: &mut Problems) {
        match (&level.key, &level.columns) {
            (Some(key), None) => {
                if let Some(below) = self.plain.last() {
                    problems.add(
                        name.span,
                        format!("the entity `{}` stands above `{}`, a level of plain columns", name.value, below.name.value),
                        "levels are declared from the bottom up, entities first: above plain columns stand only plain columns",
                    );
                }
                self.entities.push(EntitySpec {
                    name,
                    key: Some(key),
                    attributes: &level.attributes,
                    parent_tracking: level.parent_tracking.as_ref(),
                    on: &level.on,
                });
            }
            (None, Some(columns)) => {
                let of_entities =
                    !level.attributes.is_empty() || !level.on.is_empty() || level.parent_tracking.is_some();
                if of_entities {
                    let message = format!(
                        "the level `{}` of plain columns has neither attributes nor events",
                        name.value
                    );
                    problems.add(
                        name.span,
                        message,
                        "leave them out, or give it a `key` in place of `columns`",
                    );
                }
                if columns.is_empty() {
                    let message = format!("the level `{}` has no columns", name.value);
                    problems.add(name.span, message, "name the attributes that form it");
                }
                self.plain.push(PlainSpec { name, columns });
            }
            (Some(_), Some(columns)) => {
                let span = columns.first().map_or(name.span, |column| column.span);
                let message = format!("the level `{}` has both `key` and `columns`", name.value);
                problems.add(
                    span,
                    message,
                    "`key`: an entity with events of its own; `columns`: plain columns of the last entity",
                );
            }
            (None, None) => {
                let message = format!("the level `{}` has neither `key` nor `columns`", name.value);
                problems.absent(
                    name.span,
                    message,
                    "`key`: an entity with events of its own; `columns`: plain columns of the last entity",
                );
            }
        }
    }

    /// The plain levels, as indices into the last entity's attributes.
    pub fn plain_levels(&self, attributes: &[Vec<Column>], problems: &mut Problems) -> Vec<PlainLevel> {
        let Some((last, below)) = attributes.split_last() else { return Vec::new() };
        let mut used: Vec<(usize, &str)> = Vec::new();
        let mut levels = Vec::new();
        for level in &self.plain {
            let mut indices = Vec::new();
            for column in level.columns {
                match last.iter().position(|attribute| attribute.name.value == column.value) {
                    Some(index) => {
                        if let Some((_, owner)) = used.iter().find(|(other, _)| *other == index) {
                            let message =
                                format!("`{}` belongs to the level `{owner}` already", column.value);
                            problems.add(column.span, message, "an attribute forms one level");
                        }
                        used.push((index, &level.name.value));
                        indices.push(index);
                    }
                    None => self.report_column(column, last, below, problems),
                }
            }
            levels.push(PlainLevel { name: level.name.value.clone(), attributes: indices });
        }
        levels
    }

    fn report_column(
        &self,
        column: &At<String>,
        last: &[Column],
        below: &[Vec<Column>],
        problems: &mut Problems,
    ) {
        let entity = self.entities.last().map_or("", |entity| entity.name.value.as_str());
        let message = format!("the entity `{entity}` has no attribute `{}`", column.value);
        let is_key = |entity: &EntitySpec<'_>| entity.key.is_some_and(|key| key.get(&column.value).is_some());
        if self.entities.iter().any(is_key) {
            problems.add(
                column.span,
                message,
                "a key column identifies members: it cannot form a level above them",
            );
        } else if below.iter().flatten().any(|attribute| attribute.name.value == column.value) {
            problems.add(
                column.span,
                message,
                format!("plain levels group the last entity: declare it under `{entity}`"),
            );
        } else {
            let known = last.iter().map(|attribute| attribute.name.value.as_str());
            problems.unknown(column.span, message, &column.value, known);
        }
    }
}

fn report_parent_tracking(name: &At<String>, tracking: &At<TrackingSpec>, problems: &mut Problems) {
    let message = format!("`{}` has no parent that is an entity", name.value);
    problems.add(tracking.span, message, "leave out `parent_tracking`");
}
