//! The events of a story → what each says of the fact, where that does not follow from names alone.

use super::dimension::{Dimension, fields_of};
use super::entity::{Entity, Scene};
use super::fact::{Fact, find, references, role_name};
use super::story::{Act, Source, Story};
use super::words::{snake, words};
use std::collections::BTreeSet;

/// An event of a fact.
#[derive(Debug, Clone)]
pub struct On {
    pub event: usize,
    pub does: &'static str,
    pub kind: Option<String>,
    pub each: Option<String>,
    pub header: Option<Vec<String>>,
    pub line: Option<String>,
    pub dimensions: Vec<(String, Vec<String>)>,
    pub columns: Vec<(String, String)>,
    pub measures: Vec<(String, String)>,
    pub matches: Option<String>,
    pub why: String,
    /// Why it is not bound.
    pub left_out: Option<String>,
}

pub fn events(
    scene: &Scene<'_>,
    entities: &[Entity],
    dimensions: &[Dimension],
    story: &Story,
    fact: &Fact,
) -> Vec<On> {
    let mut kinds = BTreeSet::new();
    let all = story.headers.iter().chain(&story.places).chain(&story.others);
    all.map(|source| on(scene, entities, dimensions, source, fact, &mut kinds)).collect()
}

fn on(
    scene: &Scene<'_>,
    entities: &[Entity],
    dimensions: &[Dimension],
    source: &Source,
    fact: &Fact,
    kinds: &mut BTreeSet<String>,
) -> On {
    let named = &scene.named[source.event];
    let (does, left_out) = match &source.act {
        Act::Place => ("place", None),
        Act::Header => ("header", None),
        Act::Undo => ("reverse", None),
        Act::Amend => ("amend", None),
        Act::Milestone => ("milestone", None),
        Act::Nothing(why) => ("milestone", Some(why.clone())),
    };
    let kind = (does != "header" && left_out.is_none()).then(|| {
        let short = snake(&words(&named.verb));
        let kind = if kinds.contains(&short) { snake(&named.words) } else { short };
        kinds.insert(kind.clone());
        kind
    });
    let columns = fact.header.iter().map(|(column, _)| column);
    let header =
        (!fact.header.is_empty() && !source.header.iter().eq(columns)).then(|| source.header.clone());
    let line_column = fact.line.as_ref().map(|(column, _)| column);
    let line = source.line.clone().filter(|line| Some(line) != line_column);
    let carries = matches!(source.act, Act::Place | Act::Header | Act::Undo | Act::Amend);
    let mut roles = Vec::new();
    let mut matches = None;
    for reference in references(scene, entities, source).into_iter().filter(|_| carries) {
        let entity = &entities[reference.entity];
        let of_entity = |role: &&super::fact::Role| role.entity == reference.entity;
        let Some(level) =
            fact.roles.iter().find(of_entity).and_then(|role| dimensions[role.dimension].levels.first())
        else {
            continue;
        };
        let name = role_name(scene, entity, &level.name, source, &reference.field);
        if !fact.roles.iter().any(|role| role.name == name) {
            continue;
        }
        let fields = fields_of(entities, reference.entity, &reference);
        let key = level.key.iter().map(|(column, _)| column);
        if source.matches.as_ref() == Some(&reference.field) {
            matches = Some(name.clone());
        }
        let is_known = roles.iter().any(|(role, _)| *role == name);
        if !is_known && (name != level.name || !fields.iter().eq(key)) {
            roles.push((name, fields));
        }
    }
    let field = |name: &String| find(scene, source, name);
    let moved = fact.columns.iter().filter(|column| column.name != column.field && carries);
    let columns = moved.filter(|column| field(&column.field).is_some_and(|field| field.kind == column.kind));
    let counts = fact.measures.iter().filter(|measure| measure.counts && source.act == Act::Place);
    On {
        event: source.event,
        does,
        kind,
        each: source.list.clone(),
        header,
        line,
        dimensions: roles,
        columns: columns.map(|column| (column.name.clone(), column.field.clone())).collect(),
        measures: counts.map(|measure| (measure.name.clone(), "1".to_owned())).collect(),
        matches,
        why: source.why.clone(),
        left_out,
    }
}
