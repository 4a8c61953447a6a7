//! What was found, as one value: the terminal, the JSON, the Markdown and the page are made from nothing else.

use serde::{Deserialize, Serialize};

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub pipeline: String,
    /// Events in the log.
    pub events: u64,
    /// How often each question was asked of each layout, in a new session and then again in the same.
    pub runs: usize,
    /// How often each layout was built.
    pub builds: usize,
    pub machine: Machine,
    /// Reading the log and replaying it, which is the same for all layouts.
    pub ingest_us: u64,
    pub replay_us: u64,
    /// In the order in which figures are given everywhere; ratios are against the first.
    pub layouts: Vec<LayoutFigures>,
    pub questions: Vec<QuestionFigures>,
    /// Questions that were not measured, and why.
    pub refused: Vec<Refused>,
    /// What renaming the top of a hierarchy costs.
    pub rename: Option<Rename>,
    /// Why that was not measured, if it was not.
    pub no_rename: Option<String>,
    /// What the figures say, in words, a paragraph each.
    pub words: Vec<String>,
}

/// What it was measured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The version of this program.
    pub starlog: String,
    pub duckdb: String,
    /// Operating system and processor.
    pub platform: String,
    pub threads: usize,
    /// When it began, RFC 3339.
    pub started: String,
}

/// How much a layout is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayoutFigures {
    pub name: String,
    pub rows: u64,
    pub files: u64,
    pub bytes: u64,
    /// Bytes by those of the first layout.
    pub bytes_ratio: f64,
    /// From the replayed log to written files.
    pub build: Spread,
    /// Ratios to the first layout, each within one round of builds.
    pub build_ratio: Ratio,
    /// The geometric mean of the warm ratios of all questions that it was asked.
    pub warm_mean: Option<f64>,
    pub tables: Vec<TableFigures>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFigures {
    pub name: String,
    pub kind: TableKind,
    pub rows: u64,
    pub files: u64,
    pub bytes: u64,
    pub columns: Vec<ColumnFigures>,
}

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    Fact,
    Dimension,
}

/// A column, as a picture of the table shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnFigures {
    pub name: String,
    #[serde(rename = "type")]
    pub sql_type: String,
    /// The rows are known by it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_key: bool,
    /// The table whose key it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Durations of the same thing, done several times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub median_us: u64,
    /// A quarter took at most this long, a quarter at least `upper_us`.
    pub lower_us: u64,
    pub upper_us: u64,
    pub least_us: u64,
    pub most_us: u64,
}

/// Ratios of durations, each taken within one run; to three decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

/// A question that all layouts that can be asked answer alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuestionFigures {
    pub name: String,
    /// What is asked, in words of the pipeline.
    pub asks: String,
    /// Rows of the answer.
    pub rows: u64,
    /// In the order of the layouts.
    pub answers: Vec<AnswerFigures>,
}

/// How one layout answers a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerFigures {
    pub layout: String,
    pub sql: String,
    /// Columns that DuckDB reads from files, as its plan says.
    pub columns: u64,
    /// Joins that DuckDB does, as its plan says.
    pub joins: u64,
    /// Bytes that DuckDB read from files, in a new session.
    pub bytes_read: u64,
    /// The first time it is asked in a new session.
    pub cold: Spread,
    /// The second time in the same session.
    pub warm: Spread,
    pub cold_ratio: Ratio,
    pub warm_ratio: Ratio,
}

/// A question without figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    /// Layouts gave different answers: somebody has to look into it.
    pub answers_differ: bool,
}

/// What renaming one member at the top of a hierarchy costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    pub dimension: String,
    /// The hierarchy, from the bottom up.
    pub levels: Vec<String>,
    /// What is renamed.
    pub attribute: String,
    pub member: String,
    /// How many members of the lowest level stand below it.
    pub members_below: u64,
    pub ways: Vec<RenameWay>,
}

/// The same change, the attribute tracked in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameWay {
    /// As the pipeline's language has it: `history` or `overwrite`.
    pub tracking: String,
    /// Whether the pipeline tracks it so.
    pub is_declared: bool,
    /// In the order of the layouts.
    pub costs: Vec<RenameCost>,
}

/// What one layout has to write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameCost {
    pub layout: String,
    /// Rows that are new.
    pub rows_added: u64,
    /// Rows that say something else than before.
    pub rows_changed: u64,
    /// All rows of the files that hold them: a Parquet file is written as a whole.
    pub rows_rewritten: u64,
    pub files_rewritten: u64,
    pub bytes_rewritten: u64,
    /// The tables that those files are of.
    pub tables: Vec<String>,
}
