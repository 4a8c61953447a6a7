//! The one file that says what the log is: everything that it does not name does not exist.
//!
//! Segments are written and made durable first; then the head is replaced by a rename. That is the commit.

use super::ids::RunRecord;
use super::position::Position;
use super::source::Source;
use super::store::TableFile;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::model::Envelope;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The number of this format of the log; a log with another one is refused.
const FORMAT: u32 = 1;

/// What to do about a damaged file of the log.
pub const RESTORE: &str =
    "restore the folder of the log from a backup, or begin a new warehouse from the source files";

/// What the log is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    format: u32,
    pub envelope: EnvelopeRecord,
    /// By what its lines were cleaned, if they were: names and key of `[log.pii]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pii: Option<String>,
    /// Of the last event.
    pub position: Position,
    /// Where each ingest ended; none in a log that was begun before this was kept.
    #[serde(default)]
    pub ends: Vec<End>,
    /// In the order of ingests.
    pub segments: Vec<Segment>,
    /// In the order in which they were first seen.
    pub sources: Vec<Source>,
    /// The ids of all events; none in a log that was begun before they were kept.
    #[serde(default)]
    pub ids: Option<Vec<RunRecord>>,
}

/// Where an ingest ended. Two logs that ended alike hold the same events in the same order up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub position: Position,
    /// A hash over the contents of all events.
    pub print: u64,
}

/// What one ingest added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub number: u64,
    pub files: Vec<TableFile>,
}

/// The envelope with which the log began (DESIGN 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeRecord {
    #[serde(rename = "type")]
    event_type: String,
    version: Option<String>,
    time: String,
    payload: Option<String>,
    id: Option<String>,
    order: Option<String>,
    zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

impl From<&Envelope> for EnvelopeRecord {
    fn from(envelope: &Envelope) -> Self {
        Self {
            event_type: envelope.event_type.clone(),
            version: envelope.version.clone(),
            time: envelope.time.clone(),
            payload: envelope.payload.clone(),
            id: envelope.id.clone(),
            order: envelope.order.clone(),
            zone: envelope.zone.map(|zone| zone.name().to_owned()),
            unit: envelope.unit.map(|unit| unit.word().to_owned()),
        }
    }
}

impl EnvelopeRecord {
    fn parts(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("type", Some(self.event_type.as_str())),
            ("version", self.version.as_deref()),
            ("time", Some(self.time.as_str())),
            ("payload", self.payload.as_deref()),
            ("id", self.id.as_deref()),
            ("order", self.order.as_deref()),
            ("zone", self.zone.as_deref()),
            ("unit", self.unit.as_deref()),
        ]
    }

    /// The log's envelope must still be this one.
    ///
    /// # Errors
    /// The author's, naming what changed and why it cannot.
    pub fn must_be(&self, now: &Self) -> Result<()> {
        // A first unit changes no event: all times that were numbers are rejects.
        let is_first = |part: &str, was: Option<&str>| part == "unit" && was.is_none();
        let mut parts = self.parts().into_iter().zip(now.parts());
        let changed = parts.find(|((part, was), (_, is))| was != is && !is_first(part, *was));
        let Some(((part, was), (_, is))) = changed else { return Ok(()) };
        let said = |name: Option<&str>| name.map_or("nothing".to_owned(), |name| format!("`{name}`"));
        Err(Error::author(format!(
            "the envelope of a log cannot change: this log began with `{part}` as {}, the pipeline now says {}; \
             its events were identified, ordered and compared by what it was",
            said(was),
            said(is)
        ))
        .next("restore the envelope, or begin a new warehouse"))
    }
}

impl Head {
    /// The head of a log without events.
    pub fn new(envelope: EnvelopeRecord) -> Self {
        Self {
            format: FORMAT,
            envelope,
            pii: None,
            position: Position(0),
            ends: Vec::new(),
            segments: Vec::new(),
            sources: Vec::new(),
            ids: Some(Vec::new()),
        }
    }

