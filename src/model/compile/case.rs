//! `[[test]]` → given lines and expected rows; the tables that they name are there.

use crate::model::{Case, Dimension, EventType, Expected, Fact, View};
use crate::spec::{At, CaseSpec, Problems, Spec};
use serde_json::Value;

/// The tables that a test may ask, as a session names them.
pub(super) fn tables(
    events: &[EventType],
    dimensions: &[Dimension],
    facts: &[Fact],
    views: &[View],
) -> Vec<String> {
    let events = events.iter().map(|event| format!("log.{}", event.name));
    let dimensions = dimensions.iter().map(|dimension| format!("dim_{}", dimension.name));
    let facts = facts.iter().flat_map(|fact| [Some(&fact.name), fact.lines_name.as_ref()]).flatten();
    let facts = facts.map(|name| format!("fact_{name}"));
    events
        .chain(["log.rejects".to_owned()])
        .chain(dimensions)
        .chain(facts)
        .chain(["dim_date".to_owned()])
        .chain(views.iter().map(|view| view.name.clone()))
        .collect()
}

/// All tests of the file.
pub(super) fn compile(spec: &Spec, tables: &[String], problems: &mut Problems) -> Vec<Case> {
    spec.test.iter().filter_map(|case| one(case, tables, problems)).collect()
}

fn one(spec: &CaseSpec, tables: &[String], problems: &mut Problems) -> Option<Case> {
    let (name, given, expect) = (spec.name.as_ref()?, spec.given.as_ref()?, spec.expect.as_ref()?);
    if expect.is_empty() {
        problems.add(
            name.span,
            "a test that expects nothing",
            "name a table: expect.\"log.Type\" = [{ field = 1 }]",
        );
    }
    let mut expected = Vec::new();
    for (table, rows) in expect.iter() {
        if !tables.contains(&table.value) {
            let message = format!("there is no table `{}`", table.value);
            problems.unknown(table.span, message, &table.value, tables.iter().map(String::as_str));
        }
        let mut columns: Vec<String> = Vec::new();
        for name in rows.iter().flat_map(|row| row.names()) {
            if !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        }
        let value = |row: &crate::spec::Named<At<crate::spec::Literal>>, name: &String| {
            row.get(name).map_or(Value::Null, |value| value.value.0.clone())
        };
        let rows = rows.iter().map(|row| columns.iter().map(|name| value(row, name)).collect()).collect();
        let (schema, table) = match table.value.split_once('.') {
            Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
            None => (None, table.value.clone()),
        };
        expected.push(Expected { schema, table, columns, rows });
    }
    Some(Case { name: name.value.clone(), given: given.value.clone(), expect: expected })
}
