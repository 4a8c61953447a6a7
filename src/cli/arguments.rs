//! The command line: its words, its help.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use starlog::layout::Layout;
use starlog::query::Format;

use super::ask::AskArguments;
use super::compare::CompareArguments;
use super::diff::DiffArguments;
use super::explain::ExplainArguments;
use super::gc::GcArguments;
use super::generate::GenerateArguments;
use super::history::HistoryArguments;
use super::init::InitArguments;
use super::plan::PlanArguments;
use super::query::QueryArguments;
use super::rebuild::RebuildArguments;
use super::rejects::RejectsArguments;
use super::rollback::RollbackArguments;
use super::run::RunArguments;
use super::size::Size;
use super::status::{RunsArguments, StatusArguments};
use super::test::TestArguments;
use super::verify::VerifyArguments;

/// Turns an event log into a dimensional warehouse: a star or a snowflake in Parquet that answers SQL.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Start here:
  starlog run pipelines/retail.toml          build ./warehouse from the log that the pipeline names
  starlog query 'SHOW TABLES'                see what there is
  starlog query                              ask on, at a prompt
  starlog ask                                see what can be asked without SQL
  starlog init --from 'log/*.ndjson'         draft a pipeline for a log of your own

Exit codes:
  0  done
  1  the data: too many rejects, a check failed, a file that could not be read
  2  the command line, the SQL or the pipeline file
  3  the machine: disk, lock, permission, memory
  4  a bug of ours
  130, 143  ended cleanly by SIGINT or SIGTERM: nothing was published; a second signal ends at once

`starlog COMMAND --help` says more, with examples."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(RunArguments),
    Plan(PlanArguments),
    Query(QueryArguments),
    Ask(AskArguments),
    Status(StatusArguments),
    Runs(RunsArguments),
    Diff(DiffArguments),
    History(HistoryArguments),
    Explain(ExplainArguments),
    Verify(VerifyArguments),
    Rebuild(RebuildArguments),
    Rejects(RejectsArguments),
    Rollback(RollbackArguments),
    Gc(GcArguments),
    Compare(CompareArguments),
    Init(InitArguments),
    Test(TestArguments),
    Generate(GenerateArguments),
    /// Print the JSON Schema of pipeline files.
    #[command(
        long_about = "\
Print the JSON Schema of pipeline files. An editor that knows TOML schemas (with taplo or Even Better TOML, for \
one) completes and explains a pipeline as it is typed.",
        after_help = "\
Examples:
  starlog schema > starlog.schema.json
  and as the first line of a pipeline:  #:schema ./starlog.schema.json"
    )]
    Schema,
}

#[derive(Debug, Args)]
pub struct WarehouseArgument {
    /// The warehouse's folder
    #[arg(
        long = "warehouse",
        value_name = "DIR",
        default_value = "warehouse",
        env = WAREHOUSE,
        hide_env_values = true
    )]
    pub folder: PathBuf,
}

impl WarehouseArgument {
    /// The folder, if whoever asks on must name it again.
    pub fn to_repeat(&self) -> Option<&Path> {
        let is_in_environment = std::env::var_os(WAREHOUSE).is_some_and(|folder| *folder == *self.folder);
        let is_default = self.folder == Path::new("warehouse");
        (!is_in_environment && !is_default).then_some(&self.folder)
    }
}

/// The environment variable of `--warehouse`.
const WAREHOUSE: &str = "STARLOG_WAREHOUSE";

#[derive(Debug, Args)]
pub struct LimitArguments {
    /// How many threads to use; as many as there are cores, if none is given
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024),
        env = "STARLOG_THREADS",
        hide_env_values = true
    )]
    pub threads: Option<u16>,

    /// How much memory DuckDB may use, 64MB at least: 2GB, 512MiB
    #[arg(long, value_name = "SIZE", value_parser = memory, env = "STARLOG_MEMORY", hide_env_values = true)]
    pub memory: Option<Size>,
}

/// With less, DuckDB cannot even open the tables.
const LEAST_MEMORY_BYTES: u64 = 64_000_000;

fn memory(text: &str) -> Result<Size, String> {
    match text.parse::<Size>()? {
        size if size.bytes < LEAST_MEMORY_BYTES => Err("DuckDB needs 64MB at least".to_owned()),
        size => Ok(size),
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutArgument {
    Star,
    Snowflake,
}

impl From<LayoutArgument> for Layout {
    fn from(argument: LayoutArgument) -> Self {
        match argument {
            LayoutArgument::Star => Self::Star,
            LayoutArgument::Snowflake => Self::Snowflake,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatArgument {
    Table,
    Csv,
    CsvSafe,
    Json,
    Jsonl,
    Markdown,
}

impl From<FormatArgument> for Format {
    fn from(argument: FormatArgument) -> Self {
        match argument {
            FormatArgument::Table => Self::Table,
            FormatArgument::Csv => Self::Csv,
            FormatArgument::CsvSafe => Self::CsvSafe,
            FormatArgument::Json => Self::Json,
            FormatArgument::Jsonl => Self::Jsonl,
            FormatArgument::Markdown => Self::Markdown,
        }
    }
}

/// The words of the command line. SQL that begins with a comment, `-- so`, begins with a space instead, or it
/// would be taken for a flag: no flag has a space in its name.
pub fn as_typed(words: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    words.map(|word| match word.to_str() {
        Some(text) if is_comment(text) => format!(" {text}").into(),
        _ => word,
    })
}

fn is_comment(word: &str) -> bool {
    let end = word.find(|sign: char| sign.is_whitespace() || sign == '=');
    word.starts_with("--") && end.is_some_and(|end| !word[end..].starts_with('='))
}
