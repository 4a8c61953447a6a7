//! Segments → batches: only the columns that are asked for, in the order of positions.

use super::schema;
use crate::error::{Error, Result};
use crate::log::head::RESTORE;
use crate::log::lift::broken;
use crate::log::position::Position;
use crate::model::{EventType, Field};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, StructArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
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

/// A row group of the event store, or its first rows: pieces can be read side by side.
#[derive(Debug, Clone)]
pub struct Piece {
    pub path: PathBuf,
    pub group: usize,
    /// As many rows of it are read.
    pub rows: u64,
    /// The least and the greatest position in it.
    pub positions: (i64, i64),
}

/// The batches of one file.
pub fn read(path: &Path, columns: &[&str]) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let path = path.to_owned();
    let reader = reader(&path, columns, None)?;
    Ok(reader.map(move |batch| batch.map_err(|error| damaged(&path, error))))
}

/// All columns of a file.
pub fn columns_of(path: &Path) -> Result<SchemaRef> {
    Ok(Arc::clone(open(path)?.schema()))
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
            positions: positions(metadata),
        })
        .collect())
}

/// The oldest version in which an event of a file came.
pub fn least_version(path: &Path) -> Result<i64> {
    let builder = open(path)?;
    let groups = builder.metadata().row_groups().iter();
    Ok(groups.map(|group| range(group, "_version").0).min().unwrap_or(i64::MAX))
}

fn positions(group: &RowGroupMetaData) -> (i64, i64) {
    range(group, "_position")
}

/// The least and the greatest value of a column of integers; anything, where the file does not say.
fn range(group: &RowGroupMetaData, name: &str) -> (i64, i64) {
    let column = group.columns().iter().find(|column| column.column_path().string() == name);
    match column.and_then(|column| column.statistics()) {
        Some(Statistics::Int64(known)) => {
            (known.min_opt().copied().unwrap_or(i64::MIN), known.max_opt().copied().unwrap_or(i64::MAX))
        }
        _ => (i64::MIN, i64::MAX),
    }
}

/// The batches of one row group as they are, with those of these columns that the file has.
pub fn read_group(
    piece: &Piece,
    columns: &SchemaRef,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    let reader = builder(&piece.path, &names, Some(piece.group))?.with_limit(rows_of(piece)).build();
    let reader = reader.map_err(|error| damaged_file(&piece.path, error))?;
    let path = piece.path.clone();
    Ok(reader.map(move |batch| batch.map_err(|error| damaged(&path, error))))
}

/// How many rows of a file stand up to a position.
pub fn rows_until(path: &Path, position: Position) -> Result<u64> {
    let mut rows = 0;
    for batch in read(path, &["_position"])? {
        let batch = batch?;
        let Some(positions) = batch.column_by_name("_position") else { continue };
        let positions = positions.as_primitive::<Int64Type>().values();
        rows += positions.partition_point(|&at| at <= position.as_i64()) as u64;
    }
    Ok(rows)
}

fn rows_of(piece: &Piece) -> usize {
    usize::try_from(piece.rows).unwrap_or(usize::MAX)
}

/// The batches of one row group, with the columns of this schema, under this contract.
pub fn read_piece(piece: &Piece, schema: &SchemaRef, contract: &EventType) -> Result<Vec<RecordBatch>> {
    let mut place = Place { path: &piece.path, group: Some(piece.group), row: 0 };
    let conformed = |batch: Result<RecordBatch>| {
        let batch = conform(&batch?, schema, contract, place)?;
        place.row += batch.num_rows();
        Ok(batch)
    };
    read_group(piece, schema)?.map(conformed).collect()
}

/// The same, but only the rows that are `wanted`.
pub fn read_rows(
    piece: &Piece,
    schema: &SchemaRef,
    contract: &EventType,
    wanted: Vec<bool>,
) -> Result<Vec<RecordBatch>> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let selection = RowSelection::from_filters(&[BooleanArray::from(wanted)]);
    let builder = builder(&piece.path, &names, Some(piece.group))?.with_row_selection(selection);
    let reader = builder.build().map_err(|error| damaged_file(&piece.path, error))?;
    let place = Place { path: &piece.path, group: Some(piece.group), row: 0 };
    reader
        .map(|batch| conform(&batch.map_err(|error| damaged(&piece.path, error))?, schema, contract, place))
        .collect()
}

/// The batches of several files, one after the other, all with the same columns.
pub struct Scan {
    files: VecDeque<SegmentFile>,
    schema: SchemaRef,
    contract: EventType,
    /// The file at hand, and how many of its rows have been read.
    open: Option<(PathBuf, ParquetRecordBatchReader, usize)>,
}

impl Scan {
    pub fn new(files: impl IntoIterator<Item = SegmentFile>, schema: SchemaRef, contract: EventType) -> Self {
        Self { files: files.into_iter().collect(), schema, contract, open: None }
    }

