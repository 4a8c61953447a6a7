//! The log: every line accounted for, whatever it holds and however its file changes.

mod accounts;
mod changes;
mod files;
mod formats;
mod growth;
mod identity;
mod limits;
mod merge;
mod outbox;
mod rows;
mod store;
mod strictness;

pub use files::SAMPLES;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use starlog::disk::Disk;
use starlog::error::Result;
use starlog::log::{Account, EventLog, FileReport, IngestReport};
use starlog::model::{self, Model};
use std::fs;
use std::path::{Path, PathBuf};

/// A pipeline about a library: loans have lines, and nothing is a made-up shop.
pub const LIBRARY: &str = r#"
name = "library"

[log]
files = ["*.ndjson"]
envelope = { type = "type", version = "v", time = "at", payload = "data", id = "id", order = "seq" }
earliest = 1990-01-01
latest = 2090-01-01
ignore = ["Heartbeat"]

[events]
Lent = { fields = { reader = "text", note = "text?", fee = "decimal(10,2)?", days = "integer?", express = "boolean?", due = "date?", called = "timestamp?" }, lists.books = { isbn = "text", copies = "integer", weight = "decimal(8,3)?" } }
Returned = { version = 2, fields = { reader = "text" } }
"#;

/// A folder with source files and a log.
pub struct Library {
    pub folder: tempfile::TempDir,
    pub model: Model,
}

impl Library {
    pub fn new() -> Self {
        Self::with(LIBRARY)
    }

    pub fn with(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = model(folder.path(), pipeline);
        Self { folder, model }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        use std::io::Write;
        let mut file = fs::OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    pub fn log_folder(&self) -> PathBuf {
        self.path("warehouse/log")
    }

    pub fn open(&self) -> EventLog {
        EventLog::open(&Disk::default(), &self.log_folder(), &self.model).unwrap()
    }

    pub fn try_ingest(&self, files: &[&str], threads: usize) -> Result<IngestReport> {
        let files: Vec<PathBuf> = files.iter().map(|file| self.path(file)).collect();
        let report = self.open().ingest(&files, threads, &())?;
        self.check_accounts(&report);
        Ok(report)
    }

    /// Ingests, and checks that every line and every row is accounted for.
    pub fn ingest(&self, files: &[&str]) -> IngestReport {
        self.try_ingest(files, 2).unwrap()
    }

    fn check_accounts(&self, report: &IngestReport) {
        for FileReport { name, account, .. } in &report.files {
            assert!(account.balances(), "{name}: {account:?}");
        }
        assert!(report.total.balances(), "{:?}", report.total);
        assert_eq!(report.total, report.files.iter().map(|file| file.account).sum());
        assert_eq!(report.total.rejected, report.rejects.values().sum::<u64>());

        let log = self.open();
        let all: Account = log.sources().iter().map(|source| source.account).sum();
        assert!(all.balances(), "{all:?}");
        let mut positions: Vec<i64> = Vec::new();
        for event_type in log.event_types() {
            for batch in log.scan(event_type, &["_position"]).unwrap() {
                let batch = batch.unwrap();
                let column = batch.column(0).as_primitive::<Int64Type>();
                assert!(column.values().is_sorted(), "{event_type} is out of order");
                positions.extend(column.values());
            }
        }
        positions.sort_unstable();
        let dense: Vec<i64> = (1..=i64::try_from(all.accepted).unwrap()).collect();
        assert_eq!(positions, dense, "positions are not dense");
        assert_eq!(log.position().0, all.accepted);
        assert_eq!(self.rejects().len() as u64, all.rejected);
    }

    /// The values of these columns of an event type, as text; null is `∅`.
    pub fn values(&self, event_type: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let batches = self.open().scan(event_type, columns).unwrap();
        batches.flat_map(|batch| texts(&batch.unwrap())).collect()
    }

    /// One column.
    pub fn column(&self, event_type: &str, column: &str) -> Vec<String> {
        self.values(event_type, &[column]).concat()
    }

    /// All rejects.
    pub fn rejects(&self) -> Vec<Rejected> {
        self.open().rejects().iter().flat_map(|path| read(path)).flat_map(|batch| rejected(&batch)).collect()
    }

    /// Line, code and message of every reject.
    pub fn reject_messages(&self) -> Vec<(usize, String, String)> {
        let batches = self.open().rejects().iter().flat_map(|path| read(path)).collect::<Vec<_>>();
        let columns = ["line", "code", "message"];
        let rows = batches.iter().flat_map(|batch| {
            let at = columns.map(|column| batch.schema().index_of(column).unwrap());
            texts(&batch.project(&at).unwrap())
        });
        rows.map(|row| (row[0].parse().unwrap(), row[1].clone(), row[2].clone())).collect()
    }

    /// The codes of all rejects.
    pub fn codes(&self) -> Vec<String> {
        self.rejects().into_iter().map(|reject| reject.code).collect()
    }
}

/// A row of the store of rejects.
#[derive(Debug, PartialEq)]
pub struct Rejected {
    pub code: String,
    pub message: String,
    pub file: String,
    pub line: i64,
    pub offset: i64,
    pub position_before: i64,
    pub raw: Vec<u8>,
}

pub fn model(folder: &Path, pipeline: &str) -> Model {
    let path = folder.join("pipeline.toml");
    fs::write(&path, pipeline).unwrap();
    model::load(&path).unwrap_or_else(|error| panic!("{error}: {:?}", error.report()))
}

pub fn read(path: &Path) -> Vec<RecordBatch> {
    let file = fs::File::open(path).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
}

pub fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let text = |column: &dyn Array, row| match column.is_null(row) {
        true => "∅".to_owned(),
        false => array_value_to_string(column, row).unwrap(),
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| text(column, row)).collect())
        .collect()
}

fn rejected(batch: &RecordBatch) -> Vec<Rejected> {
    let text = |name: &str, row| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
    let number = |name: &str, row| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().value(row);
    let raw = batch.column_by_name("raw").unwrap().as_binary::<i32>();
    (0..batch.num_rows())
        .map(|row| Rejected {
            code: text("code", row),
            message: text("message", row),
            file: text("file", row),
            line: number("line", row),
            offset: number("offset", row),
            position_before: number("position_before", row),
            raw: raw.value(row).to_vec(),
        })
        .collect()
}

/// A `Lent` event with this id and these members of its payload besides `reader` and `books`.
pub fn lent(id: u64, rest: &str) -> String {
    format!(
        r#"{{"type":"Lent","at":"2024-05-01T10:00:00Z","id":"{id}","seq":{id},"data":{{"reader":"R{id}","books":[]{rest}}}}}"#
    )
}

/// Several of them, a line each.
pub fn lents(ids: impl IntoIterator<Item = u64>) -> String {
    ids.into_iter().map(|id| lent(id, "") + "\n").collect()
}

pub fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(content: impl AsRef<[u8]>) -> Vec<u8> {
    ::zstd::encode_all(content.as_ref(), 3).unwrap()
}
