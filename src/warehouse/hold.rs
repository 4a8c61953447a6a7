//! A release in use: who reads it holds a shared lock on its folder, who removes it needs the exclusive one.
//!
//! The locks are the operating system's (flock(2)), so one ends with its process, however that ends, and a reader
//! needs no right to write. Others may hold a release too: `flock --shared FOLDER COMMAND`.

use crate::disk::Lock;
use crate::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Keeps a release from being removed for as long as one of its clones lives.
#[derive(Debug, Clone)]
pub struct Hold {
    _folder: Arc<Lock>,
}

impl Hold {
    /// Holds the release in this folder. `None`: there is none, or it was removed just now.
    pub fn take(dir: &Path) -> Result<Option<Self>> {
        let Some(folder) = open(dir)? else { return Ok(None) };
        loop {
            // Waits only while somebody moves the folder away.
            match folder.lock_shared() {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Where there are no locks, there is no writer either, and so nobody who removes.
                Err(error) if error.kind() == ErrorKind::Unsupported => break,
                Err(error) => return Err(Error::io("lock", dir, error)),
            }
        }
        let is_there = lies_at(&folder, dir)?;
        Ok(is_there.then(|| Self { _folder: Arc::new(Lock(folder)) }))
    }
}

/// The right to remove the release in this folder, while it lives. `None`: somebody reads it.
pub fn claim(dir: &Path) -> Result<Option<Lock>> {
    let gone = || Error::io("lock", dir, io::Error::from(ErrorKind::NotFound));
    let folder = open(dir)?.ok_or_else(gone)?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(Lock(folder))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", dir, error)),
    }
}

fn open(dir: &Path) -> Result<Option<File>> {
    match File::open(dir) {
        Ok(folder) => Ok(folder.metadata().is_ok_and(|metadata| metadata.is_dir()).then_some(folder)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", dir, error)),
    }
}

/// Whether an open folder still has this path.
fn lies_at(folder: &File, dir: &Path) -> Result<bool> {
    let of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let held = folder.metadata().map_err(|error| Error::io("read", dir, error))?;
    match fs::metadata(dir) {
        Ok(found) => Ok(of(found) == of(held)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", dir, error)),
    }
}
