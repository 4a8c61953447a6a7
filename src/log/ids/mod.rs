//! Ids seen so far: is this event new, a duplicate, or in conflict (DESIGN 4)?
//!
//! What earlier ingests saw is in sorted files ([`Run`]), of which a few blocks are read; what this one sees is in
//! memory, up to a limit. So memory does not grow with the log, but for a byte and a half an event.

mod run;

pub use run::RunRecord;

use super::content;
use super::store::{self, SegmentFile};
use crate::disk::Disk;
use crate::error::{Error, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use rayon::slice::ParallelSliceMut;
use run::{Entry, Run};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The content of every id, both as hashes.
pub struct Ids {
    disk: Disk,
    folder: PathBuf,
    /// The number of the ingest: runs that it writes are named after it.
    number: u64,
    named: u64,
    /// From the oldest on; none is much smaller than all that are newer.
    runs: Vec<Run>,
    recent: HashMap<u128, u64, BuildHasherDefault<IsHash>>,
    /// How many ids are kept in memory.
    limit: usize,
}

/// What an id says of its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    New,
    Duplicate,
    Conflict,
}

/// A hash table of them takes 140 MB.
const RECENT: usize = (1 << 22) / 8 * 7;

impl Ids {
    /// No ids yet. Runs are written into this folder, under names that begin with the number.
    pub fn new(disk: &Disk, folder: PathBuf, number: u64) -> Self {
        Self {
            disk: disk.clone(),
            folder,
            number,
            named: 0,
            runs: Vec::new(),
            recent: HashMap::default(),
            limit: RECENT,
        }
    }

    /// Remembers the ids of all events of the log: from the runs that the head names, or else from the events, which
    /// say it again.
    pub fn recall(&mut self, records: Option<&Vec<RunRecord>>, events: &[SegmentFile]) -> Result<()> {
        let are_open = records.is_some_and(|records| self.open(records).is_ok());
        if are_open { Ok(()) } else { self.load(events) }
    }

    /// Opens the runs that hold the ids of all events of the log.
    fn open(&mut self, records: &[RunRecord]) -> Result<()> {
        self.runs = records.iter().map(|record| Run::open(&self.folder, record)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Takes the ids from the events themselves: of a log that was begun before there were runs.
    fn load(&mut self, files: &[SegmentFile]) -> Result<()> {
        for file in files {
            self.disk.go_on()?;
            for batch in store::read(&file.path, &["_id", "_content"])? {
                self.add_all(&batch?)?;
            }
        }
        Ok(())
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
                self.judge(content::id(id.as_bytes()), content.cast_unsigned())?;
            }
        }
        Ok(())
    }

    /// Judges an event by its id; a new id is remembered.
    pub fn judge(&mut self, id: u128, content: u64) -> Result<Standing> {
        if self.recent.len() >= self.limit {
            self.write_recent()?;
        }
        let known = match self.recent.entry(id) {
            Place::Occupied(entry) => *entry.get(),
            Place::Vacant(entry) => {
                let found = self.runs.iter().rev().find_map(|run| run.content(id).transpose());
                match found.transpose()? {
                    Some(known) => known,
                    None => {
                        entry.insert(content);
                        return Ok(Standing::New);
                    }
                }
            }
        };
        Ok(if known == content { Standing::Duplicate } else { Standing::Conflict })
    }

    /// All ids on disk, in few runs. What the log's head then does not name is swept away by a later ingest.
    pub fn finish(mut self) -> Result<Vec<RunRecord>> {
        self.write_recent()?;
        while let [.., older, newer] = self.runs.as_slice()
            && older.record.entries < MERGED * newer.record.entries
        {
            self.disk.go_on()?;
            let name = name(self.number, &mut self.named);
            let merged = run::merge(&self.disk, &self.folder, name, older, newer)?;
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(Run::open(&self.folder, &merged)?);
        }
        if self.named > 0 {
            let synced = self.disk.sync_dir(&self.folder);
            synced.map_err(|error| Error::io("sync", &self.folder, error))?;
        }
        Ok(self.runs.into_iter().map(|run| run.record).collect())
    }

    fn write_recent(&mut self) -> Result<()> {
        if self.recent.is_empty() {
            return Ok(());
        }
        let mut entries: Vec<Entry> = std::mem::take(&mut self.recent).into_iter().collect();
        entries.par_sort_unstable();
        let made = self.disk.create_dir_all(&self.folder);
        made.map_err(|error| Error::io("create", &self.folder, error))?;
        let name = name(self.number, &mut self.named);
        let count = entries.len() as u64;
        let record = run::write(&self.disk, &self.folder, name, count, entries.into_iter().map(Ok))?;
        self.runs.push(Run::open(&self.folder, &record)?);
        Ok(())
    }
}

/// A run is merged with the next one if it is not this many times larger: there are few runs, and an id is
/// written again only a few times.
const MERGED: u64 = 4;

fn name(number: u64, named: &mut u64) -> String {
    *named += 1;
    format!("{number}-{named}.ids")
}

/// Where a log keeps its ids.
pub fn folder(log: &Path) -> PathBuf {
    log.join("ids")
}

/// Removes the files of this folder that are none of these runs: an interrupted ingest left them, or they have
/// been merged since.
pub fn sweep(disk: &Disk, folder: &Path, runs: &[RunRecord]) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", folder, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| Error::io("list", folder, error))?.path();
        let is_known = runs.iter().any(|run| path.file_name().is_some_and(|name| *name == *run.file));
        if !is_known {
            disk.remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
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
