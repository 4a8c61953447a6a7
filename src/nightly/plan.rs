//! (pipeline, warehouse, files) → what a run would do, file by file, before anything is done.
//!
//! The events are taken into a log aside and replayed; files are encoded, so that their sizes are exact, and thrown
//! away. The pieces are those that a run writes ([`super::build`]).

use super::build::{Job, jobs};
use super::decision::{Build, Decision, decide};
use super::inputs::{Inputs, available_threads};
use super::previous::Previous;
use super::rejects;
use super::report::{Failure, Outcome, RunReport};
use super::run::Options;
use super::stage::Progress;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, Before, History, RowChanges};
use crate::layout;
use crate::log::{EventLog, aside};
use crate::model::Model;
use crate::views::{Changed, Choice, choose};
use crate::warehouse::{DataFile, Release, TableEntry, Warehouse, decode, encode};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// What a run would do.
#[derive(Debug, Serialize)]
pub struct Plan {
    pub build: Build,
    /// Why tables are made anew, if not only for new events.
    pub because: Vec<String>,
    /// The current release, and the position that it ends at.
    pub release: Option<u64>,
    pub release_position: u64,
    /// What would be taken in.
    pub ingest: RunReport,
    pub tables: Vec<TablePlan>,
    /// How each view would come to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<Choice>,
    /// Why the run would publish nothing, if it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Failure>,
}

/// What would become of one table.
#[derive(Debug, Serialize)]
pub struct TablePlan {
    pub layout: String,
    pub name: String,
    pub rows_before: u64,
    pub rows: u64,
    /// Files that become a second name of what is there.
    pub kept_files: usize,
    pub written: Vec<FilePlan>,
    /// Files of the current release that are in no later one.
    pub removed: Vec<String>,
    /// The greatest key of a dimension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greatest_key: Option<i64>,
}

/// A file that would be written.
#[derive(Debug, Clone, Serialize)]
pub struct FilePlan {
    /// In the release.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// What changes in it; of a file of a first release or a rebuild, all of it.
    #[serde(flatten)]
    pub changes: RowChanges,
    pub because: String,
}

/// Says what a run would do. `scratch` is an empty folder, for the log aside.
///
/// # Errors
/// Those of a run before it writes tables.
pub fn plan(
    model: &Model,
    options: &Options,
    scratch: &Path,
    disk: &Disk,
    progress: &dyn Progress,
) -> Result<Plan> {
    let dir = &options.warehouse;
    let warehouse = Warehouse::of_pipeline(dir, &model.name)?;
    let current = warehouse.as_ref().map(Warehouse::current).transpose()?.flatten();
    let inputs = Inputs { model, options, progress };
    let built = current.as_ref().map(Release::layouts).transpose()?.unwrap_or_default();
    let layouts = inputs.layouts(&built);

    let mut ingest = RunReport::begun(model, options);
    ingest.release = current.as_ref().map(Release::number);
    let folder = scratch.join("log");
    let _held = warehouse.as_ref().map(Warehouse::hold_log).transpose()?;
    if let Some(warehouse) = &warehouse {
        aside(disk, &warehouse.log_dir(), &folder)?;
    }
    let mut log = EventLog::open(disk, &folder, model)?;
    let ingested = inputs.ingest(&mut log)?;
    ingest.unmatched = inputs.unmatched()?;
    ingest.took_in(&log, &ingested);
    if current.is_none() && log.sources().is_empty() {
        return Err(inputs.nothing_to_read(&ingest));
    }
    ingest.drops(&built, &layouts);
    let refused = rejects::refuse_too_many(model, &log, current.as_ref()).err();
    let Decision { build, because } = decide(model, &log, current.as_ref(), &layouts);
    ingest.outcome = match (&refused, build) {
        (Some(_), _) => Outcome::Failed,
        (None, Build::Nothing) => Outcome::Unchanged,
        (None, _) => Outcome::Published,
    };
    let manifest = current.as_ref().map(Release::manifest);
    let mut plan = Plan {
        build,
        because,
        release: ingest.release,
        release_position: manifest.map_or(0, |manifest| manifest.log_position),
        ingest,
        tables: Vec::new(),
        views: Vec::new(),
        refused: refused.as_ref().map(Failure::from),
    };
    if build != Build::Nothing {
        let threads = options.threads.unwrap_or_else(available_threads);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| Error::operator(format!("no threads: {error}")))?;
        plan.tables = pool.install(|| -> Result<_> {
            let before = current.clone().filter(|_| build == Build::Night).map(Previous::new).transpose()?;
            let history = match before {
                Some(before) => history::night(model, &log, &(Arc::new(before) as Arc<dyn Before>))?,
                None => history::replay(model, &log)?,
            };
            let jobs = jobs(model, &history, &layouts)?;
            let pieces = jobs.par_iter().map(|job| job.weigh(model, &history, &layouts, current.as_ref()));
            Ok(tables(pieces.collect::<Result<Vec<_>>>()?.into_iter().flatten(), current.as_ref()))
        })?;
        let before = current.as_ref().filter(|_| build == Build::Night);
        let written =
            plan.tables.iter().filter(|table| !table.written.is_empty() || !table.removed.is_empty());
        let changed = Changed::of_tables(model, written.map(|table| table.name.as_str()));
        plan.views = choose(model, before.map(|before| (before, &changed)))?;
    }
    Ok(plan)
}

