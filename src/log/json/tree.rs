//! JSON that is to be changed: values whose texts stay as they were written wherever nothing touches them.

use super::{Scanner, Text, Token};
use crate::log::reject::Flaw;
use std::borrow::Cow;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    /// Exactly as it was written; a text with its quotes.
    Scalar(Cow<'a, [u8]>),
    List(Vec<Tree<'a>>),
    Object(Members<'a>),
}

/// The members of an object, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members<'a>(Vec<(Key<'a>, Tree<'a>)>);

/// A key, as it was written between its quotes.
#[derive(Debug, Clone, PartialEq)]
struct Key<'a>(Cow<'a, [u8]>);

impl Key<'_> {
    fn is(&self, name: &str) -> bool {
        text(&self.0).value() == name.as_bytes()
    }
}

/// Raw bytes between quotes.
fn text(raw: &[u8]) -> Text<'_> {
    Text { raw, escaped: memchr::memchr(b'\\', raw).is_some() }
}

/// The value of a text, if these bytes are one.
pub fn text_of(raw: &[u8]) -> Option<String> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    String::from_utf8(text(inner).value().into_owned()).ok()
}

/// A text as JSON.
pub fn quoted(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}

impl<'a> Tree<'a> {
    /// Reads one object and nothing else.
    pub fn read_object(bytes: &'a [u8]) -> Result<Members<'a>, Flaw> {
        let mut scanner = Scanner::again(bytes);
        scanner.open_line()?;
        let members = members(&mut scanner, 1)?;
        scanner.close_line()?;
        Ok(members)
    }

    /// Reads the members of an object one after the other: there may be more of them than a line may have.
    pub fn read_members(bytes: &'a [u8]) -> Result<Vec<(String, Tree<'a>)>, Flaw> {
        let mut scanner = Scanner::again(bytes);
        scanner.open_line()?;
        scanner.enter(1)?;
        let (mut found, mut count) = (Vec::new(), 0);
        while let Some(key) = scanner.next_key(&mut count)? {
            count = 1;
            let name = String::from_utf8_lossy(&key.value()).into_owned();
            found.push((name, value(&mut scanner, 1)?));
        }
        Ok(found)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(raw) if **raw == *b"null")
    }

    /// Writes it, without spaces between its parts.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Scalar(raw) => out.extend_from_slice(raw),
            Self::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => members.write(out),
        }
    }
}

impl<'a> Members<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.0.iter().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Tree<'a>> {
        self.0.iter_mut().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// Takes the value of this name out.
    pub fn take(&mut self, name: &str) -> Option<Tree<'a>> {
        let at = self.0.iter().position(|(key, _)| key.is(name))?;
        Some(self.0.remove(at).1)
    }

    /// Adds a member behind all others; whoever does so knows that there is none of this name.
    pub fn push(&mut self, name: &str, value: Tree<'a>) {
        let quoted = quoted(name);
        let raw = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_vec();
        self.0.push((Key(Cow::Owned(raw)), value));
    }

    /// Keeps the members whose names are wanted; the others go to a second object, in their order.
    pub fn part(self, is_wanted: impl Fn(&str) -> bool) -> (Self, Self) {
        let (kept, others) = self
            .0
            .into_iter()
            .partition(|(key, _)| std::str::from_utf8(&text(&key.0).value()).is_ok_and(&is_wanted));
        (Self(kept), Self(others))
    }

    /// Puts the members of these names before all others, in this order.
    pub fn put_first<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let (mut first, rest) = (Vec::with_capacity(self.0.len()), &mut self.0);
        for name in names {
            first.extend(rest.iter().position(|(key, _)| key.is(name)).map(|at| rest.remove(at)));
        }
        first.append(rest);
        self.0 = first;
    }

    /// All members of both.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Writes an object.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (key, value)) in self.0.iter().enumerate() {
            out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
            out.extend_from_slice(&key.0);
            out.extend_from_slice(b"\":");
            value.write(out);
        }
        out.push(b'}');
    }
}

/// The members of the object at the cursor.
fn members<'a>(scanner: &mut Scanner<'a>, depth: u32) -> Result<Members<'a>, Flaw> {
    scanner.enter(depth)?;
    let (mut members, mut count) = (Members::default(), 0);
    while let Some(key) = scanner.next_key(&mut count)? {
        members.0.push((Key(Cow::Borrowed(key.raw)), value(scanner, depth)?));
    }
    Ok(members)
}

fn value<'a>(scanner: &mut Scanner<'a>, depth: u32) -> Result<Tree<'a>, Flaw> {
    let start = scanner.at();
    let Token::Container = scanner.token()? else {
        return Ok(Tree::Scalar(Cow::Borrowed(scanner.since(start))));
    };
    if scanner.peek() == Some(b'{') {
        return members(scanner, depth + 1).map(Tree::Object);
    }
    scanner.enter(depth + 1)?;
    let mut items = Vec::new();
    while scanner.next_item(items.is_empty())? {
        items.push(value(scanner, depth + 1)?);
    }
    Ok(Tree::List(items))
}
