//! One line of an old version.

use crate::log::Library;

pub const GARAGE: &str = include_str!("../../pipelines/garage.toml");

/// A line of this version.
pub fn line(version: i64, id: u64, body: &str) -> String {
    format!(
        "{{\"what\":\"Serviced\",\"v\":{version},\"at\":\"2024-05-0{}T10:00:00Z\",\"id\":{id},\"body\":{body}}}\n",
        1 + id % 9
    )
}

const V1: &str = r#"{"visit":7.0,"plate":"AB 1","owner_first":"Ida","owner_last":"van \u0044yck","done":"2024-05-01T12:00:00+02:00","memo":"dusty","items":[{"part":"belt","qty":"2","price":"12.5","note":null},{"part":"oil","qty":"1","price":3}],"mileage":1.50}"#;
const V2: &str = r#"{"owner":"Ida van Dyck","visit":"7","car":{"plate":"AB 1","color":null},"done":"2024-05-01T10:00:00Z","items":[{"part":"belt","qty":"2","price":12.50,"note":null},{"part":"oil","qty":"1","price":"3.00"}],"mileage":1.50}"#;
const V3: &str = r#"{"visit":"7","plate":"AB 1","first":"Ida","last":"van Dyck","done":"2024-05-01T10:00:00Z","paid":0,"channel":"desk","parts":[{"part":"belt","pieces":2,"price":12.5,"note":null},{"part":"oil","pieces":1,"price":3}],"mileage":1.50}"#;

const PAYLOAD: [&str; 10] =
    ["visit", "plate", "first", "last", "done", "paid", "channel", "parts", "_absent", "_unknown"];

#[test]
fn three_versions_say_the_same() {
    let library = Library::with(GARAGE);
    library.write("a.ndjson", [line(1, 1, V1), line(2, 2, V2), line(3, 3, V3)].concat());
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (3, 0), "{:?}", library.rejects());
    let rows = library.values("Serviced", &PAYLOAD);
    assert_eq!(rows[0], rows[2]);
    assert_eq!(rows[1], rows[2]);
    assert_eq!(
        rows[2][7],
        "[{part: belt, pieces: 2, price: 12.50, note: }, {part: oil, pieces: 1, price: 3.00, note: }]"
    );
    assert_eq!(rows[2][8..], ["parts[1].note", "{\"mileage\":1.50}"]);
    // What came is kept as it came, of old versions only.
    let kept = library.values("Serviced", &["_version", "_original"]);
    assert_eq!(kept, [["1", V1], ["2", V2], ["3", "∅"]]);
    assert_eq!(report.unknown_fields.into_iter().collect::<Vec<_>>(), [("Serviced.mileage".to_owned(), 3)]);
}

/// Where the payload's fields stand beside those of the envelope, they alone are lifted and kept.
#[test]
fn a_flat_line_is_lifted_too() {
    let flat = GARAGE.replace("payload = \"body\", ", "").replace("\"at\"", "\"when\"");
    let library = Library::with(&flat);
    let line = |version: i64, body: &str| {
        let line = line(version, 1, body).replace("\"at\":", "\"when\":").replace("\"id\":1,", "");
        line.replace("\"body\":{", &format!("\"id\":{version},")).replace("}}\n", "}\n")
    };
    library.write("a.ndjson", [line(1, V1), line(2, V2), line(3, V3)].concat());
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (3, 0), "{:?}", library.rejects());
    let rows = library.values("Serviced", &PAYLOAD);
    assert_eq!((&rows[0], &rows[1]), (&rows[2], &rows[2]));
    assert_eq!(library.values("Serviced", &["_id", "_original"])[..2], [["1", V1], ["2", V2]]);
}

