//! A line as a whole: exactly one object, and a helpful word if it is something else.

use super::{Scanner, Scratch};
use crate::log::reject::{Code, Flaw};
use crate::model::Limits;

/// Whether these bytes are one object and nothing else.
pub fn whole_object(line: &[u8], limits: &Limits) -> bool {
    if std::str::from_utf8(line).is_err() {
        return false;
    }
    let mut scanner = Scanner::new(line, limits);
    scanner.open_line().is_ok()
        && scanner.value(0, &mut Scratch::default()).is_ok()
        && scanner.close_line().is_ok()
}

const ONE_A_LINE: &str = "a log has one whole object a line (NDJSON)";

impl Scanner<'_> {
    /// Moves to the object that the line must be.
    pub fn open_line(&mut self) -> Result<(), Flaw> {
        self.space();
        match self.peek() {
            Some(b'{') => Ok(()),
            Some(b'[') => Err(Flaw::new(
                Code::NotOneObject,
                format!("the line is or begins a list: {ONE_A_LINE}; this looks like a JSON array of events"),
            )),
            Some(b'}' | b']') => Err(pretty()),
            _ => Err(self.no_object()),
        }
    }

    /// The line must end where its object ended.
    pub fn close_line(&mut self) -> Result<(), Flaw> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(b'{') => {
                Err(Flaw::new(Code::NotOneObject, format!("a second object in the line: {ONE_A_LINE}")))
            }
            Some(b',' | b']') => Err(Flaw::new(
                Code::NotOneObject,
                format!(
                    "the object is followed by a comma or bracket: {ONE_A_LINE}; this looks like a JSON array of events"
                ),
            )),
            Some(_) => Err(self.syntax("the end of the line")),
        }
    }

    fn no_object(&mut self) -> Flaw {
        let was_text = self.peek() == Some(b'"');
        if let Err(flaw) = self.token() {
            return flaw;
        }
        self.space();
        match self.peek() {
            None => Flaw::new(Code::NotObject, "the line is a value, not an object"),
            Some(b':') if was_text => pretty(),
            Some(b',') => pretty(),
            Some(_) => self.syntax("the end of the line"),
        }
    }
}

/// A better word for a line that breaks off behind `{`, `[` or `,`.
pub fn looks_pretty_printed(line: &[u8]) -> Option<Flaw> {
    matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b',')).then(pretty)
}

fn pretty() -> Flaw {
    Flaw::new(
        Code::NotOneObject,
        format!("part of an object laid out over several lines: {ONE_A_LINE}; this looks pretty-printed"),
    )
}
