//! (question, view) → the SELECT that answers the one from the other, or why it cannot.
//!
//! A view holds one row for each of its groups. It answers a question whose groups are put together of its own, whose
//! condition keeps or drops its groups as a whole, and whose numbers follow from those that it holds.

use super::select::{Part, Select, average, distinct};
use super::sql::name;
use super::term::{condition, conjunct};
use crate::model::{Aggregate, AsOf, Column, Held, Holds, Model, Question, Term, decides};
use crate::warehouse::Release;

/// A view that a release holds: a table with the columns of [`Question::held`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub name: String,
    /// What it answers; of the fact's own time.
    pub question: Question,
    pub rows: u64,
}

/// The views of a release that are questions, as its pipeline still says them.
#[must_use]
pub fn views(release: &Release, model: &Model) -> Vec<View> {
    let held = &release.manifest().views;
    let views = model.views.iter().filter_map(|view| {
        let entry = held.get(&view.name).filter(|entry| entry.definition == view.hash)?;
        let rows = entry.table.files.iter().map(|file| file.rows).sum();
        Some(View { name: view.name.clone(), question: view.question()?.clone(), rows })
    });
    views.collect()
}

/// The SELECT that answers a question from a view alone, and `dim_date`; or why there is none.
pub(super) fn from_view(model: &Model, question: &Question, view: &View) -> Result<Select, String> {
    let fact = model.facts.get(question.fact);
    let show = |column: &Column| fact.map_or_else(|| column.name().to_owned(), |fact| column.shown(fact));
    if view.question.fact != question.fact {
        return Err("it is of another fact".to_owned());
    }
    let columns = question.columns();
    let of_member = columns.iter().find(|column| matches!(column, Column::OfRole { .. }));
    if let (false, Some(column)) = (question.as_of == AsOf::Sold, of_member) {
        return Err(format!("it holds {} as it was at the fact's own time", show(column)));
    }
    let mut scan = Scan { held: view.question.held(), alias: name(&view.name), date: None };
    let rest = remaining(&view.question, question)?;
    let missing = |column: &Column| format!("it does not hold {}", show(column));

    let mut groups = Vec::new();
    for group in &question.by {
        let sql = scan.group(&group.column).ok_or_else(|| missing(&group.column))?;
        groups.push(Part { name: group.name.clone(), sql, value_type: group.column.value_type() });
    }
    let mut conditions = Vec::new();
    for term in &rest {
        let mut read = Vec::new();
        term.columns(&mut read);
        for column in read {
            scan.group(column).ok_or_else(|| missing(column))?;
        }
    }
    let called = |column: &Column| scan.called(column).unwrap_or_else(|| name(column.name()));
    for term in &rest {
        conditions.push(if rest.len() == 1 { condition(term, &called) } else { conjunct(term, &called) });
    }
    let keeps_groups = scan.groups().all(|held| question.by.iter().any(|group| tells(&group.column, held)));
    let mut aggregates = Vec::new();
    for asked in &question.measures {
        let sql = scan.number(&asked.aggregate, keeps_groups, question.by.is_empty());
        let sql = sql.map_err(|column| match (column, &asked.aggregate) {
            (Some(column), _) => missing(column),
            (None, Aggregate::Distinct(columns)) => {
                let columns: Vec<String> = columns.iter().map(show).collect();
                format!("different values of {} do not add up over its groups", columns.join(", "))
            }
            (None, _) => format!("it does not hold {}", asked.name),
        })?;
        aggregates.push(Part { name: asked.name.clone(), sql, value_type: asked.aggregate.value_type() });
    }
    let mut from = vec![scan.alias.clone()];
    from.extend(scan.date.map(|join| join.sql));
    Ok(Select { groups, aggregates, from, conditions })
}

/// What is left of a question's condition for the rows of a view, which has its own.
fn remaining(view: &Question, question: &Question) -> Result<Vec<Term>, String> {
    let conjuncts = |question: &Question| match &question.filter {
        Some(filter) => filter.conjuncts().to_vec(),
        None => Vec::new(),
    };
    let asked = conjuncts(question);
    let own = conjuncts(view);
    if own.iter().any(|term| !asked.contains(term)) {
        return Err("it leaves rows out that are asked for".to_owned());
    }
    Ok(asked.into_iter().filter(|term| !own.contains(term)).collect())
}

