//! Entities → dimensions: keys, attributes with their tracking, levels above, and the events that set or close them.

use super::contract::Field;
use super::entity::{Entity, Reference, Scene};
use super::envelope::grouped;
use super::hierarchy;
use super::shape::Kind;
use super::sort::Nature;
use super::verb::Does;
use super::words::{after_change, before_change, has_any, is_bare_key, snake};
use std::collections::{BTreeSet, HashMap};

/// A dimension as it may be meant; the first level bears its name.
#[derive(Debug, Clone)]
pub struct Dimension {
    pub levels: Vec<Level>,
    /// Levels of plain columns: their names, their columns, and why.
    pub plain: Vec<(String, String, String)>,
}

/// A level that has a key of its own.
#[derive(Debug, Clone)]
pub struct Level {
    pub entity: usize,
    pub name: String,
    pub members: usize,
    /// Columns, their types, and the fields that hold them.
    pub key: Vec<(String, Kind)>,
    pub attributes: Vec<Attribute>,
    pub on: Vec<On>,
    pub why: String,
}

#[derive(Debug, Clone)]
pub struct Attribute {
    pub name: String,
    pub kind: Kind,
    pub tracking: &'static str,
    pub why: String,
}

/// An event of a level.
#[derive(Debug, Clone)]
pub struct On {
    pub event: usize,
    pub closes: bool,
    /// The fields that name the member, where they are not called as the columns are.
    pub key: Option<Vec<String>>,
    /// Attributes whose field has another name.
    pub sets: Vec<(String, String)>,
    /// These attributes alone, where a field of an attribute's name is of another type.
    pub only: Option<Vec<String>>,
    pub parent: Option<Vec<String>>,
    pub why: String,
}

/// Of an attribute that is called so, a change is a correction.
const OVERWRITTEN: [&str; 16] = [
    "name",
    "title",
    "label",
    "description",
    "email",
    "mail",
    "phone",
    "nick",
    "nickname",
    "url",
    "comment",
    "note",
    "remark",
    "address",
    "street",
    "website",
];
const MOST_LEVELS: usize = 5;

/// Entities that facts name, and those above them.
pub fn dimensions(
    scene: &Scene<'_>,
    entities: &[Entity],
    natures: &[Nature],
    named_by_facts: &BTreeSet<usize>,
) -> Vec<Dimension> {
    let is_one = |at: usize| natures.get(at) == Some(&Nature::Dimension);
    let above: Vec<Option<(usize, String)>> = (0..entities.len())
        .map(|at| {
            above(scene, entities, at)
                .filter(|(parent, _)| is_one(*parent) && !named_by_facts.contains(parent))
        })
        .collect();
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let is_above_other = |at: usize| above.iter().flatten().any(|(parent, _)| *parent == at);
    let mut bases: Vec<usize> =
        (0..entities.len()).filter(|at| is_one(*at) && !is_above_other(*at)).collect();
    // Things that are above each other in a circle have no base: they stand alone.
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    for base in &bases {
        let mut next = Some(*base);
        while let Some(at) = next.filter(|at| reached.insert(*at)) {
            next = above[at].as_ref().map(|(parent, _)| *parent);
        }
    }
    bases.extend((0..entities.len()).filter(|at| is_one(*at) && !reached.contains(at)));
    let mut names: BTreeSet<String> = BTreeSet::from(["date".to_owned()]);
    let mut dimensions = Vec::new();
    for base in bases {
        let mut chain = vec![(base, None)];
        taken.insert(base);
        while let Some((parent, field)) = chain.last().and_then(|(at, _)| above[*at].clone()) {
            if chain.len() == MOST_LEVELS || !taken.insert(parent) {
                break;
            }
            chain.push((parent, Some(field)));
        }
        dimensions.push(dimension(scene, entities, &chain, &mut names));
    }
    dimensions
}