/// An id that comes again is a duplicate by what was said, whatever the steps make of it.
#[test]
fn content_is_what_was_said() {
    let library = Library::with(GARAGE);
    library.write("a.ndjson", line(1, 1, V1));
    let _ = library.ingest(&["a.ndjson"]);
    let again = V1.replace("7.0", "7").replace("\"12.5\"", "\"12.5\" ").replace("\\u0044", "D");
    library.write("b.ndjson", line(1, 1, &again));
    assert_eq!(library.ingest(&["b.ndjson"]).total.duplicate, 1);
    // The same after the steps, and something else all the same.
    for (name, other) in [("c", V1.replace("dusty", "clean")), ("d", V1.replace("\"12.5\"", "12.5"))] {
        let name = format!("{name}.ndjson");
        library.write(&name, line(1, 1, &other));
        assert_eq!(library.ingest(&[&name]).total.rejected, 1, "{other}");
    }
    library.write("e.ndjson", line(2, 1, V2));
    assert_eq!(library.ingest(&["e.ndjson"]).total.rejected, 1);
    assert_eq!(library.codes(), ["id-conflict"; 3]);
}

#[test]
fn what_cannot_be_lifted_is_a_reject() {
    let cases = [
        (1, V1.replace("\"plate\":\"AB 1\",", ""), "upcast", "version 1: plate is missing"),
        (
            1,
            V1.replace("\"plate\":\"AB 1\"", "\"plate\":null"),
            "upcast",
            "version 1: plate must not be null",
        ),
        (1, V1.replace("7.0", "7.5"), "upcast", "version 1: visit: 7.5 is not an integer"),
        (1, V1.replace("7.0", "[7]"), "upcast", "version 1: visit is an object or a list, not a value"),
        (
            1,
            V1.replace("2024-05-01T12", "2024-05-32T12"),
            "upcast",
            "version 1: done: no date of the calendar",
        ),
        (
            1,
            V1.replace("\"items\":[", "\"items\":7,\"x\":["),
            "upcast",
            "version 1: items is no list of objects",
        ),
        (1, V1.replace("\"items\":[", "\"items\":[7,"), "upcast", "version 1: items[0] is no object"),
        (
            1,
            V1.replace("\"price\":3", "\"price\":3.001"),
            "upcast",
            "version 1: items[1].price: more than 2 digits behind the point",
        ),
        (
            1,
            V1.replace("\"memo\":\"dusty\"", "\"car\":1"),
            "upcast",
            "version 1: something that is not declared stands at car",
        ),
        (
            1,
            V1.replace("\"memo\":\"dusty\"", "\"owner\":1"),
            "upcast",
            "version 1: something that is not declared stands at owner",
        ),
        (
            1,
            V1.replace("\"qty\":\"2\"", "\"qty\":\"two\""),
            "upcast",
            "version 2: parts[0]: pieces: \"two\" is not an integer",
        ),
        (
            1,
            V1.replace("\"qty\":\"2\"", "\"qty\":\"2 \""),
            "upcast",
            "version 2: parts[0]: pieces: \"2 \" is not an integer",
        ),
        (
            2,
            V2.replace("Ida van Dyck", "Ida"),
            "upcast",
            "version 2: owner: \"Ida\" has no 2 parts between \" \"",
        ),
        (
            2,
            V2.replace("{\"plate\":\"AB 1\",\"color\":null}", "\"AB 1\""),
            "upcast",
            "version 2: car is no object",
        ),
        (2, "7".to_owned(), "upcast", "version 2: body is no object"),
        // What the line itself lacks is said as of any other line.
        (4, V3.to_owned(), "unknown-version", "Serviced has version 4, the pipeline knows 1 to 3"),
        (0, V1.to_owned(), "unknown-version", "Serviced has version 0, the pipeline knows 1 to 3"),
        (
            1,
            V1.replace("\"memo\":\"dusty\"", "\"visit\":8"),
            "duplicate-key",
            "a key stands twice in one object",
        ),
    ];
    let library = Library::with(GARAGE);
    let lines = cases.iter().enumerate().map(|(id, (version, body, ..))| line(*version, id as u64, body));
    library.write("a.ndjson", lines.collect::<String>());
    assert_eq!(library.ingest(&["a.ndjson"]).total.rejected, cases.len() as u64);
    for ((_, body, code, message), reject) in cases.iter().zip(library.rejects()) {
        assert_eq!((reject.code.as_str(), reject.message.as_str()), (*code, *message), "{body}");
    }
    assert_eq!(library.rejects()[0].raw, line(1, 0, &cases[0].1).trim_end().as_bytes());
}

