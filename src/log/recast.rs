//! Segments with events of older versions → the same events, lifted as the pipeline says today.
//!
//! The payload of such an event is kept as it came (`_original`), so another chain of steps starts from there. An event
//! that came when its version was today's has no text: its payload is written from its columns, once, and kept from
//! then on. Events of today's version stay as they are.

use super::decode::{EventPlan, Plan, Recast, Types, declared, payload, text, types_of};
use super::lift::{broken, misfit};
use super::store::{OldEvents, TableFile, least_version, read, schema};
use crate::error::{Error, Result};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, StructArray, UInt64Array, new_null_array,
};
use arrow::compute::{concat_batches, filter_record_batch, not, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use std::path::Path;
use std::sync::Arc;

/// How a file is brought under today's chain of steps.
pub struct Recasting<'p> {
    plan: &'p Plan,
    event: usize,
    contract: &'p EventPlan,
    /// Whether some of its events are of today's version and stay as they are.
    pub keeps_some: bool,
    /// What the file's record says from then on.
    pub record: OldEvents,
}

impl<'p> Recasting<'p> {
    /// `None` if the file stands as it should.
    ///
    /// # Errors
    /// The author's, if events came with values of other types than the pipeline says today of their version.
    pub fn of(
        plan: &'p Plan,
        event: usize,
        file: &TableFile,
        path: &Path,
        stored: &Schema,
    ) -> Result<Option<Self>> {
        let Some(contract) = plan.events.get(event) else { return Ok(None) };
        let is_as_it_should = match &file.old {
            Some(old) => old.hash == contract.hash,
            None => contract.upcasts.is_empty() || least_version(path)? >= contract.version,
        };
        if is_as_it_should {
            return Ok(None);
        }
        let mut read_as = file.old.as_ref().map(|old| old.read_as.clone()).unwrap_or_default();
        let (mut keeps_some, mut lifts_some) = (false, false);
        let columns: &[&str] = match stored.column_with_name(schema::ORIGINAL) {
            Some(_) => &["_version", schema::ORIGINAL],
            None => &["_version"],
        };
        for batch in read(path, columns)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let version = version(&batch, row)?;
                let (has_text, is_older) = (has_text(&batch, row), version < contract.version);
                lifts_some |= has_text || is_older;
                keeps_some |= !has_text && !is_older;
                if !has_text && is_older {
                    read_as.entry(version).or_insert_with(|| types_of(stored));
                }
            }
        }
        if !lifts_some {
            return Ok(None);
        }
        for (version, types) in &read_as {
            same_types(contract, *version, types, |_| true)?;
        }
        if keeps_some {
            let today = declared(contract, contract.version);
            same_types(contract, contract.version, &types_of(stored), |path| today.contains_key(path))?;
        }
        let record = OldEvents { hash: contract.hash.clone(), read_as };
        Ok(Some(Self { plan, event, contract, keeps_some, record }))
    }

    /// The columns of the new file; `stored` are those that events of today's version have.
    pub fn schema(&self, stored: &SchemaRef) -> SchemaRef {
        if !self.keeps_some {
            return schema::event(self.contract);
        }
        let original = Field::new(schema::ORIGINAL, DataType::Utf8, true);
        let added = stored.column_with_name(schema::ORIGINAL).is_none().then(|| Arc::new(original));
        Arc::new(Schema::new(stored.fields().iter().cloned().chain(added).collect::<Vec<_>>()))
    }

    /// The events of a batch in their order. `keep` lifts those of today's version.
    pub fn batch(
        &self,
        batch: &RecordBatch,
        wanted: &SchemaRef,
        keep: impl FnOnce(&RecordBatch) -> Result<RecordBatch>,
    ) -> Result<RecordBatch> {
        let is_old = |row| Ok(has_text(batch, row) || version(batch, row)? < self.contract.version);
        let is_old: BooleanArray = (0..batch.num_rows()).map(is_old).collect::<Result<Vec<_>>>()?.into();
        let old = self.lifted(&filter_record_batch(batch, &is_old)?, wanted)?;
        if old.num_rows() == batch.num_rows() {
            return Ok(old);
        }
        let kept = shaped(&keep(&filter_record_batch(batch, &not(&is_old)?)?)?, wanted)?;
        let (mut at_kept, mut at_old) = (0, kept.num_rows() as u64);
        let order = is_old.values().iter().map(|is_old| {
            let at = if is_old { &mut at_old } else { &mut at_kept };
            *at += 1;
            *at - 1
        });
        let order = UInt64Array::from(order.collect::<Vec<_>>());
        Ok(take_record_batch(&concat_batches(wanted, [&kept, &old])?, &order)?)
    }

    fn lifted(&self, batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
        let mut recast = Recast::new(self.plan, self.event, self.contract);
        for row in 0..batch.num_rows() {
            let version = version(batch, row)?;
            if !self.contract.knows(version) {
                let what = format!("it came in version {version}, which no upcast lifts any more");
                return Err(broken(&self.contract.name, &what)
                    .next(format!("add an upcast with `from = {version}`, or begin a new warehouse")));
            }
            let unknown = text(batch, "_unknown", row)?;
            let added = match has_text(batch, row) {
                true => recast.add(version, text(batch, schema::ORIGINAL, row)?.as_bytes(), unknown),
                false => {
                    let has_envelope = self.plan.envelope.payload.is_some();
                    recast.add(version, &payload(batch, row, has_envelope)?, unknown)
                }
            };
            added.map_err(|flaw| misfit(&flaw, batch, row, &self.contract.name))?;
        }
        let recast = recast.finish()?;
        let lists = self.contract.lists.iter().map(|list| list.name.as_str());
        let names: Vec<&str> =
            self.contract.columns.iter().map(|(name, _)| name.as_str()).chain(lists).collect();
        let column = |field: &Arc<Field>| -> Result<ArrayRef> {
            let found = match field.name().as_str() {
                "_absent" => Some(&recast.absent),
                "_unknown" => Some(&recast.unknown),
                schema::ORIGINAL => Some(&recast.original),
                name if name.starts_with('_') => batch.column_by_name(name),
                name => {
                    names.iter().zip(&recast.payload).find(|(known, _)| **known == name).map(|(_, it)| it)
                }
            };
            shaped_column(found, field, batch.num_rows())
        };
        let columns = wanted.fields().iter().map(column).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(Arc::clone(wanted), columns)?)
    }
}

