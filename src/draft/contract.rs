//! What was seen → the contracts: fields with types, and why.

use super::envelope::grouped;
use super::observe::{Observed, Seen};
use super::shape::Kind;
use super::table::{Column, Table};
use super::words::{is_code, words};
use std::collections::BTreeMap;

/// The contract of one event type.
#[derive(Debug)]
pub struct Contract {
    pub name: String,
    pub events: u64,
    pub version: i64,
    pub fields: Vec<Field>,
    pub lists: Vec<ListContract>,
    /// What is not declared, and why.
    pub left_out: Vec<String>,
    /// Whether the type itself can be declared.
    pub is_possible: bool,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub words: Vec<String>,
    pub kind: Kind,
    pub optional: bool,
    /// The share of rows without it, in percent, rounded up.
    pub missing_percent: u64,
    pub why: String,
}

/// A list of objects.
#[derive(Debug)]
pub struct ListContract {
    pub name: String,
    pub items: u64,
    pub fields: Vec<Field>,
}

impl Contract {
    /// The fields of the payload, or of a list's items.
    pub fn fields(&self, list: Option<&str>) -> &[Field] {
        match list {
            None => &self.fields,
            Some(name) => self.lists.iter().find(|list| list.name == name).map_or(&[], |list| &list.fields),
        }
    }

    pub fn field(&self, list: Option<&str>, name: &str) -> Option<&Field> {
        self.fields(list).iter().find(|field| field.name == name)
    }

    /// Declares a field as always there, where it nearly always is: something is named by it.
    pub fn require(&mut self, list: Option<&str>, name: &str) {
        let fields = match list {
            None => Some(&mut self.fields),
            Some(list) => self.lists.iter_mut().find(|known| known.name == list).map(|list| &mut list.fields),
        };
        let field = fields.and_then(|fields| fields.iter_mut().find(|field| field.name == name));
        if let Some(field) = field.filter(|field| field.optional && field.missing_percent <= 1) {
            field.optional = false;
            field.why.push_str(": those events are rejects, since something is named by it");
        }
    }
}

/// All contracts, in the order in which the types were met.
pub fn contracts(observed: &Observed) -> Vec<Contract> {
    let kinds = kinds_by_name(observed);
    observed.types.iter().map(|seen| contract(seen, &kinds)).collect()
}

fn own_kind(column: &Column) -> (Kind, u64) {
    column.shape.kind(is_code(&words(&column.name)))
}

/// One type for all fields of a name, as far as there is one: what sets a column must be of the column's type.
fn kinds_by_name(observed: &Observed) -> BTreeMap<String, Vec<Kind>> {
    let mut kinds: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    let tables = observed
        .types
        .iter()
        .flat_map(|seen| std::iter::once(&seen.payload).chain(seen.lists.iter().map(|list| &list.items)));
    for column in tables.flat_map(|table| &table.columns) {
        let (kind, _) = own_kind(column);
        // Numbers in a text where others of the name are no numbers: texts.
        let is_text = column.shape.texts == column.shape.values();
        let known = kinds.entry(column.name.clone()).or_default();
        let joined = known.iter().enumerate().find_map(|(at, other)| match (kind, *other) {
            (Kind::Decimal { .. }, Kind::Text) if is_text => Some((at, Kind::Text)),
            (kind, other) => Some((at, kind.with(other)?)),
        });
        match joined {
            Some((at, kind)) => known[at] = kind,
            None => known.push(kind),
        }
    }
    kinds
}

fn contract(seen: &Seen, kinds: &BTreeMap<String, Vec<Kind>>) -> Contract {
    let mut left_out = Vec::new();
    let (version, of_version) = most_seen(seen);
    if seen.versions.len() > 1 {
        let all =
            seen.versions.iter().map(|(version, events)| format!("{version} ({} events)", grouped(*events)));
        let all: Vec<String> = all.collect();
        left_out.push(format!(
            "versions {}: this is the contract of {version}, with {} events; the others are rejects until an \
             upcast lifts them",
            all.join(", "),
            grouped(of_version)
        ));
    }
    let fields = fields(&seen.payload, kinds, "", &mut left_out);
    let mut lists = Vec::new();
    for list in &seen.lists {
        let column = seen.payload.column(&list.name);
        let absent = seen.events() - list.events;
        if !list.has_objects() {
            let what = match list.items.rows + list.scalars {
                0 => "always empty",
                _ => "a list of values that are no objects, and a contract knows lists of objects only",
            };
            left_out.push(format!("{}: {what}; it is kept in the log all the same", list.name));
            continue;
        }
        if column.is_some_and(|column| column.shape.lists != column.shape.values())
            || !is_declarable(&list.name)
        {
            left_out.push(format!("{}: not always a list; it is kept in the log all the same", list.name));
            continue;
        }
        if absent > 0 {
            left_out.push(format!(
                "{}: absent or null in {} of {}",
                list.name,
                grouped(absent),
                grouped(seen.events())
            ));
        }
        let items = fields_of_items(list, kinds, &mut left_out);
        if !items.is_empty() {
            lists.push(ListContract { name: list.name.clone(), items: list.items.rows, fields: items });
        }
    }
    Contract {
        name: seen.name.clone(),
        events: seen.events(),
        version,
        fields,
        lists,
        left_out,
        is_possible: !seen.name.starts_with('_')
            && !seen.name.trim().is_empty()
            && seen.name.len() <= 128
            && !seen.name.chars().any(char::is_control)
            && seen.name.to_lowercase() != "rejects",
    }
}

