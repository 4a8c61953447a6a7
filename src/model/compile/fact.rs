//! `[facts]` → facts: columns, roles, measures, and the events that make their rows.

use super::contracts::Contracts;
use super::dimension::Known;
use super::fact_columns;
use super::fact_event;
use super::measure::{self, KnownMeasure};
use super::names::{self, Names};
use super::types::{Column, or_any};
use crate::model::{CarriedColumn, Fact, FactAction, FactEvent, Role};
use crate::spec::{At, FactDoes, FactEventSpec, FactSpec, Named, Problems, RolesSpec, Spec};

/// The cause of everything that a fact without a header cannot do.
pub(super) const NO_HEADER: &str = "no header";

/// What the events of a fact are compiled against.
pub(super) struct Scene<'a> {
    /// The pipeline's text, for places inside expressions.
    pub text: &'a str,
    pub contracts: &'a Contracts,
    pub name: &'a At<String>,
    pub header: Vec<Column>,
    pub line: Option<Column>,
    pub roles: Vec<KnownRole<'a>>,
    pub columns: Vec<Column>,
    pub measures: Vec<KnownMeasure>,
    pub quantity: Option<usize>,
    pub milestones: &'a [At<String>],
    pub has_header_event: bool,
}

/// A role, and its dimension if there is one of the name.
pub(super) struct KnownRole<'a> {
    pub name: At<String>,
    pub dimension: Option<(usize, &'a Known)>,
}

pub(super) fn compile(
    spec: &Spec,
    text: &str,
    contracts: &Contracts,
    dimensions: &[Known],
    problems: &mut Problems,
) -> Vec<Fact> {
    let mut tables = Names::default();
    for (name, fact) in spec.facts.iter() {
        names::check_table("the fact", name, problems);
        tables.claim("the fact", name, problems);
        if let Some(lines) = &fact.lines {
            names::check_table("the fact", lines, problems);
            tables.claim("the fact", lines, problems);
        }
    }
    spec.facts.iter().map(|(name, fact)| one(name, fact, text, contracts, dimensions, problems)).collect()
}

fn one(
    name: &At<String>,
    spec: &FactSpec,
    text: &str,
    contracts: &Contracts,
    dimensions: &[Known],
    problems: &mut Problems,
) -> Fact {
    let measures = measure::compile(&spec.measures, text, problems);
    let quantity = measure::quantity(spec, &measures, problems);
    let price = measure::price(spec, &measures, problems);
    let does = |wanted: FactDoes| move |does: &At<FactDoes>| does.value == wanted;
    let has =
        |wanted: FactDoes| spec.on.iter().any(|(_, event)| event.does.as_ref().is_some_and(does(wanted)));
    let scene = Scene {
        text,
        contracts,
        name,
        header: header(name, spec, problems),
        line: line(spec, problems),
        roles: roles(spec, dimensions, problems),
        columns: Column::read_all(&spec.columns, problems),
        measures,
        quantity,
        milestones: spec.milestones.as_deref().unwrap_or_default(),
        has_header_event: has(FactDoes::Header),
    };
    fact_columns::check(spec, &scene, problems);
    check_kinds(spec, problems);

    let mut events = Vec::new();
    let mut in_doubt = problems.doubts(name.span);
    for (event_name, event) in spec.on.iter() {
        let event_in_doubt = problems.doubts(event_name.span) || contracts.doubts(&event_name.value);
        let compile = |problems: &mut Problems| fact_event::compile(&scene, event_name, event, problems);
        let compiled = problems.within_doubt(event_in_doubt, compile);
        in_doubt |= event_in_doubt || compiled.is_none();
        events.extend(compiled);
    }
    problems.within_doubt(in_doubt, |problems| check_reached(spec, &scene, &events, problems));
    Fact {
        name: name.value.clone(),
        lines_name: spec.lines.as_ref().map(|lines| lines.value.clone()),
        header: scene.header.iter().map(Column::key_column).collect(),
        line: scene.line.as_ref().map(Column::key_column),
        roles: scene
            .roles
            .iter()
            .map(|role| Role {
                name: role.name.value.clone(),
                dimension: role.dimension.map_or(0, |(index, _)| index),
            })
            .collect(),
        columns: scene
            .columns
            .iter()
            .map(|column| CarriedColumn {
                name: column.name.value.clone(),
                value_type: or_any(column.value_type),
            })
            .collect(),
        measures: scene.measures.into_iter().map(|measure| measure.compiled).collect(),
        quantity,
        price,
        milestones: scene.milestones.iter().map(|milestone| milestone.value.clone()).collect(),
        events,
    }
}

fn header(name: &At<String>, spec: &FactSpec, problems: &mut Problems) -> Vec<Column> {
    let columns = spec.header.as_ref().map(|header| Column::read_all(header, problems)).unwrap_or_default();
    if !columns.is_empty() {
        return columns;
    }
    if let Some(lines) = spec.lines.as_ref().filter(|_| problems.first_of(name.span, NO_HEADER)) {
        let message = format!(
            "the fact `{}` has no header, so `{}` could not tell its lines apart",
            name.value, lines.value
        );
        problems.absent(lines.span, message, "declare `header = { id = \"text\" }`, or leave out `lines`");
    }
    let line = spec.line.as_ref().and_then(|line| line.iter().next());
    if let Some((line, _)) = line.filter(|_| problems.first_of(name.span, NO_HEADER)) {
        problems.absent(
            line.span,
            "a line without a header",
            "declare `header = { id = \"text\" }`, or leave out `line`",
        );
    }
    columns
}

