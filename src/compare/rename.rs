//! (log, model, what is at the top of a hierarchy) → what renaming it makes each shape write.
//!
//! Nothing is estimated: the log gets one more event, is replayed with it and without it, and every file that differs
//! is encoded. That is done twice, with the attribute tracked as `history` and as `overwrite`.

use super::build::{Ledger, Plan};
use super::report::{Rename, RenameCost, RenameWay};
use super::shape::Shape;
use super::target::Target;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::layout::Table;
use crate::log::{EventLog, Position};
use crate::model::{DimensionAction, DimensionEvent, EventType, Field, FieldRef, Model, Tracking, ValueType};
use crate::warehouse::encode;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::row::{RowConverter, Rows, SortField};
use chrono::{DateTime, SecondsFormat};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The type of the event that is added; no pipeline can declare one of this name.
const EVENT: &str = "(starlog compare: rename)";

/// Where the log is, and how far it went before.
pub struct Before<'a> {
    pub model: &'a Model,
    pub log: &'a EventLog,
    /// What the log gives under the pipeline as it is.
    pub history: &'a History,
    pub threads: usize,
}

/// Adds the event to the log, and weighs what comes of it.
pub fn rename(before: &Before<'_>, target: &Target, scratch: &Path, disk: &Disk) -> Result<Rename> {
    let Before { model, log, history, threads } = *before;
    let position = log.position();
    let line = line(model, target, history)?;
    let file = scratch.join("rename.ndjson");
    disk.write(&file, line.as_bytes()).map_err(|error| Error::io("write", &file, error))?;
    let declared = target.attribute(model)?.tracking;
    let with_event = renaming(model, target, declared)?;
    let mut longer = EventLog::open(disk, log.folder(), &with_event)?;
    let report = longer.ingest(&[file], threads, &())?;
    if longer.position() != Position(position.0 + 1) {
        return Err(Error::bug(format!("the event of a rename was not accepted: {:?}", report.rejects)));
    }
    drop(longer);
    let mut ways = Vec::new();
    for (tracking, name) in [(Tracking::History, "history"), (Tracking::Overwrite, "overwrite")] {
        disk.go_on()?;
        let model = renaming(model, target, tracking)?;
        let open = || EventLog::open(disk, log.folder(), &model);
        let is_declared = tracking == declared;
        let without = match is_declared {
            true => None,
            false => Some(history::replay(&model, &open()?.until(position)?)?),
        };
        let with = history::replay(&model, &open()?)?;
        let without = without.as_ref().unwrap_or(history);
        let costs = Shape::all().map(|shape| cost(shape, &model, without, &with, disk));
        ways.push(RenameWay { tracking: name.to_owned(), is_declared, costs: costs.collect::<Result<_>>()? });
    }
    let dimension = target.dimension(model)?;
    Ok(Rename {
        dimension: dimension.name.clone(),
        levels: dimension.entities.iter().map(|entity| entity.name.clone()).collect(),
        attribute: target.attribute(model)?.name.clone(),
        member: target.label.clone(),
        members_below: target.members_below,
        ways,
    })
}

/// The pipeline with one more event type, which says the attribute of a member, and the attribute tracked so.
fn renaming(model: &Model, target: &Target, tracking: Tracking) -> Result<Model> {
    let mut model = model.clone();
    let event = model.events.len();
    let missing = || Error::bug("the hierarchy has lost its top");
    let dimension = model.dimensions.get_mut(target.dimension).ok_or_else(missing)?;
    let entity = dimension.entities.last_mut().ok_or_else(missing)?;
    entity.attributes.get_mut(target.attribute).ok_or_else(missing)?.tracking = tracking;
    let keys = entity.key.iter().enumerate();
    let mut fields: Vec<Field> = keys
        .map(|(at, key)| Field {
            name: key_field(at),
            value_type: key.value_type,
            optional: false,
            allowed: None,
        })
        .collect();
    let reference = |field: usize| FieldRef { list: None, field };
    let renamed = reference(fields.len());
    entity.events.push(DimensionEvent {
        event,
        list: None,
        key: (0..fields.len()).map(reference).collect(),
        action: DimensionAction::Set { attributes: vec![(target.attribute, renamed)], parent: None },
    });
    fields.push(Field {
        name: RENAMED.to_owned(),
        value_type: ValueType::Text,
        optional: false,
        allowed: None,
    });
    model.events.push(EventType {
        name: EVENT.to_owned(),
        version: 1,
        fields,
        lists: Vec::new(),
        bears: Default::default(),
        unknown: Default::default(),
        upcasts: Vec::new(),
    });
    Ok(model)
}

const RENAMED: &str = "renamed to";

fn key_field(at: usize) -> String {
    format!("key {at}")
}

