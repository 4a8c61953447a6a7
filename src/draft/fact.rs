//! Headers and lines → facts: what a row is, its roles, its measures, and what it takes over.

use super::contract::Field;
use super::dimension::{Dimension, fields_of, free};
use super::entity::{Entity, Reference, Scene};
use super::fact_event::{self, On};
use super::measure::{self, Measure};
use super::shape::Kind;
use super::story::{Source, Story};
use super::words::{key_stem, plural, snake};
use std::collections::BTreeSet;

/// A fact as it may be meant.
#[derive(Debug, Clone)]
pub struct Fact {
    pub name: String,
    /// The name of the accumulating fact.
    pub lines: Option<String>,
    pub header: Vec<(String, Kind)>,
    pub line: Option<(String, Kind)>,
    /// Roles, and the place of their dimension.
    pub roles: Vec<Role>,
    pub columns: Vec<Carried>,
    pub measures: Vec<Measure>,
    pub quantity: Option<String>,
    pub price: Option<String>,
    pub on: Vec<On>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub dimension: usize,
    pub entity: usize,
    pub why: String,
}

/// A column that is taken over from events.
#[derive(Debug, Clone)]
pub struct Carried {
    pub name: String,
    pub field: String,
    pub kind: Kind,
    pub why: String,
}

/// Columns that every ledger or every accumulating fact has.
const OWN: [&str; 7] = ["position", "item", "kind", "occurred_at", "date_key", "date_month", "status"];

/// The fact of a story.
pub fn fact(
    scene: &Scene<'_>,
    entities: &[Entity],
    dimensions: &[Dimension],
    story: &Story,
    names: &mut BTreeSet<String>,
) -> Fact {
    let stem = snake(&story.stem);
    let name = free(names, &if story.is_headed() { plural(&stem) } else { stem.clone() }, "fact");
    let lines = story.is_headed().then(|| free(names, &format!("{stem}_lines"), "fact"));
    let mut columns: BTreeSet<String> = OWN.map(str::to_owned).into();
    let mut fact = Fact {
        name,
        lines,
        header: Vec::new(),
        line: None,
        roles: Vec::new(),
        columns: Vec::new(),
        measures: Vec::new(),
        quantity: None,
        price: None,
        on: Vec::new(),
        notes: story.notes.clone(),
    };
    for source in story.sources() {
        for reference in references(scene, entities, source) {
            add_role(&mut fact, scene, entities, dimensions, source, &reference, &mut columns);
        }
    }
    if let (Some(place), true) = (story.places.first(), story.is_headed()) {
        for field in &place.header {
            let kind = scene.contracts[place.event].field(None, field).map_or(Kind::Text, |field| field.kind);
            fact.header.push((free(&mut columns, field, &stem), kind));
        }
        let line = place.line.as_ref().and_then(|line| find(scene, place, line));
        fact.line = line.map(|line| (free(&mut columns, &line.name, &stem), line.kind));
    }
    measure::measures(scene, entities, story, &mut fact, &mut columns);
    for source in story.sources() {
        for list in [source.list.as_deref(), None] {
            for field in scene.contracts[source.event].fields(list) {
                add_column(&mut fact, scene, entities, source, field, &stem, &mut columns);
            }
            if source.list.is_none() {
                break;
            }
        }
    }
    fact.on = fact_event::events(scene, entities, dimensions, story, &fact);
    fact
}

/// A field of a source: of its items, else of its payload.
pub fn find<'s>(scene: &'s Scene<'_>, source: &Source, name: &str) -> Option<&'s Field> {
    let contract = &scene.contracts[source.event];
    let of_item = source.list.as_deref().and_then(|list| contract.field(Some(list), name));
    of_item.or_else(|| contract.field(None, name))
}

/// What a source names, in its items and its payload.
pub fn references(scene: &Scene<'_>, entities: &[Entity], source: &Source) -> Vec<Reference> {
    let mut all = match source.list.as_deref() {
        Some(list) => scene.references(entities, source.event, Some(list)),
        None => Vec::new(),
    };
    all.extend(scene.references(entities, source.event, None));
    all.retain(|reference| !source.header.contains(&reference.field));
    all
}

/// What a role is called that this field names.
pub fn role_name(
    scene: &Scene<'_>,
    entity: &Entity,
    dimension: &str,
    source: &Source,
    field: &str,
) -> String {
    let words = find(scene, source, field).map(|field| field.words.clone()).unwrap_or_default();
    let stem = key_stem(&words).unwrap_or(words);
    let is_plain = stem == entity.stem || entity.homes.iter().any(|home| home.field == field);
    if is_plain { dimension.to_owned() } else { snake(&stem) }
}

fn add_role(
    fact: &mut Fact,
    scene: &Scene<'_>,
    entities: &[Entity],
    dimensions: &[Dimension],
    source: &Source,
    reference: &Reference,
    columns: &mut BTreeSet<String>,
) {
    let is_it = |dimension: &Dimension| {
        dimension.levels.first().is_some_and(|level| level.entity == reference.entity)
    };
    let Some(at) = dimensions.iter().position(is_it) else { return };
    let dimension = dimensions[at].levels.first().map_or("", |level| &level.name);
    let name = role_name(scene, &entities[reference.entity], dimension, source, &reference.field);
    let makes_rows = source.makes_rows;
    if makes_rows && !fact.roles.iter().any(|role| role.name == name) && columns.insert(format!("{name}_key"))
    {
        let why = reference.why.clone();
        fact.roles.push(Role { name, dimension: at, entity: reference.entity, why });
    }
}

fn add_column(
    fact: &mut Fact,
    scene: &Scene<'_>,
    entities: &[Entity],
    source: &Source,
    field: &Field,
    stem: &str,
    columns: &mut BTreeSet<String>,
) {
    let is_line = source.line.as_ref() == Some(&field.name);
    let is_measure = fact.measures.iter().any(|measure| measure.field.as_ref() == Some(&field.name));
    let named = references(scene, entities, source);
    let reference = named.iter().find(|reference| reference.field == field.name);
    let is_role = |reference: &Reference| {
        let fields = fields_of(entities, reference.entity, reference);
        fact.roles.iter().any(|role| role.entity == reference.entity) && fields.contains(&field.name)
    };
    let is_known = fact.columns.iter().any(|column| column.field == field.name);
    let is_named = reference.is_some_and(is_role) || named.iter().any(is_role_partner(entities, fact, field));
    if source.header.contains(&field.name)
        || is_line
        || is_measure
        || is_named
        || is_known
        || field.kind == Kind::Nothing
    {
        return;
    }
    // A field that numbers lines elsewhere numbers something else here.
    if !source.makes_rows && fact.line.as_ref().is_some_and(|(line, _)| *line == field.name) {
        return;
    }
    let name = free(columns, &field.name, stem);
    fact.columns.push(Carried { name, field: field.name.clone(), kind: field.kind, why: field.why.clone() });
}

fn is_role_partner<'f>(
    entities: &'f [Entity],
    fact: &'f Fact,
    field: &'f Field,
) -> impl Fn(&Reference) -> bool + 'f {
    move |reference| {
        entities[reference.entity].partner.as_ref() == Some(&field.name)
            && fact.roles.iter().any(|role| role.entity == reference.entity)
    }
}
