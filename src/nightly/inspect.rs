//! A staged release → the verdict of the checks, asked of DuckDB over the very files that would be published.

use crate::checks::{self, Effort, Tables};
use crate::error::Result;
use crate::layout::{Layout, wide_sql};
use crate::model::Model;
use crate::query::{self, Session, View};
use crate::warehouse::Release;
use std::path::Path;

/// Runs the built-in checks; returns how many held.
pub fn inspect(
    candidate: &Release,
    model: &Model,
    warehouse: &Path,
    threads: Option<usize>,
    memory_bytes: Option<u64>,
) -> Result<usize> {
    let layouts = candidate.layouts()?;
    let first = layouts.first().copied().unwrap_or(Layout::Star);
    let mut spec = query::describe(candidate, first, warehouse);
    let mut tables = Tables::default();
    match (first, layouts.contains(&Layout::Snowflake)) {
        (Layout::Snowflake, _) => tables.levels = Some("main".to_owned()),
        (Layout::Star, true) => {
            spec.tables.extend(query::tables(candidate, Layout::Snowflake, "levels"));
            spec.views.extend(model.dimensions.iter().map(|dimension| View {
                schema: "rejoined".to_owned(),
                name: format!("dim_{}", dimension.name),
                sql: wide_sql(Layout::Snowflake, dimension, "levels"),
                ..View::default()
            }));
            tables.levels = Some("levels".to_owned());
            tables.rejoined = Some("rejoined".to_owned());
        }
        (Layout::Star, false) => {}
    }
    spec.threads = threads;
    spec.memory_bytes = memory_bytes;
    // Cleared by the next writer, should this process be killed.
    spec.spill_directory = Some(warehouse.join("staging").join("spill"));
    let session = Session::open(&spec)?;
    let report = checks::run(session.connection(), model, &tables, Effort::Proofs)?;
    Ok(report.checks)
}
