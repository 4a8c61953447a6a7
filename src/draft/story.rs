//! Headers → their stories: which events place lines, and what happens to them afterwards?
//!
//! What an event does follows from its verb and from what it can name: lines that it holds, a line that was placed before, or
//! the header alone. Whether numbers of lines mean the placed ones is asked of the data, not of names.

use super::contract::Field;
use super::entity::{Entity, Scene, home_of};
use super::envelope::grouped;
use super::sort::{LINES, Nature, has_amount, line_of, lines_of};
use super::table::Column;
use super::verb::Does;
use super::words::{has_any, is_code};
use std::collections::{HashMap, HashSet};

/// What one event type does in a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Place,
    Header,
    Undo,
    Amend,
    Milestone,
    /// It cannot be bound, and why.
    Nothing(String),
}

/// An event type in a story.
#[derive(Debug, Clone)]
pub struct Source {
    pub event: usize,
    pub act: Act,
    /// The fields that name the header.
    pub header: Vec<String>,
    pub list: Option<String>,
    pub line: Option<String>,
    /// The field whose member finds the lines of a reversal.
    pub matches: Option<String>,
    /// Whether it says what rows hold.
    pub makes_rows: bool,
    /// Whether its rows stand for themselves, so that every measure needs a value.
    pub needs_measures: bool,
    pub why: String,
}

/// All that happens under one header, or one kind of event that stands alone.
#[derive(Debug)]
pub struct Story {
    pub stem: Vec<String>,
    pub places: Vec<Source>,
    pub headers: Vec<Source>,
    pub others: Vec<Source>,
    pub notes: Vec<String>,
}

impl Story {
    /// Whether rows belong to headers; else they stand alone, and nothing can be reversed.
    pub fn is_headed(&self) -> bool {
        self.places.first().is_some_and(|place| !place.header.is_empty())
    }

    /// The event types whose fields end up in rows.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let others = self.others.iter().filter(|other| matches!(other.act, Act::Undo | Act::Amend));
        self.places.iter().chain(&self.headers).chain(others)
    }
}

/// The stories of all headers, then of event types that stand alone.
pub fn stories(scene: &Scene<'_>, entities: &[Entity], natures: &[Nature]) -> Vec<Story> {
    let headers = (0..entities.len()).filter(|at| natures[*at] == Nature::Header);
    let mut stories: Vec<Story> = headers.map(|at| headed(scene, entities, natures, at)).collect();
    let told = |stories: &[Story], event: usize| {
        let mut all =
            stories.iter().flat_map(|story| story.places.iter().chain(&story.headers).chain(&story.others));
        all.any(|source| source.event == event)
    };
    for event in 0..scene.contracts.len() {
        let is_free = scene.contracts[event].is_possible && home_of(entities, event).is_none();
        let named = scene.references(entities, event, None);
        let list = lines_of(scene, entities, event).into_iter().next();
        let says = list.is_some() || !named.is_empty() || has_amount(scene, event, None, &named);
        if is_free && says && !told(&stories, event) {
            let source = Source { list, ..source(event, Act::Place, Vec::new()) };
            let stem = scene.named[event].words.clone();
            let (places, headers, others) = (vec![source], Vec::new(), Vec::new());
            let notes = vec!["no field names a header: each row stands alone".to_owned()];
            stories.push(Story { stem, places, headers, others, notes });
        }
    }
    stories
}

fn source(event: usize, act: Act, header: Vec<String>) -> Source {
    let makes_rows = matches!(act, Act::Place | Act::Header);
    let needs_measures = act == Act::Place;
    Source {
        event,
        act,
        header,
        list: None,
        line: None,
        matches: None,
        makes_rows,
        needs_measures,
        why: String::new(),
    }
}

