//! A row of a file → the event that the pipeline declares it to be.
//!
//! A row of CSV is texts under the names of a header; a row of Parquet, or an object of other names, has JSON values.
//! Columns of which nobody says anything are kept as unknown fields.

use super::Said;
use super::object::{Object, integer, text};
use super::plan::RowPlan;
use super::writer::{Clock, Writer, write_counted, write_text};
use super::{CsvFile, csv};
use crate::error::{Error, Result as Outcome};
use crate::log::decode::{Kind, Plan};
use crate::log::json::{Scanner, Token};
use crate::log::reject::{Code, Flaw};
use crate::model::{EventOfRow, ValueType};
use std::borrow::Cow;

/// A cell of a row.
#[derive(Debug, Clone, Copy)]
enum Cell<'r> {
    Null,
    /// Of CSV: what it is, its column's declaration says.
    Text(&'r str),
    /// A JSON value.
    Json(&'r [u8]),
}

/// A row: columns and cells.
type Row<'r> = Vec<(Cow<'r, str>, Cell<'r>)>;

/// Reads rows of CSV under one header.
#[derive(Debug)]
pub struct CsvRows<'p> {
    rows: &'p RowPlan,
    names: Vec<String>,
}

impl<'p> CsvRows<'p> {
    /// # Errors
    /// The author's: the pipeline declares no rows of such columns any more.
    pub fn of(plan: &'p Plan, file: &CsvFile) -> Outcome<Self> {
        let names = header(&file.header, file.delimiter).unwrap_or_default();
        let Some(rows) = plan.formats.rows_of(&names, Some(file.delimiter)) else {
            let why = plan.formats.lacking(&names, Some(file.delimiter));
            let message = format!("a known CSV file with the header {:?} goes on, and {why}", file.header);
            return Err(Error::author(message).next("declare its columns in `[log.rows]` as before"));
        };
        Ok(Self { rows, names })
    }

    /// Writes the event of a record, which is UTF-8 and has no line end any more.
    pub fn read(&self, plan: &Plan, record: &[u8], out: &mut Vec<u8>) -> Result<Said, Flaw> {
        let record =
            std::str::from_utf8(record).map_err(|_| Flaw::new(Code::Utf8, "the line is not UTF-8"))?;
        let cells = csv::cells(record, self.rows.declared.delimiter)?;
        if cells.len() != self.names.len() {
            let message = format!("{} cells under {} columns", cells.len(), self.names.len());
            return Err(Flaw::new(Code::CsvRagged, message));
        }
        let cells = cells.iter().map(|cell| match self.rows.is_null(cell) {
            true => Cell::Null,
            false => Cell::Text(cell),
        });
        let row = self.names.iter().map(|name| Cow::Borrowed(name.as_str())).zip(cells).collect();
        write(plan, self.rows, &row, out)
    }
}

/// The columns of a header, if each has its own name.
pub fn header(line: &str, delimiter: u8) -> Option<Vec<String>> {
    let names: Vec<String> = csv::cells(line, delimiter).ok()?.into_iter().map(Cow::into_owned).collect();
    let is_told = |(at, name): (usize, &String)| !names.iter().take(at).any(|other| other == name);
    names.iter().enumerate().all(is_told).then_some(names)
}

/// Writes the event of a row that is an object.
pub fn read_object(plan: &Plan, line: &[u8], out: &mut Vec<u8>) -> Result<Said, Flaw> {
    let object = Object::of_line(line, &plan.limits)?;
    let names: Vec<String> =
        object.members().iter().map(|member| String::from_utf8_lossy(&member.name).into_owned()).collect();
    let Some(rows) = plan.formats.rows_of(&names, None) else {
        return Err(Flaw::new(Code::MissingField, plan.formats.lacking(&names, None)));
    };
    let cells = object.members().iter().map(|member| match text(member.raw) {
        Some(text) if rows.is_null(&text) => Cell::Null,
        _ if member.raw == b"null" => Cell::Null,
        _ => Cell::Json(member.raw),
    });
    let row = names.iter().map(|name| Cow::Borrowed(name.as_str())).zip(cells).collect();
    write(plan, rows, &row, out)
}

