//! One line → one row of its event type, or the flaw that makes it a reject.

use super::fields::{Notes, Object, Place, Reading};
use super::plan::{EventPlan, Kind, Plan};
use super::rows::{EventRows, Head};
use super::{time, upcast, value};
use crate::log::content;
use crate::log::json::{Scanner, Token};
use crate::log::reject::{Code, Flaw};
use std::borrow::Cow;

/// A line that is a known event.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Index into the plan's events.
    pub event: usize,
    /// 128 bits of its id; 0 where no id is declared.
    pub id: u128,
    pub content: u64,
}

/// The most parts that an envelope has besides the payload: type, time, version, id, order.
const PARTS: usize = 5;

/// Finds the type of a line's event without reading further than it must.
pub fn kind(plan: &Plan, line: &[u8], notes: &mut Notes) -> Result<Kind, Flaw> {
    let mut scanner = Scanner::new(line, &plan.limits);
    notes.clear();
    scanner.open_line()?;
    scanner.enter(1)?;
    let name = plan.envelope.name(plan.envelope.event_type);
    let mut count = 0;
    while let Some(key) = scanner.next_key(&mut count)? {
        if *key.value() != *name.as_bytes() {
            scanner.value(1, &mut notes.scratch)?;
            continue;
        }
        let flaw = match scanner.token()? {
            Token::Text(text) => match plan.kind(&text.value()) {
                Some(kind) => return Ok(kind),
                None => Flaw::new(
                    Code::UnknownType,
                    format!("the pipeline does not know {:?}", String::from_utf8_lossy(&text.value())),
                ),
            },
            Token::Null => Flaw::new(Code::NullField, format!("{name} must not be null")),
            other => value::type_flaw("a string", other).of(name),
        };
        validate(plan, line, notes)?;
        return Err(flaw);
    }
    validate(plan, line, notes)?;
    Err(Flaw::new(Code::MissingField, format!("{name} is missing")))
}

/// Whether the line is JSON at all; for lines of which nothing else is wanted.
pub fn validate(plan: &Plan, line: &[u8], notes: &mut Notes) -> Result<(), Flaw> {
    let mut scanner = Scanner::new(line, &plan.limits);
    notes.clear();
    scanner.open_line()?;
    scanner.value(0, &mut notes.scratch)?;
    scanner.close_line()
}

/// A line of a known type: appends a row, or leaves the rows as they were.
pub fn read(
    plan: &Plan,
    event: usize,
    contract: &EventPlan,
    rows: &mut EventRows,
    notes: &mut Notes,
    line: Line<'_>,
) -> Result<Event, Flaw> {
    let (version, payload) = match attempt(plan, event, contract, rows, notes, line)? {
        Read::Event(event) => return Ok(event),
        Read::Old { version, payload } => (version, payload),
    };
    let lifted = upcast::lift(contract, &plan.envelope, line.bytes, version)?;
    let old = Some(Old { version, payload, original: &lifted.original });
    match attempt(plan, event, contract, rows, notes, Line { bytes: &lifted.line, old, ..line })? {
        Read::Event(event) => {
            notes.leaps += lifted.leaps;
            Ok(event)
        }
        Read::Old { .. } => Err(Flaw::new(Code::Upcast, "a lifted line is still of an older version")),
    }
}

/// What came of reading a line under the contract of today.
enum Read {
    Event(Event),
    /// It is of a version that can be lifted; nothing was kept of it but the hash of its payload.
    Old {
        version: i64,
        payload: u64,
    },
}

fn attempt(
    plan: &Plan,
    event: usize,
    contract: &EventPlan,
    rows: &mut EventRows,
    notes: &mut Notes,
    line: Line<'_>,
) -> Result<Read, Flaw> {
    let envelope = &plan.envelope;
    notes.clear();
    let mut reading = Reading {
        scanner: Scanner::new(line.bytes, &plan.limits),
        notes,
        times: envelope.times,
        hashes: plan.has_ids(),
        judges: true,
        unknown: contract.unknown,
        flaw: None,
    };
    let read = payload_and_parts(plan, contract, rows, &mut reading)
        .and_then(|(payload, parts)| complete(plan, event, contract, rows, reading, payload, &parts, line));
    if !matches!(read, Ok(Read::Event(_))) {
        rows.undo();
    }
    read
}

/// A line and where it stands in its block and file.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub bytes: &'a [u8],
    pub number: i64,
    pub offset_bytes: i64,
    /// If the bytes are those of a line that was lifted.
    pub old: Option<Old<'a>>,
}

/// What a line was before it was lifted.
#[derive(Debug, Clone, Copy)]
pub struct Old<'a> {
    version: i64,
    /// The hash of its payload: content is what a producer said (DESIGN 4), whatever the steps make of it.
    payload: u64,
    original: &'a [u8],
}

