//! The attributes of an entity → levels of plain columns: which of them group the others?
//!
//! One stands above another if each value of the lower one is nearly always seen with the same value of the upper one.
//! Names of places need less evidence than others.

use super::dimension::Level;
use super::entity::{Entity, Scene};
use super::envelope::grouped;
use super::shape::Kind;
use super::table::{Column, decides};
use super::words::{has_any, is_code, words};

/// From small to large, as far as one knows: which of them is above the other is seen from the values.
const PLACES: [&str; 12] = [
    "city",
    "town",
    "village",
    "municipality",
    "county",
    "district",
    "province",
    "state",
    "territory",
    "region",
    "country",
    "continent",
];

struct Candidate<'a> {
    name: String,
    column: &'a Column,
    distinct: usize,
    is_place: bool,
}

/// Columns from the bottom up, each with the reason.
pub fn plain_levels(scene: &Scene<'_>, entity: &Entity, level: &Level, room: usize) -> Vec<(String, String)> {
    let mut best: Vec<(String, String)> = Vec::new();
    let known = |home: usize| scene.contracts.get(home).map_or(0, |contract| contract.fields.len());
    // The event that says most.
    let Some(home) = entity.homes.iter().rev().max_by_key(|home| known(home.event)) else { return best };
    let members = scene.column(home.event, None, &home.field).map_or(0, |column| column.distinct().len());
    let sets = level.on.iter().find(|on| on.event == home.event).map_or(&[][..], |on| &on.sets);
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for attribute in level.attributes.iter().filter(|it| it.kind == Kind::Text && it.tracking == "history") {
        let field =
            sets.iter().find(|(name, _)| *name == attribute.name).map_or(&attribute.name, |(_, field)| field);
        let Some(column) = scene.column(home.event, None, field) else { continue };
        let distinct = column.distinct().len();
        let is_place = has_any(&words(field), &PLACES);
        let groups = !is_code(&words(field)) && distinct >= 2 && distinct * 2 <= members && members >= 20;
        if is_place && distinct > 0 || groups {
            candidates.push(Candidate { name: attribute.name.clone(), column, distinct, is_place });
        }
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.distinct));
    for first in 0..candidates.len() {
        let mut chain = vec![first];
        for next in first + 1..candidates.len() {
            let below = chain.last().map_or(first, |last| *last);
            if stands_above(&candidates[below], &candidates[next]).is_some() {
                chain.push(next);
            }
        }
        chain.truncate(room);
        let is_enough = chain.len() > 1 || candidates[first].is_place;
        if is_enough && chain.len() > best.len() {
            best = reasons(&candidates, &chain);
        }
    }
    best
}

fn reasons(candidates: &[Candidate<'_>], chain: &[usize]) -> Vec<(String, String)> {
    let reason = |(place, at): (usize, &usize)| {
        let candidate = &candidates[*at];
        let above = chain.get(place + 1).and_then(|above| {
            let above = &candidates[*above];
            let (agree, rows) = stands_above(candidate, above)?;
            Some(format!(
                "; it decides `{}` in {} of {}",
                above.name,
                grouped(agree as u64),
                grouped(rows as u64)
            ))
        });
        let why = format!("{} different{}", grouped(candidate.distinct as u64), above.unwrap_or_default());
        (candidate.name.clone(), why)
    };
    chain.iter().enumerate().map(reason).collect()
}

/// In how many rows the lower one decides the upper one, and how many there are; nothing if that is too few.
fn stands_above(lower: &Candidate<'_>, upper: &Candidate<'_>) -> Option<(usize, usize)> {
    let (agree, rows) = decides(&lower.column.cells, &upper.column.cells);
    let are_places = lower.is_place && upper.is_place;
    let is_smaller = lower.distinct > upper.distinct || are_places && lower.distinct == upper.distinct;
    let is_seen = are_places || (lower.distinct >= 2 * upper.distinct && rows >= 2 * lower.distinct);
    (rows > 0 && is_smaller && is_seen && agree * 100 >= rows * if are_places { 90 } else { 98 })
        .then_some((agree, rows))
}
