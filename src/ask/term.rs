//! A condition → SQL text, from the tree alone: nothing of what an author typed is pasted.

use super::sql::{literal, type_name};
use crate::model::{Arithmetic, Column, Comparison, Function, Term};

/// How a column is called where the SQL is to stand.
pub(super) type Called<'c> = dyn Fn(&Column) -> String + 'c;

/// The condition. What could be read in two ways stands in parentheses.
pub(super) fn condition(term: &Term, called: &Called<'_>) -> String {
    let sql = |term: &Term| condition(term, called);
    let within = |term: &Term| match is_atom(term) {
        true => sql(term),
        false => format!("({})", sql(term)),
    };
    let not = |negated: bool| if negated { "NOT " } else { "" };
    match term {
        Term::Column(column) => called(column),
        Term::Text(text) => literal(text),
        Term::Number(number) => number.clone(),
        Term::Boolean(truth) => truth.to_string(),
        Term::Date(date) => format!("DATE '{date}'"),
        Term::Timestamp(instant) => format!("TIMESTAMP '{}'", instant.format("%Y-%m-%d %H:%M:%S%.6f")),
        Term::Negate(inner) => format!("-{}", within(inner)),
        Term::Arithmetic { operator, left, right } => {
            let sign = match operator {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
            };
            format!("{} {sign} {}", within(left), within(right))
        }
        Term::Cast(inner, value_type) => format!("CAST({} AS {})", sql(inner), type_name(*value_type)),
        Term::Call { function, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(sql).collect();
            format!("{}({})", function_name(*function), arguments.join(", "))
        }
        Term::Compare { operator, left, right } => {
            let sign = match operator {
                Comparison::Equal => "=",
                Comparison::Unequal => "<>",
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
            };
            format!("{} {sign} {}", value(left, called), value(right, called))
        }
        Term::In { term, list, negated } => {
            let list: Vec<String> = list.iter().map(sql).collect();
            format!("{} {}IN ({})", value(term, called), not(*negated), list.join(", "))
        }
        Term::Between { term, low, high, negated } => {
            let [term, low, high] = [term, low, high].map(|term| value(term, called));
            format!("{term} {}BETWEEN {low} AND {high}", not(*negated))
        }
        Term::Like { term, pattern, ignores_case, negated } => {
            let like = if *ignores_case { "ILIKE" } else { "LIKE" };
            format!("{} {}{like} {}", value(term, called), not(*negated), literal(pattern))
        }
        Term::IsNull { term, negated } => format!("{} IS {}NULL", value(term, called), not(*negated)),
        Term::Not(inner) => format!("NOT ({})", sql(inner)),
        Term::All(terms) => terms.iter().map(|term| conjunct(term, called)).collect::<Vec<_>>().join(" AND "),
        Term::Any(terms) => terms.iter().map(|term| disjunct(term, called)).collect::<Vec<_>>().join(" OR "),
    }
}

/// A condition as one of several that are joined by AND.
pub(super) fn conjunct(term: &Term, called: &Called<'_>) -> String {
    match term {
        Term::Any(_) => format!("({})", condition(term, called)),
        other => condition(other, called),
    }
}

/// AND binds closer than OR, but who remembers?
fn disjunct(term: &Term, called: &Called<'_>) -> String {
    match term {
        Term::All(_) => format!("({})", condition(term, called)),
        other => condition(other, called),
    }
}

/// One side of a comparison: arithmetic binds closer than any.
fn value(term: &Term, called: &Called<'_>) -> String {
    match is_atom(term) || matches!(term, Term::Arithmetic { .. } | Term::Negate(_)) {
        true => condition(term, called),
        false => format!("({})", condition(term, called)),
    }
}

fn is_atom(term: &Term) -> bool {
    matches!(
        term,
        Term::Column(_)
            | Term::Text(_)
            | Term::Number(_)
            | Term::Boolean(_)
            | Term::Date(_)
            | Term::Timestamp(_)
            | Term::Cast(..)
            | Term::Call { .. }
    )
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Lower => "lower",
        Function::Upper => "upper",
        Function::Trim => "trim",
        Function::Length => "length",
        Function::Substring => "substring",
        Function::StartsWith => "starts_with",
        Function::EndsWith => "suffix",
        Function::Contains => "contains",
        Function::Absolute => "abs",
        Function::Coalesce => "coalesce",
    }
}
