//! The rows of one event type in one block: typed columns in the making.

use super::column::Column;
use super::plan::EventPlan;
use crate::log::store::schema;
use crate::model::{FieldRef, ValueType};
use arrow::array::{ArrayRef, Int64Array, ListArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef as ArrowField};
use arrow::error::ArrowError;
use std::ops::Range;
use std::sync::Arc;

/// Rows in the making.
#[derive(Debug)]
pub struct EventRows {
    pub payload: PayloadRows,
    rows: usize,
    envelope: EnvelopeRows,
    lines: Vec<i64>,
}

/// The columns of a payload.
#[derive(Debug)]
pub struct PayloadRows {
    pub fields: Vec<Column>,
    pub lists: Vec<ListRows>,
}

/// The items of one list of all rows, end to end.
#[derive(Debug)]
pub struct ListRows {
    offsets: Vec<i32>,
    pub items: Vec<Column>,
    count: usize,
}

#[derive(Debug)]
struct EnvelopeRows {
    time: Column,
    order: Column,
    version: Column,
    id: Column,
    content: Column,
    offset: Column,
    absent: Column,
    unknown: Column,
    /// Only where a contract has older versions.
    original: Option<Column>,
}

/// What a line says of its event, besides the payload.
#[derive(Debug)]
pub struct Head<'a> {
    pub time: i64,
    pub order: Option<i64>,
    pub version: i64,
    pub id: Option<&'a [u8]>,
    pub content: Option<u64>,
    pub offset_bytes: i64,
    /// The line's number in its block, from 0.
    pub line: i64,
    pub absent: &'a [u8],
    pub unknown: &'a [u8],
    /// The payload as it came, of a line that was lifted.
    pub original: Option<&'a [u8]>,
}

/// The rows of one event type in one block.
#[derive(Debug)]
pub struct Finished {
    /// Index into the plan's events.
    pub event: usize,
    /// Line numbers in the block, from 0.
    pub lines: Vec<i64>,
    /// From `_time` to `_content`.
    pub before: Vec<ArrayRef>,
    /// From `_offset` on.
    pub behind: Vec<ArrayRef>,
}

impl ListRows {
    fn new(columns: &[(String, ValueType)]) -> Self {
        Self { offsets: vec![0], items: in_the_making(columns), count: 0 }
    }

    /// Ends an item.
    pub fn end_item(&mut self) {
        self.count += 1;
    }

    /// Ends the list of a row.
    pub fn end_list(&mut self) {
        self.offsets.push(i32::try_from(self.count).unwrap_or(i32::MAX));
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.count = self.offsets.last().map_or(0, |&end| usize::try_from(end).unwrap_or_default());
        for column in &mut self.items {
            column.truncate(self.count);
        }
    }

    fn finish(self, list: &ArrowField) -> Result<ArrayRef, ArrowError> {
        let DataType::List(element) = list.data_type() else {
            return Err(ArrowError::SchemaError(format!("{} is no list", list.name())));
        };
        let DataType::Struct(fields) = element.data_type() else {
            return Err(ArrowError::SchemaError(format!("{} is no list of objects", list.name())));
        };
        let columns = self.items.into_iter().map(Column::finish).collect::<Result<_, _>>()?;
        let items = StructArray::try_new_with_length(fields.clone(), columns, None, self.count)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        Ok(Arc::new(ListArray::try_new(element.clone(), offsets, Arc::new(items), None)?))
    }
}

impl PayloadRows {
    pub fn new(plan: &EventPlan) -> Self {
        Self {
            fields: in_the_making(&plan.columns),
            lists: plan.lists.iter().map(|list| ListRows::new(&list.columns)).collect(),
        }
    }

    /// The items of a list in the row that was read last.
    pub fn items_of_last(&self, list: usize) -> Range<usize> {
        let offsets = self.lists.get(list).map(|list| list.offsets.as_slice()).unwrap_or_default();
        let [.., start, end] = offsets else { return 0..0 };
        usize::try_from(*start).unwrap_or_default()..usize::try_from(*end).unwrap_or_default()
    }

    /// The number in a field of the row that was read last, or of one of its items.
    pub fn number(&self, field: FieldRef, item: Option<usize>) -> Option<(i128, u8)> {
        match (field.list, item) {
            (None, _) => {
                let column = self.fields.get(field.field)?;
                column.number(column.len().checked_sub(1)?)
            }
            (Some(list), Some(item)) => self.lists.get(list)?.items.get(field.field)?.number(item),
            (Some(_), None) => None,
        }
    }

