//! `starlog rejects`: lines that could not become events, and the way back.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};
use starlog::error::{Error, Result};
use starlog::log::RequeueReport;
use starlog::model;
use starlog::nightly::{self, Rejected, RejectedLine, each_reject};
use starlog::query::visible;

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::page::table;
use super::run::now;
use super::signals;
use super::spill::Spill;
use super::summary::{as_json, grouped, line};
use super::wait::WaitArgument;

/// Count the lines that could not become events; show them; put them back.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    long_about = "\
Count the lines that could not become events, by the reason, with an example each.

Every such line is kept whole. Where the pipeline was wrong, mend it and put them back: `starlog rejects requeue \
PIPELINE`. Where the lines are wrong, `starlog rejects show --raw` prints them for a new file. Rejects are shown as the \
log has them, those that no release shows yet too; SQL finds those of a release in `log.rejects`.",
    after_help = "\
Examples:
  starlog rejects                            how many, and why
  starlog rejects show 17                    one of them, as it was read
  starlog rejects show --code scale --raw > corrected.ndjson
  starlog rejects requeue pipelines/retail.toml --dry-run"
)]
pub struct RejectsArguments {
    #[command(subcommand)]
    command: Option<RejectsCommand>,

    #[command(flatten)]
    warehouse: WarehouseArgument,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum RejectsCommand {
    Show(ShowArguments),
    Requeue(RequeueArguments),
}

/// Show rejects as they were read, with reason, file, line and byte offset.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  starlog rejects show                       the first ten that wait
  starlog rejects show 17 18
  starlog rejects show --code json-syntax --limit 100
  starlog rejects show --event OrderPlaced --raw > corrected.ndjson")]
struct ShowArguments {
    /// Their numbers, as `starlog rejects` prints them; without any, those that wait
    numbers: Vec<u64>,

    #[command(flatten)]
    warehouse: WarehouseArgument,

    /// Only those with this code
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,

    /// Only those of this event type
    #[arg(long, value_name = "TYPE")]
    event: Vec<String>,

    /// Show so many at most; with --raw and --json, all of them
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Print nothing but the lines, byte by byte
    #[arg(long)]
    raw: bool,

    /// Print each as a line of JSON
    #[arg(long, conflicts_with = "raw", env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

/// Look at rejects again with the pipeline of today; those that are events now come in.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Look at rejects again with the pipeline of today. Those that are events now come into the log, at new positions behind \
all others; they keep the file and line that they were read from, and `log.rejects` says where they went. Those that \
are refused again stay, with the reason of today. None is put back twice.

The lines come from the warehouse: the files that they were read from are not needed. Nothing is published: that is what \
the next run does.",
    after_help = "\
Examples:
  starlog rejects requeue pipelines/retail.toml --dry-run
  starlog rejects requeue pipelines/retail.toml && starlog run pipelines/retail.toml
  starlog rejects requeue pipelines/retail.toml --code unknown-type"
)]
struct RequeueArguments {
    /// The pipeline file, mended
    pipeline: PathBuf,

    #[command(flatten)]
    warehouse: WarehouseArgument,

    /// Only those with this code
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,

    /// Only say what would come of it
    #[arg(long, env = "STARLOG_DRY_RUN", hide_env_values = true, value_parser = FalseyValueParser::new())]
    dry_run: bool,

    #[command(flatten)]
    wait: WaitArgument,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    json: bool,
}

pub fn rejects(arguments: &RejectsArguments) -> Result<()> {
    match &arguments.command {
        None => count(arguments),
        Some(RejectsCommand::Show(arguments)) => show(arguments),
        Some(RejectsCommand::Requeue(arguments)) => requeue(arguments),
    }
}

