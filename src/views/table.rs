//! Rows as DuckDB hands them out → the table of a declared view: types and names as the model says, comments for people.

use super::declared::adds_up;
use crate::error::{Error, Result};
use crate::layout::{COMMENT, Table};
use crate::model::{Aggregate, Column, Fact, Held, Holds, Question};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema};
use std::collections::HashMap;
use std::sync::Arc;

/// The SELECT that puts rows in the order of the table, groups without a value first.
pub(super) fn in_order(question: &Question, rows: &str) -> String {
    let columns: Vec<String> = question.held().iter().map(|held| crate::ask::name(&held.name)).collect();
    let order: Vec<String> = (1..=question.by.len()).map(|place| format!("{place} NULLS FIRST")).collect();
    let order = if order.is_empty() { String::new() } else { format!("\nORDER BY {}", order.join(", ")) };
    format!("SELECT {}\nFROM ({rows}){order}", columns.join(", "))
}

/// The table, and the columns whose sums are its control totals.
pub(super) fn table(
    name: &str,
    question: &Question,
    fact: &Fact,
    rows: &RecordBatch,
) -> Result<(Table, Vec<String>)> {
    let held = question.held();
    if held.len() != rows.num_columns() {
        return Err(Error::bug(format!("the view {name} has {} columns", rows.num_columns())));
    }
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (held, array) in held.iter().zip(rows.columns()) {
        let field = Field::new(&held.name, held.value_type.arrow(), may_be_null(fact, held));
        let comment = HashMap::from([(COMMENT.to_owned(), comment(fact, held))]);
        arrays.push(cast(array, field.data_type())?);
        fields.push(field.with_metadata(comment));
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    let sorted_by = question.by.iter().map(|group| group.name.clone()).collect();
    let is_total = |held: &&Held| {
        matches!(held.what, Holds::Number(Aggregate::Rows | Aggregate::Count(_) | Aggregate::Sum(_)))
    };
    let totals = held.iter().filter(is_total).map(|held| held.name.clone()).collect();
    Ok((Table { name: name.to_owned(), sorted_by, batch }, totals))
}

fn may_be_null(fact: &Fact, held: &Held) -> bool {
    match &held.what {
        Holds::Group(_) => true,
        Holds::Number(Aggregate::Distinct(_)) => false,
        Holds::Number(_) => !adds_up(fact, held),
    }
}

fn comment(fact: &Fact, held: &Held) -> String {
    let shown = |column: &Column| column.shown(fact);
    let of = |what: &str, column: &Column| format!("{what} {} in the rows of the group", shown(column));
    match &held.what {
        Holds::Group(column) => {
            format!("{}, by which rows of fact_{} are put together", shown(column), fact.name)
        }
        Holds::Number(aggregate) => match aggregate {
            Aggregate::Rows => format!("How many rows of fact_{} the group has", fact.name),
            Aggregate::Count(column) => of("How many values of", column),
            Aggregate::Sum(column) => of("Sum of", column),
            Aggregate::Average(column) => of("Average of", column),
            Aggregate::Least(column) => of("Least", column),
            Aggregate::Greatest(column) => of("Greatest", column),
            Aggregate::Distinct(columns) => {
                let columns: Vec<String> = columns.iter().map(shown).collect();
                format!(
                    "How many different {} the rows of the group have; to be summed over no groups",
                    columns.join(" and ")
                )
            }
        },
    }
}