type Parts<'a> = [Option<Token<'a>>; PARTS];

/// Reads the whole line; returns the payload's hash and the envelope's tokens.
fn payload_and_parts<'a>(
    plan: &Plan,
    contract: &EventPlan,
    rows: &mut EventRows,
    reading: &mut Reading<'a, '_>,
) -> Result<(u64, Parts<'a>), Flaw> {
    let envelope = &plan.envelope;
    let mut parts: Parts<'a> = [None; PARTS];
    let mut payload_hash = None;
    let is_flat = envelope.payload.is_none();
    reading.scanner.open_line()?;
    reading.scanner.enter(1)?;
    // In a flat envelope this object collects the payload's members, else only undeclared neighbours.
    let mut object = reading.begin(&contract.payload);
    let mut count = 0;
    while let Some(key) = reading.scanner.next_key(&mut count)? {
        let name = key.value();
        if envelope.payload.as_ref().is_some_and(|payload| *payload.as_bytes() == *name) {
            if payload_hash.is_some() {
                return Err(Flaw::new(Code::DuplicateKey, "a key stands twice in one object"));
            }
            payload_hash = Some(payload(contract, rows, reading)?);
        } else if let Some(part) = envelope.find(&name).and_then(|part| parts.get_mut(part)) {
            let token = reading.scanner.token()?;
            if part.replace(token).is_some() {
                return Err(Flaw::new(Code::DuplicateKey, "a key stands twice in one object"));
            }
            if let Token::Container = token {
                reading.scanner.value(1, &mut reading.notes.scratch)?;
            }
        } else if is_flat {
            reading.member(&mut object, key, &contract.payload, &mut rows.payload, &contract.lists, 1)?;
        } else {
            reading.unknown(&mut object, key, Place::Envelope, 1)?;
        }
    }
    let hash = if is_flat {
        reading.end(&object, &contract.payload, &mut rows.payload.fields, Place::Payload)?;
        object.members.finish()
    } else {
        reading.discard(&object)?;
        payload_hash.unwrap_or_else(|| {
            let name = envelope.payload.as_deref().unwrap_or_default();
            reading.breach(|| Flaw::new(Code::MissingField, format!("{name} is missing")));
            0
        })
    };
    reading.scanner.close_line()?;
    Ok((hash, parts))
}

fn payload(contract: &EventPlan, rows: &mut EventRows, reading: &mut Reading<'_, '_>) -> Result<u64, Flaw> {
    if reading.scanner.peek() != Some(b'{') {
        let token = reading.scanner.token()?;
        reading.breach(|| match token {
            Token::Null => Flaw::new(Code::NullField, "the payload must not be null"),
            _ => value::type_flaw("an object", token).of("the payload"),
        });
        if let Token::Container = token {
            reading.scanner.value(1, &mut reading.notes.scratch)?;
        }
        return Ok(0);
    }
    reading.scanner.enter(2)?;
    let mut object: Object = reading.begin(&contract.payload);
    let mut count = 0;
    while let Some(key) = reading.scanner.next_key(&mut count)? {
        reading.member(&mut object, key, &contract.payload, &mut rows.payload, &contract.lists, 2)?;
    }
    reading.end(&object, &contract.payload, &mut rows.payload.fields, Place::Payload)?;
    Ok(object.members.finish())
}

