//! How the event store is written, in one place, with a reason for each choice.

use arrow::datatypes::Schema;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// Rows of a row group. DuckDB works on row groups in parallel and likes this many.
pub const GROUP_ROWS: usize = 122_880;

/// Bytes of a row group before encoding, for events with long lists: bounds memory.
pub const GROUP_BYTES: usize = 32 << 20;

/// Bytes that wait in all tables together before the largest is written out.
pub const WAITING_BYTES: usize = 192 << 20;

/// Columns that rise or are unique: differences pack well, a dictionary never pays.
const RISING: [&str; 4] = ["_position", "_time", "_line", "_offset"];

/// Unique texts and hashes: a dictionary would only be tried and thrown away.
const UNIQUE: [&str; 4] = ["_id", "_content", "_unknown", "_original"];

/// The settings of a table of the event store.
pub fn properties(schema: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        // What all readers understand.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        // Nothing of the build stands in the file: the same log gives the same bytes.
        .set_created_by("starlog".to_owned())
        // The cheapest level: the store is written once and read a few times.
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(true)
        // Row groups are small; finer statistics would cost more than they let skip.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(None);
    for name in RISING.into_iter().chain(["_order"]) {
        if schema.column_with_name(name).is_some() {
            builder = builder
                .set_column_dictionary_enabled(ColumnPath::from(name), false)
                .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
        }
    }
    for name in UNIQUE {
        if schema.column_with_name(name).is_some() {
            builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
    }
    builder.build()
}
