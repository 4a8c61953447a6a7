//! A payload of an older version → one of today's, step by step: as JSON, before the decoder reads it.
//!
//! Each version is judged by its own contract before it is lifted, and its values are brought into the one form that
//! their types give them ([`super::written`]); so what comes out depends on values alone, not on how they were
//! written, and a log that read these lines when that contract was today's comes to the same.

use super::plan::{EnvelopePlan, EventPlan};
use super::time::Times;
use super::written;
use crate::log::json::{Members, Tree, quoted, text_of};
use crate::log::reject::{Code, Flaw};
use crate::model::{Act, OldField, OldShape, Step, Upcast, ValueType};
use std::borrow::Cow;

/// A line of an older version, lifted.
pub struct Lifted {
    /// The line as it would be today.
    pub line: Vec<u8>,
    /// The payload as it came, as JSON.
    pub original: Vec<u8>,
    /// How many times were leap seconds.
    pub leaps: u64,
}

/// Lifts a line, which is known to be one object, from this version.
///
/// # Errors
/// `upcast`, if the payload is none of its version, or a step cannot be done.
pub fn lift(
    contract: &EventPlan,
    envelope: &EnvelopePlan,
    line: &[u8],
    version: i64,
) -> Result<Lifted, Flaw> {
    let mut around = Tree::read_object(line)?;
    let mut payload = match &envelope.payload {
        None => {
            let (payload, rest) = around.part(|name| envelope.find(name.as_bytes()).is_none());
            around = rest;
            payload
        }
        Some(name) => match around.take(name) {
            Some(Tree::Object(payload)) => payload,
            _ => return Err(flaw(version, format!("{name} is no object"))),
        },
    };
    let mut original = Vec::new();
    payload.write(&mut original);
    let leaps = lift_payload(contract, &mut payload, version, envelope.times)?;
    match &envelope.payload {
        None => around.append(payload),
        Some(name) => around.push(name, Tree::Object(payload)),
    }
    let mut lifted = Vec::with_capacity(line.len());
    around.write(&mut lifted);
    Ok(Lifted { line: lifted, original, leaps })
}

/// Lifts a payload from this version to today's; tells how many times were leap seconds.
///
/// # Errors
/// As for [`lift`].
pub fn lift_payload(
    contract: &EventPlan,
    payload: &mut Members<'_>,
    version: i64,
    times: Times,
) -> Result<u64, Flaw> {
    let mut leaps = 0;
    for upcast in contract.upcasts.iter().filter(|upcast| upcast.from >= version) {
        let of_version = |flaw: Flaw| self::flaw(upcast.from, flaw.message);
        let found = judge(payload, upcast, times).map_err(of_version)?;
        // Later versions hold the same instants, which are ordinary by then.
        leaps += if upcast.from == version { found } else { 0 };
        for step in &upcast.steps {
            take(payload, step, times).map_err(of_version)?;
        }
    }
    Ok(leaps)
}

fn flaw(version: i64, message: impl std::fmt::Display) -> Flaw {
    Flaw::new(Code::Upcast, format!("version {version}: {message}"))
}

fn wrong(message: String) -> Flaw {
    Flaw::new(Code::Upcast, message)
}

/// A payload must be one of its version.
fn judge(payload: &mut Members<'_>, upcast: &Upcast, times: Times) -> Result<u64, Flaw> {
    // A stored event has no order of its members: what is said of one must not depend on it.
    let (fields, lists) = (names(&upcast.fields), upcast.lists.iter().map(|(name, _)| name.as_str()));
    payload.put_first(fields.chain(lists));
    let mut leaps = judge_fields(payload, &upcast.fields, "", times)?;
    for (name, fields) in &upcast.lists {
        let Some(list) = payload.get_mut(name) else { return Err(wrong(format!("{name} is missing"))) };
        let Tree::List(items) = list else { return Err(wrong(format!("{name} is no list of objects"))) };
        for (at, item) in items.iter_mut().enumerate() {
            let Tree::Object(item) = item else { return Err(wrong(format!("{name}[{at}] is no object"))) };
            item.put_first(names(fields));
            leaps += judge_fields(item, fields, &format!("{name}[{at}]."), times)?;
        }
    }
    Ok(leaps)
}