/// Judges the envelope, and completes the row; unless the line is of an older version.
#[expect(clippy::too_many_arguments, reason = "the parts of one line, each used once")]
fn complete(
    plan: &Plan,
    event: usize,
    contract: &EventPlan,
    rows: &mut EventRows,
    reading: Reading<'_, '_>,
    payload: u64,
    parts: &Parts<'_>,
    line: Line<'_>,
) -> Result<Read, Flaw> {
    let envelope = &plan.envelope;
    let part = |part: Option<usize>| part.and_then(|part| parts.get(part).copied().flatten());
    let (version, payload) = match line.old {
        Some(old) => (old.version, old.payload),
        None => (version(part(envelope.version), contract)?, payload),
    };
    if version != contract.version && line.old.is_none() {
        return Ok(Read::Old { version, payload });
    }
    let id_token = part(envelope.id);
    let id = match envelope.id {
        Some(at) => Some(id(id_token, envelope.name(at))?),
        None => None,
    };
    let time_name = envelope.name(envelope.time);
    let instant = match part(Some(envelope.time)) {
        Some(Token::Text(text)) => {
            time::instant(&text.value(), envelope.times.zone).map_err(|flaw| flaw.of(time_name))?
        }
        Some(Token::Number(number)) => {
            let Some(unit) = envelope.times.unit else {
                let message = "a number, and the pipeline declares no `unit` of times in its envelope";
                return Err(Flaw::new(Code::Time, message).of(time_name));
            };
            let micros = time::counted(&number, unit).map_err(|flaw| flaw.of(time_name))?;
            time::Instant { micros, leap: false }
        }
        Some(Token::Null) => {
            return Err(Flaw::new(Code::NullField, format!("{time_name} must not be null")));
        }
        Some(_) => {
            return Err(Flaw::new(Code::Time, format!("{time_name}: a time must be a string (RFC 3339)")));
        }
        None => return Err(Flaw::new(Code::MissingField, format!("{time_name} is missing"))),
    };
    if instant.micros < plan.earliest || instant.micros >= plan.latest {
        let message =
            format!("{time_name}: outside `earliest` and `latest` of the pipeline ({})", plan.bounds);
        return Err(Flaw::new(Code::TimeRange, message));
    }
    let order = order(part(envelope.order), envelope.order.map_or("", |at| envelope.name(at)))?;
    if let Some(flaw) = reading.flaw {
        return Err(flaw);
    }
    plan.amounts.get(event).into_iter().flatten().try_for_each(|amounts| amounts.check(&rows.payload))?;
    let content = if reading.hashes {
        let said = content::mix(contract.name_hash, version.cast_unsigned());
        let when =
            content::mix(instant.micros.cast_unsigned(), order.map_or(content::NULL, i64::cast_unsigned));
        let content = content::mix(content::mix(said, when), payload);
        match id_token {
            Some(Token::Text(text)) if is_number(&text.value()) => content::of_text_id(content),
            _ => content,
        }
    } else {
        0
    };
    let notes = reading.notes;
    notes.leaps += u64::from(instant.leap);
    if !notes.unknown.is_empty() {
        notes.unknown.push(b'}');
    }
    rows.complete(&Head {
        time: instant.micros,
        order,
        version,
        id: id.as_deref(),
        content: reading.hashes.then_some(content),
        offset_bytes: line.offset_bytes,
        line: line.number,
        absent: &notes.absent,
        unknown: &notes.unknown,
        original: line.old.map(|old| old.original),
    });
    Ok(Read::Event(Event { event, id: id.as_deref().map_or(0, content::id), content }))
}

fn version(token: Option<Token<'_>>, contract: &EventPlan) -> Result<i64, Flaw> {
    let version = match token {
        None | Some(Token::Null) => 1,
        Some(Token::Number(number)) => number.integer().map_err(|code| value::integer_flaw(code, &number))?,
        Some(other) => return Err(value::type_flaw("an integer", other).of("the version")),
    };
    if !contract.knows(version) {
        let (name, today) = (&contract.name, contract.version);
        let known = match contract.upcasts.first() {
            Some(oldest) => format!("{} to {today}", oldest.from),
            None => today.to_string(),
        };
        let message = format!("{name} has version {version}, the pipeline knows {known}");
        return Err(Flaw::new(Code::UnknownVersion, message));
    }
    Ok(version)
}

/// Whether a text could be taken for a number once both are text.
fn is_number(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'-' | b'0'..=b'9'))
        && matches!(Scanner::again(text).token(), Ok(Token::Number(number)) if number.raw.len() == text.len())
}

/// An id as text. A number is taken by its value: 7 and 7.0 are one id. "7" is kept in the same way, but its
/// content says that it is a text, so that the two are a conflict and never a duplicate.
fn id<'a>(token: Option<Token<'a>>, name: &str) -> Result<Cow<'a, [u8]>, Flaw> {
    match token {
        None => Err(Flaw::new(Code::NoId, format!("{name} is missing"))),
        Some(Token::Null) => Err(Flaw::new(Code::NoId, format!("{name} is null"))),
        Some(Token::Text(text)) => {
            let value = text.value();
            if value.trim_ascii().is_empty() {
                return Err(Flaw::new(Code::NoId, format!("{name} is empty")));
            }
            Ok(value)
        }
        Some(Token::Number(number)) => match number.raw.iter().all(u8::is_ascii_digit) {
            true => Ok(Cow::Borrowed(number.raw)),
            false => Ok(Cow::Owned(written(&number))),
        },
        Some(other) => Err(value::type_flaw("a string or number", other).of(name)),
    }
}

fn written(number: &crate::log::json::Number<'_>) -> Vec<u8> {
    match number.integer() {
        Ok(integer) => integer.to_string().into_bytes(),
        Err(_) if number.fits => {
            let (mantissa, exponent) = number.normal();
            format!("{}{mantissa}e{exponent}", if number.negative { "-" } else { "" }).into_bytes()
        }
        Err(_) => number.raw.to_vec(),
    }
}

fn order(token: Option<Token<'_>>, name: &str) -> Result<Option<i64>, Flaw> {
    match token {
        None | Some(Token::Null) => Ok(None),
        Some(Token::Number(number)) => {
            number.integer().map(Some).map_err(|code| value::integer_flaw(code, &number).of(name))
        }
        Some(other) => Err(value::type_flaw("an integer", other).of(name)),
    }
}
