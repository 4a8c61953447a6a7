//! Values that nobody declared: read as strictly as declared ones, and hashed as what they mean.

use super::{Scanner, Scratch, Text, Token};
use crate::log::content;
use crate::log::reject::{Code, Flaw};

/// Up to this many keys, comparing all pairs is cheaper than sorting.
const FEW_KEYS: usize = 12;

impl Scratch {
    /// The hash of a string's value.
    #[inline]
    pub fn hash(&mut self, text: Text<'_>) -> u64 {
        if !text.escaped {
            return content::text(text.raw);
        }
        self.text.clear();
        text.append_to(&mut self.text);
        content::text(&self.text)
    }

    /// Makes ready for the next line.
    pub fn clear(&mut self) {
        self.keys.clear();
    }

    /// Marks the beginning of an object's keys.
    #[inline]
    pub fn mark(&self) -> usize {
        self.keys.len()
    }

    /// Adds a key, by its hash, to the innermost object.
    #[inline]
    pub fn add_key(&mut self, hash: u64) {
        self.keys.push(hash);
    }

    /// Ends an object: no two of its keys may be equal.
    #[inline]
    pub fn end_keys(&mut self, mark: usize) -> Result<(), Flaw> {
        let keys = self.keys.get_mut(mark..).unwrap_or_default();
        let twice = if keys.len() <= FEW_KEYS {
            keys.iter().enumerate().any(|(at, key)| keys.iter().take(at).any(|other| other == key))
        } else {
            keys.sort_unstable();
            keys.windows(2).any(|pair| pair.first() == pair.last())
        };
        self.keys.truncate(mark);
        if twice { Err(Flaw::new(Code::DuplicateKey, "a key stands twice in one object")) } else { Ok(()) }
    }
}

impl Scanner<'_> {
    /// Reads the value at the cursor, inside containers of this depth, and returns its hash:
    /// equal for equal JSON values, whatever the order of keys and the way numbers are written.
    pub fn value(&mut self, depth: u32, scratch: &mut Scratch) -> Result<u64, Flaw> {
        match self.token()? {
            Token::Text(text) => Ok(scratch.hash(text)),
            Token::Number(number) => Ok(content::number(&number)),
            Token::Boolean(value) => Ok(content::boolean(value)),
            Token::Null => Ok(content::NULL),
            Token::Container => self.container(depth + 1, scratch),
        }
    }

    fn container(&mut self, depth: u32, scratch: &mut Scratch) -> Result<u64, Flaw> {
        let is_object = self.peek() == Some(b'{');
        self.enter(depth)?;
        if is_object {
            let mark = scratch.mark();
            let mut sum = content::Members::default();
            let mut count = 0;
            while let Some(key) = self.next_key(&mut count)? {
                let key = scratch.hash(key);
                scratch.add_key(key);
                sum.add(key, self.value(depth, scratch)?);
            }
            scratch.end_keys(mark)?;
            Ok(sum.finish())
        } else {
            let mut items = content::Items::default();
            while self.next_item(items.is_empty())? {
                items.add(self.value(depth, scratch)?);
            }
            Ok(items.finish())
        }
    }
}
