//! What was guessed → the parts of a pipeline file, each guess with its reason.

use super::contract::{Contract, Field};
use super::dimension::{Dimension, Level};
use super::entity::Scene;
use super::envelope::grouped;
use super::fact::Fact;
use super::fact_event::On;
use super::toml::{comment, fields, key, list, table, text, with_reason};
use std::collections::BTreeSet;

/// `[log]`, `[calendar]` and `[events]`.
pub fn head(scene: &Scene<'_>, name: &str, files: &[String]) -> String {
    let observed = scene.observed;
    let envelope = &observed.envelope;
    let mut page = String::new();
    let bound = if observed.extent.is_all { "all" } else { "the first" };
    page.push_str(&comment(&format!(
        "A draft by `starlog init`, from {bound} {} lines: {} events of {} types, {} duplicates, {} lines that are no \
         events, {} blank.",
        grouped(observed.extent.lines),
        grouped(observed.events),
        scene.contracts.len(),
        grouped(observed.duplicates),
        grouped(observed.broken),
        grouped(observed.blank)
    )));
    let day = |days: i64| chrono::DateTime::from_timestamp(days * 86_400, 0).map(|day| day.date_naive());
    if let Some((Some(first), Some(last))) = observed.days.map(|(first, last)| (day(first), day(last))) {
        page.push_str(&format!("# They happened from {first} to {last} (UTC).\n"));
    }
    page.push_str("# It runs as it stands. Every guess has a comment that says why: read them, and mend what is wrong.\n\n");
    page.push_str(&format!("name = {}\n\n[log]\nfiles = {}\n", text(name), list(files)));
    envelope.why.iter().for_each(|why| page.push_str(&comment(why)));
    let part =
        |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} = {}", text(value)));
    let parts = [
        Some(format!("type = {}", text(&envelope.event_type))),
        part("version", &envelope.version),
        Some(format!("time = {}", text(&envelope.time))),
        part("payload", &envelope.payload),
        part("id", &envelope.id),
        part("order", &envelope.order),
        envelope.is_local.then(|| "zone = \"UTC\"".to_owned()),
        envelope.unit.map(|unit| format!("unit = {}", text(unit.word()))),
    ];
    if envelope.is_local {
        page.push_str("# Some times name no offset. They are taken for UTC: name the zone of the clock that they were read from.\n");
    }
    if envelope.id.is_none() {
        page.push_str(
            "# No field is an id: a line that comes twice counts twice, unless a whole file comes twice.\n",
        );
    }
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    page.push_str(&format!("envelope = {{ {} }}\n", parts.join(", ")));
    if !envelope.beside.is_empty() {
        let beside: Vec<String> = envelope.beside.iter().map(|name| format!("`{name}`")).collect();
        page.push_str(&comment(&format!(
            "Beside the payload, kept in the log and not used: {}.",
            beside.join(", ")
        )));
    }
    let impossible: Vec<&String> = scene
        .contracts
        .iter()
        .filter(|contract| !contract.is_possible)
        .map(|contract| &contract.name)
        .collect();
    if !impossible.is_empty() {
        page.push_str("# No table can be named so.\n");
        page.push_str(&format!("ignore = {}\n", list(impossible)));
    }
    page.push_str("\n[calendar]\n");
    page.push_str(&with_reason(
        "time_zone = \"UTC\"",
        "which day an event belongs to: name the zone of your books",
    ));
    page.push_str("\n# === Events: what was seen of each type. `?`: may be absent or null.\n");
    scene
        .contracts
        .iter()
        .filter(|contract| contract.is_possible)
        .for_each(|it| page.push_str(&contract(it)));
    page
}

fn contract(contract: &Contract) -> String {
    let mut page = String::from("\n");
    let head = format!("[events.{}]", key(&contract.name));
    page.push_str(&with_reason(&head, &format!("{} events", grouped(contract.events))));
    if contract.version != 1 {
        page.push_str(&format!("version = {}\n", contract.version));
    }
    let declared = |prefix: &str, field: &Field| {
        let optional = if field.optional { "?" } else { "" };
        let statement = format!("{prefix}.{} = \"{}{optional}\"", key(&field.name), field.kind.written());
        with_reason(&statement, &field.why)
    };
    contract.fields.iter().for_each(|field| page.push_str(&declared("fields", field)));
    for list in &contract.lists {
        page.push_str(&comment(&format!("{} items in `{}`", grouped(list.items), list.name)));
        let prefix = format!("lists.{}", key(&list.name));
        list.fields.iter().for_each(|field| page.push_str(&declared(&prefix, field)));
    }
    contract.left_out.iter().for_each(|why| page.push_str(&comment(why)));
    page
}

