//! The members of a payload, or of a list's item → the ends of their columns.
//!
//! A broken rule of JSON ends the line at once. A broken contract is remembered, the first one only,
//! and reading goes on: a line that is no JSON is called so, whatever else is wrong with it.

use super::column::Column;
use super::plan::{FieldSet, ListPlan, Member, Shape};
use super::rows::{ListRows, PayloadRows};
use super::time::Times;
use super::value::{self, domain};
use crate::log::content;
use crate::log::json::{Scanner, Scratch, Text, Token};
use crate::log::reject::{Code, Flaw};
use crate::model::Unknown;
use std::collections::HashMap;
use std::io::Write;

/// What is used again from line to line, and what lines leave behind besides their columns.
#[derive(Debug, Default)]
pub struct Notes {
    pub scratch: Scratch,
    /// For the objects that are open: which declared members have been seen.
    seen: Vec<bool>,
    /// Paths of absent fields of the line at hand, comma-separated.
    pub absent: Vec<u8>,
    /// Undeclared members of the line at hand: a JSON object in the making.
    pub unknown: Vec<u8>,
    /// The paths among them, with `[]` for any item.
    pub unknown_paths: Vec<String>,
    /// Leap seconds in the line at hand.
    pub leaps: u64,
}

/// The reading of one line.
pub struct Reading<'a, 'n> {
    pub scanner: Scanner<'a>,
    pub notes: &'n mut Notes,
    pub times: Times,
    /// Whether contents are hashed.
    pub hashes: bool,
    /// Whether values are judged: those of lines are, those of events that the log has taken are not.
    pub judges: bool,
    /// What is done with undeclared members of the payload.
    pub unknown: Unknown,
    /// The first breach of contract.
    pub flaw: Option<Flaw>,
}

/// The object at hand.
pub struct Object {
    hint: usize,
    seen: usize,
    keys: usize,
    pub members: content::Members,
}

/// Where the object at hand stands in the payload.
#[derive(Clone, Copy)]
pub enum Place<'p> {
    Payload,
    /// An item of a list, counted from 0 as JSON paths do.
    Item(&'p str, usize),
    /// Beside the payload.
    Envelope,
}

