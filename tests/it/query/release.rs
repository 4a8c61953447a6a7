//! A small release, written by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use starlog::query::{Column, Format, Limit, Session, SessionSpec, Table, Until, View, Written};

/// A folder with a fact table of two months, a dimension, and an event type.
pub struct Release {
    pub folder: tempfile::TempDir,
}

impl Release {
    /// Amounts of January are 1.50 and 2.25, those of February `february`.
    pub fn with_february(february: &[i128]) -> Self {
        Self::within(tempfile::tempdir().unwrap(), february)
    }

    pub fn within(folder: tempfile::TempDir, february: &[i128]) -> Self {
        let root = folder.path();
        write(&root.join("fact/date_month=2011-01/2011-01.parquet"), fact_rows(&[150, 225]));
        write(&root.join("fact/date_month=2011-02/2011-02.parquet"), fact_rows(february));
        let names = StringArray::from(vec![Some("plain"), Some("\u{1b}[31mred\u{202e}"), None]);
        let keys: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        write(
            &root.join("dim/dim.parquet"),
            RecordBatch::try_from_iter_with_nullable([
                ("thing_key", keys, true),
                ("name", Arc::new(names) as ArrayRef, true),
            ])
            .unwrap(),
        );
        let positions: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
        write(
            &root.join("log/1/Happened.parquet"),
            RecordBatch::try_from_iter([("_position", positions)]).unwrap(),
        );
        Self { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// What a session over this release, which ends at position 3, is opened with.
    pub fn spec(&self) -> SessionSpec {
        let root = self.path();
        SessionSpec {
            tables: vec![
                Table {
                    schema: "main".into(),
                    name: "fact_things".into(),
                    comment: Some("what's \"sold\"".into()),
                    columns: vec![column("item", "its number"), column("amount", "it's the amount")],
                    files: vec![
                        root.join("fact/date_month=2011-01/2011-01.parquet"),
                        root.join("fact/date_month=2011-02/2011-02.parquet"),
                    ],
                    partition: Some(column("date_month", "the month")),
                    ..Table::default()
                },
                Table {
                    schema: "main".into(),
                    name: "dim_thing".into(),
                    columns: vec![column("thing_key", "its key"), column("name", "its name")],
                    files: vec![root.join("dim/dim.parquet")],
                    ..Table::default()
                },
                Table {
                    schema: "log".into(),
                    name: "Happened".into(),
                    columns: vec![column("_position", "its position"), typed("since_v2", "DECIMAL(12,2)")],
                    files: vec![root.join("log/1/Happened.parquet")],
                    until: Some(Until { column: "_position".into(), at_most: 3 }),
                    files_may_differ: true,
                    ..Table::default()
                },
                Table {
                    schema: "log".into(),
                    name: "Never".into(),
                    columns: vec![typed("_position", "BIGINT"), typed("when", "DATE")],
                    ..Table::default()
                },
            ],
            views: vec![View {
                schema: "star".into(),
                name: "dim_thing".into(),
                sql: "SELECT * FROM main.dim_thing".into(),
                comment: None,
                column_comments: vec![("name".into(), "its name".into())],
            }],
            threads: Some(2),
            memory_bytes: Some(512 << 20),
            spill_directory: None,
        }
    }

    pub fn session(&self) -> Session {
        Session::open(&self.spec()).unwrap()
    }
}

/// A session, and the release that it needs.
pub struct Opened {
    session: Session,
    _release: Release,
}

impl std::ops::Deref for Opened {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// A session over a release of its own.
pub fn opened() -> Opened {
    let release = Release::with_february(&[1000]);
    Opened { session: release.session(), _release: release }
}

fn column(name: &str, comment: &str) -> Column {
    Column { name: name.into(), sql_type: None, comment: Some(comment.into()) }
}

fn typed(name: &str, sql_type: &str) -> Column {
    Column { name: name.into(), sql_type: Some(sql_type.into()), comment: None }
}

fn fact_rows(amounts: &[i128]) -> RecordBatch {
    let items: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=amounts.len() as i64));
    let amounts = Decimal128Array::from(amounts.to_vec()).with_precision_and_scale(38, 2).unwrap();
    RecordBatch::try_from_iter([("item", items), ("amount", Arc::new(amounts) as ArrayRef)]).unwrap()
}

pub fn write(path: &Path, rows: RecordBatch) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

/// Every answer to a text, one after another.
pub fn ask(session: &Session, text: &str, format: Format) -> starlog::error::Result<String> {
    ask_limited(session, text, format, Limit::default()).map(|(answer, _)| answer)
}

pub fn ask_limited(
    session: &Session,
    text: &str,
    format: Format,
    limit: Limit,
) -> starlog::error::Result<(String, Written)> {
    let mut out = Vec::new();
    let mut written = Written::default();
    for question in session.questions(text)? {
        written = format.write(&mut session.ask(&question)?, limit, &mut out)?;
    }
    Ok((String::from_utf8(out).unwrap(), written))
}

/// An answer as CSV.
pub fn csv(session: &Session, text: &str) -> String {
    ask(session, text, Format::Csv).unwrap()
}
