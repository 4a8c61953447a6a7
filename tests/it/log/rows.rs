//! What survives of an event: every value, absent and null apart, the exact text of unknown fields.

use super::{LIBRARY, Library, lent};

#[test]
fn absent_and_null_are_different() {
    let library = Library::new();
    let line = r#"{"type":"Lent","at":"2024-05-01T10:00:00Z","id":"1","data":{"reader":"r","note":null,"books":[{"isbn":"a","copies":1,"weight":null},{"isbn":"b","copies":2},{"isbn":"c","copies":3,"weight":1.5}],"days":7,"express":true,"due":"2024-06-01","called":"2024-05-01T12:00:00.5+02:00"}}"#;
    library.write("a.ndjson", format!("{line}\n"));
    let _ = library.ingest(&["a.ndjson"]);
    let columns =
        ["reader", "note", "fee", "days", "express", "due", "called", "_absent", "_order", "_version"];
    assert_eq!(
        library.values("Lent", &columns),
        [[
            "r",
            "∅",
            "∅",
            "7",
            "true",
            "2024-06-01",
            "2024-05-01T10:00:00.500",
            "books[1].weight,fee",
            "∅",
            "1"
        ]]
    );
    assert_eq!(
        library.column("Lent", "books"),
        [
            "[{isbn: a, copies: 1, weight: }, {isbn: b, copies: 2, weight: }, {isbn: c, copies: 3, weight: 1.500}]"
        ]
    );
}

#[test]
fn unknown_fields_keep_their_exact_text() {
    let library = Library::new();
    let line = r#"{"type":"Lent","at":"2024-05-01T10:00:00Z","id":"1","host":"h1","data":{"reader":"r","Zahl":1.50e+2,"books":[{"isbn":"a","copies":1},{"isbn":"b","copies":1,"gift":{"wrap" : "\u00fc"}}],"big":12345678901234567890123456789012345678901234567890}}"#;
    library.write("a.ndjson", format!("{line}\n{}\n", lent(2, ",\"Zahl\":1")));
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(
        library.column("Lent", "_unknown"),
        [
            r#"{"envelope.host":"h1","Zahl":1.50e+2,"books[1].gift":{"wrap" : "\u00fc"},"big":12345678901234567890123456789012345678901234567890}"#,
            r#"{"Zahl":1}"#
        ]
    );
    let counted: Vec<(&str, u64)> =
        report.unknown_fields.iter().map(|(path, &count)| (path.as_str(), count)).collect();
    assert_eq!(
        counted,
        [("Lent.Zahl", 2), ("Lent.big", 1), ("Lent.books[].gift", 1), ("Lent.envelope.host", 1)]
    );
}

#[test]
fn texts_are_stored_as_they_mean() {
    let library = Library::new();
    let texts = [
        (r"\u00e9\ud83d\ude00\/\b\f\n\r\t\\\u0022", "é😀/\u{8}\u{c}\n\r\t\\\""),
        ("\u{202e}\u{200b}'; DROP TABLE", "\u{202e}\u{200b}'; DROP TABLE"),
        ("exactly8", "exactly8"),
        (r"seven77\n8", "seven77\n8"),
    ];
    let lines: String =
        (1..).zip(texts).map(|(id, (text, _))| lent(id, &format!(",\"note\":\"{text}\"")) + "\n").collect();
    library.write("a.ndjson", lines);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("Lent", "note"), texts.map(|(_, meant)| meant));
}