fn version(batch: &RecordBatch, row: usize) -> Result<i64> {
    let column = batch.column_by_name("_version").and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.map(|column| column.value(row)).ok_or_else(|| Error::bug("the event store lacks versions"))
}

/// Whether the payload of an event is kept as it came.
fn has_text(batch: &RecordBatch, row: usize) -> bool {
    batch.column_by_name(schema::ORIGINAL).is_some_and(|column| column.is_valid(row))
}

/// What events were read as must be what the pipeline says of their version.
fn same_types(
    contract: &EventPlan,
    version: i64,
    types: &Types,
    counts: impl Fn(&str) -> bool,
) -> Result<()> {
    let today = declared(contract, version);
    for (path, was) in types.iter().filter(|(path, _)| counts(path)) {
        let now = today.get(path);
        if now != Some(was) {
            let now = now.map_or("not declared", String::as_str);
            let message = format!(
                "`{path}` was declared differently when the log took events of version {version} of `{}`: \
                 {was}, now {now}",
                contract.name
            );
            return Err(Error::author(message).next(
                "declare it for that version as it was, and cast it in a step; or begin a new warehouse",
            ));
        }
    }
    Ok(())
}

/// The columns of a schema, null where a batch has none.
fn shaped(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
    let column =
        |field: &Arc<Field>| shaped_column(batch.column_by_name(field.name()), field, batch.num_rows());
    let columns = wanted.fields().iter().map(column).collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(Arc::clone(wanted), columns)?)
}

/// A column as wanted; the items of a list may lack some of the wanted fields, which are null then.
fn shaped_column(found: Option<&ArrayRef>, wanted: &Field, rows: usize) -> Result<ArrayRef> {
    let Some(column) = found else { return Ok(new_null_array(wanted.data_type(), rows)) };
    let (Some(list), DataType::List(element)) = (column.as_list_opt::<i32>(), wanted.data_type()) else {
        return Ok(Arc::clone(column));
    };
    let (items, DataType::Struct(fields)) = (list.values().as_struct(), element.data_type()) else {
        return Ok(Arc::clone(column));
    };
    let columns = fields.iter().map(|field| match items.column_by_name(field.name()) {
        Some(column) => Arc::clone(column),
        None => new_null_array(field.data_type(), items.len()),
    });
    let items = StructArray::try_new_with_length(
        fields.clone(),
        columns.collect(),
        items.nulls().cloned(),
        items.len(),
    )?;
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, Arc::new(items), nulls)?))
}
