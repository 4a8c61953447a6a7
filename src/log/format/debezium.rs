//! A change event of a database table, as Debezium tells it → the event that the pipeline declares it to be.
//!
//! With and without `schema`; `c`, `r` and `u` say what a row is now, `d` what it was. Every record is one event, at the
//! time of its change in the database; where the envelope has an id, it is the change's place in the database's own log,
//! so that a change told twice is a duplicate.

use super::Said;
use super::connect::{self, Meanings};
use super::control::{Control, TRUNCATION};
use super::object::{Object, text};
use super::outbox;
use super::place;
use super::plan::Table;
use super::unavailable::is_unavailable;
use super::writer::Writer;
use crate::log::decode::{Kind, Plan};
use crate::log::json::{Scanner, Scratch};
use crate::log::reject::{Code, Flaw};
use std::collections::HashMap;

/// Reads change events. Schemas come with every line and hardly ever change, so those seen are kept.
#[derive(Debug, Default)]
pub struct Debezium {
    schemas: HashMap<Vec<u8>, Schema>,
}

/// What a schema says of the rows of a change event.
#[derive(Debug)]
struct Schema {
    before: Option<Meanings>,
    after: Option<Meanings>,
}

/// A change of a row of a declared table.
struct Change<'a> {
    object: Object<'a>,
    source: Object<'a>,
    op: Op,
    /// `database.schema.table`.
    table: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Create,
    Read,
    Update,
    Delete,
    Truncate,
}

impl Debezium {
    /// Writes the event that a line is.
    pub fn read(&mut self, plan: &Plan, line: &[u8], out: &mut Vec<u8>) -> Result<Said, Flaw> {
        if line.trim_ascii() == b"null" {
            return Ok(Said::Nothing);
        }
        let outer = Object::of_line(line, &plan.limits)?;
        if outbox::is_row(plan, &outer) {
            return outbox::write(plan, &outer, None, out).map(|()| Said::Event);
        }
        let (object, schema) = match (outer.get("payload"), outer.has("op")) {
            (Some(b"null"), false) => return Ok(Said::Nothing),
            (Some(payload), false) => match Object::of(payload) {
                Some(inner) => (inner, outer.get("schema")),
                None => (outer, None),
            },
            _ => (outer, None),
        };
        if let Some(control) = Control::of(&object) {
            return control.judge(plan).map(|()| Said::Ignored);
        }
        let change = Change::of(object)?;
        let Some(table) = plan.formats.table(&change.table) else {
            let (row, member) = match change.outbox(plan) {
                Some(row) => row?,
                None => return change.undeclared(plan),
            };
            if change.op == Op::Delete {
                // The row has done its work; what it said was said when it came.
                return Ok(Said::Nothing);
            }
            let meanings = schema.and_then(|raw| self.schema(raw)).and_then(|schema| schema.of(member));
            let inserted = outbox::Inserted { change: &change.object, source: &change.source, meanings };
            return outbox::write(plan, &row, Some(inserted), out).map(|()| Said::Event);
        };
        if change.op == Op::Truncate {
            return TRUNCATION.judge(plan).map(|()| Said::Ignored);
        }
        let (row, member) = change.row()?;
        let event = change.event(&table.declared)?;
        match plan.kind(event.as_bytes()) {
            Some(Kind::Event(_)) => {}
            Some(Kind::Ignored) => return Ok(Said::Ignored),
            None => {
                let message = format!(
                    "the pipeline does not know {event:?}, which {} of {} is",
                    change.op.what(),
                    change.table
                );
                return Err(Flaw::new(Code::UnknownType, message));
            }
        }
        change.keeps_its_key(table, event)?;
        let meanings = schema.and_then(|raw| self.schema(raw)).and_then(|schema| schema.of(member));
        change.write(plan, table, event, &row, meanings, out)?;
        Ok(Said::Event)
    }

    fn schema(&mut self, raw: &[u8]) -> Option<&Schema> {
        if !self.schemas.contains_key(raw) {
            let object = Object::of(raw)?;
            let schema =
                Schema { before: Meanings::of(&object, "before"), after: Meanings::of(&object, "after") };
            self.schemas.insert(raw.to_vec(), schema);
        }
        self.schemas.get(raw)
    }
}

