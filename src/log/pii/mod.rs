//! A line → the same line without personal data: before anything else looks at it.
//!
//! Members with these names, wherever they stand in a line, are left out, or their values replaced by a hash that only
//! who has the key can make. What is behind this door (events, undeclared fields, rejects, messages) has never seen
//! them. A line that is no JSON cannot be cleaned: of such a reject nothing is kept but its reason and place.
//!
//! A text may be JSON itself, or hold some, at any number of layers: it is cleaned as a line is. One that cannot be read
//! as JSON and has a marked name as a key in quotes is hashed as a whole, since nobody can say where the value ends.

mod keys;

use super::format::is_said_by_debezium;
use super::json::{Scanner, Token, quoted};
use super::reject::{Code, Flaw};
use crate::error::{Error, Result};
use crate::model::{Limits, Pii};
use keys::has_key;
use std::collections::BTreeSet;

/// What a cleaned value begins with; 64 hexadecimal digits follow.
const MARK: &[u8] = b"pii:";

/// Cleans lines.
#[derive(Debug)]
pub struct Cleaner {
    hash: BTreeSet<Vec<u8>>,
    drop: BTreeSet<Vec<u8>>,
    limits: Limits,
    variable: String,
    /// None: the variable is not set, or too short to keep anything.
    key: Option<Key>,
}

/// Never shown.
struct Key([u8; blake3::KEY_LEN]);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// A shorter key is guessed.
const LEAST_KEY_BYTES: usize = 16;

/// The key of trials, whose lines stand in the pipeline in clear: known to all, so that hashes can be expected.
const TRIAL_KEY: &str = "the key of starlog test";

impl Cleaner {
    /// The cleaner of a pipeline, with the key from the environment, or that of trials.
    pub fn new(pii: &Pii, limits: Limits) -> Self {
        let names = |names: &[String]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let secret = match pii.is_trial {
            true => Some(TRIAL_KEY.to_owned()),
            false => std::env::var(&pii.key_env).ok().filter(|secret| secret.len() >= LEAST_KEY_BYTES),
        };
        Self {
            hash: names(&pii.hash),
            drop: names(&pii.drop),
            limits,
            variable: pii.key_env.clone(),
            key: secret.map(|secret| Key(blake3::derive_key("starlog 2026-11 pii", secret.as_bytes()))),
        }
    }

