//! [`Question`] → Arrow batches, one after another while DuckDB computes them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use duckdb::core::{LogicalTypeHandle, LogicalTypeId};
use duckdb::{Connection, Statement};

use super::fault;
use super::read_only::Question;
use crate::error::{Error, Result};

/// The rows that answer one question.
pub struct Answer<'s> {
    statement: Statement<'s>,
    schema: SchemaRef,
    is_plan: bool,
}

impl<'s> Answer<'s> {
    pub(super) fn open(connection: &'s Connection, question: &Question) -> Result<Self> {
        let faulty = |error: duckdb::Error| fault::of_question(&error);
        let mut statement = connection.prepare(&question.sql).map_err(faulty)?;
        if statement.parameter_count() > 0 {
            return Err(
                Error::author("the SQL leaves a value open").next("write the value instead of ? or $1")
            );
        }
        let schema = statement.stream_arrow([]).map_err(faulty)?.get_schema();
        for column in 0..schema.fields().len() {
            if let Some(type_name) = lost_in_arrow(&statement.column_logical_type(column)) {
                return Err(Error::author(format!(
                    "column {} of type {type_name} cannot be shown",
                    column + 1
                ))
                .next("cast it to VARCHAR"));
            }
        }
        Ok(Self { statement, schema, is_plan: question.is_plan })
    }

    /// The columns of the answer.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows, or `None` at the end.
    ///
    /// # Errors
    ///
    /// The question fails at these rows: a text is no number, a sum is too large.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        // DuckDB's own iterator over Arrow batches panics where this returns an error.
        let rows = self.statement.step().map_err(|error| fault::of_question(&error))?;
        Ok(rows.map(|rows| RecordBatch::from(&rows)))
    }

    /// Whether the answer is a plan (`EXPLAIN`), whose second column is to be shown line by line.
    #[must_use]
    pub fn is_plan(&self) -> bool {
        self.is_plan
    }
}

/// Types that DuckDB hands over with other values than its own: a large unsigned integer as a signed
/// one, a time without its zone, the bytes inside of bits and of big numbers.
fn lost_in_arrow(logical_type: &LogicalTypeHandle) -> Option<&'static str> {
    match logical_type.id() {
        LogicalTypeId::UHugeint => Some("UHUGEINT"),
        LogicalTypeId::TimeTZ => Some("TIME WITH TIME ZONE"),
        LogicalTypeId::Bit => Some("BIT"),
        LogicalTypeId::Bignum => Some("BIGNUM"),
        _ => (0..logical_type.num_children()).find_map(|index| lost_in_arrow(&logical_type.child(index))),
    }
}
