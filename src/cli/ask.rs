//! `starlog ask`: a question about measures and attributes, answered from whatever layout there is.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::ask::{self, Answer};
use starlog::error::{Error, Result};
use starlog::layout::Layout;
use starlog::model::{self, AsOf, Model, Question};
use starlog::query::{Session, as_of, describe};
use starlog::spec::{closest, list};
use starlog::warehouse::Release;

use super::arguments::{FormatArgument, LayoutArgument, LimitArguments, WarehouseArgument};
use super::asked;
use super::failure::of_stdout;
use super::page::table;
use super::query::{self, Asker};
use super::spill::Spill;
use super::summary::{as_json, grouped, line};

/// Ask for measures by attributes, whatever the layout.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Ask for measures by attributes, whatever the layout. What is asked is logical; the SQL is made for the tables at hand, and \
the smallest view that can answer does.

A measure is one that adds up (its sum), the fact's own name (how many different headers), or sum(x), min(x), max(x), \
avg(x), count(), count(x), count_distinct(x); `name = sum(x)` names it. --by and --where speak of role.column and role.level, \
date.month (day, week, quarter, year, ...) and columns of the fact itself, such as kind. What would count wrong is \
refused with the reason: the sum of a price, measures of two facts.

Without a question, it names those of the pipeline, and what can be asked.",
    after_help = "\
Examples:
  starlog ask
  starlog ask --measures net_amount,orders --by product.department,date.month
  starlog ask --measures net_amount --by store.country --where \"kind = 'returned' AND date.year = 2023\"
  starlog ask --measures 'buyers = count_distinct(customer.customer_id)' --by customer.region --as now
  starlog ask --question revenue_by_department --format csv
  starlog ask --question revenue_by_department --explain
  starlog ask --question revenue_by_department --layout snowflake --sql"
)]
pub struct AskArguments {
    /// What is measured; several are parted by commas
    #[arg(short, long, value_name = "MEASURES")]
    pub measures: Vec<String>,

    /// By what; several are parted by commas. Left out: one row
    #[arg(short, long, value_name = "COLUMNS")]
    pub by: Vec<String>,

    /// Of which rows: a condition as SQL writes it
    #[arg(short = 'w', long = "where", value_name = "CONDITION")]
    pub filter: Option<String>,

    /// Whose attributes: `sold`, those of the fact's own time; `now`; or those at the end of a date. `sold` if nothing else is said
    #[arg(long = "as", value_name = "TIME")]
    pub as_of: Option<String>,

    /// Of which fact, where the measures do not say it
    #[arg(long, value_name = "FACT")]
    pub fact: Option<String>,

    /// A question of the pipeline
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["measures", "by", "filter", "fact"])]
    pub question: Option<String>,

    /// Take named questions from this pipeline file, and not from what the release keeps of it
    #[arg(long, value_name = "FILE")]
    pub pipeline: Option<PathBuf>,

    /// Print the SQL, and do not run it
    #[arg(long, conflicts_with = "explain")]
    pub sql: bool,

    /// Say which table answers, and for each view why or why not; do not run it
    #[arg(long)]
    pub explain: bool,

    /// Ask the fact itself, even where a view could answer
    #[arg(long)]
    pub no_views: bool,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    /// Ask this release instead of the current one; `starlog status` names them
    #[arg(long, value_name = "N", env = "STARLOG_RELEASE", hide_env_values = true)]
    pub release: Option<u64>,

    /// The layout that is asked; of several, the first that the release has
    #[arg(
        long,
        value_name = "LAYOUT",
        value_delimiter = ',',
        default_value = "star,snowflake",
        env = "STARLOG_LAYOUT",
        hide_env_values = true
    )]
    pub layout: Vec<LayoutArgument>,

    /// How the answer looks
    #[arg(long, default_value = "table", env = "STARLOG_FORMAT", hide_env_values = true)]
    pub format: FormatArgument,

    /// Show all rows of a table; without it, the first 1000
    #[arg(long, env = "STARLOG_ALL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub all: bool,

    /// Print what --explain says, or what can be asked, as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,

    #[command(flatten)]
    pub limits: LimitArguments,
}