/// The event as a line of the log's own form, a microsecond after the newest one.
fn line(model: &Model, target: &Target, history: &History) -> Result<String> {
    let newest = history.findings.times.map_or(0, |(_, newest)| newest);
    let instant = |micros: i64| DateTime::from_timestamp_micros(micros);
    let later = instant(newest + 1).filter(|later| *later < model.log.latest);
    let time = later.or_else(|| instant(newest)).ok_or_else(|| Error::bug("the log has no newest event"))?;
    let mut said = Map::new();
    for (at, value) in target.key.iter().enumerate() {
        said.insert(key_field(at), value.clone());
    }
    said.insert(RENAMED.to_owned(), json!(format!("{} (renamed)", target.label)));
    let envelope = &model.log.envelope;
    let mut line = match &envelope.payload {
        Some(payload) => Map::from_iter([(payload.clone(), Value::Object(said))]),
        None => said,
    };
    line.insert(envelope.event_type.clone(), json!(EVENT));
    line.insert(envelope.time.clone(), json!(time.to_rfc3339_opts(SecondsFormat::Micros, true)));
    if let Some(id) = &envelope.id {
        line.insert(id.clone(), json!(EVENT));
    }
    // The same field may be both.
    if let Some(order) = &envelope.order {
        line.insert(order.clone(), json!(i64::MAX));
    }
    Ok(format!("{}\n", Value::Object(line)))
}

/// What differs between two replays, in rows, files and bytes.
fn cost(shape: Shape, model: &Model, before: &History, after: &History, disk: &Disk) -> Result<RenameCost> {
    let (before, after) = (Plan::new(shape, model, before)?, Plan::new(shape, model, after)?);
    let mut cost = RenameCost { layout: shape.to_string(), ..RenameCost::default() };
    let mut known: BTreeMap<String, Table> =
        before.tables()?.into_iter().map(|table| (table.name.clone(), table)).collect();
    for table in after.tables()? {
        let old = known.remove(&table.name);
        let old = old.map_or_else(|| RecordBatch::new_empty(table.batch.schema()), |table| table.batch);
        if old != table.batch {
            let changes = by_key(&old, &table.batch)?;
            cost.add(&table.name, changes, &table.batch, &table.sorted_by)?;
        }
    }
    for (old, new) in before.ledgers().iter().zip(after.ledgers()) {
        let places: BTreeMap<String, usize> =
            (0..old.table.partitions().len()).map(|at| (old.file(at), at)).collect();
        let partitions = (0..new.table.partitions().len()).into_par_iter();
        let costs = partitions.map(|at| {
            disk.go_on()?;
            let batch = new.rows(Some(at))?;
            let known = old.rows(places.get(&new.file(at)).copied())?;
            ledger_cost(new, &known, &batch)
        });
        for part in costs.collect::<Result<Vec<_>>>()? {
            cost.take(part);
        }
    }
    Ok(cost)
}

fn ledger_cost(ledger: &Ledger<'_>, old: &RecordBatch, new: &RecordBatch) -> Result<RenameCost> {
    let mut cost = RenameCost::default();
    if old != new {
        cost.add(ledger.name(), by_place(old, new)?, new, ledger.sorted_by())?;
    }
    Ok(cost)
}

/// How many rows are new, and how many are others.
struct Changes {
    added: u64,
    changed: u64,
}

impl RenameCost {
    /// A file that has to be written anew.
    fn add(&mut self, table: &str, changes: Changes, rows: &RecordBatch, sorted_by: &[String]) -> Result<()> {
        let encoded = encode(rows, sorted_by)?;
        let tables = vec![table.to_owned()];
        self.take(Self {
            layout: String::new(),
            rows_added: changes.added,
            rows_changed: changes.changed,
            rows_rewritten: encoded.rows,
            files_rewritten: 1,
            bytes_rewritten: encoded.bytes.len() as u64,
            tables,
        });
        Ok(())
    }

    fn take(&mut self, other: Self) {
        self.rows_added += other.rows_added;
        self.rows_changed += other.rows_changed;
        self.rows_rewritten += other.rows_rewritten;
        self.files_rewritten += other.files_rewritten;
        self.bytes_rewritten += other.bytes_rewritten;
        for table in other.tables {
            if !self.tables.contains(&table) {
                self.tables.push(table);
            }
        }
    }
}

/// Rows of dimensions are known by their first column.
fn by_key(old: &RecordBatch, new: &RecordBatch) -> Result<Changes> {
    let (old_rows, new_rows) = rows(old, new)?;
    let keys = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let mut changes = Changes { added: 0, changed: 0 };
    let mut met = 0;
    for (at, key) in new_keys.iter().enumerate() {
        match old_keys.binary_search(key) {
            Ok(was) => {
                met += 1;
                changes.changed += u64::from(old_rows.row(was) != new_rows.row(at));
            }
            Err(_) => changes.added += 1,
        }
    }
    changes.changed += old_keys.len().saturating_sub(met) as u64;
    Ok(changes)
}

/// Rows of a ledger keep their place.
fn by_place(old: &RecordBatch, new: &RecordBatch) -> Result<Changes> {
    let (old_rows, new_rows) = rows(old, new)?;
    let changed = old_rows.iter().zip(new_rows.iter()).filter(|(old, new)| old != new).count();
    let added = new.num_rows().saturating_sub(old.num_rows());
    Ok(Changes { added: added as u64, changed: changed as u64 })
}

fn rows(old: &RecordBatch, new: &RecordBatch) -> Result<(Rows, Rows)> {
    let types = new.schema_ref().fields().iter().map(|field| SortField::new(field.data_type().clone()));
    let converter = RowConverter::new(types.collect())?;
    Ok((converter.convert_columns(old.columns())?, converter.convert_columns(new.columns())?))
}
