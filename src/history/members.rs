//! Natural keys become members, numbered from 0 in the order of their first mention (DESIGN 18).

use super::before::Before;
use super::events::{Events, Items};
use super::frame::{NONE, distinct, integers, lookup, sort_order};
use crate::error::{Error, Result};
use crate::model::{DimensionAction, Entity, FieldRef, KeyColumn, Model};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat, take};
use rayon::prelude::*;
use std::sync::Arc;

/// The members of one entity.
pub struct Members {
    /// The natural key's columns, a row a member.
    pub keys: Vec<ArrayRef>,
    /// Position of the first mention.
    pub first_position: Vec<i64>,
    /// The place of the first mention inside its event.
    pub first_place: Vec<i64>,
}

impl Members {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.first_position.len()
    }

    /// As a table that [`Members::read`] reads: the natural key, `_position` and `_place`.
    pub fn to_batch(&self, entity: &Entity) -> Result<RecordBatch> {
        let mut columns: Vec<(&str, ArrayRef)> = entity
            .key
            .iter()
            .zip(&self.keys)
            .map(|(key, values)| (key.name.as_str(), values.clone()))
            .collect();
        columns.push(("_position", Arc::new(Int64Array::from(self.first_position.clone()))));
        columns.push(("_place", Arc::new(Int64Array::from(self.first_place.clone()))));
        Ok(RecordBatch::try_from_iter(columns)?)
    }

    /// The members that a release knew.
    fn read(entity: &Entity, batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str| {
            let found = batch.column_by_name(name).cloned();
            found.ok_or_else(|| Error::bug(format!("the members of {} have no {name}", entity.name)))
        };
        let key = |key: &KeyColumn| Ok(cast(&column(&key.name)?, &key.value_type.arrow())?);
        Ok(Self {
            keys: entity.key.iter().map(key).collect::<Result<_>>()?,
            first_position: integers(&column("_position")?)?,
            first_place: integers(&column("_place")?)?,
        })
    }
}

/// The members of every entity, and whom each binding names.
pub struct AllMembers {
    /// By dimension and entity.
    pub members: Vec<Vec<Members>>,
    /// By dimension, entity and binding: the member of each item.
    pub own: Vec<Vec<Vec<Vec<u32>>>>,
    /// By dimension, entity and binding: the parent of each item, where the binding sets parents.
    pub parents: Vec<Vec<Vec<Option<Vec<u32>>>>>,
}

/// Rows that name members of one entity, in the order of their positions.
struct Mention {
    keys: Vec<ArrayRef>,
    position: Vec<i64>,
    /// The place in the order of mention inside one event.
    ordinal: Vec<i64>,
    /// False for a close, which names a member but does not mention it.
    counts: bool,
    owner: Owner,
}

#[derive(Clone, Copy)]
enum Owner {
    /// A fact, or a release that knew the member: nobody asks here who it was.
    Other,
    Own {
        dimension: usize,
        entity: usize,
        binding: usize,
    },
    Parent {
        dimension: usize,
        entity: usize,
        binding: usize,
    },
}

/// Finds every member that dimensions or facts mention or that a release knew already, and whom every binding
/// of a dimension names.
pub fn find(
    model: &Model,
    of_dimensions: &[Option<Events>],
    of_facts: &[Option<Events>],
    before: Option<&dyn Before>,
) -> Result<AllMembers> {
    let mut mentions: Vec<Vec<Vec<Mention>>> =
        model.dimensions.iter().map(|d| d.entities.iter().map(|_| Vec::new()).collect()).collect();
    if let Some(before) = before {
        mention_known(model, before, &mut mentions)?;
    }
    mention_in_dimensions(model, of_dimensions, &mut mentions)?;
    mention_in_facts(model, of_facts, &mut mentions)?;
    let mut all = AllMembers::empty(model);
    let by_entity = mentions.into_iter().enumerate();
    let by_entity: Vec<(usize, Vec<Mention>)> = by_entity
        .flat_map(|(dimension, entities)| entities.into_iter().map(move |m| (dimension, m)))
        .collect();
    let resolved: Vec<(usize, Resolved)> = by_entity
        .into_par_iter()
        .map(|(dimension, mentions)| Ok((dimension, resolve(&mentions)?)))
        .collect::<Result<_>>()?;
    for (dimension, Resolved { members, named }) in resolved {
        named.into_iter().for_each(|(owner, ids)| all.assign(owner, ids));
        all.members[dimension].push(members);
    }
    Ok(all)
}

