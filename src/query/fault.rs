//! DuckDB's errors → ours: who must act on what DuckDB says?

use crate::error::Error;

/// What DuckDB said, without the text of the Rust layer around it.
pub(super) fn message(error: &duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// A question could not be answered. Most often it is the question's fault.
pub(super) fn of_question(error: &duckdb::Error) -> Error {
    let text = message(error);
    if let Some(error) = of_machine(&text) {
        return error;
    }
    if text.starts_with("INTERNAL Error") || text.starts_with("FATAL Error") {
        return Error::bug(text);
    }
    if let Some(file) = missing_file(&text) {
        return Error::operator(format!("{file} is not there any more"))
            .next("check that nobody removes files from the warehouse");
    }
    if text.starts_with("Permission Error") {
        return Error::author(text).next("a query reads the tables of the release and no other file");
    }
    if text.contains("Variant columns is not supported") {
        return Error::author("a VARIANT cannot be shown").next("cast it to JSON or VARCHAR");
    }
    if text.starts_with("Catalog Error: Table with name") {
        return Error::author(without_strangers(&text))
            .next("SHOW ALL TABLES names every table and its columns");
    }
    Error::author(text)
}

/// The machine gave out, whatever was asked.
fn of_machine(text: &str) -> Option<Error> {
    if text.starts_with("IO Error") {
        return Some(
            Error::operator(text)
                .next("check that the warehouse's files are whole and readable, and the disk not full"),
        );
    }
    text.starts_with("Out of Memory Error")
        .then(|| Error::operator(text).next("give it more memory: --memory 4GB"))
}

/// Without the suggestion of a table that is DuckDB's own: nobody who mistypes a name means those. Who
/// mistypes SHOW TABLES means no table at all.
fn without_strangers(text: &str) -> String {
    let is_shown = text.to_ascii_uppercase().contains("LINE 1: SHOW ");
    let is_strange = |line: &&str| {
        let own = ["\"pg_", "\"information_schema", "\"duckdb_", "\"sqlite_", "\"system.", "\"pragma_"];
        line.starts_with("Did you mean") && (is_shown || own.iter().any(|start| line.contains(start)))
    };
    text.lines().filter(|line| !is_strange(line)).collect::<Vec<_>>().join("\n")
}

/// A table or view of the release could not be opened.
pub(super) fn of_relation(schema: &str, name: &str, error: &duckdb::Error) -> Error {
    if let Some(error) = of_machine(&message(error)).filter(|_| message(error).starts_with("Out of")) {
        return error;
    }
    let table = if schema == "main" { name.to_owned() } else { format!("{schema}.{name}") };
    Error::operator(format!("cannot open {table}: {}", message(error)))
        .next("check that the warehouse's files are whole and readable")
}

/// DuckDB does not start.
pub(super) fn of_start(error: &duckdb::Error) -> Error {
    let text = message(error);
    of_machine(&text).unwrap_or_else(|| {
        Error::operator(format!("cannot start DuckDB: {text}"))
            .next("give it fewer threads or more memory: --threads 2 --memory 1GB")
    })
}

/// DuckDB refused a setting or a question of our own: our mistake, unless the machine gave out.
pub(super) fn of_ours(action: &str, error: &duckdb::Error) -> Error {
    if let Some(error) = of_machine(&message(error)) {
        return error;
    }
    Error::bug(format!("DuckDB cannot {action}: {}", message(error)))
}

/// Where DuckDB finds no file of a name, it looks for a directory of that name, and is refused.
fn missing_file(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Permission Error: Cannot access file \"")?;
    let (path, _) = rest.split_once("\" - ")?;
    path.strip_suffix("/**/*.parquet").filter(|file| file.ends_with(".parquet"))
}
