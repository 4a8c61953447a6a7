//! A sorted file of ids and the contents that they came with: looked up by reading one block of it.
//!
//! Entries of 24 bytes (id, content; little-endian), sorted by id; then the first id of each block of entries, a
//! Bloom filter, and how long each part is. Reading it takes as much memory as the last two.

use super::super::head::RESTORE;
use super::super::store::HashedFile;
use crate::disk::Disk;
use crate::error::{Error, Result};
use parquet::bloom_filter::Sbbf;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An id and the content of its event, both as hashes.
pub type Entry = (u128, u64);

const ENTRY_BYTES: usize = 24;
const BLOCK_ENTRIES: usize = 128;
/// One in about a hundred ids that are not there is looked for all the same.
const FILTER_BITS_PER_ENTRY: u64 = 12;
const END_BYTES: usize = 24;
const MAGIC: &[u8; 8] = b"ids-v001";

/// What the log's head knows of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its name in the folder of ids.
    pub file: String,
    pub entries: u64,
    pub blake3: String,
}

/// An open run.
pub struct Run {
    pub record: RunRecord,
    path: PathBuf,
    file: File,
    /// The first id of each block.
    blocks: Vec<u128>,
    filter: Sbbf,
}

impl Run {
    /// Opens a run.
    ///
    /// # Errors
    /// The operator's, if it cannot be read or is not what the head says.
    pub fn open(folder: &Path, record: &RunRecord) -> Result<Self> {
        let path = folder.join(&record.file);
        let read = || -> io::Result<Option<(File, Vec<u128>, Sbbf)>> {
            let file = File::open(&path)?;
            let size_bytes = file.metadata()?.len();
            let mut end = [0; END_BYTES];
            let Some(at) = size_bytes.checked_sub(END_BYTES as u64) else { return Ok(None) };
            file.read_exact_at(&mut end, at)?;
            let (entries, filter_bytes) = (number(&end, 0), number(&end, 8));
            let blocks_bytes = entries.div_ceil(BLOCK_ENTRIES as u64) * 16;
            let expected = (entries * ENTRY_BYTES as u64).checked_add(blocks_bytes + filter_bytes);
            if !end.ends_with(MAGIC) || entries != record.entries || expected != Some(at) {
                return Ok(None);
            }
            let mut index = vec![0; usize::try_from(blocks_bytes + filter_bytes).unwrap_or_default()];
            file.read_exact_at(&mut index, entries * ENTRY_BYTES as u64)?;
            let (blocks, filter) = index.split_at(usize::try_from(blocks_bytes).unwrap_or_default());
            let blocks = blocks.as_chunks().0.iter().map(|id| u128::from_le_bytes(*id)).collect();
            Ok(Some((file, blocks, Sbbf::new(filter))))
        };
        match read() {
            Ok(Some((file, blocks, filter))) => {
                Ok(Self { record: record.clone(), path, file, blocks, filter })
            }
            Ok(None) => Err(Error::operator(format!("{} is damaged", path.display())).next(RESTORE)),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    /// The content that an id came with.
    pub fn content(&self, id: u128) -> Result<Option<u64>> {
        if !self.filter.check(id.to_le_bytes().as_slice()) {
            return Ok(None);
        }
        let Some(block) = self.blocks.partition_point(|&first| first <= id).checked_sub(1) else {
            return Ok(None);
        };
        let begin = (block * BLOCK_ENTRIES) as u64;
        let entries = (self.record.entries - begin).min(BLOCK_ENTRIES as u64) as usize;
        let mut bytes = [0; BLOCK_ENTRIES * ENTRY_BYTES];
        let bytes = &mut bytes[..entries * ENTRY_BYTES];
        let read = self.file.read_exact_at(bytes, begin * ENTRY_BYTES as u64);
        read.map_err(|error| Error::io("read", &self.path, error))?;
        let entries = bytes.as_chunks().0;
        let found = entries.binary_search_by_key(&id, |bytes| entry(bytes).0);
        Ok(found.ok().and_then(|at| entries.get(at)).map(|bytes| entry(bytes).1))
    }

    /// All entries, sorted.
    fn entries(&self) -> Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        let file = File::open(&self.path).map_err(|error| Error::io("open", &self.path, error))?;
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut left = self.record.entries;
        Ok(std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let mut bytes = [0; ENTRY_BYTES];
            Some(file.read_exact(&mut bytes).map(|()| entry(&bytes)))
        }))
    }
}

/// Writes sorted entries, each id once, as a run. It is durable when this returns.
pub fn write(
    disk: &Disk,
    folder: &Path,
    name: String,
    count: u64,
    entries: impl Iterator<Item = io::Result<Entry>>,
) -> Result<RunRecord> {
    let path = folder.join(&name);
    let write = || -> io::Result<RunRecord> {
        let mut filter = Sbbf::new_with_num_of_bytes((count * FILTER_BITS_PER_ENTRY / 8) as usize);
        let mut blocks = Vec::new();
        let mut file = BufWriter::with_capacity(1 << 20, HashedFile::new(disk.create(&path)?));
        let mut written: u64 = 0;
        for entry in entries {
            let (id, content) = entry?;
            if written.is_multiple_of(BLOCK_ENTRIES as u64) {
                blocks.push(id);
            }
            filter.insert(id.to_le_bytes().as_slice());
            file.write_all(&id.to_le_bytes())?;
            file.write_all(&content.to_le_bytes())?;
            written += 1;
        }
        for id in blocks {
            file.write_all(&id.to_le_bytes())?;
        }
        let mut bits = Vec::new();
        filter.write_bitset(&mut bits).map_err(io::Error::other)?;
        file.write_all(&bits)?;
        file.write_all(&written.to_le_bytes())?;
        file.write_all(&(bits.len() as u64).to_le_bytes())?;
        file.write_all(MAGIC)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(RunRecord { file: name, entries: written, blake3: file.finish()?.blake3 })
    };
    write().map_err(|error| Error::io("write", &path, error))
}

/// Writes two runs as one.
pub fn merge(disk: &Disk, folder: &Path, name: String, one: &Run, other: &Run) -> Result<RunRecord> {
    let count = one.record.entries + other.record.entries;
    let (mut one, mut other) = (one.entries()?.peekable(), other.entries()?.peekable());
    let merged = std::iter::from_fn(|| match (one.peek(), other.peek()) {
        (Some(Ok(left)), Some(Ok(right))) if right.0 < left.0 => other.next(),
        (None, _) => other.next(),
        (Some(_), _) => one.next(),
    });
    write(disk, folder, name, count, merged)
}

fn entry(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    (u128::from_le_bytes(id), number(bytes, 16))
}

fn number(bytes: &[u8; ENTRY_BYTES], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
