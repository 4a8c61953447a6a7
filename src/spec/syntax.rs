//! Text → text that is TOML throughout: a line that is none is reported and blanked.
//!
//! The parser's own recovery may lose everything behind a broken line; blanking keeps every other span as it is.

use super::{Problems, Span};
use toml::de::{DeTable, Error};

/// No pipeline is larger than this; reading a text takes time and memory in proportion.
const LIMIT_BYTES: usize = 1 << 20;

/// Broken lines after which no further ones are looked for.
const LIMIT_BROKEN: usize = 50;

/// The text with blanks for every line that is no TOML, each of which is reported, as is every key declared twice.
pub(super) fn repaired(text: &str, problems: &mut Problems) -> String {
    if text.len() > LIMIT_BYTES {
        problems.syntax(Span::default(), format!("the file is larger than {LIMIT_BYTES} bytes"));
        return String::new();
    }
    let mut text = text.to_owned();
    for _ in 0..LIMIT_BROKEN {
        let (_, errors) = DeTable::parse_recoverable(&text);
        let breaks = errors.iter().filter(|error| !is_about_keys(error)).min_by_key(|error| place(error));
        let Some(error) = breaks else {
            errors.iter().for_each(|error| report_key(error, &text, problems));
            break;
        };
        let line = line_around(&text, place(error).start);
        problems.syntax(within(place(error), line), error.message());
        match blank(&text, line) {
            Some(blanked) => text = blanked,
            None => break,
        }
    }
    text
}

fn report_key(error: &Error, text: &str, problems: &mut Problems) {
    let span = place(error);
    let key = text.get(span.start..span.end).unwrap_or_default();
    match error.message() {
        "duplicate key" => problems.add(span, format!("`{key}` is declared twice"), "remove one, or join the two"),
        message => problems.add(span, format!("`{key}`: {message}"), "a name is a value or a table, not both"),
    }
}

/// Errors about keys leave a tree that can be walked.
fn is_about_keys(error: &Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend value")
}

fn place(error: &Error) -> Span {
    error.span().unwrap_or_default().into()
}

/// The line that a byte stands in; for a broken table header, everything up to the next header,
/// lest its keys go to the table before it.
fn line_around(text: &str, byte: usize) -> Span {
    let byte = byte.min(text.len());
    let start = text.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let rest = text.get(start..).unwrap_or_default();
    let mut length = rest.find('\n').unwrap_or(rest.len());
    if rest.trim_start_matches([' ', '\t']).starts_with('[') {
        length = rest.find("\n[").unwrap_or(rest.len());
    }
    Span { start, end: start + length }
}

/// The text with spaces in place of these bytes; `None` if nothing was left to blank.
fn blank(text: &str, line: Span) -> Option<String> {
    let before = text.get(..line.start)?;
    let broken = text.get(line.start..line.end)?;
    let after = text.get(line.end..)?;
    if broken.trim().is_empty() {
        return None;
    }
    let spaces: String = broken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    Some(format!("{before}{spaces}{after}"))
}

/// A span of at least one byte that stays inside a line.
fn within(span: Span, line: Span) -> Span {
    let start = span.start.clamp(line.start, line.end.saturating_sub(1));
    Span { start, end: span.end.clamp(start + 1, line.end.max(start + 1)) }
}
