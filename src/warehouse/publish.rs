//! A staged release → the current one, in the order of DESIGN 26.
//!
//! Files are durable when they have been written; here follow their folders, the move into place and
//! the swap of the pointer. Only the swap is the commit. Any error ends the run: nothing is tried
//! again, and the next writer clears what is not published.

use super::hold::Hold;
use super::{Release, Staged, Writer, release};
use crate::disk::Disk;
use crate::error::{Error, Result};
use std::fs;
use std::path::Path;

impl Staged<'_> {
    /// Publishes the release: from now on it is current. The only door to readers.
    ///
    /// # Errors
    ///
    /// The disk fails. Unless it did so after the swap, the old release is still current.
    pub fn publish(self) -> Result<Release> {
        let disk = &self.writer.disk;
        let warehouse = self.writer.warehouse().dir();
        let staged = self.dir();
        let manifest = self.manifest()?;

        let path = staged.join("manifest.json");
        disk.write(&path, manifest.to_json()?.as_bytes())
            .map_err(|error| Error::io("write", &path, error))?;
        seal_below(disk, &staged)?;
        sync(disk, &staged)?;

        // From here on it is done to the end.
        disk.go_on()?;
        // The folder itself is still writable: to move it under another folder changes its entry `..`,
        // which the kernel grants only then (rename(2), EACCES).
        let hold = Hold::take(&staged)?.ok_or_else(|| Error::bug("the staged release has gone"))?;
        let releases = warehouse.join("releases");
        let dir = release::path(warehouse, self.number);
        disk.rename(&staged, &dir).map_err(|error| Error::io("move into place", &dir, error))?;
        sync(disk, &releases)?;

        self.writer.point_at(self.number)?;

        let release = Release::new(dir, manifest, Some(hold));
        self.writer.make_read_only(release.dir())?;
        Ok(release)
    }
}

impl Writer {
    /// Makes a published release the current one: the swap of the pointer, and nothing else.
    ///
    /// # Errors
    ///
    /// There is no such release; the disk fails.
    pub fn roll_back(&self, number: u64) -> Result<Release> {
        let release = self.warehouse().release(number)?;
        self.point_at(number)?;
        Ok(release)
    }

    /// The commit (DESIGN 26).
    fn point_at(&self, number: u64) -> Result<()> {
        let disk = &self.disk;
        let warehouse = self.warehouse().dir();
        let pointer = release::pointer(warehouse);
        let new_pointer = self.staging().join("current");
        disk.symlink(&release::relative_path(number), &new_pointer)
            .map_err(|error| Error::io("create", &new_pointer, error))?;
        disk.replace(&new_pointer, &pointer).map_err(|error| Error::io("swap", &pointer, error))?;
        sync(disk, warehouse)
    }
}

/// Makes every folder below this one read-only and durable, the deepest first.
fn seal_below(disk: &Disk, dir: &Path) -> Result<()> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| Error::io("read", dir, error))? {
        let path = entry.map_err(|error| Error::io("read", dir, error))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    for folder in folders {
        disk.go_on()?;
        seal_below(disk, &folder)?;
        disk.set_mode(&folder, 0o555).map_err(|error| Error::io("make read-only", &folder, error))?;
        sync(disk, &folder)?;
    }
    Ok(())
}

fn sync(disk: &Disk, dir: &Path) -> Result<()> {
    disk.sync_dir(dir).map_err(|error| Error::io("fsync", dir, error))
}
