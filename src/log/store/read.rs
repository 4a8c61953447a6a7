//! Segments → batches: only the columns that are asked for, in the order of positions.

use crate::error::{Error, Result};
use crate::log::head::RESTORE;
use crate::log::position::Position;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, StructArray,
    new_null_array,
};
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::errors::ParquetError;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a batch.
const BATCH_ROWS: usize = 64 << 10;

/// A file of the event store.
#[derive(Debug, Clone)]
pub struct SegmentFile {
    pub path: PathBuf,
    pub rows: u64,
    /// The least and the greatest position in it.
    pub positions: (Position, Position),
}

/// A row group of the event store: pieces can be read side by side.
#[derive(Debug, Clone)]
pub struct Piece {
    pub path: PathBuf,
    pub group: usize,
    pub rows: u64,
}

/// The batches of one file.
pub fn read(path: &Path, columns: &[&str]) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let path = path.to_owned();
    let reader = reader(&path, columns, None)?;
    Ok(reader.map(move |batch| batch.map_err(|error| damaged(&path, error))))
}

/// The row groups of a file.
pub fn pieces(path: &Path) -> Result<Vec<Piece>> {
    let builder = open(path)?;
    let groups = builder.metadata().row_groups().iter().enumerate();
    Ok(groups
        .map(|(group, metadata)| Piece {
            path: path.to_owned(),
            group,
            rows: u64::try_from(metadata.num_rows()).unwrap_or_default(),
        })
        .collect())
}

/// The batches of one row group, with the columns of this schema.
pub fn read_piece(piece: &Piece, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let reader = reader(&piece.path, &names, Some(piece.group))?;
    reader
        .map(|batch| conform(&batch.map_err(|error| damaged(&piece.path, error))?, schema, &piece.path))
        .collect()
}

/// The same, but only the rows that are `wanted`.
pub fn read_rows(piece: &Piece, schema: &SchemaRef, wanted: Vec<bool>) -> Result<Vec<RecordBatch>> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let selection = RowSelection::from_filters(&[BooleanArray::from(wanted)]);
    let builder = builder(&piece.path, &names, Some(piece.group))?.with_row_selection(selection);
    let reader = builder.build().map_err(|error| damaged_file(&piece.path, error))?;
    reader
        .map(|batch| conform(&batch.map_err(|error| damaged(&piece.path, error))?, schema, &piece.path))
        .collect()
}

/// The batches of several files, one after the other, all with the same columns.
pub struct Scan {
    files: VecDeque<PathBuf>,
    schema: SchemaRef,
    open: Option<(PathBuf, ParquetRecordBatchReader)>,
}

impl Scan {
    pub fn new(files: impl IntoIterator<Item = PathBuf>, schema: SchemaRef) -> Self {
        Self { files: files.into_iter().collect(), schema, open: None }
    }

    /// The columns of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((path, reader)) = &mut self.open {
                if let Some(batch) = reader.next() {
                    let batch = batch.map_err(|error| damaged(path, error))?;
                    return conform(&batch, &self.schema, path).map(Some);
                }
                self.open = None;
            }
            let Some(path) = self.files.pop_front() else { return Ok(None) };
            let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            let reader = reader(&path, &names, None)?;
            self.open = Some((path, reader));
        }
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.files.clear();
            self.open = None;
        }
        step.transpose()
    }
}

/// The columns of a schema in its order; what a segment does not have yet is null.
fn conform(batch: &RecordBatch, schema: &SchemaRef, path: &Path) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match batch.column_by_name(field.name()) {
            None => new_null_array(field.data_type(), batch.num_rows()),
            Some(column) => conform_column(column, field.data_type()).ok_or_else(|| {
                let (name, was, is) = (field.name(), column.data_type(), field.data_type());
                let message = format!(
                    "`{name}` was declared differently when the log took these events: {was}, now {is}"
                );
                Error::author(format!("{message} ({})", path.display()))
                    .next("give the field its old type, or begin a new warehouse")
            })?,
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A column as the contract has it today; `None` if that is another type.
fn conform_column(column: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    if column.data_type() == wanted {
        return Some(Arc::clone(column));
    }
    let DataType::List(element) = wanted else { return None };
    let DataType::Struct(fields) = element.data_type() else { return None };
    let list = column.as_list_opt::<i32>()?;
    let items = list.values().as_struct_opt()?;
    let columns = fields.iter().map(|field| match items.column_by_name(field.name()) {
        Some(column) => conform_column(column, field.data_type()),
        None => Some(new_null_array(field.data_type(), items.len())),
    });
    let columns = columns.collect::<Option<Vec<_>>>()?;
    let items = StructArray::try_new_with_length(fields.clone(), columns, None, items.len()).ok()?;
    let list = ListArray::try_new(
        Arc::clone(element),
        list.offsets().clone(),
        Arc::new(items),
        list.nulls().cloned(),
    );
    list.ok().map(|list| Arc::new(list) as ArrayRef)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged_file(path, error))
}

fn reader(path: &Path, columns: &[&str], group: Option<usize>) -> Result<ParquetRecordBatchReader> {
    builder(path, columns, group)?.build().map_err(|error| damaged_file(path, error))
}

fn builder(
    path: &Path,
    columns: &[&str],
    group: Option<usize>,
) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let builder = open(path)?;
    let roots = columns.iter().filter_map(|name| builder.schema().index_of(name).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
    Ok(match group {
        Some(group) => builder.with_row_groups(vec![group]),
        None => builder,
    })
}

fn damaged(path: &Path, error: arrow::error::ArrowError) -> Error {
    Error::operator(format!("{} is damaged", path.display())).because(error).next(RESTORE)
}

fn damaged_file(path: &Path, error: ParquetError) -> Error {
    Error::operator(format!("{} is damaged", path.display())).because(error).next(RESTORE)
}
