//! Entities → which of them are dimensions, and which are headers of facts?
//!
//! What others name is a dimension. A header is named by its own events alone, has lines (a list, or events that name it and
//! a line), or amounts beside the names of others.

use super::contract::Field;
use super::entity::{Entity, Reference, Scene, home_of};
use super::shape::Kind;
use super::verb::Does;
use super::words::{has_any, is_code};

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    Dimension,
    Header,
    /// Only a step of another entity's story: its events are those of that header.
    Step(usize),
}

/// Words of names that number lines under a header.
pub const LINES: [&str; 9] = ["line", "item", "pos", "position", "row", "lineno", "idx", "index", "leg"];

pub fn natures(scene: &Scene<'_>, entities: &[Entity]) -> Vec<Nature> {
    let mut natures: Vec<Nature> = (0..entities.len()).map(|at| nature(scene, entities, at)).collect();
    for at in 0..entities.len() {
        if natures[at] != Nature::Dimension || is_named(scene, entities, at) {
            continue;
        }
        // Not a thing of its own, if all that is said of it belongs to a header.
        let header_of = |event: usize| {
            let named = scene.references(entities, event, None);
            named.iter().map(|reference| reference.entity).find(|other| natures[*other] == Nature::Header)
        };
        let headers: Vec<Option<usize>> =
            entities[at].homes.iter().map(|home| header_of(home.event)).collect();
        if let Some(Some(header)) =
            headers.first().filter(|first| headers.iter().all(|other| other == *first))
        {
            natures[at] = Nature::Step(*header);
        }
    }
    natures
}

fn nature(scene: &Scene<'_>, entities: &[Entity], at: usize) -> Nature {
    let homes = &entities[at].homes;
    let opens = |home: &&super::entity::Home| {
        let column = scene.column(home.event, None, &home.field);
        scene.named[home.event].does != Does::Undo && column.is_some_and(|column| column.is_unique())
    };
    let has_lines = homes.iter().filter(opens).any(|home| !lines_of(scene, entities, home.event).is_empty());
    let others = |event: usize| scene.references(entities, event, None);
    let has_line_events = (0..scene.contracts.len()).any(|event| {
        home_of(entities, event).is_none()
            && line_of(scene, entities, at, event).is_some()
            && has_amount(scene, event, None, &others(event))
    });
    let has_amounts = homes.iter().filter(opens).any(|home| {
        !others(home.event).is_empty() && has_amount(scene, home.event, None, &others(home.event))
    });
    let is_changed = homes
        .iter()
        .any(|home| matches!(scene.named[home.event].does, Does::Change) && others(home.event).is_empty());
    let has_lines = has_lines && !is_item(scene, entities, at);
    if has_lines || has_line_events || has_amounts && !is_changed && !is_named(scene, entities, at) {
        Nature::Header
    } else {
        Nature::Dimension
    }
}

/// Whether lists of other events name it.
fn is_item(scene: &Scene<'_>, entities: &[Entity], at: usize) -> bool {
    (0..scene.contracts.len()).any(|event| {
        let lists = &scene.contracts[event].lists;
        let is_own = home_of(entities, event).is_some_and(|(home, _)| home == at);
        let names =
            |list: &str| scene.references(entities, event, Some(list)).iter().any(|named| named.entity == at);
        !is_own && lists.iter().any(|list| names(&list.name))
    })
}

/// Whether events that are not about it name it.
fn is_named(scene: &Scene<'_>, entities: &[Entity], at: usize) -> bool {
    (0..scene.contracts.len()).any(|event| {
        let contract = &scene.contracts[event];
        let lists = contract.lists.iter().map(|list| Some(list.name.as_str()));
        let is_own = home_of(entities, event).is_some_and(|(home, _)| home == at);
        let mut all = std::iter::once(None).chain(lists);
        !is_own
            && all.any(|list| scene.references(entities, event, list).iter().any(|named| named.entity == at))
    })
}

/// The lists of an event type that hold lines: items with a name of something, or an amount.
pub fn lines_of(scene: &Scene<'_>, entities: &[Entity], event: usize) -> Vec<String> {
    let lists = scene.contracts[event].lists.iter().filter(|list| {
        let named = scene.references(entities, event, Some(&list.name));
        !named.is_empty() || has_amount(scene, event, Some(&list.name), &named)
    });
    let mut found: Vec<(usize, String)> = lists
        .map(|list| (scene.references(entities, event, Some(&list.name)).len(), list.name.clone()))
        .collect();
    found.sort_by_key(|(named, _)| std::cmp::Reverse(*named));
    found.into_iter().map(|(_, name)| name).collect()
}

/// The field that names a line, of an event type that names this entity and is about no other.
pub fn line_of(scene: &Scene<'_>, entities: &[Entity], at: usize, event: usize) -> Option<String> {
    let contract = &scene.contracts[event];
    let header = match home_of(entities, event) {
        Some((home, own)) if home == at => own.field.clone(),
        Some(_) => return None,
        None => {
            let named = scene.references(entities, event, None);
            named.iter().find(|reference| reference.entity == at)?.field.clone()
        }
    };
    let is_line = |field: &&super::contract::Field| {
        field.kind.is_name()
            && field.missing_percent <= 1
            && has_any(&field.words, &LINES)
            && field.name != header
    };
    let line = contract.fields.iter().find(is_line)?;
    Some(line.name.clone())
}

/// Whether a field is a number that neither names nor numbers anything.
pub fn is_amount(field: &Field) -> bool {
    let numbers = field.kind == Kind::Integer && has_any(&field.words, &LINES);
    field.kind.is_number() && !is_code(&field.words) && !numbers
}

/// Whether there is a number that is no name.
pub fn has_amount(scene: &Scene<'_>, event: usize, list: Option<&str>, named: &[Reference]) -> bool {
    let is_named = |name: &str| named.iter().any(|reference| reference.field == name);
    let fields = scene.contracts[event].fields(list).iter();
    fields.filter(|field| is_amount(field)).any(|field| !is_named(&field.name))
}
