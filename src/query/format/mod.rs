//! An answer → text for a person or a program.
//!
//! Table and Markdown are for eyes: what a terminal would obey is escaped. CSV and JSON are for programs:
//! they carry every value as it is; `csv-safe` is for spreadsheets, which would compute some of them.

mod csv;
mod json;
mod markdown;
mod table;

use std::io::{self, Write};

use super::answer::Answer;
use crate::error::{Error, Result};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines and columns for a terminal.
    #[default]
    Table,
    /// Comma-separated with a header, as RFC 4180 but with `\n`; null is nothing, an empty text is `""`.
    Csv,
    /// The same for a spreadsheet: a text that it would compute (`=…`, `+…`, `-…`, `@…`) has an apostrophe before it.
    CsvSafe,
    /// One array of objects.
    Json,
    /// One object a line.
    Jsonl,
    /// A table in GitHub's Markdown.
    Markdown,
}

/// How much of an answer a table may show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limit {
    /// Rows of a table; the other formats have no limit.
    pub rows: Option<u64>,
    /// Characters in a line of a table; longer ones are folded.
    pub width: Option<u16>,
}

/// What became of an answer's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub rows: u64,
    /// Rows beyond the limit.
    pub left_out: u64,
}

impl Format {
    /// Writes a whole answer. Only a table is held in memory, up to its limit.
    ///
    /// # Errors
    ///
    /// The question fails while it is computed, or the text cannot be written: then the error's source
    /// is the [`io::Error`].
    pub fn write(self, answer: &mut Answer<'_>, limit: Limit, out: &mut dyn Write) -> Result<Written> {
        match self {
            Self::Table if answer.is_plan() => table::write_plan(answer, out),
            Self::Table => table::write(answer, limit, out),
            Self::Csv => csv::write(answer, false, out),
            Self::CsvSafe => csv::write(answer, true, out),
            Self::Json => json::write_array(answer, out),
            Self::Jsonl => json::write_lines(answer, out),
            Self::Markdown => markdown::write(answer, out),
        }
    }
}

/// Text that is handed on in pieces of some size.
struct Sink<'o> {
    text: String,
    out: &'o mut dyn Write,
}

const PIECE_BYTES: usize = 64 * 1024;

impl<'o> Sink<'o> {
    fn new(out: &'o mut dyn Write) -> Self {
        Self { text: String::with_capacity(PIECE_BYTES + 4096), out }
    }

    /// Hands the text on if there is enough of it.
    fn flow(&mut self) -> Result<()> {
        if self.text.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(self.text.as_bytes()).map_err(cannot_write)?;
        self.text.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.out.flush().map_err(cannot_write)
    }
}

fn cannot_write(error: io::Error) -> Error {
    Error::operator(format!("cannot write the answer: {error}")).because(error)
}
