//! `[dimensions]` → dimensions: levels, columns, and the events of each entity.

use super::contracts::Contracts;
use super::dimension_event::{self, Scene};
use super::levels::{EntitySpec, Rungs};
use super::names::{self, Names};
use super::types::{Column, or_any};
use crate::model::{Attribute, Dimension, DimensionAction, DimensionEvent, Entity, Tracking};
use crate::spec::{At, Problems, SetsSpec, Spec, TrackingSpec};

/// A dimension, and what facts want to know of it.
pub(super) struct Known {
    pub compiled: Dimension,
    /// The natural key of its lowest level.
    pub key: Vec<Column>,
}

pub(super) fn compile(spec: &Spec, contracts: &Contracts, problems: &mut Problems) -> Vec<Known> {
    let mut tables = Names::default();
    tables.reserve("date", "the dimension `date` that every pipeline has");
    let all = spec.dimensions.iter();
    let rungs: Vec<Rungs<'_>> = all.map(|(name, dimension)| Rungs::read(name, dimension, problems)).collect();
    for rungs in &rungs {
        let plain = rungs.plain.iter().map(|level| level.name);
        for name in rungs.entities.iter().map(|entity| entity.name).chain(plain) {
            names::check_table("the level", name, problems);
            tables.claim("the level", name, problems);
        }
    }
    let levels: Vec<&str> = spec
        .dimensions
        .iter()
        .flat_map(|(name, dimension)| std::iter::once(name.value.as_str()).chain(dimension.levels.names()))
        .collect();
    spec.dimensions
        .iter()
        .zip(&rungs)
        .map(|((name, _), rungs)| one(name, rungs, &levels, contracts, problems))
        .collect()
}

fn one(
    name: &At<String>,
    rungs: &Rungs<'_>,
    levels: &[&str],
    contracts: &Contracts,
    problems: &mut Problems,
) -> Known {
    let columns_of = |entity: &EntitySpec<'_>, problems: &mut Problems| {
        let key = entity.key.map(|key| Column::read_all(key, problems)).unwrap_or_default();
        if let (true, Some(_)) = (key.is_empty(), entity.key) {
            let message = format!("`{}` has a key without columns", entity.name.value);
            problems.add(entity.name.span, message, "name at least one: `key = { id = \"text\" }`");
        }
        (key, attributes(entity, problems))
    };
    let columns: Vec<(Vec<Column>, Vec<Column>)> =
        rungs.entities.iter().map(|entity| columns_of(entity, problems)).collect();
    check_columns(&columns, levels, problems);

    let mut entities = Vec::new();
    for (index, (entity, (key, attributes))) in rungs.entities.iter().zip(&columns).enumerate() {
        let parent = columns.get(index + 1).map(|(key, _)| key.as_slice());
        let scene = Scene { contracts, entity: &entity.name.value, key, attributes, parent };
        let mut events = Vec::new();
        let mut in_doubt = problems.doubts(entity.name.span);
        for (name, event) in entity.on.iter() {
            let event_in_doubt = problems.doubts(name.span) || contracts.doubts(&name.value);
            let compile = |problems: &mut Problems| dimension_event::compile(&scene, name, event, problems);
            let compiled = problems.within_doubt(event_in_doubt, compile);
            in_doubt |= event_in_doubt || compiled.is_none();
            events.extend(compiled);
        }
        let compiled = Entity {
            name: entity.name.value.clone(),
            key: key.iter().map(Column::key_column).collect(),
            attributes: entity
                .attributes
                .iter()
                .zip(attributes)
                .map(|((_, written), column)| Attribute {
                    name: column.name.value.clone(),
                    value_type: or_any(column.value_type),
                    tracking: tracking(written.tracking.as_ref()),
                })
                .collect(),
            parent_tracking: tracking(entity.parent_tracking),
            events,
        };
        let parent = rungs.entities.get(index + 1);
        problems.within_doubt(in_doubt, |problems| {
            check_reached(entity, &compiled, parent, attributes, problems)
        });
        entities.push(compiled);
    }
    let attributes: Vec<Vec<Column>> = columns.iter().map(|(_, attributes)| attributes.clone()).collect();
    let plain_levels = rungs.plain_levels(&attributes, problems);
    let key = columns.into_iter().next().map(|(key, _)| key).unwrap_or_default();
    Known { compiled: Dimension { name: name.value.clone(), entities, plain_levels }, key }
}

