//! What is wrong with a pipeline: each problem with its place and a hint; all of them as one error.

use super::{Span, closest, list};
use crate::error::Error;
use miette::{Diagnostic, NamedSource, Report, SourceSpan};
use std::sync::Arc;

/// One mistake of the pipeline's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub span: Span,
    /// One sentence, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub certainty: Certainty,
}

/// Whether a problem may only follow from a line that could not be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The text is no TOML here: what stood here is unknown.
    Syntax,
    /// A mistake, whatever else the text holds.
    Certain,
    /// Something is missing; it may stand in a line that could not be parsed.
    Absence,
}

/// All the problems of one pipeline, as they are found.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// Causes that were reported; see [`Problems::first_of`].
    causes: Vec<(Span, String)>,
    /// Names of tables that hold a mistake of writing; see [`Problems::doubts`].
    doubted: Vec<Span>,
    /// Whether what is missing now may follow from a mistake that was reported.
    in_doubt: bool,
}

impl Problems {
    /// A mistake.
    pub fn add(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()), Certainty::Certain);
    }

    /// Text that is no TOML.
    pub fn syntax(&mut self, span: Span, message: impl Into<String>) {
        let hint = "this is no TOML; what it may have declared is not reported as missing";
        self.push(span, message.into(), Some(hint.to_owned()), Certainty::Syntax);
    }

    /// Something that should be there and is not.
    pub fn absent(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()), Certainty::Absence);
    }

    /// A name that refers to nothing. `known` are the names that could have been meant.
    pub fn unknown<'n>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let (hint, certainty) = match closest(name, known.iter().copied()) {
            Some(meant) => (Some(format!("did you mean `{meant}`?")), Certainty::Certain),
            None if known.is_empty() => (Some("none is declared".to_owned()), Certainty::Absence),
            None => (Some(format!("known here: {}", list(known))), Certainty::Absence),
        };
        self.push(span, message.into(), hint, certainty);
    }

    /// Whether this is the first time that this is reported of what stands here. One slip may show at many places.
    pub fn first_of(&mut self, place: Span, cause: impl Into<String>) -> bool {
        let cause = (place, cause.into());
        let is_first = !self.causes.contains(&cause);
        self.causes.push(cause);
        is_first
    }

    /// Notes that the table of this name holds a mistake of writing: what is missing in it may be that very mistake.
    pub(super) fn doubt(&mut self, name: Span) {
        self.doubted.push(name);
    }

    /// Whether the table of this name holds a mistake of writing.
    #[must_use]
    pub fn doubts(&self, name: Span) -> bool {
        self.doubted.contains(&name)
    }

    /// Checks the table of this name. Where it holds a mistake of writing, nothing is reported as missing.
    pub fn within<T>(&mut self, name: Span, check: impl FnOnce(&mut Self) -> T) -> T {
        let in_doubt = self.doubts(name);
        self.within_doubt(in_doubt, check)
    }

    /// Checks something; in doubt, nothing is reported as missing.
    pub fn within_doubt<T>(&mut self, in_doubt: bool, check: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.in_doubt, in_doubt);
        let checked = check(self);
        self.in_doubt = before;
        checked
    }

    /// How many problems were found so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    fn push(&mut self, span: Span, message: String, hint: Option<String>, certainty: Certainty) {
        if self.in_doubt && certainty == Certainty::Absence {
            return;
        }
        let problem = Problem { span, message, hint, certainty };
        if !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Everything that is surely wrong, in the order of the text.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Problem> {
        let broken = self.found.iter().any(|problem| problem.certainty == Certainty::Syntax);
        let sure = |problem: &&Problem| !(broken && problem.certainty == Certainty::Absence);
        let mut problems: Vec<&Problem> = self.found.iter().filter(sure).collect();
        problems.sort_by_key(|problem| problem.span);
        problems
    }

    /// All problems as one error, ready to be shown with the lines that they are about.
    #[must_use]
    pub fn into_error(self, file_name: &str, text: &str) -> Error {
        let shown: Vec<Shown> = self.sorted().into_iter().map(|problem| Shown::new(problem, text)).collect();
        let count = shown.len();
        let what = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        let text = NamedSource::new(file_name, Arc::<str>::from(text)).with_language("TOML");
        let report = Report::new(AllShown { message: format!("{what} in {file_name}"), text, shown });
        Error::problems(count, file_name, report)
    }
}

/// A problem as miette shows it.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct Shown {
    message: String,
    #[label]
    place: SourceSpan,
    #[help]
    hint: Option<String>,
}

impl Shown {
    /// Only the first line of a place is marked: a mark over many lines hides the problem.
    fn new(problem: &Problem, text: &str) -> Self {
        let Span { start, end } = problem.span;
        let first_line = text.get(start..end).and_then(|marked| marked.lines().next()).map_or(0, str::len);
        let place = Span { start: start.min(text.len()), end: (start + first_line).min(text.len()) };
        Self { message: problem.message.clone(), place: place.into(), hint: problem.hint.clone() }
    }
}

/// All problems of a file.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct AllShown {
    message: String,
    #[source_code]
    text: NamedSource<Arc<str>>,
    #[related]
    shown: Vec<Shown>,
}
