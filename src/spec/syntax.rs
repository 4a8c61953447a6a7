//! Text → text that is TOML throughout: a statement that is none is reported and blanked.
//!
//! The parser's own recovery may lose everything behind a mistake; blanking keeps every other span as it is.

use super::statement::{self, Statement};
use super::{Problems, Span};
use toml::de::{DeTable, Error};

/// No pipeline is larger than this; reading a text takes time and memory in proportion.
const LIMIT_BYTES: usize = 1 << 20;

/// Broken statements after which no further ones are looked for.
const LIMIT_BROKEN: usize = 50;

/// The text with blanks for every statement that is no TOML, each of which is reported, as is every key declared twice.
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
        match statement::around(&text, place(error).start) {
            Statement::Closed(statement) => {
                problems.syntax(within(place(error), statement), error.message());
                text = blank(&text, statement);
            }
            Statement::Unclosed { opening, blanked } => {
                problems.syntax(opening, "a bracket or a text that is opened here is never closed");
                text = blank(&text, blanked);
            }
            Statement::Nothing => {
                problems.syntax(place(error), error.message());
                break;
            }
        }
    }
    text
}

fn report_key(error: &Error, text: &str, problems: &mut Problems) {
    let span = place(error);
    let key = text.get(span.start..span.end).unwrap_or_default();
    match error.message() {
        "duplicate key" => {
            problems.add(span, format!("`{key}` is declared twice"), "remove one, or join the two");
        }
        message => {
            problems.add(span, format!("`{key}`: {message}"), "a name is a value or a table, not both")
        }
    }
}

/// Errors about keys leave a tree that can be walked.
fn is_about_keys(error: &Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend value")
}

fn place(error: &Error) -> Span {
    error.span().unwrap_or_default().into()
}

/// The text with spaces in place of these bytes.
fn blank(text: &str, part: Span) -> String {
    let spaced = text.bytes().enumerate().map(|(index, byte)| {
        let is_inside = (part.start..part.end).contains(&index);
        if is_inside && byte != b'\n' { b' ' } else { byte }
    });
    // Statements start and end at the ends of lines, so no character is cut.
    String::from_utf8(spaced.collect()).unwrap_or_default()
}

/// A span of at least one byte that stays inside a statement.
fn within(span: Span, statement: Span) -> Span {
    let start = span.start.clamp(statement.start, statement.end.saturating_sub(1));
    Span { start, end: span.end.clamp(start + 1, statement.end.max(start + 1)) }
}
