//! (question, its answer) → what a person wants to know of both; and what can be asked at all.

use super::answer::{Answer, Judged, Verdict};
use crate::layout::Layout;
use crate::model::{Additivity, Aggregate, AsOf, Asked, Column, Model, Question, Role, columns_of};
use serde::Serialize;

/// Which table answers a question, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub question: String,
    pub answered_by: String,
    /// The rows of the view that answers.
    pub rows: Option<u64>,
    /// The smallest first.
    pub views: Vec<ExplainedView>,
    pub sql: String,
}

/// A view, and why it answers or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedView {
    pub name: String,
    pub rows: u64,
    pub is_taken: bool,
    pub why: String,
}

/// A question, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: String,
    pub text: String,
}

/// What a pipeline can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subjects {
    pub questions: Vec<Shown>,
    pub facts: Vec<Subject>,
}

/// What a fact can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    pub name: String,
    /// What adds up.
    pub measures: Vec<String>,
    /// Columns of its own rows, and of the date.
    pub columns: Vec<String>,
    /// For each role, its columns.
    pub roles: Vec<Vec<String>>,
}

/// Says which table answers a question, and why no other.
#[must_use]
pub fn explain(model: &Model, question: &Question, layout: Layout, answer: &Answer) -> Explained {
    let fact = model.facts.get(question.fact).map_or("", |fact| fact.name.as_str());
    let view = |judged: &Judged| ExplainedView {
        name: judged.name.clone(),
        rows: judged.rows,
        is_taken: judged.verdict == Verdict::Taken,
        why: match &judged.verdict {
            Verdict::Taken => "the smallest that can answer".to_owned(),
            Verdict::Larger => "could answer, but is larger".to_owned(),
            Verdict::Cannot(why) => format!("no: {why}"),
        },
    };
    let views: Vec<ExplainedView> = answer.views.iter().map(view).collect();
    Explained {
        question: shown(model, question),
        answered_by: match &answer.taken {
            Some(name) => format!("the view {name}"),
            None => format!("fact_{fact} and the tables of the {layout}"),
        },
        rows: views.iter().find(|view| view.is_taken).map(|view| view.rows),
        views,
        sql: answer.select.to_string(),
    }
}

/// The questions of a pipeline, and what can be asked besides.
#[must_use]
pub fn subjects(model: &Model) -> Subjects {
    let question = |question: &Question| Shown { name: question.name.clone(), text: shown(model, question) };
    let facts = model.facts.iter().map(|fact| {
        let measures = fact.measures.iter().filter(|measure| measure.additivity == Additivity::Additive);
        let is_measure = fact.measures.iter().any(|measure| measure.name == fact.name);
        let headers = (!fact.header.is_empty() && !is_measure).then(|| fact.name.clone());
        let own = fact.header.iter().chain(&fact.line).map(|column| &column.name);
        let own = own.chain(fact.columns.iter().map(|column| &column.name)).cloned();
        let dates = model.calendar.names().into_iter().map(|name| format!("date.{name}"));
        let role = |role: &Role| {
            let columns = model.dimensions.get(role.dimension).map(columns_of).unwrap_or_default();
            columns.into_iter().map(|name| format!("{}.{name}", role.name)).collect()
        };
        Subject {
            name: fact.name.clone(),
            measures: measures.map(|measure| measure.name.clone()).chain(headers).collect(),
            columns: ["kind".to_owned()].into_iter().chain(own).chain(dates).collect(),
            roles: fact.roles.iter().map(role).collect(),
        }
    });
    Subjects { questions: model.questions.iter().map(question).collect(), facts: facts.collect() }
}

/// A question as its author might have written it.
#[must_use]
pub fn shown(model: &Model, question: &Question) -> String {
    let Some(fact) = model.facts.get(question.fact) else { return String::new() };
    let column = |column: &Column| column.shown(fact);
    let measure = |asked: &Asked| {
        let of = |function: &str, columns: &[Column]| {
            format!("{function}({})", columns.iter().map(column).collect::<Vec<_>>().join(", "))
        };
        let columns = asked.aggregate.columns();
        let said = match &asked.aggregate {
            Aggregate::Rows | Aggregate::Count(_) => of("count", columns),
            Aggregate::Sum(summed) if asked.name == summed.name() => return asked.name.clone(),
            Aggregate::Distinct(_) if asked.name == fact.name => return asked.name.clone(),
            Aggregate::Sum(_) => of("sum", columns),
            Aggregate::Average(_) => of("avg", columns),
            Aggregate::Least(_) => of("min", columns),
            Aggregate::Greatest(_) => of("max", columns),
            Aggregate::Distinct(_) => of("count_distinct", columns),
        };
        format!("{} = {said}", asked.name)
    };
    let mut text: String = question.measures.iter().map(measure).collect::<Vec<_>>().join(", ");
    if !question.by.is_empty() {
        let by: Vec<String> = question.by.iter().map(|group| column(&group.column)).collect();
        text.push_str(&format!(" by {}", by.join(", ")));
    }
    if let Some(filter) = &question.filter {
        text.push_str(&format!(" where {}", super::term::condition(filter, &column)));
    }
    match question.as_of {
        AsOf::Sold => {}
        AsOf::Now => text.push_str(" as now"),
        AsOf::Day(day) => text.push_str(&format!(" as {day}")),
    }
    text
}
