//! The files of the log → those that were written anew since and that nobody reads any more.

use super::head::{Head, Segment};
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files in the log's segments that neither the log names nor `needed`, sorted: what `lift` and `merge` have replaced,
/// or began to write when it was ended.
///
/// # Errors
/// The operator's, if the log cannot be read.
pub fn superseded(folder: &Path, needed: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for segment in Head::load(folder)?.iter().flat_map(|head| &head.segments) {
        let dir = Segment::folder(folder, segment.number);
        let named: BTreeSet<PathBuf> = segment.files.iter().map(|file| dir.join(&file.file)).collect();
        let unread = |error| Error::io("read", &dir, error);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            // Said by whoever needs the segment.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unread(error)),
        };
        for entry in entries {
            let path = entry.map_err(unread)?.path();
            if !named.contains(&path) && !needed.contains(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
