//! The log's own files, and those that it was read from → what is not what it was. Every byte is hashed
//! (DESIGN 5): a run looks at the first and the last consumed 64 KiB only.

use super::EventLog;
use super::head::Segment;
use super::ids;
use super::source::{FileCode, FileFailure, Source, Wholeness};
use super::store::{TableFile, hash_of};
use crate::model::Limits;
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How the files of the event store are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoreInspection {
    pub files: usize,
    /// Files of which no hash was kept, because an older program wrote them.
    pub without_hash: usize,
    /// Files that are not what was committed, each with its path.
    pub damages: Vec<String>,
}

/// How the files are that the log was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceInspection {
    /// Files whose consumed bytes are all there.
    pub whole: usize,
    /// Files that are not there any more, which is their owner's affair: the log has their lines.
    pub gone: usize,
    /// Files whose consumed bytes have changed, each with its path.
    pub changes: Vec<String>,
    /// Files that could not be read, each with its path.
    pub unreadable: Vec<String>,
}

impl EventLog {
    /// Hashes every file of the event store.
    #[must_use]
    pub fn inspect_store(&self) -> StoreInspection {
        let files: Vec<Kept> = self.kept_files().collect();
        // A run that takes in events meanwhile may have merged ids into other files.
        let is_gone = |file: &Kept| file.bytes.is_none() && !file.path.exists() && !self.is_newest();
        let damages = files.par_iter().filter_map(|file| damage(file).filter(|_| !is_gone(file))).collect();
        let without_hash = files.iter().filter(|file| file.blake3.is_none()).count();
        StoreInspection { files: files.len(), without_hash, damages }
    }

    /// Hashes what was consumed of every source that is still there. A source that its own file holds no more may
    /// have moved into one of `named`.
    #[must_use]
    pub fn inspect_sources(&self, named: &[PathBuf]) -> SourceInspection {
        let looks =
            self.sources().par_iter().map(|source| look(source, named, self.limits())).collect::<Vec<_>>();
        let mut inspection = SourceInspection::default();
        for look in looks {
            match look {
                Look::Whole => inspection.whole += 1,
                Look::Gone => inspection.gone += 1,
                Look::Changed(change) => inspection.changes.push(change),
                Look::Unreadable(failure) => inspection.unreadable.push(failure.to_string()),
            }
        }
        inspection
    }

    /// The files of events and rejects, then those of ids.
    fn kept_files(&self) -> impl Iterator<Item = Kept> {
        let (log, head) = (self.folder(), self.head());
        let tables = head.segments.iter().flat_map(move |segment| {
            let folder = Segment::folder(log, segment.number);
            let kept = move |file: &TableFile| Kept {
                path: folder.join(&file.file),
                bytes: Some(file.bytes),
                blake3: file.blake3.clone(),
            };
            segment.files.iter().map(kept)
        });
        let ids = head.ids.iter().flatten().map(|run| Kept {
            path: ids::folder(log).join(&run.file),
            bytes: None,
            blake3: Some(run.blake3.clone()),
        });
        tables.chain(ids)
    }
}

/// A file of the event store, as the head knows it.
struct Kept {
    path: PathBuf,
    bytes: Option<u64>,
    blake3: Option<String>,
}

/// What is wrong with a file of the event store, if anything.
fn damage(file: &Kept) -> Option<String> {
    let shown = file.path.display();
    let size_bytes = match file.path.metadata() {
        Ok(metadata) => metadata.len(),
        Err(error) => return Some(format!("{shown}: {error}")),
    };
    if let Some(bytes) = file.bytes.filter(|&bytes| bytes != size_bytes) {
        return Some(format!("{shown}: {size_bytes} bytes, not {bytes}"));
    }
    let blake3 = file.blake3.as_ref()?;
    match hash_of(&file.path) {
        Ok(hash) if hash != *blake3 => Some(format!("{shown}: other bytes than were committed")),
        Ok(_) => None,
        Err(error) => Some(format!("{shown}: {error}")),
    }
}

/// What became of a source.
enum Look {
    Whole,
    Gone,
    Changed(String),
    Unreadable(FileFailure),
}

fn look(source: &Source, named: &[PathBuf], limits: &Limits) -> Look {
    let change = match source.wholeness(Path::new(&source.path), limits) {
        Ok(Wholeness::Whole) => return Look::Whole,
        Ok(Wholeness::Changed { from, to }) => format!("what it held from byte {from} to {to} has changed"),
        Ok(Wholeness::Shorter { bytes }) => format!("it holds {bytes} bytes"),
        Err(failure) if failure.code == FileCode::Missing => return Look::Gone,
        Err(failure) => return Look::Unreadable(failure),
    };
    match named.iter().any(|path| source.is_whole_in(path, limits)) {
        true => Look::Whole,
        false => Look::Changed(format!(
            "{}: {change}, and no file named holds the {} bytes that were read from it",
            source.path, source.consumed_bytes
        )),
    }
}
