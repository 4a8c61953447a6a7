//! (model) → the questions that are put to each shape: those of the pipeline, or some that any pipeline can answer.

use super::measure::{Put, Text};
use super::shape::Shape;
use crate::ask::{Select, Tables, select};
use crate::error::{Error, Result};
use crate::model::{
    Additivity, Aggregate, AsOf, Asked, Attribute, Column, Dimension, Fact, Group, Model, Question, ValueType,
};
use std::collections::BTreeSet;

/// What is asked, with its SQL for every shape that can answer it.
pub fn questions(model: &Model) -> Result<Vec<Put>> {
    let asked = match model.questions.as_slice() {
        [] => usual(model),
        declared => declared.to_vec(),
    };
    asked.iter().map(|question| put(model, question)).collect()
}

fn put(model: &Model, question: &Question) -> Result<Put> {
    // The one big table holds what was true at the fact's own time, and nothing else.
    let can = |shape: &Shape| matches!(shape, Shape::Layout(_)) || question.as_of == AsOf::Sold;
    let selects = Shape::all().filter(can).map(|shape| {
        let tables = match shape {
            Shape::Layout(layout) => Tables::from(layout),
            Shape::BigTable => Tables::OneBigTable,
        };
        Ok((shape, select(model, question, &tables)?))
    });
    let selects: Vec<(Shape, Select)> = selects.collect::<Result<_>>()?;
    let asks = asks(model, question, selects.last().map_or(&[], |(_, select)| &select.conditions))?;
    let texts = selects.into_iter().map(|(shape, select)| Text { shape, sql: select.to_string() });
    Ok(Put { name: question.name.clone(), asks, as_of: question.as_of, texts: texts.collect() })
}

/// A question in a line.
fn asks(model: &Model, question: &Question, conditions: &[String]) -> Result<String> {
    let fact = model.facts.get(question.fact).ok_or_else(|| Error::bug("a question has no fact"))?;
    let measures: Vec<&str> = question.measures.iter().map(|asked| asked.name.as_str()).collect();
    let groups: Vec<String> = question.by.iter().map(|group| group.column.shown(fact)).collect();
    let mut text = measures.join(", ");
    if !groups.is_empty() {
        text.push_str(&format!(" by {}", groups.join(", ")));
    }
    if !conditions.is_empty() {
        text.push_str(&format!(" where {}", conditions.join(" and ")));
    }
    match question.as_of {
        AsOf::Sold => {}
        AsOf::Now => text.push_str(", as of now"),
        AsOf::Day(day) => text.push_str(&format!(", as of {day}")),
    }
    Ok(text)
}

/// What adds up, by the top of each dimension, and by month.
fn usual(model: &Model) -> Vec<Question> {
    let mut questions = Vec::new();
    for (index, fact) in model.facts.iter().enumerate() {
        let mut add = |what: &str, columns: Vec<Column>| {
            let measures = additive(fact);
            let taken: BTreeSet<String> = measures.iter().map(|asked| asked.name.to_lowercase()).collect();
            let by = columns.into_iter().map(|column| {
                let name = column.name();
                let is_free = !taken.contains(&name.to_lowercase());
                let name = if is_free { name.to_owned() } else { format!("{name} of {what}") };
                Group { name, column }
            });
            questions.push(Question {
                name: format!("{}_by_{what}", fact.name),
                fact: index,
                measures,
                by: by.collect(),
                filter: None,
                as_of: AsOf::Sold,
            });
        };
        for (role, part) in fact.roles.iter().enumerate() {
            if let Some(dimension) = model.dimensions.get(part.dimension) {
                let (level, columns) = top(dimension, role);
                let what = if level == part.name { level } else { format!("{}_{level}", part.name) };
                add(&what, columns);
            }
        }
        add("month", vec![Column::Date { name: "year_month".to_owned(), value_type: ValueType::Text }]);
    }
    questions
}

/// The sum of everything that adds up; of a fact without such, how many rows there are.
fn additive(fact: &Fact) -> Vec<Asked> {
    let additive = fact.measures.iter().filter(|measure| measure.additivity == Additivity::Additive);
    let mut asked: Vec<Asked> = additive
        .map(|measure| {
            let column = Column::Own { name: measure.name.clone(), value_type: measure.value_type };
            Asked { name: measure.name.clone(), aggregate: Aggregate::Sum(column) }
        })
        .collect();
    if asked.is_empty() {
        asked.push(Asked { name: "rows".to_owned(), aggregate: Aggregate::Rows });
    }
    asked
}

/// The highest level of a dimension, and what its members are called by.
fn top(dimension: &Dimension, role: usize) -> (String, Vec<Column>) {
    let column = |name: &str, value_type| Column::OfRole { role, name: name.to_owned(), value_type };
    let of = |attribute: &Attribute| column(&attribute.name, attribute.value_type);
    let Some(entity) = dimension.entities.last() else { return (dimension.name.clone(), Vec::new()) };
    if let Some(level) = dimension.plain_levels.last() {
        let attributes = level.attributes.iter().filter_map(|index| entity.attributes.get(*index));
        return (level.name.clone(), attributes.map(of).collect());
    }
    let called = format!("{}_name", entity.name);
    let named = entity.attributes.iter().find(|attribute| attribute.name == called);
    let columns = match named {
        Some(attribute) => vec![of(attribute)],
        None => entity.key.iter().map(|key| column(&key.name, key.value_type)).collect(),
    };
    (entity.name.clone(), columns)
}