    /// What a log remembers of its names and key, to know them again.
    ///
    /// # Errors
    /// The operator's: there is no key.
    pub fn fingerprint(&self) -> Result<String> {
        let Some(Key(key)) = &self.key else {
            let message = format!(
                "the environment variable {} holds no key of {LEAST_KEY_BYTES} bytes at least",
                self.variable
            );
            return Err(Error::operator(message).next(
                "set it to the key of this log: `[log.pii]` marks fields that nothing may hold in clear",
            ));
        };
        let mut hasher = blake3::Hasher::new_keyed(key);
        for names in [&self.hash, &self.drop] {
            for name in names {
                hasher.update(name).update(b"\n");
            }
            hasher.update(b"\n");
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// The line without what is personal.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn clean(&self, line: &[u8]) -> Result<Vec<u8>, Flaw> {
        // A tombstone is no object, and says nothing.
        if line.trim_ascii() == b"null" {
            return Ok(line.to_vec());
        }
        let mut scanner = Scanner::new(line, &self.limits);
        let mut out = Vec::with_capacity(line.len());
        scanner.open_line()?;
        self.value(&mut scanner, 0, &mut out)?;
        scanner.close_line()?;
        Ok(out)
    }

    /// What is kept of a line that was rejected.
    pub fn kept(&self, line: &[u8]) -> Vec<u8> {
        let is_text = std::str::from_utf8(line).is_ok();
        is_text.then(|| self.clean(line).ok()).flatten().unwrap_or_default()
    }

    fn value(&self, scanner: &mut Scanner<'_>, depth: u32, out: &mut Vec<u8>) -> Result<(), Flaw> {
        let start = scanner.at();
        match scanner.token()? {
            Token::Container => {}
            Token::Text(text) => {
                match self.text(&text.value(), depth) {
                    Some(cleaned) => out.extend_from_slice(&cleaned),
                    None => out.extend_from_slice(scanner.since(start)),
                }
                return Ok(());
            }
            _ => {
                out.extend_from_slice(scanner.since(start));
                return Ok(());
            }
        }
        let is_object = scanner.peek() == Some(b'{');
        scanner.enter(depth + 1)?;
        out.push(if is_object { b'{' } else { b'[' });
        let begin = out.len();
        if is_object {
            let (mut count, mut cleaned) = (0, Vec::new());
            while let Some(key) = scanner.next_key(&mut count)? {
                let name = key.value();
                cleaned.clear();
                let start = scanner.at();
                if self.hash.contains(&*name) {
                    self.hashed(scanner, depth + 1, &mut cleaned)?;
                } else {
                    self.value(scanner, depth + 1, &mut cleaned)?;
                }
                let hides_a_name = has_key(&name, |name| self.is_marked(name));
                let is_dropped = self.drop.contains(&*name) && !is_said_by_debezium(scanner.since(start));
                if is_dropped || hides_a_name && self.key.is_none() {
                    continue;
                }
                if out.len() > begin {
                    out.push(b',');
                }
                if hides_a_name {
                    self.write_hash(&name, out);
                } else {
                    out.push(b'"');
                    out.extend_from_slice(key.raw);
                    out.push(b'"');
                }
                out.push(b':');
                out.extend_from_slice(&cleaned);
            }
        } else {
            while scanner.next_item(out.len() == begin)? {
                if out.len() > begin {
                    out.push(b',');
                }
                self.value(scanner, depth + 1, out)?;
            }
        }
        out.push(if is_object { b'}' } else { b']' });
        Ok(())
    }

    fn is_marked(&self, name: &[u8]) -> bool {
        self.hash.contains(name) || self.drop.contains(name)
    }

    /// A text without what is personal in it, as JSON; none where nothing is. It counts as one level of depth, since
    /// whoever reads what is nested calls itself.
    fn text(&self, text: &[u8], depth: u32) -> Option<Vec<u8>> {
        if !has_key(text, |name| self.is_marked(name)) {
            return None;
        }
        let mut cleaned = Vec::new();
        Some(match self.whole(text, depth + 1, &mut cleaned) {
            Ok(()) => quoted(&String::from_utf8_lossy(&cleaned)),
            Err(_) => {
                let mut hash = Vec::new();
                self.write_hash(text, &mut hash);
                hash
            }
        })
    }

    /// One value and nothing else.
    fn whole(&self, text: &[u8], depth: u32, out: &mut Vec<u8>) -> Result<(), Flaw> {
        let mut scanner = Scanner::new(text, &self.limits);
        if depth > self.limits.depth {
            return Err(Flaw::new(Code::Depth, "a text in a text in a text"));
        }
        scanner.space();
        self.value(&mut scanner, depth, out)?;
        scanner.space();
        match scanner.peek() {
            None => Ok(()),
            Some(_) => Err(Flaw::new(Code::JsonSyntax, "something behind the value")),
        }
    }

    /// The hash of the value at the cursor: of its type and its normal form, so that 7 and 7.0 are one and "7" is another.
    /// Null says nothing, and neither does what Debezium puts for a value; what has been hashed before stays.
    fn hashed(&self, scanner: &mut Scanner<'_>, depth: u32, out: &mut Vec<u8>) -> Result<(), Flaw> {
        let start = scanner.at();
        let value = match scanner.peek() {
            Some(b'"' | b'n') => match scanner.token()? {
                Token::Text(text) => text.value().into_owned(),
                _ => {
                    out.extend_from_slice(b"null");
                    return Ok(());
                }
            },
            // No text begins with a zero.
            _ => {
                let mut value = vec![0];
                scanner.normal(depth, &mut value)?;
                value
            }
        };
        let raw = scanner.since(start);
        if is_hashed(&value) || is_said_by_debezium(raw) {
            out.extend_from_slice(raw);
        } else {
            self.write_hash(&value, out);
        }
        Ok(())
    }

    /// Writes what stands for a value, as JSON.
    fn write_hash(&self, value: &[u8], out: &mut Vec<u8>) {
        let Some(Key(key)) = &self.key else {
            // No log takes lines in without the key (`fingerprint`); whoever merely looks at one does without the value.
            return out.extend_from_slice(b"null");
        };
        out.push(b'"');
        out.extend_from_slice(MARK);
        out.extend_from_slice(blake3::keyed_hash(key, value).to_hex().as_bytes());
        out.push(b'"');
    }
}

fn is_hashed(value: &[u8]) -> bool {
    let digits = value.strip_prefix(MARK).unwrap_or_default();
    digits.len() == 2 * blake3::OUT_LEN
        && digits.iter().all(|digit| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f'))
}
