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
    if text.starts_with("IO Error") {
        return Error::operator(text).next("check that the warehouse's files are whole and readable");
    }
    if text.starts_with("Out of Memory Error") {
        return Error::operator(text).next("give it more memory: --memory 4GB");
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
    Error::author(text)
}

/// A table or view of the release could not be opened.
pub(super) fn of_relation(schema: &str, name: &str, error: &duckdb::Error) -> Error {
    let table = if schema == "main" { name.to_owned() } else { format!("{schema}.{name}") };
    Error::operator(format!("cannot open {table}: {}", message(error)))
        .next("check that the warehouse's files are whole and readable")
}

/// DuckDB refused a setting or a question of our own.
pub(super) fn of_ours(action: &str, error: &duckdb::Error) -> Error {
    Error::bug(format!("DuckDB cannot {action}: {}", message(error)))
}

/// Where DuckDB finds no file of a name, it looks for a directory of that name, and is refused.
fn missing_file(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Permission Error: Cannot access file \"")?;
    let (path, _) = rest.split_once("\" - ")?;
    path.strip_suffix("/**/*.parquet").filter(|file| file.ends_with(".parquet"))
}