fn attributes(entity: &EntitySpec<'_>, problems: &mut Problems) -> Vec<Column> {
    let typed = entity.attributes.iter().map(|(name, attribute)| match &attribute.value_type {
        Some(written) => Column::read(name, written, problems),
        None => Column { name: name.clone(), value_type: None },
    });
    typed.collect()
}

/// Columns are unique over a whole dimension, because the star holds all of its levels in one table.
fn check_columns(columns: &[(Vec<Column>, Vec<Column>)], levels: &[&str], problems: &mut Problems) {
    let mut taken = Names::default();
    for name in names::OF_DIMENSIONS {
        taken.reserve(name, format!("the column `{name}` that every dimension has"));
    }
    for level in levels {
        taken.reserve(&format!("{level}_key"), format!("the key of the level `{level}`"));
    }
    for (key, attributes) in columns {
        let key = key.iter().map(|column| ("the key column", column));
        for (what, column) in key.chain(attributes.iter().map(|column| ("the attribute", column))) {
            names::check_column(what, &column.name, problems);
            taken.claim(what, &column.name, problems);
            if column.name.value.to_lowercase().starts_with("previous_") {
                let message = format!("{what} `{}` starts with `previous_`", column.name.value);
                let hint = "such columns are made for attributes that are tracked as `previous`: choose another name";
                problems.add(column.name.span, message, hint);
            }
        }
    }
}

/// Reports attributes and parents that no event sets: a column that would always be null is a slip.
fn check_reached(
    written: &EntitySpec<'_>,
    entity: &Entity,
    parent: Option<&EntitySpec<'_>>,
    attributes: &[Column],
    problems: &mut Problems,
) {
    let sets = |event: &DimensionEvent, index: usize| match &event.action {
        DimensionAction::Set { attributes, .. } => {
            attributes.iter().any(|(attribute, _)| *attribute == index)
        }
        DimensionAction::Close => false,
    };
    for (index, column) in attributes.iter().enumerate() {
        let name = &column.name.value;
        let named = written.on.iter().any(|(_, event)| match &event.sets {
            Some(SetsSpec::Only(only)) => only.iter().any(|listed| listed.value == *name),
            Some(SetsSpec::Also(also)) => also.get(name).is_some(),
            None => false,
        });
        if !named && !entity.events.iter().any(|event| sets(event, index)) {
            let message = format!("no event sets the attribute `{name}` of `{}`", entity.name);
            problems.absent(
                column.name.span,
                message,
                format!("say from which field: `on.<event> = {{ sets = {{ {name} = \"field\" }} }}`"),
            );
        }
    }
    let has_parent =
        |event: &DimensionEvent| matches!(&event.action, DimensionAction::Set { parent: Some(_), .. });
    let named = written.on.iter().any(|(_, event)| event.parent.is_some());
    if let Some(parent) = parent.filter(|_| !named && !entity.events.iter().any(has_parent)) {
        let message = format!("no event says which `{}` a `{}` belongs to", parent.name.value, entity.name);
        problems.absent(
            written.name.span,
            message,
            "name the fields of the parent's key: `on.<event> = { parent = \"field\" }`",
        );
    }
}

fn tracking(written: Option<&At<TrackingSpec>>) -> Tracking {
    match written.map(|tracking| tracking.value) {
        None | Some(TrackingSpec::History) => Tracking::History,
        Some(TrackingSpec::Overwrite) => Tracking::Overwrite,
        Some(TrackingSpec::Fixed) => Tracking::Fixed,
        Some(TrackingSpec::Previous) => Tracking::Previous,
    }
}
