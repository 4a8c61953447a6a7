//! Ids seen so far: is this event new, a duplicate, or in conflict (DESIGN 4)?

use super::content;
use super::store::{self, SegmentFile};
use crate::error::{Error, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// The content of every id, both as hashes.
#[derive(Debug, Default)]
pub struct Ids {
    contents: HashMap<u128, u64, BuildHasherDefault<IsHash>>,
}

/// What an id says of its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    New,
    Duplicate,
    Conflict,
}

impl Ids {
    /// The ids of events that are in the store.
    pub fn load(files: &[SegmentFile]) -> Result<Self> {
        let mut ids = Self::default();
        ids.contents.reserve(files.iter().map(|file| usize::try_from(file.rows).unwrap_or_default()).sum());
        for file in files {
            for batch in store::read(&file.path, &["_id", "_content"])? {
                ids.add_all(&batch?)?;
            }
        }
        Ok(ids)
    }

    fn add_all(&mut self, batch: &RecordBatch) -> Result<()> {
        let (Some(ids), Some(contents)) = (batch.column_by_name("_id"), batch.column_by_name("_content"))
        else {
            return Err(Error::bug("the event store lacks the ids of its events"));
        };
        let ids = ids.as_string::<i32>();
        let contents = contents.as_primitive::<Int64Type>();
        for (id, &content) in ids.iter().zip(contents.values()) {
            if let Some(id) = id {
                self.contents.insert(content::id(id.as_bytes()), content.cast_unsigned());
            }
        }
        Ok(())
    }

    /// Judges an event by its id; a new id is remembered.
    pub fn judge(&mut self, id: u128, content: u64) -> Standing {
        match self.contents.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(content);
                Standing::New
            }
            Entry::Occupied(entry) if *entry.get() == content => Standing::Duplicate,
            Entry::Occupied(_) => Standing::Conflict,
        }
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct IsHash(u64);

impl Hasher for IsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = content::mix(self.0, u64::from(byte));
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}
