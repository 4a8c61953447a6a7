//! Errors → stderr and an exit code: what went wrong, and what to do next.

use std::error::Error as _;
use std::io::{self, ErrorKind, Write};
use std::panic::{UnwindSafe, catch_unwind};
use std::process::ExitCode;

use starlog::error::{Error, Result};
use starlog::query::visible;

/// The exit code of a bug of ours.
const BUG: u8 = 4;

/// Does something; says with which code the program ends, and tells what went wrong.
pub fn code_of(act: impl FnOnce() -> Result<()> + UnwindSafe) -> ExitCode {
    match catch_unwind(act) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => tell(&error),
        // The hook has told what happened.
        Err(_) => ExitCode::from(BUG),
    }
}

/// Tells an error, and says with which code the program ends.
fn tell(error: &Error) -> ExitCode {
    if is_closed_pipe(error) {
        // Whoever read has read enough: `starlog query ... | head`.
        return ExitCode::SUCCESS;
    }
    say(error);
    ExitCode::from(error.exit_code())
}

/// Tells an error.
pub fn say(error: &Error) {
    if let Some(report) = error.report() {
        note(&format!("{report:?}"));
    }
    note(&format!("error: {error}"));
    if let Some(next) = error.next_step() {
        note(&format!("hint: {next}"));
    }
}

/// Whether the reader of stdout has gone.
pub fn is_closed_pipe(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == ErrorKind::BrokenPipe)
}

/// Writes lines to stderr, in which nothing is left that a terminal would obey but our own colours.
pub fn note(text: &str) {
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        // If stderr is closed, there is nobody to tell.
        let _ = writeln!(stderr, "{}", without_orders(line));
    }
}

/// Keeps colours (`ESC [ ... m`), which miette writes on a terminal, and escapes whatever else.
fn without_orders(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(start);
        let parameters = sequence.chars().skip(2).take_while(|c| c.is_ascii_digit() || *c == ';').count();
        let end = 2 + parameters;
        shown.push_str(&visible(before));
        if sequence.as_bytes().get(end) == Some(&b'm') {
            shown.push_str(sequence.get(..=end).unwrap_or_default());
            rest = sequence.get(end + 1..).unwrap_or_default();
        } else {
            shown.push_str("\\u{1b}");
            rest = sequence.get(1..).unwrap_or_default();
        }
    }
    shown.push_str(&visible(rest));
    shown
}

/// A panic is a bug of ours, and says so.
pub fn announce_panics() {
    std::panic::set_hook(Box::new(|panic| {
        note(&format!("error: a bug of ours: {panic}"));
        note("hint: please report this, with the pipeline file and the command");
    }));
}

/// Writing a result to stdout failed.
pub fn of_stdout(error: io::Error) -> Error {
    Error::operator(format!("cannot write to stdout: {error}")).because(error)
}
