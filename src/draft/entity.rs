//! Contracts → entities: which things are there that events are about, and which fields name them?
//!
//! An event type is about the thing that its name begins with, if it has a field for it (`TeamFolded` and `team_id`); else
//! about what its first field names, if that is never seen twice or other types refer to its values.

use super::contract::{Contract, Field};
use super::observe::Observed;
use super::shape::Kind;
use super::table::Column;
use super::verb::{Does, Named};
use super::words::{is_bare_key, key_stem, place_of};
use std::collections::HashSet;

/// A thing that has a name of its own.
#[derive(Debug)]
pub struct Entity {
    pub stem: Vec<String>,
    /// The event types that are about it, each with the field that names it.
    pub homes: Vec<Home>,
    /// A field that stands before each of these, without which names are not told apart.
    pub partner: Option<String>,
    pub kind: Kind,
    /// Its names, as far as they are kept.
    pub keys: HashSet<u64>,
}

#[derive(Debug, Clone)]
pub struct Home {
    pub event: usize,
    pub field: String,
}

/// A field that names an entity of another event type.
#[derive(Debug, Clone)]
pub struct Reference {
    pub entity: usize,
    pub field: String,
    /// How it is known.
    pub why: String,
}

/// What everything is guessed from.
pub struct Scene<'a> {
    pub observed: &'a Observed,
    pub contracts: &'a [Contract],
    pub named: Vec<Named>,
}

/// Names that say nothing of what they belong to, and so name no entity.
const GENERIC: [&str; 22] = [
    "name",
    "status",
    "state",
    "title",
    "description",
    "type",
    "kind",
    "date",
    "time",
    "price",
    "quantity",
    "amount",
    "email",
    "phone",
    "address",
    "label",
    "reason",
    "comment",
    "note",
    "value",
    "count",
    "total",
];

impl<'a> Scene<'a> {
    pub fn new(observed: &'a Observed, contracts: &'a [Contract]) -> Self {
        let named = contracts.iter().map(|contract| Named::read(&contract.name)).collect();
        Self { observed, contracts, named }
    }