fn names(fields: &[OldField]) -> impl Iterator<Item = &str> {
    fields.iter().map(|field| field.name.as_str())
}

/// The same, of the fields of an object that this prefix leads to.
fn judge_fields(
    object: &mut Members<'_>,
    fields: &[OldField],
    prefix: &str,
    times: Times,
) -> Result<u64, Flaw> {
    let mut leaps = 0;
    for OldField { name, shape } in fields {
        let Some(value) = object.get_mut(name) else {
            if shape.is_optional() {
                continue;
            }
            return Err(wrong(format!("{prefix}{name} is missing")));
        };
        match (shape, value) {
            (shape, value) if value.is_null() => {
                if !shape.is_optional() {
                    return Err(wrong(format!("{prefix}{name} must not be null")));
                }
                if matches!(shape, OldShape::Object(_)) {
                    object.take(name);
                }
            }
            (OldShape::Scalar { value_type, .. }, Tree::Scalar(raw)) => {
                let (typed, leap) = written::typed(raw, *value_type, times)
                    .map_err(|flaw| flaw.of(&format!("{prefix}{name}")))?;
                leaps += u64::from(leap);
                *raw = Cow::Owned(typed);
            }
            (OldShape::Object(fields), Tree::Object(object)) => {
                leaps += judge_fields(object, fields, &format!("{prefix}{name}."), times)?;
            }
            (OldShape::Object(_), _) => return Err(wrong(format!("{prefix}{name} is no object"))),
            (OldShape::Scalar { .. }, _) => {
                return Err(wrong(format!("{prefix}{name} is an object or a list, not a value")));
            }
        }
    }
    Ok(leaps)
}

/// Does one step.
fn take(payload: &mut Members<'_>, step: &Step, times: Times) -> Result<(), Flaw> {
    let Some(each) = &step.each else { return act(payload, &step.act, times) };
    let Some(Tree::List(items)) = payload.get_mut(each) else { return Ok(()) };
    for (at, item) in items.iter_mut().enumerate() {
        if let Tree::Object(item) = item {
            act(item, &step.act, times).map_err(|flaw| flaw.of(&format!("{each}[{at}]")))?;
        }
    }
    Ok(())
}

fn act(object: &mut Members<'_>, act: &Act, times: Times) -> Result<(), Flaw> {
    match act {
        Act::Move { from, to } => match pull(object, from) {
            Some(value) => put(object, to, value),
            None => Ok(()),
        },
        Act::Default { field, value } => {
            if look(object, field).is_some_and(|value| !value.is_null()) {
                return Ok(());
            }
            pull(object, field);
            put(object, field, scalar(value.as_bytes()))
        }
        Act::Constant { field, value } => {
            pull(object, field);
            put(object, field, scalar(value.as_bytes()))
        }
        Act::Split { from, at, into } => {
            let Some(value) = pull(object, from) else { return Ok(()) };
            if value.is_null() {
                return into.iter().try_for_each(|name| put(object, name, scalar(b"null")));
            }
            let text = text(&value);
            let parts: Vec<&str> = text.splitn(into.len(), at.as_str()).collect();
            if parts.len() < into.len() {
                let shown = from.join(".");
                return Err(wrong(format!("{shown}: {text:?} has no {} parts between {at:?}", into.len())));
            }
            into.iter().zip(parts).try_for_each(|(name, part)| put(object, name, scalar(&quoted(part))))
        }
        Act::Join { from, with, to } => {
            let parts: Vec<Option<Tree<'_>>> = from.iter().map(|name| pull(object, name)).collect();
            let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else { return Ok(()) };
            if parts.iter().any(Tree::is_null) {
                return put(object, to, scalar(b"null"));
            }
            let parts: Vec<String> = parts.iter().map(text).collect();
            put(object, to, scalar(&quoted(&parts.join(with))))
        }
        Act::Cast { field, from, to } => {
            let Some(Tree::Scalar(raw)) = find(object, field) else { return Ok(()) };
            if **raw != *b"null" {
                *raw = Cow::Owned(cast(raw, *from, *to, times).map_err(|flaw| flaw.of(&field.join(".")))?);
            }
            Ok(())
        }
        Act::Drop { field } => {
            pull(object, field);
            Ok(())
        }
    }
}

