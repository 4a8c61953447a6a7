//! State → plan → report: what must be done tonight?
//!
//! [`run`] takes in what is new, builds the tables (going on from the release before where there is one of
//! this pipeline), checks them while nobody sees them, and publishes. [`rebuild`] and [`verify`] go back to the
//! log's first event; [`rollback`] and [`gc`] see to the releases that there are. When anything fails before that, the log keeps its new events and the old release stays
//! current. Never decides what a table holds: that is `history`; never asks what time it is: that is `main`.

mod build;
mod decision;
mod gc;
mod inputs;
mod inspect;
mod ledger;
mod plan;
mod previous;
mod rebuild;
mod rejects;
mod report;
mod rollback;
mod run;
mod stage;
mod status;

pub use decision::Build;
pub use gc::{Collected, Keep, gc, gc_plan};
pub use plan::{FilePlan, Plan, TablePlan, plan};
pub use rebuild::{Comparison, rebuild, verify};
pub use report::{FailedFile, Failure, FileLines, Lines, Outcome, RunReport, TableReport};
pub use rollback::{RolledBack, rollback};
pub use run::{Options, run};
pub use stage::{Progress, Stage};
pub use status::{ReleaseStatus, SourceStatus, Status, status};