#[test]
fn numbers_are_exact() {
    let library = Library::with(&LIBRARY.replace("decimal(10,2)", "decimal(38,4)"));
    let numbers = [
        ("0.1", "0.1000"),
        ("-0", "0.0000"),
        ("9007199254740993", "9007199254740993.0000"),
        ("\"-9999999999999999999999999999999999.9999\"", "-9999999999999999999999999999999999.9999"),
        ("123456789012345678901234567890.1234", "123456789012345678901234567890.1234"),
        ("1.5e3", "1500.0000"),
        ("100000000000000000000e-20", "1.0000"),
        ("0.00000000000000000000000000000000000000000000000000000e9", "0.0000"),
    ];
    let lines: String =
        (1..).zip(numbers).map(|(id, (text, _))| lent(id, &format!(",\"fee\":{text}")) + "\n").collect();
    library.write("a.ndjson", lines);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("Lent", "fee"), numbers.map(|(_, meant)| meant));
}

#[test]
fn a_flat_envelope_has_its_payload_beside_it() {
    let flat = r#"
name = "flat"
[log]
files = ["*.ndjson"]
envelope = { type = "what", time = "at", id = "seq", order = "seq" }
[events]
Moved = { fields = { who = "text", note = "text?" } }
"#;
    let library = Library::with(flat);
    library.write(
        "a.ndjson",
        "{\"who\":\"a\",\"x\":1,\"seq\":7,\"what\":\"Moved\",\"at\":\"2024-05-01T10:00:00Z\"}\n\
         {\"what\":\"Moved\",\"at\":\"2024-05-01T10:00:00Z\",\"seq\":7.0,\"x\":1.0,\"who\":\"a\"}\n\
         {\"what\":\"Moved\",\"at\":\"2024-05-01T10:00:00Z\",\"seq\":7,\"x\":1,\"who\":\"b\"}\n",
    );
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.duplicate, report.total.rejected), (1, 1, 1));
    let columns = ["who", "_id", "_order", "_unknown", "_absent"];
    assert_eq!(library.values("Moved", &columns), [["a", "7", "7", "{\"x\":1}", "note"]]);
}

#[test]
fn leap_seconds_are_the_next_second_and_counted() {
    let library = Library::new();
    let line = lent(1, ",\"called\":\"2015-06-30T23:59:60.25Z\"")
        .replace("2024-05-01T10:00:00Z", "2016-12-31T23:59:60Z");
    library.write("a.ndjson", line + "\n");
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.leap_seconds, 2);
    assert_eq!(
        library.values("Lent", &["_time", "called"]),
        [["2017-01-01T00:00:00", "2015-07-01T00:00:00.250"]]
    );
}

#[test]
fn a_contract_may_grow_and_old_events_give_what_it_adds() {
    let mut library = Library::new();
    library.write("a.ndjson", lent(1, ",\"shelf\":\"S1\"") + "\n");
    let _ = library.ingest(&["a.ndjson"]);
    let grown = LIBRARY
        .replace("note = \"text?\"", "note = \"text?\", shelf = \"text?\"")
        .replace("copies = \"integer\"", "copies = \"integer\", gift = \"boolean?\"");
    library.model = super::model(library.folder.path(), &grown);
    library.write(
        "b.ndjson",
        lent(2, ",\"shelf\":\"S2\"").replace("[]", "[{\"isbn\":\"i\",\"copies\":1,\"gift\":true}]") + "\n",
    );
    let _ = library.ingest(&["b.ndjson"]);
    assert_eq!(
        library.values("Lent", &["_position", "shelf", "_unknown"]),
        [["1", "S1", "∅"], ["2", "S2", "∅"]]
    );
    assert_eq!(library.column("Lent", "books"), ["[]", "[{isbn: i, copies: 1, gift: true, weight: }]"]);

    // The same event again is a duplicate, although its field is a known one now.
    library.write("c.ndjson", format!("\n{}\n", lent(1, ",\"shelf\":\"S1\"")));
    assert_eq!(library.ingest(&["c.ndjson"]).total.duplicate, 1);

    let other = LIBRARY.replace("days = \"integer?\"", "days = \"text?\"");
    library.model = super::model(library.folder.path(), &other);
    let error = library.open().scan("Lent", &["days"]).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("`days` was declared differently"), "{error}");
}
