//! Lines of a file → the format of its records: the first one that says it decides.

use super::control::Control;
use super::object::Object;
use super::outbox;
use super::rows::header;
use super::{CsvFile, Format, csv};
use crate::log::decode::Plan;

/// What lines say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// From this byte of what was looked at on; the lines before say nothing.
    Format(usize, Format),
    /// A format that Starlog does not read, by name.
    Foreign(&'static str),
    /// CSV whose header no declared rows have; why not.
    WrongHeader(String),
    /// No line says it.
    Unclear,
}

/// Looks for the first line that says what it is. Only the beginning of a file may be a header.
pub fn recognise(plan: &Plan, bytes: &[u8], is_begin: bool) -> Recognised {
    let header = if is_begin { csv_header(plan, bytes) } else { None };
    if let Some(Ok(file)) = header {
        return Recognised::Format(0, Format::Csv(file));
    }
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match of_line(plan, line.strip_suffix(b"\n").unwrap_or(line)) {
            Some(Told::Format(format)) => return Recognised::Format(start, format),
            Some(Told::Foreign(whose)) => return Recognised::Foreign(whose),
            None => start += line.len(),
        }
    }
    match header {
        Some(Err(message)) => Recognised::WrongHeader(message),
        _ => Recognised::Unclear,
    }
}

/// What a record by itself says that it is.
pub fn of_record(plan: &Plan, record: &[u8]) -> Option<Format> {
    match of_line(plan, record)? {
        Told::Format(format) => Some(format),
        Told::Foreign(_) => None,
    }
}

/// What a line says.
enum Told {
    Format(Format),
    Foreign(&'static str),
}

/// The header of declared rows, or why this line is none; `None` for what cannot be one.
fn csv_header(plan: &Plan, start: &[u8]) -> Option<Result<CsvFile, String>> {
    if matches!(start.trim_ascii_start().first(), None | Some(b'{' | b'[' | 0)) {
        return None;
    }
    let mut flaws = Vec::new();
    for delimiter in plan.formats.delimiters() {
        let length = csv::record_length(start, delimiter)?;
        let line = std::str::from_utf8(start.get(..length)?).ok()?.trim_end_matches(['\r', '\n']);
        let shown = char::from(delimiter);
        match header(line, delimiter) {
            None => flaws.push(format!("parted by {shown:?} it is no header, or names a column twice")),
            Some(columns) if plan.formats.rows_of(&columns, Some(delimiter)).is_some() => {
                let rows_from_bytes = length as u64;
                return Some(Ok(CsvFile { header: line.to_owned(), delimiter, rows_from_bytes }));
            }
            Some(columns) => {
                let why = plan.formats.lacking(&columns, Some(delimiter));
                flaws.push(format!("parted by {shown:?} {why}"));
            }
        }
    }
    (!flaws.is_empty())
        .then(|| Err(format!("its first line is no header of declared rows: {}", flaws.join("; "))))
}

fn of_line(plan: &Plan, line: &[u8]) -> Option<Told> {
    if std::str::from_utf8(line).is_err() {
        return None;
    }
    let line = Object::of_line(line, &plan.limits).ok()?;
    if is_maxwell(plan, &line) {
        return Some(Told::Foreign("Maxwell"));
    }
    let envelope = &plan.envelope;
    let own = [envelope.event_type, envelope.time].map(|part| line.has(envelope.name(part)));
    let is_packed = || line.text(&plan.formats.outbox.payload).is_some();
    let is_outbox = outbox::is_row(plan, &line);
    if own == [true, true] && !(is_outbox && is_packed()) {
        return Some(Told::Format(Format::Lines));
    }
    if is_wal2json(&line) {
        return Some(Told::Foreign("wal2json"));
    }
    let inner = if line.has("op") { None } else { line.object("payload") };
    if is_change(inner.as_ref().unwrap_or(&line)) || is_outbox {
        return Some(Told::Format(Format::Debezium));
    }
    let columns: Vec<String> =
        line.members().iter().map(|member| String::from_utf8_lossy(&member.name).into_owned()).collect();
    if plan.formats.rows_of(&columns, None).is_some() {
        return Some(Told::Format(Format::Objects));
    }
    // A line of its own that lacks a field is a flawed one.
    own.contains(&true).then_some(Told::Format(Format::Lines))
}

/// Change events, keys and table definitions of Maxwell. What a pipeline knows as a type of its own is its own.
fn is_maxwell(plan: &Plan, line: &Object<'_>) -> bool {
    if !line.has("database") || !line.has("table") || line.has("source") {
        return false;
    }
    let word = line.text("type").filter(|word| plan.kind(word.as_bytes()).is_none());
    let is_change = word.is_some_and(|word| {
        matches!(&*word, "insert" | "update" | "delete") || word.starts_with("bootstrap-")
    });
    let is_key = || line.members().iter().any(|member| member.name.starts_with(b"pk."));
    is_change || line.has("primary-key") || line.has("def") || is_key()
}

/// Both formats of wal2json: a transaction a line, or a change a line.
fn is_wal2json(line: &Object<'_>) -> bool {
    let action = line.text("action");
    let is_letter = action.is_some_and(|word| matches!(&*word, "B" | "C" | "I" | "U" | "D" | "T" | "M"));
    is_letter || line.get("change").is_some_and(|raw| raw.first() == Some(&b'['))
}

fn is_change(line: &Object<'_>) -> bool {
    let op = line.text("op");
    let is_op = op.is_some_and(|op| matches!(&*op, "c" | "r" | "u" | "d" | "t"));
    is_op && (line.has("source") || line.has("after") || line.has("before")) || Control::of(line).is_some()
}
