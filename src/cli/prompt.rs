//! A prompt: lines up to a semicolon → a question, over and over.

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use starlog::error::{Error, Result};
use starlog::query::is_complete;

use super::failure::{is_closed_pipe, note, say};
use super::query::Asker;

const FIRST_LINE: &str = "starlog> ";
const NEXT_LINE: &str = "     ... ";

const HELP: &str = "SHOW TABLES names the tables; a question ends with ; and all of this with quit or ctrl-D";

const MORE_HELP: &str = "\
SHOW TABLES;                 the tables of the release
SHOW ALL TABLES;             with star.* (whole dimensions), log.* (events) and log.rejects
DESCRIBE fact_NAME;          the columns of a table
SELECT ... ;                 a question may go over several lines, and ends with ;
quit                         or exit, or ctrl-D";

/// Answers questions until there are no more. An error is told, and the next question awaited.
pub fn ask_on(asker: &Asker) -> Result<()> {
    note(HELP);
    let mut editor = DefaultEditor::new().map_err(no_prompt)?;
    let mut text = String::new();
    loop {
        match editor.readline(if text.is_empty() { FIRST_LINE } else { NEXT_LINE }) {
            Ok(line) if text.is_empty() && is_farewell(&line) => return Ok(()),
            Ok(line) if text.is_empty() && is_cry_for_help(&line) => note(MORE_HELP),
            Ok(line) => text.push_str(&format!("{line}\n")),
            // Begins the question anew.
            Err(ReadlineError::Interrupted) => text.clear(),
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(no_prompt(error)),
        }
        if text.trim().is_empty() {
            text.clear();
        } else if is_complete(&text) {
            // A question that is not remembered is still answered.
            let _ = editor.add_history_entry(text.trim_end());
            match asker.ask(&text) {
                Err(error) if is_closed_pipe(&error) => return Err(error),
                Err(error) => say(&error),
                Ok(()) => {}
            }
            text.clear();
        }
    }
}

fn is_cry_for_help(line: &str) -> bool {
    matches!(line.trim().trim_end_matches(';'), "help" | ".help" | "?" | "\\h" | "\\?")
}

fn is_farewell(line: &str) -> bool {
    matches!(line.trim().trim_end_matches(';'), "exit" | "quit" | ".exit" | ".quit" | "\\q")
}

fn no_prompt(error: ReadlineError) -> Error {
    Error::operator(format!("there can be no prompt here: {error}"))
        .next("give the SQL as an argument: starlog query 'SHOW TABLES'")
}