/// A file of the next release.
struct Piece {
    layout: String,
    table: String,
    file: FilePlan,
    is_kept: bool,
    greatest_key: Option<i64>,
}

fn tables(pieces: impl Iterator<Item = Piece>, current: Option<&Release>) -> Vec<TablePlan> {
    let mut tables: BTreeMap<(String, String), TablePlan> = BTreeMap::new();
    let mut paths = BTreeSet::new();
    let entry = |layout: &str, name: &str| -> Option<&TableEntry> {
        current?.manifest().layouts.get(layout)?.get(name)
    };
    for Piece { layout, table, file, is_kept, greatest_key } in pieces {
        paths.insert(file.path.clone());
        let known = entry(&layout, &table);
        let plan = tables.entry((layout.clone(), table.clone())).or_insert_with(|| TablePlan {
            layout,
            name: table,
            rows_before: known.map_or(0, |known| known.rows),
            rows: 0,
            kept_files: 0,
            written: Vec::new(),
            removed: Vec::new(),
            greatest_key,
        });
        plan.rows += file.rows;
        if is_kept {
            plan.kept_files += 1;
        } else {
            plan.written.push(file);
        }
    }
    for plan in tables.values_mut() {
        let known = entry(&plan.layout, &plan.name).into_iter().flat_map(|known| &known.files);
        plan.removed = known.map(|file| file.path.clone()).filter(|path| !paths.contains(path)).collect();
        plan.written.sort_by(|one, other| one.path.cmp(&other.path));
    }
    tables.into_values().collect()
}

