//! `starlog query`: the current release, asked in SQL.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::{Error, Result};
use starlog::layout::Layout;
use starlog::nightly::{self, Cut};
use starlog::query::{Format, Limit, Session, as_of, describe};
use starlog::warehouse::{Release, Warehouse};

use super::arguments::{FormatArgument, LayoutArgument, LimitArguments, WarehouseArgument};
use super::failure::note;
use super::moment::{Known, Moment};
use super::prompt;
use super::run::now;
use super::spill::Spill;

/// Ask the current release in SQL.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Ask the current release in SQL, as DuckDB speaks it.

Tables have their plain names: fact_orders, dim_product, dim_date. In either layout, star.dim_product is the \
whole dimension in one relation, beside star.fact_orders and star.dim_date: one text runs on both. Events are log.\"OrderPlaced\" and so on, the \
lines that were no events log.rejects; both end where the release ends.

A fact keeps the version of its own time. now.dim_product has a row for every key of a fact, with that member as \
it is now, and with --as-of as_of.dim_product has it as it was then: join them like dim_product. DESCRIBE says what a column is, \
duckdb_columns() has a comment on each.

A query can only read. Without SQL, and on a terminal, there is a prompt.",
    after_help = "\
Examples:
  starlog query 'SHOW TABLES'
  starlog query \"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'fact_orders'\"
  starlog query 'SELECT kind, count(*), sum(net_amount) FROM fact_orders GROUP BY kind'
  starlog query 'SELECT code, file, line, message FROM log.rejects'
  starlog query 'SELECT department_name, sum(net_amount) FROM fact_orders JOIN now.dim_product USING (product_key) GROUP BY ALL'
  starlog query --as-of 2023-01-31 'FROM as_of.dim_product WHERE product_key = _version_key'
  starlog query --known-at 5000 'SELECT sum(net_amount) FROM fact_orders'
  starlog query --format csv -f report.sql > report.csv     # every byte as it is
  starlog query --format csv-safe -f report.sql > sheet.csv # for spreadsheets: no text is a formula
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

    /// Ask what would have been reported when the log ended at this position, by the pipeline of the release; or
    /// at a date or time, by what the runs that had ended then had taken in
    #[arg(long, value_name = "POSITION", env = "STARLOG_KNOWN_AT", hide_env_values = true)]
    pub known_at: Option<Known>,

    /// Have dimensions as they were then in the schema as_of: at the end of a date in the pipeline's time zone, or at a
    /// time like 2011-06-30T12:00:00Z
    #[arg(long, value_name = "DATE", env = "STARLOG_AS_OF", hide_env_values = true)]
    pub as_of: Option<Moment>,

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

/// As many rows of a table as a person may want to scroll through.
const TABLE_ROWS: u64 = 1000;

pub fn query(arguments: &QueryArguments) -> Result<()> {
    // What is wrong with the command line is said before any file is opened.
    let text = text(arguments)?;
    let (warehouse, release) = release(&arguments.warehouse.folder, arguments.release)?;
    let layout = layout(&release, &arguments.layout)?;
    let mut spill = None;
    let release = match arguments.known_at {
        None => release,
        Some(known) => {
            let (spill, started) = (&*spill.insert(Spill::new()?), now());
            let cut = Cut {
                position: position(&warehouse, &release, known)?,
                layout,
                folder: spill.folder(),
                threads: arguments.limits.threads.map(Into::into),
                started: &started,
            };
            nightly::known_at(&warehouse, &release, &cut)?
        }
    };
    // Without a folder for temporary files, what does not fit into memory fails, but nothing else.
    let spill = spill.or_else(|| Spill::new().ok());
    let mut spec = describe(&release, layout, warehouse.dir());
    if let Some(moment) = arguments.as_of {
        spec.views.extend(as_of(&release, layout, instant(&release, moment)?.timestamp_micros()));
    }
    spec.threads = arguments.limits.threads.map(Into::into);
    spec.memory_bytes = arguments.limits.memory.map(|memory| memory.bytes);
    spec.spill_directory = spill.as_ref().map(Spill::overflow);
    let asker = Asker::new(Session::open(&spec)?, arguments.format, arguments.all);
    match text {
        Some(text) => asker.ask(&text),
        None => {
            let pipeline = &release.manifest().pipeline.name;
            let subject = match arguments.known_at {
                None => format!("release {}", release.number()),
                Some(_) => format!("what was known at position {}", release.manifest().log_position),
            };
            note(&format!("{subject} of {pipeline}, as a {layout}"));
            prompt::ask_on(&asker)
        }
    }
}