impl<'a> Reading<'a, '_> {
    pub fn begin(&mut self, set: &FieldSet) -> Object {
        let seen = self.notes.seen.len();
        self.notes.seen.resize(seen + set.members.len(), false);
        Object { hint: 0, seen, keys: self.notes.scratch.mark(), members: content::Members::default() }
    }

    /// Reads the member whose key has just been read.
    #[inline]
    pub fn member(
        &mut self,
        object: &mut Object,
        key: Text<'a>,
        set: &FieldSet,
        rows: &mut PayloadRows,
        lists: &[ListPlan],
        depth: u32,
    ) -> Result<(), Flaw> {
        let found = set.find(&key.value(), object.hint);
        let Some((at, member)) = found.and_then(|at| Some((at, set.members.get(at)?))) else {
            return self.unknown(object, key, Place::Payload, depth);
        };
        self.mark_seen(object, at)?;
        let hash = match member.shape {
            Shape::Scalar { column, optional } => {
                let Some(column) = rows.fields.get_mut(column) else { return Ok(()) };
                let hash = self.scalar(column, optional, &member.name, depth)?;
                self.judge(column, member);
                hash
            }
            Shape::List(list) => {
                let (Some(rows), Some(plan)) = (rows.lists.get_mut(list), lists.get(list)) else {
                    return Ok(());
                };
                self.list(rows, plan, depth)?
            }
        };
        object.members.add(member.hash, hash);
        Ok(())
    }

    #[inline]
    fn mark_seen(&mut self, object: &mut Object, at: usize) -> Result<(), Flaw> {
        object.hint = at + 1;
        if let Some(seen) = self.notes.seen.get_mut(object.seen + at)
            && std::mem::replace(seen, true)
        {
            return Err(Flaw::new(Code::DuplicateKey, "a key stands twice in one object"));
        }
        Ok(())
    }

    /// Reads a scalar to the end of its column.
    #[inline]
    pub fn scalar(
        &mut self,
        column: &mut Column,
        optional: bool,
        name: &str,
        depth: u32,
    ) -> Result<u64, Flaw> {
        let token = self.scanner.token()?;
        if let Token::Null = token {
            if optional {
                column.push_null();
            } else {
                self.breach(|| Flaw::new(Code::NullField, format!("{name} must not be null")));
            }
            return Ok(content::NULL);
        }
        match value::push(column, token, self.times) {
            Ok(leap) => self.notes.leaps += u64::from(leap),
            Err(flaw) => self.breach(|| flaw.of(name)),
        }
        if let Token::Container = token {
            return self.scanner.value(depth, &mut self.notes.scratch);
        }
        Ok(if self.hashes { hash(token, &mut self.notes.scratch) } else { 0 })
    }

    /// Whether a member may hold the value at the end of its column; null is judged by the contract.
    #[inline]
    fn judge(&mut self, column: &Column, member: &Member) {
        if let (true, Some(allowed), None) = (self.judges, &member.allowed, &self.flaw)
            && let Some(flaw) = domain(column, allowed)
        {
            self.flaw = Some(flaw.of(&member.name));
        }
    }

    fn list(&mut self, rows: &mut ListRows, plan: &ListPlan, depth: u32) -> Result<u64, Flaw> {
        if self.scanner.peek() != Some(b'[') {
            let token = self.scanner.token()?;
            self.breach(|| match token {
                Token::Null => Flaw::new(Code::NullField, format!("{} must not be null", plan.name)),
                _ => value::type_flaw("a list of objects", token).of(&plan.name),
            });
            return self.rest_of(token, depth);
        }
        self.scanner.enter(depth + 1)?;
        let mut items = content::Items::default();
        while self.scanner.next_item(items.is_empty())? {
            items.add(self.item(rows, plan, items.len(), depth + 2)?);
        }
        rows.end_list();
        Ok(items.finish())
    }

    fn item(&mut self, rows: &mut ListRows, plan: &ListPlan, number: usize, depth: u32) -> Result<u64, Flaw> {
        if self.scanner.peek() != Some(b'{') {
            let token = self.scanner.token()?;
            self.breach(|| value::type_flaw("an object", token).of(&format!("{}[{number}]", plan.name)));
            return self.rest_of(token, depth - 1);
        }
        self.scanner.enter(depth)?;
        let mut object = self.begin(&plan.item);
        let place = Place::Item(&plan.name, number);
        let mut count = 0;
        while let Some(key) = self.scanner.next_key(&mut count)? {
            let found = plan.item.find(&key.value(), object.hint);
            let Some((at, member)) = found.and_then(|at| Some((at, plan.item.members.get(at)?))) else {
                self.unknown(&mut object, key, place, depth)?;
                continue;
            };
            self.mark_seen(&mut object, at)?;
            if let Shape::Scalar { column, optional } = member.shape
                && let Some(column) = rows.items.get_mut(column)
            {
                let hash = self.scalar(column, optional, &member.name, depth)?;
                self.judge(column, member);
                object.members.add(member.hash, hash);
            }
        }
        self.end(&object, &plan.item, &mut rows.items, place)?;
        rows.end_item();
        Ok(object.members.finish())
    }

    /// Reads an undeclared member and keeps its exact text.
    pub fn unknown(
        &mut self,
        object: &mut Object,
        key: Text<'a>,
        place: Place<'_>,
        depth: u32,
    ) -> Result<(), Flaw> {
        let key_hash = self.notes.scratch.hash(key);
        self.notes.scratch.add_key(key_hash);
        let start = self.scanner.at();
        let hash = self.scanner.value(depth, &mut self.notes.scratch)?;
        object.members.add(key_hash, hash);
        let name = String::from_utf8_lossy(key.raw);
        let (prefix, path) = match place {
            Place::Payload => (String::new(), name.to_string()),
            Place::Item(list, number) => {
                let quoted = list.replace('\\', "\\\\").replace('"', "\\\"");
                (format!("{quoted}[{number}]."), format!("{list}[].{name}"))
            }
            Place::Envelope => ("envelope.".to_owned(), format!("envelope.{name}")),
        };
        let unknown = &mut self.notes.unknown;
        unknown.extend_from_slice(if unknown.is_empty() { b"{\"" } else { b",\"" });
        unknown.extend_from_slice(prefix.as_bytes());
        unknown.extend_from_slice(key.raw);
        unknown.extend_from_slice(b"\":");
        unknown.extend_from_slice(self.scanner.since(start));
        match self.unknown {
            Unknown::Freeze if !matches!(place, Place::Envelope) => {
                self.breach(|| Flaw::new(Code::UnknownField, format!("{path} is not declared")));
            }
            Unknown::Ignore if !matches!(place, Place::Envelope) => {}
            _ => self.notes.unknown_paths.push(path),
        }
        Ok(())
    }

    /// Ends an object: what it did not say is absent.
    #[inline]
    pub fn end(
        &mut self,
        object: &Object,
        set: &FieldSet,
        columns: &mut [Column],
        place: Place<'_>,
    ) -> Result<(), Flaw> {
        for (at, member) in set.members.iter().enumerate() {
            if self.notes.seen.get(object.seen + at) == Some(&true) {
                continue;
            }
            match member.shape {
                Shape::Scalar { column, optional: true } => {
                    if let Some(column) = columns.get_mut(column) {
                        column.push_null();
                    }
                    self.absent(&member.name, place);
                }
                _ => self.breach(|| Flaw::new(Code::MissingField, format!("{} is missing", member.name))),
            }
        }
        self.notes.seen.truncate(object.seen);
        self.notes.scratch.end_keys(object.keys)
    }

    /// Ends an object of which only the undeclared members count.
    pub fn discard(&mut self, object: &Object) -> Result<(), Flaw> {
        self.notes.seen.truncate(object.seen);
        self.notes.scratch.end_keys(object.keys)
    }

    /// Remembers that a member was not there.
    pub fn absent(&mut self, name: &str, place: Place<'_>) {
        let absent = &mut self.notes.absent;
        let comma = if absent.is_empty() { "" } else { "," };
        // Writing to a vector cannot fail.
        let _ = match place {
            Place::Item(list, number) => write!(absent, "{comma}{list}[{number}].{name}"),
            Place::Payload | Place::Envelope => write!(absent, "{comma}{name}"),
        };
    }

    /// Reads on behind a token that was not what the contract wants.
    fn rest_of(&mut self, token: Token<'_>, depth: u32) -> Result<u64, Flaw> {
        match token {
            Token::Container => self.scanner.value(depth, &mut self.notes.scratch),
            // What breaks today's contract may have been right under an older one, and its content counts.
            token => Ok(hash(token, &mut self.notes.scratch)),
        }
    }

    pub fn breach(&mut self, flaw: impl FnOnce() -> Flaw) {
        if self.flaw.is_none() {
            self.flaw = Some(flaw());
        }
    }
}

impl Notes {
    /// Makes ready for the next line.
    pub fn clear(&mut self) {
        self.scratch.clear();
        self.seen.clear();
        self.absent.clear();
        self.unknown.clear();
        self.unknown_paths.clear();
        self.leaps = 0;
    }
}

/// The hash of a scalar.
#[inline]
fn hash(token: Token<'_>, scratch: &mut Scratch) -> u64 {
    match token {
        Token::Text(text) => scratch.hash(text),
        Token::Number(number) => content::number(&number),
        Token::Boolean(value) => content::boolean(value),
        Token::Null | Token::Container => content::NULL,
    }
}

/// Undeclared fields by (event, path), and how often each was seen.
pub type UnknownFields = HashMap<(usize, String), u64>;
