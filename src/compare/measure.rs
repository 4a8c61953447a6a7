//! (question, its SQL for each shape, sessions) → how long each takes, what it reads, and whether all say the same.
//!
//! Runs are interleaved: each run asks all shapes one after the other, the next one begins with the next shape. So
//! whatever slows the machine down for a while slows all of them, and a ratio is taken within one run.

use super::report::{AnswerFigures, QuestionFigures, Refused};
use super::shape::Shape;
use super::spread::{Clock, ratio, spread, timed};
use crate::error::{Error, Result};
use crate::model::AsOf;
use crate::query::{Question, Rows, Session, SessionSpec};
use serde_json::Value;

/// A question as it is put to each shape that can be asked.
pub struct Put {
    pub name: String,
    pub asks: String,
    pub as_of: AsOf,
    pub texts: Vec<Text>,
}

/// Its SQL for one shape.
pub struct Text {
    pub shape: Shape,
    pub sql: String,
}

/// How measuring is done.
pub struct Means<'a> {
    pub sessions: &'a dyn Fn(Shape, AsOf) -> Result<SessionSpec>,
    pub runs: usize,
    pub clock: &'a dyn Clock,
    pub go_on: &'a dyn Fn() -> Result<()>,
}

/// What became of a question.
pub enum Outcome {
    Measured(QuestionFigures),
    Refused(Refused),
}

/// One shape's side of it.
struct Side<'a> {
    text: &'a Text,
    spec: SessionSpec,
    question: Question,
    reading: Reading,
    cold_us: Vec<u64>,
    warm_us: Vec<u64>,
}

/// Asks a question of all shapes, and then again and again. Figures of answers that differ say nothing.
pub fn measure(put: &Put, means: &Means<'_>) -> Result<Outcome> {
    let mut sides = Vec::new();
    let mut answers: Vec<(Shape, Rows)> = Vec::new();
    for text in &put.texts {
        let spec = (means.sessions)(text.shape, put.as_of)?;
        let session = Session::open(&spec)?;
        let reading = Reading::of(&session, &text.sql)?;
        answers.push((text.shape, sorted(session.fetch(&text.sql, &[])?)));
        let question = session.questions(&text.sql)?.into_iter().next();
        let question = question.ok_or_else(|| Error::bug("a question without SQL"))?;
        sides.push(Side { text, spec, question, reading, cold_us: Vec::new(), warm_us: Vec::new() });
    }
    if let Some(reason) = difference(&answers) {
        let name = put.name.clone();
        return Ok(Outcome::Refused(Refused { name, reason, answers_differ: true }));
    }
    for run in 0..means.runs {
        let shapes = sides.len().max(1);
        for turn in 0..shapes {
            (means.go_on)()?;
            if let Some(side) = sides.get_mut((run + turn) % shapes) {
                side.run(means.clock)?;
            }
        }
    }
    let (first_cold, first_warm) =
        sides.first().map(|side| (side.cold_us.clone(), side.warm_us.clone())).unwrap_or_default();
    let rows = answers.first().map_or(0, |(_, rows)| rows.rows.len() as u64);
    let figures = |side: &Side<'_>| AnswerFigures {
        layout: side.text.shape.to_string(),
        sql: side.text.sql.clone(),
        columns: side.reading.columns,
        joins: side.reading.joins,
        bytes_read: side.reading.bytes,
        cold: spread(&side.cold_us),
        warm: spread(&side.warm_us),
        cold_ratio: ratio(&side.cold_us, &first_cold),
        warm_ratio: ratio(&side.warm_us, &first_warm),
    };
    let answers = sides.iter().map(figures).collect();
    Ok(Outcome::Measured(QuestionFigures { name: put.name.clone(), asks: put.asks.clone(), rows, answers }))
}

impl Side<'_> {
    /// Asks twice in a new session. Opening it is no part of either: a program does that once, whatever it asks.
    fn run(&mut self, clock: &dyn Clock) -> Result<()> {
        let session = Session::open(&self.spec)?;
        for durations in [&mut self.cold_us, &mut self.warm_us] {
            let (answered, took) = timed(clock, || answer(&session, &self.question));
            answered?;
            durations.push(took);
        }
        Ok(())
    }
}

/// Takes all rows of the answer, and looks at none.
fn answer(session: &Session, question: &Question) -> Result<()> {
    let mut answer = session.ask(question)?;
    while answer.next_batch()?.is_some() {}
    Ok(())
}

/// Two answers are the same if they hold the same rows, in whatever order.
fn sorted(mut answer: Rows) -> Rows {
    answer.rows.sort_by_cached_key(|row| Value::from(row.clone()).to_string());
    answer
}

/// How the first answer that is not that of the first shape differs from it.
fn difference(answers: &[(Shape, Rows)]) -> Option<String> {
    let (first, expected) = answers.first()?;
    let (other, found) =
        answers.iter().find(|(_, rows)| rows.columns != expected.columns || rows.rows != expected.rows)?;
    let text = |row: Option<&Vec<Value>>| {
        row.map_or("nothing".to_owned(), |row| Value::from(row.clone()).to_string())
    };
    let at = expected.rows.iter().zip(&found.rows).position(|(one, other)| one != other);
    let at = at.unwrap_or_else(|| expected.rows.len().min(found.rows.len()));
    Some(format!(
        "{first} and {other} give different answers: {} rows and {}; the first difference is {} and {}",
        expected.rows.len(),
        found.rows.len(),
        text(expected.rows.get(at)),
        text(found.rows.get(at))
    ))
}

/// What DuckDB says that it did for a question.
struct Reading {
    columns: u64,
    joins: u64,
    bytes: u64,
}

impl Reading {
    /// Asks once, and has DuckDB account for it.
    fn of(session: &Session, sql: &str) -> Result<Self> {
        let account = session.fetch(&format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}"), &[])?;
        let text = account.rows.first().and_then(|row| row.get(1)?.as_str()).unwrap_or_default();
        let account: Value = serde_json::from_str(text)
            .map_err(|error| Error::bug("DuckDB's account of a question is no JSON").because(error))?;
        let bytes = account.get("total_bytes_read").and_then(Value::as_u64);
        let bytes = bytes.ok_or_else(|| Error::bug("DuckDB's account of a question lacks the bytes read"))?;
        let mut reading = Self { columns: 0, joins: 0, bytes };
        reading.walk(&account);
        Ok(reading)
    }

    fn walk(&mut self, node: &Value) {
        let operator = node.get("operator_type").and_then(Value::as_str).unwrap_or_default();
        if operator.ends_with("JOIN") {
            self.joins += 1;
        }
        if operator == "TABLE_SCAN" {
            self.columns += match node.pointer("/extra_info/Projections") {
                Some(Value::Array(columns)) => columns.len() as u64,
                Some(Value::String(column)) if !column.is_empty() => 1,
                _ => 0,
            };
        }
        let below = node.get("children").and_then(Value::as_array);
        below.into_iter().flatten().for_each(|child| self.walk(child));
    }
}
