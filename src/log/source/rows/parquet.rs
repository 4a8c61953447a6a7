//! A Parquet file → a reader of its rows, with a bound on what a few of its bytes may become.
//!
//! The bound is taken from the file's metadata. Where these lie, a page may still unpack to 2 GiB, which the format ends at.

use super::super::input::{BOMB, BOMB_BYTES};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{LogicalType, Type};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use std::fs::File;
use std::sync::Arc;

/// Rows that are decoded at once, and what they may come to, as far as the metadata says it.
const BATCH_ROWS: u64 = 4_096;
const BATCH_BYTES: u64 = 32 << 20;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A file that is read.
pub struct Opened {
    pub reader: ParquetRecordBatchReader,
    pub rows: u64,
    /// Columns of bytes that are UUIDs.
    pub uuids: Vec<String>,
}

/// Opens a file of this size.
pub fn open(file: File, size_bytes: u64, most_ratio: u64) -> Outcome<Opened> {
    let options = ArrowReaderOptions::new();
    let found = ArrowReaderMetadata::load(&file, options.clone())?;
    let mut batch_rows = BATCH_ROWS;
    let mut rows = 0;
    for group in found.metadata().row_groups() {
        let group_rows = u64::try_from(group.num_rows()).unwrap_or_default();
        let (decoded, stored) = (decoded_bytes(group), stored_bytes(group).min(size_bytes));
        if decoded > BOMB_BYTES && decoded / most_ratio > stored {
            return Err(format!("{BOMB} {most_ratio} times its size").into());
        }
        rows += group_rows;
        batch_rows = batch_rows.min(BATCH_BYTES.saturating_mul(group_rows) / decoded.max(1));
    }
    let columns = found.metadata().file_metadata().schema_descr().columns();
    let uuids = columns.iter().filter(|column| column.logical_type_ref() == Some(&LogicalType::Uuid));
    let uuids = uuids.map(|column| column.path().string()).collect();
    let viewed = options.with_schema(Arc::new(viewed(found.schema())));
    let (metadata, batch_rows) = match ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), viewed) {
        Ok(metadata) => (metadata, batch_rows.max(1)),
        // Texts that cannot be viewed are copied, and how long they are is not known before.
        Err(_) => (found, 1),
    };
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let reader = builder.with_batch_size(usize::try_from(batch_rows)?).build()?;
    Ok(Opened { reader, rows, uuids })
}

/// What the rows of a group come to: their pages, and for each value its width, that of a view for a text.
fn decoded_bytes(group: &RowGroupMetaData) -> u64 {
    let column = |column: &ColumnChunkMetaData| {
        let width = match column.column_type() {
            Type::BOOLEAN => 1,
            Type::INT32 | Type::FLOAT => 4,
            Type::INT64 | Type::DOUBLE => 8,
            Type::INT96 | Type::BYTE_ARRAY => 16,
            Type::FIXED_LEN_BYTE_ARRAY => {
                u64::try_from(column.column_descr().type_length()).unwrap_or_default()
            }
        };
        let values = u64::try_from(column.num_values()).unwrap_or_default();
        let pages = u64::try_from(column.uncompressed_size()).unwrap_or_default();
        // Four bytes for the level at which a value stands.
        values.saturating_mul(width + 4).saturating_add(pages)
    };
    group.columns().iter().map(column).fold(0, u64::saturating_add)
}

fn stored_bytes(group: &RowGroupMetaData) -> u64 {
    let columns = group.columns().iter();
    columns
        .map(|column| u64::try_from(column.compressed_size()).unwrap_or_default())
        .fold(0, u64::saturating_add)
}

/// The same columns, with texts and bytes as views into their pages.
fn viewed(schema: &Schema) -> Schema {
    let fields: Vec<Field> = schema.fields().iter().map(viewed_field).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn viewed_field(field: &FieldRef) -> Field {
    let view = |field: &FieldRef| Arc::new(viewed_field(field));
    let data_type = match field.data_type() {
        DataType::Dictionary(_, values) if is_text(values) => DataType::Utf8View,
        DataType::Dictionary(_, values) if is_bytes(values) => DataType::BinaryView,
        text if is_text(text) => DataType::Utf8View,
        bytes if is_bytes(bytes) => DataType::BinaryView,
        DataType::List(items) => DataType::List(view(items)),
        DataType::LargeList(items) => DataType::LargeList(view(items)),
        DataType::FixedSizeList(items, length) => DataType::FixedSizeList(view(items), *length),
        DataType::Map(entries, are_sorted) => DataType::Map(view(entries), *are_sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(view).collect()),
        other => other.clone(),
    };
    field.as_ref().clone().with_data_type(data_type)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8)
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary)
}
