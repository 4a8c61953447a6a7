//! Names, types and expressions of the model → SQL text. Names are quoted; data never comes here.

use crate::model::{EventType, Expression, FieldRef, KeyColumn, Operator, ValueType};

/// An identifier, whatever is in it.
pub(crate) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A name that the pipeline gives, as a value.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A table of a schema.
pub(crate) fn table(schema: &str, table: &str) -> String {
    format!("{}.{}", name(schema), name(table))
}

/// A column of an alias.
pub(crate) fn column(alias: &str, column: &str) -> String {
    format!("{alias}.{}", name(column))
}

/// Columns of an alias, for a list.
pub(crate) fn columns(alias: &str, names: &[String]) -> String {
    names.iter().map(|name| column(alias, name)).collect::<Vec<_>>().join(", ")
}

/// The names of key columns.
pub(crate) fn names(keys: &[KeyColumn]) -> Vec<String> {
    keys.iter().map(|key| key.name.clone()).collect()
}

/// DuckDB's name of a type.
pub(crate) fn type_name(value_type: ValueType) -> String {
    match value_type {
        ValueType::Text => "VARCHAR".to_owned(),
        ValueType::Integer => "BIGINT".to_owned(),
        ValueType::Decimal { precision, scale } => format!("DECIMAL({precision}, {scale})"),
        ValueType::Boolean => "BOOLEAN".to_owned(),
        ValueType::Date => "DATE".to_owned(),
        ValueType::Timestamp => "TIMESTAMP".to_owned(),
    }
}

/// A value of a type.
pub(crate) fn cast(value: &str, value_type: ValueType) -> String {
    format!("CAST({value} AS {})", type_name(value_type))
}

/// A field of an event that stands under the alias `e` (see [`super::source::scan`]).
pub(crate) fn field(event: &EventType, reference: FieldRef) -> String {
    let field = name(&event.field(reference).name);
    match reference.list {
        None => format!("e.{field}"),
        Some(_) => format!("e._item.{field}"),
    }
}

/// The event, under the alias `e`, did not carry the field at all, which is not the same as null: the store
/// lists the paths of what was absent (DESIGN 7). True, or else false or null.
pub(crate) fn absent(event: &EventType, reference: FieldRef) -> String {
    let value = field(event, reference);
    let field = &event.field(reference).name;
    let path = match reference.list.and_then(|list| event.lists.get(list)) {
        None => literal(field),
        Some(list) => {
            let (before, behind) = (literal(&format!("{}[", list.name)), literal(&format!("].{field}")));
            format!("{before} || (e._no - 1)::VARCHAR || {behind}")
        }
    };
    format!("({value} IS NULL AND list_contains(string_split(e._absent, ','), {path}))")
}

/// An exact number.
pub(crate) fn number(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// An expression; the callers say how a field and a measure are written.
pub(crate) fn expression(
    expression: &Expression,
    field: &dyn Fn(FieldRef) -> String,
    measure: &dyn Fn(usize) -> String,
) -> String {
    match expression {
        Expression::Number { unscaled, scale } => format!("({})", number(*unscaled, *scale)),
        Expression::Field(reference) => field(*reference),
        Expression::Measure(index) => measure(*index),
        Expression::Negate(inner) => format!("(-{})", self::expression(inner, field, measure)),
        Expression::Binary { operator, left, right } => {
            let operator = match operator {
                Operator::Add => "+",
                Operator::Subtract => "-",
                Operator::Multiply => "*",
            };
            let left = self::expression(left, field, measure);
            let right = self::expression(right, field, measure);
            format!("({left} {operator} {right})")
        }
    }
}

/// `a AND b AND c`, or true of nothing.
pub(crate) fn all(conditions: impl IntoIterator<Item = String>) -> String {
    joined(conditions, " AND ", "true")
}

/// `a OR b OR c`, or false of nothing.
pub(crate) fn any(conditions: impl IntoIterator<Item = String>) -> String {
    joined(conditions, " OR ", "false")
}

fn joined(conditions: impl IntoIterator<Item = String>, operator: &str, none: &str) -> String {
    let conditions: Vec<String> = conditions.into_iter().collect();
    if conditions.is_empty() { none.to_owned() } else { format!("({})", conditions.join(operator)) }
}

/// Both sides have the same values in these columns; a null equals a null.
pub(crate) fn same(left: &str, right: &str, names: &[String]) -> String {
    all(names
        .iter()
        .map(|name| format!("{} IS NOT DISTINCT FROM {}", column(left, name), column(right, name))))
}

/// Both sides have the same values in these columns, none of them null: what joins hash.
pub(crate) fn equal(left: &str, right: &str, names: &[String]) -> String {
    all(names.iter().map(|name| format!("{} = {}", column(left, name), column(right, name))))
}

/// None of these columns is null.
pub(crate) fn present(alias: &str, names: &[String]) -> String {
    all(names.iter().map(|name| format!("{} IS NOT NULL", column(alias, name))))
}