/// Whether equal values of one column mean equal values of another.
fn tells(column: &Column, other: &Column) -> bool {
    match (column, other) {
        (Column::Date { name, .. }, Column::Date { name: other, .. }) => decides(name, other),
        (column, other) => column == other,
    }
}

/// The rows of a view, and of `dim_date` if what a date tells must be looked up.
struct Scan {
    held: Vec<Held>,
    alias: String,
    date: Option<DateJoin>,
}

/// What is looked up of a date by a column that the view holds.
struct DateJoin {
    by: String,
    sql: String,
}

const DATES: &str = "dim_date";

impl Scan {
    fn groups(&self) -> impl Iterator<Item = &Column> {
        self.held.iter().filter_map(|held| match &held.what {
            Holds::Group(column) => Some(column),
            Holds::Number(_) => None,
        })
    }

    fn column(&self, wanted: &Holds) -> Option<String> {
        let held = self.held.iter().find(|held| held.what == *wanted)?;
        Some(format!("{}.{}", self.alias, name(&held.name)))
    }

    /// What a column is called that makes groups; a date that has to be looked up is joined.
    fn group(&mut self, column: &Column) -> Option<String> {
        if let Some(called) = self.called(column) {
            return Some(called);
        }
        let Column::Date { name: wanted, .. } = column else { return None };
        let by = self.groups().find_map(|held| match held {
            Column::Date { name, .. } if decides(name, wanted) => Some((name.clone(), held.clone())),
            _ => None,
        });
        let (by, held) = by?;
        let key = self.column(&Holds::Group(held))?;
        // A day has one row; of the rows of a month, one is taken.
        let dates = match by.as_str() {
            "date" => DATES.to_owned(),
            month => format!("(SELECT DISTINCT ON ({0}) * FROM {DATES}) AS {DATES}", name(month)),
        };
        let sql = format!("JOIN {dates} ON {DATES}.{} = {key}", name(&by));
        self.date = Some(DateJoin { by, sql });
        self.called(column)
    }

    fn called(&self, column: &Column) -> Option<String> {
        let own = self.column(&Holds::Group(column.clone()));
        own.or_else(|| match (column, &self.date) {
            (Column::Date { name: wanted, .. }, Some(join)) if decides(&join.by, wanted) => {
                Some(format!("{DATES}.{}", name(wanted)))
            }
            _ => None,
        })
    }

    /// A number of the question, from those of the view; else the column that is missing.
    ///
    /// `keeps_groups`: every group of the question is one of the view. `is_one_row`: there is an answer where no group is.
    fn number<'a>(
        &self,
        aggregate: &'a Aggregate,
        keeps_groups: bool,
        is_one_row: bool,
    ) -> Result<String, Option<&'a Column>> {
        let held = |wanted: Aggregate| self.column(&Holds::Number(wanted)).ok_or(aggregate.columns().first());
        let count = |column: String| match is_one_row {
            true => format!("coalesce(CAST(sum({column}) AS BIGINT), 0)"),
            false => format!("CAST(sum({column}) AS BIGINT)"),
        };
        Ok(match aggregate {
            Aggregate::Rows => count(held(Aggregate::Rows)?),
            Aggregate::Count(_) => count(held(aggregate.clone())?),
            Aggregate::Sum(_) => format!("sum({})", held(aggregate.clone())?),
            Aggregate::Least(_) => format!("min({})", held(aggregate.clone())?),
            Aggregate::Greatest(_) => format!("max({})", held(aggregate.clone())?),
            Aggregate::Average(column) => {
                let sum = format!("sum({})", held(Aggregate::Sum(column.clone()))?);
                let values = format!("CAST(sum({}) AS BIGINT)", held(Aggregate::Count(column.clone()))?);
                average(&sum, &values, aggregate.value_type())
            }
            Aggregate::Distinct(columns) => {
                let groups: Option<Vec<String>> = columns.iter().map(|column| self.called(column)).collect();
                match (self.column(&Holds::Number(aggregate.clone())), groups) {
                    (Some(held), _) if keeps_groups => count(held),
                    (_, Some(groups)) => distinct(&groups),
                    _ => return Err(None),
                }
            }
        })
    }
}
