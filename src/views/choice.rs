//! (views, the release before, what changed) → how each view comes to be, and why.

use super::changed::{Changed, wide_name};
use super::declared::is_added_up;
use super::written;
use crate::error::{Error, Result};
use crate::model::{Column, Definition, Model, Question, View};
use crate::warehouse::Release;
use serde::Serialize;
use std::collections::BTreeSet;

/// How a view comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It is that of the release before, file and all.
    Kept,
    /// From that of the release before, by what changed.
    Incremental,
    /// From all rows.
    Full,
}

impl Way {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Incremental => "incremental",
            Self::Full => "full",
        }
    }
}

/// How one view comes to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub view: String,
    pub way: Way,
    pub because: String,
}

/// Says of every view how it comes to be. `before` is the release that the tables go on from, if they do, with what
/// changes in them.
///
/// # Errors
///
/// The author's: SQL that is no view.
pub fn choose(model: &Model, before: Option<(&Release, &Changed)>) -> Result<Vec<Choice>> {
    model.views.iter().map(|view| one(model, view, before)).collect()
}

fn one(model: &Model, view: &View, before: Option<(&Release, &Changed)>) -> Result<Choice> {
    let reads = reads(model, view)?;
    let choice =
        |way: Way, because: &str| Choice { view: view.name.clone(), way, because: because.to_owned() };
    let Some((release, changed)) = before else {
        return Ok(choice(Way::Full, "all tables are made from the log's first event on"));
    };
    Ok(match release.manifest().views.get(&view.name) {
        None => choice(Way::Full, "it is new"),
        Some(known) if known.definition != view.hash => {
            choice(Way::Full, &format!("it says something else than in release {}", release.number()))
        }
        Some(_) => match (changed.of(&reads).as_slice(), &view.definition) {
            ([], _) => choice(Way::Kept, "nothing that it reads changes"),
            (tables, Definition::Sql(_)) => choice(Way::Full, &format!("it is SQL, and {}", change(tables))),
            (tables, Definition::Declared(question)) => {
                let adds_up = is_added_up(model, question)?;
                let anew = if adds_up {
                    ""
                } else {
                    ", and it has numbers that do not add up: groups that change are computed again"
                };
                choice(Way::Incremental, &format!("{}{anew}", change(tables)))
            }
        },
    })
}

/// `fact_visits and dim_ward change`
fn change(tables: &[&str]) -> String {
    match tables {
        [only] => format!("{only} changes"),
        [others @ .., last] => format!("{} and {last} change", others.join(", ")),
        [] => "nothing changes".to_owned(),
    }
}

/// The relations that a view reads.
fn reads(model: &Model, view: &View) -> Result<BTreeSet<String>> {
    match &view.definition {
        Definition::Declared(question) => declared(model, question),
        Definition::Sql(sql) => written::reads(model, &view.name, sql),
    }
}

/// A day says the same of itself for ever: a calendar that changes is another pipeline. So dates are not among them.
fn declared(model: &Model, question: &Question) -> Result<BTreeSet<String>> {
    let fact = model.facts.get(question.fact);
    let fact = fact.ok_or_else(|| Error::bug("a view is of no fact"))?;
    let roles = question.columns().into_iter().filter_map(|column| match column {
        Column::OfRole { role, .. } => fact.roles.get(*role),
        Column::Own { .. } | Column::Date { .. } => None,
    });
    let dimensions = roles.filter_map(|role| model.dimensions.get(role.dimension)).map(wide_name);
    Ok(dimensions.chain([format!("fact_{}", fact.name)]).collect())
}
