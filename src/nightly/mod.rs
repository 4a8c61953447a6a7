//! State → plan → report: what must be done tonight?
//!
//! [`run`] takes in what is new, builds the tables (going on from the release before where there is one of
//! this pipeline), checks them while nobody sees them, and publishes. [`rebuild`] and [`verify`] go back to the
//! log's first event. When anything fails before that, the log keeps its new events and the old release stays
//! current. Never decides what a table holds: that is `history`; never asks what time it is: that is `main`.

mod build;
mod decision;
mod inputs;
mod inspect;
mod plan;
mod previous;
mod rebuild;
mod rejects;
mod report;
mod run;
mod stage;
mod status;

pub use decision::Build;
pub use plan::{FilePlan, Plan, TablePlan, plan};
pub use rebuild::{Comparison, rebuild, verify};
pub use report::{FailedFile, Failure, FileLines, Lines, Outcome, RunReport, TableReport};
pub use run::{Options, run};
pub use stage::{Progress, Stage};
pub use status::{ReleaseStatus, SourceStatus, Status, status};
