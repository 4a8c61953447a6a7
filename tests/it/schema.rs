//! The JSON Schema that editors use and the walker that reads pipelines know the same language.

use serde_json::{Map, Value};
use starlog::spec::{Spec, json_schema};
use std::collections::BTreeSet;

/// Each table of the language: its path, with `x` for names that the author chooses and `[]` behind arrays of tables,
/// and its schema. A step is a table of many shapes, whose schema is written by hand.
fn tables() -> Vec<(String, Map<String, Value>)> {
    let schema = json_schema();
    let mut tables = Vec::new();
    visit(&schema, &schema, String::new(), &mut tables);
    tables
}

fn visit(root: &Value, schema: &Value, path: String, tables: &mut Vec<(String, Map<String, Value>)>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        return visit(root, target, path, tables);
    }
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (key, property) in properties {
            visit(root, property, join(key), tables);
        }
        assert_eq!(
            schema.get("additionalProperties"),
            Some(&Value::Bool(false)),
            "`{path}` takes no other keys"
        );
        tables.push((path, schema.as_object().expect("an object").clone()));
    } else if let Some(named) = schema.get("additionalProperties") {
        visit(root, named, join("x"), tables);
    } else if let Some(items) = schema.get("items").filter(|_| !path.ends_with(".steps")) {
        visit(root, items, format!("{path}[]"), tables);
    }
}

/// The names in backquotes of the first problem whose message holds this.
fn names_of(text: &str, message: &str) -> BTreeSet<String> {
    let spec = Spec::read(text);
    let problem =
        spec.problems.sorted().into_iter().find(|problem| problem.message.contains(message)).cloned();
    let hint =
        problem.unwrap_or_else(|| panic!("`{message}` is reported for:\n{text}")).hint.unwrap_or_default();
    hint.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schema_and_the_walker_know_the_same_keys() {
    let tables = tables();
    let paths: Vec<&str> = tables.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "",
        "calendar",
        "dimensions.x",
        "dimensions.x.attributes.x",
        "dimensions.x.levels.x",
        "dimensions.x.levels.x.attributes.x",
        "dimensions.x.levels.x.on.x",
        "dimensions.x.on.x",
        "events.x",
        "events.x.upcast[]",
        "facts.x",
        "facts.x.measures.x",
        "facts.x.on.x",
        "log",
        "log.envelope",
        "log.limits",
        "log.outbox",
        "log.pii",
        "log.rows.x",
        "log.tables.x",
        "question[]",
        "test[]",
        "views.x",
    ];
    assert_eq!(paths.iter().copied().collect::<BTreeSet<_>>(), expected.into());
    for (path, schema) in &tables {
        let table = |key: &str| match path.as_str() {
            "" => format!("{key} = 1\n"),
            path if path.ends_with("[]") => format!("[[{}]]\n{key} = 1\n", path.trim_end_matches("[]")),
            path => format!("[{path}]\n{key} = 1\n"),
        };
        let known = schema["properties"].as_object().expect("properties").keys().cloned().collect();
        assert_eq!(
            names_of(&table("qqqqqqqqqqqqqqqq"), "has no key `qqqqqqqqqqqqqqqq`"),
            known,
            "keys of `{path}`"
        );
        for key in schema["properties"].as_object().expect("properties").keys() {
            let problems = Spec::read(&table(key)).problems;
            assert!(
                !problems.sorted().iter().any(|it| it.message.contains("has no key")),
                "`{key}` of `{path}`"
            );
        }
        let required: BTreeSet<String> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|key| key.as_str().expect("a name").to_owned())
            .collect();
        let spec = Spec::read(&table("qqqqqqqqqqqqqqqq"));
        let needed: BTreeSet<String> = spec
            .problems
            .sorted()
            .iter()
            .filter(|problem| problem.message.contains("needs the key") && is_of(path, &problem.message))
            .map(|problem| problem.message.split('`').nth(1).expect("a name").to_owned())
            .collect();
        assert_eq!(needed, required, "required keys of `{path}`");
    }
}

/// Whether a message about a missing key is about the table at this path.
fn is_of(path: &str, message: &str) -> bool {
    let what = match path {
        "" => "a pipeline",
        "log" => "[log]",
        "log.envelope" => "an envelope",
        "log.pii" => "[log.pii]",
        "log.rows.x" => "rows of the log",
        "events.x" => "an event type",
        "events.x.upcast[]" => "an upcast",
        "question[]" => "a question",
        "test[]" => "a test",
        "views.x" => "a view",
        "facts.x" => "a fact",
        "facts.x.on.x" => "an event of a fact",
        "facts.x.measures.x" => "a measure",
        "dimensions.x" => "a dimension",
        "dimensions.x.levels.x" => "a level",
        path if path.ends_with("attributes.x") => "an attribute",
        path if path.ends_with("on.x") => "an event of a dimension",
        _ => "[calendar]",
    };
    message.starts_with(&format!("{what} needs"))
}

#[test]
fn the_schema_offers_the_words_of_every_choice() {
    let root = json_schema();
    let tables = tables();
    let words = |table: &str, key: &str| -> BTreeSet<String> {
        let (_, schema) = tables.iter().find(|(path, _)| path == table).expect("a table");
        let choice = &schema["properties"][key];
        let choice = match choice.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                root.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere")
            }
            None => choice,
        };
        let words = choice["oneOf"].as_array().unwrap_or_else(|| panic!("`{key}` of `{table}` is a choice"));
        words.iter().map(|word| word["const"].as_str().expect("a word").to_owned()).collect()
    };
    for (table, key) in [
        ("dimensions.x", "parent_tracking"),
        ("dimensions.x.attributes.x", "tracking"),
        ("dimensions.x.on.x", "does"),
        ("facts.x.on.x", "does"),
        ("facts.x.on.x", "takes"),
        ("facts.x.on.x", "date_from"),
        ("events.x", "unknown"),
    ] {
        let text = format!("[{table}]\n{key} = \"qqqqqqqqqqqqqqqq\"\n");
        assert_eq!(names_of(&text, "is none of the choices"), words(table, key), "`{key}` of `{table}`");
    }
    assert!(!root.to_string().contains("\"null\""), "TOML has no null");
}
