//! Batches in the order of positions → the files of one segment.

use super::encode::{Encoded, Job};
use super::hashed::HashedFile;
use super::{schema, settings};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::log::decode::{EventPlan, Plan, Types};
use crate::log::position::Position;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriter, ArrowWriterOptions,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A finished file of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableFile {
    /// The event type; none for rejects.
    pub event: Option<String>,
    /// In the segment's folder.
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
    /// BLAKE3 of the whole file; files of older programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// The least and the greatest position in it; of the events around them for rejects.
    pub positions: (Position, Position),
    /// Of rejects: how many of them have been put back since.
    #[serde(default, skip_serializing_if = "is_none")]
    pub requeued: u64,
    /// If it holds events of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<OldEvents>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What became of events of older versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OldEvents {
    /// The hash of the contract and the upcasts by which they were lifted.
    pub hash: String,
    /// How the values were read of those that came when their version was today's: their payloads have been written
    /// from columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub read_as: BTreeMap<i64, Types>,
}

impl OldEvents {
    /// What is to be said of the events of two files together; `None` if they must stay apart.
    pub fn together(one: Option<&Self>, other: Option<&Self>) -> Option<Option<Self>> {
        let (Some(one), Some(other)) = (one, other) else { return Some(one.or(other).cloned()) };
        let agree = |(version, types)| one.read_as.get(version).is_none_or(|known| known == types);
        if one.hash != other.hash || !other.read_as.iter().all(agree) {
            return None;
        }
        let mut both = one.clone();
        both.read_as.extend(other.read_as.clone());
        Some(Some(both))
    }
}

/// A segment in the making. Nothing of it counts before [`SegmentWriter::finish`] and the head.
pub struct SegmentWriter {
    disk: Disk,
    folder: PathBuf,
    /// One for each event type, and one for rejects.
    tables: Vec<Table>,
    waiting_bytes: usize,
}

type FileWriter = SerializedFileWriter<BufWriter<HashedFile>>;

struct Table {
    event: Option<String>,
    file: String,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: usize,
    open: Option<(FileWriter, ArrowRowGroupWriterFactory)>,
    groups: usize,
    written_groups: usize,
    /// Encoded out of turn.
    early: BTreeMap<usize, Vec<ArrowColumnChunk>>,
    rows: u64,
    positions: Option<(Position, Position)>,
    /// Of its contract, with the steps from older versions.
    hash: String,
    holds_old: bool,
}

impl SegmentWriter {
    /// A writer of the segment in this folder, which is created with its first row.
    pub fn new(disk: &Disk, folder: &Path, plan: &Plan) -> Self {
        let events = plan.events.iter().map(|event: &EventPlan| {
            Table::new(
                Some(event.name.clone()),
                format!("{}.parquet", escaped(&event.name)),
                schema::event(event),
                event.hash.clone(),
            )
        });
        let rejects = Table::new(None, "rejects.parquet".to_owned(), schema::rejects(), String::new());
        let tables = events.chain([rejects]).collect();
        Self { disk: disk.clone(), folder: folder.to_owned(), tables, waiting_bytes: 0 }
    }

    /// The index of the table of rejects.
    pub fn rejects(&self) -> usize {
        self.tables.len().saturating_sub(1)
    }

    /// The columns of a table.
    pub fn schema(&self, table: usize) -> Result<SchemaRef> {
        self.tables.get(table).map(|table| Arc::clone(&table.schema)).ok_or_else(no_table)
    }

    /// Adds rows behind all earlier ones of their table; returns the row groups that are now to be encoded.
    pub fn add(
        &mut self,
        table: usize,
        batch: RecordBatch,
        positions: (Position, Position),
    ) -> Result<Vec<Job>> {
        let bytes = batch.get_array_memory_size();
        let entry = self.tables.get_mut(table).ok_or_else(no_table)?;
        entry.rows += batch.num_rows() as u64;
        entry.positions = Some((entry.positions.map_or(positions.0, |seen| seen.0), positions.1));
        let original = batch.column_by_name(schema::ORIGINAL);
        entry.holds_old |= original.is_some_and(|column| column.null_count() < column.len());
        entry.waiting_rows += batch.num_rows();
        entry.waiting_bytes += bytes;
        entry.waiting.push(batch);
        self.waiting_bytes += bytes;
        let mut jobs = Vec::new();
        if entry.waiting_rows >= settings::GROUP_ROWS || entry.waiting_bytes >= settings::GROUP_BYTES {
            jobs.extend(self.cut(table)?);
        }
        while self.waiting_bytes >= settings::WAITING_BYTES {
            let largest = self.tables.iter().enumerate().max_by_key(|(_, table)| table.waiting_bytes);
            match largest.map(|(at, _)| at) {
                Some(at) => jobs.extend(self.cut(at)?),
                None => break,
            }
        }
        Ok(jobs)
    }

