//! Rows of CSV, of Parquet, and objects of other names: what is an event, what a reject, and how files go on.

use super::{Library, gzip};
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use starlog::log::{Account, FileCode};
use std::process::Command;
use std::sync::Arc;

pub const SAMPLES: &str = r#"
name = "samples"

[log]
files = ["*"]
envelope = { type = "what", time = "at", payload = "body", id = "uid", order = "n", zone = "Europe/Oslo" }
ignore = ["Blank"]

[log.rows.taken]
event = "Taken"
time = "taken_at"
id = "sample no"
fields = { sample = "sample no" }
nulls = ["", "NULL"]
delimiter = ";"

[log.rows.judged]
type = "kind"
time = "when"
id = "key"
order = "seq"
unit = "s"

[events.Taken]
fields = { sample = "integer", depth = "decimal(8,3)?", place = "text?", wet = "boolean?", sown = "date?" }
[events.Judged]
fields = { key = "text", verdict = "text" }
"#;

fn samples() -> Library {
    Library::with(SAMPLES)
}

#[test]
fn rows_of_csv_are_events() {
    let library = samples();
    library.write(
        "a.csv",
        "\u{feff}\"sample no\";taken_at;depth;place;wet;sown;colour\r\n\
         9007199254740993;2024-05-01 12:00:00;1.250;\"Bay; \"\"north\"\"\r\nside\";true;2024-04-30;red\r\n\
         \r\n\
         2;2024-05-01T10:00:00Z;NULL;;false;;\"\"\n",
    );
    let report = library.ingest(&["a.csv"]);
    assert_eq!(
        report.total,
        Account { read: 4, accepted: 2, blank: 2, ..Account::default() },
        "a header says nothing"
    );
    assert_eq!(
        library.values(
            "Taken",
            &["_id", "_time", "sample", "depth", "place", "wet", "sown", "_unknown", "_line", "_offset"]
        ),
        [
            [
                "9007199254740993",
                "2024-05-01T10:00:00",
                "9007199254740993",
                "1.250",
                "Bay; \"north\"\r\nside",
                "true",
                "2024-04-30",
                r#"{"colour":"red"}"#,
                "2",
                "53"
            ],
            ["2", "2024-05-01T10:00:00", "2", "∅", "∅", "false", "∅", r#"{"colour":null}"#, "5", "142"],
        ]
    );
}

#[test]
fn a_record_that_is_no_row_is_a_reject_and_the_next_one_is_read() {
    let library = samples();
    let head = "sample no;taken_at;depth;wet\n";
    let rows = [
        ("1;2024-05-01T10:00:00Z;1;true", ""),
        ("2;2024-05-01T10:00:00Z;1", "csv-ragged"),
        ("3;2024-05-01T10:00:00Z;1;true;x", "csv-ragged"),
        ("4;2024-05-01T10:00:00Z;5\" pipe;true", "csv-quote"),
        ("5;\"2024-05-01T10:00:00Z\"x;1;true", "csv-quote"),
        ("six;2024-05-01T10:00:00Z;1;true", "type"),
        ("7;2024-05-01T10:00:00Z;1,5;true", "money-format"),
        ("8;2024-05-01T10:00:00Z;1;Y", "type"),
        ("9;yesterday;1;true", "time"),
        ("10;1714557600;1;true", "time"),
        (";2024-05-01T10:00:00Z;1;true", "no-id"),
        ("12;2024-05-01T10:00:00Z;1;true", ""),
    ];
    let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    library.write("a.csv", format!("{head}{text}"));
    let report = library.ingest(&["a.csv"]);
    assert_eq!((report.total.read, report.total.accepted), (13, 2));
    let codes: Vec<(usize, String)> =
        library.reject_messages().into_iter().map(|(line, code, _)| (line - 2, code)).collect();
    let flawed = rows.iter().enumerate().filter(|(_, (_, code))| !code.is_empty());
    let expected: Vec<(usize, String)> = flawed.map(|(at, (_, code))| (at, (*code).to_owned())).collect();
    assert_eq!(codes, expected);
    for (reject, (row, _)) in library.rejects().iter().zip(rows.iter().filter(|(_, code)| !code.is_empty())) {
        assert_eq!(reject.raw, row.as_bytes());
    }
}

#[test]
fn a_csv_file_grows_and_its_unfinished_record_waits() {
    let library = samples();
    library.write("a.csv", "sample no;taken_at;place\n1;2024-05-01T10:00:00Z;\"half\n");
    let report = library.ingest(&["a.csv"]);
    assert_eq!((report.total.read, report.total.accepted, report.files[0].held_bytes), (1, 0, 29));
    library.append("a.csv", "and half\"\n2;2024-05-01T10:00:00Z;b");
    assert_eq!(library.ingest(&["a.csv"]).total.accepted, 1);
    library.append("a.csv", "ay\n");
    assert_eq!(library.ingest(&["a.csv"]).total.accepted, 1);
    assert_eq!(library.column("Taken", "place"), ["half\nand half", "bay"]);
    assert_eq!(library.column("Taken", "_line"), ["2", "4"]);

    library.write("b.gz", gzip("sample no;taken_at\n3;2024-05-01T10:00:00Z\n4;2024-05-01T10:00:00Z"));
    assert_eq!(library.ingest(&["b.gz"]).total.accepted, 2, "nobody adds to a packed file");
    library.write("c.gz", gzip("sample no;taken_at\n5;2024-05-01T10:00:00Z\n6;\"2024"));
    assert_eq!(library.ingest(&["c.gz"]).total.rejected, 1);
    assert_eq!(library.codes(), ["torn-tail"]);
}

#[test]
fn rows_are_the_same_however_blocks_are_cut() {
    let library = samples();
    let row = |at: u32| format!("{at};2024-05-01T10:00:00Z;\"a\nb \"\"{}\"\"\"\n", "x".repeat(200));
    let text: String = (1..=30_000).map(row).collect();
    library.write("a.csv", format!("sample no;taken_at;place\n{text}"));
    let report = library.ingest(&["a.csv"]);
    assert_eq!((report.total.accepted, report.total.rejected), (30_000, 0));
    let lines = library.column("Taken", "_line");
    assert_eq!((lines[0].as_str(), lines[29_999].as_str()), ("2", "60000"));
}

#[test]
fn a_header_that_no_rows_have_fails_the_file_alone() {
    for (header, reason) in [
        ("sample no;depth", "it lacks `taken_at` of the rows `taken`"),
        ("sample no,taken_at,depth", "it lacks `sample no`"),
        ("sample no;taken_at;sample no", "names a column twice"),
        ("1;2024-05-01T10:00:00Z;1", "it lacks"),
    ] {
        let library = samples();
        library.write("a.csv", format!("{header}\n1;2;3\n"));
        library.write("b.csv", "sample no;taken_at\n3;2024-05-01T10:00:00Z\n");
        let report = library.ingest(&["a.csv", "b.csv"]);
        assert_eq!((report.failures.len(), report.failures[0].code), (1, FileCode::CsvHeader));
        assert!(report.failures[0].message.contains(reason), "{}", report.failures[0].message);
        assert_eq!(report.total.accepted, 1);
    }
}

#[test]
fn a_column_may_name_the_event_type() {
    let library = samples();
    library.write(
        "a.csv",
        "key,kind,when,seq,verdict\nk1,Judged,1714557600,7,good\nk2,Blank,1714557600,,\nk3,Burnt,1714557600,1,\nk4,Judged,2024-05-01T10:00:00Z,x,bad\n",
    );
    let report = library.ingest(&["a.csv"]);
    assert_eq!(
        report.total,
        Account { read: 5, accepted: 1, blank: 1, ignored: 1, rejected: 2, duplicate: 0 }
    );
    assert_eq!(
        library.values("Judged", &["_id", "_time", "_order", "key", "verdict", "_unknown"]),
        [["k1", "2024-05-01T10:00:00", "7", "k1", "good", "∅"]]
    );
    assert_eq!(library.codes(), ["unknown-type", "not-integer"]);
}

#[test]
fn objects_of_other_names_are_rows_too() {
    let library = samples();
    library.write(
        "a.ndjson",
        "{\"key\":\"k1\",\"kind\":\"Judged\",\"when\":1714557600,\"seq\":3,\"verdict\":\"fair\",\"by\":{\"name\":\"x\"}}\n{\"key\":\"k2\"}\n",
    );
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, library.codes()), (1, vec!["missing-field".to_owned()]));
    assert_eq!(
        library.values("Judged", &["_id", "_order", "verdict", "_unknown"]),
        [["k1", "3", "fair", r#"{"by":{"name":"x"}}"#]]
    );
}

fn parquet_file(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn taken(compression: Compression) -> Vec<u8> {
    let micros = 1_714_557_600_000_000;
    parquet_file(
        vec![
            ("sample no", Arc::new(Int64Array::from(vec![1, 9_007_199_254_740_993, 3]))),
            (
                "taken_at",
                Arc::new(TimestampMicrosecondArray::from(vec![micros, micros, micros]).with_timezone("UTC")),
            ),
            (
                "depth",
                Arc::new(
                    Decimal128Array::from(vec![Some(-1_250), None, Some(123_456_789)])
                        .with_precision_and_scale(12, 4)
                        .unwrap(),
                ),
            ),
            ("place", Arc::new(StringArray::from(vec![Some("Bay \"x\"\n\u{1}"), None, Some("NULL")]))),
            ("sown", Arc::new(Date32Array::from(vec![Some(0), None, Some(19_843)]))),
            ("heat", Arc::new(Float64Array::from(vec![0.1, f64::NAN, 1e21]))),
        ],
        compression,
    )
}

#[test]
fn rows_of_parquet_are_events() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())]
    {
        let library = samples();
        library.write("a.bin", taken(compression));
        let report = library.ingest(&["a.bin"]);
        assert_eq!(report.failures, [], "{compression}");
        assert_eq!(report.total, Account { read: 3, accepted: 2, rejected: 1, ..Account::default() });
        assert_eq!(
            library
                .values("Taken", &["_id", "_time", "sample", "depth", "place", "sown", "_unknown", "_line"]),
            [
                [
                    "1",
                    "2024-05-01T10:00:00",
                    "1",
                    "-0.125",
                    "Bay \"x\"\n\u{1}",
                    "1970-01-01",
                    r#"{"heat":0.1}"#,
                    "1"
                ],
                [
                    "9007199254740993",
                    "2024-05-01T10:00:00",
                    "9007199254740993",
                    "∅",
                    "∅",
                    "∅",
                    r#"{"heat":"NaN"}"#,
                    "2"
                ],
            ]
        );
        let rejects = library.rejects();
        assert_eq!((rejects[0].code.as_str(), rejects[0].line), ("scale", 3));
        let kept = r#"{"sample no":3,"taken_at":"2024-05-01T10:00:00.000000Z","depth":12345.6789,"place":"NULL","sown":"2024-04-30","heat":1000000000000000000000}"#;
        assert_eq!(String::from_utf8_lossy(&rejects[0].raw), kept);

        // The same rows in another file are known.
        library.write("b.bin", taken(Compression::ZSTD(Default::default())));
        let again = library.ingest(&["a.bin", "b.bin"]);
        assert_eq!((again.total.accepted, again.total.duplicate), (0, 3));
    }
}

