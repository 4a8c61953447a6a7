//! A value is lifted to the same, however it was written, and whether its line is read today or was read years ago.

use crate::log::Library;
use starlog::error::Who;
use starlog::model;
use std::fs;

const FIELDS: [(&str, &str, &[&str]); 7] = [
    ("name", "text", &["\"\"", "\"a b\"", "\"\\u00e9\\n\\\"\\ud83d\\ude00\"", "\"007\"", "null", ""]),
    ("count", "integer", &["0", "-0", "1.0", "1e2", "-9223372036854775808", "null", ""]),
    (
        "fee",
        "decimal(20,3)",
        &["1.5", "\"1.500\"", "-0.001", "1e3", "\"0\"", "-0.0", "99999999999999999.999", "null", ""],
    ),
    ("express", "boolean", &["true", "false", "null", ""]),
    ("due", "date", &["\"2024-02-29\"", "\"0001-01-01\"", "\"9999-12-31\"", "null", ""]),
    (
        "called",
        "timestamp",
        &[
            "\"2024-03-31T01:59:59+01:00\"",
            "\"2016-12-31T23:59:60Z\"",
            "\"1969-12-31t23:59:59.999999z\"",
            "\"2024-01-01 00:00:00.5-09:30\"",
            "null",
            "",
        ],
    ),
    ("extra", "", &["", "{\"a\":[1.50,null]}", "\"\\u0041\"", "7.0"]),
];

/// The same payload with each value in its turn: a member that is empty is left out.
fn payload(round: usize, fields: &[(&str, &str, &[&str])]) -> String {
    let members = fields.iter().enumerate().filter_map(|(at, (name, _, spellings))| {
        // Steps that have no common divisor with the numbers of spellings lead through all pairs.
        let value = spellings[(round * (at + 1) + round / 7) % spellings.len()];
        (!value.is_empty()).then(|| format!("\"{name}\":{value}"))
    });
    members.collect::<Vec<_>>().join(",")
}

fn log() -> String {
    let line = |round: usize| {
        let items: Vec<String> =
            (0..round % 4).map(|item| format!("{{{}}}", payload(round * 3 + item, &FIELDS))).collect();
        let beside = if round.is_multiple_of(5) { ",\"sent\":1.0" } else { "" };
        let body = payload(round, &FIELDS);
        let comma = if body.is_empty() { "" } else { "," };
        format!(
            "{{\"t\":\"E\",\"v\":1,\"at\":\"2024-01-01T00:00:00Z\"{beside},\"p\":{{{body}{comma}\"items\":[{}]}}}}\n",
            items.join(",")
        )
    };
    (0..500).map(line).collect()
}

const ENVELOPE: &str = "name = \"spellings\"\n[log]\nfiles = [\"*\"]\nenvelope = { type = \"t\", version = \"v\", time = \"at\", payload = \"p\" }\n";

/// Fields of the first version, as they are declared, or as the texts that the second one has.
fn declared(as_text: bool) -> String {
    let typed = FIELDS.iter().filter(|(_, value_type, _)| !value_type.is_empty());
    let fields = typed
        .map(|(name, value_type, _)| format!("{name} = \"{}?\"", if as_text { "text" } else { value_type }));
    let fields = fields.collect::<Vec<_>>().join(", ");
    format!("fields = {{ {fields} }}\nlists.items = {{ {fields} }}\n")
}

fn first() -> String {
    format!("{ENVELOPE}[events.E]\n{}", declared(false))
}

fn second() -> String {
    let typed = FIELDS.iter().filter(|(_, value_type, _)| !matches!(*value_type, "" | "text"));
    let casts = typed.flat_map(|(name, ..)| {
        ["", "each = \"items\", "].map(|each| format!("{{ {each}cast = \"{name}\", to = \"text\" }}"))
    });
    let casts = casts.collect::<Vec<_>>().join(",\n");
    format!(
        "{ENVELOPE}[events.E]\nversion = 2\n{}[[events.E.upcast]]\nfrom = 1\n{}steps = [\n{casts}\n]\n",
        declared(true),
        declared(false)
    )
}

fn rows(library: &Library) -> Vec<Vec<String>> {
    let columns = [
        "_position",
        "_version",
        "name",
        "count",
        "fee",
        "express",
        "due",
        "called",
        "items",
        "_absent",
        "_unknown",
    ];
    library.values("E", &columns)
}

#[test]
fn a_value_is_the_same_however_it_came() {
    let fresh = Library::with(&second());
    fresh.write("log", log());
    let report = fresh.ingest(&["log"]);
    assert_eq!(
        (report.total.accepted, report.leap_seconds > 0),
        (500, true),
        "{:?}",
        fresh.rejects().first()
    );

    let mut old = Library::with(&first());
    old.write("log", log());
    assert_eq!(old.ingest(&["log"]).total.accepted, 500);
    let pipeline = old.path("second.toml");
    fs::write(&pipeline, second()).unwrap();
    old.model = model::load(&pipeline).unwrap();
    let _ = old.ingest(&["log"]);
    let (expected, found) = (rows(&fresh), rows(&old));
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(expected, found);
    }
    assert_eq!(expected.len(), found.len());

    // Whoever reads with other steps would read something else than is there.
    old.model = model::load(&old.path("pipeline.toml")).unwrap();
    let error = old.open().scan("E", &["_version"]).err().unwrap();
    assert_eq!((error.who(), error.next_step()), (Who::Author, Some("run the pipeline: it lifts them anew")));
}
