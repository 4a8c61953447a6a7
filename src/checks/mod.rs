//! Staged release → [`Report`]: is it fit to publish? (DESIGN 29, 31)
//!
//! Every check is a named query that must return no rows. Its SQL is rendered from the [`Model`] and run by
//! DuckDB over the staged tables and the event store, so that what `history` computed is found again by
//! another engine from another side. Where a check would be slow on a large release, a [`plan::Proof`]
//! (sums of hashes over one scan) first shows that it holds; only what a proof cannot show is asked in full.
//!
//! It never reads a value from `history`, never changes a table, and never puts data into SQL text.

mod amounts;
mod levels;
mod lines;
mod lookup;
mod members;
mod moved;
mod moves;
mod placings;
mod proof;
mod report;
mod reversed;
mod rows;
mod runner;
pub(crate) mod source;
pub(crate) mod sql;
mod views;
mod zone;

pub mod night;
pub mod plan;

pub use plan::{Check, Effort, Plan, Tables};
pub use report::{Report, Total, Violation};

use crate::error::Result;
use crate::model::Model;
use duckdb::Connection;

/// Checks a staged release: a release that is not fit is an error of the data, with names and examples.
///
/// `connection` has the views that [`Tables`] names. It gets temporary tables and no other change.
pub fn run(connection: &Connection, model: &Model, tables: &Tables, effort: Effort) -> Result<Report> {
    examine(connection, model, tables, effort)?.verdict()
}

/// Like [`run`], but returns the violations instead of an error.
pub fn examine(connection: &Connection, model: &Model, tables: &Tables, effort: Effort) -> Result<Report> {
    let years = runner::years(connection, tables)?;
    let mut plan = Plan::new(model, tables, years);
    views::plan(&mut plan, model, tables, None)?;
    runner::walk(connection, &plan, effort)
}
