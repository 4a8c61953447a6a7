//! Releases that nobody needs any more → room on the disk (DESIGN 27).
//!
//! A release leaves `releases/` in one step, under the exclusive lock on its folder; what becomes of it after that
//! no reader sees, and the next writer clears it.

use super::hold::claim;
use super::{Warehouse, Writer, release};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

impl Warehouse {
    /// When a release was published, by the clock of its disk: when its manifest was written, the last of its files.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn published_at(&self, number: u64) -> Result<SystemTime> {
        let path = release::path(self.dir(), number).join("manifest.json");
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
        modified.map_err(|error| Error::io("read", &path, error))
    }

    /// Whether somebody reads a release at this moment.
    ///
    /// # Errors
    ///
    /// There is no such release, or it cannot be locked.
    pub fn is_in_use(&self, number: u64) -> Result<bool> {
        Ok(claim(&release::path(self.dir(), number))?.is_none())
    }

    /// The bytes that go with these releases: those of files that have no name in any other.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn own_bytes(&self, releases: &[u64]) -> Result<u64> {
        let folders: Vec<PathBuf> =
            releases.iter().map(|number| release::path(self.dir(), *number)).collect();
        own_bytes(&folders)
    }
}

impl Writer {
    /// Takes a release out of readers' sight. `false`: somebody reads it, and it stays.
    ///
    /// # Errors
    ///
    /// It is the current one; the disk fails.
    pub fn withdraw(&self, number: u64) -> Result<bool> {
        let warehouse = self.warehouse().dir();
        if release::current_number(warehouse)? == Some(number) {
            return Err(Error::bug(format!("release {number} is current and would be removed")));
        }
        let dir = release::path(warehouse, number);
        let Some(_claim) = claim(&dir)? else { return Ok(false) };
        let target = self.withdrawn(number);
        // A read-only folder cannot be moved into another one.
        self.disk.set_mode(&dir, 0o755).map_err(|error| Error::io("make writable", &dir, error))?;
        self.disk.rename(&dir, &target).map_err(|error| Error::io("move away", &dir, error))?;
        Ok(true)
    }

    /// Removes for good what was withdrawn; returns how many bytes that freed.
    ///
    /// # Errors
    ///
    /// The disk fails. The next writer removes the rest.
    pub fn remove(&self, releases: &[u64]) -> Result<u64> {
        // A release must not come back without some of its files.
        for dir in [self.staging(), self.warehouse().dir().join("releases")] {
            self.disk.sync_dir(&dir).map_err(|error| Error::io("fsync", &dir, error))?;
        }
        let folders: Vec<PathBuf> = releases.iter().map(|number| self.withdrawn(*number)).collect();
        let bytes = own_bytes(&folders)?;
        for folder in folders {
            self.disk.go_on()?;
            self.disk.remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, error))?;
        }
        Ok(bytes)
    }

    fn withdrawn(&self, number: u64) -> PathBuf {
        self.staging().join(format!("withdrawn-{number:08}"))
    }
}

/// The bytes of files all of whose names lie in these folders.
fn own_bytes(folders: &[PathBuf]) -> Result<u64> {
    let mut inodes = BTreeMap::new();
    for folder in folders {
        count_names(folder, &mut inodes)?;
    }
    let own = inodes.into_values().filter(|inode| inode.found == inode.names);
    Ok(own.map(|inode| inode.bytes).sum())
}

/// A file, which may have several names.
struct Inode {
    names: u64,
    found: u64,
    bytes: u64,
}

fn count_names(dir: &Path, inodes: &mut BTreeMap<(u64, u64), Inode>) -> Result<()> {
    let unread = |error| Error::io("read", dir, error);
    for entry in fs::read_dir(dir).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let metadata = entry.metadata().map_err(unread)?;
        if metadata.is_dir() {
            count_names(&entry.path(), inodes)?;
        } else {
            let inode = inodes.entry((metadata.dev(), metadata.ino()));
            let inode = inode.or_insert(Inode { names: metadata.nlink(), found: 0, bytes: metadata.len() });
            inode.found += 1;
        }
    }
    Ok(())
}
