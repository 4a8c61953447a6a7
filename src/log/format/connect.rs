//! A value as Kafka Connect writes it → the same value as a log would write it.
//!
//! JSON has no decimals of fixed scale, dates and times, so connectors write bytes in base64 and numbers since 1970. What
//! they are is said by the schema that comes with a line, else by the pipeline; a value of which nobody says it is a
//! reject. Whatever needs no translation goes on byte for byte.
//!
//! `io.debezium.time.Timestamp` and its kin are what a clock on a wall showed, counted as if it had been in UTC: they are
//! written without an offset, so that the zone of the pipeline's envelope decides, as for any time without one.

use super::object::{Object, integer, items, text};
use super::writer::{Clock, write_counted, write_text};
use crate::log::reject::{Code, Flaw};
use crate::model::{Unit, ValueType};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::io::Write;

/// What the pipeline says of the way in which values of a column come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hint {
    pub scale: Option<u8>,
    pub unit: Option<Unit>,
    pub decimals_are_text: bool,
}

/// What a value is, where its JSON does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Plain,
    /// An unscaled integer: big-endian two's complement, in base64.
    Decimal(i32),
    /// An object of a scale and such bytes.
    VariableDecimal,
    /// Days since 1970-01-01.
    Days,
    /// A wall clock.
    Wall(Unit),
    /// A date with a `Z` behind it.
    IsoDate,
}

/// The meanings of the columns of a row, by name: of those that have one.
#[derive(Debug, Default)]
pub struct Meanings(HashMap<String, Meaning>);

impl Meanings {
    /// Of the schema of a change event, if it says anything of the rows in its member `after` (or `before`).
    pub fn of(schema: &Object<'_>, member: &str) -> Option<Self> {
        let fields = |object: &Object<'_>| -> Vec<Vec<u8>> {
            let raw = object.get("fields").and_then(items).unwrap_or_default();
            raw.into_iter().map(<[u8]>::to_vec).collect()
        };
        let rows = fields(schema);
        let mut rows = rows.iter().filter_map(|row| Object::of(row));
        let row = rows.find(|row| row.text("field").as_deref() == Some(member))?;
        let mut meanings = HashMap::new();
        for column in fields(&row) {
            let Some(column) = Object::of(&column) else { continue };
            if let (Some(name), Some(meaning)) = (column.text("field"), of_schema(&column)) {
                meanings.insert(name.into_owned(), meaning);
            }
        }
        Some(Self(meanings))
    }

    /// Whether the schema says more of a column than its JSON does.
    pub fn know(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }
}

/// What the schema of a column says of its values; `None`: they are what their JSON says.
fn of_schema(column: &Object<'_>) -> Option<Meaning> {
    let scale = || column.object("parameters").and_then(|given| given.integer("scale"));
    of_type_name(&column.text("name")?, scale)
}

/// Whether this is the name of a type that says more of a value than its JSON does.
pub fn is_type_name(raw: &[u8]) -> bool {
    text(raw).is_some_and(|name| of_type_name(&name, || Some(0)).is_some())
}

fn of_type_name(name: &str, scale: impl Fn() -> Option<i64>) -> Option<Meaning> {
    Some(match name {
        "org.apache.kafka.connect.data.Decimal" => Meaning::Decimal(i32::try_from(scale()?).ok()?),
        "io.debezium.data.VariableScaleDecimal" => Meaning::VariableDecimal,
        "io.debezium.time.Date" | "org.apache.kafka.connect.data.Date" => Meaning::Days,
        "io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp" => {
            Meaning::Wall(Unit::Milliseconds)
        }
        "io.debezium.time.MicroTimestamp" => Meaning::Wall(Unit::Microseconds),
        "io.debezium.time.NanoTimestamp" => Meaning::Wall(Unit::Nanoseconds),
        "io.debezium.time.IsoDate" => Meaning::IsoDate,
        _ => return None,
    })
}

/// Writes the value of a column for a field of this type; `meanings` are none where the line brings no schema.
pub fn write(
    raw: &[u8],
    column: &str,
    meanings: Option<&Meanings>,
    hint: Hint,
    wanted: Option<ValueType>,
    out: &mut Vec<u8>,
) -> Result<(), Flaw> {
    if raw == b"null" {
        out.extend_from_slice(raw);
        return Ok(());
    }
    let meaning = match meanings {
        Some(meanings) => meanings.0.get(column).copied().unwrap_or(Meaning::Plain),
        None => without_schema(raw, hint, wanted)?,
    };
    let suits = match (meaning, wanted) {
        (_, None) | (Meaning::Plain, _) => true,
        (Meaning::Decimal(_) | Meaning::VariableDecimal, Some(wanted)) => {
            matches!(wanted, ValueType::Decimal { .. } | ValueType::Integer)
        }
        (Meaning::Days | Meaning::IsoDate, Some(wanted)) => wanted == ValueType::Date,
        (Meaning::Wall(_), Some(wanted)) => wanted == ValueType::Timestamp,
    };
    match meaning {
        // Declared as something else, it is judged as what it is.
        _ if !suits => out.extend_from_slice(raw),
        Meaning::Plain => out.extend_from_slice(raw),
        Meaning::Decimal(scale) => {
            let bytes = text(raw).ok_or_else(|| no_bytes("a string"))?;
            write_decimal(&bytes, scale, out)?;
        }
        Meaning::VariableDecimal => {
            let parts = Object::of(raw).and_then(|parts| {
                Some((i32::try_from(parts.integer("scale")?).ok()?, parts.text("value")?.into_owned()))
            });
            let (scale, bytes) = parts.ok_or_else(|| no_bytes("an object of `scale` and `value`"))?;
            write_decimal(&bytes, scale, out)?;
        }
        Meaning::Days => {
            let days = integer(raw)
                .and_then(|days| i32::try_from(days).ok())
                .ok_or_else(|| Flaw::new(Code::Type, "expected a date as days since 1970-01-01"))?;
            let date = NaiveDate::from_epoch_days(days).map(|date| date.to_string());
            let date = date.filter(|date| date.len() == "1970-01-01".len());
            write_text(&date.ok_or_else(|| no_calendar(raw))?, out);
        }
        Meaning::IsoDate => {
            let date = text(raw).ok_or_else(|| Flaw::new(Code::Type, "expected a date in a string"))?;
            write_text(date.strip_suffix('Z').unwrap_or(&date), out);
        }
        Meaning::Wall(unit) => write_counted(raw, unit, Clock::Wall, out)?,
    }
    Ok(())
}

