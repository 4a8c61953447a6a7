//! A condition as it is read → a [`Term`]: every name resolved, every type checked, so that no row can fail.

use super::clause::{Mistake, Node, What};
use super::column::{Subject, known};
use super::expression::exact;
use crate::model::{Function, Term, ValueType};
use chrono::{NaiveDate, NaiveDateTime};

/// What can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    Timestamp,
}

/// A value and its kind.
type Typed = (Term, Kind);

/// A condition of the rows of a fact.
pub(super) fn compile(subject: Subject<'_>, node: &Node, text: &str) -> Result<Term, Mistake> {
    Filter { subject, text }.truth(node)
}

struct Filter<'a> {
    subject: Subject<'a>,
    text: &'a str,
}

impl Filter<'_> {
    fn truth(&self, node: &Node) -> Result<Term, Mistake> {
        Ok(match &node.what {
            What::All(nodes) => Term::All(self.flat(nodes, |term| match term {
                Term::All(terms) => Ok(terms),
                other => Err(other),
            })?),
            What::Any(nodes) => Term::Any(self.flat(nodes, |term| match term {
                Term::Any(terms) => Ok(terms),
                other => Err(other),
            })?),
            What::Not(inner) => Term::Not(Box::new(self.truth(inner)?)),
            What::Compare(operator, left, right) => {
                let (left, right) = self.pair(left, right)?;
                Term::Compare { operator: *operator, left: Box::new(left), right: Box::new(right) }
            }
            What::In { term, list, negated } => {
                if list.is_empty() {
                    return Err(at(node, "a list of nothing", "name at least one value: `IN ('a', 'b')`"));
                }
                let value = self.value(term)?;
                let list = list
                    .iter()
                    .map(|item| self.like(&value, self.value(item)?, item))
                    .collect::<Result<_, _>>()?;
                Term::In { term: Box::new(value.0), list, negated: *negated }
            }
            What::Between { term, low, high, negated } => {
                let value = self.value(term)?;
                let low = Box::new(self.like(&value, self.value(low)?, low)?);
                let high = Box::new(self.like(&value, self.value(high)?, high)?);
                Term::Between { term: Box::new(value.0), low, high, negated: *negated }
            }
            What::Like { term, pattern, ignores_case, negated } => {
                let What::Text(pattern) = &pattern.what else {
                    return Err(at(pattern, "a pattern is a text", "write it in single quotes: `LIKE 'A%'`"));
                };
                let value = Box::new(self.of(term, Kind::Text)?);
                Term::Like {
                    term: value,
                    pattern: pattern.clone(),
                    ignores_case: *ignores_case,
                    negated: *negated,
                }
            }
            What::IsNull { term, negated } => {
                Term::IsNull { term: Box::new(self.value(term)?.0), negated: *negated }
            }
            _ => self.of(node, Kind::Boolean).map_err(|mistake| {
                match mistake.message.starts_with("expected ") {
                    true => at(node, "this is no condition", "compare it with something: `column = 'value'`"),
                    false => mistake,
                }
            })?,
        })
    }

    fn flat(&self, nodes: &[Node], open: fn(Term) -> Result<Vec<Term>, Term>) -> Result<Vec<Term>, Mistake> {
        let mut terms = Vec::new();
        for node in nodes {
            match open(self.truth(node)?) {
                Ok(inner) => terms.extend(inner),
                Err(term) => terms.push(term),
            }
        }
        Ok(terms)
    }

    fn value(&self, node: &Node) -> Result<Typed, Mistake> {
        Ok(match &node.what {
            What::Name(_) => {
                let column = self.subject.column(node, self.text)?;
                let kind = kind_of(column.value_type());
                (Term::Column(column), kind)
            }
            What::Number(text) => match exact(text) {
                Some(_) => (Term::Number(text.clone()), Kind::Number),
                None => {
                    return Err(at(
                        node,
                        &format!("`{text}` is no exact number"),
                        "write digits, and a point if need be",
                    ));
                }
            },
            What::Text(text) => (Term::Text(text.clone()), Kind::Text),
            What::Boolean(truth) => (Term::Boolean(*truth), Kind::Boolean),
            What::Null => {
                return Err(at(
                    node,
                    "nothing equals NULL, and nothing differs from it",
                    "write `IS NULL` or `IS NOT NULL`",
                ));
            }
            What::Typed(word, text) if word == "DATE" => (date(text, node)?, Kind::Date),
            What::Typed(_, text) => (timestamp(text, node)?, Kind::Timestamp),
            What::Call(name, arguments) => self.call(node, name, arguments)?,
            What::Cast(inner, named) => self.cast(node, inner, named)?,
            What::Negate(inner) => (Term::Negate(Box::new(self.of(inner, Kind::Number)?)), Kind::Number),
            What::Arithmetic(operator, left, right) => {
                let left = Box::new(self.of(left, Kind::Number)?);
                let right = Box::new(self.of(right, Kind::Number)?);
                (Term::Arithmetic { operator: *operator, left, right }, Kind::Number)
            }
            _ => {
                return Err(at(
                    node,
                    "a condition is no value",
                    "compare columns and values; put conditions together with AND and OR",
                ));
            }
        })
    }

    fn of(&self, node: &Node, wanted: Kind) -> Result<Term, Mistake> {
        let (term, kind) = self.value(node)?;
        match kind == wanted {
            true => Ok(term),
            false => {
                let message = format!("expected {}, found {}", show(wanted), show(kind));
                Err(at(node, &message, "compare like with like"))
            }
        }
    }

    /// Two values that are compared. A quoted date is a date beside one.
    fn pair(&self, left: &Node, right: &Node) -> Result<(Term, Term), Mistake> {
        let (one, other) = (self.value(left)?, self.value(right)?);
        if matches!(one.0, Term::Text(_)) && other.1 != Kind::Text {
            let one = self.like(&other, one, left)?;
            return Ok((one, other.0));
        }
        let other = self.like(&one, other, right)?;
        Ok((one.0, other))
    }

    /// The second value as one of the kind of the first.
    fn like(&self, first: &Typed, second: Typed, node: &Node) -> Result<Term, Mistake> {
        match (first.1, second) {
            (wanted, (term, kind)) if wanted == kind => Ok(term),
            (Kind::Date, (Term::Text(text), _)) => date(&text, node),
            (Kind::Timestamp, (Term::Text(text), _)) => timestamp(&text, node),
            (Kind::Timestamp, (term, Kind::Date)) => Ok(Term::Cast(Box::new(term), ValueType::Timestamp)),
            (wanted, (term, kind)) => {
                let hint = match (wanted, &term) {
                    (Kind::Number, Term::Text(text)) if exact(text).is_some() => {
                        format!("write the number without quotes: {text}")
                    }
                    (Kind::Text, Term::Number(text)) => format!("write the text in single quotes: '{text}'"),
                    (Kind::Date, _) if kind == Kind::Timestamp => {
                        "cast the instant: `CAST(x AS DATE)`".to_owned()
                    }
                    _ => "compare like with like".to_owned(),
                };
                Err(at(node, &format!("{} is compared with {}", show(wanted), show(kind)), &hint))
            }
        }
    }

    fn call(&self, node: &Node, name: &str, arguments: &[Node]) -> Result<Typed, Mistake> {
        if name == "coalesce" {
            return self.coalesce(node, arguments);
        }
        let Some(function) = FUNCTIONS.iter().find(|known| known.name == name) else {
            let hint = known(name, FUNCTIONS.iter().map(|known| known.name).chain(["coalesce"]));
            return Err(at(node, &format!("the function `{name}` has no place in a condition"), &hint));
        };
        if function.takes.len() != arguments.len() {
            let kinds: Vec<&str> = function.takes.iter().map(|kind| show(*kind)).collect();
            let message = format!("`{name}` is called with {} arguments", arguments.len());
            return Err(at(node, &message, &format!("it takes {}", kinds.join(", "))));
        }
        let terms = arguments.iter().zip(function.takes).map(|(argument, kind)| self.of(argument, *kind));
        let arguments = terms.collect::<Result<_, _>>()?;
        Ok((Term::Call { function: function.function, arguments }, function.gives))
    }

    fn coalesce(&self, node: &Node, arguments: &[Node]) -> Result<Typed, Mistake> {
        let [first, rest @ ..] = arguments else {
            return Err(at(
                node,
                "coalesce of nothing",
                "name a column and what stands for it where it is null",
            ));
        };
        let (term, kind) = self.value(first)?;
        let first = (term.clone(), kind);
        let mut arguments = vec![term];
        for argument in rest {
            arguments.push(self.like(&first, self.value(argument)?, argument)?);
        }
        Ok((Term::Call { function: Function::Coalesce, arguments }, kind))
    }

    /// Only what cannot fail at a row.
    fn cast(&self, node: &Node, inner: &Node, named: &str) -> Result<Typed, Mistake> {
        let (term, kind) = self.value(inner)?;
        let to = |value_type: ValueType| Term::Cast(Box::new(term.clone()), value_type);
        let refused = || {
            at(
                node,
                &format!("{} cannot be cast to `{named}` without fail", show(kind)),
                "compare it with a value of its own type",
            )
        };
        Ok(match (named, kind) {
            ("text" | "varchar" | "string", _) => (to(ValueType::Text), Kind::Text),
            ("date", Kind::Date) | ("timestamp", Kind::Timestamp) => (term, kind),
            ("date", Kind::Timestamp) => (to(ValueType::Date), Kind::Date),
            ("timestamp", Kind::Date) => (to(ValueType::Timestamp), Kind::Timestamp),
            ("date", Kind::Text) => match &term {
                Term::Text(text) => (date(text, node)?, Kind::Date),
                _ => return Err(refused()),
            },
            ("timestamp", Kind::Text) => match &term {
                Term::Text(text) => (timestamp(text, node)?, Kind::Timestamp),
                _ => return Err(refused()),
            },
            _ => return Err(refused()),
        })
    }
}

