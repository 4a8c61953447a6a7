//! The pointer → a release: which one is current, and what does it hold?

use super::hold::Hold;
use super::{DataFile, Manifest, TableEntry};
use crate::error::{Error, Result};
use crate::layout::Layout;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An immutable set of tables. While the value, or a clone of it, is there, nobody removes them (DESIGN 27).
#[derive(Debug, Clone)]
pub struct Release {
    dir: PathBuf,
    manifest: Manifest,
    /// A staged release has none: only its writer knows it.
    _hold: Option<Hold>,
}

impl Release {
    pub(super) fn new(dir: PathBuf, manifest: Manifest, hold: Option<Hold>) -> Self {
        Self { dir, manifest, _hold: hold }
    }

    /// 1, 2, 3 …
    #[must_use]
    pub fn number(&self) -> u64 {
        self.manifest.release
    }

    /// Its own folder, not the pointer to it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The layouts that it was built in.
    ///
    /// # Errors
    ///
    /// A manifest that names a layout that there is not.
    pub fn layouts(&self) -> Result<Vec<Layout>> {
        self.manifest.layouts.keys().map(|layout| layout.parse()).collect()
    }

    /// The tables of a layout by name; none if the release was not built in it.
    pub fn tables(&self, layout: Layout) -> impl Iterator<Item = (&str, &TableEntry)> {
        let tables = self.manifest.layouts.get(&layout.to_string());
        tables.into_iter().flatten().map(|(name, table)| (name.as_str(), table))
    }

    /// Where a file of the release lies.
    #[must_use]
    pub fn path(&self, file: &DataFile) -> PathBuf {
        self.dir.join(&file.path)
    }
}

/// The folder of a release, relative to the warehouse's: also the text of the pointer.
pub(super) fn relative_path(number: u64) -> PathBuf {
    PathBuf::from(format!("releases/{number:08}"))
}

pub(super) fn path(warehouse: &Path, number: u64) -> PathBuf {
    warehouse.join(relative_path(number))
}

/// The pointer to the current release.
pub(super) fn pointer(warehouse: &Path) -> PathBuf {
    warehouse.join("current")
}

/// The release that the pointer names.
pub(super) fn current(warehouse: &Path) -> Result<Option<Release>> {
    loop {
        let Some(number) = current_number(warehouse)? else { return Ok(None) };
        let dir = path(warehouse, number);
        if let Some(hold) = Hold::take(&dir)? {
            return read(dir, number, hold).map(Some);
        }
        // It may have been removed since, but then it was no longer current.
        if current_number(warehouse)? == Some(number) {
            return Err(no_release(&pointer(warehouse), &format!("{} is not there", dir.display())));
        }
    }
}

/// The number that the pointer names.
pub(super) fn current_number(warehouse: &Path) -> Result<Option<u64>> {
    let pointer = pointer(warehouse);
    let text = match fs::read_link(&pointer) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(no_release(&pointer, "it is no link"));
        }
        Err(error) => return Err(Error::io("read", &pointer, error)),
    };
    let number = text
        .to_str()
        .and_then(|text| text.strip_prefix("releases/"))
        .and_then(|number| number.parse().ok())
        .filter(|number| relative_path(*number) == text)
        .ok_or_else(|| no_release(&pointer, &format!("it says {}", text.display())))?;
    Ok(Some(number))
}

fn read(dir: PathBuf, number: u64, hold: Hold) -> Result<Release> {
    let manifest = Manifest::read(&dir)?;
    if manifest.release != number {
        return Err(no_release(&dir, &format!("its manifest is of release {}", manifest.release)));
    }
    Ok(Release::new(dir, manifest, Some(hold)))
}

/// A published release by its number.
pub(super) fn numbered(warehouse: &Path, number: u64) -> Result<Release> {
    let dir = path(warehouse, number);
    if let Some(hold) = Hold::take(&dir)? {
        return read(dir, number, hold);
    }
    let mut there = numbers(warehouse)?;
    there.sort_unstable();
    let there: Vec<String> = there.iter().map(u64::to_string).collect();
    Err(Error::author(format!("there is no release {number}"))
        .next(format!("there are: {}", there.join(", "))))
}

/// The numbers of all folders of releases, in no order.
pub(super) fn numbers(warehouse: &Path) -> Result<Vec<u64>> {
    let releases = warehouse.join("releases");
    let mut numbers = Vec::new();
    for entry in fs::read_dir(&releases).map_err(|error| Error::io("read", &releases, error))? {
        let entry = entry.map_err(|error| Error::io("read", &releases, error))?;
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // Other names are not ours.
        numbers.extend(number.filter(|number| path(warehouse, *number) == entry.path()));
    }
    Ok(numbers)
}

fn no_release(path: &Path, why: &str) -> Error {
    Error::operator(format!("{} does not lead to a release: {why}", path.display())).next(
        "point it at one that is there, with `ln -sfn releases/NUMBER current` in the warehouse's folder; \
         or remove it, and the next run publishes anew",
    )
}
