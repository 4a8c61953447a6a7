//! (pipeline, files) → its log, taken in apart from any warehouse: for whoever compares what could be made of it.

use super::inputs::Inputs;
use super::rejects;
use super::report::RunReport;
use super::run::Options;
use super::stage::Progress;
use crate::disk::Disk;
use crate::error::Result;
use crate::log::EventLog;
use crate::model::Model;
use std::path::Path;

/// Takes the files that are named in `options`, or those of the pipeline, into an empty folder.
///
/// # Errors
/// Those of a first run before it replays: nothing to read, too many rejects, the disk.
pub fn take_in(
    model: &Model,
    options: &Options,
    folder: &Path,
    disk: &Disk,
    progress: &dyn Progress,
) -> Result<EventLog> {
    let inputs = Inputs { model, options, progress };
    let mut log = EventLog::open(disk, folder, model)?;
    let ingested = inputs.ingest(&mut log)?;
    let mut report = RunReport::begun(model, options);
    report.unmatched = inputs.unmatched()?;
    report.took_in(&log, &ingested);
    if log.sources().is_empty() {
        return Err(inputs.nothing_to_read(&report));
    }
    if let Some(failed) = ingested.failures.first() {
        return Err(super::report::FailedFile::from(failed).error());
    }
    rejects::refuse_too_many(model, &log, None)?;
    Ok(log)
}
