//! (model, seed) → a random log, for any pipeline: few members, few headers and few instants, so that everything meets everything.
//!
//! Fields that make up one natural key are drawn together, and are absent or null together.

use super::pipeline::Draft;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value as Json, json};
use starlog::model::{DimensionAction, EventType, Expression, FactAction, Field, FieldRef, Model, ValueType};
use std::collections::BTreeMap;

/// SplitMix64: the same numbers from the same seed, everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A log of about `count` lines; some are duplicates, conflicts of ids, or no events at all.
pub fn random_log(model: &Model, seed: u64, count: usize) -> Vec<String> {
    let mut random = Random::new(seed);
    let instants = instants(&mut random, count);
    let mut deck = deck(model);
    let mut sizes = Sizes { members: 2 + random.below(4), headers: 2 + count / 12 };
    // Half of the logs speak of few things, so that more happens to each of them.
    if random.percent(50) {
        let theme = theme(model, &mut random);
        deck.retain(|event| theme.contains(event));
        sizes = Sizes { members: 1 + random.below(3), headers: 1 + random.below(2) };
    }
    let mut lines: Vec<String> = Vec::new();
    for index in 0..count {
        if !lines.is_empty() && random.percent(3) {
            lines.push(random.pick(&lines.clone()).clone());
            continue;
        }
        if random.percent(2) {
            lines.push((*random.pick(&["", "{", "no event", "{\"type\":\"Nothing\"}"])).to_owned());
            continue;
        }
        let contract = &model.events[*random.pick(&deck)];
        let id = if random.percent(2) { random.below(index + 1) } else { index };
        let order = random.percent(60).then(|| random.below(4) as i64);
        let time = time_of(&mut random, &instants, index, count);
        let payload = Payload { model, contract, sizes: &sizes }.draw(&mut random);
        let draft = Draft { id: format!("e{id}"), event_type: contract.name.clone(), time, order, payload };
        lines.push(draft.line(model));
    }
    lines
}

struct Sizes {
    members: usize,
    headers: usize,
}

/// A few instants around and after the clock changes of autumn 2024, some of them a microsecond apart.
fn instants(random: &mut Random, count: usize) -> Vec<i64> {
    let start = 1_729_375_200_000_000; // 2024-10-19T22:00:00Z
    // A third of the logs go over months that close.
    let days = if random.below(3) == 0 { 120 } else { 30 };
    let mut instants: Vec<i64> = Vec::new();
    for _ in 0..4 + count / 6 {
        let half_hours = random.below(days * 48) as i64;
        let instant = start + half_hours * 1_800_000_000;
        instants.push(instant);
        if random.percent(20) {
            instants.push(instant + 1);
        }
    }
    instants.sort_unstable();
    instants
}

/// Mostly rising, often a little late, sometimes from anywhere.
fn time_of(random: &mut Random, instants: &[i64], index: usize, count: usize) -> String {
    let now = index * instants.len() / count;
    let chosen = match random.below(10) {
        0 => random.below(instants.len()),
        1..=4 => now.saturating_sub(random.below(5)),
        _ => now,
    };
    let instant = DateTime::from_timestamp_micros(instants[chosen]).expect("a time of our own");
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Event types, each as often as it should come.
fn deck(model: &Model) -> Vec<usize> {
    let mut deck = Vec::new();
    for (index, _) in model.events.iter().enumerate() {
        let entities = model.dimensions.iter().flat_map(|dimension| &dimension.entities);
        let closes = entities.flat_map(|entity| &entity.events).filter(|binding| binding.event == index);
        let closes = closes.filter(|binding| matches!(binding.action, DimensionAction::Close)).count() > 0;
        let mut deeds =
            model.facts.iter().flat_map(|fact| &fact.events).filter(|binding| binding.event == index);
        let places = deeds.any(|deed| matches!(deed.action, FactAction::Place { .. } | FactAction::Header));
        let weight = if places {
            6
        } else if closes {
            1
        } else {
            2
        };
        deck.extend(vec![index; weight]);
    }
    deck
}

/// The event types of one entity; or of one fact those that place and a few others.
fn theme(model: &Model, random: &mut Random) -> Vec<usize> {
    let entities: Vec<_> = model.dimensions.iter().flat_map(|dimension| &dimension.entities).collect();
    if random.percent(40) {
        return random.pick(&entities).events.iter().map(|binding| binding.event).collect();
    }
    let bindings = &random.pick(&model.facts).events;
    let places = |action: &FactAction| matches!(action, FactAction::Place { .. } | FactAction::Header);
    let mut theme: Vec<usize> =
        bindings.iter().filter(|binding| places(&binding.action)).map(|binding| binding.event).collect();
    for _ in 0..1 + random.below(3) {
        theme.push(random.pick(bindings).event);
    }
    theme
}

/// What a group of fields stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Domain {
    Member,
    Header,
    Line,
    Amount,
}

struct Payload<'a> {
    model: &'a Model,
    contract: &'a EventType,
    sizes: &'a Sizes,
}

