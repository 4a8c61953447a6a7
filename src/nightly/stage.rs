//! The stages of a run, and how long each takes: for the ledger and for whoever waits.

use crate::error::Result;
use crate::log::Progress as LogProgress;
use std::collections::BTreeMap;
use std::time::Instant;

/// Is told how far a run has come.
pub trait Progress: LogProgress {
    /// A stage begins.
    fn stage(&self, stage: Stage);
}

impl Progress for () {
    fn stage(&self, _: Stage) {}
}

/// The stages of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Ingest,
    Replay,
    Write,
    Views,
    Check,
    Publish,
}

impl Stage {
    /// One word for the stage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Replay => "replay",
            Self::Write => "write",
            Self::Views => "views",
            Self::Check => "check",
            Self::Publish => "publish",
        }
    }
}

/// A stopwatch. What it says goes to the ledger and to the summary, and decides nothing.
pub struct Stopwatch<'a> {
    begun: Instant,
    progress: &'a dyn Progress,
}

impl<'a> Stopwatch<'a> {
    #[allow(
        clippy::disallowed_methods,
        reason = "durations, not times: nothing of a release comes from them"
    )]
    pub fn start(progress: &'a dyn Progress) -> Self {
        Self { begun: Instant::now(), progress }
    }

    /// Does the work of a stage; a stage that fails has its time too.
    pub fn time<T>(
        &self,
        stage: Stage,
        stages_ms: &mut BTreeMap<&'static str, u64>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.progress.stage(stage);
        let before = self.elapsed_ms();
        let result = work();
        stages_ms.insert(stage.name(), self.elapsed_ms() - before);
        result
    }

    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
