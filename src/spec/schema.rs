//! The JSON Schema of a pipeline file, for editors: derived from the types that the walker fills.

use super::fact::NumberText;
use super::log::Instant;
use super::{At, FieldsSpec, Named, OldFieldSpec, RolesSpec, SetsSpec, Spec, StepSpec};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// The JSON Schema (2020-12) of a pipeline file.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Spec>().to_value();
    remove_null(&mut schema);
    schema
}

/// TOML has no null: a key that may be left out is just not there.
fn remove_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let ([Value::Object(only)], Some(object)) = (choices.clone().as_slice(), schema.as_object_mut()) {
            object.remove("anyOf");
            object.extend(only.clone());
        }
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        Value::Object(object) => object.values_mut().for_each(remove_null),
        _ => {}
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Table_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

/// A type whose schema is written out here.
macro_rules! schema {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(NumberText, { "type": ["string", "integer"] });
// Editors for TOML take a date as a text.
schema!(Instant, { "type": "string" });
schema!(FieldsSpec, {
    "anyOf": [
        { "type": "string" },
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": { "type": "string" } },
    ]
});
schema!(SetsSpec, {
    "anyOf": [
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": { "type": "string" } },
    ]
});
schema!(RolesSpec, {
    "anyOf": [
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": { "type": "string" } },
    ]
});
schema!(OldFieldSpec, { "type": ["string", "object"] });
schema!(StepSpec, {
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "each": { "type": "string" },
        "rename": { "type": "string" },
        "move": { "type": "string" },
        "default": { "type": "string" },
        "constant": { "type": "string" },
        "split": { "type": "string" },
        "join": { "type": "array", "items": { "type": "string" } },
        "cast": { "type": "string" },
        "drop": { "type": "string" },
        "to": { "type": "string" },
        "value": {},
        "at": { "type": "string" },
        "into": { "type": "array", "items": { "type": "string" } },
        "with": { "type": "string" },
    },
    "oneOf": [
        { "required": ["rename", "to"] },
        { "required": ["move", "to"] },
        { "required": ["default", "value"] },
        { "required": ["constant", "value"] },
        { "required": ["split", "at", "into"] },
        { "required": ["join", "with", "to"] },
        { "required": ["cast", "to"] },
        { "required": ["drop"] },
    ],
});
