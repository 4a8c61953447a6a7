//! An expression in a text of the pipeline → the places of its parts in the pipeline's own text.

use crate::spec::Span;
use std::ops::Range;

/// Where an expression's text stands in the pipeline's.
pub(super) struct Place {
    whole: Span,
    /// The byte at which the expression's text starts, if it stands there as it is, without escapes.
    verbatim: Option<usize>,
}

impl Place {
    /// `span` is where the text stands, with its quotes if it has some.
    pub fn of(text: &str, span: Span, pipeline: &str) -> Self {
        let written = pipeline.get(span.start..).unwrap_or_default();
        let quotes = ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'", ""];
        let within = |quote: &&str| written.strip_prefix(quote).is_some_and(|rest| rest.starts_with(text));
        let quote = quotes.into_iter().find(within);
        Self { whole: span, verbatim: quote.map(|quote| span.start + quote.len()) }
    }

    pub fn span(&self, part: Range<usize>) -> Span {
        self.verbatim.map_or(self.whole, |first| Span { start: first + part.start, end: first + part.end })
    }
}
