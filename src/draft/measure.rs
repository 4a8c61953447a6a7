//! The numbers of lines → measures: which add up, which is the quantity, which the price, and what follows from them.

use super::dimension::free;
use super::entity::{Entity, Scene};
use super::envelope::grouped;
use super::fact::{Fact, references};
use super::shape::{Kind, decimal};
use super::sort::is_amount;
use super::story::{Source, Story};
use super::words::{has_any, is_code};
use std::collections::BTreeSet;

/// A number of a row.
#[derive(Debug, Clone)]
pub struct Measure {
    pub name: String,
    /// The field that states it; nothing where it is computed, or counts rows.
    pub field: Option<String>,
    pub written: String,
    pub is_additive: bool,
    pub formula: Option<String>,
    pub default: bool,
    /// States that a row is one event.
    pub counts: bool,
    pub why: String,
}

/// Of these, a sum says nothing.
const NON_ADDITIVE: [&str; 24] = [
    "price",
    "rate",
    "tariff",
    "percent",
    "percentage",
    "pct",
    "ratio",
    "factor",
    "score",
    "rating",
    "temperature",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "lng",
    "unit",
    "avg",
    "average",
    "min",
    "max",
    "balance",
    "level",
    "age",
];
const QUANTITIES: [&str; 9] =
    ["quantity", "qty", "units", "count", "pieces", "pcs", "copies", "nights", "seats"];
const PRICES: [&str; 3] = ["price", "tariff", "rate"];

pub fn measures(
    scene: &Scene<'_>,
    entities: &[Entity],
    story: &Story,
    fact: &mut Fact,
    columns: &mut BTreeSet<String>,
) {
    let Some(place) = story.places.first() else { return };
    let contract = &scene.contracts[place.event];
    let named = references(scene, entities, place);
    let is_measure = |field: &&super::contract::Field| {
        is_amount(field)
            && place.line.as_ref() != Some(&field.name)
            && !place.header.contains(&field.name)
            && !named.iter().any(|reference| reference.field == field.name)
    };
    for field in contract.fields(place.list.as_deref()).iter().filter(is_measure) {
        let name = free(columns, &field.name, &fact.name);
        if name != field.name {
            continue;
        }
        let is_additive = !has_any(&field.words, &NON_ADDITIVE);
        fact.measures.push(Measure {
            field: Some(name.clone()),
            written: field.kind.written(),
            is_additive,
            formula: None,
            default: story.sources().any(|source| lacks(scene, source, &name)),
            counts: false,
            why: match is_additive {
                true => field.why.clone(),
                false => format!("{}; by its name it does not add up", field.why),
            },
            name,
        });
    }
    let find = |measures: &[Measure], names: &[&str], additive: bool| {
        let is_it = |measure: &&Measure| {
            measure.is_additive == additive && has_any(&super::words::words(&measure.name), names)
        };
        measures.iter().find(is_it).map(|measure| measure.name.clone())
    };
    fact.quantity = find(&fact.measures, &QUANTITIES, true).filter(|_| story.is_headed());
    fact.price = find(&fact.measures, &PRICES, false).filter(|_| story.is_headed());
    let quantity = find(&fact.measures, &QUANTITIES, true);
    let price = find(&fact.measures, &PRICES, false);
    if let (Some(quantity), Some(price)) = (quantity, price) {
        amount(scene, place, fact, &quantity, &price, columns);
    }
    if fact.measures.is_empty() {
        let name = free(columns, "events", &fact.name);
        let why = "no number was found: each row counts as one".to_owned();
        fact.measures.push(Measure {
            name,
            field: None,
            written: "integer".to_owned(),
            is_additive: true,
            formula: None,
            default: false,
            counts: true,
            why,
        });
    }
    if place.list.is_some() {
        let is_header_number = |field: &&super::contract::Field| {
            field.kind.is_number() && !is_code(&field.words) && !place.header.contains(&field.name)
        };
        for field in contract.fields.iter().filter(is_header_number) {
            fact.notes.push(format!(
                "`{}` stands beside the list: as a measure it would count once for each line, so it is a column",
                field.name
            ));
        }
    }
}

/// Whether rows of a source may have no value for a measure.
fn lacks(scene: &Scene<'_>, source: &Source, measure: &str) -> bool {
    let stated = super::fact::find(scene, source, measure);
    source.needs_measures && stated.is_none_or(|field| field.optional)
}

