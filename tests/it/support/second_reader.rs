//! A reader of published tables that is not DuckDB: the `parquet` crate over whatever files lie in a folder.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// All rows of a table in the order of its files' names: these columns, or all of them.
pub fn read(folder: &Path, columns: Option<&[&str]>) -> RecordBatch {
    let files = files(folder);
    assert!(!files.is_empty(), "no files in {}", folder.display());
    let mut batches = Vec::new();
    let mut schema = None;
    for file in files {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&file).unwrap()).unwrap();
        let mask = match columns {
            Some(columns) => ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied()),
            None => ProjectionMask::all(),
        };
        let reader = builder.with_projection(mask).build().unwrap();
        let seen = schema.get_or_insert_with(|| arrow::array::RecordBatchReader::schema(&reader));
        assert_eq!(*seen, arrow::array::RecordBatchReader::schema(&reader), "{}", file.display());
        batches.extend(reader.map(Result::unwrap));
    }
    concat_batches(&schema.unwrap(), &batches).unwrap()
}

/// Every file below a folder, by name. The order of the files of a table is the order of its rows.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A column of integers, none of which is null.
pub fn integers(batch: &RecordBatch, column: &str) -> Vec<i64> {
    let array = batch.column_by_name(column).unwrap();
    assert_eq!(array.null_count(), 0, "{column}");
    array.as_primitive::<Int64Type>().values().to_vec()
}

/// A column of texts.
pub fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let array = cast(batch.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
    array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

/// A column of decimals with four decimals, in ten-thousandths.
pub fn decimals(batch: &RecordBatch, column: &str) -> Vec<Option<i128>> {
    let array = batch.column_by_name(column).unwrap();
    assert!(matches!(array.data_type(), DataType::Decimal128(_, 4)), "{column}: {}", array.data_type());
    array.as_primitive::<Decimal128Type>().iter().collect()
}

/// A column of timestamps, UTC.
pub fn times(batch: &RecordBatch, column: &str) -> Vec<NaiveDateTime> {
    let array = batch.column_by_name(column).unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(array.null_count(), 0, "{column}");
    array
        .values()
        .iter()
        .map(|&micros| DateTime::from_timestamp_micros(micros).unwrap().naive_utc())
        .collect()
}