/// A Parquet file whose columns are the envelope's is a log like any other, lists of objects included.
#[test]
fn parquet_may_hold_the_log_s_own_envelope() {
    let pipeline = r#"
name = "samples"
[log]
files = ["*"]
envelope = { type = "what", time = "at", payload = "body", zone = "Europe/Oslo" }
[events.Mixed]
fields = { bowl = "integer" }
lists.parts = { grams = "integer" }
"#;
    let grams = Field::new("grams", DataType::Int64, true);
    let parts = StructArray::from(vec![(
        Arc::new(grams.clone()),
        Arc::new(Int64Array::from(vec![5, 6])) as ArrayRef,
    )]);
    let item = Arc::new(Field::new_struct("item", vec![grams], true));
    let lists = ListArray::new(item.clone(), OffsetBuffer::from_lengths([2, 0]), Arc::new(parts), None);
    let fields = Fields::from(vec![
        Field::new("bowl", DataType::Int64, true),
        Field::new("parts", DataType::List(item), true),
    ]);
    let body = StructArray::new(fields, vec![Arc::new(Int64Array::from(vec![1, 2])), Arc::new(lists)], None);
    let nanos = 1_714_557_600_123_456_000;
    let bytes = parquet_file(
        vec![
            ("what", Arc::new(StringArray::from(vec!["Mixed", "Mixed"]))),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![nanos, nanos + 1]))),
            ("body", Arc::new(body)),
        ],
        Compression::UNCOMPRESSED,
    );
    let library = Library::with(pipeline);
    library.write("a.parquet", bytes);
    let _ = library.ingest(&["a.parquet"]);
    // Ten on a wall in Oslo; the other is finer than a microsecond.
    assert_eq!(
        library.values("Mixed", &["_time", "bowl", "parts"]),
        [["2024-05-01T08:00:00.123456", "1", "[{grams: 5}, {grams: 6}]"]]
    );
    assert_eq!(library.codes(), ["time"]);
}

