//! Change events of database tables: what Debezium tells, line by line, and what is refused by name.

use super::{Library, Rejected};
use crate::support::truth::real_data;
use serde_json::{Value, json};
use starlog::log::{Account, FileCode};
use std::fs;
use std::path::Path;

/// The tables of Debezium's own examples.
const EXAMPLES: &str = r#"
name = "examples"

[log]
files = ["*.ndjson"]
envelope = { type = "event", time = "at", payload = "row", id = "event_id", order = "n" }
ignore = ["debezium.heartbeat"]

[log.tables.customers]
[log.tables.upper]
table = "CUSTOMERS"
[log.tables.Users]
[log.tables.orders]

[events."customers.created"]
fields = { id = "integer", first_name = "text", last_name = "text?", email = "text?" }
[events."customers.changed"]
fields = { id = "integer", first_name = "text", last_name = "text?", email = "text?" }
[events."customers.closed"]
fields = { id = "integer" }
[events."upper.created"]
fields = { ID = "integer" }
[events."upper.changed"]
fields = { ID = "integer" }
[events."upper.closed"]
fields = { ID = "integer" }
[events."Users.changed"]
fields = { id = "integer", first_name = "text" }
[events."Users.closed"]
fields = { id = "integer" }
[events."orders.created"]
fields = { id = "text", amount = "decimal(10,2)", status = "text" }
[events."orders.changed"]
fields = { id = "text", amount = "decimal(10,2)", status = "text" }
[events."orders.closed"]
fields = { id = "text" }
[events.OrderCreated]
fields = { id = "integer", customerId = "integer" }
lists.lineItems = { item = "text", quantity = "integer", totalPrice = "decimal(10,2)" }
"#;

/// The events of a file of samples, in order.
fn samples(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].take()).collect()
}

#[test]
fn every_example_of_debezium_is_read_right_or_refused_for_a_true_reason() {
    let Some(data) = real_data("cdc") else { return };
    let examples = samples(&data.join("cdc"), "debezium_docs_examples.ndjson");
    let library = Library::with(EXAMPLES);
    let lines: Vec<String> = examples.iter().map(|event| format!("{event}\n")).collect();
    library.write("a.ndjson", lines.concat());
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.total.read, examples.len() as u64);

    let mut verdicts = vec![String::new(); examples.len()];
    let messages = library.reject_messages();
    assert_eq!(messages.len() as u64, report.total.rejected);
    for (line, code, message) in messages {
        verdicts[line - 1] = format!("{code}: {message}");
    }
    let log = library.open();
    for event in log.event_types() {
        let fields = library.model.events.iter().find(|known| known.name == event).unwrap();
        let fields: Vec<&str> = fields.fields.iter().map(|field| field.name.as_str()).collect();
        let columns = [vec!["_line", "_time", "_order"], fields].concat();
        for row in library.values(event, &columns) {
            verdicts[row[0].parse::<usize>().unwrap() - 1] = format!("{event} {}", row[1..].join(" "));
        }
    }
    // The pages on Kubernetes and on OpenShift show the same line.
    let told_again = verdicts.iter_mut().filter(|verdict| verdict.is_empty());
    assert_eq!(
        told_again.map(|verdict| verdict.push_str("a duplicate")).count() as u64,
        report.total.duplicate
    );
    let shown: Vec<String> =
        verdicts.iter().enumerate().map(|(at, verdict)| format!("{:>2}  {verdict}", at + 1)).collect();
    insta::assert_snapshot!("examples_of_debezium", shown.join("\n"));
}

#[test]
fn maxwell_and_wal2json_are_refused_by_name() {
    let Some(data) = real_data("cdc") else { return };
    for (file, name) in [("maxwell_examples.ndjson", "Maxwell"), ("wal2json_expected.ndjson", "wal2json")] {
        let library = Library::with(EXAMPLES);
        let events = samples(&data.join("cdc"), file);
        let names: Vec<String> = (0..events.len()).map(|at| format!("{at}.ndjson")).collect();
        for (event, name) in events.iter().zip(&names) {
            library.write(name, format!("{event}\n"));
        }
        // Each failure begins an ingest anew; a sample of them is enough.
        for (at, file) in names.iter().enumerate().step_by(events.len() / 40 + 1) {
            let report = library.ingest(&[file]);
            let failed = report.failures.first().unwrap_or_else(|| panic!("{}", events[at]));
            assert_eq!(failed.code, FileCode::Format, "{}", events[at]);
            assert!(failed.message.contains(name), "{}: {}", failed.message, events[at]);
            assert_eq!(report.total, Account::default());
        }
    }
}

