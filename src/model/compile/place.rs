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
    /// `span` is where the text stands with its quotes.
    pub fn of(text: &str, span: Span, pipeline: &str) -> Self {
        let at = |start: usize| pipeline.get(start..start + text.len()) == Some(text);
        let start = span.start;
        let quotes = ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'"];
        let quote =
            pipeline.get(start..).and_then(|rest| quotes.into_iter().find(|quote| rest.starts_with(quote)));
        let verbatim = start + quote.map_or(0, str::len);
        Self { whole: span, verbatim: at(verbatim).then_some(verbatim) }
    }

    pub fn span(&self, part: Range<usize>) -> Span {
        self.verbatim.map_or(self.whole, |first| Span { start: first + part.start, end: first + part.end })
    }
}
