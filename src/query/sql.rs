//! Names, texts, paths and types as SQL text. All SQL that this room composes is quoted here.

use std::path::Path;

use arrow::datatypes::DataType;

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

/// How DuckDB calls a type.
pub(super) fn type_name(data_type: &DataType) -> Result<String> {
    Ok(match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BLOB".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::List(item) | DataType::LargeList(item) => format!("{}[]", type_name(item.data_type())?),
        DataType::Struct(fields) => {
            let members = fields
                .iter()
                .map(|field| Ok(format!("{} {}", identifier(field.name()), type_name(field.data_type())?)))
                .collect::<Result<Vec<_>>>()?;
            format!("STRUCT({})", members.join(", "))
        }
        other => return Err(Error::bug(format!("no DuckDB type for {other}"))),
    })
}