/// Each kind of cast, from values as they are written to those that are read.
#[test]
fn casts_keep_values_exact() {
    let cast = |from: &str, to: &str, value: &str| {
        let pipeline = format!(
            r#"
name = "casts"
[log]
files = ["*"]
envelope = {{ type = "t", version = "v", time = "at" }}
[[events.E.upcast]]
from = 1
fields = {{ x = "{from}?" }}
steps = [{{ cast = "x", to = "{to}" }}]
[events.E]
version = 2
fields = {{ x = "{to}?" }}
"#
        );
        let library = Library::with(&pipeline);
        library
            .write("a", format!("{{\"t\":\"E\",\"v\":1,\"at\":\"2024-01-01T00:00:00Z\",\"x\":{value}}}\n"));
        let _ = library.ingest(&["a"]);
        match library.rejects().first() {
            Some(reject) => reject.message.clone(),
            None => library.column("E", "x").concat(),
        }
    };
    let cases = [
        ("text", "integer", "\"9007199254740993\"", "9007199254740993"),
        ("text", "integer", "\"1e2\"", "100"),
        ("text", "integer", "\"007\"", "version 1: x: \"007\" is not an integer"),
        ("text", "integer", "\"\"", "version 1: x: \"\" is not an integer"),
        ("text", "integer", "null", "∅"),
        (
            "text",
            "decimal(38,2)",
            "\"999999999999999999999999999999999999.99\"",
            "999999999999999999999999999999999999.99",
        ),
        ("text", "decimal(12,2)", "\"1.005\"", "version 1: x: \"1.005\" is not a decimal that fits"),
        ("text", "decimal(12,2)", "\"12,5\"", "version 1: x: \"12,5\" is not a decimal that fits"),
        ("text", "boolean", "\"true\"", "true"),
        ("text", "boolean", "\"Y\"", "version 1: x: \"Y\" is not true or false"),
        ("text", "date", "\"2024-02-29\"", "2024-02-29"),
        ("text", "date", "\"2023-02-29\"", "version 1: x: \"2023-02-29\" is not a date as YYYY-MM-DD"),
        ("text", "timestamp", "\"2024-02-29T01:00:00.5+01:00\"", "2024-02-29T00:00:00.500"),
        ("integer", "text", "-0", "0"),
        ("integer", "text", "1e3", "1000"),
        ("integer", "decimal(12,2)", "7", "7.00"),
        ("integer", "decimal(3,2)", "10", "version 1: x: more than 1 digits before the point"),
        ("decimal(12,2)", "text", "1.5", "1.50"),
        ("decimal(12,2)", "text", "\"-0.5\"", "-0.50"),
        ("decimal(12,2)", "integer", "\"2.00\"", "2"),
        ("decimal(12,2)", "integer", "2.5", "version 1: x: 2.50 is not an integer"),
        ("decimal(12,2)", "decimal(12,1)", "2.50", "2.5"),
        ("decimal(12,2)", "decimal(12,1)", "2.55", "version 1: x: more than 1 digits behind the point"),
        ("boolean", "text", "false", "false"),
        ("date", "text", "\"2024-02-29\"", "2024-02-29"),
        ("timestamp", "text", "\"2024-02-29T01:00:00+01:00\"", "2024-02-29T00:00:00Z"),
        ("timestamp", "text", "\"2024-02-29T01:00:00.000001+01:00\"", "2024-02-29T00:00:00.000001Z"),
    ];
    for (from, to, value, expected) in cases {
        assert_eq!(cast(from, to, value), expected, "{from} → {to}: {value}");
    }
}
