//! `"quantity * (unit_price - 0.50)"` → an expression, and the scale that its exact value has.
//!
//! `sum = term { ("+" | "-") term }`, `term = factor { "*" factor }`,
//! `factor = number | name | "-" factor | "(" sum ")"`. A name that is no plain word stands in backquotes.

use super::place::Place;
use crate::model::{Expression, Operator, ValueType};
use crate::spec::{At, NumberText, Problems, Span};

const MOST_DIGITS: usize = 38;
/// Deeper nesting than this is no arithmetic, and could exhaust the stack.
const DEEPEST: usize = 50;
const LONGEST_BYTES: usize = 2_000;

/// What a name in an expression means; reports a name that means nothing.
pub(super) type Resolve<'r> = dyn FnMut(&str, Span, &mut Problems) -> Option<Expression> + 'r;

/// Parses an expression. `None` after reporting why.
pub(super) fn parse(
    written: &At<NumberText>,
    pipeline: &str,
    resolve: &mut Resolve<'_>,
    problems: &mut Problems,
) -> Option<Expression> {
    let text = written.value.0.as_str();
    let mut parser =
        Parser { text, next: 0, depth: 0, place: Place::of(text, written.span, pipeline), resolve, problems };
    if text.len() > LONGEST_BYTES {
        return parser.refuse(0, text.len(), "the expression is too long");
    }
    let expression = parser.sum();
    parser.skip_blanks();
    match text.get(parser.next..) {
        Some("") | None => expression,
        Some(_) if expression.is_none() => None,
        Some(rest) if rest.starts_with('/') => {
            parser.refuse(parser.next, parser.next + 1, "there is no division: its result is not exact")
        }
        Some(_) => parser.refuse(parser.next, parser.next + 1, "expected `+`, `-`, `*` or the end"),
    }
}

struct Parser<'p, 'r> {
    text: &'p str,
    /// The byte that comes next.
    next: usize,
    depth: usize,
    place: Place,
    resolve: &'p mut Resolve<'r>,
    problems: &'p mut Problems,
}

impl Parser<'_, '_> {
    fn sum(&mut self) -> Option<Expression> {
        let mut left = self.term();
        while let Some(sign) = self.take(&['+', '-']) {
            let operator = if sign == '+' { Operator::Add } else { Operator::Subtract };
            left = binary(operator, left, self.term());
        }
        left
    }

    fn term(&mut self) -> Option<Expression> {
        let mut left = self.factor();
        while self.take(&['*']).is_some() {
            left = binary(Operator::Multiply, left, self.factor());
        }
        left
    }

    fn factor(&mut self) -> Option<Expression> {
        self.depth += 1;
        let factor = match self.depth > DEEPEST {
            true => {
                let end = std::mem::replace(&mut self.next, self.text.len());
                self.refuse(end, end + 1, "the expression is nested too deeply")
            }
            false => self.shallow_factor(),
        };
        self.depth -= 1;
        factor
    }

    fn shallow_factor(&mut self) -> Option<Expression> {
        if self.take(&['-']).is_some() {
            return self.factor().map(|inner| Expression::Negate(Box::new(inner)));
        }
        if self.take(&['(']).is_some() {
            let inner = self.sum();
            if self.take(&[')']).is_none() && inner.is_some() {
                return self.refuse(self.next, self.next + 1, "expected `)`");
            }
            return inner;
        }
        self.skip_blanks();
        let start = self.next;
        match self.rest().chars().next() {
            Some('`') => {
                let Some(length) = self.rest().get(1..).and_then(|rest| rest.find('`')) else {
                    self.next = self.text.len();
                    return self.refuse(start, start + 1, "a backquote without its partner");
                };
                self.next = start + length + 2;
                self.name(start, start + 1, start + 1 + length)
            }
            Some(first) if first.is_alphabetic() || first == '_' => {
                self.take_while(|each| each.is_alphanumeric() || each == '_' || each == '.');
                self.name(start, start, self.next)
            }
            Some(first) if first.is_ascii_digit() || first == '.' => {
                self.take_while(|each| each.is_alphanumeric() || each == '.' || each == '_');
                self.number(start)
            }
            _ => self.stop(start, "expected a number, a name or `(`"),
        }
    }

    fn name(&mut self, start: usize, from: usize, to: usize) -> Option<Expression> {
        let name = self.text.get(from..to).unwrap_or_default();
        (self.resolve)(name, self.place.span(start..self.next), self.problems)
    }

    fn number(&mut self, start: usize) -> Option<Expression> {
        let written = self.text.get(start..self.next).unwrap_or_default();
        match exact(written) {
            Some((unscaled, scale)) => Some(Expression::Number { unscaled, scale }),
            None => self.refuse(
                start,
                self.next,
                &format!("`{written}` is no exact number of up to {MOST_DIGITS} digits"),
            ),
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.next..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.next += rest.find(|each| !belongs(each)).unwrap_or(rest.len());
    }

    /// Takes one of these characters, if it comes next.
    fn take(&mut self, wanted: &[char]) -> Option<char> {
        self.skip_blanks();
        let found = self.rest().chars().next().filter(|next| wanted.contains(next))?;
        self.next += found.len_utf8();
        Some(found)
    }

    /// Reports, and reads no further.
    fn stop(&mut self, start: usize, message: &str) -> Option<Expression> {
        self.next = self.text.len();
        self.refuse(start, start + 1, message)
    }

    fn refuse(&mut self, start: usize, end: usize, message: &str) -> Option<Expression> {
        let span = self.place.span(start.min(self.text.len())..end.min(self.text.len() + 1));
        self.problems.add(span, message, "an expression has numbers, names, `+`, `-`, `*` and parentheses");
        None
    }
}

fn binary(operator: Operator, left: Option<Expression>, right: Option<Expression>) -> Option<Expression> {
    Some(Expression::Binary { operator, left: Box::new(left?), right: Box::new(right?) })
}

/// `-1.50` → (-150, 2).
pub(super) fn exact(written: &str) -> Option<(i128, u8)> {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, written),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let only_digits = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
    if !only_digits || digits.ends_with('.') || all.len() > MOST_DIGITS {
        return None;
    }
    Some((sign * all.parse::<i128>().ok()?, u8::try_from(fraction.len()).ok()?))
}

/// Digits behind the point of an expression's exact value; `None` if a type in it is unknown.
pub(super) fn scale(
    expression: &Expression,
    types: &dyn Fn(&Expression) -> Option<ValueType>,
) -> Option<usize> {
    match expression {
        Expression::Number { scale, .. } => Some(usize::from(*scale)),
        Expression::Field(_) | Expression::Measure(_) => match types(expression)? {
            ValueType::Decimal { scale, .. } => Some(usize::from(scale)),
            _ => Some(0),
        },
        Expression::Negate(inner) => scale(inner, types),
        Expression::Binary { operator, left, right } => {
            let (left, right) = (scale(left, types)?, scale(right, types)?);
            Some(match operator {
                Operator::Add | Operator::Subtract => left.max(right),
                Operator::Multiply => left + right,
            })
        }
    }
}
