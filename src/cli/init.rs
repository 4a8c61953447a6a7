//! `starlog init`: a log → the draft of its pipeline.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Serialize;
use starlog::draft::{Draft, Found, Options, draft};
use starlog::error::{Error, Result};
use starlog::query::visible;

use super::failure::of_stdout;
use super::summary::{as_json, grouped, word};

/// Look at a log and draft its pipeline.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Look at a log and draft a pipeline for it: the envelope, event types with their fields, dimensions with keys, \
attributes and levels, facts with their measures. Each guess has a comment that says why. The draft runs as it stands; \
read it, and mend what it got wrong. Nothing is overwritten.",
    after_help = "\
Examples:
  starlog init --from 'log/*.ndjson'                       write pipeline.toml
  starlog init --from shop.ndjson.gz --out shop.toml --name shop
  starlog init --from log/today.ndjson --out - | less      only look"
)]
pub struct InitArguments {
    /// Log files, or patterns in quotes: JSON lines, plain, gzip or zstd
    #[arg(long, value_name = "FILES", required = true, num_args = 1.., env = "STARLOG_FROM", hide_env_values = true)]
    pub from: Vec<String>,

    /// The pipeline file to write; `-` is stdout
    #[arg(
        long,
        value_name = "FILE",
        default_value = "pipeline.toml",
        env = "STARLOG_OUT",
        hide_env_values = true
    )]
    pub out: PathBuf,

    /// The pipeline's name; the file's, if none is given
    #[arg(long, value_name = "NAME", env = "STARLOG_NAME", hide_env_values = true)]
    pub name: Option<String>,

    /// Look at no more lines than these
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..), env = "STARLOG_LINES", hide_env_values = true)]
    pub lines: u64,

    /// Print what was found as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn init(arguments: &InitArguments) -> Result<()> {
    let out = (arguments.out != Path::new("-")).then_some(arguments.out.as_path());
    if let Some(out) = out.filter(|out| out.symlink_metadata().is_ok()) {
        return Err(is_there(out));
    }
    let folder = out.and_then(Path::parent).unwrap_or(Path::new(""));
    let options = Options {
        from: arguments.from.clone(),
        base: PathBuf::new(),
        files: arguments.from.iter().map(|file| seen_from(folder, file)).collect::<Result<_>>()?,
        name: arguments.name.clone().unwrap_or_else(|| name_of(out)),
        most_lines: arguments.lines,
    };
    let Draft { text, found } = draft(&options)?;
    let Some(out) = out else {
        let page = if arguments.json {
            as_json(&Report { out: None, found: &found, text: Some(&text) })?
        } else {
            text
        };
        return io::stdout().lock().write_all(page.as_bytes()).map_err(of_stdout);
    };
    let opened = OpenOptions::new().write(true).create_new(true).open(out);
    let mut file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(out),
        _ => Error::io("write", out, error),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Error::io("write", out, error))?;
    let page = match arguments.json {
        true => as_json(&Report { out: Some(&out.display().to_string()), found: &found, text: None })?,
        false => page(&found, out),
    };
    io::stdout().lock().write_all(page.as_bytes()).map_err(of_stdout)
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<&'a str>,
    #[serde(flatten)]
    found: &'a Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

fn is_there(out: &Path) -> Error {
    Error::author(format!("{} is there already, and is not overwritten", out.display()))
        .next("name another file with `--out`, or `--out -` to look at the draft")
}

/// The file's name without its ending.
fn name_of(out: Option<&Path>) -> String {
    let stem = out.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| !stem.starts_with('_')).unwrap_or_else(|| "pipeline".to_owned())
}

/// A file or pattern as the pipeline names it: relative to its own folder, where it is relative at all.
fn seen_from(folder: &Path, file: &str) -> Result<String> {
    if Path::new(file).is_absolute() || folder.as_os_str().is_empty() {
        return Ok(file.to_owned());
    }
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).map_err(|error| Error::io("find", path, error))?;
        // Without `..`, which another folder would not mean.
        let mut parts: Vec<Component<'_>> = Vec::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Ok::<PathBuf, Error>(parts.iter().collect())
    };
    let (from, to) = (absolute(folder)?, absolute(Path::new(file))?);
    let shared = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = std::iter::repeat_n("..", from.components().count() - shared).map(PathBuf::from);
    let down = to.components().skip(shared).map(|part| PathBuf::from(part.as_os_str()));
    Ok(up.chain(down).collect::<PathBuf>().to_string_lossy().into_owned())
}

/// What was found, for a person.
fn page(found: &Found, out: &Path) -> String {
    let mut page = String::new();
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(page, "{label:<11}{}", visible(text));
    };
    let all = if found.is_all { "all" } else { "the first" };
    let files = if found.files == 1 { "1 file".to_owned() } else { format!("{} files", found.files) };
    let mut rest = Vec::new();
    for (count, what) in
        [(found.duplicates, "duplicate"), (found.broken, "no events"), (found.blank, "blank")]
    {
        rest.extend((count > 0).then(|| format!("{} {what}", grouped(count))));
    }
    let rest = if rest.is_empty() { String::new() } else { format!(" ({})", rest.join(", ")) };
    line(
        "looked at",
        &format!("{all} {} lines of {files}: {} events{rest}", grouped(found.lines), grouped(found.events)),
    );
    for (place, why) in found.envelope.iter().enumerate() {
        line(if place == 0 { "envelope" } else { "" }, why);
    }
    for (place, event) in found.types.iter().enumerate() {
        let lists = if event.lists == 0 { String::new() } else { format!(", {} list", event.lists) };
        let what =
            format!("{} ({} events, {} fields{lists})", event.name, grouped(event.events), event.fields);
        line(if place == 0 { "types" } else { "" }, &what);
    }
    for (place, dimension) in found.dimensions.iter().enumerate() {
        let levels = dimension.levels.iter().map(|level| format!(" < {level}")).collect::<String>();
        let what = format!(
            "{}{levels} by {}: {} members, {} attributes",
            dimension.name,
            dimension.key.join(", "),
            grouped(dimension.members as u64),
            dimension.attributes
        );
        line(if place == 0 { "dimensions" } else { "" }, &what);
    }
    for (place, fact) in found.facts.iter().enumerate() {
        let events: Vec<String> = fact.events.iter().map(|(name, does)| format!("{name} ({does})")).collect();
        line(if place == 0 { "facts" } else { "" }, &format!("{}: {}", fact.name, events.join(", ")));
        line("", &format!("  {} by {}", fact.measures.join(", "), fact.roles.join(", ")));
    }
    for (place, why) in found.left_out.iter().enumerate() {
        line(if place == 0 { "left out" } else { "" }, why);
    }
    let _ = write!(
        page,
        "\nWrote {}. Each guess in it has a comment that says why: read it, and mend what is wrong. Then:\n  starlog run {}\n",
        visible(&out.display().to_string()),
        word(out)
    );
    page
}
