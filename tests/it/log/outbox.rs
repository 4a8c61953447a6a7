//! Rows of an outbox: alone, in change events, with other columns; and what is no event of it.

use super::Library;
use serde_json::{Value, json};
use starlog::log::Account;

const LETTERS: &str = r#"
name = "letters"

[log]
files = ["*.ndjson"]
envelope = { type = "what", version = "v", time = "at", payload = "body", id = "uid", order = "n" }

[events]
Posted = { version = 2, fields = { letter = "integer", postage = "decimal(6,2)" } }
"#;

/// A row; its payload is a text with what texts may hold.
fn row(id: u64) -> Value {
    json!({"id": format!("u{id}"), "aggregatetype": "letter", "aggregateid": id.to_string(), "type": "Posted",
        "payload": format!("{{\"letter\": {id},\n \"postage\": 0.10, \"to\": \"M\\u00fcller \\\"x\\\"\"}}"), "version": 2})
}

fn change(op: &str, before: Value, after: Value) -> Value {
    let source = json!({"connector": "postgresql", "db": "post", "schema": "public", "table": "outbox",
        "ts_us": 1_714_557_600_000_001_i64, "lsn": 42});
    json!({"op": op, "before": before, "after": after, "source": source})
}

fn letters(outbox: &str, lines: &[Value]) -> Library {
    let library = Library::with(&format!("{LETTERS}\n[log.outbox]\nversion = \"version\"\n{outbox}"));
    library.write("a.ndjson", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    library
}

#[test]
fn a_row_that_a_change_event_inserts_is_its_event() {
    let library = letters(
        "",
        &[
            change("c", Value::Null, row(1)),
            change("c", Value::Null, row(1)),
            change("d", row(1), Value::Null),
            json!({"schema": {"type": "struct", "fields": []}, "payload": change("r", Value::Null, row(2))}),
            change("u", row(2), row(2)),
        ],
    );
    let expected = Account { read: 5, accepted: 2, duplicate: 1, rejected: 1, blank: 1, ignored: 0 };
    assert_eq!(library.ingest(&["a.ndjson"]).total, expected);
    let columns = ["_id", "_time", "_order", "_version", "letter", "postage", "_unknown"];
    let beside = |id: u64| {
        format!(
            r#"{{"to":"M\u00fcller \"x\"","envelope.aggregateid":"{id}","envelope.aggregatetype":"letter"}}"#
        )
    };
    let rows = library.values("Posted", &columns);
    let row = |id: u64| {
        [
            format!("u{id}"),
            "2024-05-01T10:00:00.000001".into(),
            "42".into(),
            "2".into(),
            id.to_string(),
            "0.10".into(),
            beside(id),
        ]
    };
    assert_eq!(rows, [row(1), row(2)]);
    assert_eq!(library.codes(), ["change-event"]);
}

#[test]
fn rows_that_stand_alone_say_their_time() {
    let at = |time: Value| {
        let mut row = row(1);
        row["sent"] = time;
        row
    };
    let library = letters("time = \"sent\"\nunit = \"ms\"", &[at(json!(1_714_557_600_123_i64))]);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("Posted", "_time"), ["2024-05-01T10:00:00.123"]);

    let mut unpacked = at(json!("2024-05-02T10:00:00Z"));
    unpacked["payload"] = json!({"letter": 2, "postage": 1});
    unpacked["id"] = json!("u2");
    let lines = [at(json!("2024-05-01T10:00:00Z")), at(json!(1_714_557_600_123_i64)), row(3), unpacked];
    let library = letters("time = \"sent\"", &lines);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("Posted", "_time"), ["2024-05-01T10:00:00", "2024-05-02T10:00:00"]);
    assert_eq!(library.codes(), ["time", "missing-field"]);
}

#[test]
fn an_outbox_of_other_names_is_declared() {
    let pipeline = format!(
        "{}\n[log.outbox]\ntable = \"post.public.outbox\"\nid = \"key\"\ntype = \"event\"\npayload = \"json\"\n",
        LETTERS.replace("version = 2, ", "")
    );
    let library = Library::with(&pipeline);
    let row = json!({"key": 7, "event": "Posted", "json": {"letter": 9, "postage": "1.00"}});
    library.write("a.ndjson", format!("{}\n", change("c", Value::Null, row)));
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.values("Posted", &["_id", "letter", "postage"]), [["7", "9", "1.00"]]);
}

#[test]
fn what_is_no_event_is_a_reject_with_its_reason() {
    let with = |column: &str, value: Value| {
        let mut row = row(1);
        row[column] = value;
        change("c", Value::Null, row)
    };
    for (line, code, reason) in [
        (with("payload", json!("letter 1")), "type", "neither an object nor a text that is one"),
        (with("payload", json!([1])), "type", "neither an object nor a text that is one"),
        (with("payload", json!("{\"letter\":1,\"letter\":2}")), "type", "neither an object"),
        (with("type", json!(7)), "type", "an event type is a string"),
        (with("type", json!("Burnt")), "unknown-type", "Burnt"),
        (with("version", json!(3)), "unknown-version", "version 3"),
        (with("id", Value::Null), "no-id", "is null"),
        (with("at", json!("x")), "duplicate-key", "called like a field of the envelope"),
    ] {
        let library = letters("", &[line]);
        let _ = library.ingest(&["a.ndjson"]);
        let rejects = library.reject_messages();
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0].1, code, "{}", rejects[0].2);
        assert!(rejects[0].2.contains(reason), "{}", rejects[0].2);
    }
}

/// A log whose own envelope these columns are is read as ever.
#[test]
fn a_log_with_such_an_envelope_is_its_own() {
    let envelope = r#"{ type = "type", time = "timestamp", payload = "payload", id = "id" }"#;
    let pipeline = format!(
        "name = \"letters\"\n[log]\nfiles = [\"*.ndjson\"]\nenvelope = {envelope}\n[events]\nPosted = {{ fields = {{ letter = \"integer\" }} }}\n"
    );
    let library = Library::with(&pipeline);
    let own = json!({"id": 1, "type": "Posted", "timestamp": "2024-05-01T10:00:00Z", "aggregatetype": "a", "aggregateid": "b", "payload": {"letter": 1}});
    let mut packed = own.clone();
    packed["payload"] = json!("{\"letter\":2}");
    library.write("a.ndjson", format!("{own}\n"));
    library.write("b.ndjson", format!("{}\n", packed.to_string().replace("\"id\":1", "\"id\":2")));
    let report = library.ingest(&["a.ndjson", "b.ndjson"]);
    assert_eq!(report.total.accepted, 2);
    let kept = r#"{"envelope.aggregateid":"b","envelope.aggregatetype":"a"}"#;
    assert_eq!(library.values("Posted", &["letter", "_unknown"]), [["1", kept], ["2", kept]]);
}
