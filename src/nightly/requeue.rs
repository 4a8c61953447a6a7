//! Rejects, and a pipeline that was mended → events at new positions; what the next run publishes.

use super::ledger::{Deed, enter};
use crate::disk::Disk;
use crate::error::Result;
use crate::log::{EventLog, RequeueReport, aside};
use crate::model::Model;
use crate::warehouse::{Warehouse, Writer};
use std::path::Path;

impl Deed for RequeueReport {
    fn outcome(&self) -> &'static str {
        if self.accepted + self.duplicate + self.ignored > 0 { "requeued" } else { "unchanged" }
    }
}

/// Looks at the rejects with these codes, or at all, with the pipeline of today. Those that are events now come into the
/// log at new positions; nothing is published.
///
/// # Errors
/// The warehouse is locked or is no warehouse of this pipeline; events of before do not keep today's contracts.
pub fn requeue(
    model: &Model,
    dir: &Path,
    codes: &[String],
    disk: &Disk,
    started: &str,
) -> Result<RequeueReport> {
    // Only a run begins a warehouse.
    Warehouse::open(dir)?;
    let writer = Writer::open(disk, dir, &model.name, started)?;
    enter(&writer, "requeue", started, || {
        EventLog::open(disk, &writer.warehouse().log_dir(), model)?.requeue(codes)
    })
}

/// Says what [`requeue`] would do, and does none of it. `scratch` is an empty folder, for a log aside.
///
/// # Errors
/// As for [`requeue`], but for the lock.
pub fn requeue_plan(model: &Model, dir: &Path, codes: &[String], scratch: &Path) -> Result<RequeueReport> {
    let disk = Disk::default();
    let log = scratch.join("log");
    if let Some(warehouse) = Warehouse::of_pipeline(dir, &model.name)? {
        aside(&disk, &warehouse.log_dir(), &log)?;
    }
    EventLog::open(&disk, &log, model)?.requeue(codes)
}
