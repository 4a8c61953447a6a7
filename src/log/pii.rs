//! A line → the same line without personal data: before anything else looks at it.
//!
//! Members with these names, wherever they stand in a line, are left out, or their values replaced by a hash that only
//! who has the key can make. What is behind this door (events, undeclared fields, rejects, messages) has never seen
//! them. A line that is no JSON cannot be cleaned: of such a reject nothing is kept but its reason and place.

use super::json::{Scanner, Token};
use super::reject::Flaw;
use crate::error::{Error, Result};
use crate::model::{Limits, Pii};
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

impl Cleaner {
    /// The cleaner of a pipeline, with the key from the environment.
    pub fn new(pii: &Pii, limits: Limits) -> Self {
        let names = |names: &[String]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let secret = std::env::var(&pii.key_env).ok().filter(|secret| secret.len() >= LEAST_KEY_BYTES);
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
                match self.inside(&text.value()) {
                    Some(cleaned) => out.extend_from_slice(cleaned.as_bytes()),
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
            let mut count = 0;
            while let Some(key) = scanner.next_key(&mut count)? {
                let name = key.value();
                if self.drop.contains(&*name) {
                    self.value(scanner, depth + 1, &mut Vec::new())?;
                    continue;
                }
                if out.len() > begin {
                    out.push(b',');
                }
                out.push(b'"');
                out.extend_from_slice(key.raw);
                out.extend_from_slice(b"\":");
                if self.hash.contains(&*name) {
                    self.hashed(scanner, depth + 1, out)?;
                } else {
                    self.value(scanner, depth + 1, out)?;
                }
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

    /// A text that is an object itself, as an outbox has it, cleaned; none if it is no object.
    fn inside(&self, text: &[u8]) -> Option<String> {
        let cleaned = if text.first() == Some(&b'{') { self.clean(text).ok()? } else { return None };
        serde_json::to_string(std::str::from_utf8(&cleaned).ok()?).ok()
    }

    /// The hash of the value at the cursor. Null says nothing, and what has been hashed before stays.
    fn hashed(&self, scanner: &mut Scanner<'_>, depth: u32, out: &mut Vec<u8>) -> Result<(), Flaw> {
        let start = scanner.at();
        let value = match scanner.token()? {
            Token::Null => {
                out.extend_from_slice(b"null");
                return Ok(());
            }
            Token::Text(text) => text.value().into_owned(),
            Token::Container => {
                self.value(scanner, depth, &mut Vec::new())?;
                scanner.since(start).to_vec()
            }
            Token::Number(_) | Token::Boolean(_) => scanner.since(start).to_vec(),
        };
        if is_hashed(&value) {
            out.push(b'"');
            out.extend_from_slice(&value);
            out.push(b'"');
        } else if let Some(Key(key)) = &self.key {
            out.push(b'"');
            out.extend_from_slice(MARK);
            out.extend_from_slice(blake3::keyed_hash(key, &value).to_hex().as_bytes());
            out.push(b'"');
        } else {
            // No log takes lines in without the key (`fingerprint`); whoever merely looks at one does without the value.
            out.extend_from_slice(b"null");
        }
        Ok(())
    }
}

fn is_hashed(value: &[u8]) -> bool {
    let digits = value.strip_prefix(MARK).unwrap_or_default();
    digits.len() == 2 * blake3::OUT_LEN
        && digits.iter().all(|digit| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f'))
}
