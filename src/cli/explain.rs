//! `starlog explain`: from rows of a fact to the events, files and lines that made them.

use std::io::{self, Write};

use clap::Args;
use clap::builder::FalseyValueParser;
use serde_json::Value;
use starlog::audit::{self, Books, Condition, Explained, Look, Reason};
use starlog::error::Result;

use super::arguments::WarehouseArgument;
use super::failure::{note, of_stdout};
use super::history::opening;
use super::page::{place, table, value};
use super::query;
use super::summary::{as_json, line};

/// Say where rows of a fact come from: the events, files and lines, and why each key is what it is
#[derive(Debug, Args)]
#[command(
    long_about = "\
Say where rows of a fact come from: the event that made a row, with its file, line and payload; all other events of the \
same header; and for each dimension key the member, the version, and why it is this one.

Rows are named by columns of the table: those of the natural key, or any other. At most 20 are explained at once.",
    after_help = "\
Examples:
  starlog explain fact_orders position=7012 item=2
  starlog explain fact_orders order_id=536365 order_line_no=1
  starlog explain fact_order_lines order_id=536365 --json"
)]
pub struct ExplainArguments {
    /// The fact's table
    #[arg(value_name = "FACT")]
    pub fact: String,

    /// What the row holds; several narrow it down
    #[arg(value_name = "COLUMN=VALUE", required = true, value_parser = condition)]
    pub conditions: Vec<Condition>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Ask this release instead of the current one; `starlog status` names them
    #[arg(long, value_name = "N", env = "STARLOG_RELEASE", hide_env_values = true)]
    pub release: Option<u64>,

    /// Print it as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

fn condition(text: &str) -> Result<Condition, String> {
    let (column, value) = text.split_once('=').ok_or("write a column and its value: order_id=536365")?;
    Ok(Condition { column: column.to_owned(), value: value.to_owned() })
}

pub fn explain(arguments: &ExplainArguments) -> Result<()> {
    let (warehouse, release) = query::release(&arguments.warehouse.folder, arguments.release)?;
    let books = Books::open(&release, warehouse.dir())?;
    let (rows, are_more) = audit::explain(&books, &arguments.fact, &arguments.conditions)?;
    let text = match arguments.json {
        true => as_json(&rows)?,
        false => rows.iter().map(page).collect::<Vec<_>>().join("\n"),
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)?;
    if are_more {
        note(&format!("the first {} rows; name more columns to see others", rows.len()));
    }
    Ok(())
}

fn page(row: &Explained) -> String {
    let mut page = String::new();
    line(&mut page, "row", &pairs(&row.row));
    if let Some(made) = &row.made_by {
        let event = &made.event;
        let said = format!(
            "position {}, {} of {}, {} (byte {})",
            event.position,
            event.event,
            event.time,
            place(event),
            event.offset
        );
        line(&mut page, "made by", &said);
        line(&mut page, "payload", &pairs(&row.payload));
    }
    if !row.looks.is_empty() {
        page.push_str(&table(
            &["key", "", "member", "version", "why", "opened by"],
            row.looks.iter().map(of_look).collect(),
            &[1],
        ));
    }
    if !row.header_events.is_empty() {
        page.push_str(&table(
            &["position", "time", "event", "does", "from"],
            row.header_events
                .iter()
                .map(|told| {
                    let event = &told.event;
                    let does = if told.kind.is_empty() {
                        told.does.to_owned()
                    } else {
                        format!("{}: {}", told.does, told.kind)
                    };
                    vec![
                        event.position.to_string(),
                        event.time.clone(),
                        event.event.clone(),
                        does,
                        place(event),
                    ]
                })
                .collect(),
            &[0],
        ));
    }
    page
}

fn pairs(pairs: &[(String, Value)]) -> String {
    pairs.iter().map(|(column, held)| format!("{column} {}", value(held))).collect::<Vec<_>>().join(", ")
}

fn of_look(look: &Look) -> Vec<String> {
    let at = look.at.as_deref().unwrap_or("the row's time");
    let why = match look.reason {
        Reason::Valid => format!("valid at {at}"),
        Reason::BeforeFirst => format!("the first version, since {at} is before it"),
        Reason::AfterClose => format!("the last version before {at}, when the member was closed"),
        Reason::Inferred => "inferred: the member is only mentioned".to_owned(),
        Reason::Unknown => "unknown: the event could name a member and names none".to_owned(),
        Reason::NotApplicable => "not applicable: the event cannot name a member here".to_owned(),
        Reason::Missing => "the release has no such version".to_owned(),
    };
    let carried =
        look.carried_from.map_or_else(String::new, |position| format!("; carried from position {position}"));
    let member: Vec<String> = look.member.iter().map(|(_, held)| value(held)).collect();
    let version = match (&look.valid_from, &look.valid_to) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        _ => String::new(),
    };
    let opened: Vec<String> = look.opened_by.iter().map(opening).collect();
    vec![
        format!("{}_key", look.role),
        look.key.to_string(),
        member.join(" "),
        version,
        format!("{why}{carried}"),
        opened.join("\n"),
    ]
}