/// The event types that name a header, with the fields.
fn chapters(
    scene: &Scene<'_>,
    entities: &[Entity],
    natures: &[Nature],
    at: usize,
) -> Vec<(usize, Vec<String>)> {
    let partner = entities[at].partner.clone();
    let field_of = |event: usize| match home_of(entities, event) {
        Some((home, own)) if home == at => Some(own.field.clone()),
        Some((home, _)) if natures[home] != Nature::Step(at) => None,
        _ => {
            let named = scene.references(entities, event, None);
            named.iter().find(|reference| reference.entity == at).map(|reference| reference.field.clone())
        }
    };
    let fields = |event: usize| Some((event, partner.iter().cloned().chain([field_of(event)?]).collect()));
    (0..scene.contracts.len())
        .filter(|event| scene.contracts[*event].is_possible)
        .filter_map(fields)
        .collect()
}

fn headed(scene: &Scene<'_>, entities: &[Entity], natures: &[Nature], at: usize) -> Story {
    let chapters = chapters(scene, entities, natures, at);
    let is_home = |event: usize| home_of(entities, event).is_some_and(|(home, _)| home == at);
    let does = |event: usize| scene.named[event].does;
    let opens = |event: usize| {
        let unique = || entities[at].homes.iter().find(|home| home.event == event);
        let column = unique().and_then(|home| scene.column(event, None, &home.field));
        let is_change = does(event) == Does::Change && scene.named[event].verb != "set";
        is_home(event)
            && !is_change
            && !matches!(does(event), Does::Undo | Does::End)
            && column.is_some_and(Column::is_unique)
    };
    let mut story = Story {
        stem: entities[at].stem.clone(),
        places: Vec::new(),
        headers: Vec::new(),
        others: Vec::new(),
        notes: Vec::new(),
    };
    let with_lists: Vec<_> = chapters
        .iter()
        .filter(|(event, _)| opens(*event) && !lines_of(scene, entities, *event).is_empty())
        .collect();
    let line_events: Vec<_> = chapters
        .iter()
        .filter(|(event, _)| {
            matches!(does(*event), Does::Start | Does::Other)
                && line_of(scene, entities, at, *event).is_some()
                && has_amount(scene, *event, None, &scene.references(entities, *event, None))
        })
        .collect();
    let opening: Vec<_> = chapters.iter().filter(|(event, _)| opens(*event)).collect();
    if !with_lists.is_empty() {
        for (event, header) in with_lists {
            let list = lines_of(scene, entities, *event).into_iter().next();
            let mut place = source(*event, Act::Place, header.clone());
            place.line = list.as_deref().and_then(|list| line_of_list(scene, entities, *event, list));
            place.list = list;
            place.why = "its list holds the lines".to_owned();
            story.places.push(place);
        }
    } else if !line_events.is_empty() {
        for (event, header) in &line_events {
            let mut place = source(*event, Act::Place, header.clone());
            place.line = line_of(scene, entities, at, *event);
            place.why = "it names its header and a line".to_owned();
            story.places.push(place);
        }
        let is_line = |event: usize| line_events.iter().any(|(other, _)| *other == event);
        for (event, header) in opening.iter().filter(|(event, _)| !is_line(*event)) {
            let mut first = source(*event, Act::Header, header.clone());
            first.why = "it comes once for each header, without lines".to_owned();
            story.headers.push(first);
        }
        story.stem = match line_events.first() {
            Some((event, _)) if scene.named[*event].noun != story.stem => scene.named[*event].noun.clone(),
            _ => story.stem,
        };
    } else if let Some((event, header)) = opening.first() {
        let mut place = source(*event, Act::Place, header.clone());
        place.why = "it comes once for each header: a header is one line".to_owned();
        story.places.push(place);
    }
    let told: HashSet<usize> = story.places.iter().chain(&story.headers).map(|source| source.event).collect();
    let can_tell = story.places.iter().all(|place| place.list.is_none() || place.line.is_some());
    if !can_tell {
        story.notes.push(
            "nothing tells the items of a list apart: rows stand alone, and nothing can be reversed"
                .to_owned(),
        );
        for place in &mut story.places {
            place.header.clear();
            place.line = None;
        }
    }
    for (event, header) in chapters.into_iter().filter(|(event, _)| !told.contains(event)) {
        let other = match can_tell {
            true => other(scene, entities, &story, event, header),
            false => source(event, Act::Nothing("rows have no header".to_owned()), header),
        };
        story.others.push(other);
    }
    story
}

