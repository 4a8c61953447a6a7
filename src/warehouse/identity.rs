//! `warehouse.json`: whose warehouse is this, and can this program read it?

use super::FORMAT_VERSION;
use crate::disk::Disk;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a writer makes before the identity stands, and what may thus be found in a folder that is no
/// warehouse yet.
const BEFORE: [&str; 3] = ["lock", "staging", "releases"];

#[derive(Serialize, Deserialize)]
pub(super) struct Identity {
    pub pipeline: String,
    pub format_version: u32,
}

fn path(dir: &Path) -> PathBuf {
    dir.join("warehouse.json")
}

/// The identity of the warehouse in this folder, if there is one.
pub(super) fn read(dir: &Path) -> Result<Option<Identity>> {
    let path = path(dir);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Error::author(format!("{} is a file and not a warehouse", dir.display()))
                .next("a warehouse is a folder: name one with --warehouse"));
        }
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    let identity: Identity = serde_json::from_slice(&bytes).map_err(|error| {
        Error::operator(format!("{} does not say what warehouse this is: {error}", path.display()))
            .next("put the file back from a backup, or start another warehouse")
            .because(error)
    })?;
    if identity.format_version > FORMAT_VERSION {
        return Err(Error::operator(format!(
            "{} was written by a newer starlog (format {}, this one knows {FORMAT_VERSION})",
            dir.display(),
            identity.format_version
        ))
        .next("use that version of starlog, or another warehouse"));
    }
    Ok(Some(identity))
}

/// Refuses a folder that this pipeline may not write to: another pipeline's warehouse, or a folder
/// full of something else. Says whether the identity stands already, and in this program's format.
pub(super) fn admit(dir: &Path, pipeline: &str) -> Result<bool> {
    match read(dir)? {
        Some(identity) if identity.pipeline == pipeline => Ok(identity.format_version == FORMAT_VERSION),
        Some(identity) => Err(Error::author(format!(
            "{} is the warehouse of the pipeline `{}`, not of `{pipeline}`",
            dir.display(),
            identity.pipeline
        ))
        .next("name another folder with --warehouse")),
        None if is_free(dir)? => Ok(false),
        None => Err(Error::author(format!("{} is not empty and not a warehouse", dir.display()))
            .next("name another folder with --warehouse")),
    }
}

/// Whether nothing stands in the folder but what a writer may have left there before the identity.
fn is_free(dir: &Path) -> Result<bool> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(Error::io("read", dir, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("read", dir, error))?;
        if !BEFORE.iter().any(|name| entry.file_name() == *name) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the folder the warehouse of this pipeline, in this program's format: an older program keeps its
/// hands off from now on. The staging folder must be there and empty.
pub(super) fn write(disk: &Disk, dir: &Path, staging: &Path, pipeline: &str) -> Result<()> {
    let identity = Identity { pipeline: pipeline.to_owned(), format_version: FORMAT_VERSION };
    let mut text = serde_json::to_string_pretty(&identity)
        .map_err(|error| Error::bug("the identity cannot be written as JSON").because(error))?;
    text.push('\n');
    let new = staging.join("warehouse.json");
    let path = path(dir);
    disk.write(&new, text.as_bytes()).map_err(|error| Error::io("write", &new, error))?;
    disk.replace(&new, &path).map_err(|error| Error::io("write", &path, error))?;
    disk.sync_dir(dir).map_err(|error| Error::io("fsync", dir, error))
}
