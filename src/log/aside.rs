//! A log, seen from another folder: what is taken in there leaves this one alone.

use super::head::{Head, Segment};
use super::ids;
use crate::disk::Disk;
use crate::error::{Error, Result};
use std::fs;
use std::path::Path;

/// Makes a log in an empty folder that begins where the one in `folder` ends, by links to its files. An ingest
/// into it shows what an ingest would do.
///
/// # Errors
/// The operator's, if either folder cannot be used.
pub fn aside(disk: &Disk, folder: &Path, other: &Path) -> Result<()> {
    let Some(head) = Head::load(folder)? else { return Ok(()) };
    let folder = folder.canonicalize().map_err(|error| Error::io("find", folder, error))?;
    // File by file: a folder that is a link would be written into.
    for segment in &head.segments {
        link_all(disk, &Segment::folder(&folder, segment.number), &Segment::folder(other, segment.number))?;
    }
    if head.ids.as_ref().is_some_and(|runs| !runs.is_empty()) {
        link_all(disk, &ids::folder(&folder), &ids::folder(other))?;
    }
    head.save(disk, other)
}

fn link_all(disk: &Disk, from: &Path, to: &Path) -> Result<()> {
    disk.create_dir_all(to).map_err(|error| Error::io("create", to, error))?;
    for entry in fs::read_dir(from).map_err(|error| Error::io("list", from, error))? {
        let entry = entry.map_err(|error| Error::io("list", from, error))?;
        let link = to.join(entry.file_name());
        disk.symlink(&entry.path(), &link).map_err(|error| Error::io("link", &link, error))?;
    }
    Ok(())
}