#[test]
fn a_parquet_file_that_is_broken_fails_alone() {
    let whole = taken(Compression::UNCOMPRESSED);
    let mut flipped = whole.clone();
    flipped[30..200].fill(0xff);
    let cases: [(&str, Vec<u8>); 5] = [
        ("a.parquet", whole[..whole.len() / 2].to_vec()),
        ("a.parquet", b"PAR1".to_vec()),
        ("a.parquet", [b"PARE", &whole[4..whole.len() - 4], b"PARE"].concat()),
        ("a.parquet", b"sample no;taken_at\n".to_vec()),
        ("a.parquet", flipped),
    ];
    for (at, (name, bytes)) in cases.into_iter().enumerate() {
        let library = samples();
        library.write(name, bytes);
        library.write("b.csv", "sample no;taken_at\n3;2024-05-01T10:00:00Z\n");
        let report = library.ingest(&[name, "b.csv"]);
        assert_eq!(report.failures.len(), 1, "case {at}: {report:?}");
        assert_eq!(report.total.accepted, 1);
    }
    let library = samples();
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    library.write("a.parquet", parquet_file(vec![("sample no", none)], Compression::UNCOMPRESSED));
    assert_eq!(library.ingest(&["a.parquet"]).total, Account::default());
}

#[test]
fn row_081_a_csv_record_that_is_none_is_a_reject_and_a_strange_header_fails_the_file() {
    let library = samples();
    let head = "sample no;taken_at;place\n";
    let rows = [
        "1;2024-05-01T10:00:00Z;\"two\nlines\"\n",
        "2;2024-05-01T10:00:00Z;a \"stray\" quote\n",
        "3;2024-05-01T10:00:00Z\n",
        "4,2024-05-01T10:00:00Z,comma\n",
        "5;2024-05-01T10:00:00Z;last\n",
    ];
    library.write("a.csv", head.to_owned() + &rows.concat());
    let report = library.ingest(&["a.csv"]);
    assert_eq!((report.total.read, report.total.accepted), (6, 2));
    assert_eq!(library.codes(), ["csv-quote", "csv-ragged", "csv-ragged"]);
    assert_eq!(library.column("Taken", "place"), ["two\nlines", "last"]);
    for header in
        ["1;2024-05-01T10:00:00Z;x\n", "sample no;taken_at;taken_at\n", "sample no,taken_at,place\n"]
    {
        let library = samples();
        library.write("a.csv", header.to_owned() + rows[0]);
        let report = library.ingest(&["a.csv"]);
        assert_eq!(report.total, Account::default(), "{header}");
        assert!(report.failures[0].code == FileCode::CsvHeader, "{header}: {:?}", report.failures);
    }
}