impl Schema {
    /// The meanings in the rows of this member.
    fn of(&self, member: &str) -> Option<&Meanings> {
        if member == "after" { self.after.as_ref() } else { self.before.as_ref() }
    }
}

impl Op {
    fn what(self) -> &'static str {
        match self {
            Self::Create => "an inserted row",
            Self::Read => "a row that a snapshot found",
            Self::Update => "an updated row",
            Self::Delete => "a deleted row",
            Self::Truncate => "the truncation",
        }
    }
}

impl<'a> Change<'a> {
    fn of(object: Object<'a>) -> Result<Self, Flaw> {
        let no_change = |message: String| Flaw::new(Code::ChangeEvent, message);
        let op = match object.text("op").as_deref() {
            Some("c") => Op::Create,
            Some("r") => Op::Read,
            Some("u") => Op::Update,
            Some("d") => Op::Delete,
            Some("t") => Op::Truncate,
            Some(other) => {
                return Err(no_change(format!("`op` is {other:?}, which Debezium does not describe")));
            }
            None => return Err(no_change("no `op`: this is no change event of Debezium".to_owned())),
        };
        let source = object
            .object("source")
            .ok_or_else(|| no_change("no `source`: it does not say which table changed".to_owned()))?;
        let table = place::table(&source)
            .ok_or_else(|| no_change("its `source` does not say which table changed".to_owned()))?;
        Ok(Self { object, source, op, table })
    }

    /// The row, if this is a change of an outbox.
    fn outbox(&self, plan: &Plan) -> Option<Result<(Object<'a>, &'static str), Flaw>> {
        let is_named = plan.formats.outbox.is(&self.table);
        let row = self.row();
        if !is_named && !row.as_ref().is_ok_and(|(row, _)| outbox::is_row(plan, row)) {
            return None;
        }
        if self.op == Op::Update {
            let message =
                format!("an updated row of the outbox {}: what happened does not change", self.table);
            return Some(Err(Flaw::new(Code::ChangeEvent, message)));
        }
        Some(row)
    }

    /// A change of a table of which the pipeline says nothing, unless it ignores it by name.
    fn undeclared(&self, plan: &Plan) -> Result<Said, Flaw> {
        let mut ends = vec![self.table.as_str()];
        ends.extend(self.table.match_indices('.').filter_map(|(at, _)| self.table.get(at + 1..)));
        if ends.iter().any(|end| matches!(plan.kind(end.as_bytes()), Some(Kind::Ignored))) {
            return Ok(Said::Ignored);
        }
        let message =
            format!("{} of {}, which no `[log.tables]` of the pipeline declares", self.op.what(), self.table);
        Err(Flaw::new(Code::UnknownType, message))
    }

    /// The row that the event is about, and the member that holds it.
    fn row(&self) -> Result<(Object<'a>, &'static str), Flaw> {
        let member = if self.op == Op::Delete { "before" } else { "after" };
        let what = self.op.what();
        let Some(raw) = self.object.value(member) else {
            let message = format!("{what} without `{member}`, which holds its columns");
            return Err(Flaw::new(Code::MissingField, message));
        };
        match Object::of(raw) {
            Some(row) => Ok((row, member)),
            None if raw.first() == Some(&b'"') => Err(Flaw::new(
                Code::Type,
                format!(
                    "`{member}` is a text: a document (MongoDB's, for example), not the columns of a row"
                ),
            )),
            None => Err(Flaw::new(Code::Type, format!("`{member}` is not the columns of a row"))),
        }
    }

