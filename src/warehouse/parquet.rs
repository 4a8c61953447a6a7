//! Rows → the bytes of a Parquet file: the settings, each with its reason.
//!
//! The same rows give the same bytes on every machine. Every setting that decides a byte is stated
//! here, defaults too, so that a new version of the writer cannot change it unseen; a change here
//! raises [`super::FORMAT_VERSION`].

use super::FORMAT_VERSION;
use crate::error::{Error, Result};
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use std::fs::File;
use std::path::Path;

/// A whole file in memory: a table of a release is cut so that one fits, and what has not changed since
/// the last release need never be written.
pub struct Encoded {
    pub bytes: Vec<u8>,
    pub rows: u64,
    /// BLAKE3, as hexadecimal text.
    pub blake3: String,
}

/// Encodes rows that are sorted by these columns.
///
/// # Errors
///
/// A column that is not there, or a type that Parquet cannot hold, is a bug.
pub fn encode(batch: &RecordBatch, sorted_by: &[String]) -> Result<Encoded> {
    let options = ArrowWriterOptions::new()
        // No `ARROW:schema` in the footer: it is a second schema that only Arrow readers see, and its bytes
        // change with Arrow's own format. The logical types say the same.
        .with_skip_arrow_metadata(true)
        // The customary name; Arrow's own is the default.
        .with_schema_root("schema".to_owned())
        .with_properties(properties(sorting(batch, sorted_by)?)?);
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new_with_options(&mut bytes, batch.schema(), options).map_err(parquet_error)?;
    writer.write(batch).map_err(parquet_error)?;
    writer.close().map_err(parquet_error)?;
    let blake3 = blake3::hash(&bytes).to_hex().to_string();
    Ok(Encoded { bytes, rows: batch.num_rows() as u64, blake3 })
}

/// The rows of a file that [`encode`] wrote: these columns, or all.
///
/// # Errors
///
/// The operator's, if it cannot be read.
pub fn decode(path: &Path, columns: Option<&[String]>) -> Result<RecordBatch> {
    let damaged = |error: &dyn std::fmt::Display| {
        Error::operator(format!("cannot read {}: {error}", path.display()))
            .next("put the file back from a backup, or rebuild the warehouse from its log")
    };
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    let mask = match columns {
        Some(columns) => {
            let schema = builder.parquet_schema();
            ProjectionMask::columns(schema, columns.iter().map(String::as_str))
        }
        None => ProjectionMask::all(),
    };
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let builder = builder.with_projection(mask).with_batch_size(rows.max(1));
    let reader = builder.build().map_err(|error| damaged(&error))?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| damaged(&error))?;
    Ok(concat_batches(&schema, &batches)?)
}

fn properties(sorting: Vec<SortingColumn>) -> Result<WriterProperties> {
    let zstd = ZstdLevel::try_new(ZSTD_LEVEL).map_err(parquet_error)?;
    Ok(WriterProperties::builder()
        // Data pages and encodings of version 1: every loader reads them, while Redshift, older Sparks and
        // older BigQuery loaders stumble over pages or delta encodings of version 2.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(zstd))
        // Dates, kinds, prices and most keys repeat. A column whose values do not falls back to plain as soon as
        // its dictionary passes this size, and then compresses better: with the usual 1 MiB a ledger of
        // small orders took 19.4 bytes a row, with 64 KiB 14.2, and was written and read no slower.
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(64 * 1024)
        // DuckDB's own size: it reads row groups in parallel and skips them by their statistics. A month
        // sorted by day then has few row groups, each of a few days.
        .set_max_row_group_row_count(Some(122_880))
        .set_max_row_group_bytes(None)
        // Pages small enough for readers of the page index to skip within a row group.
        .set_data_page_row_count_limit(20_000)
        .set_data_page_size_limit(1024 * 1024)
        .set_write_batch_size(1024)
        // Minima and maxima of row groups and, in the page index, of pages. Not in page headers as well:
        // readers do not look for them there any more.
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_write_page_header_statistics(false)
        .set_offset_index_disabled(false)
        // Long texts do not swell the footer; a shortened bound is still a bound.
        .set_statistics_truncate_length(Some(64))
        .set_column_index_truncate_length(Some(64))
        // Keys are dense and sorted or looked up by joins, which read whole columns: no query is helped.
        .set_bloom_filter_enabled(false)
        // Arrow's dates and microseconds are Parquet's already; without this nothing is converted.
        .set_coerce_types(false)
        .set_content_defined_chunking(None)
        .set_key_value_metadata(None)
        // Readers trust the bounds of texts only from a writer whose name they can parse:
        // `<application> version <version>`. It is the format's version, since the program's decides no byte.
        .set_created_by(format!("starlog version {FORMAT_VERSION}"))
        .set_sorting_columns(Some(sorting).filter(|columns| !columns.is_empty()))
        .build())
}

/// Measured on a ledger of 531,282 lines of real orders and on a made-up one of 1,000,000, at the encoder's
/// CPU time: uncompressed 13.2 and 32.0 bytes a row, level 1 7.6 and 14.2, level 3 7.5 and 13.6 for a
/// tenth to a fifth more time. Reading takes the same.
const ZSTD_LEVEL: i32 = 1;

/// Tells readers the order of the rows. Nulls, where a sort column may hold them, come first.
fn sorting(batch: &RecordBatch, sorted_by: &[String]) -> Result<Vec<SortingColumn>> {
    sorted_by
        .iter()
        .map(|name| {
            let column = batch.schema_ref().index_of(name)?;
            let column_idx = i32::try_from(column).map_err(|_| Error::bug("too many columns"))?;
            Ok(SortingColumn { column_idx, descending: false, nulls_first: true })
        })
        .collect()
}

fn parquet_error(error: ParquetError) -> Error {
    Error::bug(format!("parquet: {error}")).because(error)
}
