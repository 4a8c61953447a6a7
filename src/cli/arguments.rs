//! The command line: its words, its help.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use starlog::error::Error;
use starlog::generate::Share;
use starlog::layout::Layout;
use starlog::query::Format;

use super::size::Size;

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

Exit codes:
  0  done
  1  the data: too many rejects, a check failed, a file that could not be read
  2  the command line, the SQL or the pipeline file
  3  the machine: disk, lock, permission, memory
  4  a bug of ours

`starlog COMMAND --help` says more, with examples."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(RunArguments),
    Query(QueryArguments),
    Status(StatusArguments),
    Runs(RunsArguments),
    /// Hash the current release and compare it with a replay of the log
    #[command(long_about = VERIFY)]
    Verify(VerifyArguments),
    /// Make all tables again from the log's first event, and publish them
    #[command(long_about = REBUILD)]
    Rebuild(VerifyArguments),
    Rollback(RollbackArguments),
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

/// Take in new events, build the tables, check them, publish them.
#[derive(Debug, Args)]
#[command(
    override_usage = "starlog run <PIPELINE> [OPTIONS]",
    long_about = "\
Take in new events, build the tables, check them, publish them.

What a run publishes is a release: an immutable folder of Parquet files, to which \
`warehouse/current` points. Whoever reads the release before goes on undisturbed. When a check fails, \
nothing is published, and the next run goes on from there. Running again takes what is new.

A line that was rejected stays rejected: a file that was read may grow, but not change. Put the corrected \
line into a new file, and run again.",
    after_help = "\
Examples:
  starlog run pipelines/retail.toml
  starlog run pipelines/retail.toml --layout star,snowflake --warehouse /data/shop
  starlog run pipelines/retail.toml --log 'incoming/*.ndjson.gz'
  starlog run pipelines/retail.toml --json | jq .release"
)]
pub struct RunArguments {
    /// The pipeline file; `starlog schema` describes it
    pub pipeline: Option<PathBuf>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// How dimensions lie on disk; both, if both are named. Without it, what the current release has;
    /// a first release is a star
    #[arg(
        long,
        value_name = "LAYOUT",
        value_delimiter = ',',
        env = "STARLOG_LAYOUT",
        hide_env_values = true
    )]
    pub layout: Vec<LayoutArgument>,

    /// Read these files instead of those that the pipeline names: .ndjson, .ndjson.gz or .ndjson.zst.
    /// Relative to where starlog runs; in the environment, commas stand between several
    #[arg(long, value_name = "FILE-OR-GLOB", num_args = 1.., env = LOG, hide_env_values = true)]
    pub log: Vec<String>,

    #[command(flatten)]
    pub limits: LimitArguments,

    /// Print the summary as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Ask the current release in SQL.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Ask the current release in SQL, as DuckDB speaks it.

Tables have their plain names: fact_orders, dim_product, dim_date. In either layout, star.dim_product is the \
whole dimension in one relation, beside star.fact_orders and star.dim_date: one text runs on both. Events are log.\"OrderPlaced\" and so on, the \
lines that were no events log.rejects; both end where the release ends. DESCRIBE says what a column is, \
duckdb_columns() has a comment on each.

A query can only read. Without SQL, and on a terminal, there is a prompt.",
    after_help = "\
Examples:
  starlog query 'SHOW TABLES'
  starlog query \"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'fact_orders'\"
  starlog query 'SELECT kind, count(*), sum(net_amount) FROM fact_orders GROUP BY kind'
  starlog query 'SELECT code, file, line, message FROM log.rejects'
  starlog query --format csv -f report.sql > report.csv
  echo 'FROM dim_date LIMIT 3' | starlog query -"
)]
pub struct QueryArguments {
    /// The question, or `-` to read it from standard input; several end with `;`
    #[arg(value_name = "SQL", conflicts_with = "file")]
    pub sql: Option<String>,

    /// Read the question from a file
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Ask this release instead of the current one; `starlog status` names them
    #[arg(long, value_name = "N", env = "STARLOG_RELEASE", hide_env_values = true)]
    pub release: Option<u64>,

    /// The layout whose tables have the plain names; of several, the first that the release has
    #[arg(
        long,
        value_name = "LAYOUT",
        value_delimiter = ',',
        default_value = "star,snowflake",
        env = "STARLOG_LAYOUT",
        hide_env_values = true
    )]
    pub layout: Vec<LayoutArgument>,

    /// How the answer looks. CSV and JSON hold every value as it is; in the others, signs that a
    /// terminal would obey are escaped
    #[arg(long, default_value = "table", env = "STARLOG_FORMAT", hide_env_values = true)]
    pub format: FormatArgument,

    /// Show all rows of a table; without it, the first 1000
    #[arg(long, env = "STARLOG_ALL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub all: bool,

    #[command(flatten)]
    pub limits: LimitArguments,
}