    pub fn column(&self, event: usize, list: Option<&str>, name: &str) -> Option<&'a Column> {
        let seen = self.observed.types.get(event)?;
        match list {
            None => seen.payload.column(name),
            Some(list) => seen.lists.iter().find(|known| known.name == list)?.items.column(name),
        }
    }

    /// The things that events are about, in the order in which they were met.
    pub fn entities(&self) -> Vec<Entity> {
        let mut entities: Vec<Entity> = Vec::new();
        let possible = || (0..self.contracts.len()).filter(|event| self.contracts[*event].is_possible);
        for event in possible() {
            if let Some((stem, field)) = self.by_name(event) {
                self.settle(&mut entities, stem, event, field);
            }
        }
        let is_free = |entities: &[Entity], event: usize| home_of(entities, event).is_none();
        for event in possible() {
            let is_known = |field: &&Field| {
                let stem = key_stem(&field.words).unwrap_or_else(|| field.words.clone());
                stem == self.named[event].noun && entities.iter().any(|entity| entity.stem == stem)
            };
            let found = self.contracts[event].fields.iter().find(is_known).map(|field| field.name.clone());
            if let Some(field) = found.filter(|_| is_free(&entities, event)) {
                let stem = self.named[event].noun.clone();
                self.settle(&mut entities, stem, event, field);
            }
        }
        for event in possible() {
            if is_free(&entities, event)
                && let Some(field) = self.by_values(&entities, event)
            {
                let stem = self.named[event].noun.clone();
                self.settle(&mut entities, stem, event, field);
            }
        }
        for event in possible().filter(|event| self.named[*event].does != Does::Other) {
            let named = self.references(&entities, event, None);
            let is_change = self.named[event].does != Does::Undo && self.contracts[event].lists.is_empty();
            if let ([only], true, true) = (named.as_slice(), is_change, is_free(&entities, event)) {
                let stem = entities[only.entity].stem.clone();
                self.settle(&mut entities, stem, event, only.field.clone());
            }
        }
        for at in 0..entities.len() {
            let partner = self.partner(&entities, at);
            entities[at].partner = partner;
        }
        entities
    }

    fn settle(&self, entities: &mut Vec<Entity>, stem: Vec<String>, event: usize, field: String) {
        let Some(kind) = self.contracts[event].field(None, &field).map(|field| field.kind) else { return };
        let keys = self.column(event, None, &field).map(Column::distinct).unwrap_or_default();
        match entities.iter_mut().find(|entity| entity.stem == stem) {
            Some(entity) if entity.kind != kind => {}
            Some(entity) => {
                entity.keys.extend(keys);
                entity.homes.push(Home { event, field });
            }
            None => {
                entities.push(Entity { stem, homes: vec![Home { event, field }], partner: None, kind, keys })
            }
        }
    }

    /// The field that bears the name of what the event type's name speaks of.
    fn by_name(&self, event: usize) -> Option<(Vec<String>, String)> {
        let (contract, named) = (&self.contracts[event], &self.named[event]);
        let mut best: Option<(usize, usize, Vec<String>, String)> = None;
        for field in contract.fields.iter().filter(|field| field.kind.is_name() && field.missing_percent <= 1)
        {
            let stem = key_stem(&field.words);
            let of_stem = stem.filter(|stem| place_of(stem, &named.words).is_some());
            let is_bare = place_of(&field.words, &named.noun) == Some(0) && !is_generic(&field.words);
            let (rank, stem) = match of_stem {
                Some(stem) => (0, stem),
                None if is_bare && (field.kind == Kind::Text || self.types_with(&field.name) > 1) => {
                    (1, field.words.clone())
                }
                None if is_bare_key(&field.words) => (2, self.stem_of_noun(event)),
                None => continue,
            };
            let distinct = self.column(event, None, &field.name).map_or(0, |column| column.distinct().len());
            // The most telling name, then the one with the most values.
            let is_better = best.as_ref().is_none_or(|(known, most, ..)| (rank, *most) < (*known, distinct));
            if is_better {
                best = Some((rank, distinct, stem, field.name.clone()));
            }
        }
        best.map(|(_, _, stem, field)| (stem, field))
    }

    fn types_with(&self, field: &str) -> usize {
        self.contracts.iter().filter(|contract| contract.field(None, field).is_some()).count()
    }

    /// Of `TeamCity` in `TeamCityChanged`, the part that another type speaks of: team.
    fn stem_of_noun(&self, event: usize) -> Vec<String> {
        let noun = &self.named[event].noun;
        let nouns = self.named.iter().map(|named| &named.noun).filter(|other| noun.starts_with(other));
        nouns.min_by_key(|other| other.len()).unwrap_or(noun).clone()
    }

    /// The first field, if its values are names that are never seen twice, or that other types refer to.
    fn by_values(&self, entities: &[Entity], event: usize) -> Option<String> {
        let contract = &self.contracts[event];
        let field =
            contract.fields.iter().find(|field| field.kind.is_name() && field.missing_percent <= 1)?;
        let is_reference =
            self.references(entities, event, None).iter().any(|known| known.field == field.name);
        let is_line = !self.references(entities, event, None).is_empty() && !contract.lists.is_empty();
        if is_reference || is_line || is_generic(&field.words) && field.words != ["label"] {
            return None;
        }
        let column = self.column(event, None, &field.name)?;
        let keys = column.distinct();
        let is_unique = keys.len() > 1 && keys.len() == column.kept_values() && contract.events > 1;
        let refers = |other: &Contract| {
            let texts =
                other.fields.iter().filter(|other| other.kind == Kind::Text && other.name != field.name);
            let of = |name: &str| {
                let at = self.contracts.iter().position(|known| known.name == other.name)?;
                self.column(at, None, name)
            };
            other.name != contract.name
                && texts
                    .filter_map(|other| of(&other.name))
                    .any(|other| share(&other.distinct(), &keys).is_some())
        };
        let is_meant = field.kind == Kind::Text && self.contracts.iter().any(refers);
        (is_unique || is_meant).then(|| field.name.clone())
    }

    /// The fields of a payload, or of a list's items, that name entities of other types.
    pub fn references(&self, entities: &[Entity], event: usize, list: Option<&str>) -> Vec<Reference> {
        let own = |field: &Field| {
            list.is_none()
                && entities.iter().any(|entity| {
                    entity.homes.iter().any(|home| home.event == event && home.field == field.name)
                        || entity.partner.as_ref() == Some(&field.name)
                })
        };
        let fields = self.contracts[event].fields(list).iter();
        let named = fields.filter(|field| !own(field)).filter_map(|field| {
            let (entity, why) = self.reference(entities, event, list, field)?;
            Some(Reference { entity, field: field.name.clone(), why })
        });
        named.collect()
    }

    fn reference(
        &self,
        entities: &[Entity],
        event: usize,
        list: Option<&str>,
        field: &Field,
    ) -> Option<(usize, String)> {
        if !matches!(field.kind, Kind::Text | Kind::Integer) {
            return None;
        }
        let stem = key_stem(&field.words).unwrap_or_else(|| field.words.clone());
        let values = self.column(event, list, &field.name)?.distinct();
        let has_partner = |entity: &Entity| {
            let is_there = |partner: &String| self.contracts[event].field(list, partner).is_some();
            entity.partner.as_ref().is_none_or(is_there)
        };
        let may = |entity: &&(usize, &Entity)| entity.1.kind == field.kind && has_partner(entity.1);
        let known: Vec<(usize, &Entity)> = entities.iter().enumerate().filter(|it| may(&it)).collect();
        let is_named = |entity: &Entity| {
            let is_telling = |home: &Home| home.field == field.name && !is_bare_key(&field.words);
            entity.stem == stem || entity.homes.iter().any(is_telling) && !is_generic(&field.words)
        };
        let figures = |entity: &Entity| {
            let hits = values.iter().filter(|value| entity.keys.contains(value)).count();
            format!("{hits} of its {} values are known names", values.len())
        };
        if let Some((at, entity)) = known.iter().find(|(_, entity)| is_named(entity)) {
            return Some((*at, format!("by its name; {}", figures(entity))));
        }
        let is_role = |entity: &Entity| stem.len() > entity.stem.len() && stem.ends_with(&entity.stem);
        let by_value = |entity: &Entity| share(&values, &entity.keys).is_some();
        let found =
            known.iter().find(|(_, entity)| is_role(entity) && (values.is_empty() || by_value(entity)));
        let found = found.or_else(|| {
            let may = field.kind == Kind::Text && !is_generic(&field.words);
            let is_own = |entity: &Entity| {
                let mut homes = entity.homes.iter();
                homes.any(|home| self.contracts[home.event].field(None, &field.name).is_some())
            };
            known.iter().find(|(_, entity)| may && by_value(entity) && !is_own(entity))
        });
        found.map(|(at, entity)| (*at, format!("by its values: {}", figures(entity))))
    }

    /// A field that always stands right before the name, wherever either stands.
    fn partner(&self, entities: &[Entity], at: usize) -> Option<String> {
        let entity = &entities[at];
        let home = entity.homes.first()?;
        let fields = &self.contracts[home.event].fields;
        let place = fields.iter().position(|field| field.name == home.field)?;
        let before = fields.get(place.checked_sub(1)?)?;
        let other = |it: &Entity| Some(&it.stem) == key_stem(&before.words).as_ref();
        let is_key = key_stem(&before.words).is_some() && before.kind.is_name() && !before.optional;
        let both = |contract: &Contract| {
            contract.field(None, &before.name).is_some() == contract.field(None, &home.field).is_some()
        };
        let always = self.contracts.iter().all(both) && self.types_with(&before.name) > 1;
        let is_home = entities.iter().any(|it| it.homes.iter().any(|home| home.field == before.name));
        (is_key && always && !is_home && !entities.iter().any(other)).then(|| before.name.clone())
    }
}

/// The entity that an event type is about.
pub fn home_of(entities: &[Entity], event: usize) -> Option<(usize, &Home)> {
    let homes =
        entities.iter().enumerate().flat_map(|(at, entity)| entity.homes.iter().map(move |home| (at, home)));
    homes.into_iter().find(|(_, home)| home.event == event)
}

fn is_generic(words: &[String]) -> bool {
    matches!(words, [word] if GENERIC.contains(&word.as_str())) || is_bare_key(words)
}

/// How many of some values are known, if that is half of them or more.
fn share(values: &HashSet<u64>, known: &HashSet<u64>) -> Option<usize> {
    let hits = values.iter().filter(|value| known.contains(value)).count();
    (hits > 0 && hits * 2 >= values.len() && known.len() > 1).then_some(hits)
}