#[test]
fn row_082_no_text_of_csv_is_null_unless_it_is_declared() {
    let places = ["", "NULL", "\\N", "NA", "null", "\"\""];
    let rows: String =
        (1..).zip(places).map(|(id, place)| format!("{id};2024-05-01T10:00:00Z;{place}\n")).collect();
    let table = format!("sample no;taken_at;place\n{rows}");
    for (nulls, expected) in [
        (r#"nulls = ["", "NULL"]"#, ["∅", "∅", "\\N", "NA", "null", "∅"]),
        (r#"nulls = ["NA"]"#, ["", "NULL", "\\N", "∅", "null", ""]),
        ("", ["", "NULL", "\\N", "NA", "null", ""]),
    ] {
        let library = Library::with(&SAMPLES.replace(r#"nulls = ["", "NULL"]"#, nulls));
        library.write("a.csv", &table);
        let _ = library.ingest(&["a.csv"]);
        assert_eq!(library.column("Taken", "place"), expected, "{nulls}");
    }
}

/// One text of `bytes`, in every one of `rows` rows.
fn repeated(bytes: usize, rows: usize) -> Vec<u8> {
    let ids = Int64Array::from_iter_values(0..i64::try_from(rows).unwrap());
    let times = vec!["2024-05-01T10:00:00Z"; rows];
    let text = Arc::new(StringArray::from(vec!["x".repeat(bytes)]));
    let texts = DictionaryArray::new(Int32Array::from(vec![0; rows]), text);
    parquet_file(
        vec![
            ("sample no", Arc::new(ids)),
            ("taken_at", Arc::new(StringArray::from(times))),
            ("place", Arc::new(texts)),
        ],
        Compression::ZSTD(Default::default()),
    )
}

#[test]
fn row_083_a_parquet_file_that_is_none_or_a_bomb_fails_alone() {
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let columns = || ["sample no", "taken_at", "place"].map(|name| (name, none.clone()));
    let whole = parquet_file(columns().to_vec(), Compression::UNCOMPRESSED);
    let encrypted = [b"PARE", &whole[4..whole.len() - 4], b"PARE"].concat();
    let date: ArrayRef = Arc::new(Date32Array::from(vec![1_000_000_000]));
    let time: ArrayRef = Arc::new(StringArray::from(vec!["2024-05-01T10:00:00Z"]));
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let strange = vec![("sample no", id), ("taken_at", time), ("sown", date)];
    let strange = parquet_file(strange, Compression::UNCOMPRESSED);
    for (bytes, expected) in [
        (b"PARA".repeat(9), Some((FileCode::Corrupt, "does not begin"))),
        (encrypted, Some((FileCode::Corrupt, ""))),
        (whole, None),
        // A value that nobody can write down: what an error says is no value.
        (strange, Some((FileCode::Corrupt, "sown: "))),
        (repeated(100_000, 4_096), Some((FileCode::Bomb, "times its size"))),
    ] {
        let library = samples();
        library.write("a.parquet", bytes);
        library.write("b.csv", "sample no;taken_at\n3;2024-05-01T10:00:00Z\n");
        let report = library.ingest(&["a.parquet", "b.csv"]);
        assert_eq!((report.total.accepted, report.total.rejected), (1, 0), "{expected:?}");
        let found = report.failures.first().map(|failure| (failure.code, failure.message.as_str()));
        assert_eq!(found.map(|(code, _)| code), expected.map(|(code, _)| code), "{found:?}");
        if let (Some((_, found)), Some((_, expected))) = (found, expected) {
            assert!(found.contains(expected), "{found}");
        }
    }
}

/// A text of 300 kB stands 4,096 times in a file of some hundred bytes: its rows are 1.2 GB, and lines one after the other.
#[test]
fn row_083_a_huge_dictionary_takes_little_memory() {
    let library = Library::with(&SAMPLES.replace("files = [\"*\"]", "files = [\"*.parquet\"]").replace(
        "[log.rows.taken]",
        "[log.limits]\nline_bytes = 4_096\ndecompression_ratio = 1_000_000\n[log.rows.taken]",
    ));
    library.write("a.parquet", repeated(300_000, 4_096));
    library.write("samples.toml", library.model.source.pipeline.as_str());
    let script = format!("ulimit -v 2000000; '{}' run samples.toml --json", env!("CARGO_BIN_EXE_starlog"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(library.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(library.rejects().len(), 4_096);
    assert!(library.codes().iter().all(|code| code == "line-too-long"));
}

#[test]
fn times_that_are_counted_may_have_a_fraction() {
    let library = samples();
    let line = |seq: i64, when: &str| {
        format!(r#"{{"kind":"Judged","when":{when},"key":"k{seq}","seq":{seq},"verdict":"v"}}"#)
    };
    let times = ["1714557600.5", "1714557600.0", "17145576e2", "1714557600.0000001", "1e30"];
    let lines: Vec<String> = (1..).zip(times).map(|(seq, when)| line(seq, when) + "\n").collect();
    library.write("a.ndjson", lines.concat());
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(
        library.column("Judged", "_time"),
        ["2024-05-01T10:00:00.500", "2024-05-01T10:00:00", "2024-05-01T10:00:00"]
    );
    assert_eq!(library.codes(), ["time", "time-range"]);
}

/// A reject keeps its record, and its file's format says how it is read again: line ends inside quotes and all.
#[test]
fn rejects_of_every_form_can_be_put_back() {
    let mut library = Library::with(&SAMPLES.replace("decimal(8,3)?", "decimal(8,3)"));
    library.write(
        "a.csv",
        "sample no;taken_at;depth;place\n1;2024-05-01T10:00:00Z;;\"a\nb\"\n2;2024-05-01T10:00:00Z;;\"c\n\nd\"\n3;2024-05-01T10:00:00Z;5;\n4;yesterday;;e\n",
    );
    library.write("b.parquet", taken(Compression::SNAPPY));
    let report = library.ingest(&["a.csv", "b.parquet"]);
    assert_eq!((report.total.accepted, report.total.rejected), (2, 5));
    library.model = super::model(library.folder.path(), SAMPLES);
    let requeued = library.open().requeue(&[]).unwrap();
    assert_eq!((requeued.tried, requeued.accepted), (5, 2));
    let refused: Vec<(&str, u64)> =
        requeued.rejected.iter().map(|(code, count)| (code.as_str(), *count)).collect();
    assert_eq!(refused, [("id-conflict", 1), ("scale", 1), ("time", 1)]);
    assert_eq!(
        library.values("Taken", &["_id", "place", "_line"])[2..],
        [["2", "c\n\nd", "4"], ["9007199254740993", "∅", "2"]]
    );
}

/// A record may have line ends inside quotes: beyond the limit it is passed over as a whole, and none of its lines is read.
#[test]
fn row_081_a_record_beyond_the_limit_is_one_reject() {
    let library = Library::with(
        &SAMPLES.replace("[log.rows.taken]", "[log.limits]\nline_bytes = 4096\n\n[log.rows.taken]"),
    );
    let hidden = "666;2024-05-01T10:00:00Z;1;Bay\n";
    let note = format!("{}\"\"{hidden}", "x".repeat(70)).repeat(40_000);
    let head = "sample no;taken_at;depth;place\n";
    let text = format!(
        "{head}1;2024-05-01T10:00:00Z;1;Bay\n2;2024-05-01T10:00:00Z;1;\"a note\n{hidden}{note}\"\n3;2024-05-01T10:00:00Z;1;Bay\n"
    );
    library.write("a.csv", &text);
    let report = library.ingest(&["a.csv"]);
    assert_eq!(report.total, Account { read: 4, accepted: 2, rejected: 1, blank: 1, ..Account::default() });
    assert_eq!(library.column("Taken", "_id"), ["1", "3"]);
    let [reject] = library.rejects().try_into().expect("one reject");
    assert!(
        text.as_bytes()[usize::try_from(reject.offset).unwrap()..].starts_with(&reject.raw),
        "the beginning of the record is kept"
    );
    assert!(library.reject_messages()[0].2.starts_with("a line of 4"), "{:?}", library.reject_messages());
}

/// What a file holds is told by the first line that says it, in however many nights it comes.
#[test]
fn a_file_is_told_by_the_same_line_in_one_night_and_in_two() {
    let broken = "{bad\n".repeat(70);
    let row = "{\"kind\":\"Judged\",\"when\":1714557600,\"key\":\"A\",\"seq\":1,\"verdict\":\"good\"}\n";
    let taken = |nights: &[&str]| {
        let library = samples();
        library.write("a.ndjson", "");
        for night in nights {
            library.append("a.ndjson", night);
            let _ = library.ingest(&["a.ndjson"]);
        }
        let codes: Vec<(usize, String)> =
            library.reject_messages().into_iter().map(|(line, code, _)| (line, code)).collect();
        (library.values("Judged", &["_position", "_line", "verdict"]), codes)
    };
    let at_once = taken(&[&format!("{broken}{row}")]);
    assert_eq!(at_once.0, [["1", "71", "good"]]);
    assert_eq!(at_once, taken(&[&broken, row]));
    assert_eq!(at_once, taken(&["{bad\n", &broken[5..], &row[..10], &row[10..]]));
}

/// Where tabs part cells, a row of empty cells is one.
#[test]
fn a_row_of_tabs_is_a_row() {
    let library = Library::with(&SAMPLES.replace("delimiter = \";\"", "delimiter = \"\\t\""));
    library.write("a.csv", "sample no\ttaken_at\tdepth\n\t\t\n \t\n\n1\t2024-05-01T10:00:00Z\t1\n");
    let report = library.ingest(&["a.csv"]);
    assert_eq!(report.total, Account { read: 5, accepted: 1, rejected: 2, blank: 2, ..Account::default() });
}

/// A log whose payload stands beside its envelope has no place for that of an outbox: its rows are flawed lines.
#[test]
fn an_outbox_needs_a_place_for_its_payload() {
    let library = Library::with(
        "name = \"flat\"\n[log]\nfiles = [\"*\"]\nenvelope = { type = \"type\", time = \"at\", id = \"id\" }\n[events]\nSet.fields = { item = \"text?\" }\n",
    );
    library.write(
        "a.ndjson",
        "{\"id\":1,\"aggregatetype\":\"item\",\"aggregateid\":\"E\",\"type\":\"Set\",\"at\":\"2024-05-01T10:00:00Z\",\"payload\":\"{\\\"item\\\":\\\"E\\\"}\"}\n",
    );
    let _ = library.ingest(&["a.ndjson"]);
    let unknown = library.column("Set", "_unknown");
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].contains("\"payload\":\"{"), "it is a line of the log's own: {unknown:?}");
}

/// A quote that lacks its end makes one record of many rows: it is not taken for a long cell, and nothing of it is lost.
#[test]
fn row_081_a_quote_without_its_end_swallows_no_rows_in_silence() {
    let head = "sample no;taken_at;depth;place\n";
    let row = |id: usize, place: &str| format!("{id};2024-05-01T10:00:00Z;1;{place}\n");
    let rows: String = (1..=3_000)
        .map(|id| match id {
            100 => row(id, "\"open"),
            2_900 => row(id, "shut\""),
            id => row(id, "Bay"),
        })
        .collect();
    let library = samples();
    library.write("a.csv", format!("{head}{rows}"));
    let report = library.ingest(&["a.csv"]);
    assert_eq!((report.total.accepted, report.total.rejected), (199, 1));
    let (line, code, message) = library.reject_messages().remove(0);
    assert_eq!((line, code.as_str()), (101, "csv-quote"));
    assert!(message.contains("a record of 2801 lines"), "{message}");
    assert!(library.rejects()[0].raw.ends_with(b"shut\""), "all of it is kept");
    let library = Library::with(
        &SAMPLES.replace("[log.rows.taken]", "[log.limits]\nrecord_lines = 3_000\n\n[log.rows.taken]"),
    );
    library.write("a.csv", format!("{head}{rows}"));
    assert_eq!(library.ingest(&["a.csv"]).total.accepted, 200, "where it is declared, a cell may be as long");
}

/// A UUID is written as everybody writes it; a codec that is not read is no damage.
#[test]
fn uuids_of_parquet_have_their_form() {
    use arrow::array::{FixedSizeBinaryArray, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema};
    use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
    use parquet::schema::types::{SchemaDescriptor, Type};
    let column = |name: &str, kind: PhysicalType, logical| {
        let column = Type::primitive_type_builder(name, kind).with_repetition(Repetition::REQUIRED);
        let column = if logical == Some(LogicalType::Uuid) { column.with_length(16) } else { column };
        Arc::new(column.with_logical_type(logical).build().unwrap())
    };
    let columns = vec![
        column("key", PhysicalType::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid)),
        column("kind", PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        column("when", PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        column("verdict", PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        column("seq", PhysicalType::INT64, None),
    ];
    let root = Type::group_type_builder("schema").with_fields(columns).build().unwrap();
    let field = |name, kind| Field::new(name, kind, false);
    let schema = Arc::new(Schema::new(vec![
        field("key", DataType::FixedSizeBinary(16)),
        field("kind", DataType::Utf8),
        field("when", DataType::Utf8),
        field("verdict", DataType::Utf8),
        field("seq", DataType::Int64),
    ]));
    let uuid: Vec<u8> = (0..16).map(|at| at * 17).collect();
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(FixedSizeBinaryArray::try_from_iter([uuid].into_iter()).unwrap()),
        text("Judged"),
        text("2024-05-01T10:00:00Z"),
        text("good"),
        Arc::new(Int64Array::from(vec![1])),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let mut bytes = Vec::new();
    let options = parquet::arrow::arrow_writer::ArrowWriterOptions::new()
        .with_skip_arrow_metadata(true)
        .with_parquet_schema(SchemaDescriptor::new(Arc::new(root)));
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, schema, options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let library = samples();
    library.write("a.parquet", bytes);
    let report = library.ingest(&["a.parquet"]);
    assert_eq!(report.total.accepted, 1, "{:?} {:?}", report.failures, library.reject_messages());
    assert_eq!(library.column("Judged", "key"), ["00112233-4455-6677-8899-aabbccddeeff"]);
}
