//! CSV as RFC 4180 has it: where does a record end, and what are its cells?
//!
//! Our own, because a record must be judged: the `csv` crate takes a stray quote for data, and what it then reads as one
//! cell may be half a file.

use crate::log::reject::{Code, Flaw};
use std::borrow::Cow;

/// The number of bytes of the record at the start of these bytes, line end included; `None`: it does not end here.
pub fn record_length(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        if rest.first() == Some(&b'"') {
            at += 1 + quoted_length(rest.get(1..)?)?;
        }
        // Behind a quoted cell nothing may stand but a delimiter or the end; that is judged later.
        let rest = bytes.get(at..)?;
        at += memchr::memchr2(delimiter, b'\n', rest)? + 1;
        if bytes.get(at - 1) == Some(&b'\n') {
            return Some(at);
        }
    }
}

/// The number of bytes up to and with the quote that ends a cell.
fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// Looks for the end of a record that comes in pieces.
#[derive(Debug, Clone, Copy)]
pub struct RecordEnd {
    delimiter: u8,
    at: Within,
}

/// Where in a record the next byte stands.
#[derive(Debug, Clone, Copy)]
enum Within {
    /// At the beginning of a cell.
    Begin,
    /// In a cell that does not begin with a quote, or behind the quote that ends one.
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first half of a quote.
    Quote,
}

impl RecordEnd {
    /// At the beginning of a record.
    pub fn new(delimiter: u8) -> Self {
        Self { delimiter, at: Within::Begin }
    }

    /// Where the record ends in the next piece, line end included.
    pub fn find(&mut self, piece: &[u8]) -> Option<usize> {
        for (place, &byte) in piece.iter().enumerate() {
            self.at = match (self.at, byte) {
                (Within::Begin, b'"') | (Within::Quote, b'"') => Within::Quoted,
                (Within::Quoted, b'"') => Within::Quote,
                (Within::Quoted, _) => Within::Quoted,
                (_, b'\n') => return Some(place + 1),
                (_, byte) if byte == self.delimiter => Within::Begin,
                _ => Within::Plain,
            };
        }
        None
    }
}

/// Where the last whole record in these bytes ends, which begin with a record.
pub fn last_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut end = 0;
    while let Some(length) = bytes.get(end..).and_then(|rest| record_length(rest, delimiter)) {
        end += length;
    }
    (end > 0).then_some(end)
}

/// The cells of a record, without its line end.
pub fn cells(record: &str, delimiter: u8) -> Result<Vec<Cow<'_, str>>, Flaw> {
    let delimiter = char::from(delimiter);
    let mut cells = Vec::new();
    let mut rest = record;
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(inner) => {
                let length = quoted_length(inner.as_bytes())
                    .ok_or_else(|| quote(cells.len(), "a quoted cell does not end"))?;
                let (cell, behind) = inner.split_at(length);
                let cell = cell.strip_suffix('"').unwrap_or(cell);
                let cell =
                    if cell.contains('"') { Cow::Owned(cell.replace("\"\"", "\"")) } else { cell.into() };
                (cell, behind)
            }
            None => {
                let (cell, behind) = rest.split_at(rest.find(delimiter).unwrap_or(rest.len()));
                if cell.contains('"') {
                    return Err(quote(cells.len(), "a quote inside a cell that does not begin with one"));
                }
                (cell.into(), behind)
            }
        };
        cells.push(cell);
        match behind.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(cells),
            None => return Err(quote(cells.len() - 1, "text behind the quote that ends a cell")),
        }
    }
}

#[cold]
fn quote(cell: usize, message: &str) -> Flaw {
    Flaw::new(Code::CsvQuote, format!("column {}: {message}", cell + 1))
}