/// A dimension, with or without its levels of plain columns.
pub fn dimension(scene: &Scene<'_>, dimension: &Dimension, with_plain: bool) -> String {
    let mut page = String::new();
    for (place, level) in dimension.levels.iter().enumerate() {
        let base = dimension.levels.first().map_or("", |base| &base.name);
        let name = match place {
            0 => format!("dimensions.{}", key(base)),
            _ => format!("dimensions.{}.levels.{}", key(base), key(&level.name)),
        };
        page.push_str(&format!("\n[{name}]\n"));
        page.push_str(&one_level(scene, level));
    }
    let columns = dimension.plain.iter().filter(|_| with_plain);
    let base = dimension.levels.first().map_or("", |base| &base.name);
    for (name, column, why) in columns {
        // Behind the tables of levels that are entities, a level needs a table of its own.
        let head = format!("\n[dimensions.{}.levels.{}]\n", key(base), key(name));
        page.push_str(&head);
        page.push_str(&with_reason(&format!("columns = {}", list([column])), why));
    }
    page
}

fn one_level(scene: &Scene<'_>, level: &Level) -> String {
    let mut page = comment(&level.why);
    let columns = level.key.iter().map(|(column, kind)| (column, text(&kind.written())));
    page.push_str(&format!("key = {}\n", table(columns)));
    for attribute in &level.attributes {
        let kind = text(&attribute.kind.written());
        let name = key(&attribute.name);
        let statement =
            format!("attributes.{name} = {{ type = {kind}, tracking = \"{}\" }}", attribute.tracking);
        page.push_str(&with_reason(&statement, &attribute.why));
    }
    for on in &level.on {
        let mut parts = Vec::new();
        if on.closes {
            parts.push("does = \"close\"".to_owned());
        }
        parts.extend(on.key.as_ref().map(|names| format!("key = {}", fields(names))));
        if let Some(only) = &on.only {
            parts.push(format!("sets = {}", list(only)));
        } else if !on.sets.is_empty() {
            let sets = on.sets.iter().map(|(attribute, field)| (attribute, text(field)));
            parts.push(format!("sets = {}", table(sets)));
        }
        parts.extend(on.parent.as_ref().map(|names| format!("parent = {}", fields(names))));
        let value = if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) };
        let name = key(&scene.contracts[on.event].name);
        page.push_str(&with_reason(&format!("on.{name} = {value}"), &on.why));
    }
    page
}

/// A fact with these of its events; the others are named in comments.
pub fn fact(
    scene: &Scene<'_>,
    fact: &Fact,
    dimensions: &[Dimension],
    kept: &BTreeSet<usize>,
    on: &BTreeSet<usize>,
) -> String {
    let mut page = format!("\n[facts.{}]\n", key(&fact.name));
    fact.notes.iter().for_each(|note| page.push_str(&comment(note)));
    let is_bound = |place: usize| on.contains(&place);
    let typed =
        |(column, kind): &(String, super::shape::Kind)| format!("{} = \"{}\"", key(column), kind.written());
    if !fact.header.is_empty() {
        let header: Vec<String> = fact.header.iter().map(typed).collect();
        page.push_str(&format!("header = {{ {} }}\n", header.join(", ")));
        fact.line.iter().for_each(|line| page.push_str(&format!("line = {{ {} }}\n", typed(line))));
        fact.lines.iter().for_each(|lines| page.push_str(&format!("lines = {}\n", text(lines))));
    }
    let roles: Vec<_> = fact.roles.iter().filter(|role| kept.contains(&role.dimension)).collect();
    for role in &roles {
        page.push_str(&comment(&format!("{}: {}", role.name, role.why)));
    }
    let name_of = |role: &&super::fact::Role| {
        dimensions[role.dimension].levels.first().map_or(String::new(), |level| level.name.clone())
    };
    if roles.iter().all(|role| role.name == name_of(role)) && !roles.is_empty() {
        page.push_str(&format!("dimensions = {}\n", list(roles.iter().map(|role| &role.name))));
    } else if !roles.is_empty() {
        let pairs = roles.iter().map(|role| (&role.name, text(&name_of(role))));
        page.push_str(&format!("dimensions = {}\n", table(pairs)));
    }
    for name in fact.columns.iter().filter(|column| is_carried(scene, fact, on, &column.field, column.kind)) {
        let statement = format!("columns.{} = \"{}\"", key(&name.name), name.kind.written());
        page.push_str(&with_reason(&statement, &name.why));
    }
    let quantity = fact.quantity.as_ref();
    quantity.iter().for_each(|name| {
        page.push_str(&with_reason(
            &format!("quantity = {}", text(name)),
            "by its name: what reversals use up",
        ))
    });
    fact.price
        .iter()
        .for_each(|name| page.push_str(&with_reason(&format!("price = {}", text(name)), "by its name")));
    let bound = fact.on.iter().enumerate().filter(|(place, _)| is_bound(*place)).map(|(_, on)| on);
    let mut milestones: Vec<&String> = Vec::new();
    for kind in bound.clone().filter(|on| on.does != "amend").filter_map(|on| on.kind.as_ref()) {
        if !milestones.contains(&kind) {
            milestones.push(kind);
        }
    }
    if fact.lines.is_some() && !fact.header.is_empty() && !milestones.is_empty() {
        page.push_str(&format!("milestones = {}\n", list(milestones)));
    }
    page.push_str(&format!("\n[facts.{}.measures]\n", key(&fact.name)));
    for measure in &fact.measures {
        let mut parts = vec![format!("type = \"{}\"", measure.written)];
        parts.extend((!measure.is_additive).then(|| "additive = false".to_owned()));
        parts.extend(measure.formula.as_ref().map(|formula| format!("formula = {}", text(formula))));
        parts.extend(measure.default.then(|| "default = \"0\"".to_owned()));
        let statement = format!("{} = {{ {} }}", key(&measure.name), parts.join(", "));
        page.push_str(&with_reason(&statement, &measure.why));
    }
    for on in bound {
        page.push_str(&event(scene, fact, on, dimensions, kept));
    }
    for (_, on) in fact.on.iter().enumerate().filter(|(place, _)| !is_bound(*place)) {
        let why =
            on.left_out.clone().unwrap_or_else(|| format!("as a `{}` it does not fit this fact", on.does));
        page.push('\n');
        page.push_str(&comment(&format!("{} is not bound: {why}.", scene.contracts[on.event].name)));
    }
    page
}

