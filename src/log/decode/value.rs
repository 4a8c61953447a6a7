//! One JSON value → one typed value at the end of a column, or the reason why not.

use super::column::{Column, Values};
use super::time::{self, Times};
use super::written::decimal;
use crate::log::json::{Number, Scanner, Text, Token};
use crate::log::reject::{Code, Flaw};
use crate::model::Allowed;

/// Puts a scalar that is not null at the end of a column; tells whether it was a leap second.
#[inline]
pub fn push(column: &mut Column, token: Token<'_>, times: Times) -> Result<bool, Flaw> {
    let mut leap = false;
    match (&mut column.values, token) {
        (Values::Text(texts), Token::Text(text)) => {
            text.append_to(texts.open());
            texts.close();
        }
        (Values::Integer(values), Token::Number(number)) => {
            values.push(number.integer().map_err(|code| integer_flaw(code, &number))?);
        }
        (Values::Decimal { values, precision, scale }, Token::Number(number)) => values
            .push(number.scaled(*precision, *scale).map_err(|code| decimal_flaw(code, *precision, *scale))?),
        (Values::Decimal { values, precision, scale }, Token::Text(text)) => {
            values.push(decimal_text(text, *precision, *scale)?);
        }
        (Values::Boolean(values), Token::Boolean(value)) => values.push(value),
        (Values::Date(values), Token::Text(text)) => values.push(time::date(&text.value())?),
        (Values::Timestamp(values), Token::Text(text)) => {
            let instant = time::instant(&text.value(), times.zone)?;
            leap = instant.leap;
            values.push(instant.micros);
        }
        (values, token) => match (values, token, times.unit) {
            (Values::Timestamp(values), Token::Number(number), Some(unit)) => {
                values.push(time::counted(&number, unit)?);
            }
            (values, token, _) => return Err(type_flaw(wanted(values), token)),
        },
    }
    column.is_value();
    Ok(leap)
}

/// A decimal in a string must look exactly like a JSON number without an exponent.
fn decimal_text(text: Text<'_>, precision: u8, scale: u8) -> Result<i128, Flaw> {
    let value = text.value();
    let mut scanner = Scanner::again(&value);
    match scanner.token() {
        Ok(Token::Number(number))
            if number.raw.len() == value.len()
                && !number.raw.iter().any(|byte| matches!(byte, b'e' | b'E')) =>
        {
            number.scaled(precision, scale).map_err(|code| decimal_flaw(code, precision, scale))
        }
        _ => Err(Flaw::new(
            Code::MoneyFormat,
            format!("{:?} is not a decimal like \"12.34\"", String::from_utf8_lossy(&value)),
        )),
    }
}

/// Why the value at the end of a column is none of those that are allowed.
pub fn domain(column: &Column, allowed: &Allowed) -> Option<Flaw> {
    let at = column.len().checked_sub(1)?;
    let (is_allowed, shown) = match allowed {
        Allowed::Texts(texts) => {
            let text = column.text(at)?;
            let shown = format!("{:?}", String::from_utf8_lossy(text));
            (texts.iter().any(|allowed| allowed.as_bytes() == text), shown)
        }
        Allowed::Numbers(numbers) => {
            let (number, scale) = column.number(at)?;
            (numbers.contains(&number), decimal(number, scale))
        }
        Allowed::Between { min, max } => {
            let (number, scale) = column.number(at)?;
            let is_between = min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max);
            (is_between, decimal(number, scale))
        }
    };
    let flaw = || match (allowed, column.number(at)) {
        (Allowed::Between { min, max }, Some((_, scale))) => {
            let end = |end: &Option<i128>| end.map_or("any".to_owned(), |end| decimal(end, scale));
            Flaw::new(Code::Domain, format!("{shown} is not between {} and {}", end(min), end(max)))
        }
        _ => Flaw::new(Code::Domain, format!("{shown} is not among the `values` of the pipeline")),
    };
    (!is_allowed).then(flaw)
}

#[cold]
fn decimal_flaw(code: Code, precision: u8, scale: u8) -> Flaw {
    let message = match code {
        Code::Scale => format!("more than {scale} digits behind the point"),
        _ => format!("more than {} digits before the point", precision.saturating_sub(scale)),
    };
    Flaw::new(code, message)
}

#[cold]
pub fn integer_flaw(code: Code, number: &Number<'_>) -> Flaw {
    let written = String::from_utf8_lossy(number.raw);
    let message = match code {
        Code::NotInteger => format!("{written} is not an integer"),
        _ => format!("{written} does not fit into 64 bits"),
    };
    Flaw::new(code, message)
}

/// The value is of another JSON type than the declared one.
#[cold]
pub fn type_flaw(wanted: &str, token: Token<'_>) -> Flaw {
    let found = match token {
        Token::Text(_) => "a string",
        Token::Number(_) => "a number",
        Token::Boolean(_) => "a boolean",
        Token::Null => "null",
        Token::Container if wanted == "an object" => "a list",
        Token::Container => "an object or list",
    };
    Flaw::new(Code::Type, format!("expected {wanted}, found {found}"))
}

fn wanted(values: &Values) -> &'static str {
    match values {
        Values::Text(_) => "a string",
        Values::Integer(_) => "an integer",
        Values::Decimal { .. } => "a decimal, as a number or a string",
        Values::Boolean(_) => "true or false",
        Values::Date(_) => "a date in a string",
        Values::Timestamp(_) => "a timestamp in a string",
    }
}