/// Boxes with every kind of column.
const BOXES: &str = r#"
name = "boxes"

[log]
files = ["*.ndjson"]
envelope = { type = "event", time = "at", payload = "row", id = "event_id", order = "n", zone = "Europe/Oslo" }
ignore = ["boxes.closed", "walls"]

[log.tables.boxes]
table = "inventory.boxes"
created = "BoxMade"
changed = "BoxChanged"
becomes.state = { broken = "BoxBroken" }
fields = { box = "id" }
scales = { weight = 3 }
times = { seen = "us" }

[log.tables.lids]
time = "made"
decimals = "text"

[events.BoxMade]
fields = { box = "integer", price = "decimal(10,2)?", weight = "decimal(10,3)?", filled = "date?", seen = "timestamp?", heard = "timestamp?", state = "text?", sealed = "boolean?" }
[events.BoxChanged]
fields = { box = "integer", price = "decimal(10,2)?", state = "text?" }
[events.BoxBroken]
fields = { box = "integer" }
[events."lids.created"]
fields = { id = "integer", width = "decimal(4,0)" }
"#;

fn source() -> Value {
    json!({"connector": "mysql", "db": "inventory", "table": "boxes", "ts_ms": 1_714_557_600_000_i64,
        "file": "binlog.000002", "pos": 77, "row": 0, "snapshot": "false"})
}

fn change(op: &str, before: Value, after: Value) -> Value {
    json!({"op": op, "before": before, "after": after, "source": source(), "ts_ms": 1_714_557_600_123_i64})
}

