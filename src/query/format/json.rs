//! An answer → JSON objects, one a row.

use std::collections::HashSet;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{Sink, Written};
use crate::error::Result;
use crate::query::answer::Answer;
use crate::query::value::{write_json, write_json_string};

/// One array, an object a line.
pub(super) fn write_array(answer: &mut Answer<'_>, out: &mut dyn Write) -> Result<Written> {
    write(answer, out, Style { open: "[", before_first: "\n", between: ",\n", close: "\n]\n", empty: "[]\n" })
}

/// One object a line.
pub(super) fn write_lines(answer: &mut Answer<'_>, out: &mut dyn Write) -> Result<Written> {
    write(answer, out, Style { open: "", before_first: "", between: "\n", close: "\n", empty: "" })
}

struct Style {
    open: &'static str,
    before_first: &'static str,
    between: &'static str,
    close: &'static str,
    /// Instead of all that, if there are no rows.
    empty: &'static str,
}

fn write(answer: &mut Answer<'_>, out: &mut dyn Write, style: Style) -> Result<Written> {
    let mut sink = Sink::new(out);
    let mut written = Written::default();
    let names = member_names(answer.schema());
    while let Some(batch) = answer.next_batch()? {
        for row in 0..batch.num_rows() {
            if written.rows == 0 {
                sink.text.push_str(style.open);
                sink.text.push_str(style.before_first);
            } else {
                sink.text.push_str(style.between);
            }
            write_object(&names, &batch, row, &mut sink.text);
            written.rows += 1;
            sink.flow()?;
        }
    }
    sink.text.push_str(if written.rows == 0 { style.empty } else { style.close });
    sink.finish()?;
    Ok(written)
}

fn write_object(names: &[String], batch: &RecordBatch, row: usize, out: &mut String) {
    out.push('{');
    for (index, (name, column)) in names.iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push(':');
        write_json(column, row, out);
    }
    out.push('}');
}

/// The columns' names, quoted. An object has each name once: a second `a` is `a_1`, as in DuckDB.
fn member_names(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut number = 0;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}_{number}", field.name());
        }
        let mut quoted = String::new();
        write_json_string(&name, &mut quoted);
        names.push(quoted);
    }
    names
}