/// Quantity times price, unless a measure is just that.
fn amount(
    scene: &Scene<'_>,
    place: &Source,
    fact: &mut Fact,
    quantity: &str,
    price: &str,
    columns: &mut BTreeSet<String>,
) {
    let numbers = |name: &str| {
        let column = scene.column(place.event, place.list.as_deref(), name);
        column.map_or(&[][..], |column| column.numbers.as_slice())
    };
    let (quantities, prices) = (numbers(quantity), numbers(price));
    let others: Vec<String> = fact
        .measures
        .iter()
        .filter(|it| it.is_additive && it.name != quantity)
        .map(|it| it.name.clone())
        .collect();
    // Of a measure and of what may be taken from the product: in how many rows they are equal.
    let equal = |total: &str, less: Option<&str>| {
        let less = less.map(numbers);
        let (mut agree, mut rows) = (0_u64, 0_u64);
        for (at, ((quantity, price), total)) in quantities.iter().zip(prices).zip(numbers(total)).enumerate()
        {
            let less = less.map_or(Some((0, 0)), |less| less.get(at).copied().flatten());
            let (Some(quantity), Some(price), Some(total), Some(less)) = (quantity, price, total, less)
            else {
                continue;
            };
            rows += 1;
            let multiplied = quantity.0.checked_mul(price.0).map(|unscaled| (unscaled, quantity.1 + price.1));
            agree += u64::from(
                multiplied.and_then(|whole| minus(whole, less)).is_some_and(|it| is_same(it, *total)),
            );
        }
        (agree, rows)
    };
    let mut is_stated = false;
    for total in &others {
        let plain = (equal(total, None), format!("{quantity} * {price}"));
        let less = others.iter().filter(|other| *other != total);
        let reduced = less.map(|less| (equal(total, Some(less)), format!("{quantity} * {price} - {less}")));
        let all = std::iter::once(plain).chain(reduced);
        let best = all
            .filter(|((agree, rows), _)| *rows > 0 && agree * 100 >= rows * 95)
            .reduce(|best, next| if next.0.0 > best.0.0 { next } else { best });
        if let (Some(((agree, rows), formula)), Some(measure)) =
            (best, fact.measures.iter_mut().find(|measure| measure.name == *total))
        {
            is_stated |= !formula.contains('-');
            measure.why.push_str(&format!("; it is {formula} in {} of {}", grouped(agree), grouped(rows)));
        }
    }
    if is_stated {
        return;
    }
    let field = |name: &str| super::fact::find(scene, place, name).map(|field| field.kind);
    let digits = |kind: Option<Kind>, name: &str| match kind {
        Some(Kind::Decimal { whole, scale }) => (whole, scale),
        _ => {
            let shape = scene.column(place.event, place.list.as_deref(), name).map(|column| &column.shape);
            (shape.map_or(6, |shape| shape.whole.max(4)), 0)
        }
    };
    let (quantity_digits, price_digits) = (digits(field(quantity), quantity), digits(field(price), price));
    let (whole, scale) = (quantity_digits.0 + price_digits.0, quantity_digits.1 + price_digits.1);
    let written = if scale == 0 { "integer".to_owned() } else { decimal(whole, scale) };
    let name = free(columns, "amount", "line");
    let mut why = format!("{quantity} times {price}");
    let rest: Vec<&str> = others.iter().map(String::as_str).collect();
    if !rest.is_empty() {
        why.push_str(&format!(
            "; beside it stand {}: `{name} - ...` may be what you report",
            rest.join(", ")
        ));
    }
    fact.measures.push(Measure {
        name,
        field: None,
        written,
        is_additive: true,
        formula: Some(format!("{} * {}", quoted(quantity), quoted(price))),
        default: false,
        counts: false,
        why,
    });
}

/// A name in a formula.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|sign| sign.is_alphanumeric() || sign == '_')
        && name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if is_plain { name.to_owned() } else { format!("`{name}`") }
}

fn minus(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let scale = left.1.max(right.1);
    let at = |number: (i128, u32)| number.0.checked_mul(10_i128.checked_pow(scale - number.1)?);
    Some((at(left)?.checked_sub(at(right)?)?, scale))
}

/// Whether two numbers are one, up to the digits that the second one has.
fn is_same(left: (i128, u32), right: (i128, u32)) -> bool {
    let Some((difference, scale)) = minus(left, right) else { return false };
    let unit = 10_i128.checked_pow(scale.saturating_sub(right.1)).unwrap_or(i128::MAX);
    difference.abs() * 2 <= unit && (difference == 0 || unit > 1)
}