/// A session, and how its answers are shown.
pub struct Asker {
    session: Session,
    format: Format,
    limit: Limit,
}

impl Asker {
    /// `all`: a table shows all its rows, however many.
    pub fn new(session: Session, format: FormatArgument, all: bool) -> Self {
        Self { session, format: format.into(), limit: limit(all) }
    }

    /// Answers all questions of a text on stdout.
    pub fn ask(&self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let questions = self.session.questions(text)?;
        if questions.is_empty() {
            return Err(Error::author("there is no question in that").next("SHOW TABLES names the tables"));
        }
        for question in questions {
            let mut answer = self.session.ask(&question)?;
            let written = self.format.write(&mut answer, self.limit, &mut stdout)?;
            if written.left_out > 0 {
                note(&format!(
                    "{} of {} rows; --all shows them all",
                    written.rows,
                    written.rows + written.left_out
                ));
            }
        }
        Ok(())
    }
}

/// The SQL, or `None` for a prompt.
fn text(arguments: &QueryArguments) -> Result<Option<String>> {
    match (&arguments.sql, &arguments.file) {
        (Some(sql), _) if sql == "-" => read_stdin().map(Some),
        (Some(sql), _) => Ok(Some(sql.clone())),
        (None, Some(file)) if file == Path::new("-") => read_stdin().map(Some),
        (None, Some(file)) => fs::read_to_string(file).map(Some).map_err(|error| unreadable(file, error)),
        (None, None) if io::stdin().is_terminal() && io::stdout().is_terminal() => Ok(None),
        (None, None) => Err(Error::author("there is no SQL to answer").next(
            "give it as an argument, with -f FILE, or as `-` to read it from standard input: \
             starlog query 'SHOW TABLES'",
        )),
    }
}

fn read_stdin() -> Result<String> {
    io::read_to_string(io::stdin()).map_err(|error| unreadable(Path::new("standard input"), error))
}

fn unreadable(file: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::author(format!("there is no file {}", file.display())),
        io::ErrorKind::InvalidData => Error::author(format!("{} is not UTF-8 text", file.display())),
        _ => Error::io("read", file, error),
    }
}

/// The warehouse, and its release of this number, or the current one. The pointer is followed here, once (DESIGN 27).
pub fn release(folder: &Path, number: Option<u64>) -> Result<(Warehouse, Release)> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let warehouse = Warehouse::open(&folder)?;
    if let Some(number) = number {
        let release = warehouse.release(number)?;
        return Ok((warehouse, release));
    }
    match warehouse.current()? {
        Some(release) => Ok((warehouse, release)),
        None => Err(Error::author(format!("{} holds no release yet", folder.display()))
            .next("publish one: starlog run PIPELINE")),
    }
}

/// The position of the last event that was known.
fn position(warehouse: &Warehouse, release: &Release, known: Known) -> Result<u64> {
    match known {
        Known::Position(position) => Ok(position),
        Known::Moment(moment) => nightly::position_known(warehouse, instant(release, moment)?),
    }
}

/// What a moment means for the pipeline of a release.
fn instant(release: &Release, moment: Moment) -> Result<DateTime<Utc>> {
    match moment {
        Moment::Instant(instant) => Ok(instant),
        Moment::Day(_) => moment.instant(&release.model()?.calendar),
    }
}

/// The first of the layouts asked for that the release has.
pub fn layout(release: &Release, wanted: &[LayoutArgument]) -> Result<Layout> {
    let built = release.layouts()?;
    let mut wanted = wanted.iter().map(|argument| Layout::from(*argument));
    wanted.find(|layout| built.contains(layout)).ok_or_else(|| {
        let names: Vec<String> = built.iter().map(ToString::to_string).collect();
        Error::author(format!("release {} was not built in that layout", release.number()))
            .next(format!("it has: {}", names.join(", ")))
    })
}

fn limit(all: bool) -> Limit {
    Limit {
        rows: (!all).then_some(TABLE_ROWS),
        // Known only if stdout is a terminal, and not even of each of those.
        width: comfy_table::Table::new().width().filter(|width| *width > 0),
    }
}