/// The members of one entity, and whom each of its mentions names.
struct Resolved {
    members: Members,
    named: Vec<(Owner, Vec<u32>)>,
}

fn resolve(mentions: &[Mention]) -> Result<Resolved> {
    let members = number(mentions)?;
    let ids = |mention: &Mention| match members.len() {
        0 => Ok(vec![NONE; mention.position.len()]),
        _ => lookup(&mention.keys, &members.keys),
    };
    let asked = mentions.par_iter().filter(|mention| !matches!(mention.owner, Owner::Other));
    let named = asked.map(|mention| Ok((mention.owner, ids(mention)?)));
    let named = named.collect::<Result<_>>()?;
    Ok(Resolved { members, named })
}

impl AllMembers {
    fn empty(model: &Model) -> Self {
        let by_binding = |dimension: &crate::model::Dimension| {
            dimension
                .entities
                .iter()
                .map(|entity| entity.events.iter().map(|_| Vec::new()).collect())
                .collect()
        };
        let parents_by_binding = |dimension: &crate::model::Dimension| {
            dimension.entities.iter().map(|entity| entity.events.iter().map(|_| None).collect()).collect()
        };
        Self {
            members: model.dimensions.iter().map(|_| Vec::new()).collect(),
            own: model.dimensions.iter().map(by_binding).collect(),
            parents: model.dimensions.iter().map(parents_by_binding).collect(),
        }
    }

    fn assign(&mut self, owner: Owner, ids: Vec<u32>) {
        match owner {
            Owner::Other => {}
            Owner::Own { dimension, entity, binding } => self.own[dimension][entity][binding] = ids,
            Owner::Parent { dimension, entity, binding } => {
                self.parents[dimension][entity][binding] = Some(ids);
            }
        }
    }
}

/// The loaded events of a binding's type.
pub fn of_type(events: &[Option<Events>], event: usize) -> Result<&Events> {
    events.get(event).and_then(Option::as_ref).ok_or_else(|| Error::bug("an event type was not loaded"))
}

/// What a release knew, with the place of each member's first mention.
fn mention_known(model: &Model, before: &dyn Before, mentions: &mut [Vec<Vec<Mention>>]) -> Result<()> {
    for (dimension, mentions) in model.dimensions.iter().zip(mentions) {
        for (entity, mentions) in dimension.entities.iter().zip(mentions) {
            let Members { keys, first_position, first_place } =
                Members::read(entity, &before.members(&entity.name)?)?;
            mentions.push(Mention {
                keys,
                position: first_position,
                ordinal: first_place,
                counts: true,
                owner: Owner::Other,
            });
        }
    }
    Ok(())
}

fn mention_in_dimensions(
    model: &Model,
    events: &[Option<Events>],
    mentions: &mut [Vec<Vec<Mention>>],
) -> Result<()> {
    let mut ordinal = 0;
    for (d, dimension) in model.dimensions.iter().enumerate() {
        for (e, entity) in dimension.entities.iter().enumerate() {
            for (b, binding) in entity.events.iter().enumerate() {
                ordinal += 1;
                let items = of_type(events, binding.event)?.items(binding.list)?;
                let mention =
                    |keys: &[FieldRef], place: i64, owner: Owner, counts: bool| -> Result<Mention> {
                        Ok(Mention {
                            keys: keys.iter().map(|&key| items.values(key)).collect::<Result<_>>()?,
                            position: items.spread(&items.events.position),
                            ordinal: ordinals(&items, ordinal, place),
                            counts,
                            owner,
                        })
                    };
                let owner = Owner::Own { dimension: d, entity: e, binding: b };
                let sets = matches!(binding.action, DimensionAction::Set { .. });
                mentions[d][e].push(mention(&binding.key, 0, owner, sets)?);
                if let DimensionAction::Set { parent: Some(parent), .. } = &binding.action {
                    let owner = Owner::Parent { dimension: d, entity: e, binding: b };
                    mentions[d][e + 1].push(mention(parent, 1, owner, true)?);
                }
            }
        }
    }
    Ok(())
}