fn boxes(lines: &[Value]) -> Library {
    let library = Library::with(BOXES);
    library.write("a.ndjson", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    library
}

/// The reason of the only reject.
fn only_reject(line: Value) -> (String, String) {
    let library = boxes(&[line]);
    let _ = library.ingest(&["a.ndjson"]);
    let mut rejects = library.reject_messages();
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    let (_, code, message) = rejects.remove(0);
    (code, message)
}

fn schema(columns: Value) -> Value {
    json!({"type": "struct", "fields": [
        {"type": "struct", "field": "before", "fields": columns}, {"type": "struct", "field": "after", "fields": columns}]})
}

#[test]
fn values_are_what_their_schema_says() {
    let columns = json!([
        {"type": "int64", "field": "id"},
        {"type": "bytes", "field": "price", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
        {"type": "struct", "field": "weight", "name": "io.debezium.data.VariableScaleDecimal"},
        {"type": "int32", "field": "filled", "name": "io.debezium.time.Date"},
        {"type": "int64", "field": "seen", "name": "io.debezium.time.MicroTimestamp"},
        {"type": "string", "field": "heard", "name": "io.debezium.time.ZonedTimestamp"},
        {"type": "bytes", "field": "extra", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "1"}}]);
    // 123456 = 01 E2 40, -1 = FF, 5 = 05.
    let row = json!({"id": 9_007_199_254_740_993_i64, "price": "AeJA", "weight": {"scale": 1, "value": "/w=="},
        "filled": 19_844, "seen": 1_714_557_600_500_000_i64, "heard": "2024-05-01T10:00:00Z", "extra": "BQ=="});
    let library = boxes(&[json!({"schema": schema(columns), "payload": change("c", Value::Null, row)})]);
    assert_eq!(library.ingest(&["a.ndjson"]).total, Account { read: 1, accepted: 1, ..Account::default() });
    assert_eq!(
        library.values(
            "BoxMade",
            &["box", "price", "weight", "filled", "seen", "heard", "_unknown", "_time", "_order", "_absent"]
        ),
        [[
            "9007199254740993",
            "1234.56",
            "-0.100",
            "2024-05-01",
            // Ten on a wall in Oslo.
            "2024-05-01T08:00:00.500",
            "2024-05-01T10:00:00",
            r#"{"extra":0.5}"#,
            "2024-05-01T10:00:00",
            &((2_i64 << 34) + 77).to_string(),
            "state,sealed"
        ]]
    );
}

#[test]
fn without_a_schema_the_pipeline_says_what_values_are() {
    let row = json!({"id": 1, "price": "12.50", "weight": "AeJA", "filled": 0, "seen": 0, "sealed": true});
    let library = boxes(&[change("r", Value::Null, row)]);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(
        library.values("BoxMade", &["price", "weight", "filled", "seen", "sealed"]),
        [["12.50", "123.456", "1970-01-01", "1969-12-31T23:00:00", "true"]]
    );
    for (column, value, code, reason) in [
        ("price", json!("AeJA"), "money-format", "neither a schema nor `scales`"),
        ("price", json!("1234"), "money-format", "may be a number or the bytes of one"),
        ("price", json!("12,50"), "money-format", "is not a decimal like"),
        ("weight", json!("12.50"), "money-format", "not the bytes of a decimal"),
        ("heard", json!(1_714_557_600_000_i64), "time", "neither a schema nor `times`"),
        ("seen", json!("soon"), "time", "not a timestamp"),
        ("seen", json!(i64::MAX), "time-range", "no time of the years"),
        ("filled", json!(99_999_999), "time", "no time of the calendar"),
        ("sealed", json!(1), "type", "expected true or false"),
    ] {
        let (found, message) = only_reject(change("c", Value::Null, json!({"id": 1, column: value})));
        assert_eq!(found, code, "{message}");
        assert!(message.starts_with(column) && message.contains(reason), "{column}: {message}");
    }
}

#[test]
fn a_value_that_the_database_did_not_say_again_is_absent() {
    let word = "__debezium_unavailable_value";
    let bytes: Vec<u8> = word.bytes().collect();
    // As a text, as bytes in base64 and in hexadecimal, in a list of texts, of integers and of UUIDs, in an hstore.
    let forms = [
        json!(word),
        json!("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="),
        json!("5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"),
        json!([word]),
        json!(bytes),
        json!(["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]),
        json!({word: word}),
        json!(json!({word: word}).to_string()),
    ];
    for form in forms {
        let row = json!({"id": 1, "price": form, "state": null});
        let library = boxes(&[change("u", Value::Null, row)]);
        let _ = library.ingest(&["a.ndjson"]);
        assert_eq!(
            library.values("BoxChanged", &["price", "state", "_absent"]),
            [["∅", "∅", "price"]],
            "{form}"
        );
    }
    // What only looks like it is a value.
    for value in [json!(["a", "b"]), json!(bytes[..9]), json!({word: 1}), json!("debezium")] {
        let library = boxes(&[change("u", Value::Null, json!({"id": 1, "other": value}))]);
        let _ = library.ingest(&["a.ndjson"]);
        assert_eq!(library.column("BoxChanged", "_unknown"), [json!({"other": value}).to_string()]);
    }
}

#[test]
fn an_update_by_which_a_column_takes_a_value_is_an_event_of_its_own() {
    let state = |state: &str| json!({"id": 1, "state": state});
    let library = boxes(&[
        change("u", state("whole"), state("broken")),
        change("u", state("broken"), state("broken")),
        change("u", state("broken"), state("whole")),
        change("u", Value::Null, state("broken")),
    ]);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("BoxBroken", "_line"), ["1"]);
    assert_eq!(library.column("BoxChanged", "_line"), ["2", "3"]);
    let rejects = library.reject_messages();
    assert_eq!(rejects.len(), 1);
    assert_eq!((rejects[0].0, rejects[0].1.as_str()), (4, "missing-field"));
    assert!(rejects[0].2.contains("without `before`"), "{}", rejects[0].2);
}

#[test]
fn every_line_is_accounted_for() {
    let mut wall = change("c", Value::Null, json!({"id": 1}));
    wall["source"]["table"] = json!("walls");
    let mut roof = wall.clone();
    roof["source"]["table"] = json!("roofs");
    let made = change("c", Value::Null, json!({"id": 1}));
    let mut told_again = made.clone();
    told_again["ts_ms"] = json!(1_800_000_000_000_i64);
    // A newer connector says more of the same change, and large numbers as text.
    let source = json!({"connector": "mysql", "version": "3.0", "db": "inventory", "table": "boxes",
        "ts_ms": 1_714_557_600_000_i64, "ts_us": 1_714_557_600_000_000_i64, "ts_ns": 1_714_557_600_000_000_000_i64,
        "file": "binlog.000002", "pos": "77", "row": 0, "snapshot": "last", "gtid": null, "added": true});
    told_again["source"] = source;
    let library = boxes(&[
        made,
        told_again,
        change("d", json!({"id": 1}), Value::Null),
        Value::Null,
        json!({"schema": null, "payload": null}),
        wall,
        roof,
        change("x", Value::Null, json!({"id": 1})),
    ]);
    library.append("a.ndjson", "\n{\"op\":\"c\"\n\u{feff}{}\n");
    let report = library.ingest(&["a.ndjson"]);
    let expected = Account { read: 11, accepted: 1, duplicate: 1, rejected: 4, blank: 3, ignored: 2 };
    assert_eq!(report.total, expected);
    let codes: Vec<(usize, String)> =
        library.reject_messages().into_iter().map(|(line, code, _)| (line, code)).collect();
    let expected = [(7, "unknown-type"), (8, "change-event"), (10, "json-syntax"), (11, "bom")];
    assert_eq!(codes, expected.map(|(line, code)| (line, code.to_owned())));

    // What comes to a known file is read as the file was.
    library.append("a.ndjson", format!("{}\n", change("u", Value::Null, json!({"id": 2}))));
    assert_eq!(library.ingest(&["a.ndjson"]).total.accepted, 1);
    let file = fs::read(library.path("a.ndjson")).unwrap();
    for Rejected { offset, raw, .. } in library.rejects() {
        let at = usize::try_from(offset).unwrap();
        assert_eq!(&file[at..at + raw.len()], raw, "a reject keeps the bytes of its line");
    }
}

#[test]
fn rows_are_dated_by_a_column_where_the_pipeline_says_so() {
    let mut lid = change("c", Value::Null, json!({"id": 7, "width": "1234", "made": "2020-02-29T12:00:00Z"}));
    lid["source"]["table"] = json!("lids");
    let library = boxes(&[lid]);
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(
        library.values("lids.created", &["_time", "id", "width"]),
        [["2020-02-29T12:00:00", "7", "1234"]]
    );
}

#[test]
fn two_columns_for_one_field_are_a_reject() {
    let (code, message) = only_reject(change("c", Value::Null, json!({"id": 7, "box": 8})));
    assert_eq!(code, "duplicate-key", "{message}");
}

/// MongoDB tells a place in a second of its log; whoever tells none has but the time.
#[test]
fn changes_at_other_places_are_other_changes() {
    let told = |place: Value| {
        let mut told = change("u", Value::Null, json!({"id": 1}));
        let mut source = json!({"db": "inventory", "table": "boxes", "ts_ms": 1_714_557_600_000_i64});
        source.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        told["source"] = source;
        told
    };
    for (place, other) in [
        (json!({"lsn": 1}), json!({"lsn": 2})),
        (json!({"file": "b.1", "pos": 4, "row": 0}), json!({"file": "b.1", "pos": 4, "row": 1})),
        (json!({"commit_lsn": "1", "event_serial_no": 1}), json!({"commit_lsn": "1", "event_serial_no": 2})),
        (json!({"scn": "1", "ssn": 0}), json!({"scn": "1", "ssn": 1})),
        (json!({"ord": 1}), json!({"ord": 2})),
        (json!({"ord": 1}), json!({"ord": 1, "ts_ms": 1_714_557_601_000_i64})),
        (json!({}), json!({"ts_ms": 1_714_557_601_000_i64})),
    ] {
        let library = boxes(&[told(place.clone()), told(other.clone()), told(place.clone())]);
        let report = library.ingest(&["a.ndjson"]);
        assert_eq!((report.total.accepted, report.total.duplicate), (2, 1), "{place} {other}");
    }
}

/// Articles have a number that people may change, and are in groups; a bill says the names of its articles again.
const ARTICLES: &str = r#"
name = "articles"

[log]
files = ["*.ndjson"]
envelope = { type = "event", time = "at", payload = "row", id = "event_id" }

[log.tables.articles]
created = "ArticleSet"
changed = "ArticleSet"
closed = "ArticleGone"
fields = { article = "number" }

[log.tables.groups]
created = "GroupSet"
changed = "GroupSet"
[log.tables.bill_lines]
created = "LineAdded"
changed = "LineChanged"
closed = "LineGone"

[events]
ArticleSet.fields = { article = "text?", name = "text?", part = "text?", title = "text?" }
ArticleGone.fields = { article = "text" }
GroupSet.fields = { part = "text", title = "text?" }
LineAdded.fields = { bill = "integer", line = "integer", article = "text?", name = "text?", pieces = "integer" }
LineChanged.fields = { bill = "integer", line = "integer", article = "text?", name = "text?", pieces = "integer" }
LineGone.fields = { bill = "integer", line = "integer" }

[dimensions.article]
key = { article = "text" }
attributes.name = { type = "text" }
on.ArticleSet = {}
on.ArticleGone = { does = "close" }
on.LineChanged = {}
[dimensions.article.levels.part]
key = { part = "text" }
attributes.title = { type = "text" }
on.GroupSet = {}
on.ArticleSet = {}

[facts.sales]
header = { bill = "integer" }
line = { line = "integer" }
lines = "sale_lines"
dimensions = ["article"]
quantity = "pieces"
[facts.sales.measures]
pieces = { type = "integer" }
[facts.sales.on.LineAdded]
does = "place"
kind = "placed"
line = "line"
[facts.sales.on.LineChanged]
does = "amend"
kind = "amended"
line = "line"
[facts.sales.on.LineGone]
does = "reverse"
kind = "removed"
line = "line"
"#;

/// One event cannot say that one member is gone and another one there.
#[test]
fn an_update_to_another_natural_key_is_a_reject() {
    let judged = |table: &str, before: Value, after: Value| {
        let mut line = change("u", before, after);
        line["source"]["table"] = json!(table);
        let library = Library::with(ARTICLES);
        library.write("a.ndjson", format!("{line}\n"));
        let _ = library.ingest(&["a.ndjson"]);
        library.reject_messages().pop().map(|(_, code, message)| (code, message))
    };
    let article = |number: Value, part: &str| json!({"number": number, "name": "x", "part": part});
    let line = |bill: i64, line: i64, article: &str| json!({"bill": bill, "line": line, "article": article, "pieces": 1});
    for (table, column, before, after) in [
        ("articles", "number", article(json!("A"), "P"), article(json!("B"), "P")),
        ("articles", "number", article(json!("A"), "P"), article(Value::Null, "P")),
        ("groups", "part", json!({"part": "P"}), json!({"part": "Q"})),
        ("bill_lines", "bill", line(1, 1, "A"), line(2, 1, "A")),
        ("bill_lines", "line", line(1, 1, "A"), line(1, 2, "A")),
    ] {
        let (code, message) = judged(table, before, after).unwrap();
        assert_eq!(code, "change-event", "{message}");
        assert!(
            message.starts_with(column) && message.contains("by it the pipeline knows the row"),
            "{message}"
        );
    }
    for (table, before, after) in [
        ("articles", article(json!("A"), "P"), article(json!("A"), "Q")),
        ("articles", article(Value::Null, "P"), article(json!("A"), "P")),
        ("articles", article(json!("A"), "P"), article(json!("__debezium_unavailable_value"), "P")),
        // What was, nobody has said.
        ("articles", Value::Null, article(json!("B"), "P")),
        ("articles", json!({"name": "x"}), article(json!("B"), "P")),
        ("bill_lines", line(1, 1, "A"), line(1, 1, "B")),
    ] {
        assert_eq!(judged(table, before.clone(), after.clone()), None, "{table} {before} {after}");
    }
}

#[test]
fn decimals_of_absurd_scales_are_out_of_range() {
    for (scale, code) in
        [(199, "scale"), (200, "scale"), (201, "range"), (i32::MAX, "range"), (-201, "range")]
    {
        let columns = json!([{"type": "bytes", "field": "price", "name": "org.apache.kafka.connect.data.Decimal",
            "parameters": {"scale": scale.to_string()}}]);
        let made = change("c", Value::Null, json!({"id": 1, "price": "BQ=="}));
        let (found, message) = only_reject(json!({"schema": schema(columns), "payload": made}));
        assert_eq!(found, code, "{scale}: {message}");
    }
}

/// A log of one's own that happens to hold such words stays one's own.
#[test]
fn a_line_with_the_pipeline_s_own_envelope_is_its_own() {
    let library = Library::with(BOXES);
    library.write(
        "a.ndjson",
        r#"{"event":"BoxBroken","at":"2024-05-01T10:00:00Z","event_id":1,"op":"c","source":{"table":"boxes"},"row":{"box":1}}
{"op":"c","source":{"table":"boxes","db":"inventory"},"after":{"id":1}}
"#,
    );
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (1, 1));
    assert_eq!(library.codes(), ["missing-field"]);
}
