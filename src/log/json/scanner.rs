//! A cursor over one line that hands out tokens and refuses whatever is not JSON.

use super::{Number, Text, number, text};
use crate::log::reject::{Code, Flaw};
use crate::model::Limits;

/// A value, or the beginning of one.
#[derive(Debug, Clone, Copy)]
pub enum Token<'a> {
    Text(Text<'a>),
    Number(Number<'a>),
    Boolean(bool),
    Null,
    /// An object or list; the scanner stands at its first byte.
    Container,
}

/// What is used again from line to line.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Hashes of the keys of the objects that are open, the innermost last.
    pub(super) keys: Vec<u64>,
    /// The value of a string with escapes, while it is being hashed.
    pub(super) text: Vec<u8>,
}

/// A cursor over the bytes of one line, which are known to be UTF-8.
#[derive(Debug)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
}

/// Of text that has been judged before, under limits that may have been others: none but the depth at which all end.
static ALREADY_JUDGED: Limits = Limits {
    line_bytes: usize::MAX,
    depth: Limits::DEEPEST,
    fields: u32::MAX,
    record_lines: usize::MAX,
    key_bytes: usize::MAX,
    decompression_ratio: u64::MAX,
};

impl<'a> Scanner<'a> {
    /// At the beginning of a line that is to be judged.
    pub fn new(bytes: &'a [u8], limits: &'a Limits) -> Self {
        Self { bytes, at: 0, limits }
    }

    /// At the beginning of a part of a line that has been judged.
    pub fn again(bytes: &'a [u8]) -> Self {
        Self::new(bytes, &ALREADY_JUDGED)
    }

    /// Where the cursor stands.
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The bytes from a place to the cursor.
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Enters an object or list of this depth; the cursor stands at its bracket.
    #[inline]
    pub fn enter(&mut self, depth: u32) -> Result<(), Flaw> {
        self.at += 1;
        if depth > self.limits.depth {
            return Err(Flaw::new(Code::Depth, format!("nested deeper than {}", self.limits.depth)));
        }
        Ok(())
    }

    /// The next key of an object, with the cursor at its value; `None` behind the closing brace.
    /// `count` is the number of members so far.
    #[inline]
    pub fn next_key(&mut self, count: &mut u32) -> Result<Option<Text<'a>>, Flaw> {
        self.space();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if *count > 0 => {
                self.at += 1;
                self.space();
            }
            Some(b'"') if *count == 0 => {}
            _ if *count == 0 => return Err(self.syntax("a key in quotes, or `}`")),
            _ => return Err(self.syntax("`,` or `}`")),
        }
        if self.peek() != Some(b'"') {
            return Err(self.syntax("a key in quotes"));
        }
        let key = self.text()?;
        let longest = self.limits.key_bytes;
        if key.raw.len() > longest {
            return Err(Flaw::new(Code::KeyTooLong, format!("a key of more than {longest} bytes")));
        }
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.syntax("`:`"));
        }
        self.at += 1;
        self.space();
        *count += 1;
        let most = self.limits.fields;
        if *count > most {
            return Err(Flaw::new(Code::TooManyFields, format!("an object of more than {most} fields")));
        }
        Ok(Some(key))
    }

    /// Whether a list has one more item, with the cursor at it; false behind the closing bracket.
    #[inline]
    pub fn next_item(&mut self, first: bool) -> Result<bool, Flaw> {
        self.space();
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                return Ok(false);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.space();
            }
            _ if first => {}
            _ => return Err(self.syntax("`,` or `]`")),
        }
        Ok(true)
    }

    /// The scalar at the cursor, which moves behind it; at a container the cursor stays.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Flaw> {
        match self.peek() {
            Some(b'"') => self.text().map(Token::Text),
            Some(b'-' | b'0'..=b'9') => {
                let number = number::read(self.bytes.get(self.at..).unwrap_or_default())?;
                self.at += number.raw.len();
                Ok(Token::Number(number))
            }
            Some(b'{' | b'[') => Ok(Token::Container),
            Some(b't') => self.word(b"true", Token::Boolean(true)),
            Some(b'f') => self.word(b"false", Token::Boolean(false)),
            Some(b'n') => self.word(b"null", Token::Null),
            _ => Err(self.syntax("a value")),
        }
    }

    #[inline]
    fn text(&mut self) -> Result<Text<'a>, Flaw> {
        let (text, used) = text::read(self.bytes.get(self.at + 1..).unwrap_or_default())?;
        self.at += 1 + used;
        Ok(text)
    }

    fn word(&mut self, word: &[u8], token: Token<'a>) -> Result<Token<'a>, Flaw> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.syntax("a value"));
        }
        self.at += word.len();
        Ok(token)
    }

    /// A syntax error at the cursor.
    #[cold]
    pub(super) fn syntax(&self, wanted: &str) -> Flaw {
        let message = match self.bytes.get(self.at..).and_then(|rest| rest.utf8_chunks().next()) {
            Some(chunk) => {
                let found = chunk.valid().chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                format!("at byte {}: expected {wanted}, found {found:?}", self.at)
            }
            None => format!("the line ends where {wanted} is expected"),
        };
        Flaw::new(Code::JsonSyntax, message)
    }
}
