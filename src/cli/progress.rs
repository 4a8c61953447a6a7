//! How far a run has come, as a bar on a terminal. Elsewhere nothing is shown.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use starlog::compare;
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
        if self.bar.length() != Some(total) {
            // Only now is it known how much there is.
            self.bar.set_length(total);
            set_style(&self.bar, "{msg:8} {wide_bar} {binary_bytes} of {binary_total_bytes}{left}");
        }
        self.bar.set_position(done);
    }
}

impl Progress for Bar {
    fn stage(&self, stage: Stage) {
        set_style(&self.bar, "{msg:8} {spinner} {elapsed}");
        self.bar.reset();
        self.bar.set_length(0);
        self.bar.set_message(stage.name());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

impl compare::Progress for Bar {
    fn doing(&self, what: &str) {
        set_style(&self.bar, "{msg} {spinner} {elapsed}");
        self.bar.reset();
        self.bar.set_length(0);
        self.bar.set_message(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("left", time_left));
    }
}

/// How long it will take, once that can be guessed.
fn time_left(state: &ProgressState, text: &mut dyn Write) {
    let left = state.eta();
    if left >= Duration::from_secs(1) {
        // A bar without it is a bar.
        let _ = write!(text, ", {} to go", HumanDuration(left));
    }
}
