//! Tables → a published release: where is it kept, and which is current? (DESIGN 25-28)
//!
//! A warehouse is a folder: `warehouse.json` (whose it is), `lock`, `log/`, `releases/<number>/`,
//! `staging/`, `runs.jsonl` and the symbolic link `current`. [`Warehouse`] is what a reader holds and
//! changes nothing; [`Writer`] holds the lock; [`Staged`] is a release that nobody sees yet, and
//! [`Staged::publish`] is the only door to readers.
//!
//! This room never changes a published file, and no byte that it writes into a release comes from a
//! clock, a machine or the order of threads.

mod hashes;
mod hold;
mod identity;
mod manifest;
mod months;
mod parquet;
mod publish;
mod release;
mod removal;
mod source;
mod staged;
mod sums;
mod writer;

pub use hold::Hold;
pub use manifest::{
    Column, DataFile, LogEnd, LogLines, LogRelation, Manifest, Pipeline, Relations, TableEntry, ViewEntry,
    WideRelation,
};
pub use months::Month;
pub use parquet::{Encoded, decode, encode};
pub use release::Release;
pub use staged::{FactPlan, Staged, view_path};
pub(crate) use sums::difference;
pub use writer::{Locked, Writer};

use crate::disk::Lock;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The version of what this program writes: table rules, Parquet settings and the manifest. A change
/// to any byte of a release for the same log raises it (DESIGN 1).
pub const FORMAT_VERSION: u32 = 3;

/// A warehouse, as a reader sees it.
#[derive(Debug, Clone)]
pub struct Warehouse {
    dir: PathBuf,
    pipeline: String,
}

impl Warehouse {
    /// The warehouse in this folder.
    ///
    /// # Errors
    ///
    /// A folder that is none, or one that a newer program wrote.
    pub fn open(dir: &Path) -> Result<Self> {
        match identity::read(dir)? {
            Some(identity) => Ok(Self { dir: dir.to_owned(), pipeline: identity.pipeline }),
            None => Err(Error::author(format!("{} is not a warehouse", dir.display()))
                .next("make one with `starlog run PIPELINE --warehouse DIR`, or name another folder")),
        }
    }

    /// The warehouse in this folder, if there is one; a pipeline that could not write there is refused, as a
    /// writer would refuse it.
    ///
    /// # Errors
    ///
    /// The folder belongs to another pipeline, a newer program or somebody else.
    pub fn of_pipeline(dir: &Path, pipeline: &str) -> Result<Option<Self>> {
        identity::admit(dir, pipeline)?;
        let identity = identity::read(dir)?;
        Ok(identity.map(|identity| Self { dir: dir.to_owned(), pipeline: identity.pipeline }))
    }

    /// The newest published release: the pointer is resolved here, once, and a run that publishes
    /// meanwhile changes nothing for the holder of the answer (DESIGN 27). `None`: nothing has been
    /// published yet.
    ///
    /// # Errors
    ///
    /// A pointer that is no link to a release, and a release without a readable manifest.
    pub fn current(&self) -> Result<Option<Release>> {
        release::current(&self.dir)
    }

    /// The number of the current release, if there is one.
    ///
    /// # Errors
    ///
    /// A pointer that is no link to a release.
    pub fn current_number(&self) -> Result<Option<u64>> {
        release::current_number(&self.dir)
    }

    /// A published release by its number, current or not.
    ///
    /// # Errors
    ///
    /// There is none of that number, or its manifest cannot be read.
    pub fn release(&self, number: u64) -> Result<Release> {
        release::numbered(&self.dir, number)
    }

    /// The numbers of all published releases, rising.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn releases(&self) -> Result<Vec<u64>> {
        let mut numbers = release::numbers(&self.dir)?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Keeps `gc` from the files of the log for as long as the answer lives; who reads the log takes it before its head.
    ///
    /// # Errors
    ///
    /// The folder cannot be locked.
    pub fn hold_log(&self) -> Result<Option<Hold>> {
        Hold::take(&self.log_dir())
    }

    /// The right to remove files of the log while the answer lives. `None`: somebody reads it, or there is none.
    ///
    /// # Errors
    ///
    /// The folder cannot be locked.
    pub fn claim_log(&self) -> Result<Option<Lock>> {
        let log = self.log_dir();
        if log.is_dir() { hold::claim(&log) } else { Ok(None) }
    }

    /// The ledger of runs, a line of JSON each, the oldest first.
    ///
    /// # Errors
    ///
    /// It is there but cannot be read.
    pub fn runs(&self) -> Result<Vec<String>> {
        let path = self.dir.join("runs.jsonl");
        match std::fs::read_to_string(&path) {
            // A run that was killed may have left half a line.
            Ok(text) => Ok(text.lines().filter(|line| line.ends_with('}')).map(str::to_owned).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of the event store.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The name of the pipeline that the warehouse belongs to.
    #[must_use]
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }
}
