//! A release's files → those that are not what its manifest says.

use super::{DataFile, Release};
use crate::error::Result;
use crate::stop::Stop;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

impl Release {
    /// Reads and hashes every file; returns what is wrong, each with its path.
    ///
    /// # Errors
    ///
    /// Somebody has asked to stop.
    pub fn damages(&self, stop: &Stop) -> Result<Vec<String>> {
        let files: Vec<&DataFile> = self.manifest().files().collect();
        let damage = |file: &DataFile| match fs::read(self.path(file)) {
            Ok(bytes) if bytes.len() as u64 != file.bytes => {
                Some(format!("{}: {} bytes, not {}", file.path, bytes.len(), file.bytes))
            }
            Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() != file.blake3 => {
                Some(format!("{}: other bytes than were published", file.path))
            }
            Ok(_) => None,
            Err(error) => Some(format!("{}: {error}", file.path)),
        };
        let damages = files.par_iter().map(|file| stop.go_on().map(|()| damage(file)));
        damages.filter_map(Result::transpose).collect()
    }

    /// The paths of files that are not the same in another release of the same layouts.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let hashes = |release: &Self| -> BTreeMap<String, String> {
            release.manifest().files().map(|file| (file.path.clone(), file.blake3.clone())).collect()
        };
        let (mine, theirs) = (hashes(self), hashes(other));
        let paths: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
        let said = |path: &&String| match (mine.get(*path), theirs.get(*path)) {
            (Some(_), None) => Some(format!("{path}: only in release {}", self.number())),
            (None, Some(_)) => Some(format!("{path}: not in release {}", self.number())),
            (one, two) => (one != two).then(|| format!("{path}: other rows")),
        };
        paths.iter().filter_map(said).collect()
    }
}
