//! Log files → what was seen in them: the envelope, and for each event type its fields and lists.
//!
//! The files are read twice: their first lines tell the envelope, and all lines, up to a bound, the rest.

use super::envelope::{self, Envelope, Lines};
use super::table::{KEPT_ROWS, Table};
use crate::error::{Error, Result};
use crate::log::{Extent, Glanced, Members, Value, counted, glance, hash, moment};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

/// Lines that tell the envelope.
const FIRST_LINES: u64 = 20_000;
/// A field of so many values is no event type.
const MOST_TYPES: usize = 1_000;

/// A log, looked at.
#[derive(Debug)]
pub struct Observed {
    pub extent: Extent,
    pub envelope: Envelope,
    /// In the order in which they were first met.
    pub types: Vec<Seen>,
    /// Events, duplicates left out.
    pub events: u64,
    pub duplicates: u64,
    /// Lines that are no JSON object, or lack a type or a time.
    pub broken: u64,
    pub blank: u64,
    /// The first and the last day of an event.
    pub days: Option<(i64, i64)>,
}

/// An event type.
#[derive(Debug, Default)]
pub struct Seen {
    pub name: String,
    pub versions: BTreeMap<i64, u64>,
    pub payload: Table,
    pub lists: Vec<List>,
    /// Of each kept event: its number in the log.
    pub numbers: Vec<u64>,
}

/// A list in a payload, if its items are objects.
#[derive(Debug, Default)]
pub struct List {
    pub name: String,
    pub items: Table,
    /// Events that have it.
    pub events: u64,
    /// Items that are no objects.
    pub scalars: u64,
    /// Of each kept item: the kept event that holds it.
    pub owners: Vec<usize>,
}

/// Looks at these files, up to a number of lines.
///
/// # Errors
/// The operator's or the data owner's: a file that cannot be read, no event in it, or no envelope.
pub fn observe(files: &[PathBuf], most_lines: u64) -> Result<Observed> {
    let mut lines = Lines::default();
    glance(files, FIRST_LINES.min(most_lines), &mut |line| {
        if let Glanced::Object { members, content } = line {
            lines.builds.push(build(&members));
            lines.contents.push(content);
            lines.table.add(members.iter().map(|(name, value)| (name.as_ref(), value)));
        }
    })?;
    lines.table.finish();
    if lines.table.rows == 0 {
        return Err(Error::data("there is no event to draft a pipeline from: no line is a JSON object")
            .next("name files with one JSON object a line (NDJSON), plain, gzip or zstd"));
    }
    let envelope = envelope::guess(&lines)?;
    drop(lines);
    let mut observer = Observer::new(&envelope);
    let extent = glance(files, most_lines, &mut |line| observer.line(&line))?;
    if observer.too_many {
        let next = "add a field to each line that names one of a few event types";
        let what = format!(
            "`{}` looks like the type of an event, but has more than {MOST_TYPES} values",
            envelope.event_type
        );
        return Err(Error::data(what).next(next));
    }
    let Observer { mut types, events, duplicates, broken, blank, days, .. } = observer;
    for seen in &mut types {
        seen.payload.finish();
        seen.lists.iter_mut().for_each(|list| list.items.finish());
    }
    Ok(Observed { extent, envelope, types, events, duplicates, broken, blank, days })
}

fn build(members: &Members<'_>) -> u64 {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    hash(&Value::Text(keys.join("\n").into()))
}

struct Observer<'e> {
    envelope: &'e Envelope,
    types: Vec<Seen>,
    by_name: HashMap<String, usize>,
    ids: HashSet<u64>,
    events: u64,
    duplicates: u64,
    broken: u64,
    blank: u64,
    days: Option<(i64, i64)>,
    too_many: bool,
}

impl<'e> Observer<'e> {
    fn new(envelope: &'e Envelope) -> Self {
        Self {
            envelope,
            types: Vec::new(),
            by_name: HashMap::new(),
            ids: HashSet::new(),
            events: 0,
            duplicates: 0,
            broken: 0,
            blank: 0,
            days: None,
            too_many: false,
        }
    }

