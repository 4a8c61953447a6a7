//! The one writer of a warehouse: an OS lock held for the life of the process (DESIGN 28), a folder
//! put in order after whatever ended the last run, and the ledger of runs.

use super::hold::claim;
use super::{Warehouse, identity, release};
use crate::disk::{Disk, Lock};
use crate::error::{Error, Result};
use serde::Serialize;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The right to publish in a warehouse.
pub struct Writer {
    pub(super) disk: Disk,
    warehouse: Warehouse,
    /// Locked until it is dropped, or the process ends in whatever way.
    _lock: Lock,
}

impl Writer {
    /// Takes the lock of the warehouse in this folder, which is made if need be, and clears what a run
    /// that ended early left behind. `started` is when the process began, in words for the one who
    /// finds the warehouse locked.
    ///
    /// # Errors
    ///
    /// The folder belongs to another pipeline, a newer program or somebody else; it is locked; the disk fails.
    pub fn open(disk: &Disk, dir: &Path, pipeline: &str, started: &str) -> Result<Self> {
        identity::admit(dir, pipeline)?;
        make_dir(disk, dir)?;
        let lock = lock(disk, &dir.join("lock"), started)?;
        // Asked again: another first run may have made the folder its own before we had the lock.
        let is_ours = identity::admit(dir, pipeline)?;

        let staging = dir.join("staging");
        if fs::symlink_metadata(&staging).is_ok() {
            disk.remove_dir_all(&staging).map_err(|error| Error::io("remove", &staging, error))?;
        }
        make_dir(disk, &staging)?;
        make_dir(disk, &dir.join("releases"))?;
        if !is_ours {
            identity::write(disk, dir, &staging, pipeline)?;
        }
        let warehouse = Warehouse { dir: dir.to_owned(), pipeline: pipeline.to_owned() };
        let writer = Self { disk: disk.clone(), warehouse, _lock: lock };
        writer.settle_releases()?;
        Ok(writer)
    }

    /// What readers see.
    #[must_use]
    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    /// A folder for what does not fit into memory. The next writer clears it, should this process be killed.
    #[must_use]
    pub fn overflow(&self) -> PathBuf {
        self.warehouse.dir.join("staging").join("spill")
    }

    /// Adds a line to the ledger of runs, durably. The only place of a warehouse where times of the clock stand.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn record(&self, run: &impl Serialize) -> Result<()> {
        let path = self.warehouse.dir.join("runs.jsonl");
        let mut line = serde_json::to_string(run)
            .map_err(|error| Error::bug("a run cannot be written as JSON").because(error))?;
        line.push('\n');
        if ends_torn(&path)? {
            line.insert(0, '\n');
        }
        self.disk.append(&path, line.as_bytes()).map_err(|error| Error::io("write", &path, error))?;
        let dir = &self.warehouse.dir;
        self.disk.sync_dir(dir).map_err(|error| Error::io("fsync", dir, error))
    }

    /// Asked between two pieces of work; see [`Disk::go_on`].
    ///
    /// # Errors
    ///
    /// Somebody has asked to stop.
    pub fn go_on(&self) -> Result<()> {
        self.disk.go_on()
    }

    /// Where releases are built.
    pub(super) fn staging(&self) -> PathBuf {
        self.warehouse.dir.join("staging")
    }

    /// A number that no release bears or bore while one stands.
    pub(super) fn next_number(&self) -> Result<u64> {
        let newest = release::numbers(&self.warehouse.dir)?.into_iter().max();
        Ok(newest.unwrap_or(0) + 1)
    }

    /// A release becomes read-only at its top once it is current ([`super::publish`]). So one that is
    /// newer than the current one and still writable was never published and goes. Another one, if it is
    /// writable, was published by a run that ended right then, or was about to be removed, and is finished here.
    fn settle_releases(&self) -> Result<()> {
        let dir = &self.warehouse.dir;
        let current = release::current_number(dir)?.unwrap_or(0);
        for number in release::numbers(dir)? {
            let path = release::path(dir, number);
            if !is_writable(&path)? {
                continue;
            }
            if number > current {
                // A reader that asked for it by its number found it: then it goes next time.
                let Some(_claim) = claim(&path)? else { continue };
                self.disk.remove_dir_all(&path).map_err(|error| Error::io("remove", &path, error))?;
            } else {
                self.make_read_only(&path)?;
            }
        }
        Ok(())
    }

    /// The last touch to a release that is current.
    pub(super) fn make_read_only(&self, dir: &Path) -> Result<()> {
        self.disk.set_mode(dir, 0o555).map_err(|error| Error::io("make read-only", dir, error))?;
        self.disk.sync_dir(dir).map_err(|error| Error::io("fsync", dir, error))
    }
}

fn lock(disk: &Disk, path: &Path, started: &str) -> Result<Lock> {
    let owner = format!("pid {} since {started}", std::process::id());
    let lock = disk.try_lock(path, &owner).map_err(|error| Error::io("lock", path, error))?;
    lock.ok_or_else(|| {
        let owner = fs::read_to_string(path).unwrap_or_default();
        let owner = if owner.is_empty() { "another program" } else { owner.as_str() };
        Error::operator(format!("{} is locked by {owner}", path.with_file_name("").display()))
            .next("let it end, or wait for it with --wait; the lock ends with its process")
            .because(Locked)
    })
}

/// The cause of an error that is over when another process ends.
#[derive(Debug, thiserror::Error)]
#[error("another process writes to the warehouse")]
pub struct Locked;

/// Makes a folder, and those above it, each durable in the one above.
fn make_dir(disk: &Disk, path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_dir(disk, parent)?;
    disk.create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
    disk.sync_dir(parent).map_err(|error| Error::io("fsync", parent, error))
}

fn is_writable(path: &Path) -> Result<bool> {
    let metadata = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
    Ok(metadata.permissions().mode() & 0o200 != 0)
}

/// Whether the last line of a file lacks its end: a run was killed while it wrote it.
fn ends_torn(path: &Path) -> Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.last().is_some_and(|last| *last != b'\n')),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", path, error)),
    }
}