/// The first entity that events about another one name, and the field.
fn above(scene: &Scene<'_>, entities: &[Entity], at: usize) -> Option<(usize, String)> {
    let homes = entities[at].homes.iter();
    let named = homes.flat_map(|home| scene.references(entities, home.event, None));
    named.into_iter().find(|reference| reference.entity != at).map(|it| (it.entity, it.field))
}

fn dimension(
    scene: &Scene<'_>,
    entities: &[Entity],
    chain: &[(usize, Option<String>)],
    names: &mut BTreeSet<String>,
) -> Dimension {
    let mut columns: BTreeSet<String> =
        ["valid_from", "valid_to", "is_current", "is_inferred"].map(str::to_owned).into();
    let mut levels: Vec<Level> = Vec::new();
    for (place, (at, _)) in chain.iter().enumerate() {
        let name = free(names, &snake(&entities[*at].stem), "");
        columns.insert(format!("{name}_key"));
        let key = key(scene, entities, *at, &name, &mut columns);
        let parent = chain.get(place + 1).map(|(parent, _)| *parent);
        levels.push(level(scene, entities, *at, name, key, parent, place > 0, &mut columns));
    }
    for place in 0..levels.len().saturating_sub(1) {
        let parent_key: Vec<String> =
            levels[place + 1].key.iter().map(|(column, _)| column.clone()).collect();
        let parent = levels[place + 1].entity;
        for on in levels[place].on.iter_mut().filter(|on| !on.closes) {
            let named = scene.references(entities, on.event, None);
            let Some(field) = named.into_iter().find(|it| it.entity == parent) else { continue };
            let fields = fields_of(entities, parent, &field);
            on.parent = (fields != parent_key).then_some(fields);
        }
    }
    let room = MOST_LEVELS - levels.len();
    let plain = levels.last().map(|last| hierarchy::plain_levels(scene, &entities[last.entity], last, room));
    let named: Vec<(String, String, String)> = plain
        .into_iter()
        .flatten()
        .map(|(column, why)| {
            let below = levels.first().map_or("", |level| level.name.as_str());
            (free(names, &snake(&super::words::words(&column)), below), column, why)
        })
        .collect();
    Dimension { levels, plain: named }
}

/// The fields that name a member of an entity, where one of them is known.
pub fn fields_of(entities: &[Entity], at: usize, reference: &Reference) -> Vec<String> {
    entities[at].partner.iter().cloned().chain([reference.field.clone()]).collect()
}

/// A name that is not taken yet: as it is, behind another one, or with a number.
pub fn free(taken: &mut BTreeSet<String>, name: &str, before: &str) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let behind = (!before.is_empty()).then(|| format!("{before}_{name}"));
    let is_allowed = |name: &String| !name.starts_with("previous_") && !name.starts_with('_');
    let mut candidates = std::iter::once(name.to_owned()).chain(behind).chain(numbered);
    let found = candidates.find(|name| is_allowed(name) && !taken.contains(&name.to_lowercase()));
    let found = found.unwrap_or_else(|| name.to_owned());
    taken.insert(found.to_lowercase());
    found
}

fn key(
    scene: &Scene<'_>,
    entities: &[Entity],
    at: usize,
    name: &str,
    columns: &mut BTreeSet<String>,
) -> Vec<(String, Kind)> {
    let entity = &entities[at];
    let Some(home) = entity.homes.first() else { return Vec::new() };
    let fields = entity.partner.iter().chain([&home.field]);
    let mut key = Vec::new();
    for field in fields {
        let Some(known) = scene.contracts[home.event].field(None, field) else { continue };
        let is_telling = !is_bare_key(&known.words)
            && !matches!(known.words.as_slice(), [word] if word == "label" || word == "name");
        let column = if is_telling {
            free(columns, field, name)
        } else {
            free(columns, &format!("{name}_{field}"), "")
        };
        key.push((column, known.kind));
    }
    key
}

