//! What a session is to hold, described by whoever knows the release.

use crate::stop::Stop;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a session of the program's own may use.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    pub threads: Option<usize>,
    pub memory_bytes: Option<u64>,
    /// A folder for what does not fit into memory, made by whoever needs it.
    pub overflow: Option<&'a Path>,
    /// Who may break it off.
    pub stop: &'a Stop,
}

/// Everything that a [`Session`](super::Session) is opened with.
#[derive(Debug, Clone, Default)]
pub struct SessionSpec {
    /// Tables that lie in Parquet files.
    pub tables: Vec<Table>,
    /// Relations defined over those tables, in an order in which each finds what it names.
    pub views: Vec<View>,
    /// How many threads DuckDB may use; all cores if none is given.
    pub threads: Option<usize>,
    /// How much memory DuckDB may use; its own default if none is given.
    pub memory_bytes: Option<u64>,
    /// A directory of the session's own for what does not fit into memory. DuckDB creates it when it
    /// must and removes it at the end. Without one a question that does not fit fails.
    pub spill_directory: Option<PathBuf>,
}

impl SessionSpec {
    /// The same for the program itself, which reads no comments: there are many.
    #[must_use]
    pub fn within(mut self, means: Means<'_>) -> Self {
        for table in &mut self.tables {
            table.comment = None;
            table.columns.iter_mut().for_each(|column| column.comment = None);
            table.partition.iter_mut().for_each(|column| column.comment = None);
        }
        self.views.iter_mut().for_each(|view| view.column_comments.clear());
        self.threads = means.threads;
        self.memory_bytes = means.memory_bytes;
        self.spill_directory = means.overflow.map(Path::to_owned);
        self
    }
}

/// A table over Parquet files.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// `main` for a table that is to be found under its plain name.
    pub schema: String,
    pub name: String,
    pub comment: Option<String>,
    /// The columns that the table shows, in this order.
    pub columns: Vec<Column>,
    /// The files that hold the rows, in the order in which rows are to come. None: an empty table.
    pub files: Vec<PathBuf>,
    /// The column that stands in the names of the files' directories (`date_month=2011-03`), as text;
    /// it comes after the others.
    pub partition: Option<Column>,
    /// The last row to be seen.
    pub until: Option<Until>,
    /// Values of one column that are shown as others.
    pub shown: Option<Shown>,
    /// The files may hold different columns: they are matched by name, and a column that is in none of
    /// them is null.
    pub files_may_differ: bool,
}

/// A column of a table, and what it means.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// As in SQL. Needed where it may happen that no file holds the column.
    pub sql_type: Option<String>,
    pub comment: Option<String>,
}

/// What stands for the values of a column; one that is not named stays.
#[derive(Debug, Clone)]
pub struct Shown {
    pub column: String,
    pub values: BTreeMap<String, String>,
}

/// Rows are seen as long as this column is at most this value.
#[derive(Debug, Clone)]
pub struct Until {
    pub column: String,
    pub at_most: i64,
}

/// A relation defined by SQL text.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub schema: String,
    pub name: String,
    /// A SELECT over the session's tables.
    pub sql: String,
    pub comment: Option<String>,
    /// Columns of the view by name, and what each means.
    pub column_comments: Vec<(String, String)>,
}