    /// The columns: fields, then lists.
    pub fn finish(self, plan: &EventPlan) -> Result<Vec<ArrayRef>, ArrowError> {
        let lists = self.lists.into_iter().zip(&plan.lists);
        let lists = lists.map(|(list, plan)| list.finish(&schema::list(plan)));
        self.fields.into_iter().map(Column::finish).chain(lists).collect()
    }
}

impl EventRows {
    pub fn new(plan: &EventPlan) -> Self {
        let envelope = EnvelopeRows {
            time: Column::new(ValueType::Timestamp),
            order: Column::new(ValueType::Integer),
            version: Column::new(ValueType::Integer),
            id: Column::new(ValueType::Text),
            content: Column::new(ValueType::Integer),
            offset: Column::new(ValueType::Integer),
            absent: Column::new(ValueType::Text),
            unknown: Column::new(ValueType::Text),
            original: plan.has_original().then(|| Column::new(ValueType::Text)),
        };
        Self { payload: PayloadRows::new(plan), rows: 0, envelope, lines: Vec::new() }
    }

    /// Forgets what the payload of the line at hand has left behind.
    pub fn undo(&mut self) {
        for column in &mut self.payload.fields {
            column.truncate(self.rows);
        }
        for list in &mut self.payload.lists {
            list.truncate(self.rows);
        }
    }

    /// Completes the row whose payload has been read.
    pub fn complete(&mut self, head: &Head<'_>) {
        let envelope = &mut self.envelope;
        envelope.time.push_i64(head.time);
        push_optional(&mut envelope.order, head.order);
        envelope.version.push_i64(head.version);
        match head.id {
            Some(id) => envelope.id.push_text(id),
            None => envelope.id.push_null(),
        }
        push_optional(&mut envelope.content, head.content.map(u64::cast_signed));
        envelope.offset.push_i64(head.offset_bytes);
        for (column, note) in [(&mut envelope.absent, head.absent), (&mut envelope.unknown, head.unknown)] {
            if note.is_empty() {
                column.push_null();
            } else {
                column.push_text(note);
            }
        }
        if let Some(column) = &mut envelope.original {
            match head.original {
                Some(payload) => column.push_text(payload),
                None => column.push_null(),
            }
        }
        self.lines.push(head.line);
        self.rows += 1;
    }

    /// The rows as Arrow columns.
    pub fn finish(self, event: usize, plan: &EventPlan) -> Result<Finished, ArrowError> {
        let EnvelopeRows { time, order, version, id, content, offset, absent, unknown, original } =
            self.envelope;
        let before = [time, order, version, id, content].into_iter().map(Column::finish);
        let behind = [offset, absent, unknown].into_iter().chain(original).map(Column::finish);
        let mut behind = behind.collect::<Result<Vec<_>, _>>()?;
        behind.extend(self.payload.finish(plan)?);
        Ok(Finished { event, lines: self.lines, before: before.collect::<Result<_, _>>()?, behind })
    }
}

fn in_the_making(columns: &[(String, ValueType)]) -> Vec<Column> {
    columns.iter().map(|(_, value_type)| Column::new(*value_type)).collect()
}

fn push_optional(column: &mut Column, value: Option<i64>) {
    match value {
        Some(value) => column.push_i64(value),
        None => column.push_null(),
    }
}

impl Finished {
    /// The same rows, where each line of the block has a place of its own: its number and first byte in its file.
    pub fn placed(mut self, places: &[(i64, i64)]) -> Self {
        let place = |line: &i64| {
            usize::try_from(*line).ok().and_then(|at| places.get(at)).copied().unwrap_or_default()
        };
        let (lines, offsets): (Vec<i64>, Vec<i64>) = self.lines.iter().map(place).unzip();
        if let Some(offset) = self.behind.first_mut() {
            *offset = Arc::new(Int64Array::from(offsets));
        }
        self.lines = lines;
        self
    }
    /// The line numbers in the file, given that of the block's first line.
    pub fn line_numbers(&self, first: i64) -> Int64Array {
        self.lines.iter().map(|line| first + line).collect()
    }
}