    /// The columns of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((path, reader, row)) = &mut self.open {
                if let Some(batch) = reader.next() {
                    let batch = batch.map_err(|error| damaged(path, error))?;
                    let place = Place { path, group: None, row: *row };
                    *row += batch.num_rows();
                    return conform(&batch, &self.schema, &self.contract, place).map(Some);
                }
                self.open = None;
            }
            let Some(SegmentFile { path, rows, .. }) = self.files.pop_front() else { return Ok(None) };
            let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            let reader = builder(&path, &names, None)?.with_limit(rows).build();
            let reader = reader.map_err(|error| damaged_file(&path, error))?;
            self.open = Some((path, reader, 0));
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

/// A row of a file, or of one of its row groups.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    group: Option<usize>,
    row: usize,
}

impl Place<'_> {
    /// The source file and line of an event, so many rows further on.
    fn of(self, rows: usize) -> Result<String> {
        let mut row = self.row + rows;
        for batch in reader(self.path, &["_file", "_line"], self.group)? {
            let batch = batch.map_err(|error| damaged(self.path, error))?;
            if let (Some(file), Some(line)) = (batch.column_by_name("_file"), batch.column_by_name("_line"))
                && row < batch.num_rows()
            {
                let line = line.as_primitive::<Int64Type>().value(row);
                return Ok(format!("{}, line {line}", file.as_string::<i32>().value(row)));
            }
            row = row.saturating_sub(batch.num_rows());
        }
        Ok(self.path.display().to_string())
    }
}

/// The columns of a schema in its order, under the contract of today.
fn conform(
    batch: &RecordBatch,
    schema: &SchemaRef,
    contract: &EventType,
    place: Place<'_>,
) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name();
        if name == schema::ORIGINAL && batch.column_by_name(name).is_none() {
            // Since these events came, the pipeline has learnt of older versions; none of these is of one.
            columns.push(new_null_array(field.data_type(), batch.num_rows()));
            continue;
        }
        let column = batch.column_by_name(name).ok_or_else(|| {
            Error::author(format!(
                "`{name}` of `{}` was declared after the log took these events",
                contract.name
            ))
            .next("run the pipeline: it brings them under the contract of today")
        })?;
        columns.push(conform_column(column, field.data_type()).map_err(|differs| {
            let Differs { item, was, is } = differs;
            let name = item.map_or(name.clone(), |item| format!("{name}[].{item}"));
            let message =
                format!("`{name}` was declared differently when the log took these events: {was}, now {is}");
            Error::author(format!("{message} (`{}` in {})", contract.name, place.path.display()))
                .next("give the field its old type, or begin a new warehouse")
        })?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
    refuse_nulls(&batch, contract, place)?;
    Ok(batch)
}

/// A field that was optional when an event came may be optional no more.
fn refuse_nulls(batch: &RecordBatch, contract: &EventType, place: Place<'_>) -> Result<()> {
    for field in required(&contract.fields) {
        let Some(column) = batch.column_by_name(&field.name) else { continue };
        if let Some(row) = first_null(column) {
            return Err(lacks(&field.name, contract, &place.of(row)?));
        }
    }
    for list in &contract.lists {
        let Some(column) = batch.column_by_name(&list.name).and_then(|column| column.as_list_opt::<i32>())
        else {
            continue;
        };
        let items = column.values().as_struct();
        for field in required(&list.fields) {
            if let Some(item) = items.column_by_name(&field.name).and_then(first_null) {
                let ends_before = |&&end: &&i32| usize::try_from(end).is_ok_and(|end| end <= item);
                let row = column.offsets().iter().skip(1).take_while(ends_before).count();
                return Err(lacks(&field.name, contract, &place.of(row)?));
            }
        }
    }
    Ok(())
}

fn required(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| !field.optional)
}

fn first_null(column: &ArrayRef) -> Option<usize> {
    if column.null_count() == 0 { None } else { (0..column.len()).find(|&row| column.is_null(row)) }
}

fn lacks(field: &str, contract: &EventType, place: &str) -> Error {
    broken(&contract.name, &format!("{field} is missing or null, and no longer optional ({place})"))
}

/// A column whose type is another one today.
struct Differs {
    /// The field of a list's items.
    item: Option<String>,
    was: String,
    is: String,
}

/// A column as the contract has it today.
fn conform_column(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Differs> {
    let differs = || Differs { item: None, was: word(column.data_type()), is: word(wanted) };
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let DataType::List(element) = wanted else { return Err(differs()) };
    let DataType::Struct(fields) = element.data_type() else { return Err(differs()) };
    let list = column.as_list_opt::<i32>().ok_or_else(differs)?;
    let items = list.values().as_struct_opt().ok_or_else(differs)?;
    let columns = fields.iter().map(|field| {
        let column = items.column_by_name(field.name()).ok_or_else(differs)?;
        conform_column(column, field.data_type())
            .map_err(|differs| Differs { item: Some(field.name().clone()), ..differs })
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let items = StructArray::try_new_with_length(fields.clone(), columns, None, items.len());
    let items = Arc::new(items.map_err(|_| differs())?);
    let list = ListArray::try_new(Arc::clone(element), list.offsets().clone(), items, list.nulls().cloned());
    Ok(Arc::new(list.map_err(|_| differs())?))
}

/// A type as a pipeline writes it.
pub fn word(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Int64 => "integer".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::List(_) => "a list".to_owned(),
        other => other.to_string(),
    }
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
