//! `starlog history`: the audit trail of one member.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::audit::{self, Books, MemberHistory, Opening, OwnEvent, Version};
use starlog::error::Result;

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::page::{place, table, value};
use super::query;
use super::summary::{as_json, line};

/// Tell what happened to one member: its events beside the versions that they made
#[derive(Debug, Args)]
#[command(
    long_about = "\
Tell what happened to one member of a dimension, or of a level above: every event of its own in valid order, with what \
each set, old and new, and the file and line that it came from; the events above it that opened versions; and the versions \
as the release has them.

An event is late if another of these had arrived before that happened later.",
    after_help = "\
Examples:
  starlog history product 85123A
  starlog history ward H1 3                 a natural key of two columns, in their order
  starlog history product 85123A --release 41 --json"
)]
pub struct HistoryArguments {
    /// The dimension, or one of its levels
    #[arg(value_name = "DIMENSION")]
    pub dimension: String,

    /// The member's natural key, column by column
    #[arg(value_name = "KEY", required = true)]
    pub key: Vec<String>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Ask this release instead of the current one; `starlog status` names them
    #[arg(long, value_name = "N", env = "STARLOG_RELEASE", hide_env_values = true)]
    pub release: Option<u64>,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

pub fn history(arguments: &HistoryArguments) -> Result<()> {
    let (warehouse, release) = query::release(&arguments.warehouse.folder, arguments.release)?;
    let books = Books::open(&release, warehouse.dir())?;
    let told = audit::member(&books, &arguments.dimension, &arguments.key)?;
    let text = if arguments.json { as_json(&told)? } else { page(&told) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}

fn page(told: &MemberHistory) -> String {
    let mut page = String::new();
    line(&mut page, "member", &format!("{} {}", told.level, told.key.join(" ")));
    line(&mut page, "release", &told.release.to_string());
    match &told.first_mention {
        Some(first) => {
            let event = &first.event;
            let said =
                format!("position {} ({}), {}, {}", event.position, event.event, event.time, place(event));
            line(&mut page, "mentioned", &format!("by others first at {said}"));
        }
        None => line(&mut page, "mentioned", "by no other"),
    }
    page.push_str("\nevents\n");
    page.push_str(&match told.events.is_empty() {
        true => "none: the member is inferred\n".to_owned(),
        false => table(
            &["position", "time", "event", "", "sets", "from"],
            told.events.iter().map(|event| of_event(event, &told.level)).collect(),
            &[0],
        ),
    });
    page.push_str("\nversions\n");
    page.push_str(&match &told.versions {
        None => format!("no table of a star has the versions of a {}; a snowflake has\n", told.level),
        Some(versions) => versions_table(versions),
    });
    page
}

fn of_event(event: &OwnEvent, level: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if event.level != level {
        notes.push(event.level.as_str());
    }
    for (holds, note) in [(event.late, "late"), (event.closes, "closes"), (event.reopens, "reopens")] {
        if holds {
            notes.push(note);
        }
    }
    let changed = event.sets.iter().filter(|change| change.old != change.new);
    let changed: Vec<String> = changed
        .map(|change| format!("{}: {} → {}", change.attribute, value(&change.old), value(&change.new)))
        .collect();
    let sets = match (changed.is_empty(), event.closes) {
        (true, false) => "nothing new".to_owned(),
        _ => changed.join("\n"),
    };
    vec![
        event.event.position.to_string(),
        event.event.time.clone(),
        event.event.event.clone(),
        notes.join(", "),
        sets,
        place(&event.event),
    ]
}

/// The versions, with the columns in which they differ; what is the same in all stands once, above.
fn versions_table(versions: &[Version]) -> String {
    let Some(first) = versions.first() else { return String::new() };
    let differs = |column: usize| {
        let held = |version: &Version| version.attributes.get(column).cloned();
        versions.iter().any(|version| held(version) != held(first))
    };
    let (changing, steady): (Vec<usize>, Vec<usize>) =
        (0..first.attributes.len()).partition(|column| differs(*column));
    let steady = steady.iter().filter_map(|column| first.attributes.get(*column));
    let steady: Vec<String> = steady.map(|(column, held)| format!("{column} {}", value(held))).collect();
    let mut page = String::new();
    line(&mut page, "always", &steady.join(", "));
    let mut head = vec!["key", "valid from", "valid to"];
    head.extend(changing.iter().filter_map(|column| Some(first.attributes.get(*column)?.0.as_str())));
    head.push("opened by");
    let row = |version: &Version| {
        let mut row = vec![version.key.to_string(), version.valid_from.clone(), version.valid_to.clone()];
        row.extend(changing.iter().filter_map(|column| Some(value(&version.attributes.get(*column)?.1))));
        let opened: Vec<String> = version.opened_by.iter().map(opening).collect();
        let inferred = if version.is_inferred { "inferred, " } else { "" };
        row.push(format!("{inferred}{}", opened.join("\n")));
        row
    };
    page.push_str(&table(&head, versions.iter().map(row).collect(), &[0]));
    page
}

/// `17 ProductMoved`.
pub fn opening(opening: &Opening) -> String {
    format!("{} {}", opening.event.position, opening.event.event)
}
