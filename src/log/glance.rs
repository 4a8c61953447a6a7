//! Files → their lines as JSON values, for somebody who has no pipeline yet.
//!
//! It reads what an ingest would read, byte by byte and as strictly, but needs no contract and keeps nothing: a value
//! borrows from its line. Never: hold more than a block and one line in memory, or round a number.

use super::content;
use super::decode::{date, instant};
use super::json::{Number, Scanner, Scratch, Token};
use super::source::{Block, FileFailure, Input, Reader, RegularFile, Shape, Trail};
use crate::error::Result;
use crate::model::{Limits, Unit};
use chrono_tz::Tz;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A JSON value of a line.
#[derive(Debug)]
pub enum Value<'a> {
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// An exact number.
    Number(Number<'a>),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`.
    Null,
    /// The items.
    List(Vec<Value<'a>>),
    /// The members, in the order in which they are written.
    Object(Members<'a>),
}

/// Keys and values of an object.
pub type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// What a line is.
#[derive(Debug)]
pub enum Glanced<'a> {
    /// One whole object.
    Object {
        /// Its members.
        members: Members<'a>,
        /// Equal for equal JSON values.
        content: u64,
    },
    /// No JSON object, or not one alone.
    Broken,
    /// White space.
    Blank,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Lines of any kind.
    pub lines: u64,
    /// Whether these are all lines of all files.
    pub is_all: bool,
}

/// Shows the lines of these files one by one, up to a number of lines.
///
/// # Errors
/// The operator's or the data owner's: a file that cannot be read.
pub fn glance(files: &[PathBuf], most_lines: u64, see: &mut dyn FnMut(Glanced<'_>)) -> Result<Extent> {
    let mut lines = 0;
    let mut scratch = Scratch::default();
    for file in files {
        let is_all = one(file, &mut |line| {
            let goes_on = lines < most_lines;
            if goes_on {
                lines += 1;
                see(line.map_or(Glanced::Broken, |line| read(line, &mut scratch)));
            }
            goes_on
        });
        if !is_all.map_err(|failure| failure.error())? {
            return Ok(Extent { lines, is_all: false });
        }
    }
    Ok(Extent { lines, is_all: true })
}

/// The lines of one file, until one is not wanted; `None` is a line that is too long, or torn.
fn one(path: &Path, see: &mut dyn FnMut(Option<&[u8]>) -> bool) -> Result<bool, FileFailure> {
    let file = RegularFile::open(path, &path.display().to_string(), &Limits::USUAL)?;
    let input = Input::new(&file, 0)?;
    let mut reader = Reader::new(&file, input, 0, false, Trail::new(Vec::new(), Vec::new()));
    while let Some(Block { bytes, shape, .. }) = reader.next_block()? {
        if shape != Shape::Lines {
            if !see(None) {
                return Ok(false);
            }
            continue;
        }
        let ended = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        for line in ended.split(|byte| *byte == b'\n') {
            if !see(Some(line)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn read<'a>(line: &'a [u8], scratch: &mut Scratch) -> Glanced<'a> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Glanced::Blank;
    }
    if std::str::from_utf8(line).is_err() {
        return Glanced::Broken;
    }
    // The first reading judges, so that the second one meets nothing that is wrong.
    let mut judge = Scanner::new(line, &Limits::USUAL);
    scratch.clear();
    let judged = judge.open_line().and_then(|()| judge.value(0, scratch));
    let Some(content) = judged.ok().filter(|_| judge.close_line().is_ok()) else { return Glanced::Broken };
    let mut scanner = Scanner::again(line);
    scanner.space();
    match value(&mut scanner, 0) {
        Some(Value::Object(members)) => Glanced::Object { members, content },
        _ => Glanced::Broken,
    }
}

fn value<'a>(scanner: &mut Scanner<'a>, depth: u32) -> Option<Value<'a>> {
    let value = match scanner.token().ok()? {
        Token::Text(text) => Value::Text(as_text(text.value())),
        Token::Number(number) => Value::Number(number),
        Token::Boolean(value) => Value::Boolean(value),
        Token::Null => Value::Null,
        Token::Container if scanner.peek() == Some(b'{') => {
            scanner.enter(depth + 1).ok()?;
            let (mut members, mut count) = (Vec::new(), 0);
            while let Some(key) = scanner.next_key(&mut count).ok()? {
                members.push((as_text(key.value()), value(scanner, depth + 1)?));
            }
            Value::Object(members)
        }
        Token::Container => {
            scanner.enter(depth + 1).ok()?;
            let mut items = Vec::new();
            while scanner.next_item(items.is_empty()).ok()? {
                items.push(value(scanner, depth + 1)?);
            }
            Value::List(items)
        }
    };
    Some(value)
}

/// The bytes of a valid line.
fn as_text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// The hash of a scalar: equal for equal values. 0 for what is none.
#[must_use]
pub fn hash(value: &Value<'_>) -> u64 {
    match value {
        Value::Text(text) => content::text(text.as_bytes()),
        Value::Number(number) => content::number(number),
        Value::Boolean(value) => content::boolean(*value),
        Value::Null | Value::List(_) | Value::Object(_) => 0,
    }
}

/// A text that a `decimal` field takes: a plain number without an exponent.
#[must_use]
pub fn plain_decimal(text: &str) -> Option<Number<'_>> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    match Scanner::again(text.as_bytes()).token() {
        Ok(Token::Number(number)) if is_plain && number.raw.len() == text.len() => Some(number),
        _ => None,
    }
}

/// Whether a `date` field takes this text.
#[must_use]
pub fn is_date(text: &str) -> bool {
    date(text.as_bytes()).is_ok()
}

/// So many units since 1970 as microseconds UTC, where that is a time that a `timestamp` field takes.
#[must_use]
pub fn counted(number: &Number<'_>, unit: Unit) -> Option<i64> {
    super::decode::counted(number, unit).ok()
}

/// The instant of a text that a `timestamp` field takes, in microseconds, and whether it names its offset; one that does
/// not is taken for UTC.
#[must_use]
pub fn moment(text: &str) -> Option<(i64, bool)> {
    if text.len() < 19 {
        return None;
    }
    let read = |zone| instant(text.as_bytes(), zone).ok().map(|instant| instant.micros);
    read(None).map(|micros| (micros, true)).or_else(|| Some((read(Some(Tz::UTC))?, false)))
}