/// A value of one type as one of another.
fn cast(raw: &[u8], from: ValueType, to: ValueType, times: Times) -> Result<Vec<u8>, Flaw> {
    let text = text_of(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
    if to == ValueType::Text {
        return Ok(quoted(&text));
    }
    let is_bare = matches!(to, ValueType::Integer | ValueType::Boolean | ValueType::Decimal { .. });
    let value =
        if from == ValueType::Text && is_bare { Cow::Borrowed(text.as_bytes()) } else { Cow::Borrowed(raw) };
    written::typed(&value, to, times).map(|(typed, _)| typed).map_err(|flaw| match from {
        // What is no JSON at all is, to whoever reads of it, a text of another kind.
        ValueType::Text => wrong(format!("{text:?} is not {}", wanted(to))),
        _ => flaw,
    })
}

fn wanted(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Text => "a text",
        ValueType::Integer => "an integer",
        ValueType::Decimal { .. } => "a decimal that fits",
        ValueType::Boolean => "true or false",
        ValueType::Date => "a date as YYYY-MM-DD",
        ValueType::Timestamp => "a timestamp as YYYY-MM-DDThh:mm:ssZ",
    }
}

/// The text of a value that a contract has found to be one.
fn text(value: &Tree<'_>) -> String {
    match value {
        Tree::Scalar(raw) => text_of(raw).unwrap_or_default(),
        _ => String::new(),
    }
}

fn scalar<'a>(raw: &[u8]) -> Tree<'a> {
    match raw {
        b"[]" => Tree::List(Vec::new()),
        raw => Tree::Scalar(Cow::Owned(raw.to_vec())),
    }
}

fn look<'m, 'a>(object: &'m Members<'a>, path: &[String]) -> Option<&'m Tree<'a>> {
    match path {
        [] => None,
        [name] => object.get(name),
        [name, rest @ ..] => match object.get(name)? {
            Tree::Object(inner) => look(inner, rest),
            _ => None,
        },
    }
}

fn find<'m, 'a>(object: &'m mut Members<'a>, path: &[String]) -> Option<&'m mut Tree<'a>> {
    match path {
        [] => None,
        [name] => object.get_mut(name),
        [name, rest @ ..] => match object.get_mut(name)? {
            Tree::Object(inner) => find(inner, rest),
            _ => None,
        },
    }
}

/// Takes a value out; an object that is empty then goes with it.
fn pull<'a>(object: &mut Members<'a>, path: &[String]) -> Option<Tree<'a>> {
    match path {
        [] => None,
        [name] => object.take(name),
        [name, rest @ ..] => {
            let Tree::Object(inner) = object.get_mut(name)? else { return None };
            let value = pull(inner, rest)?;
            if inner.is_empty() {
                object.take(name);
            }
            Some(value)
        }
    }
}

/// Puts a value where nothing stands; objects on the way are made.
fn put<'a>(object: &mut Members<'a>, path: &[String], value: Tree<'a>) -> Result<(), Flaw> {
    let taken = |name: &str| wrong(format!("something that is not declared stands at {name}"));
    match path {
        [] => Ok(()),
        [name] => match object.get(name) {
            Some(_) => Err(taken(name)),
            None => {
                object.push(name, value);
                Ok(())
            }
        },
        [name, rest @ ..] => {
            if object.get(name).is_none() {
                object.push(name, Tree::Object(Members::default()));
            }
            match object.get_mut(name) {
                Some(Tree::Object(inner)) => put(inner, rest, value),
                _ => Err(taken(name)),
            }
        }
    }
}
