//! [`Spec`] → [`Model`], or every problem of the pipeline at once, each with its place and a hint.
//!
//! Each part is compiled as far as it can be, with stand-ins where something is wrong; a model leaves this room only
//! if nothing is. A problem is reported once, where it is, and not again by what refers to it.

mod allowed;
mod binding;
mod calendar;
mod case;
mod changes;
mod clause;
mod column;
mod contracts;
mod dimension;
mod dimension_event;
mod expression;
mod fact;
mod fact_action;
mod fact_columns;
mod fact_event;
mod fact_keys;
mod fact_values;
mod filter;
mod levels;
mod limits;
mod literal;
mod log;
mod measure;
mod measured;
mod names;
mod pii;
mod place;
mod question;
mod rows;
mod shape;
mod signs;
mod steps;
mod types;
mod upcast;
mod view;

pub use column::names_of as columns_of;
pub use question::question;

use super::{Definition, Model, Source, View, hash};
use crate::error::{Error, Result};
use crate::spec::{Problems, Span, Spec};
use column::Ground;
use contracts::Contracts;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// More than `spec` takes; whatever is named as a pipeline, reading it ends.
const MOST_BYTES: u64 = 4 << 20;

/// Reads a pipeline file.
///
/// # Errors
/// The author's: all problems of the file, or that there is no such file. The operator's: it cannot be read.
pub fn load(path: &Path) -> Result<Model> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::author(format!("there is no pipeline file {}", path.display()))
            .next("name the TOML file of a pipeline"),
        ErrorKind::IsADirectory => {
            Error::author(format!("{} is a folder", path.display())).next("name the pipeline file in it")
        }
        _ => Error::io("read", path, error),
    })?;
    let file_name = path.display().to_string();
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match String::from_utf8(bytes) {
        Ok(text) => compile(&Spec::read(&text), base, &file_name, &text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let mut problems = Problems::default();
            let place = Span { start: valid, end: valid + char::REPLACEMENT_CHARACTER.len_utf8() };
            problems.add(place, "the file is not UTF-8 here", "save it as UTF-8");
            Err(problems.into_error(&file_name, &text))
        }
    }
}

/// Says what a pipeline means.
///
/// `base` is the folder that relative paths start from; `file_name` and `text` are what problems are shown with.
///
/// # Errors
/// The author's: all problems of the pipeline, those of reading it included.
pub fn compile(spec: &Spec, base: &Path, file_name: &str, text: &str) -> Result<Model> {
    let read = |name: &str| fs::read_to_string(base.join(name));
    compile_with(spec, base, &read, &|_, file| read(file), file_name, text)
}

/// The same, of a pipeline whose files are kept.
pub(super) fn compile_source(source: &Source, base: &Path, file_name: &str) -> Result<Model> {
    let read = |_: &str| source.holidays.clone().ok_or_else(|| io::Error::from(ErrorKind::NotFound));
    let read_sql = |view: &str, _: &str| {
        source.views.get(view).cloned().ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    };
    compile_with(&Spec::read(&source.pipeline), base, &read, &read_sql, file_name, &source.pipeline)
}

fn compile_with(
    spec: &Spec,
    base: &Path,
    read: &dyn Fn(&str) -> io::Result<String>,
    read_sql: &view::ReadSql<'_>,
    file_name: &str,
    text: &str,
) -> Result<Model> {
    let mut problems = spec.problems.clone();
    let mut contracts = Contracts::compile(spec, &mut problems);
    upcast::compile(spec, &mut contracts, &mut problems);
    let log = log::compile(spec, base, &contracts, &mut problems);
    let ignored = log::ignored(spec, &contracts, &mut problems);
    let (calendar, holidays) = calendar::compile(spec, read, &mut problems);
    let dimensions = dimension::compile(spec, &contracts, &mut problems);
    let facts = fact::compile(spec, text, &contracts, &dimensions, &mut problems);
    if let Some(name) = &spec.name {
        names::check_column("the pipeline", name, &mut problems);
    }
    let dimensions: Vec<_> = dimensions.into_iter().map(|dimension| dimension.compiled).collect();
    let ground = Ground { facts: &facts, dimensions: &dimensions, calendar: &calendar };
    let in_doubt = !problems.is_empty();
    let questions =
        problems.within_doubt(in_doubt, |problems| question::compile(&spec.question, ground, text, problems));
    let views =
        problems.within_doubt(in_doubt, |problems| view::compile(spec, ground, read_sql, text, problems));
    let tables = case::tables(&contracts.types, &dimensions, &facts, &views);
    let cases = case::compile(spec, &tables, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_error(file_name, text));
    }
    let (Some(name), Some(log)) = (&spec.name, log) else {
        return Err(Error::bug("a pipeline without a name or a log was not reported"));
    };
    let sql_text = |view: &View| match &view.definition {
        Definition::Sql(text) => Some((view.name.clone(), text.clone())),
        Definition::Declared(_) => None,
    };
    let sql_texts = views.iter().filter_map(sql_text).collect();
    let mut model = Model {
        name: name.value.clone(),
        log,
        events: contracts.types,
        ignored,
        dimensions,
        facts,
        calendar,
        questions,
        views,
        cases,
        hash: String::new(),
        source: Source { pipeline: text.to_owned(), holidays, views: sql_texts },
    };
    model.hash = hash::of(&model)?;
    Ok(model)
}
