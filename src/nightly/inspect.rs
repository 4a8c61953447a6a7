//! A staged release → the verdict of the checks, asked of DuckDB over the very files that would be published.

use crate::checks::{self, Effort, Tables};
use crate::error::Result;
use crate::model::Model;
use crate::query::{Candidate, Session, candidate};
use crate::warehouse::Release;
use std::path::Path;

/// Runs the built-in checks; returns how many held.
pub fn inspect(
    staged: &Release,
    model: &Model,
    warehouse: &Path,
    threads: Option<usize>,
    memory_bytes: Option<u64>,
) -> Result<usize> {
    let Candidate { mut spec, levels, rejoined } = candidate(staged, model, warehouse)?;
    spec.threads = threads;
    spec.memory_bytes = memory_bytes;
    // Cleared by the next writer, should this process be killed.
    spec.spill_directory = Some(warehouse.join("staging").join("spill"));
    let session = Session::open(&spec)?;
    let tables = Tables { levels, rejoined, ..Tables::default() };
    let report = checks::run(session.connection(), model, &tables, Effort::Proofs)?;
    Ok(report.checks)
}
