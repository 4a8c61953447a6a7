//! An answer → comma-separated values. Values stay as they are, byte for byte, unless a spreadsheet is to read them.

use std::borrow::Cow;
use std::io::Write;

use super::{Sink, Written};
use crate::error::Result;
use crate::query::answer::Answer;
use crate::query::value::write_text;

/// What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// `is_safe`: texts that a spreadsheet would compute get an apostrophe before them.
pub(super) fn write(answer: &mut Answer<'_>, is_safe: bool, out: &mut dyn Write) -> Result<Written> {
    let mut sink = Sink::new(out);
    let mut written = Written::default();
    let schema = answer.schema().clone();
    for (index, field) in schema.fields().iter().enumerate() {
        if index > 0 {
            sink.text.push(',');
        }
        write_field(&safe(field.name(), is_safe), &mut sink.text);
    }
    sink.text.push('\n');
    let mut value = String::new();
    while let Some(batch) = answer.next_batch()? {
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    sink.text.push(',');
                }
                value.clear();
                if write_text(column, row, &mut value) {
                    let is_number = column.data_type().is_numeric();
                    write_field(&safe(&value, is_safe && !is_number), &mut sink.text);
                }
            }
            sink.text.push('\n');
            written.rows += 1;
            sink.flow()?;
        }
    }
    sink.finish()?;
    Ok(written)
}

fn safe(value: &str, is_safe: bool) -> Cow<'_, str> {
    if is_safe && value.starts_with(FORMULA) { format!("'{value}").into() } else { value.into() }
}

/// An empty text is quoted: nothing at all is null.
fn write_field(value: &str, out: &mut String) {
    if !value.is_empty() && !value.contains([',', '"', '\n', '\r']) {
        out.push_str(value);
        return;
    }
    out.push('"');
    out.push_str(&value.replace('"', "\"\""));
    out.push('"');
}