/// Say where the warehouse stands: its log, its releases, what waits.
#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Show the ledger: a line for each run, the newest last.
#[derive(Debug, Args)]
pub struct RunsArguments {
    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Print the ledger's own lines, JSON each
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

const VERIFY: &str = "\
Hash the current release and compare it with a replay of the log.

Every file is hashed against the manifest, and made again from the log's first event on, with none of the ways \
in which a night saves work. Nothing is published. Files that are not what was published exit with 3; tables \
that are not what the log gives are a bug of ours and exit with 4.";

const REBUILD: &str = "\
Make all tables again from the log's first event, and publish them.

They are checked and compared with the current release, which readers keep meanwhile. If they differ although \
neither log, pipeline nor program have changed, that is a bug of ours: nothing is swapped, and the exit code \
is 4.";

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    #[command(flatten)]
    pub limits: LimitArguments,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Make an older release the current one again; a swap of the pointer.
#[derive(Debug, Args)]
#[command(long_about = "\
Make an older release the current one again. Only the pointer is swapped: no file is touched, readers go on, \
and the log keeps all its events. The next run publishes the whole log again, so mend what was wrong first.")]
pub struct RollbackArguments {
    /// The release; without it, the one before the current one
    pub release: Option<u64>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,
}

/// Write a made-up log of a shop, the same for the same seed.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Write a made-up log of a shop, one file a day: departments, categories, products, stores and customers that \
open, move, are renamed and closed; orders that are placed, shipped, amended, cancelled and returned in part. \
The same options give the same bytes. `pipelines/retail.toml` reads it.",
    after_help = "\
Examples:
  starlog generate --orders 10000 --seed 1 --out shop
  starlog run pipelines/retail.toml --log 'shop/*.ndjson' --warehouse shop/warehouse
  starlog generate --orders 10000 --seed 1 --late 0.02 --duplicates 0.01 --bad 0.001 --out messy"
)]
pub struct GenerateArguments {
    /// How many orders
    #[arg(long, value_name = "N", env = "STARLOG_ORDERS", hide_env_values = true)]
    pub orders: u64,

    /// Which of all such logs
    #[arg(long, value_name = "S", env = "STARLOG_SEED", hide_env_values = true)]
    pub seed: u64,

    /// Over how many days
    #[arg(long, value_name = "N", default_value_t = 730, env = "STARLOG_DAYS", hide_env_values = true)]
    pub days: u32,

    /// The share of events that come days after they happened
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, env = "STARLOG_LATE", hide_env_values = true)]
    pub late: Share,

    /// The share of lines that come twice
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0",
        value_parser = share,
        env = "STARLOG_DUPLICATES",
        hide_env_values = true
    )]
    pub duplicates: Share,

    /// The share of broken lines among the good ones
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, env = "STARLOG_BAD", hide_env_values = true)]
    pub bad: Share,

    /// The folder for the files
    #[arg(long, value_name = "DIR", env = "STARLOG_OUT", hide_env_values = true)]
    pub out: PathBuf,

    /// Print what was written, and what its tables must hold, as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
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

fn share(text: &str) -> Result<Share, String> {
    text.parse().map_err(|error: Error| error.next_step().map_or_else(|| error.to_string(), str::to_owned))
}

impl RunArguments {
    /// The pipeline and the files to read. `--log` takes whatever follows it, also a pipeline at the end.
    pub fn inputs(&self) -> Result<(PathBuf, Vec<String>), Error> {
        let mut log = self.log.clone();
        let of_environment = std::env::var(LOG).ok();
        if let ([all], Some(text)) = (log.as_slice(), of_environment)
            && *all == text
        {
            log = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        }
        match &self.pipeline {
            Some(pipeline) => Ok((pipeline.clone(), log)),
            None if log.last().is_some_and(|last| last.ends_with(".toml")) => {
                let pipeline = log.pop().unwrap_or_default();
                if log.is_empty() { Err(no_log()) } else { Ok((PathBuf::from(pipeline), log)) }
            }
            None => {
                Err(Error::author("no pipeline is named").next("starlog run PIPELINE --log FILE-OR-GLOB ..."))
            }
        }
    }
}

fn no_log() -> Error {
    Error::author("--log names no file but the pipeline").next("starlog run PIPELINE --log FILE-OR-GLOB ...")
}

/// The environment variable of `--log`.
const LOG: &str = "STARLOG_LOG";

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
    Json,
    Jsonl,
    Markdown,
}

impl From<FormatArgument> for Format {
    fn from(argument: FormatArgument) -> Self {
        match argument {
            FormatArgument::Table => Self::Table,
            FormatArgument::Csv => Self::Csv,
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
