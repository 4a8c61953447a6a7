//! Names, texts, paths and types as SQL text. All SQL that this room composes is quoted here.

use std::path::Path;

use crate::error::{Error, Result};

/// A quoted identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted identifier within its schema.
pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// A text literal. DuckDB gives the backslash no meaning inside plain quotes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A path as a text literal.
pub(super) fn path(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(literal(text)),
        None => Err(Error::operator(format!("the path {} is not UTF-8 text", path.display()))
            .next("move the warehouse to a folder whose name is UTF-8 text")),
    }
}

/// A list of literals.
pub(super) fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}