    /// The event type of this change.
    fn event<'t>(&self, table: &'t crate::model::ChangedTable) -> Result<&'t str, Flaw> {
        match self.op {
            Op::Create => return Ok(&table.created),
            Op::Read => return Ok(&table.found),
            Op::Delete => return Ok(&table.closed),
            Op::Update | Op::Truncate => {}
        }
        let before = self.object.object("before");
        let after = self.object.object("after");
        for becoming in &table.becomes {
            let (column, value) = (&becoming.column, becoming.value.as_str());
            if !after.as_ref().is_some_and(|row| is(row.get(column), value)) {
                continue;
            }
            match before.as_ref().and_then(|row| row.get(column)).filter(|raw| !is_unavailable(raw)) {
                None => {
                    let message = format!(
                        "{column} is {value:?}, and without `before` it cannot be told whether it has become so \
                         by this change"
                    );
                    return Err(Flaw::new(Code::MissingField, message));
                }
                was if is(was, value) => {}
                Some(_) => return Ok(&becoming.event),
            }
        }
        Ok(&table.changed)
    }

    /// An update to another natural key says two things, that the old one is gone and that there is a new one, and no
    /// event says both. (Of a table's own key, Debezium tells a deletion and an insertion.)
    fn keeps_its_key(&self, table: &Table, event: &str) -> Result<(), Flaw> {
        let (Op::Update, Some(before), Some(after)) =
            (self.op, self.object.object("before"), self.object.object("after"))
        else {
            return Ok(());
        };
        for column in table.keys(event) {
            let said = |row: &Object<'_>| row.get(column).filter(|raw| !is_unavailable(raw)).map(hash);
            let was = before.value(column).and_then(|_| said(&before));
            if let (Some(was), Some(is)) = (was, said(&after))
                && was != is
            {
                let message = format!(
                    "{column} has another value than before, and by it the pipeline knows the row: what it was \
                     would stay as if it were still there; a deletion and an insertion say both, as Debezium writes it \
                     where the column is of the table's own key"
                );
                return Err(Flaw::new(Code::ChangeEvent, message));
            }
        }
        Ok(())
    }

    fn write(
        &self,
        plan: &Plan,
        table: &Table,
        event: &str,
        row: &Object<'_>,
        meanings: Option<&Meanings>,
        out: &mut Vec<u8>,
    ) -> Result<(), Flaw> {
        let mut time = Vec::new();
        match table.declared.time.as_deref().filter(|_| self.op != Op::Delete) {
            None => place::write_instant(&self.object, &self.source, &mut time)?,
            Some(column) => {
                let Some(raw) = row.get(column) else {
                    let message = format!("the column {column}, which says when it happened, is missing");
                    return Err(Flaw::new(Code::MissingField, message));
                };
                let wanted = Some(crate::model::ValueType::Timestamp);
                connect::write(raw, column, meanings, table.hint(column), wanted, &mut time)
                    .map_err(|flaw| flaw.of(column))?;
            }
        }
        let mut writer = Writer::begin(plan, event, out);
        writer.time(&time);
        if plan.envelope.id.is_some() {
            writer.id(&place::id(&self.object, &self.source));
        }
        if let Some(order) = place::order(&self.object, &self.source) {
            writer.order(order);
        }
        writer.begin_payload();
        for member in row.members().iter().filter(|member| !is_unavailable(member.raw)) {
            let column = String::from_utf8_lossy(&member.name);
            let fields = table.fields(&column).map_err(|()| {
                let message =
                    format!("the column {column} and one that `fields` of its table gives this name");
                Flaw::new(Code::DuplicateKey, message)
            })?;
            for field in fields {
                let wanted = plan.formats.value_type(event, field);
                let out = writer.field(field);
                connect::write(member.raw, &column, meanings, table.hint(&column), wanted, out)
                    .map_err(|flaw| flaw.of(&column))?;
            }
        }
        writer.end_payload();
        writer.end();
        Ok(())
    }
}

/// Equal for equal values.
fn hash(raw: &[u8]) -> Option<u64> {
    Scanner::again(raw).value(0, &mut Scratch::default()).ok()
}

/// Whether a column has this value: a text, or the text of a number or truth.
fn is(raw: Option<&[u8]>, value: &str) -> bool {
    raw.is_some_and(|raw| match text(raw) {
        Some(text) => text == value,
        None => raw == value.as_bytes(),
    })
}
