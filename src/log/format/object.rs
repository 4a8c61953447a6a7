//! The members of a JSON object, each with the exact text of its value.

use crate::log::json::{Scanner, Scratch, Token};
use crate::log::reject::Flaw;
use crate::model::Limits;
use std::borrow::Cow;

/// An object whose text has been found valid.
#[derive(Debug)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member<'a> {
    pub name: Cow<'a, [u8]>,
    /// The text of the value.
    pub raw: &'a [u8],
}

impl<'a> Object<'a> {
    /// The object that a line must be, judged to its last byte.
    pub fn of_line(line: &'a [u8], limits: &'a Limits) -> Result<Self, Flaw> {
        let mut scanner = Scanner::new(line, limits);
        scanner.open_line()?;
        let object = Self::read(&mut scanner)?;
        scanner.close_line()?;
        Ok(object)
    }

    /// The object that this text is, if it is one.
    pub fn of(raw: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::again(raw);
        if raw.first() == Some(&b'{') { Self::read(&mut scanner).ok() } else { None }
    }

    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Flaw> {
        let mut scratch = Scratch::default();
        let mut members = Vec::new();
        scanner.enter(1)?;
        let mut count = 0;
        while let Some(key) = scanner.next_key(&mut count)? {
            // The keys of what is inside come and go; those of this object stay behind its mark.
            let hash = scratch.hash(key);
            let start = scanner.at();
            scanner.value(1, &mut scratch)?;
            scratch.add_key(hash);
            members.push(Member { name: key.value(), raw: scanner.since(start) });
        }
        scratch.end_keys(0)?;
        Ok(Self { members })
    }

    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text of a member's value.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.members.iter().find(|member| *member.name == *name.as_bytes()).map(|member| member.raw)
    }

    /// The same, unless it is null.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name).filter(|raw| *raw != b"null")
    }

    /// A member that is an object.
    pub fn object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::of)
    }

    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// A member that is an integer, or a string that is one: connectors write large ones so.
    pub fn integer(&self, name: &str) -> Option<i64> {
        let raw = self.get(name)?;
        match text(raw) {
            Some(digits) => digits.parse().ok(),
            None => integer(raw),
        }
    }
}

/// The value of a string.
pub fn text(raw: &[u8]) -> Option<Cow<'_, str>> {
    match Scanner::again(raw).token() {
        Ok(Token::Text(text)) => match text.value() {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        },
        _ => None,
    }
}

/// The value of a number that is an integer of 64 bits.
pub fn integer(raw: &[u8]) -> Option<i64> {
    match Scanner::again(raw).token() {
        Ok(Token::Number(number)) => number.integer().ok(),
        _ => None,
    }
}

/// The texts of a list's items, if it is a list.
pub fn items(raw: &[u8]) -> Option<Vec<&[u8]>> {
    let mut scanner = Scanner::again(raw);
    if raw.first() != Some(&b'[') {
        return None;
    }
    scanner.enter(1).ok()?;
    let mut items = Vec::new();
    while scanner.next_item(items.is_empty()).ok()? {
        let start = scanner.at();
        scanner.value(1, &mut Scratch::default()).ok()?;
        items.push(scanner.since(start));
    }
    Some(items)
}