#[expect(clippy::too_many_arguments, reason = "what one level is made of")]
fn level(
    scene: &Scene<'_>,
    entities: &[Entity],
    at: usize,
    name: String,
    key: Vec<(String, Kind)>,
    parent: Option<usize>,
    is_upper: bool,
    columns: &mut BTreeSet<String>,
) -> Level {
    let entity = &entities[at];
    let mut attributes: Vec<Attribute> = Vec::new();
    // By the name under which fields speak of it: the attribute's name.
    let mut known: HashMap<String, String> = HashMap::new();
    let mut on = Vec::new();
    for home in &entity.homes {
        let contract = &scene.contracts[home.event];
        let named = scene.references(entities, home.event, None);
        let is_parent =
            |field: &Field| named.iter().any(|it| it.field == field.name && Some(it.entity) == parent);
        let names_parent = |field: &Field| {
            let partner = parent.and_then(|parent| entities[parent].partner.as_ref());
            is_parent(field) || partner == Some(&field.name)
        };
        let own = |field: &&Field| {
            field.name != home.field && entity.partner.as_ref() != Some(&field.name) && !names_parent(field)
        };
        let fields: Vec<&Field> =
            contract.fields.iter().filter(own).filter(|field| field.kind != Kind::Nothing).collect();
        let (closes, why) =
            closes(scene, entity, home.event, fields.is_empty() && !contract.fields.iter().any(names_parent));
        let mut sets = Vec::new();
        for field in fields.into_iter().filter(|_| !closes) {
            let Some(said) = attribute_name(field, &contract.fields) else { continue };
            let attribute = match known.get(&said) {
                Some(attribute) => attribute.clone(),
                None => {
                    // Levels share one table in the star, and `name` says little there.
                    let wanted =
                        if is_upper && said == "name" { format!("{name}_name") } else { said.clone() };
                    let attribute = free(columns, &wanted, &name);
                    let (tracking, why) = tracking(scene, entity, field, &said);
                    attributes.push(Attribute { name: attribute.clone(), kind: field.kind, tracking, why });
                    known.insert(said.clone(), attribute.clone());
                    attribute
                }
            };
            let same_kind = attributes.iter().any(|it| it.name == attribute && it.kind == field.kind);
            if attribute != field.name && same_kind {
                sets.push((attribute, field.name.clone()));
            }
        }
        let fields: Vec<String> = entity.partner.iter().cloned().chain([home.field.clone()]).collect();
        let key = (!fields.iter().eq(key.iter().map(|(column, _)| column))).then_some(fields);
        on.push(On { event: home.event, closes, key, sets, only: None, parent: None, why });
    }
    for on in on.iter_mut().filter(|on| !on.closes) {
        let field = |it: &Attribute| scene.contracts[on.event].field(None, &it.name).map(|field| field.kind);
        if attributes.iter().any(|it| field(it).is_some_and(|kind| kind != it.kind)) {
            let same = attributes.iter().filter(|it| field(it) == Some(it.kind));
            on.only = Some(same.map(|it| it.name.clone()).collect());
        }
    }
    let members = entity.keys.len();
    let types = entity.homes.iter().filter_map(|home| scene.contracts.get(home.event));
    let events: u64 = types.map(|contract| contract.events).sum();
    let why = format!(
        "{} members in {} events of {} types",
        grouped(members as u64),
        grouped(events),
        entity.homes.len()
    );
    Level { entity: at, name, members, key, attributes, on, why }
}

/// What an attribute is called; nothing for a field that holds the value before a change.
fn attribute_name(field: &Field, beside: &[Field]) -> Option<String> {
    let has = |words: &[String]| {
        beside.iter().any(|other| other.name != field.name && other.words.ends_with(words))
    };
    if before_change(&field.words).is_some_and(has) {
        return None;
    }
    match after_change(&field.words) {
        Some(words) => Some(words.join("_")),
        None => Some(field.name.clone()),
    }
}

