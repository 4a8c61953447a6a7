//! Choices → the rows of views.

use super::changed::Changed;
use super::choice::{Choice, Way, choose};
use super::declared::{fact, groups_of};
use super::ground::{Ground, WHOLE, readable};
use super::increment::increment;
use super::table::{in_order, table};
use super::written;
use crate::ask::Tables;
use crate::error::{Error, Result};
use crate::layout::Table;
use crate::model::{Definition, Model, Question, View};
use crate::query::{Means, Session};
use crate::warehouse::Release;

/// What became of a view.
pub struct Refreshed {
    /// How it came to be: one whose rows turn out to be the same is kept, whatever was chosen.
    pub choice: Choice,
    /// None: it is that of the release before.
    pub made: Option<Made>,
}

/// The rows of a view.
pub struct Made {
    pub table: Table,
    /// The columns whose sums are its control totals.
    pub totals: Vec<String>,
    /// The hash of its definition.
    pub definition: String,
}

/// Makes the views of a staged release. `before` is the release that its tables go on from, if they do, with what
/// changed since.
///
/// # Errors
///
/// The author's: SQL that is no view. The data's: a number does not fit its type.
pub fn refresh(
    model: &Model,
    now: &Release,
    before: Option<(&Release, &Changed)>,
    means: Means<'_>,
) -> Result<Vec<Refreshed>> {
    let mut work = Work { model, now, before, means, declared: None, readable: None };
    let choices = choose(model, before)?;
    model.views.iter().zip(choices).map(|(view, choice)| work.one(view, choice)).collect()
}

/// Makes all views of a release from all rows of its tables.
///
/// # Errors
///
/// As for [`refresh`].
pub fn anew(model: &Model, release: &Release, means: Means<'_>) -> Result<Vec<Made>> {
    Ok(refresh(model, release, None, means)?.into_iter().filter_map(|view| view.made).collect())
}

struct Work<'a> {
    model: &'a Model,
    now: &'a Release,
    before: Option<(&'a Release, &'a Changed)>,
    means: Means<'a>,
    /// Opened for the first declared view that has to be computed.
    declared: Option<(Session, Ground)>,
    /// Opened for the first view in SQL that has to be computed.
    readable: Option<Session>,
}

impl Work<'_> {
    fn one(&mut self, view: &View, choice: Choice) -> Result<Refreshed> {
        self.means.stop.go_on()?;
        let made = match (choice.way, &view.definition) {
            (Way::Kept, _) => None,
            (_, Definition::Sql(sql)) => Some(self.written(view, sql)?),
            (way, Definition::Declared(question)) => {
                let made = self.declared(view, question, way)?;
                if made.is_none() {
                    let because = "what changes touches none of its groups".to_owned();
                    return Ok(Refreshed { choice: Choice { way: Way::Kept, because, ..choice }, made });
                }
                made
            }
        };
        Ok(Refreshed { choice, made })
    }

    fn declared(&mut self, view: &View, question: &Question, way: Way) -> Result<Option<Made>> {
        let (model, before, means) = (self.model, self.before, self.means);
        if self.declared.is_none() {
            let mut ground = Ground::new(self.now, before.map(|(before, _)| before))?;
            let spec = std::mem::take(&mut ground.spec).within(means);
            self.declared = Some((Session::open(&spec)?, ground));
        }
        let Some((session, ground)) = &self.declared else {
            return Err(Error::bug("a session is not there"));
        };
        let computed = session.until(means.stop, |_| {
            let rows = match (way, before) {
                (Way::Incremental, Some((_, changed))) => {
                    increment(session, ground, model, view, question, changed)?
                }
                _ => {
                    let whole = Tables::Layout { layout: ground.layout, schema: Some(WHOLE.to_owned()) };
                    Some(groups_of(model, question, &whole, &[], &[])?)
                }
            };
            rows.map(|rows| session.collect(&in_order(question, &rows))).transpose()
        })?;
        let Some(rows) = computed else { return Ok(None) };
        let (table, totals) = table(&view.name, question, fact(model, question)?, &rows)?;
        Ok(Some(Made { table, totals, definition: view.hash.clone() }))
    }

    fn written(&mut self, view: &View, sql: &str) -> Result<Made> {
        if self.readable.is_none() {
            // One thread reads files in their order: where SQL leaves open which of several rows counts, it is
            // always the same.
            let means = Means { threads: Some(1), ..self.means };
            self.readable = Some(Session::open(&readable(self.now, self.model)?.within(means))?);
        }
        let Some(session) = &self.readable else { return Err(Error::bug("a session is not there")) };
        let table = session.until(self.means.stop, |_| written::table(session, &view.name, sql))?;
        Ok(Made { table, totals: Vec::new(), definition: view.hash.clone() })
    }
}
