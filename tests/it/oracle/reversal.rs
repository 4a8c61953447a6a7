//! A cancellation or a return → what it takes from which lines (DESIGN 19, 20, 22).

use super::deed::{Deed, RoleSaid};
use super::measure::{complete, is_additive, share};
use super::replay::{Line, Member, Placing, Replay};
use super::value::Value;
use starlog::model::{OverReversing, ReversalTarget, Takes};

/// Whether the reversal found its lines; if not, it is held.
pub fn apply(
    replay: &mut Replay,
    deed: &Deed,
    target: &ReversalTarget,
    takes: Takes,
    over: OverReversing,
) -> bool {
    if !replay.names_header() {
        book_alone(replay, deed);
        return true;
    }
    let found = lines_named(replay, deed, target);
    if found.is_empty() {
        return false;
    }
    let taken = match (stated_quantity(replay, deed), target) {
        (Some(quantity), ReversalTarget::Members(_)) => spend(replay, &found, quantity),
        (Some(quantity), _) => found.iter().map(|line| (line.clone(), quantity)).collect(),
        (None, _) => {
            found.iter().map(|line| (line.clone(), whole(replay, &replay.lines[line], takes))).collect()
        }
    };
    let takes_what_is_left = stated_quantity(replay, deed).is_none() && takes == Takes::Left;
    if over == OverReversing::Reject && is_too_much(replay, &taken, takes_what_is_left) {
        return true; // it did not happen, and waits for nothing
    }
    let touched = book(replay, deed, &taken);
    replay.touch(&touched, deed);
    true
}

/// The lines that the reversal is about, in the order in which they are used up (20).
fn lines_named(replay: &Replay, deed: &Deed, target: &ReversalTarget) -> Vec<Value> {
    match target {
        ReversalTarget::Header => replay.lines.keys().cloned().collect(),
        ReversalTarget::Line => {
            deed.line.iter().filter(|line| replay.lines.contains_key(line)).cloned().collect()
        }
        ReversalTarget::Members(roles) => {
            let same_members = |line: &&Line| {
                roles.iter().all(|&role| match (&deed.roles[role], &line.placing.members[role]) {
                    (RoleSaid::Member(named), Member::Known(placed)) => named == placed,
                    _ => false,
                })
            };
            let price = replay.fact.price.and_then(|price| deed.stated[price].map(|stated| (price, stated)));
            let other_price = |line: &Line| {
                price.is_some_and(|(price, stated)| line.placing.measures[price] != Some(stated))
            };
            let mut lines: Vec<&Line> = replay.lines.values().filter(same_members).collect();
            lines.sort_by_key(|line| (other_price(line), line.line.clone()));
            lines.into_iter().map(|line| line.line.clone()).collect()
        }
    }
}

/// Whether more is taken of a line than is left of it, or what is left where nothing is (22).
fn is_too_much(replay: &Replay, taken: &[(Value, i128)], takes_what_is_left: bool) -> bool {
    let nothing_left = takes_what_is_left && taken.iter().all(|(_, quantity)| *quantity == 0);
    nothing_left || taken.iter().any(|(line, quantity)| *quantity > replay.lines[line].left.max(0))
}

fn stated_quantity(replay: &Replay, deed: &Deed) -> Option<i128> {
    replay.fact.quantity.and_then(|quantity| deed.stated[quantity])
}

/// What a reversal without a quantity takes of a line (19).
fn whole(replay: &Replay, line: &Line, takes: Takes) -> i128 {
    match takes {
        Takes::Placed => replay.quantity(&line.placing),
        Takes::Left => line.left.max(0),
    }
}