fn write(plan: &Plan, rows: &RowPlan, row: &Row<'_>, out: &mut Vec<u8>) -> Result<Said, Flaw> {
    let declared = &rows.declared;
    let cell =
        |column: &str| row.iter().find(|(name, _)| name == column).map_or(Cell::Null, |(_, cell)| *cell);
    let event = match &declared.event {
        EventOfRow::Always(event) => Cow::Borrowed(event.as_str()),
        EventOfRow::Column(column) => match cell(column) {
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Json(raw) => text(raw)
                .ok_or_else(|| Flaw::new(Code::Type, format!("{column}: an event type is a text")))?,
            Cell::Null => return Err(Flaw::new(Code::NullField, format!("{column} must not be null"))),
        },
    };
    if let Some(Kind::Ignored) = plan.kind(event.as_bytes()) {
        return Ok(Said::Ignored);
    }
    let mut time = Vec::new();
    write_instant(rows, cell(&declared.time), &mut time).map_err(|flaw| flaw.of(&declared.time))?;
    let mut writer = Writer::begin(plan, &event, out);
    writer.time(&time);
    if let Some(column) = &declared.id {
        let mut id = Vec::new();
        write_as_is(cell(column), &mut id);
        writer.id(&id);
    }
    if let Some(column) = &declared.order {
        match cell(column) {
            Cell::Null => {}
            cell => writer.order(whole(cell).ok_or_else(|| {
                Flaw::new(Code::NotInteger, format!("{column}: an order is an integer of 64 bits"))
            })?),
        }
    }
    writer.begin_payload();
    let around = [Some(&declared.time), declared.id.as_ref(), declared.order.as_ref(), rows.event_column()];
    for (column, cell) in row {
        let is_around = around.contains(&Some(&column.to_string()));
        let named = declared.fields.get(&**column).map(Vec::as_slice).unwrap_or_default();
        let own = [column.to_string()];
        let fields = if named.is_empty() { own.as_slice() } else { named };
        if named.is_empty() && rows.taken.contains(&**column) {
            let message = format!("the column {column} and one that `fields` of its rows gives this name");
            return Err(Flaw::new(Code::DuplicateKey, message));
        }
        for field in fields {
            let wanted = plan.formats.value_type(&event, field);
            if is_around && wanted.is_none() {
                continue;
            }
            write_cell(*cell, wanted, writer.field(field)).map_err(|flaw| flaw.of(column))?;
        }
    }
    writer.end_payload();
    writer.end();
    Ok(Said::Event)
}

fn write_instant(rows: &RowPlan, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let raw = match cell {
        Cell::Null => return Err(Flaw::new(Code::NullField, "must not be null")),
        Cell::Text(text) => text.as_bytes(),
        Cell::Json(raw) => raw,
    };
    let is_number =
        matches!(Scanner::again(raw).token(), Ok(Token::Number(number)) if number.raw.len() == raw.len());
    if !is_number {
        write_as_is(cell, out);
        return Ok(());
    }
    let Some(unit) = rows.declared.unit else {
        return Err(Flaw::new(
            Code::Time,
            "a time as a number, and no `unit` of its rows in the pipeline says its unit",
        ));
    };
    write_counted(raw, unit, Clock::Utc, out)
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => text.parse().ok(),
        Cell::Json(raw) => integer(raw),
    }
}

fn write_as_is(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(text) => write_text(text, out),
        Cell::Json(raw) => out.extend_from_slice(raw),
    }
}

/// A text of CSV is what its field's type says; what cannot be that is said here, where the text is known.
fn write_cell(cell: Cell<'_>, wanted: Option<ValueType>, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let Cell::Text(text) = cell else {
        write_as_is(cell, out);
        return Ok(());
    };
    match wanted {
        Some(ValueType::Integer) => {
            let is_number = matches!(Scanner::again(text.as_bytes()).token(), Ok(Token::Number(number)) if number.raw.len() == text.len());
            if !is_number {
                return Err(Flaw::new(Code::Type, format!("{text:?} is not an integer")));
            }
            out.extend_from_slice(text.as_bytes());
        }
        Some(ValueType::Boolean) => match text {
            "true" | "false" => out.extend_from_slice(text.as_bytes()),
            _ => return Err(Flaw::new(Code::Type, format!("{text:?} is neither true nor false"))),
        },
        _ => write_text(text, out),
    }
    Ok(())
}