impl Job<'_> {
    /// The files that the job stands for, encoded and compared with those of the current release.
    fn weigh(
        &self,
        model: &Model,
        history: &History,
        layouts: &[layout::Layout],
        current: Option<&Release>,
    ) -> Result<Vec<Piece>> {
        match self {
            Self::Dimension { layout, dimension, made } => {
                let tables = layout::tables(*layout, dimension, &made.entities)?;
                tables.iter().map(|table| whole(*layout, table, current)).collect()
            }
            Self::Dates { layout } => {
                let dates = whole(*layout, &layout::date_table(model, &history.dates)?, current)?;
                // Dates are their own keys: what is said of dense ones does not hold.
                Ok(vec![Piece { greatest_key: None, ..dates }])
            }
            // What nights go on from is no table.
            Self::Members { .. } => Ok(Vec::new()),
            Self::Partition { plan, fact, index } => {
                let key = fact.partitions()[*index];
                let file = format!("{}/{}", key.directory(), key.file_name());
                let path = |layout: &dyn std::fmt::Display| format!("{layout}/{}/{file}", plan.name);
                let known = known(current, &format!("/{}/{file}", plan.name));
                let (rows, bytes, is_kept) = match known {
                    Some(known) if fact.is_kept(*index) => (known.rows, known.bytes, true),
                    _ => {
                        let batch = fact.read(*index)?;
                        let batch = RecordBatch::try_new(plan.schema.clone(), batch.columns().to_vec())?;
                        let encoded = encode(&batch, &plan.sorted_by)?;
                        let is_same = known.is_some_and(|known| known.blake3 == encoded.blake3);
                        (encoded.rows, encoded.bytes.len() as u64, is_same)
                    }
                };
                let changes =
                    fact.changes(*index).unwrap_or(RowChanges { added: rows, ..RowChanges::default() });
                let closes = fact.made_from(*index).iter().any(|old| *old != key);
                let because = match (closes, known) {
                    (true, _) => "its days become one file".to_owned(),
                    (false, None) => "new".to_owned(),
                    (false, Some(_)) => String::new(),
                };
                let piece = |layout: &layout::Layout| Piece {
                    layout: layout.to_string(),
                    table: plan.name.clone(),
                    file: FilePlan { path: path(layout), rows, bytes, changes, because: because.clone() },
                    is_kept,
                    greatest_key: None,
                };
                Ok(layouts.iter().map(piece).collect())
            }
        }
    }
}

/// The file of a table that is one file.
fn whole(layout: layout::Layout, table: &layout::Table, current: Option<&Release>) -> Result<Piece> {
    let path = format!("{layout}/{0}/{0}.parquet", table.name);
    let encoded = encode(&table.batch, &table.sorted_by)?;
    let known = known(current, &path);
    let is_kept = known.is_some_and(|known| known.blake3 == encoded.blake3);
    let changes = match (known, current) {
        (Some(_), _) if is_kept => RowChanges::default(),
        (Some(known), Some(current)) => compare(&decode(&current.path(known), None)?, &table.batch)?,
        _ => RowChanges { added: encoded.rows, ..RowChanges::default() },
    };
    let keys = table.sorted_by.first().and_then(|key| table.batch.column_by_name(key));
    let keys = keys.and_then(|keys| keys.as_primitive_opt::<Int64Type>());
    Ok(Piece {
        layout: layout.to_string(),
        table: table.name.clone(),
        file: FilePlan {
            path,
            rows: encoded.rows,
            bytes: encoded.bytes.len() as u64,
            changes,
            because: if known.is_none() { "new".to_owned() } else { String::new() },
        },
        is_kept,
        greatest_key: keys.and_then(|keys| keys.values().iter().copied().max()),
    })
}

/// The file of the current release whose path ends so.
fn known<'a>(current: Option<&'a Release>, end: &str) -> Option<&'a DataFile> {
    current?.manifest().files().find(|file| file.path.ends_with(end))
}

/// Rows by their first column, which is their key.
fn compare(before: &RecordBatch, now: &RecordBatch) -> Result<RowChanges> {
    let fields = |batch: &RecordBatch| -> Vec<SortField> {
        batch.columns().iter().map(|column| SortField::new(column.data_type().clone())).collect()
    };
    if fields(before) != fields(now) {
        let (added, removed) = (now.num_rows() as u64, before.num_rows() as u64);
        return Ok(RowChanges { added, changed: 0, removed });
    }
    let whole = RowConverter::new(fields(now))?;
    let key = RowConverter::new(fields(now).into_iter().take(1).collect())?;
    let (old_keys, new_keys) =
        (key.convert_columns(&before.columns()[..1])?, key.convert_columns(&now.columns()[..1])?);
    let (old_rows, new_rows) =
        (whole.convert_columns(before.columns())?, whole.convert_columns(now.columns())?);
    let mut old: HashMap<_, _> = old_keys.iter().zip(old_rows.iter()).collect();
    let mut changes = RowChanges::default();
    for (key, row) in new_keys.iter().zip(new_rows.iter()) {
        match old.remove(&key) {
            None => changes.added += 1,
            Some(before) => changes.changed += u64::from(before != row),
        }
    }
    changes.removed = old.len() as u64;
    Ok(changes)
}
