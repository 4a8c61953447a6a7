//! A Parquet file → its rows, each one line of JSON: what is read on then is text, as of any other packed file.
//!
//! The same rows always make the same bytes, so that offsets and hashes hold, and a file that was written anew with the
//! same rows is known again. Numbers, decimals and times keep their exact value; times without a zone get none; a float
//! stands in the shortest way that says it; bytes are hexadecimal text. A value that has no text fails the file.
//!
//! Memory is bounded by pages, not by what a few bytes of a dictionary may be repeated to: texts are views into their
//! pages (`parquet`), as many rows are decoded at once as the file's metadata lets hope for, and lines are rendered a
//! few at a time.

mod parquet;

use super::failure::{FileCode, FileFailure};
use super::file::RegularFile;
use super::input::{BOMB, BOMB_BYTES, UNREAD};
use crate::log::format::{Clock, write_text, write_time};
use crate::log::json::Number;
use crate::log::reject::Code;
use crate::model::Unit;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow::array::{Array, AsArray, FixedSizeBinaryArray, Float32Array, Float64Array, RecordBatch};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::DateTime;
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines are rendered until they are so long; one of them may be longer.
const LINES_BYTES: usize = 1 << 20;

/// The lines of a Parquet file.
pub struct ParquetLines {
    reader: ParquetRecordBatchReader,
    uuids: Vec<String>,
    /// The rows at hand, and how many of them are lines by now.
    batch: RecordBatch,
    rendered: usize,
    lines: Vec<u8>,
    given: usize,
    /// How much of the file the rows so far stand for.
    stored: Arc<AtomicU64>,
    size_bytes: u64,
    rows: u64,
    rows_done: u64,
    /// No line is longer.
    longest_bytes: usize,
}

impl ParquetLines {
    pub fn new(file: &RegularFile, stored: Arc<AtomicU64>) -> Result<Self, FileFailure> {
        let broken = |message: String| {
            let code = if message.contains(BOMB) { FileCode::Bomb } else { FileCode::Corrupt };
            FileFailure::new(&file.name, code, message)
        };
        let handle = file.file.try_clone().map_err(|error| file.failure(&error))?;
        let ratio = file.limits.decompression_ratio;
        let opened = guarded(|| parquet::open(handle, file.size_bytes, ratio)).map_err(broken)?;
        let most_bytes = usize::try_from(BOMB_BYTES).unwrap_or(usize::MAX);
        Ok(Self {
            reader: opened.reader,
            uuids: opened.uuids,
            batch: RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())),
            rendered: 0,
            lines: Vec::new(),
            given: 0,
            stored,
            size_bytes: file.size_bytes,
            rows: opened.rows,
            rows_done: 0,
            longest_bytes: file.limits.line_bytes.max(most_bytes),
        })
    }

    /// Renders the next rows; false after the last.
    fn render(&mut self) -> Result<bool, String> {
        self.lines.clear();
        self.given = 0;
        if self.rendered == self.batch.num_rows() {
            let Some(batch) = guarded(|| Ok(self.reader.next().transpose()?))? else { return Ok(false) };
            (self.batch, self.rendered) = (batch, 0);
        }
        let begin = self.rendered;
        self.rendered = guarded(|| {
            Ok(write_rows(&self.batch, &self.uuids, begin, self.longest_bytes, &mut self.lines)?)
        })?;
        self.rows_done += (self.rendered - begin) as u64;
        let share = u128::from(self.size_bytes) * u128::from(self.rows_done) / u128::from(self.rows.max(1));
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(self.size_bytes);
        self.stored.store(share, Ordering::Relaxed);
        Ok(true)
    }
}

impl Read for ParquetLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.lines.len() {
            if !self.render().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let rest = self.lines.get(self.given..).unwrap_or_default();
        let given = rest.len().min(buffer.len());
        let (from, to) = (rest.get(..given), buffer.get_mut(..given));
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
        self.given += given;
        Ok(given)
    }
}

/// What a damaged file makes the reader do, panics included, is a message.
fn guarded<T>(work: impl FnOnce() -> Result<T, Box<dyn std::error::Error>>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| match error.to_string() {
            text if text.contains("Disabled feature at compile time") => {
                format!("{UNREAD}: write it with snappy or zstd, or not packed")
            }
            text => text,
        }),
        Err(_) => Err("the file is damaged in a way that its reader does not expect".to_owned()),
    }
}

/// How the values of a column are written, decided once a batch.
enum Values<'a> {
    /// Numbers and truths: as they are shown.
    Bare(ArrayFormatter<'a>),
    /// All that has no form of its own in JSON: as it is shown, in quotes.
    Quoted(ArrayFormatter<'a>),
    /// In the form of RFC 9562, as everybody else writes them.
    Uuid(&'a FixedSizeBinaryArray),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Time {
        values: &'a [i64],
        unit: Unit,
        clock: Clock,
    },
    List {
        offsets: Vec<usize>,
        items: Box<Column<'a>>,
    },
    Struct(Vec<(&'a str, Column<'a>)>),
}

struct Column<'a> {
    array: &'a dyn Array,
    values: Values<'a>,
}

