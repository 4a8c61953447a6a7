//! State → plan → report: what must be done tonight?
//!
//! [`run`] takes in what is new, builds the tables from the whole log, checks them while nobody sees them,
//! and publishes. When anything fails before that, the log keeps its new events and the old release stays
//! current. Never decides what a table holds: that is `history`; never reads the clock: that is `main`.

mod build;
mod inspect;
mod previous;
mod report;
mod run;

pub use report::{Outcome, RunReport, TableReport};
pub use run::{Options, Progress, Stage, run};
