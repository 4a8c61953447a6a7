//! An answer → a table in GitHub's Markdown, with numbers to the right.

use std::io::Write;

use super::{Sink, Written};
use crate::error::Result;
use crate::query::answer::Answer;
use crate::query::value::write_text;
use crate::query::visible;

pub(super) fn write(answer: &mut Answer<'_>, out: &mut dyn Write) -> Result<Written> {
    let mut sink = Sink::new(out);
    let mut written = Written::default();
    let schema = answer.schema().clone();
    for field in schema.fields() {
        sink.text.push_str("| ");
        write_cell(field.name(), &mut sink.text);
        sink.text.push(' ');
    }
    sink.text.push_str("|\n");
    for field in schema.fields() {
        sink.text.push_str(if field.data_type().is_numeric() { "| ---: " } else { "| --- " });
    }
    sink.text.push_str("|\n");
    let mut value = String::new();
    while let Some(batch) = answer.next_batch()? {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                sink.text.push_str("| ");
                value.clear();
                if write_text(column, row, &mut value) {
                    write_cell(&value, &mut sink.text);
                } else {
                    sink.text.push_str("NULL");
                }
                sink.text.push(' ');
            }
            sink.text.push_str("|\n");
            written.rows += 1;
            sink.flow()?;
        }
    }
    sink.finish()?;
    Ok(written)
}

/// Signs that Markdown or HTML would read as more than text are escaped.
fn write_cell(value: &str, out: &mut String) {
    for character in visible(value).chars() {
        match character {
            '|' | '\\' | '`' | '*' | '[' | ']' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
}