fn mention_in_facts(
    model: &Model,
    events: &[Option<Events>],
    mentions: &mut [Vec<Vec<Mention>>],
) -> Result<()> {
    // Behind every binding of a dimension.
    let mut ordinal = 1 << 20;
    for fact in &model.facts {
        for binding in &fact.events {
            ordinal += 1;
            let items = of_type(events, binding.event)?.items(binding.list)?;
            for (r, keys) in binding.roles.iter().enumerate() {
                let Some(keys) = keys else { continue };
                let by_item = binding.list.is_some() && keys.iter().any(|key| key.list.is_some());
                let owner = Owner::Other;
                let mention = if by_item {
                    Mention {
                        keys: keys.iter().map(|&key| items.values(key)).collect::<Result<_>>()?,
                        position: items.spread(&items.events.position),
                        ordinal: ordinals(&items, ordinal, r as i64),
                        counts: true,
                        owner,
                    }
                } else {
                    // The first item of the event mentions it.
                    Mention {
                        keys: keys.iter().map(|&key| items.events.values(key)).collect::<Result<_>>()?,
                        position: items.events.position.clone(),
                        ordinal: vec![place(ordinal, 1, r as i64); items.events.len()],
                        counts: true,
                        owner,
                    }
                };
                mentions[fact.roles[r].dimension][0].push(mention);
            }
        }
    }
    Ok(())
}

/// The place of a mention inside its event: binding, item, place in the item.
fn place(binding: i64, item: i64, place: i64) -> i64 {
    (binding << 40) | (item << 8) | place
}

fn ordinals(items: &Items<'_>, binding: i64, within: i64) -> Vec<i64> {
    (0..items.len()).map(|item| place(binding, items.number(item).max(1), within)).collect()
}

fn number(mentions: &[Mention]) -> Result<Members> {
    let mut keys: Vec<Vec<ArrayRef>> = Vec::new();
    let (mut position, mut ordinal) = (Vec::new(), Vec::new());
    let counting: Vec<&Mention> = mentions.iter().filter(|mention| mention.counts).collect();
    let rows: Vec<Vec<u32>> =
        counting.par_iter().map(|mention| distinct(&mention.keys)).collect::<Result<_>>()?;
    for (mention, rows) in counting.into_iter().zip(rows) {
        let pick = UInt32Array::from(rows.clone());
        keys.push(mention.keys.iter().map(|key| take(key, &pick, None)).collect::<Result<_, _>>()?);
        position.extend(rows.iter().map(|&row| mention.position[row as usize]));
        ordinal.extend(rows.iter().map(|&row| mention.ordinal[row as usize]));
    }
    let width = mentions.first().map_or(0, |mention| mention.keys.len());
    if position.is_empty() {
        let keys = mentions.first().map(|m| m.keys.iter().map(|key| key.slice(0, 0)).collect());
        let keys = keys.unwrap_or_default();
        return Ok(Members { keys, first_position: Vec::new(), first_place: Vec::new() });
    }
    let order = UInt32Array::from(sort_order(&[position.clone(), ordinal.clone()])?);
    let mut sorted = Vec::with_capacity(width);
    for column in 0..width {
        let parts: Vec<&dyn arrow::array::Array> = keys.iter().map(|part| part[column].as_ref()).collect();
        sorted.push(take(&concat(&parts)?, &order, None)?);
    }
    let first = UInt32Array::from(distinct(&sorted)?);
    let of_first = |column: &[i64]| {
        first.values().iter().map(|&row| column[order.value(row as usize) as usize]).collect::<Vec<i64>>()
    };
    Ok(Members {
        keys: sorted.iter().map(|key| take(key, &first, None)).collect::<Result<_, _>>()?,
        first_position: of_first(&position),
        first_place: of_first(&ordinal),
    })
}
