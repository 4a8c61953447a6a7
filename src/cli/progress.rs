//! How far a run has come, as a bar on a terminal. Elsewhere nothing is shown.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use starlog::log;
use starlog::nightly::{Progress, Stage};

/// A bar of bytes while files are read, a sign of life for the other stages.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub fn new() -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        Self { bar }
    }

    /// Leaves no trace on the terminal.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl log::Progress for Bar {
    fn bytes(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Progress for Bar {
    fn stage(&self, stage: Stage) {
        let template = match stage {
            Stage::Ingest => "{msg:8} {wide_bar} {binary_bytes} of {binary_total_bytes}, {eta} to go",
            _ => "{msg:8} {spinner} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_message(stage.name());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}
