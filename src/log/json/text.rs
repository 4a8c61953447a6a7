//! JSON strings: find the end, judge every escape, give the value.

use crate::log::reject::{Code, Flaw};
use std::borrow::Cow;

/// A string whose bytes and escapes have been found valid.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What stands between the quotes.
    pub raw: &'a [u8],
    /// Whether the raw bytes hold escapes.
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// The value.
    pub fn value(&self) -> Cow<'a, [u8]> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut bytes = Vec::with_capacity(self.raw.len());
        self.append_to(&mut bytes);
        Cow::Owned(bytes)
    }

    /// The value, added to a buffer.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>) {
        if self.escaped {
            unescape(self.raw, out);
        } else {
            out.extend_from_slice(self.raw);
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes from the start are plain: no quote, no backslash, no control character.
/// Eight bytes at a time; the carries of this trick reach only bytes above the first hit.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some((chunk, _)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let hits = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGHS;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap_or(rest.len())
}

/// Reads a string from behind its opening quote; returns it and the bytes used, closing quote included.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<(Text<'_>, usize), Flaw> {
    let end = plain_prefix(bytes);
    match bytes.get(end) {
        Some(b'"') => Ok((Text { raw: bytes.get(..end).unwrap_or_default(), escaped: false }, end + 1)),
        _ => read_escaped(bytes, end),
    }
}

fn read_escaped(bytes: &[u8], mut at: usize) -> Result<(Text<'_>, usize), Flaw> {
    loop {
        match bytes.get(at) {
            Some(b'"') => {
                return Ok((Text { raw: bytes.get(..at).unwrap_or_default(), escaped: true }, at + 1));
            }
            Some(b'\\') => at += escape_length(bytes.get(at..).unwrap_or_default())?,
            Some(_) => return Err(Flaw::new(Code::JsonSyntax, "a control character inside a string")),
            None => return Err(Flaw::new(Code::JsonSyntax, "a string does not end")),
        }
        at += plain_prefix(bytes.get(at..).unwrap_or_default());
    }
}

/// The length of a valid escape at the start of these bytes.
fn escape_length(bytes: &[u8]) -> Result<usize, Flaw> {
    match bytes.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match hex4(bytes.get(2..)) {
            None => Err(Flaw::new(Code::JsonSyntax, "\\u wants four hexadecimal digits")),
            Some(0) => Err(Flaw::new(Code::Nul, "\\u0000 in a string")),
            Some(0xD800..=0xDBFF) => match (bytes.get(6), bytes.get(7), hex4(bytes.get(8..))) {
                (Some(b'\\'), Some(b'u'), Some(0xDC00..=0xDFFF)) => Ok(12),
                _ => Err(Flaw::new(Code::Surrogate, "a high surrogate without its low one")),
            },
            Some(0xDC00..=0xDFFF) => Err(Flaw::new(Code::Surrogate, "a low surrogate without its high one")),
            Some(_) => Ok(6),
        },
        _ => Err(Flaw::new(Code::JsonSyntax, "an unknown escape in a string")),
    }
}

fn hex4(bytes: Option<&[u8]>) -> Option<u32> {
    let (digits, _) = bytes?.split_first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}

/// Adds the value of a valid raw string.
fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (character, length) = unescape_one(escape);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn unescape_one(escape: &[u8]) -> (char, usize) {
    let simple = |character| (character, 2);
    match escape.get(1) {
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'n') => simple('\n'),
        Some(b'r') => simple('\r'),
        Some(b't') => simple('\t'),
        Some(b'u') => {
            let unit = hex4(escape.get(2..)).unwrap_or_default();
            if (0xD800..0xDC00).contains(&unit) {
                let low = hex4(escape.get(8..)).unwrap_or_default();
                let point = 0x1_0000 + ((unit - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                (char::from_u32(point).unwrap_or_default(), 12)
            } else {
                (char::from_u32(unit).unwrap_or_default(), 6)
            }
        }
        Some(&other) => simple(char::from(other)),
        None => simple('\\'),
    }
}