/// What a function takes and gives.
struct Known {
    name: &'static str,
    function: Function,
    takes: &'static [Kind],
    gives: Kind,
}

const fn known_as(name: &'static str, function: Function, takes: &'static [Kind], gives: Kind) -> Known {
    Known { name, function, takes, gives }
}

const TEXT: &[Kind] = &[Kind::Text];
const TEXTS: &[Kind] = &[Kind::Text, Kind::Text];
const PART: &[Kind] = &[Kind::Text, Kind::Number, Kind::Number];

/// All but `coalesce`, which takes any kind.
const FUNCTIONS: [Known; 10] = [
    known_as("lower", Function::Lower, TEXT, Kind::Text),
    known_as("upper", Function::Upper, TEXT, Kind::Text),
    known_as("trim", Function::Trim, TEXT, Kind::Text),
    known_as("length", Function::Length, TEXT, Kind::Number),
    known_as("substr", Function::Substring, PART, Kind::Text),
    known_as("substring", Function::Substring, PART, Kind::Text),
    known_as("starts_with", Function::StartsWith, TEXTS, Kind::Boolean),
    known_as("ends_with", Function::EndsWith, TEXTS, Kind::Boolean),
    known_as("contains", Function::Contains, TEXTS, Kind::Boolean),
    known_as("abs", Function::Absolute, &[Kind::Number], Kind::Number),
];

fn kind_of(value_type: ValueType) -> Kind {
    match value_type {
        ValueType::Text => Kind::Text,
        ValueType::Integer | ValueType::Decimal { .. } => Kind::Number,
        ValueType::Boolean => Kind::Boolean,
        ValueType::Date => Kind::Date,
        ValueType::Timestamp => Kind::Timestamp,
    }
}

fn show(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Boolean => "a truth value",
        Kind::Date => "a date",
        Kind::Timestamp => "an instant",
    }
}

fn date(text: &str, node: &Node) -> Result<Term, Mistake> {
    let read = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    read.map(Term::Date).ok_or_else(|| at(node, &format!("'{text}' is no date"), "write it as '2023-01-31'"))
}

fn timestamp(text: &str, node: &Node) -> Result<Term, Mistake> {
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ"];
    let read = forms.into_iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).or_else(day);
    read.map(Term::Timestamp).ok_or_else(|| {
        at(node, &format!("'{text}' is no instant"), "write it in UTC, as '2023-01-31 12:00:00'")
    })
}

fn at(node: &Node, message: &str, hint: &str) -> Mistake {
    Mistake::new(node.place.clone(), message, hint)
}