/// Whether an event of this type ends its member, and why that is thought.
fn closes(scene: &Scene<'_>, entity: &Entity, event: usize, is_bare: bool) -> (bool, String) {
    let does = scene.named[event].does;
    let last = last_of_its_member(scene, entity, event);
    let said = |(last, all): (usize, usize)| {
        format!("nothing follows for its member in {} of {}", grouped(last as u64), grouped(all as u64))
    };
    match (does, last) {
        (Does::End, Some(figures)) => {
            (true, format!("`{}` ends a member; {}", scene.named[event].verb, said(figures)))
        }
        (Does::Start, _) => (false, String::new()),
        (_, Some((last, all))) if is_bare && all > 0 && last * 10 >= all * 9 => {
            (true, format!("it says nothing but whom it is about, and {}", said((last, all))))
        }
        _ => (false, String::new()),
    }
}

/// In how many events of a type nothing follows for the same member, and how many there are.
fn last_of_its_member(scene: &Scene<'_>, entity: &Entity, event: usize) -> Option<(usize, usize)> {
    let mut newest: HashMap<u64, u64> = HashMap::new();
    let pairs = |home: &super::entity::Home| {
        let numbers = scene.observed.types.get(home.event).map_or(&[][..], |seen| &seen.numbers);
        let cells = scene.column(home.event, None, &home.field).map_or(&[][..], |column| &column.cells);
        cells.iter().copied().zip(numbers.iter().copied()).collect::<Vec<_>>()
    };
    for (member, number) in entity.homes.iter().flat_map(pairs) {
        let known = newest.entry(member).or_default();
        *known = number.max(*known);
    }
    let home = entity.homes.iter().find(|home| home.event == event)?;
    let own = pairs(home);
    let last = own.iter().filter(|(member, number)| newest.get(member) == Some(number)).count();
    Some((last, own.len()))
}

fn tracking(scene: &Scene<'_>, entity: &Entity, field: &Field, said: &str) -> (&'static str, String) {
    let (changes, values, types) = changes(scene, entity, said);
    let figures = match changes {
        0 => "never seen to change".to_owned(),
        changes => format!("changes in {} of {} events that set it", grouped(changes), grouped(values)),
    };
    let last = field.words.last().is_some_and(|word| has_any(std::slice::from_ref(word), &OVERWRITTEN));
    if last {
        ("overwrite", format!("{figures}; a name is corrected, not changed"))
    } else if types == 1 && changes == 0 && matches!(field.kind, Kind::Date | Kind::Timestamp) {
        ("fixed", format!("{figures}; a day that is said once"))
    } else {
        ("history", figures)
    }
}

/// How often an attribute of a member differs from what was last said of it, in how many events, of how many types.
fn changes(scene: &Scene<'_>, entity: &Entity, said: &str) -> (u64, u64, usize) {
    let mut all: Vec<(u64, u64, u64)> = Vec::new();
    let mut types = 0;
    for home in &entity.homes {
        let Some(contract) = scene.contracts.get(home.event) else { continue };
        let is_it = |field: &&Field| attribute_name(field, &contract.fields).as_deref() == Some(said);
        let Some(field) = contract.fields.iter().find(is_it) else { continue };
        let columns =
            (scene.column(home.event, None, &home.field), scene.column(home.event, None, &field.name));
        let (Some(member), Some(value)) = columns else { continue };
        let numbers = scene.observed.types.get(home.event).map_or(&[][..], |seen| &seen.numbers);
        types += 1;
        let rows = numbers.iter().zip(member.cells.iter().zip(&value.cells));
        all.extend(
            rows.filter(|(_, (_, value))| **value != 0)
                .map(|(number, (member, value))| (*number, *member, *value)),
        );
    }
    all.sort_unstable();
    let mut now: HashMap<u64, u64> = HashMap::new();
    let differs =
        all.iter().filter(|(_, member, value)| now.insert(*member, *value).is_some_and(|old| old != *value));
    let changes = differs.count() as u64;
    (changes, all.len() as u64, types)
}
