//! Parquet files that others can load, and that are the same bytes everywhere (DESIGN 1, 25).

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use duckdb::Connection;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::printer::print_schema;
use starlog::warehouse::{Encoded, FORMAT_VERSION, encode};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

/// A row of every type that a table may have; the decimals are as wide as Parquet's integers and wider.
fn rows(count: i64) -> RecordBatch {
    let decimals = |precision: u8, scale: i8| -> ArrayRef {
        let values = (0..count).map(|row| i128::from(row % 9) - 4);
        let values = Decimal128Array::from_iter_values(values);
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap())
    };
    let columns: Vec<(&str, DataType, ArrayRef)> = vec![
        ("key", DataType::Int64, Arc::new(Int64Array::from_iter_values(0..count))),
        (
            "word",
            DataType::Utf8,
            Arc::new((0..count).map(|row| (row % 3 > 0).then_some("wörd")).collect::<StringArray>()),
        ),
        (
            "flag",
            DataType::Boolean,
            Arc::new((0..count).map(|row| Some(row % 2 == 0)).collect::<BooleanArray>()),
        ),
        (
            "day",
            DataType::Date32,
            Arc::new((0..count).map(|row| Some((row % 400) as i32)).collect::<Date32Array>()),
        ),
        (
            "instant",
            DataType::Timestamp(TimeUnit::Microsecond, None),
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..count).map(|row| row * 1_000_003))),
        ),
        ("small", DataType::Decimal128(9, 2), decimals(9, 2)),
        ("money", DataType::Decimal128(18, 4), decimals(18, 4)),
        ("large", DataType::Decimal128(38, 10), decimals(38, 10)),
    ];
    let fields = columns.iter().map(|(name, data_type, _)| {
        let comment = HashMap::from([("comment".to_owned(), "what it means".to_owned())]);
        Field::new(*name, data_type.clone(), *name != "key").with_metadata(comment)
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(.., array)| array).collect()).unwrap()
}

fn encoded(count: i64) -> Encoded {
    encode(&rows(count), &["key".to_owned()]).unwrap()
}

fn reader(encoded: &Encoded) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&encoded.bytes).unwrap();
    SerializedFileReader::new(file).unwrap()
}

#[test]
fn the_schema_is_one_that_every_loader_knows() {
    let reader = reader(&encoded(10));
    let file = reader.metadata().file_metadata();
    let mut text = vec![];
    print_schema(&mut text, file.schema());
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
    assert_eq!(file.version(), 1);
    assert_eq!(file.created_by(), Some(&*format!("starlog version {FORMAT_VERSION}")));
    assert!(file.key_value_metadata().is_none(), "no second schema that only Arrow readers see");
}

#[test]
fn readers_can_skip() {
    let reader = reader(&encoded(300_000));
    let groups = reader.metadata().row_groups();
    assert_eq!(groups.iter().map(|group| group.num_rows()).collect::<Vec<_>>(), [122_880, 122_880, 54_240]);
    for group in groups {
        let sorting = group.sorting_columns().unwrap();
        assert_eq!((sorting.len(), sorting[0].column_idx, sorting[0].descending), (1, 0, false));
        for column in group.columns() {
            assert!(matches!(column.compression(), Compression::ZSTD(_)));
            let statistics = column.statistics().unwrap();
            assert!(statistics.min_bytes_opt().is_some() && statistics.max_bytes_opt().is_some());
            assert!(statistics.null_count_opt().is_some());
            assert!(column.column_index_offset().is_some() && column.offset_index_offset().is_some());
        }
    }
}

#[test]
fn duckdb_reads_the_types_and_values() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, encoded(10).bytes).unwrap();
    let connection = Connection::open_in_memory().unwrap();
    let types: String = connection
        .query_row(
            &format!(
                "SELECT string_agg(column_type, ' ') FROM (DESCRIBE FROM read_parquet('{}'))",
                path.display()
            ),
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(types, "BIGINT VARCHAR BOOLEAN DATE TIMESTAMP DECIMAL(9,2) DECIMAL(18,4) DECIMAL(38,10)");
    let sql =
        format!("SELECT concat_ws(' ', *COLUMNS(*)) FROM read_parquet('{}') WHERE key = 1", path.display());
    let row: String = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
    assert_eq!(row, "1 wörd false 1970-01-02 1970-01-01 00:00:01.000003 -0.03 -0.0003 -0.0000000003");
}

/// The bytes of a release are a promise: when this hash changes, `FORMAT_VERSION` must rise with it.
#[test]
fn the_bytes_are_those_of_the_format_version() {
    let hash = format!("format {FORMAT_VERSION}: {}", encoded(130_000).blake3);
    insta::assert_snapshot!(hash);
}
