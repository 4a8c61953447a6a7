//! A TOML value → the JSON value that it stands for.

use super::read::{Read, Value};
use super::{At, Problems, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;
use std::borrow::Cow;
use toml::de::DeValue;

/// A value that an author writes down: a text, a number, a truth value; or several of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal(pub Json);

impl Read for At<Literal> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self { value: Literal(json(value.value, value.span, problems)?), span: value.span })
    }
}

fn json(value: &DeValue<'_>, span: Span, problems: &mut Problems) -> Option<Json> {
    Some(match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Boolean(truth) => Json::Bool(*truth),
        DeValue::Integer(_) => {
            let number = <At<i64> as Read>::read(Value { span, value }, problems)?;
            Json::Number(number.value.into())
        }
        DeValue::Float(float) => {
            let hint = format!(
                "put the number in quotes, and it is read as an exact decimal: \"{}\"",
                float.as_str()
            );
            problems.add(span, "a float is not exact", hint);
            return None;
        }
        DeValue::Datetime(instant) => Json::String(instant.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| json(item.get_ref(), item.span().into(), problems));
            Json::Array(items.collect::<Option<_>>()?)
        }
        DeValue::Table(members) => {
            let member = |(key, value): (&toml::Spanned<Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
                Some((key.get_ref().to_string(), json(value.get_ref(), value.span().into(), problems)?))
            };
            Json::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
    })
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean", "array", "object"] })
    }
}