    /// Lines are cleaned by this from now on, as they were from the beginning.
    ///
    /// # Errors
    /// The author's: they were cleaned otherwise, or not at all.
    pub fn clean_by(&mut self, fingerprint: Option<String>) -> Result<()> {
        if self.pii != fingerprint && !self.sources.is_empty() {
            return Err(Error::author(
                "`[log.pii]` and its key cannot change once a log has begun: what it took in before was cleaned otherwise",
            )
            .next("restore `[log.pii]` and the key, or begin a new warehouse and remove the old one"));
        }
        self.pii = fingerprint;
        Ok(())
    }

    /// The head in this folder; `None` if no log has begun there.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = path(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        let damaged = |error: serde_json::Error| {
            Error::operator(format!("{} is damaged: {error}", path.display())).because(error).next(RESTORE)
        };
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if format != FORMAT {
            return Err(Error::operator(format!(
                "this log has format {format}, this program knows {FORMAT}"
            ))
            .next("use the version of starlog that wrote it, or a newer one"));
        }
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    /// Commits: from now on the log is what this head says.
    pub fn save(&self, disk: &Disk, folder: &Path) -> Result<()> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |error| Error::io(action, &path, error)
        };
        disk.create_dir_all(folder).map_err(io("create", folder))?;
        let (target, new) = (path(folder), folder.join("head.json.new"));
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::bug(format!("the head of the log has no JSON: {error}")))?;
        bytes.push(b'\n');
        if new.exists() {
            disk.remove_file(&new).map_err(io("remove", &new))?;
        }
        disk.write(&new, &bytes).map_err(io("write", &new))?;
        disk.replace(&new, &target).map_err(io("replace", &target))?;
        disk.sync_dir(folder).map_err(io("sync", folder))
    }

    /// The hash over the contents of all events up to the end of an ingest, as far as that is known.
    pub fn print_at(&self, position: Position) -> Option<u64> {
        if position == Position(0) {
            return Some(0);
        }
        self.ends.iter().rev().find(|end| end.position == position).map(|end| end.print)
    }

    /// The log has come so far.
    pub fn ends_at(&mut self, position: Position, print: Option<u64>) {
        if let Some(print) = print.filter(|_| position > self.position) {
            self.ends.push(End { position, print });
        }
        self.position = position;
    }

    /// The number of the next segment: one more than that of the last committed one. What an ingest that
    /// did not commit has left under it is swept away first.
    pub fn next_segment(&self) -> u64 {
        self.segments.last().map_or(1, |segment| segment.number + 1)
    }
}

impl Segment {
    /// The folder of the segment.
    pub fn folder(log: &Path, number: u64) -> PathBuf {
        log.join("segments").join(number.to_string())
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("head.json")
}

/// Where the files with rejects lie, by the names under which the log in this folder knows them: absolute, and
/// without `..`. Names are the same on every machine; places are for a person who looks a line up.
///
/// # Errors
/// The operator's, if the log cannot be read.
pub fn places(folder: &Path) -> Result<BTreeMap<String, String>> {
    let sources = Head::load(folder)?.map_or_else(Vec::new, |head| head.sources);
    let has_rejects = sources.into_iter().filter(|source| source.account.rejected > 0);
    Ok(has_rejects.map(|source| (source.name, place(source.path))).collect())
}

/// Links stay links if they are the file itself.
fn place(path: String) -> String {
    let found = Path::new(&path);
    let folder = found.parent().and_then(|folder| folder.canonicalize().ok());
    let place = folder
        .zip(found.file_name())
        .and_then(|(folder, name)| folder.join(name).into_os_string().into_string().ok());
    place.unwrap_or(path)
}

/// Removes what an interrupted ingest has left: segments that the head does not name.
pub fn sweep(disk: &Disk, log: &Path, head: &Head) -> Result<()> {
    let folder = log.join("segments");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", &folder, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| Error::io("list", &folder, error))?.path();
        let number =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u64>().ok());
        let is_left_over =
            number.is_some_and(|number| !head.segments.iter().any(|segment| segment.number == number));
        if is_left_over {
            disk.remove_dir_all(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}
