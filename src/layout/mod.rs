//! Logical relations → physical tables, and back: how does it lie on disk? (DESIGN 24)
//!
//! History yields each dimension as one wide relation. [`Layout::Star`] keeps it, [`Layout::Snowflake`]
//! splits it by level; joining the tables of either gives the wide relation back, row for row.
//! Facts and dates are the same tables in both.
//!
//! This room is the only one that knows what a layout does: it never touches a file, and a value of a
//! fact never depends on it.

mod big;
mod comment;
mod fact_comment;
mod level;
mod link;
mod plain;
mod snowflake;
mod way;
mod wide;

pub use big::{BigTable, big_column_name, big_table_name};
pub use fact_comment::{date_table, fact_schema};
pub use link::{Link, links};
pub use way::{Step, way};
pub use wide::{entity_sql, wide_sql};

use crate::error::{Error, Result};
use crate::model::Dimension;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use level::{PARENT_KEY, key_name, table_name};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How dimensions lie on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// One wide table for each dimension. What is built if nobody says otherwise.
    #[default]
    Star,
    /// One table for each level of a dimension.
    Snowflake,
}

impl Layout {
    /// Every layout there is.
    pub const ALL: [Self; 2] = [Self::Star, Self::Snowflake];

    /// Whether the levels of a dimension are tables of their own.
    #[must_use]
    pub fn has_levels(self) -> bool {
        match self {
            Self::Star => false,
            Self::Snowflake => true,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Star => "star",
            Self::Snowflake => "snowflake",
        })
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|layout| layout.to_string() == text).ok_or_else(|| {
            Error::author(format!("there is no layout `{text}`")).next("layouts are: star, snowflake")
        })
    }
}

/// A table as it will lie on disk. Every field bears its comment under the metadata key [`COMMENT`].
#[derive(Debug, Clone)]
pub struct Table {
    /// `dim_<level>` or `dim_date`.
    pub name: String,
    /// The columns that the rows are sorted by, ascending.
    pub sorted_by: Vec<String>,
    pub batch: RecordBatch,
}

/// The metadata key of a field's comment.
pub const COMMENT: &str = "comment";

/// The tables of one dimension.
///
/// `entities` holds one wide batch for each entity of the dimension, the lowest first, sorted by key,
/// the reserved rows -2 and -1 first.
///
/// # Errors
///
/// A batch that is not so is a bug of `history`.
pub fn tables(layout: Layout, dimension: &Dimension, entities: &[RecordBatch]) -> Result<Vec<Table>> {
    if entities.len() != dimension.entities.len() {
        return Err(Error::bug(format!(
            "dimension {} has {} entities, but {} batches came",
            dimension.name,
            dimension.entities.len(),
            entities.len()
        )));
    }
    match layout {
        Layout::Star => Ok(vec![star(dimension, entities)?]),
        Layout::Snowflake => snowflake::tables(dimension, entities),
    }
}

/// The wide relation of a dimension as one table, whatever the layout: the columns of [`wide_sql`].
///
/// # Errors
///
/// As for [`tables`].
pub fn wide_table(dimension: &Dimension, entities: &[RecordBatch]) -> Result<Table> {
    star(dimension, entities)
}

/// The wide relation of the lowest entity as it is, without the link to its parent's row.
fn star(dimension: &Dimension, entities: &[RecordBatch]) -> Result<Table> {
    let wide = entities.first().ok_or_else(|| Error::bug("a dimension has no entity"))?;
    let key = key_name(&dimension.name);
    let mut comments = comment::columns(dimension);
    comments.insert(key.clone(), comment::entity_key(&dimension.name));
    let mut columns = Vec::new();
    for (field, array) in wide.schema_ref().fields().iter().zip(wide.columns()) {
        if field.name() != PARENT_KEY {
            let comment = comments.remove(field.name()).ok_or_else(|| no_comment(field.name()))?;
            columns.push((commented(field, &comment), Arc::clone(array)));
        }
    }
    table(table_name(&dimension.name), vec![key], columns)
}

fn table(name: String, sorted_by: Vec<String>, columns: Vec<(Field, ArrayRef)>) -> Result<Table> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    Ok(Table { name, sorted_by, batch })
}

fn commented(field: &Field, comment: &str) -> Field {
    field.clone().with_metadata(HashMap::from([(COMMENT.to_owned(), comment.to_owned())]))
}

fn no_comment(column: &str) -> Error {
    Error::bug(format!("column {column} has no comment"))
}
