//! An answer → lines and columns for a terminal.

use std::io::Write;

use arrow::datatypes::{DataType, Schema};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::{Limit, Sink, Written};
use crate::error::Result;
use crate::query::answer::Answer;
use crate::query::value::write_text;
use crate::query::visible;

/// Numbers stand to the right, a null is `NULL`.
pub(super) fn write(answer: &mut Answer<'_>, limit: Limit, out: &mut dyn Write) -> Result<Written> {
    let mut written = Written::default();
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    let schema = answer.schema().clone();
    table.set_header(header(&schema));
    if let Some(width) = limit.width {
        fold(&mut table, &schema, width);
    }
    let most = limit.rows.unwrap_or(u64::MAX);
    while let Some(batch) = answer.next_batch()? {
        for row in 0..batch.num_rows() {
            if written.rows == most {
                written.left_out += (batch.num_rows() - row) as u64;
                break;
            }
            let cells = batch.columns().iter().map(|column| {
                let mut value = String::new();
                if !write_text(column, row, &mut value) {
                    value.push_str("NULL");
                }
                cell(&value, column.data_type().is_numeric())
            });
            table.add_row(cells);
            written.rows += 1;
        }
    }
    let mut sink = Sink::new(out);
    for line in table.lines() {
        sink.text.push_str(&line);
        sink.text.push('\n');
        sink.flow()?;
    }
    sink.finish()?;
    Ok(written)
}

/// The second column of the answer to EXPLAIN is a drawing of many lines.
pub(super) fn write_plan(answer: &mut Answer<'_>, out: &mut dyn Write) -> Result<Written> {
    let mut sink = Sink::new(out);
    let mut written = Written::default();
    while let Some(batch) = answer.next_batch()? {
        for row in 0..batch.num_rows() {
            let mut drawing = String::new();
            if let Some(column) = batch.columns().last() {
                write_text(column, row, &mut drawing);
            }
            for line in drawing.lines() {
                sink.text.push_str(&visible(line));
                sink.text.push('\n');
            }
            written.rows += 1;
        }
    }
    sink.finish()?;
    Ok(written)
}

/// Folds what does not fit into a line: texts, never numbers. Where there are so many columns that little
/// would be left of each, lines stay as long as they are.
fn fold(table: &mut Table, schema: &Schema, width: u16) {
    if schema.fields().len() * LEAST_WIDTH > usize::from(width) {
        return;
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for (field, column) in schema.fields().iter().zip(table.column_iter_mut()) {
        if !matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
            && !field.data_type().is_nested()
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

const LEAST_WIDTH: usize = 12;

fn header(schema: &Schema) -> Vec<Cell> {
    let fields = schema.fields().iter();
    fields.map(|field| cell(field.name(), field.data_type().is_numeric())).collect()
}

fn cell(value: &str, is_number: bool) -> Cell {
    let alignment = if is_number { CellAlignment::Right } else { CellAlignment::Left };
    Cell::new(visible(value)).set_alignment(alignment)
}
