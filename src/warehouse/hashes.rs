//! A release's files → those that are not what its manifest says.

use super::manifest::root_hash;
use super::{DataFile, Release};
use crate::error::Result;
use crate::stop::Stop;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

impl Release {
    /// Reads and hashes every file; returns what is wrong, by the file's path.
    ///
    /// # Errors
    ///
    /// Somebody has asked to stop.
    pub fn damages(&self, stop: &Stop) -> Result<BTreeMap<String, String>> {
        let files: Vec<&DataFile> = self.manifest().files().collect();
        let damage = |file: &DataFile| match fs::read(self.path(file)) {
            Ok(bytes) if bytes.len() as u64 != file.bytes => {
                Some(format!("{} bytes, not {}", bytes.len(), file.bytes))
            }
            Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() != file.blake3 => {
                Some("other bytes than were published".to_owned())
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        let of_file = |file: &&DataFile| match stop.go_on() {
            Ok(()) => damage(file).map(|damage| Ok((file.path.clone(), damage))),
            Err(error) => Some(Err(error)),
        };
        let mut damages =
            files.par_iter().filter_map(of_file).collect::<Result<BTreeMap<String, String>>>()?;
        if root_hash(self.manifest().files()) != self.manifest().blake3 {
            let what = "the hashes of its files do not give that of the release";
            damages.insert("manifest.json".to_owned(), what.to_owned());
        }
        Ok(damages)
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