impl Payload<'_> {
    fn draw(&self, random: &mut Random) -> Map<String, Json> {
        let groups = self.groups();
        let mut payload = self.draw_object(random, &groups, None, &self.contract.fields);
        for (index, list) in self.contract.lists.iter().enumerate() {
            let count = if random.percent(5) { 0 } else { 1 + random.below(4) };
            let items = (0..count)
                .map(|_| Json::Object(self.draw_object(random, &groups, Some(index), &list.fields)));
            payload.insert(list.name.clone(), items.collect());
        }
        payload
    }

    fn draw_object(
        &self,
        random: &mut Random,
        groups: &[(Vec<FieldRef>, Domain)],
        list: Option<usize>,
        fields: &[Field],
    ) -> Map<String, Json> {
        let mut drawn: BTreeMap<usize, Option<Json>> = BTreeMap::new();
        for (group, domain) in groups.iter().filter(|(group, _)| group[0].list == list) {
            let optional = group.iter().all(|field| self.contract.field(*field).optional);
            let presence = presence(random, optional);
            let choice = match domain {
                Domain::Member => random.below(self.sizes.members),
                Domain::Header => random.below(self.sizes.headers),
                Domain::Line => random.below(3),
                Domain::Amount => random.below(8),
            };
            for (column, field) in group.iter().enumerate() {
                let value_type = self.contract.field(*field).value_type;
                let value = match domain {
                    Domain::Member => member_column(choice, column, group.len(), value_type),
                    Domain::Header | Domain::Line => key_value(choice, value_type),
                    Domain::Amount => amount(choice, value_type),
                };
                drawn.entry(field.field).or_insert_with(|| presence.clone().value(value));
            }
        }
        let mut object = Map::new();
        for (index, field) in fields.iter().enumerate() {
            let value = drawn.remove(&index).unwrap_or_else(|| {
                let presence = presence(random, field.optional);
                presence.value(plain_value(random.below(3), field.value_type))
            });
            object.extend(value.map(|value| (field.name.clone(), value)));
        }
        object
    }

    /// The fields of this event type that belong together, and what they stand for.
    fn groups(&self) -> Vec<(Vec<FieldRef>, Domain)> {
        let mine = |event: usize| std::ptr::eq(&raw const self.model.events[event], self.contract);
        let mut groups = Vec::new();
        for entity in self.model.dimensions.iter().flat_map(|dimension| &dimension.entities) {
            for binding in entity.events.iter().filter(|binding| mine(binding.event)) {
                groups.push((binding.key.clone(), Domain::Member));
                if let DimensionAction::Set { parent: Some(parent), .. } = &binding.action {
                    groups.push((parent.clone(), Domain::Member));
                }
            }
        }
        for binding in
            self.model.facts.iter().flat_map(|fact| &fact.events).filter(|binding| mine(binding.event))
        {
            groups.extend(binding.roles.iter().flatten().map(|role| (role.clone(), Domain::Member)));
            groups.push((binding.header.clone(), Domain::Header));
            groups.extend(binding.line.map(|line| (vec![line], Domain::Line)));
            for expression in binding.measures.iter().flatten() {
                groups.extend(fields_of(expression).into_iter().map(|field| (vec![field], Domain::Amount)));
            }
        }
        groups.retain(|(group, _)| !group.is_empty());
        groups
    }
}

#[derive(Clone, PartialEq)]
enum Presence {
    Absent,
    Null,
    Present,
}

impl Presence {
    fn value(self, value: Json) -> Option<Json> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Json::Null),
            Self::Present => Some(value),
        }
    }
}

fn presence(random: &mut Random, optional: bool) -> Presence {
    match random.below(10) {
        0 | 1 if optional => Presence::Absent,
        2 if optional => Presence::Null,
        _ => Presence::Present,
    }
}

fn fields_of(expression: &Expression) -> Vec<FieldRef> {
    match expression {
        Expression::Field(field) => vec![*field],
        Expression::Number { .. } | Expression::Measure(_) => Vec::new(),
        Expression::Negate(inner) => fields_of(inner),
        Expression::Binary { left, right, .. } => [fields_of(left), fields_of(right)].concat(),
    }
}

/// One column of a member's key. Members with keys of several columns share some of them.
fn member_column(member: usize, column: usize, columns: usize, value_type: ValueType) -> Json {
    let part = if columns == 1 {
        member
    } else if column == 0 {
        member / 2
    } else {
        member % 2
    };
    key_value(part, value_type)
}

fn key_value(number: usize, value_type: ValueType) -> Json {
    match value_type {
        ValueType::Text => json!(format!("k{number}")),
        _ => plain_value(number, value_type),
    }
}

/// Quantities mostly from 1, now and then none or less; prices and amounts from nothing to what does not divide.
fn amount(choice: usize, value_type: ValueType) -> Json {
    match value_type {
        ValueType::Decimal { scale, .. } => {
            let digits = ["0", "1", "25", "333", "70007", "1", "25", "333"][choice];
            let unscaled: u64 =
                format!("{digits}{}", if choice % 4 == 1 { "00" } else { "" }).parse().expect("digits");
            let unit = 10_u64.pow(scale.into());
            json!(format!("{}.{:0width$}", unscaled / unit, unscaled % unit, width = usize::from(scale)))
        }
        _ => json!([1, 2, 3, 4, 5, 2, 0, -1][choice]),
    }
}

fn plain_value(choice: usize, value_type: ValueType) -> Json {
    match value_type {
        ValueType::Text => json!(["a", "b", "ø"][choice % 3]),
        ValueType::Integer => json!(choice + 1),
        ValueType::Decimal { scale, .. } => {
            json!(format!("{choice}.{:0>width$}", 5, width = usize::from(scale)))
        }
        ValueType::Boolean => json!(choice.is_multiple_of(2)),
        ValueType::Date => json!(["1969-12-31", "2000-02-29", "2024-10-27"][choice % 3]),
        ValueType::Timestamp => {
            json!(
                ["1969-12-31T23:59:59.999999Z", "2024-01-01T00:00:00Z", "2024-01-01T02:00:00+01:00"]
                    [choice % 3]
            )
        }
    }
}