pub fn ask(arguments: &AskArguments) -> Result<()> {
    let (warehouse, release) = query::release(&arguments.warehouse.folder, arguments.release)?;
    let model = pipeline(arguments, &release)?;
    let Some(question) = question(arguments, &model)? else {
        return print(&subjects(arguments, &model)?);
    };
    let layout = query::layout(&release, &arguments.layout)?;
    let views = if arguments.no_views { Vec::new() } else { ask::views(&release, &model) };
    let answer = ask::answer(&model, &question, &layout.into(), &views)?;
    if arguments.sql {
        return print(&format!("{}\n", answer.select));
    }
    if arguments.explain {
        return print(&explained(arguments, &model, &question, layout, &answer)?);
    }
    // Without a folder for temporary files, what does not fit into memory fails, but nothing else.
    let spill = Spill::new().ok();
    let mut spec = describe(&release, layout, warehouse.dir());
    if let AsOf::Day(day) = question.as_of {
        let instant = model.calendar.last_instant(day);
        let instant = instant.ok_or_else(|| Error::author(format!("{day} is beyond all calendars")))?;
        spec.views.extend(as_of(&release, layout, instant.timestamp_micros()));
    }
    spec.threads = arguments.limits.threads.map(Into::into);
    spec.memory_bytes = arguments.limits.memory.map(|memory| memory.bytes);
    spec.spill_directory = spill.as_ref().map(Spill::overflow);
    let asker = Asker::new(Session::open(&spec)?, arguments.format, arguments.all);
    asker.ask(&answer.select.to_string())
}

/// What the release was made by; with the questions of another file, if one is named.
fn pipeline(arguments: &AskArguments, release: &Release) -> Result<Model> {
    let model = release.model()?;
    let Some(file) = &arguments.pipeline else { return Ok(model) };
    let other = model::load(file)?;
    if other.hash != model.hash {
        return Err(Error::author(format!(
            "{} is not what release {} was made by: it means other tables",
            file.display(),
            release.number()
        ))
        .next(format!("publish by it first: starlog run {}", file.display())));
    }
    Ok(other)
}

/// The question that is asked, if one is.
fn question(arguments: &AskArguments, model: &Model) -> Result<Option<Question>> {
    let Some(name) = &arguments.question else {
        let parts = [&arguments.measures, &arguments.by];
        let is_asked = parts.iter().any(|part| !part.is_empty()) || arguments.filter.is_some();
        return if is_asked || arguments.fact.is_some() {
            asked::question(arguments, model).map(Some)
        } else {
            Ok(None)
        };
    };
    let known = || model.questions.iter().map(|question| question.name.as_str());
    let Some(found) = model.questions.iter().find(|question| question.name == *name) else {
        let error = Error::author(format!("the pipeline has no question `{name}`"));
        return Err(match closest(name, known()) {
            Some(meant) => error.next(format!("did you mean `{meant}`?")),
            None if model.questions.is_empty() => error
                .next("declare it under [[question]] in the pipeline, and name the file: --pipeline FILE"),
            None => error.next(format!("it has: {}", list(known()))),
        });
    };
    let as_of = match &arguments.as_of {
        Some(written) => asked::time(written, model)?,
        None => found.as_of,
    };
    Ok(Some(Question { as_of, ..found.clone() }))
}

/// Which table answers, and why.
fn explained(
    arguments: &AskArguments,
    model: &Model,
    question: &Question,
    layout: Layout,
    answer: &Answer,
) -> Result<String> {
    let explained = ask::explain(model, question, layout, answer);
    if arguments.json {
        return as_json(&explained);
    }
    let mut page = String::new();
    line(&mut page, "question", &explained.question);
    let rows = |rows: Option<u64>| rows.map_or_else(String::new, |rows| format!(", {} rows", grouped(rows)));
    line(&mut page, "answered", &format!("by {}{}", explained.answered_by, rows(explained.rows)));
    for view in &explained.views {
        let size = format!("{} rows", grouped(view.rows));
        line(&mut page, "view", &format!("{} ({size}): {}", view.name, view.why));
    }
    page.push_str(&format!("\n{}\n", explained.sql));
    Ok(page)
}

/// The questions of the pipeline, and what can be asked besides.
fn subjects(arguments: &AskArguments, model: &Model) -> Result<String> {
    let subjects = ask::subjects(model);
    if arguments.json {
        return as_json(&subjects);
    }
    let mut page = String::new();
    if !subjects.questions.is_empty() {
        let row = |question: &ask::Shown| vec![question.name.clone(), question.text.clone()];
        page.push_str(&table(&["question", "asks"], subjects.questions.iter().map(row).collect(), &[]));
        page.push('\n');
    }
    for fact in &subjects.facts {
        line(&mut page, "fact", &fact.name);
        line(&mut page, "measures", &fact.measures.join(", "));
        line(&mut page, "by", &fact.columns.join(", "));
        for role in &fact.roles {
            line(&mut page, "", &role.join(", "));
        }
        page.push('\n');
    }
    Ok(page)
}

fn print(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
