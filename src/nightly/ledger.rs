//! What a command does to a warehouse → a line in its ledger, however it ends.

use super::report::{Failure, Outcome};
use super::stage::Stopwatch;
use crate::error::{Error, Result};
use crate::warehouse::Writer;
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What the ledger has to know of something that was done.
pub trait Deed: Serialize {
    /// One word for how it went.
    fn outcome(&self) -> &'static str;

    /// What was found to be wrong, if that was the question.
    fn failure(&self) -> Option<Error> {
        None
    }
}

/// A line about any command but `run`, whose line is its report.
#[derive(Serialize)]
struct Line<'a, D> {
    command: &'static str,
    pipeline: &'a str,
    started: &'a str,
    outcome: &'static str,
    /// The release that is current now.
    release: Option<u64>,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a D>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// Does what a command is to do, and writes its line.
pub fn enter<D: Deed>(
    writer: &Writer,
    command: &'static str,
    started: &str,
    work: impl FnOnce() -> Result<D>,
) -> Result<D> {
    let watch = Stopwatch::start(&());
    let work = |done: &mut Option<D>| {
        *done = Some(work()?);
        Ok(())
    };
    let tell = |done: &mut Option<D>, failure: Option<Failure>| {
        let done = done.as_ref();
        let failure = failure.or_else(|| Some(Failure::from(&done?.failure()?)));
        let ended = failure.as_ref().map_or(Outcome::Failed, Failure::outcome).name();
        let warehouse = writer.warehouse();
        writer.record(&Line {
            command,
            pipeline: warehouse.pipeline(),
            started,
            outcome: done.map_or(ended, Deed::outcome),
            release: warehouse.current_number()?,
            elapsed_ms: watch.elapsed_ms(),
            found: done,
            failure,
        })
    };
    told(None, work, tell)?.ok_or_else(|| Error::bug("what was done is not there"))
}

/// Works, and tells how it ended, be it by a panic. What made it fail is what is returned, even if that cannot be told.
pub fn told<S>(
    mut state: S,
    work: impl FnOnce(&mut S) -> Result<()>,
    tell: impl FnOnce(&mut S, Option<Failure>) -> Result<()>,
) -> Result<S> {
    match catch_unwind(AssertUnwindSafe(|| work(&mut state))) {
        Ok(Ok(())) => {
            tell(&mut state, None)?;
            Ok(state)
        }
        Ok(Err(error)) => {
            let _ = tell(&mut state, Some(Failure::from(&error)));
            Err(error)
        }
        Err(panic) => {
            let _ = tell(&mut state, Some(Failure::from(&Error::bug("the program panicked"))));
            resume_unwind(panic)
        }
    }
}
