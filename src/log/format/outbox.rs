//! A row of an outbox, the table into which an application writes its events with the data that they are about → the event.
//!
//! Rows stand alone, or in change events of their table. What a row says besides its event (`aggregateid`, …) is kept
//! beside the payload, as unknown fields of the envelope.

use super::connect::{self, Hint, Meanings};
use super::object::{Object, text};
use super::place;
use super::writer::{Clock, Writer, write_counted};
use crate::log::decode::Plan;
use crate::log::reject::{Code, Flaw};
use crate::model::{Unit, ValueType};

/// The column of the time of a row that stands alone, where no other is declared.
const TIME: &str = "timestamp";
/// By these columns an outbox is known, together with those of the type and the payload.
const AGGREGATE: [&str; 2] = ["aggregatetype", "aggregateid"];

/// The insertion of a row, as its change event tells it.
#[derive(Clone, Copy)]
pub struct Inserted<'c> {
    pub change: &'c Object<'c>,
    pub source: &'c Object<'c>,
    pub meanings: Option<&'c Meanings>,
}

/// Whether these are the columns of an outbox. A log whose payload stands beside its envelope has no place for one's.
pub fn is_row(plan: &Plan, row: &Object<'_>) -> bool {
    let outbox = &plan.formats.outbox;
    let has = |column: &str| row.has(column);
    plan.envelope.payload.is_some()
        && AGGREGATE.into_iter().all(has)
        && has(&outbox.event_type)
        && has(&outbox.payload)
}

/// Writes the event of a row.
pub fn write(
    plan: &Plan,
    row: &Object<'_>,
    inserted: Option<Inserted<'_>>,
    out: &mut Vec<u8>,
) -> Result<(), Flaw> {
    let outbox = &plan.formats.outbox;
    let missing =
        |column: &str| Flaw::new(Code::MissingField, format!("the column {column} of the outbox is missing"));
    let column = |column: &str| row.get(column).ok_or_else(|| missing(column));
    let event = text(column(&outbox.event_type)?)
        .ok_or_else(|| Flaw::new(Code::Type, format!("{}: an event type is a string", outbox.event_type)))?;
    let time_column = outbox.time.as_deref().or(inserted.is_none().then_some(TIME));
    let mut time = Vec::new();
    match (time_column, inserted) {
        (Some(name), _) => {
            let meanings = inserted.and_then(|inserted| inserted.meanings);
            write_own_time(column(name)?, name, meanings, outbox.unit, &mut time)
                .map_err(|flaw| flaw.of(name))?;
        }
        (None, Some(inserted)) => place::write_instant(inserted.change, inserted.source, &mut time)?,
        (None, None) => {}
    }
    let payload = column(&outbox.payload)?;
    let unpacked = text(payload);
    let payload = match &unpacked {
        None => payload,
        Some(text) => text.as_bytes(),
    };
    if Object::of_line(payload, &plan.limits).is_err() {
        let message = format!("{}: neither an object nor a text that is one", outbox.payload);
        return Err(Flaw::new(Code::Type, message));
    }
    let mut writer = Writer::begin(plan, &event, out);
    writer.time(&time);
    if let Some(id) = row.get(&outbox.id) {
        writer.id(id);
    }
    if let Some(version) = outbox.version.as_deref().and_then(|version| row.get(version)) {
        writer.version(version);
    }
    if let Some(order) = inserted.and_then(|inserted| place::order(inserted.change, inserted.source)) {
        writer.order(order);
    }
    writer.payload(payload.trim_ascii());
    let used = [Some(outbox.id.as_str()), Some(&outbox.event_type), Some(&outbox.payload)];
    let used = [used.as_slice(), &[outbox.version.as_deref(), time_column]].concat();
    for member in row.members() {
        let name = String::from_utf8_lossy(&member.name);
        if used.contains(&Some(&*name)) {
            continue;
        }
        if plan.envelope.find(&member.name).is_some() || plan.envelope.payload.as_deref() == Some(&*name) {
            let message = format!("the column {name} of the outbox is called like a field of the envelope");
            return Err(Flaw::new(Code::DuplicateKey, message));
        }
        writer.field(&name).extend_from_slice(member.raw);
    }
    writer.end();
    Ok(())
}

/// A number without a schema is an instant in the unit that the pipeline declares.
fn write_own_time(
    raw: &[u8],
    column: &str,
    meanings: Option<&Meanings>,
    unit: Option<Unit>,
    out: &mut Vec<u8>,
) -> Result<(), Flaw> {
    let is_number = matches!(raw.first(), Some(b'-' | b'0'..=b'9'));
    if !is_number || meanings.is_some_and(|meanings| meanings.know(column)) {
        return connect::write(raw, column, meanings, Hint::default(), Some(ValueType::Timestamp), out);
    }
    let Some(unit) = unit else {
        let message = "a time as a number, and neither a schema nor `unit` of `[log.outbox]` says its unit";
        return Err(Flaw::new(Code::Time, message));
    };
    write_counted(raw, unit, Clock::Utc, out)
}
