//! (pipeline, options) → which layouts are built, and which files are read.

use super::report::RunReport;
use super::run::Options;
use super::stage::Progress;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::log::{EventLog, IngestReport, Progress as LogProgress, expand};
use crate::model::Model;
use std::path::{Path, PathBuf};

/// What a run is given.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub model: &'a Model,
    pub options: &'a Options,
    pub progress: &'a dyn Progress,
}

impl Inputs<'_> {
    /// What is asked for, else what is there, else the default.
    pub fn layouts(&self, built: &[Layout]) -> Vec<Layout> {
        let asked = &self.options.layouts;
        let mut layouts = if asked.is_empty() { built.to_vec() } else { asked.clone() };
        if layouts.is_empty() {
            layouts.push(Layout::default());
        }
        layouts.sort_unstable();
        layouts.dedup();
        layouts
    }

    /// Where patterns are relative to, and the patterns.
    fn patterns(&self) -> (&Path, &[String]) {
        match self.options.log.as_slice() {
            [] => (&self.model.log.base, &self.model.log.files),
            named => (Path::new("."), named),
        }
    }

    pub fn threads(&self) -> usize {
        self.options.threads.unwrap_or_else(available_threads)
    }

    pub fn ingest(&self, log: &mut EventLog) -> Result<IngestReport> {
        let (base, patterns) = self.patterns();
        let files = expand(base, patterns)?;
        self.refuse_own(&files)?;
        log.ingest(&files, self.threads(), &Upcast(self.progress))
    }

    /// What is made of a log is no part of it.
    fn refuse_own(&self, files: &[PathBuf]) -> Result<()> {
        let dir = &self.options.warehouse;
        let Ok(real) = dir.canonicalize() else { return Ok(()) };
        let named = std::path::absolute(dir).unwrap_or_else(|_| real.clone());
        let is_own = |file: &&PathBuf| {
            std::path::absolute(file).is_ok_and(|file| file.starts_with(&real) || file.starts_with(&named))
        };
        match files.iter().find(is_own) {
            None => Ok(()),
            Some(file) => {
                Err(Error::author(format!("{file:?} is a file of the warehouse itself, and no log"))
                    .next("name other `files` in [log], or keep the warehouse in another folder"))
            }
        }
    }

    /// The patterns that mean no file at all.
    pub fn unmatched(&self) -> Result<Vec<String>> {
        let (base, patterns) = self.patterns();
        let mut unmatched = Vec::new();
        for pattern in patterns {
            if expand(base, std::slice::from_ref(pattern))?.is_empty() {
                unmatched.push(pattern.clone());
            }
        }
        Ok(unmatched)
    }

    /// A first run without a single file is a mistake, not an empty warehouse.
    pub fn nothing_to_read(&self, report: &RunReport) -> Error {
        if let Some(gravest) = report.failed_files.iter().max_by_key(|failed| failed.exit_code) {
            return gravest.error();
        }
        let patterns: Vec<String> = report.unmatched.iter().map(|pattern| format!("`{pattern}`")).collect();
        let next = if self.options.log.is_empty() {
            format!(
                "correct `files` in [log]: they are relative to the pipeline's folder, {}",
                self.model.log.base.display()
            )
        } else {
            "correct --log: it is relative to the folder in which starlog runs".to_owned()
        };
        Error::author(format!("there is nothing to read: no file matches {}", patterns.join(" or ")))
            .next(next)
    }
}

pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The part of the progress that `log` knows.
struct Upcast<'a>(&'a dyn Progress);

impl LogProgress for Upcast<'_> {
    fn bytes(&self, done: u64, total: u64) {
        self.0.bytes(done, total);
    }
}
