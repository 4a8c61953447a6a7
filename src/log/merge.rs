//! The many small files that nights leave of an event type → few, so that a night does not open one for each before it.
//!
//! A file is put together with the newer ones as long as it is not many times larger than they are: so an event is written
//! anew a few times in its life, and a night's files are a few for each type. A file that is large stays as it is. The
//! old files lie where they were, since releases may name them ([`super::superseded`]).

use super::head::{Head, Segment};
use super::store::{OldEvents, Rewriting, TableFile, columns_of, must_be_whole};
use crate::disk::Disk;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file is put together with the newer ones unless it is this many times larger than all of them.
const GROWTH: u64 = 4;

/// A file of so many events is not written anew.
const LARGE: u64 = 1 << 20;

/// A file of the log, and where it lies.
type Placed = (PathBuf, TableFile);

/// Writes what is to be put together into the folder of the next segment, and takes it out of the head.
/// What it returns is durable, and stands before all that the next segment gets.
pub fn merge(disk: &Disk, log: &Path, head: &mut Head) -> Result<Vec<TableFile>> {
    let into = Segment::folder(log, head.next_segment());
    let mut merged = Vec::new();
    for event in event_types(head) {
        let files = crowd(log, head, &event)?;
        let [(_, first), .., (newest, last)] = files.as_slice() else { continue };
        let schema = columns_of(newest)?;
        disk.create_dir_all(&into).map_err(|error| Error::io("create", &into, error))?;
        let name = format!("{}~merged.parquet", stem(&last.file));
        let from: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        for (path, file) in &files {
            must_be_whole(path, file.blake3.as_deref())?;
        }
        let rewriting = Rewriting { disk, from: &from, to: &into.join(&name), schema: &schema };
        let finished = rewriting.run(|batch| Ok(batch.clone()))?;
        merged.push(TableFile {
            event: Some(event),
            file: name,
            rows: files.iter().map(|(_, file)| file.rows).sum(),
            bytes: finished.bytes,
            blake3: Some(finished.blake3),
            positions: (first.positions.0, last.positions.1),
            requeued: 0,
            old: together(&files).flatten(),
        });
        for segment in &mut head.segments {
            let folder = Segment::folder(log, segment.number);
            segment.files.retain(|file| !from.contains(&folder.join(&file.file)));
        }
    }
    if !merged.is_empty() {
        disk.sync_dir(&into).map_err(|error| Error::io("sync", &into, error))?;
    }
    Ok(merged)
}

/// Forgets segments of which nothing is left on disk: what they held is in newer ones, and no release names it.
pub fn forget_empty(log: &Path, head: &mut Head) {
    let is_gone = |segment: &Segment| {
        let entries = fs::read_dir(Segment::folder(log, segment.number));
        segment.files.is_empty() && entries.is_ok_and(|mut entries| entries.next().is_none())
    };
    let newest = head.segments.pop();
    head.segments.retain(|segment| !is_gone(segment));
    head.segments.extend(newest);
}

fn event_types(head: &Head) -> BTreeSet<String> {
    head.segments.iter().flat_map(|segment| &segment.files).filter_map(|file| file.event.clone()).collect()
}

/// The newest files of a type that are to be one, in the order of positions.
fn crowd(log: &Path, head: &Head, event: &str) -> Result<Vec<Placed>> {
    let newest_first = head.segments.iter().rev().flat_map(|segment| {
        let folder = Segment::folder(log, segment.number);
        let files = segment.files.iter().rev().filter(|file| file.event.as_deref() == Some(event));
        files.map(move |file| (folder.join(&file.file), file.clone()))
    });
    let mut crowd: Vec<Placed> = Vec::new();
    let mut rows = 0;
    for (path, file) in newest_first {
        if file.rows >= LARGE || (!crowd.is_empty() && file.rows >= GROWTH * rows) {
            break;
        }
        rows += file.rows;
        crowd.push((path, file));
    }
    // A contract of which a field went: its events keep their column. Old versions that were lifted otherwise, of an
    // event type that is no longer declared: they keep their record.
    if let [(newest, _), older @ ..] = crowd.as_slice() {
        let schema = columns_of(newest)?;
        let mut alike = 1;
        for (path, _) in older {
            let are_alike = crowd.get(..=alike).is_some_and(|files| together(files).is_some());
            if !are_alike || columns_of(path)? != schema {
                break;
            }
            alike += 1;
        }
        crowd.truncate(alike);
    }
    crowd.reverse();
    Ok(crowd)
}

/// What is to be said of events of older versions in all these files; `None` if they must stay apart.
fn together(files: &[Placed]) -> Option<Option<OldEvents>> {
    files.iter().try_fold(None, |said, (_, file)| OldEvents::together(said.as_ref(), file.old.as_ref()))
}

/// The name of an event type as files bear it: a point, and what follows it, and `~` do not occur in it.
fn stem(file: &str) -> &str {
    file.split(['.', '~']).next().unwrap_or(file)
}