/// Spends what is left of each line; the rest goes to the last one tried (20).
fn spend(replay: &Replay, lines: &[Value], quantity: i128) -> Vec<(Value, i128)> {
    let mut rest = quantity;
    let mut taken: Vec<(Value, i128)> = Vec::new();
    for line in lines {
        let part = replay.lines[line].left.min(rest).max(0);
        rest -= part;
        taken.push((line.clone(), part));
        if rest == 0 {
            break;
        }
    }
    if let Some((_, part)) = taken.last_mut() {
        *part += rest;
    }
    // A line that had nothing to spend is not taken from. Of no quantity there is but one line, the first.
    taken.retain(|(_, part)| *part != 0 || quantity == 0);
    taken
}

/// One row for each line from which something is taken, with the keys of that line; returns these lines.
fn book(replay: &mut Replay, deed: &Deed, taken: &[(Value, i128)]) -> Vec<Value> {
    let total: i128 = taken.iter().map(|(_, quantity)| quantity).sum();
    let mut before = 0;
    let mut touched = Vec::new();
    for (place, (key, quantity)) in taken.iter().enumerate() {
        let line = &replay.lines[key];
        let fact = replay.fact;
        let placed = replay.quantity(&line.placing);
        let in_proportion = |index: usize| {
            let whole = line.placing.measures[index]?;
            if !is_additive(fact, index) {
                return Some(whole);
            }
            if placed == 0 {
                // No proportion of nothing: the first to reverse it takes it all.
                return Some(if line.was_reversed { 0 } else { -whole });
            }
            Some(-share(whole, line.reversed, line.reversed + quantity, placed))
        };
        let known = |index: usize| {
            if Some(index) == fact.quantity {
                return Some(-quantity);
            }
            match deed.stated[index] {
                Some(stated) if is_additive(fact, index) => Some(match total {
                    // An amount without a quantity is the last line's.
                    0 if place + 1 == taken.len() => -stated,
                    0 => 0,
                    _ => -share(stated, before, before + quantity, total),
                }),
                Some(stated) => Some(stated),
                // What the placing itself has said is taken back in proportion, even if there is a formula for others.
                None if line.placing.says[index] => in_proportion(index),
                None => None,
            }
        };
        let columns = deed.columns.iter().zip(&line.placing.columns);
        let reversed = Placing {
            kind: deed.binding.kind.clone(),
            columns: columns.map(|(own, placed)| own.clone().unwrap_or_else(|| placed.clone())).collect(),
            measures: complete(fact, known, in_proportion),
            ..line.placing.clone()
        };
        before += quantity;
        let adds =
            |index: usize| is_additive(fact, index) && reversed.measures[index].is_some_and(|v| v != 0);
        if *quantity == 0 && !(0..fact.measures.len()).any(adds) {
            continue; // it takes nothing
        }
        let row = replay.row(deed, Some(key.clone()), &reversed);
        replay.rows.push(row);
        touched.push(key.clone());
        if let Some(line) = replay.lines.get_mut(key) {
            line.left -= quantity;
            line.reversed += quantity;
            line.was_reversed = true;
        }
    }
    touched
}

/// A reversal that names no header: its own time, its own members, its own prices (20).
fn book_alone(replay: &mut Replay, deed: &Deed) {
    let fact = replay.fact;
    let members: Vec<Member> = deed
        .roles
        .iter()
        .map(|said| match said {
            RoleSaid::Member(member) => Member::Known(member.clone()),
            RoleSaid::Null | RoleSaid::Absent => Member::Unknown,
            RoleSaid::NotCarried => Member::NotApplicable,
        })
        .collect();
    let reversed = Placing {
        kind: deed.binding.kind.clone(),
        says: Vec::new(),
        role_keys: replay.keys(&members, deed.time),
        members,
        columns: deed.columns.iter().map(|own| own.clone().unwrap_or(Value::Null)).collect(),
        measures: complete(
            fact,
            |index| replay.signed(index, -1, deed.stated[index]),
            |index| replay.signed(index, -1, fact.measures[index].default.or(Some(0))),
        ),
    };
    let row = replay.row(deed, None, &reversed);
    replay.rows.push(row);
}
