//! What the checks found, for people and for the manifest.

use crate::error::{Error, Result};
use std::fmt::{self, Write};

/// A check that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The check's name.
    pub check: String,
    /// How many rows break it.
    pub count: u64,
    /// A few of them, as `{'column': value, ...}`; text in them is data, not made safe for a terminal.
    pub examples: Vec<String>,
}

/// The check with its number of rows, and below it the examples.
impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.count == 1 { "row" } else { "rows" };
        write!(formatter, "{} ({} {rows})", self.check, self.count)?;
        self.examples.iter().try_for_each(|example| write!(formatter, "\n    {}", printable(example)))
    }
}

/// A control total: one additive measure over all placed lines, from the log's lines and from the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// `fact_orders.net_amount`.
    pub name: String,
    /// By the log, exact, as text.
    pub log: Option<String>,
    /// By the ledger.
    pub table: Option<String>,
}

/// What the checks of one release found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many checks hold or do not.
    pub checks: usize,
    /// How many of them a proof showed.
    pub proved: usize,
    pub violations: Vec<Violation>,
    pub totals: Vec<Total>,
}

impl Report {
    /// The report itself if every check holds; else the violations as an error of the data.
    pub fn verdict(self) -> Result<Self> {
        if self.violations.is_empty() {
            return Ok(self);
        }
        let mut message = format!("{} of {} checks failed", self.violations.len(), self.checks);
        for violation in &self.violations {
            // Writing to a String cannot fail.
            let _ = write!(message, "\n  {violation}");
        }
        Err(Error::data(message)
            .next("nothing was published; the log keeps its new events and the old release stays current"))
    }
}

/// Control characters of data, made visible.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escaped = escape.then(|| c.escape_default());
            let plain = (!escape).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}
