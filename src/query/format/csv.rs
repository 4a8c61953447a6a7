//! An answer → comma-separated values. Values stay as they are, byte for byte.

use std::io::Write;

use super::{Sink, Written};
use crate::error::Result;
use crate::query::answer::Answer;
use crate::query::value::write_text;

pub(super) fn write(answer: &mut Answer<'_>, out: &mut dyn Write) -> Result<Written> {
    let mut sink = Sink::new(out);
    let mut written = Written::default();
    let schema = answer.schema().clone();
    for (index, field) in schema.fields().iter().enumerate() {
        if index > 0 {
            sink.text.push(',');
        }
        write_field(field.name(), &mut sink.text);
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
                    write_field(&value, &mut sink.text);
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