    fn line(&mut self, line: &Glanced<'_>) {
        match line {
            Glanced::Blank => self.blank += 1,
            Glanced::Broken => self.broken += 1,
            Glanced::Object { members, .. } => {
                if self.event(members).is_none() {
                    self.broken += 1;
                }
            }
        }
    }

    /// Nothing for an object that is no event.
    fn event(&mut self, members: &Members<'_>) -> Option<()> {
        let envelope = self.envelope;
        let get = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let Some(Value::Text(name)) = get(&envelope.event_type) else { return None };
        let micros = match get(&envelope.time)? {
            Value::Text(time) => moment(time)?.0,
            Value::Number(number) => counted(number, envelope.unit?)?,
            _ => return None,
        };
        let version = match envelope.version.as_deref().and_then(get) {
            Some(Value::Number(number)) => number.integer().ok()?,
            None | Some(Value::Null) => 1,
            Some(_) => return None,
        };
        let payload = match envelope.payload.as_deref() {
            Some(payload) => match get(payload)? {
                Value::Object(payload) => payload,
                _ => return None,
            },
            None => members,
        };
        if let Some(id) = &envelope.id {
            match get(id).map(hash).filter(|id| *id != 0) {
                None => return None,
                Some(id) if !self.ids.insert(id) => {
                    self.duplicates += 1;
                    return Some(());
                }
                Some(_) => {}
            }
        }
        self.events += 1;
        let day = micros.div_euclid(86_400_000_000);
        self.days = Some(self.days.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
        let at = match self.by_name.get(name.as_ref()) {
            Some(at) => *at,
            None if self.types.len() >= MOST_TYPES => {
                self.too_many = true;
                return Some(());
            }
            None => {
                self.types.push(Seen { name: name.clone().into_owned(), ..Seen::default() });
                self.by_name.insert(name.clone().into_owned(), self.types.len() - 1);
                self.types.len() - 1
            }
        };
        let number = self.events;
        let is_payload = |name: &str| envelope.payload.is_some() || !envelope.has(name);
        if let Some(seen) = self.types.get_mut(at) {
            seen.add(payload, number, version, &is_payload);
        }
        Some(())
    }
}

impl Seen {
    fn add(&mut self, payload: &Members<'_>, number: u64, version: i64, is_payload: &dyn Fn(&str) -> bool) {
        *self.versions.entry(version).or_default() += 1;
        let owner = self.numbers.len();
        if owner < KEPT_ROWS {
            self.numbers.push(number);
        }
        let wanted = || payload.iter().filter(|(name, _)| is_payload(name));
        self.payload.add(wanted().map(|(name, value)| (name.as_ref(), value)));
        for (name, value) in wanted() {
            if let Value::List(items) = value {
                let at = self.lists.iter().position(|list| list.name == *name).unwrap_or_else(|| {
                    self.lists.push(List { name: name.clone().into_owned(), ..List::default() });
                    self.lists.len() - 1
                });
                if let Some(list) = self.lists.get_mut(at) {
                    list.add(items, owner);
                }
            }
        }
    }

    /// Events of this type.
    pub fn events(&self) -> u64 {
        self.payload.rows
    }
}

impl List {
    fn add(&mut self, items: &[Value<'_>], owner: usize) {
        self.events += 1;
        for item in items {
            let Value::Object(members) = item else {
                self.scalars += 1;
                continue;
            };
            // Items of events that are not kept have no owner, and come after all that have one.
            if owner < KEPT_ROWS && self.owners.len() < KEPT_ROWS {
                self.owners.push(owner);
            }
            self.items.add(members.iter().map(|(name, value)| (name.as_ref(), value)));
        }
    }

    /// Whether its items can be declared.
    pub fn has_objects(&self) -> bool {
        self.items.rows > 0 && self.scalars == 0 && !self.items.columns.is_empty()
    }
}
