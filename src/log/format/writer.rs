//! An event in the making: one object with the envelope that the pipeline declares.

use crate::log::decode::{Plan, counted};
use crate::log::json::{Number, Scanner, Token};
use crate::log::reject::{Code, Flaw};
use crate::model::Unit;
use chrono::DateTime;
use std::io::Write;

/// Writes an event into a buffer, which is used again from record to record.
pub struct Writer<'p, 'b> {
    plan: &'p Plan,
    out: &'b mut Vec<u8>,
    is_first: bool,
}

impl<'p, 'b> Writer<'p, 'b> {
    /// Begins an event of this type.
    pub fn begin(plan: &'p Plan, event: &str, out: &'b mut Vec<u8>) -> Self {
        out.clear();
        out.push(b'{');
        let mut writer = Self { plan, out, is_first: true };
        writer.name(plan.envelope.name(plan.envelope.event_type));
        write_text(event, writer.out);
        writer
    }

    /// The time of the event, as JSON.
    pub fn time(&mut self, raw: &[u8]) {
        self.name(self.plan.envelope.name(self.plan.envelope.time));
        self.out.extend_from_slice(raw);
    }

    /// The id of the event as JSON, if the envelope has one.
    pub fn id(&mut self, raw: &[u8]) {
        if let Some(part) = self.plan.envelope.id {
            self.name(self.plan.envelope.name(part));
            self.out.extend_from_slice(raw);
        }
    }

    /// The contract's version, if the envelope has one.
    pub fn version(&mut self, raw: &[u8]) {
        if let Some(part) = self.plan.envelope.version {
            self.name(self.plan.envelope.name(part));
            self.out.extend_from_slice(raw);
        }
    }

    /// The producer's order, if the envelope has one that is not its id.
    pub fn order(&mut self, order: i64) {
        if let Some(part) = self.plan.envelope.order
            && self.plan.envelope.id != Some(part)
        {
            self.name(self.plan.envelope.name(part));
            let _ = write!(self.out, "{order}");
        }
    }

    /// The payload, whole.
    pub fn payload(&mut self, raw: &[u8]) {
        self.payload_name();
        self.out.extend_from_slice(raw);
    }

    /// Begins a payload that is written field by field.
    pub fn begin_payload(&mut self) {
        self.payload_name();
        self.out.push(b'{');
        self.is_first = true;
    }

    /// Begins a field of the object at hand; its value is written to the buffer that comes back.
    pub fn field(&mut self, name: &str) -> &mut Vec<u8> {
        self.name(name);
        self.out
    }

    pub fn end_payload(&mut self) {
        self.out.push(b'}');
        self.is_first = false;
    }

    pub fn end(self) {
        self.out.push(b'}');
    }

    fn payload_name(&mut self) {
        // A pipeline without one takes no foreign rows: its fields could be called like those of the envelope.
        self.name(self.plan.envelope.payload.as_deref().unwrap_or_default());
    }

    fn name(&mut self, name: &str) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(b',');
        }
        write_text(name, self.out);
        self.out.push(b':');
    }
}

/// A string, as JSON.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            // Writing to a vector cannot fail.
            0..0x20 => drop(write!(out, "\\u{byte:04x}")),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// How an instant or a wall clock is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// An instant, in UTC.
    Utc,
    /// What a clock on a wall showed: without a zone, so the pipeline's decides.
    Wall,
}

/// A JSON number of units since 1970 as a time in quotes.
///
/// # Errors
/// `type` if it is no number; else those of every time that is counted.
pub fn write_counted(raw: &[u8], unit: Unit, clock: Clock, out: &mut Vec<u8>) -> Result<(), Flaw> {
    match Scanner::again(raw).token() {
        Ok(Token::Number(number)) => write_time(&number, unit, clock, out),
        _ => Err(Flaw::new(Code::Type, "expected a time as a number since 1970-01-01")),
    }
}

/// A number of units since 1970 as a time in quotes. Where it is none, nothing is written.
pub fn write_time(number: &Number<'_>, unit: Unit, clock: Clock, out: &mut Vec<u8>) -> Result<(), Flaw> {
    // All years that are counted have four digits.
    let time = DateTime::from_timestamp_micros(counted(number, unit)?).unwrap_or_default();
    let format = match clock {
        Clock::Utc => "%Y-%m-%dT%H:%M:%S%.6fZ",
        Clock::Wall => "%Y-%m-%dT%H:%M:%S%.6f",
    };
    write_text(&time.format(format).to_string(), out);
    Ok(())
}