/// Writes rows from this one on, until the lines are long enough; returns the row behind them.
fn write_rows(
    batch: &RecordBatch,
    uuids: &[String],
    begin: usize,
    longest_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<usize, String> {
    let schema = batch.schema_ref();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns: Vec<(&str, Column<'_>)> = columns
        .map(|(field, array)| {
            let column = match array.as_fixed_size_binary_opt() {
                Some(values) if uuids.contains(field.name()) => {
                    Column { array, values: Values::Uuid(values) }
                }
                _ => Column::of(array)?,
            };
            Ok((field.name().as_str(), column))
        })
        .collect::<Result<_, ArrowError>>()
        .map_err(|error| error.to_string())?;
    let mut row = begin;
    while row < batch.num_rows() && out.len() < LINES_BYTES {
        write_object(&columns, row, out.len().saturating_add(longest_bytes), out)?;
        out.push(b'\n');
        row += 1;
    }
    Ok(row)
}

/// `most` is what the lines may come to.
fn write_object(
    columns: &[(&str, Column<'_>)],
    row: usize,
    most: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    out.push(b'{');
    for (at, (name, column)) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        column.write(row, most, out).map_err(|error| format!("{name}: {error}"))?;
    }
    out.push(b'}');
    Ok(())
}

impl<'a> Column<'a> {
    fn of(array: &'a dyn Array) -> Result<Self, ArrowError> {
        let shown = || ArrayFormatter::try_new(array, &SHOWN);
        let time = |values: &'a [i64], unit: Unit, zone: &Option<Arc<str>>| {
            let clock = if zone.is_some() { Clock::Utc } else { Clock::Wall };
            Values::Time { values, unit, clock }
        };
        let values = match array.data_type() {
            DataType::Boolean | DataType::Decimal32(..) | DataType::Decimal64(..) => Values::Bare(shown()?),
            DataType::Decimal128(..) | DataType::Decimal256(..) => Values::Bare(shown()?),
            kind if kind.is_integer() => Values::Bare(shown()?),
            DataType::Float32 => Values::Float32(array.as_primitive()),
            DataType::Float64 => Values::Float64(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Second, zone) => {
                time(array.as_primitive::<TimestampSecondType>().values(), Unit::Seconds, zone)
            }
            DataType::Timestamp(TimeUnit::Millisecond, zone) => {
                time(array.as_primitive::<TimestampMillisecondType>().values(), Unit::Milliseconds, zone)
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                time(array.as_primitive::<TimestampMicrosecondType>().values(), Unit::Microseconds, zone)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                time(array.as_primitive::<TimestampNanosecondType>().values(), Unit::Nanoseconds, zone)
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let offsets = list.value_offsets().iter().map(|at| usize::try_from(*at).unwrap_or_default());
                Values::List { offsets: offsets.collect(), items: Box::new(Column::of(list.values())?) }
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let offsets = list.value_offsets().iter().map(|at| usize::try_from(*at).unwrap_or_default());
                Values::List { offsets: offsets.collect(), items: Box::new(Column::of(list.values())?) }
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns = columns.map(|(field, array)| Ok((field.name().as_str(), Column::of(array)?)));
                Values::Struct(columns.collect::<Result<_, ArrowError>>()?)
            }
            _ => Values::Quoted(shown()?),
        };
        Ok(Self { array, values })
    }

    fn write(&self, row: usize, most: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if out.len() > most {
            return Err(format!("{BOMB} a row may be"));
        }
        let shown = |values: &ArrayFormatter<'_>| {
            values.value(row).try_to_string().map_err(|error| error.to_string())
        };
        if self.array.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.values {
            Values::Bare(values) => out.extend_from_slice(shown(values)?.as_bytes()),
            Values::Quoted(values) => write_text(&shown(values)?, out),
            Values::Uuid(values) => write_text(&uuid(values.value(row)), out),
            Values::Float32(values) => write_float(values.value(row).is_finite(), &values.value(row), out),
            Values::Float64(values) => write_float(values.value(row).is_finite(), &values.value(row), out),
            Values::Time { values, unit, clock } => {
                let value = values.get(row).copied().unwrap_or_default();
                match write_time(&Number::from(value), *unit, *clock, out) {
                    Ok(()) => {}
                    // With all nine digits: whoever reads it says that they are too fine.
                    Err(flaw) if flaw.code == Code::Time => {
                        let time = DateTime::from_timestamp_nanos(value).format("%Y-%m-%dT%H:%M:%S%.9fZ");
                        write_text(&time.to_string(), out);
                    }
                    Err(_) => write_text(&format!("{value} since 1970"), out),
                }
            }
            Values::List { offsets, items } => {
                let (from, to) = (offsets.get(row).copied(), offsets.get(row + 1).copied());
                let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
                out.push(b'[');
                for item in from..to {
                    if item > from {
                        out.push(b',');
                    }
                    items.write(item, most, out)?;
                }
                out.push(b']');
            }
            Values::Struct(columns) => write_object(columns, row, most, out)?,
        }
        Ok(())
    }
}

fn uuid(bytes: &[u8]) -> String {
    let dash = |at: usize| if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
    bytes.iter().enumerate().map(|(at, byte)| format!("{}{byte:02x}", dash(at))).collect()
}

/// A value that cannot be shown is an error, and no text of its own.
const SHOWN: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

fn write_shown(value: &dyn Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// JSON has no other floats than finite ones: a text is left, which no type takes for a number.
fn write_float(is_finite: bool, value: &dyn Display, out: &mut Vec<u8>) {
    if is_finite {
        write_shown(value, out);
    } else {
        write_text(&value.to_string(), out);
    }
}