fn event(
    scene: &Scene<'_>,
    fact: &Fact,
    on: &On,
    dimensions: &[Dimension],
    kept: &BTreeSet<usize>,
) -> String {
    let name = key(&scene.contracts[on.event].name);
    let mut page = String::from("\n");
    page.push_str(&with_reason(&format!("[facts.{}.on.{name}]", key(&fact.name)), &on.why));
    page.push_str(&format!("does = \"{}\"\n", on.does));
    on.kind.iter().for_each(|kind| page.push_str(&format!("kind = {}\n", text(kind))));
    on.each.iter().for_each(|list| page.push_str(&format!("each = {}\n", text(list))));
    on.header.iter().for_each(|header| page.push_str(&format!("header = {}\n", fields(header))));
    on.line.iter().for_each(|line| page.push_str(&format!("line = {}\n", text(line))));
    let is_kept =
        |role: &str| fact.roles.iter().any(|known| known.name == role && kept.contains(&known.dimension));
    let roles: Vec<_> = on.dimensions.iter().filter(|(role, _)| is_kept(role)).collect();
    if !roles.is_empty() && dimensions.len() >= kept.len() {
        let roles = roles.into_iter().map(|(role, names)| (role, fields(names)));
        page.push_str(&format!("dimensions = {}\n", table(roles)));
    }
    for (what, pairs) in [("columns", &on.columns), ("measures", &on.measures)] {
        if !pairs.is_empty() {
            let pairs = pairs.iter().map(|(name, field)| (name, text(field)));
            page.push_str(&format!("{what} = {}\n", table(pairs)));
        }
    }
    on.matches.iter().for_each(|role| page.push_str(&format!("matches = {}\n", list([role]))));
    if on.does == "reverse" && on.each.is_none() {
        page.push_str(&with_reason(
            "takes = \"left\"",
            "what is left of a line; \"placed\": the line as placed, whatever came back before",
        ));
    }
    page
}

/// Whether one of these events carries a column.
fn is_carried(
    scene: &Scene<'_>,
    fact: &Fact,
    on: &BTreeSet<usize>,
    field: &str,
    kind: super::shape::Kind,
) -> bool {
    let carries = |on: &On| {
        let contract = &scene.contracts[on.event];
        let of_item = on.each.as_deref().and_then(|list| contract.field(Some(list), field));
        let found = of_item.or_else(|| contract.field(None, field));
        on.does != "milestone" && found.is_some_and(|found| found.kind == kind)
    };
    fact.on.iter().enumerate().any(|(place, it)| on.contains(&place) && carries(it))
}