/// What an event does that comes after the placing.
fn other(scene: &Scene<'_>, entities: &[Entity], story: &Story, event: usize, header: Vec<String>) -> Source {
    let verb = &scene.named[event].verb;
    let does = scene.named[event].does;
    let contract = &scene.contracts[event];
    let has_lines = story.places.iter().any(|place| place.line.is_some());
    let list = lines_of(scene, entities, event).into_iter().next();
    let list = list.or_else(|| {
        let numbers = |field: &Field| has_any(&field.words, &LINES);
        contract.lists.iter().find(|list| list.fields.iter().any(numbers)).map(|list| list.name.clone())
    });
    let is_removal = matches!(verb.as_str(), "deleted" | "delete" | "removed" | "remove");
    let mut other = source(event, Act::Milestone, header);
    let by_line = story
        .places
        .iter()
        .find_map(|place| same_line(scene, entities, place, event, list.as_deref(), &other.header));
    let optional = other
        .header
        .iter()
        .any(|field| contract.field(None, field).is_none_or(|field| field.missing_percent > 1));
    match does {
        Does::Undo => {
            other.act = Act::Undo;
            other.needs_measures = optional;
            other.why = format!("`{verb}` takes back what was placed");
        }
        Does::End if is_removal => {
            other.act = Act::Undo;
            other.why = format!("`{verb}` takes back what was placed");
        }
        Does::Change => {
            other.act = Act::Amend;
            other.why = format!("`{verb}` says anew what was placed");
        }
        _ => other.why = format!("`{verb}` is a date in the life of a line"),
    }
    other.list = list;
    match by_line {
        Some(Same { line, agree, rows, is_same: true }) => {
            other.why.push_str(&format!(
                "; `{line}` is the placed line's in {} of {}",
                grouped(agree),
                grouped(rows)
            ));
            other.line = Some(line);
        }
        Some(Same { line, agree, rows, .. }) => {
            other.why.push_str(&format!(
                "; `{line}` is the placed line's in only {} of {}",
                grouped(agree),
                grouped(rows)
            ));
        }
        None => {}
    }
    if other.line.is_none() && other.list.is_some() {
        let named = scene.references(entities, event, other.list.as_deref());
        match named.first() {
            Some(member) if other.act == Act::Undo => {
                other.why.push_str(&format!(": lines are found by `{}`", member.field));
                other.matches = Some(member.field.clone());
            }
            _ if other.act == Act::Milestone => other.list = None,
            _ => other.act = Act::Nothing("its items name no line that was placed".to_owned()),
        }
    }
    if other.act == Act::Amend && has_lines && other.line.is_none() {
        other.act = Act::Nothing(format!("`{verb}` changes something, but names no line"));
    }
    if matches!(other.act, Act::Amend | Act::Milestone) && optional {
        other.act = Act::Nothing("it does not always name its header".to_owned());
    }
    other
}

