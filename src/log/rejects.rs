//! The store of rejects → one reject after the other, in the order of arrival.

use super::head::{Head, Segment};
use super::store;
use crate::error::{Error, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use std::path::{Path, PathBuf};

/// A line that could not become an event, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its number among all rejects of the log, from 1: it stays the same as the log grows.
    pub number: u64,
    pub code: String,
    /// Its type, where the line names one that is declared. Rejects of older programs name none.
    pub event: Option<String>,
    pub message: String,
    /// The name under which the log knew its file.
    pub file: String,
    pub line: u64,
    /// Of its first byte, in the decompressed file.
    pub offset: u64,
    /// The position of the last event before it.
    pub position_before: u64,
    pub raw: Vec<u8>,
    /// How the records of its file stand in it, as JSON, where that was known.
    pub format: Option<String>,
    /// What it became when it was put back: `accepted`, `duplicate` or `ignored`.
    pub requeued: Option<String>,
    /// The position at which it came in then.
    pub position: Option<u64>,
}

/// A file of rejects: those of one ingest.
#[derive(Debug, Clone)]
pub struct RejectFile {
    pub path: PathBuf,
    /// As it was committed; files of older programs have no hash.
    pub blake3: Option<String>,
    /// The number of its first one.
    pub first: u64,
    pub rows: u64,
    /// How many of them have been put back.
    pub requeued: u64,
}

/// The files of rejects of the log in this folder, in the order of arrival; none if no log has begun there.
///
/// # Errors
/// The operator's, if the log cannot be read.
pub fn reject_files(folder: &Path) -> Result<Vec<RejectFile>> {
    Ok(Head::load(folder)?.map_or_else(Vec::new, |head| of_head(folder, &head)))
}

/// The files of rejects that a head names.
pub fn of_head(folder: &Path, head: &Head) -> Vec<RejectFile> {
    let mut first = 1;
    let mut files = Vec::new();
    for segment in &head.segments {
        let dir = Segment::folder(folder, segment.number);
        for file in segment.files.iter().filter(|file| file.event.is_none()) {
            let (rows, requeued) = (file.rows, file.requeued);
            let (path, blake3) = (dir.join(&file.file), file.blake3.clone());
            files.push(RejectFile { path, blake3, first, rows, requeued });
            first += rows;
        }
    }
    files
}

const COLUMNS: [&str; 11] = [
    "code",
    "event",
    "message",
    "file",
    "line",
    "offset",
    "position_before",
    "raw",
    "format",
    "requeued",
    "position",
];

impl RejectFile {
    /// How many of them still wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.rows.saturating_sub(self.requeued)
    }

    /// Its rejects.
    ///
    /// # Errors
    /// The operator's, if the file cannot be read.
    pub fn read(&self) -> Result<impl Iterator<Item = Result<Reject>> + use<>> {
        let mut number = self.first;
        let rejects = store::read(&self.path, &COLUMNS)?.map(move |batch| {
            let mut rejects = Self::rows_of(&batch?)?;
            for reject in &mut rejects {
                reject.number = number;
                number += 1;
            }
            Ok(rejects)
        });
        Ok(rejects.flat_map(|batch: Result<Vec<Reject>>| match batch {
            Ok(rejects) => rejects.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }))
    }

    /// The rejects of a batch, without their numbers.
    pub(super) fn rows_of(batch: &RecordBatch) -> Result<Vec<Reject>> {
        (0..batch.num_rows()).map(|row| reject(batch, row)).collect()
    }
}

fn reject(batch: &RecordBatch, row: usize) -> Result<Reject> {
    let lacks = |name: &str| Error::bug(format!("a reject lacks its column {name}"));
    let known = |name: &str| batch.column_by_name(name).filter(|column| column.is_valid(row));
    let text = |name: &str| Some(known(name)?.as_string_opt::<i32>()?.value(row).to_owned());
    let count = |name: &str| Some(known(name)?.as_primitive_opt::<Int64Type>()?.value(row).cast_unsigned());
    let raw = || Some(known("raw")?.as_binary_opt::<i32>()?.value(row).to_vec());
    Ok(Reject {
        number: 0,
        code: text("code").ok_or_else(|| lacks("code"))?,
        event: text("event"),
        message: text("message").ok_or_else(|| lacks("message"))?,
        file: text("file").ok_or_else(|| lacks("file"))?,
        line: count("line").ok_or_else(|| lacks("line"))?,
        offset: count("offset").ok_or_else(|| lacks("offset"))?,
        position_before: count("position_before").ok_or_else(|| lacks("position_before"))?,
        raw: raw().ok_or_else(|| lacks("raw"))?,
        format: text("format"),
        requeued: text("requeued"),
        position: count("position"),
    })
}