    /// Everything that still waits, to be encoded.
    pub fn rest(&mut self) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for table in 0..self.tables.len() {
            jobs.extend(self.cut(table)?);
        }
        Ok(jobs)
    }

    /// Takes an encoded row group; it is written when all before it are.
    pub fn encoded(&mut self, encoded: Encoded) -> Result<()> {
        let table = self.tables.get_mut(encoded.table).ok_or_else(no_table)?;
        table.early.insert(encoded.group, encoded.chunks);
        let path = self.folder.join(&table.file);
        while let Some(chunks) = table.early.remove(&table.written_groups) {
            table.write(chunks).map_err(|error| cannot_write(&path, error))?;
        }
        Ok(())
    }

    /// Makes all files durable; none at all if nothing came.
    pub fn finish(mut self) -> Result<Vec<TableFile>> {
        let mut files = Vec::new();
        for table in &mut self.tables {
            let path = self.folder.join(&table.file);
            let Some((writer, _)) = table.open.take() else { continue };
            if table.written_groups != table.groups {
                return Err(Error::bug("a row group was not written"));
            }
            let buffer = writer.into_inner().map_err(|error| cannot_write(&path, error))?;
            let file = buffer.into_inner().map_err(|error| Error::io("write", &path, error.into_error()))?;
            let finished = file.finish().map_err(|error| Error::io("write", &path, error))?;
            files.push(TableFile {
                event: table.event.clone(),
                file: table.file.clone(),
                rows: table.rows,
                bytes: finished.bytes,
                blake3: Some(finished.blake3),
                positions: table.positions.unwrap_or_default(),
                requeued: 0,
                old: table
                    .holds_old
                    .then(|| OldEvents { hash: table.hash.clone(), read_as: BTreeMap::new() }),
            });
        }
        if !files.is_empty() {
            self.disk.sync_dir(&self.folder).map_err(|error| Error::io("sync", &self.folder, error))?;
        }
        Ok(files)
    }

    fn cut(&mut self, table: usize) -> Result<Option<Job>> {
        let folder = &self.folder;
        let entry = self.tables.get_mut(table).ok_or_else(no_table)?;
        if entry.waiting.is_empty() {
            return Ok(None);
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(entry.waiting_bytes);
        entry.waiting_rows = 0;
        entry.waiting_bytes = 0;
        let batches = std::mem::take(&mut entry.waiting);
        let (_, factory) = match &mut entry.open {
            Some(open) => open,
            closed => closed.insert(open(&self.disk, folder, &entry.file, &entry.schema)?),
        };
        let path = folder.join(&entry.file);
        let writers =
            factory.create_column_writers(entry.groups).map_err(|error| cannot_write(&path, error))?;
        let job = Job { table, group: entry.groups, schema: Arc::clone(&entry.schema), writers, batches };
        entry.groups += 1;
        Ok(Some(job))
    }
}

fn open(
    disk: &Disk,
    folder: &Path,
    file: &str,
    schema: &SchemaRef,
) -> Result<(FileWriter, ArrowRowGroupWriterFactory)> {
    disk.create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    let path = folder.join(file);
    let output = disk.create(&path).map_err(|error| Error::io("create", &path, error))?;
    // Large enough that a watcher sees few writes, small enough not to matter.
    let output = BufWriter::with_capacity(1 << 20, HashedFile::new(output));
    let options = ArrowWriterOptions::new().with_properties(settings::properties(schema));
    ArrowWriter::try_new_with_options(output, Arc::clone(schema), options)
        .and_then(ArrowWriter::into_serialized_writer)
        .map_err(|error| cannot_write(&path, error))
}

impl Table {
    fn new(event: Option<String>, file: String, schema: SchemaRef, hash: String) -> Self {
        Self {
            event,
            file,
            schema,
            waiting: Vec::new(),
            waiting_rows: 0,
            waiting_bytes: 0,
            open: None,
            groups: 0,
            written_groups: 0,
            early: BTreeMap::new(),
            rows: 0,
            positions: None,
            hash,
            holds_old: false,
        }
    }

    fn write(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<(), ParquetError> {
        self.written_groups += 1;
        let Some((writer, _)) = &mut self.open else { return Ok(()) };
        let mut group = writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close().map(|_| ())
    }
}

/// The name of an event type as a file name: other characters than letters, digits, `_` and `-` as `%NN`.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for &byte in name.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    // The rejects' own file has this name; and file systems end at 255 bytes.
    match text.as_str() {
        "rejects" => "%72ejects".to_owned(),
        long if long.len() > 200 => {
            let hash = blake3::hash(name.as_bytes()).to_hex();
            format!("{}%{}", long.get(..100).unwrap_or_default(), hash.get(..32).unwrap_or_default())
        }
        _ => text,
    }
}

fn cannot_write(path: &Path, error: ParquetError) -> Error {
    Error::operator(format!("cannot write {}: {error}", path.display())).because(error)
}

fn no_table() -> Error {
    Error::bug("an event type without a table")
}