/// The field of a list's items that names a line: never twice in one event.
fn line_of_list(scene: &Scene<'_>, entities: &[Entity], event: usize, list: &str) -> Option<String> {
    let seen = scene.observed.types.get(event)?.lists.iter().find(|known| known.name == list)?;
    let named = scene.references(entities, event, Some(list));
    let is_unique = |field: &&Field| {
        let Some(column) = scene.column(event, Some(list), &field.name) else { return false };
        let pairs: Vec<(usize, u64)> =
            seen.owners.iter().copied().zip(column.cells.iter().copied()).collect();
        let distinct: HashSet<&(usize, u64)> = pairs.iter().collect();
        field.kind.is_name() && !field.optional && (pairs.len() - distinct.len()) * 1_000 <= pairs.len()
    };
    let fields: Vec<&Field> = scene.contracts[event].fields(Some(list)).iter().filter(is_unique).collect();
    let is_reference = |field: &&&Field| named.iter().any(|reference| reference.field == field.name);
    let by_name = fields.iter().find(|field| has_any(&field.words, &LINES) && !is_reference(field));
    let by_code = || fields.iter().find(|field| is_code(&field.words) && !is_reference(field));
    let by_member = || fields.iter().find(is_reference);
    by_name.or_else(by_code).or_else(by_member).map(|field| field.name.clone())
}

struct Same {
    line: String,
    agree: u64,
    rows: u64,
    is_same: bool,
}

/// Whether an event's lines are the placed ones: of those whose header was placed, how many name a line that is there, with
/// the same member where both name one.
fn same_line(
    scene: &Scene<'_>,
    entities: &[Entity],
    place: &Source,
    event: usize,
    list: Option<&str>,
    header: &[String],
) -> Option<Same> {
    let line = place.line.as_deref()?;
    let field = scene.contracts[event].field(list, line)?;
    let kind = super::fact::find(scene, place, line)?.kind;
    if field.kind != kind {
        return None;
    }
    let member = |event: usize, list: Option<&str>| {
        let named = scene.references(entities, event, list);
        let first = named.into_iter().find(|reference| reference.field != line);
        first.map(|reference| (reference.entity, reference.field))
    };
    let pair = (member(place.event, place.list.as_deref()), member(event, list));
    // What changes a line may well name another member.
    let is_undone = scene.named[event].does == Does::Undo;
    let members = match &pair {
        (Some((one, placed)), Some((other, own))) if one == other && is_undone => {
            Some((placed.as_str(), own.as_str()))
        }
        _ => None,
    };
    let placed =
        lines(scene, place.event, place.list.as_deref(), place.header.last()?, line, members.map(|it| it.0))?;
    let own = lines(scene, event, list, header.last()?, line, members.map(|it| it.1))?;
    let mut known: HashMap<(u64, u64), HashSet<u64>> = HashMap::new();
    for (header, line, member) in &placed {
        known.entry((*header, *line)).or_default().insert(*member);
    }
    let headers: HashSet<u64> = placed.iter().map(|(header, ..)| *header).collect();
    let (mut agree, mut rows) = (0_u64, 0_u64);
    for (header, line, member) in own.iter().filter(|(header, ..)| headers.contains(header)) {
        rows += 1;
        agree += u64::from(known.get(&(*header, *line)).is_some_and(|members| members.contains(member)));
    }
    Some(Same { line: line.to_owned(), agree, rows, is_same: agree * 100 >= rows * 95 })
}

/// Header, line and member of each kept row; no member is 0.
fn lines(
    scene: &Scene<'_>,
    event: usize,
    list: Option<&str>,
    header: &str,
    line: &str,
    member: Option<&str>,
) -> Option<Vec<(u64, u64, u64)>> {
    let seen = scene.observed.types.get(event)?;
    let headers = &scene.column(event, None, header)?.cells;
    let lines = &scene.column(event, list, line)?.cells;
    let members = member.and_then(|member| scene.column(event, list, member)).map(|column| &column.cells);
    let owners =
        list.and_then(|list| seen.lists.iter().find(|known| known.name == list)).map(|list| &list.owners);
    let row = |at: usize| {
        let owner = owners.map_or(Some(at), |owners| owners.get(at).copied())?;
        let member = members.map_or(Some(0), |members| members.get(at).copied())?;
        Some((*headers.get(owner)?, *lines.get(at)?, member))
    };
    Some((0..lines.len()).filter_map(row).filter(|(header, ..)| *header != 0).collect())
}
