//! A warehouse, how much to keep → what nobody needs any more, removed.
//!
//! Old releases go, and with them those files of the log that were written anew since and that no release shows any
//! longer. Never the current release, never one in use, never an event.

use super::ledger::{Deed, enter};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::log::superseded;
use crate::warehouse::{Warehouse, Writer};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How much is to stay: a release goes if none of these speaks for it.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// So many of the newest releases; one at least.
    pub releases: usize,
    /// Those that were current within so many hours before `now`: programs that hold no lock may still read them.
    pub hours: u64,
    /// What time it is.
    pub now: SystemTime,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Collected {
    /// The releases that went.
    pub removed: Vec<u64>,
    /// Those that would have gone, but somebody reads them.
    pub in_use: Vec<u64>,
    /// Those that stay.
    pub kept: Vec<u64>,
    /// The files of the log that went, relative to the warehouse's folder.
    pub log_files: Vec<String>,
    /// What that frees: a file that lives on in another release frees nothing.
    pub freed_bytes: u64,
}

impl Deed for Collected {
    fn outcome(&self) -> &'static str {
        if self.removed.is_empty() && self.log_files.is_empty() { "unchanged" } else { "removed" }
    }
}

/// Removes what is not to stay.
///
/// # Errors
/// The warehouse is locked; the disk fails: then the next writer, or the next gc, removes the rest.
pub fn gc(dir: &Path, keep: Keep, disk: &Disk, started: &str) -> Result<Collected> {
    let warehouse = Warehouse::open(dir)?;
    let writer = Writer::open(disk, dir, warehouse.pipeline(), started)?;
    enter(&writer, "gc", started, || {
        let (old, kept) = sorted_out(&warehouse, keep)?;
        let mut collected = Collected { kept, ..Collected::default() };
        for number in old {
            disk.go_on()?;
            match writer.withdraw(number)? {
                true => collected.removed.push(number),
                false => collected.in_use.push(number),
            }
        }
        if !collected.removed.is_empty() {
            collected.freed_bytes += writer.remove(&collected.removed)?;
        }
        let claim = warehouse.claim_log()?;
        let files = claim.as_ref().map(|_| unneeded(&warehouse, &collected)).transpose()?.unwrap_or_default();
        collected.freed_bytes += bytes(&files)?;
        for file in &files {
            disk.go_on()?;
            disk.remove_file(file).map_err(|error| Error::io("remove", file, error))?;
        }
        let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        for folder in folders {
            disk.sync_dir(folder).map_err(|error| Error::io("fsync", folder, error))?;
        }
        collected.log_files = named(dir, &files);
        Ok(collected)
    })
}

/// Says what [`gc`] would remove; changes nothing, and needs no right to write.
///
/// # Errors
/// The warehouse cannot be read.
pub fn gc_plan(dir: &Path, keep: Keep) -> Result<Collected> {
    let warehouse = Warehouse::open(dir)?;
    let (old, kept) = sorted_out(&warehouse, keep)?;
    let mut collected = Collected { kept, ..Collected::default() };
    for number in old {
        match warehouse.is_in_use(number)? {
            true => collected.in_use.push(number),
            false => collected.removed.push(number),
        }
    }
    let claim = warehouse.claim_log()?;
    let files = claim.map(|_| unneeded(&warehouse, &collected)).transpose()?.unwrap_or_default();
    collected.freed_bytes = warehouse.own_bytes(&collected.removed)? + bytes(&files)?;
    collected.log_files = named(dir, &files);
    Ok(collected)
}

/// The releases that may go, and those that stay.
fn sorted_out(warehouse: &Warehouse, keep: Keep) -> Result<(Vec<u64>, Vec<u64>)> {
    let all = warehouse.releases()?;
    let current = warehouse.current_number()?;
    let newest = all.len().saturating_sub(keep.releases.max(1));
    let mut old = Vec::new();
    let mut kept = Vec::new();
    for (at, &number) in all.iter().enumerate() {
        // It was current until the next one was published.
        let until = all.get(at + 1).copied().unwrap_or(number);
        if at >= newest || Some(number) == current || is_young(warehouse, until, keep)? {
            kept.push(number);
        } else {
            old.push(number);
        }
    }
    Ok((old, kept))
}

fn is_young(warehouse: &Warehouse, number: u64, keep: Keep) -> Result<bool> {
    let age = keep.now.duration_since(warehouse.published_at(number)?);
    // One that comes from the future was published by a clock that nobody can rely on.
    Ok(age.map_or(true, |age| age < Duration::from_secs(keep.hours.saturating_mul(3600))))
}

/// The files of the log that neither the log nor a release that stays has a use for.
fn unneeded(warehouse: &Warehouse, collected: &Collected) -> Result<Vec<PathBuf>> {
    let mut needed = BTreeSet::new();
    for number in collected.kept.iter().chain(&collected.in_use) {
        let release = warehouse.release(*number)?;
        let files = release.manifest().relations.log.iter().flat_map(|relation| &relation.files);
        needed.extend(files.map(|file| warehouse.dir().join(file)));
    }
    superseded(&warehouse.log_dir(), &needed)
}

fn bytes(files: &[PathBuf]) -> Result<u64> {
    let size = |path: &PathBuf| match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) => Err(Error::io("read", path, error)),
    };
    files.iter().map(size).sum()
}

fn named(dir: &Path, files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| file.strip_prefix(dir).unwrap_or(file).display().to_string()).collect()
}
