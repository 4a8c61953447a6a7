//! Segments that were written under an older contract → the same events under that of today.
//!
//! A field that nobody had declared was kept as text; once it is declared, its column is read from there, and where
//! it is not there either, it is absent: as if the log took the line today (DESIGN 1, 7). The result stands in a file
//! beside the old one, which older releases still name. A field that is no longer declared keeps its column; one whose
//! type is another now gets it (`retype`).

use super::decode::{Lifted, Missing, Plan};
use super::head::{Head, Segment};
use super::recast::Recasting;
use super::reject::Flaw;
use super::retype::{items_of, retype, retyped};
use super::store::{Rewriting, columns_of, must_be_whole, schema};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::model::EventType;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, SchemaRef};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The head with every event under its contract of today. The files that it names are durable.
///
/// # Errors
/// The author's, if old events do not keep the contract; nothing that counts was changed then.
pub fn lift(disk: &Disk, log: &Path, head: &Head, contracts: &[EventType], plan: &Plan) -> Result<Head> {
    let mut lifted = head.clone();
    for segment in &mut lifted.segments {
        let folder = Segment::folder(log, segment.number);
        let mut has_changed = false;
        for file in &mut segment.files {
            disk.go_on()?;
            let event = contracts.iter().position(|contract| Some(&contract.name) == file.event.as_ref());
            let Some((event, contract)) = event.and_then(|at| Some((at, contracts.get(at)?))) else {
                continue;
            };
            let from = folder.join(&file.file);
            let stored = columns_of(&from)?;
            let recasting = Recasting::of(plan, event, file, &from, &stored)?;
            let missing = Missing::of(contract, &stored, plan.envelope.times);
            // What is lifted by steps gets its types there; beside it, those of today's version are today's.
            let retyped = match (&recasting, plan.events.get(event)) {
                (None, Some(contract)) => retyped(&stored, contract)?,
                _ => None,
            };
            if recasting.is_none() && missing.is_none() && retyped.is_none() {
                continue;
            }
            must_be_whole(&from, file.blake3.as_deref())?;
            let name = next_name(&file.file);
            let typed = retyped.as_ref().unwrap_or(&stored);
            let whole = missing.as_ref().map_or_else(|| Arc::clone(typed), |missing| wanted(typed, missing));
            let keep = |batch: &RecordBatch| {
                let batch = match &retyped {
                    Some(retyped) => retype(batch, retyped, &contract.name)?,
                    None => batch.clone(),
                };
                match &missing {
                    Some(missing) => lift_batch(&batch, &whole, missing, contract),
                    None => Ok(batch),
                }
            };
            let wanted = recasting.as_ref().map_or_else(|| Arc::clone(&whole), |it| it.schema(&whole));
            let rewriting = Rewriting { disk, from: &[from], to: &folder.join(&name), schema: &wanted };
            let finished = rewriting.run(|batch| match &recasting {
                Some(recasting) => recasting.batch(batch, &wanted, keep),
                None => keep(batch),
            })?;
            if let Some(recasting) = recasting {
                file.old = Some(recasting.record);
            }
            (file.bytes, file.blake3, file.file) = (finished.bytes, Some(finished.blake3), name);
            has_changed = true;
        }
        if has_changed {
            disk.sync_dir(&folder).map_err(|error| Error::io("sync", &folder, error))?;
        }
    }
    Ok(lifted)
}

/// `Type.parquet`, then `Type.2.parquet`, ... A point in a type's name is escaped in that of its file.
pub fn next_name(file: &str) -> String {
    let mut parts = file.split('.');
    let stem = parts.next().unwrap_or_default();
    let number: u64 = parts.next().and_then(|number| number.parse().ok()).unwrap_or(1);
    format!("{stem}.{}.parquet", number + 1)
}

/// The stored columns, their lists with the fields that they lack, and the columns that are not there.
fn wanted(stored: &Schema, missing: &Missing) -> SchemaRef {
    let stored = stored.fields().iter().map(|field| {
        let lacking = missing.items.iter().find(|list| list.name == *field.name());
        let known = items_of(field);
        let (Some(lacking), Some(known)) = (lacking, known) else { return Arc::clone(field) };
        let lacking = lacking.columns.iter().map(schema::payload).map(Arc::new);
        let all: Fields = known.iter().cloned().chain(lacking).collect();
        Arc::new(Field::new_list(field.name(), Field::new_struct("item", all, true), true))
    });
    let fields = missing.payload.columns.iter().map(schema::payload).map(Arc::new);
    Arc::new(Schema::new(
        stored.chain(fields).chain(missing.payload.lists.iter().map(schema::list)).collect::<Vec<_>>(),
    ))
}

