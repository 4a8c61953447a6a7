//! State → plan → report: what must be done tonight?
//!
//! [`run`] takes in what is new, builds the tables (going on from the release before where there is one of
//! this pipeline), checks them while nobody sees them, and publishes. [`rebuild`] and [`verify`] go back to the
//! log's first event; [`rollback`] and [`gc`] see to the releases that there are. When anything fails before that, the log keeps its new events and the old release stays
//! current. Never decides what a table holds: that is `history`; never asks what time it is: that is `main`.

mod apart;
mod build;
mod decision;
mod gc;
mod inputs;
mod inspect;
mod known_at;
mod ledger;
mod plan;
mod previous;
mod rebuild;
mod rejected;
mod rejects;
mod remade;
mod report;
mod requeue;
mod rollback;
mod rows;
mod run;
mod stage;
mod status;
mod trial;
mod verify;

pub use apart::take_in;
pub use decision::Build;
pub use gc::{Collected, Keep, gc, gc_plan};
pub use known_at::{Cut, known_at, position_known};
pub use plan::{FilePlan, Plan, TablePlan, plan};
pub use rebuild::{Comparison, rebuild};
pub use rejected::{Rejected, RejectedCode, RejectedLine, each_reject, rejected};
pub use report::{FailedFile, Failure, FileLines, Lines, Outcome, RunReport, TableReport};
pub use requeue::{requeue, requeue_plan};
pub use rollback::{RolledBack, rollback};
pub use rows::{ColumnDifference, Difference, RowDifference};
pub use run::{Options, run};
pub use stage::{Progress, Stage};
pub use status::{Cause, LastRun, ReleaseStatus, SourceStatus, Status, StuckFile, status};
pub use trial::{TableDifference, Trial, trials};
pub use verify::{Scrutiny, Verification, verify};

use crate::error::{Error, Result};

/// Does some work with so many threads, or with as many as there are cores.
pub(crate) fn in_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = threads.unwrap_or_else(inputs::available_threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool
        .map_err(|error| Error::operator(format!("no threads: {error}")).next("name fewer: --threads 2"))?;
    pool.install(work)
}