fn fields_of_items(
    list: &super::observe::List,
    kinds: &BTreeMap<String, Vec<Kind>>,
    left_out: &mut Vec<String>,
) -> Vec<Field> {
    fields(&list.items, kinds, &format!("{}.", list.name), left_out)
}

/// The version that most events have; of two, the later one.
fn most_seen(seen: &Seen) -> (i64, u64) {
    let most = seen.versions.iter().max_by_key(|(version, events)| (**events, **version));
    most.map_or((1, 0), |(version, events)| ((*version).max(1), *events))
}

/// What a contract can name: `log.<type>` tells by lists of paths what an event left out.
fn is_declarable(name: &str) -> bool {
    let is_odd = |sign: char| sign.is_control() || ",[]".contains(sign);
    !name.trim().is_empty() && !name.starts_with('_') && name.len() <= 128 && !name.contains(is_odd)
}

fn fields(
    table: &Table,
    kinds: &BTreeMap<String, Vec<Kind>>,
    prefix: &str,
    left_out: &mut Vec<String>,
) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for column in &table.columns {
        let name = &column.name;
        let place = format!("{prefix}{name}");
        let shape = &column.shape;
        if shape.lists > 0 && prefix.is_empty() {
            continue;
        }
        if shape.lists + shape.objects > 0 {
            let what = match shape.lists {
                0 => format!("an object ({})", column.inner.join(", ")),
                _ => "a list inside a list".to_owned(),
            };
            left_out.push(format!("{place}: {what}, and a contract knows fields and lists of objects only; it is kept in the log all the same"));
            continue;
        }
        if !is_declarable(name) {
            left_out.push(format!("{place}: a contract cannot name it; it is kept in the log all the same"));
            continue;
        }
        if fields.iter().any(|field| field.name.to_lowercase() == name.to_lowercase()) {
            left_out.push(format!("{place}: told from another field by letter case alone"));
            continue;
        }
        let (own, odd) = own_kind(column);
        if own == Kind::Mixed {
            left_out.push(format!(
                "{place}: no type takes its {} texts, {} numbers and {} truth values; it is kept in the log all the same",
                grouped(shape.texts),
                grouped(shape.numbers),
                grouped(shape.booleans)
            ));
            continue;
        }
        let shared = kinds.get(name).into_iter().flatten();
        let mut shared = shared.filter(|kind| {
            kind.with(own) == Some(**kind) || (**kind == Kind::Text && shape.texts == shape.values())
        });
        let kind = shared.next().copied().unwrap_or(own);
        let missing = table.missing(column);
        fields.push(Field {
            name: name.clone(),
            words: words(name),
            kind,
            optional: missing > 0 || own == Kind::Nothing,
            missing_percent: (missing * 100).div_ceil(table.rows.max(1)),
            why: why(table, column, kind, odd),
        });
    }
    if table.overflows {
        left_out.push(format!(
            "{prefix}*: more keys than a contract is good for; they are kept in the log all the same"
        ));
    }
    fields
}

/// What was seen, in figures.
fn why(table: &Table, column: &Column, kind: Kind, odd: u64) -> String {
    let shape = &column.shape;
    let rows = grouped(table.rows);
    let absent = table.missing(column) - column.nulls;
    let mut said = vec![match (column.nulls, absent) {
        (0, 0) => format!("in all {rows}"),
        (0, absent) => format!("absent in {} of {rows}", grouped(absent)),
        (nulls, 0) => format!("null in {} of {rows}", grouped(nulls)),
        (nulls, absent) => format!("null in {} and absent in {} of {rows}", grouped(nulls), grouped(absent)),
    }];
    match kind {
        Kind::Nothing => said.push("never a value".to_owned()),
        Kind::Decimal { .. } if shape.texts > 0 => {
            said.push(format!("numbers as text, up to {} digits behind the point", shape.scale));
        }
        Kind::Decimal { .. } if shape.integers < shape.numbers => {
            said.push(format!("numbers with up to {} digits behind the point", shape.scale));
        }
        Kind::Text if shape.zero_led > 0 => {
            said.push(format!("digits, {} with a leading zero: a name, no number", grouped(shape.zero_led)));
        }
        Kind::Text if shape.texts > 0 && shape.decimal_texts == shape.texts => {
            said.push("looks like a number, taken for a name".to_owned());
        }
        Kind::Timestamp if shape.local_instants > 0 => said.push("without an offset".to_owned()),
        _ => {}
    }
    let (values, distinct) = (column.kept_values(), column.distinct().len());
    if values > 1 && kind.is_name() && distinct == values {
        said.push("all different".to_owned());
    } else if values > 1 && distinct == 1 {
        said.push("always the same".to_owned());
    } else if values > 1 && kind == Kind::Text {
        said.push(format!("{} different", grouped(distinct as u64)));
    }
    if odd > 0 {
        said.push(format!("{} of another kind: rejects", grouped(odd)));
    }
    said.join("; ")
}