/// What a value is where no schema says so: by the pipeline's word, or a reason why it cannot be known.
fn without_schema(raw: &[u8], hint: Hint, wanted: Option<ValueType>) -> Result<Meaning, Flaw> {
    let is_number = matches!(raw.first(), Some(b'-' | b'0'..=b'9'));
    let is_text = raw.first() == Some(&b'"');
    match hint {
        Hint { scale: Some(scale), .. } if is_text => return Ok(Meaning::Decimal(scale.into())),
        Hint { unit: Some(unit), .. } if is_number => return Ok(Meaning::Wall(unit)),
        _ => {}
    }
    match wanted {
        Some(ValueType::Date) if is_number => Ok(Meaning::Days),
        Some(ValueType::Timestamp) if is_number => Err(Flaw::new(
            Code::Time,
            "a time as a number, and neither a schema nor `times` of its table in the pipeline says its unit",
        )),
        Some(ValueType::Decimal { .. }) if raw.first() == Some(&b'{') => Ok(Meaning::VariableDecimal),
        Some(ValueType::Decimal { .. }) if is_text && !hint.decimals_are_text => {
            let value = text(raw).unwrap_or_default();
            if base64(&value).is_none() {
                return Ok(Meaning::Plain);
            }
            let message = if value.bytes().all(|byte| byte.is_ascii_digit()) {
                format!(
                    "\"{value}\" may be a number or the bytes of one: bring the schema, or declare `scales` \
                     or `decimals = \"text\"` of its table in the pipeline"
                )
            } else {
                format!(
                    "\"{value}\" looks like the bytes of a decimal, and neither a schema nor `scales` of its \
                     table in the pipeline says its scale"
                )
            };
            Err(Flaw::new(Code::MoneyFormat, message))
        }
        _ => Ok(Meaning::Plain),
    }
}

#[cold]
fn no_bytes(expected: &str) -> Flaw {
    Flaw::new(Code::Type, format!("expected the bytes of a decimal: {expected} in base64"))
}

#[cold]
fn no_calendar(raw: &[u8]) -> Flaw {
    Flaw::new(Code::Time, format!("{} is no time of the calendar", String::from_utf8_lossy(raw)))
}

/// What databases have, with room to spare: Oracle's end at 127.
const SCALES: std::ops::RangeInclusive<i32> = -200..=200;

/// An unscaled integer in base64, as a JSON number.
fn write_decimal(encoded: &str, scale: i32, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let bytes = base64(encoded).filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
        Flaw::new(Code::MoneyFormat, format!("\"{encoded}\" is not the bytes of a decimal in base64"))
    })?;
    let unscaled =
        two_s_complement(&bytes).ok_or_else(|| Flaw::new(Code::Range, "a decimal of more than 38 digits"))?;
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    // Writing to a vector cannot fail.
    let _ = match usize::try_from(scale) {
        _ if !SCALES.contains(&scale) => {
            return Err(Flaw::new(Code::Range, format!("a decimal of the scale {scale}")));
        }
        Ok(0) => write!(out, "{sign}{digits}"),
        Ok(behind) => {
            let padded = format!("{digits:0>width$}", width = behind + 1);
            let (whole, fraction) = padded.split_at(padded.len() - behind);
            write!(out, "{sign}{whole}.{fraction}")
        }
        Err(_) => write!(out, "{sign}{digits}e{}", scale.unsigned_abs()),
    };
    Ok(())
}

fn two_s_complement(bytes: &[u8]) -> Option<i128> {
    let fill = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let spare = bytes.len().saturating_sub(16);
    let (sign, kept) = bytes.split_at(spare);
    let mut whole = [fill; 16];
    whole.get_mut(16 - kept.len()..)?.copy_from_slice(kept);
    let value = i128::from_be_bytes(whole);
    (sign.iter().all(|byte| *byte == fill) && (value < 0) == (fill != 0)).then_some(value)
}

/// The bytes that a text in base64 stands for (RFC 4648, with its padding), if it is one.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}
