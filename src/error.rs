//! One error type for the library: it says what went wrong, who must act, and what to do next.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who must act. Each kind has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The owner of the data: too many rejects, a check failed. Exit code 1.
    Data,
    /// The author of the pipeline, or who typed the command. Exit code 2.
    Author,
    /// The operator of the machine: disk, lock, permission. Exit code 3.
    Operator,
    /// Us: a broken promise of the program. Exit code 4.
    Us,
    /// Nobody: whoever started it had it stopped, by a signal of this number. Exit code 128 and the number, as a
    /// shell has it.
    Nobody(u8),
}

/// What went wrong, who must act, and what to do next.
#[derive(Debug)]
pub struct Error {
    who: Who,
    message: String,
    next: Option<String>,
    /// Every problem of a pipeline file, with spans into its text.
    problems: Option<Box<miette::Report>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// The data is at fault.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Who::Data, message)
    }

    /// The pipeline or the command line is at fault.
    pub fn author(message: impl Into<String>) -> Self {
        Self::new(Who::Author, message)
    }

    /// The machine is at fault.
    pub fn operator(message: impl Into<String>) -> Self {
        Self::new(Who::Operator, message)
    }

    /// We are at fault: something that cannot happen did.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Who::Us, message).next("please report this, with the pipeline file and the command")
    }

    /// It was asked to stop, by this signal, and did before anything was half done.
    #[must_use]
    pub fn stopped(signal: u8) -> Self {
        let name = match signal {
            2 => "SIGINT".to_owned(),
            15 => "SIGTERM".to_owned(),
            other => format!("signal {other}"),
        };
        Self::new(Who::Nobody(signal), format!("stopped by {name}"))
            .next("the current release stands as it was; do it again when it suits")
    }

    /// An operation on a file failed; the next step follows from the way in which it did.
    pub fn io(action: &str, path: &Path, source: std::io::Error) -> Self {
        let mut error = Self::operator(format!("cannot {action} {}: {source}", path.display()));
        error.next = next_step(source.kind()).map(str::to_owned);
        error.source = Some(Box::new(source));
        error
    }

    /// All the problems of one pipeline file.
    #[must_use]
    pub fn problems(count: usize, path: &str, report: miette::Report) -> Self {
        let what = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        let mut error = Self::author(format!("{what} in {path}"));
        error.problems = Some(Box::new(report));
        error
    }

    fn new(who: Who, message: impl Into<String>) -> Self {
        Self { who, message: message.into(), next: None, problems: None, source: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Who must act.
    #[must_use]
    pub fn who(&self) -> Who {
        self.who
    }

    /// What to do next, if we know.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The problems of a pipeline file, ready to be shown with their places.
    #[must_use]
    pub fn report(&self) -> Option<&miette::Report> {
        self.problems.as_deref()
    }

    /// The exit code of the program that ends with this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.who {
            Who::Data => 1,
            Who::Author => 2,
            Who::Operator => 3,
            Who::Us => 4,
            Who::Nobody(signal) => 128_u8.saturating_add(signal),
        }
    }
}

/// What an operator does about a failure of this kind, where that is clear.
fn next_step(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::NotFound => Some("check the path: it, or a folder on its way, is not there"),
        ErrorKind::NotADirectory => Some("check the path: what it names as a folder is a file"),
        ErrorKind::PermissionDenied => {
            Some("give the user who runs this the right to it, or name a path that they may use")
        }
        ErrorKind::StorageFull => {
            Some("make room on the disk, and run again: what was published still stands")
        }
        ErrorKind::ReadOnlyFilesystem => {
            Some("mount the file system for writing, or name a path on another one")
        }
        _ => None,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::bug(format!("arrow: {error}")).because(error)
    }
}

impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::bug(format!("polars: {error}")).because(error)
    }
}