fn line(spec: &FactSpec, problems: &mut Problems) -> Option<Column> {
    let written = spec.line.as_ref()?;
    let mut columns = Column::read_all(written, problems);
    if let Some(second) = columns.get(1) {
        problems.add(
            second.name.span,
            "a line is named by one column",
            "move the others to `header` or `columns`",
        );
    }
    columns.truncate(1);
    columns.pop()
}

fn roles<'a>(spec: &FactSpec, dimensions: &'a [Known], problems: &mut Problems) -> Vec<KnownRole<'a>> {
    let written = match &spec.dimensions {
        None => Named::default(),
        Some(RolesSpec::Dimensions(names)) => {
            Named(names.iter().map(|name| (name.clone(), name.clone())).collect())
        }
        Some(RolesSpec::Named(roles)) => roles.clone(),
    };
    let mut roles = Vec::new();
    for (name, dimension) in written.0 {
        names::check_table("the role", &name, problems);
        let known = || dimensions.iter().map(|known| known.compiled.name.as_str());
        let found = dimensions.iter().enumerate().find(|(_, known)| known.compiled.name == dimension.value);
        let level_of = dimensions.iter().find(|known| {
            let entities = known.compiled.entities.iter().map(|entity| &entity.name);
            entities
                .chain(known.compiled.plain_levels.iter().map(|level| &level.name))
                .any(|level| *level == dimension.value)
        });
        let message = format!("there is no dimension `{}`", dimension.value);
        match (found, level_of) {
            (None, Some(owner)) => {
                let hint = format!(
                    "it is a level of `{}`: name that, and its key leads to this level",
                    owner.compiled.name
                );
                problems.add(dimension.span, message, hint);
            }
            (None, None) => problems.unknown(dimension.span, message, &dimension.value, known()),
            (Some(_), _) => {}
        }
        roles.push(KnownRole { name, dimension: found });
    }
    roles
}

/// Reports amendments and reversals whose rows could not be told from those of a placing: the kind is a part of a row's key.
fn check_kinds(spec: &FactSpec, problems: &mut Problems) {
    let does = |event: &FactEventSpec| event.does.as_ref().map(|does| does.value);
    let kind = |event: &FactEventSpec| event.kind.as_ref().map(|kind| kind.value.clone());
    let places = |kind_of: &str| {
        let placings = spec.on.iter().filter(|(_, event)| does(event) == Some(FactDoes::Place));
        placings.map(|(name, event)| (name, kind(event))).find(|(_, kind)| kind.as_deref() == Some(kind_of))
    };
    for (name, event) in spec.on.iter() {
        let what = match does(event) {
            Some(FactDoes::Amend) => "amends",
            Some(FactDoes::Reverse) => "reverses",
            _ => continue,
        };
        let Some(kind) = &event.kind else { continue };
        if let Some((placing, _)) = places(&kind.value) {
            let message = format!(
                "`{}` {what} lines under the kind `{}`, by which `{}` places them",
                name.value, kind.value, placing.value
            );
            problems.add(kind.span, message, "name it otherwise: `kind = \"corrected\"`, or another word");
        }
    }
}

/// Reports a fact without lines, roles and columns that no event carries, and milestones that none reaches.
fn check_reached(spec: &FactSpec, scene: &Scene<'_>, events: &[FactEvent], problems: &mut Problems) {
    if !events.iter().any(|event| matches!(event.action, FactAction::Place { .. })) {
        let message = format!("no event places lines in the fact `{}`", scene.name.value);
        let hint = "bind one: `on.<event> = { does = \"place\", kind = \"placed\" }`";
        problems.absent(scene.name.span, message, hint);
        return;
    }
    let makes_rows =
        |event: &&FactEvent| matches!(event.action, FactAction::Place { .. } | FactAction::Header);
    for (index, role) in scene.roles.iter().enumerate().filter(|(_, role)| role.dimension.is_some()) {
        let carried =
            events.iter().filter(makes_rows).any(|event| event.roles.get(index).is_some_and(Option::is_some));
        let written = spec.on.iter().any(|(_, event)| event.dimensions.get(&role.name.value).is_some());
        if !carried && !written {
            let name = &role.name.value;
            let message = format!("no event that places lines names a member for `{name}`");
            problems.absent(
                role.name.span,
                message,
                format!("say by which field: `on.<event>.dimensions = {{ {name} = \"field\" }}`"),
            );
        }
    }
    for (index, column) in scene.columns.iter().enumerate() {
        let carried = events.iter().any(|event| event.columns.get(index).is_some_and(Option::is_some));
        let written = spec.on.iter().any(|(_, event)| event.columns.get(&column.name.value).is_some());
        if !carried && !written {
            let name = &column.name.value;
            let message = format!("no event carries the column `{name}`");
            problems.absent(
                column.name.span,
                message,
                format!("say in which field: `on.<event>.columns = {{ {name} = \"field\" }}`"),
            );
        }
    }
    let kinds =
        || spec.on.iter().filter_map(|(_, event)| event.kind.as_ref()).map(|kind| kind.value.as_str());
    for milestone in scene.milestones {
        if !kinds().any(|kind| kind == milestone.value) {
            let message =
                format!("no event has the kind `{}`, so no line reaches this milestone", milestone.value);
            problems.unknown(milestone.span, message, &milestone.value, kinds());
        }
    }
    if let (Some(milestone), None) = (scene.milestones.first(), &spec.lines) {
        let message = "milestones are dates of the accumulating fact, and this fact has none";
        problems.absent(
            milestone.span,
            message,
            "declare it: `lines = \"<name>\"`, or leave out `milestones`",
        );
    }
}
