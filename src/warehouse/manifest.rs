//! A release → `manifest.json`: what is in it, exactly?
//!
//! Everything is in the order of its name, so equal releases have equal manifests. No time of the
//! clock stands in it: those are in the ledger of runs.

use crate::error::{Error, Result};
use crate::history::Findings;
use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What a release holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format_version: u32,
    pub release: u64,
    pub pipeline: Pipeline,
    /// The position of the last event that is in the tables.
    pub log_position: u64,
    /// A hash over the contents of all events up to there, by which the log is known again.
    #[serde(default)]
    pub log_print: Option<u64>,
    /// What had been read of the log by then: the limits of rejects count from here.
    #[serde(default)]
    pub log_lines: LogLines,
    /// The tables of each layout, by name.
    pub layouts: BTreeMap<String, BTreeMap<String, TableEntry>>,
    /// The views, by name: the same for every layout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub views: BTreeMap<String, ViewEntry>,
    /// The members of each entity that is a level, with their first mentions: what the next night goes on from.
    #[serde(default)]
    pub members: BTreeMap<String, DataFile>,
    /// What the replay found out besides rows.
    #[serde(default)]
    pub findings: Findings,
    /// What else can be asked of the release.
    #[serde(flatten)]
    pub relations: Relations,
    /// BLAKE3 of the listing of all files as `b3sum` prints it, sorted by path.
    pub blake3: String,
}

/// Lines of all files of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    pub read: u64,
    pub rejected: u64,
}

/// How far the log has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The position of its last event.
    pub position: u64,
    /// A hash over the contents of its events.
    pub print: Option<u64>,
    pub lines: LogLines,
}

/// Relations that are no tables of the release but can be asked like tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relations {
    /// By layout: the wide relation of each dimension, as a query over the layout's tables in `main`.
    pub wide: BTreeMap<String, Vec<WideRelation>>,
    /// The event types, and the rejects.
    pub log: Vec<LogRelation>,
}

/// The wide relation of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WideRelation {
    /// `dim_<dimension>`
    pub name: String,
    /// The columns that a member is known by; the first column of all is the surrogate key.
    #[serde(default)]
    pub natural_key: Vec<String>,
    pub sql: String,
    pub columns: Vec<Column>,
}

/// A part of the log as it lay when the release was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRelation {
    /// The event type, or `rejects`.
    pub name: String,
    pub columns: Vec<Column>,
    /// Parquet files, relative to the warehouse's folder.
    pub files: Vec<String>,
    /// The column that holds a position: what is behind the release's is not seen.
    pub position_column: String,
}

/// Whose release it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    pub name: String,
    /// Of its meaning, see [`crate::model::Model::hash`].
    pub hash: String,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    pub rows: u64,
    /// Control totals: the exact sum of each additive measure, as decimal text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<String, String>,
    /// The rows of each file are sorted by these columns, ascending.
    pub sorted_by: Vec<String>,
    pub columns: Vec<Column>,
    /// By path. A fact without rows has one file without rows.
    pub files: Vec<DataFile>,
}

/// A view, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewEntry {
    /// The hash of what the pipeline says of it: a view that says something else is another one.
    pub definition: String,
    #[serde(flatten)]
    pub table: TableEntry,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As in SQL: `BIGINT`, `DECIMAL(18,4)`, `VARCHAR`, `BOOLEAN`, `DATE`, `TIMESTAMP`.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// Whether the column may hold nulls.
    pub nullable: bool,
    pub comment: String,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Relative to the release's folder, with `/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub blake3: String,
    /// The file's share of the table's control totals.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest of a release's folder.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("manifest.json");
        let bytes = fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::operator(format!("{} is no manifest: {error}", path.display()))
                .next("put the release back from a backup, or point `current` at another one")
                .because(error)
        })
    }

    pub(super) fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::bug("a manifest cannot be written as JSON").because(error))?;
        text.push('\n');
        Ok(text)
    }

    /// All files: of all layouts, then of the views and of the members.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> {
        let of_tables =
            self.layouts.values().flat_map(|tables| tables.values()).flat_map(|table| &table.files);
        let of_views = self.views.values().flat_map(|view| &view.table.files);
        of_tables.chain(of_views).chain(self.members.values())
    }
}

/// The hash of a whole release from those of its files.
pub(super) fn root_hash<'a>(files: impl Iterator<Item = &'a DataFile>) -> String {
    let mut files: Vec<&DataFile> = files.collect();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let listing: String = files.iter().map(|file| format!("{}  {}\n", file.blake3, file.path)).collect();
    blake3::hash(listing.as_bytes()).to_hex().to_string()
}

impl Column {
    /// What the manifest says of an Arrow field.
    ///
    /// # Errors
    ///
    /// A type that no table may hold is a bug.
    pub fn of(field: &Field) -> Result<Self> {
        let sql_type = sql_type(field.data_type()).ok_or_else(|| {
            Error::bug(format!("column {} has the type {}", field.name(), field.data_type()))
        })?;
        let comment = field.metadata().get(crate::layout::COMMENT).cloned().unwrap_or_default();
        Ok(Self { name: field.name().clone(), sql_type, nullable: field.is_nullable(), comment })
    }
}

/// How SQL calls a type, if a table may hold it.
fn sql_type(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Utf8 => "VARCHAR".to_owned(),
        DataType::Binary => "BLOB".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::List(item) => format!("{}[]", sql_type(item.data_type())?),
        DataType::Struct(fields) => {
            let member = |field: &Arc<Field>| {
                let name = field.name().replace('"', "\"\"");
                Some(format!("\"{name}\" {}", sql_type(field.data_type())?))
            };
            format!("STRUCT({})", fields.iter().map(member).collect::<Option<Vec<_>>>()?.join(", "))
        }
        _ => return None,
    })
}