fn count(arguments: &RejectsArguments) -> Result<()> {
    let rejected = nightly::rejected(&arguments.warehouse.folder)?;
    let text = if arguments.json { as_json(&rejected)? } else { page(&rejected) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

/// As much of a line as a table bears, in characters.
const EXCERPT: usize = 60;

fn page(rejected: &Rejected) -> String {
    let mut page = String::new();
    let requeued = match rejected.requeued {
        0 => String::new(),
        requeued => format!("; {} more were put back", grouped(requeued)),
    };
    line(&mut page, "rejects", &format!("{}{requeued}", grouped(rejected.waiting)));
    if rejected.codes.is_empty() {
        return page;
    }
    let rows = rejected.codes.iter().map(|code| {
        let example = &code.example;
        let text = shown(&example.bytes);
        let excerpt: String = text.chars().take(EXCERPT).collect();
        let dots = if excerpt.len() < text.len() { " ..." } else { "" };
        vec![
            code.code.clone(),
            grouped(code.waiting),
            grouped(code.requeued),
            example.number.to_string(),
            format!("{}\n{} line {}\n{excerpt}{dots}", example.message, example.file, example.line),
        ]
    });
    page.push_str(&table(
        &["code", "wait", "put back", "number", "the first of them"],
        rows.collect(),
        &[1, 2, 3],
    ));
    page
}

/// As many as a person reads.
const SHOWN: usize = 10;
/// As much of a line as a person reads, in bytes.
const SHOWN_BYTES: usize = 4_000;

fn show(arguments: &ShowArguments) -> Result<()> {
    let limit = match arguments.limit {
        Some(limit) => limit,
        None if arguments.raw || arguments.json || !arguments.numbers.is_empty() => usize::MAX,
        None => SHOWN,
    };
    let is_wanted = |reject: &RejectedLine| {
        let has = |wanted: &[String], is: Option<&String>| {
            wanted.is_empty() || is.is_some_and(|is| wanted.contains(is))
        };
        let is_named = arguments.numbers.contains(&reject.number);
        (is_named || (arguments.numbers.is_empty() && reject.requeued.is_none()))
            && has(&arguments.code, Some(&reject.code))
            && has(&arguments.event, reject.event.as_ref())
    };
    let mut stdout = io::stdout().lock();
    let mut left = limit;
    let mut beyond = 0;
    each_reject(&arguments.warehouse.folder, is_wanted, |reject| {
        if left == 0 {
            beyond += 1;
            return Ok(true);
        }
        left -= 1;
        let bytes = if arguments.raw {
            [reject.bytes.as_slice(), b"\n"].concat()
        } else if arguments.json {
            let text = serde_json::to_string(&reject);
            let text = text.map_err(|error| Error::bug("a reject has no JSON").because(error))?;
            format!("{text}\n").into_bytes()
        } else {
            one(&reject).into_bytes()
        };
        stdout.write_all(&bytes).map_err(of_stdout)?;
        Ok(true)
    })?;
    if left == limit && beyond == 0 && !arguments.raw && !arguments.json {
        writeln!(stdout, "no reject is like that: `starlog rejects` lists what there is")
            .map_err(of_stdout)?;
    }
    if beyond > 0 && !arguments.raw && !arguments.json {
        writeln!(stdout, "... and {} more: --limit N shows them", grouped(beyond)).map_err(of_stdout)?;
    }
    Ok(())
}

fn one(reject: &RejectedLine) -> String {
    let mut page = String::new();
    line(&mut page, "reject", &reject.number.to_string());
    line(&mut page, "code", &reject.code);
    if let Some(event) = &reject.event {
        line(&mut page, "event", event);
    }
    line(&mut page, "because", &reject.message);
    let file = reject.place.as_ref().unwrap_or(&reject.file);
    line(&mut page, "from", &format!("{file} line {} (byte {})", reject.line, reject.offset));
    match (&reject.requeued, reject.position) {
        (Some(_), Some(position)) => line(&mut page, "put back", &format!("accepted at position {position}")),
        (Some(how), None) => line(&mut page, "put back", how),
        (None, _) => {}
    }
    let beginning = reject.bytes.get(..SHOWN_BYTES).unwrap_or(&reject.bytes);
    let beyond = reject.bytes.len() - beginning.len();
    let more = match beyond {
        0 => String::new(),
        beyond => format!(" ... {} bytes more: --raw prints all", grouped(beyond as u64)),
    };
    let text = if reject.bytes.is_empty() { "none was kept".to_owned() } else { shown(beginning) };
    page.push_str(&format!("{:<9} {text}{more}\n\n", "line"));
    page
}

/// Bytes as a terminal shows them without obeying: what is no UTF-8 as `\xNN`.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&visible(chunk.valid()));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

fn requeue(arguments: &RequeueArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let (folder, codes) = (&arguments.warehouse.folder, &arguments.code);
    let report = if arguments.dry_run {
        let scratch = Spill::new()?;
        nightly::requeue_plan(&model, folder, codes, scratch.folder())?
    } else {
        let disk = signals::disk()?;
        arguments.wait.when_free(&disk, || nightly::requeue(&model, folder, codes, &disk, &now()))?
    };
    let text = if arguments.json { as_json(&report)? } else { of_requeue(&report, arguments) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

fn of_requeue(report: &RequeueReport, arguments: &RequeueArguments) -> String {
    let mut page = String::new();
    line(&mut page, "looked at", &format!("{} rejects", grouped(report.tried)));
    let positions = match report.positions {
        Some((first, last)) if first == last => format!(", at position {first}"),
        Some((first, last)) => format!(", at positions {first} to {last}"),
        None => String::new(),
    };
    let events = if arguments.dry_run { "would be events" } else { "are events now" };
    line(&mut page, "accepted", &format!("{} {events}{positions}", grouped(report.accepted)));
    if report.duplicate > 0 {
        let text = format!("{} had come again by themselves", grouped(report.duplicate));
        line(&mut page, "duplicate", &text);
    }
    if report.ignored > 0 {
        line(&mut page, "ignored", &format!("{} are of types that are ignored now", grouped(report.ignored)));
    }
    for (label, codes) in [("refused", &report.rejected), ("broken", &report.broken)] {
        if !codes.is_empty() {
            let codes: Vec<String> =
                codes.iter().map(|(code, count)| format!("{} {code}", grouped(*count))).collect();
            let why = if label == "broken" { ": of these no whole line is kept" } else { "" };
            line(&mut page, label, &format!("{}{why}", codes.join(", ")));
        }
    }
    if report.accepted > 0 && !arguments.dry_run {
        line(&mut page, "next", &format!("starlog run {}", arguments.pipeline.display()));
    }
    page
}