fn lift_batch(
    batch: &RecordBatch,
    wanted: &SchemaRef,
    missing: &Missing,
    contract: &EventType,
) -> Result<RecordBatch> {
    let (absent, unknown) = (texts(batch, "_absent")?, texts(batch, "_unknown")?);
    let lists = missing.items.iter().map(|list| column(batch, &list.name).map(AsArray::as_list::<i32>));
    let lists: Vec<&ListArray> = lists.collect::<Result<_>>()?;
    let text = |texts: &'_ StringArray, row: usize| {
        if texts.is_null(row) { String::new() } else { texts.value(row).to_owned() }
    };
    let mut lifted = Lifted::new(missing);
    let mut lengths = vec![0; lists.len()];
    for row in 0..batch.num_rows() {
        for (length, list) in lengths.iter_mut().zip(&lists) {
            *length = usize::try_from(list.value_length(row)).unwrap_or_default();
        }
        lifted
            .add(&text(absent, row), &text(unknown, row), &lengths)
            .map_err(|flaw| misfit(&flaw, batch, row, &contract.name))?;
    }
    let lifted = lifted.finish()?;
    let mut items: HashMap<&str, (&ListArray, Vec<ArrayRef>)> = HashMap::new();
    for ((list, stored), lacking) in missing.items.iter().zip(lists).zip(lifted.items) {
        items.insert(&list.name, (stored, lacking));
    }
    let mut behind = lifted.payload.into_iter();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.fields().len());
    for field in wanted.fields() {
        let stored = batch.column_by_name(field.name());
        columns.push(match (field.name().as_str(), stored) {
            ("_absent", _) => Arc::clone(&lifted.absent),
            ("_unknown", _) => Arc::clone(&lifted.unknown),
            (name, Some(stored)) => match items.remove(name) {
                Some((list, lacking)) => with_fields(list, lacking, field)?,
                None => Arc::clone(stored),
            },
            (_, None) => behind.next().ok_or_else(|| Error::bug("a field was not lifted"))?,
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(wanted), columns)?)
}

/// A list whose items have these fields too.
fn with_fields(list: &ListArray, lacking: Vec<ArrayRef>, wanted: &Field) -> Result<ArrayRef> {
    let (Some(fields), DataType::List(element)) = (items_of(wanted), wanted.data_type()) else {
        return Err(Error::bug(format!("{} is no list of objects", wanted.name())));
    };
    let first = list.offsets().first().copied().unwrap_or_default();
    let last = list.offsets().last().copied().unwrap_or_default();
    let [start, length] = [first, last - first].map(|at| usize::try_from(at).unwrap_or_default());
    let items = list.values().as_struct().slice(start, length);
    let columns = items.columns().iter().cloned().chain(lacking).collect();
    let items = StructArray::try_new_with_length(fields.clone(), columns, None, length)?;
    let offsets: Vec<i32> = list.offsets().iter().map(|offset| offset - first).collect();
    let offsets = OffsetBuffer::new(offsets.into());
    Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, Arc::new(items), list.nulls().cloned())?))
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::bug(format!("the event store has no column {name}")))
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray> {
    let column = column(batch, name)?.as_string_opt::<i32>();
    column.ok_or_else(|| Error::bug(format!("{name} is no text in the event store")))
}

/// An old event does not keep the contract of today.
pub fn misfit(flaw: &Flaw, batch: &RecordBatch, row: usize, event: &str) -> Error {
    let (file, line) = (texts(batch, "_file"), column(batch, "_line"));
    let place = match (&file, &line) {
        (Ok(file), Ok(line)) => {
            format!(" ({}, line {})", file.value(row), line.as_primitive::<Int64Type>().value(row))
        }
        _ => String::new(),
    };
    broken(event, &format!("{}{place}", flaw.message))
}

/// The author's error about events of a type that came before its contract was what it is.
pub fn broken(event: &str, what: &str) -> Error {
    let message = format!("an event that the log holds does not keep today's contract of `{event}`: {what}");
    Error::author(message)
        .next("make the field optional (`?`), give it another type, or begin a new warehouse")
}
