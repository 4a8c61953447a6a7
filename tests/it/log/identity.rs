//! Same id, same content: dropped. Same id, other content: refused (DESIGN 4). Also across runs.

use super::{LIBRARY, Library, lent, lents};

fn returned(id: &str, data: &str) -> String {
    format!(
        "{{\"type\":\"Returned\",\"v\":2,\"at\":\"2024-05-01T10:00:00Z\",\"id\":{id},\"seq\":1,\"data\":{data}}}\n"
    )
}

#[test]
fn row_061_062_content_is_what_it_means_not_how_it_is_written() {
    let library = Library::new();
    let same = [
        returned("1", r#"{"reader":"é","x":{"a":1,"b":[1.0,true,null]},"y":-0}"#),
        returned("1", r#"{ "y": 0.0, "x": {"b":[1e0,true,null],"a":1.00}, "reader":"\u00e9" }"#),
        returned("1.0", r#"{"reader":"é","y":0,"x":{"b":[10e-1,true,null],"a":1}}"#)
            .replace("10:00:00Z", "12:00:00.000+02:00"),
    ];
    library.write("same.ndjson", same.concat());
    let report = library.ingest(&["same.ndjson"]);
    assert_eq!((report.total.accepted, report.total.duplicate), (1, 2));

    let others = [
        returned("1", r#"{"reader":"é","x":{"a":1,"b":[true,1,null]},"y":0}"#),
        returned("1", r#"{"reader":"é","x":{"a":1,"b":[1,true]},"y":0}"#),
        returned("1", r#"{"reader":"é","x":{"a":"1","b":[1,true,null]},"y":0}"#),
        returned("1", r#"{"reader":"é","x":{"a":1,"b":[1,true,null]},"y":null}"#),
        returned("1", r#"{"reader":"é","x":{"a":1,"b":[1,true,null]}}"#),
        returned("1", r#"{"reader":"e","x":{"a":1,"b":[1,true,null]},"y":0}"#),
        same[0].replace("10:00:00Z", "10:00:01Z"),
        same[0].replace("\"seq\":1", "\"seq\":2"),
        same[0].replace("\"seq\":1", "\"seq\":null"),
        lent(1, ""),
    ];
    library.write("others.ndjson", others.concat());
    let report = library.ingest(&["others.ndjson"]);
    assert_eq!(report.total.rejected, others.len() as u64);
    assert!(library.codes().iter().all(|code| code == "id-conflict"));
    // What stands beside the payload is no content: a second delivery may say when it was sent.
    library.write("sent.ndjson", same[0].replace("\"seq\":1", "\"seq\":1,\"sent\":2"));
    assert_eq!(library.ingest(&["sent.ndjson"]).total.duplicate, 1);
}

#[test]
fn ids_are_remembered_across_runs_and_types() {
    let library = Library::new();
    library.write("a.ndjson", lents(1..=3));
    let _ = library.ingest(&["a.ndjson"]);
    library.write(
        "b.ndjson",
        lents(2..=5) + &lent(3, ",\"note\":\"x\"") + "\n" + &returned("\"4\"", "{\"reader\":\"r\"}"),
    );
    let report = library.ingest(&["b.ndjson"]);
    assert_eq!((report.total.accepted, report.total.duplicate, report.total.rejected), (2, 2, 2));
    assert_eq!(library.column("Lent", "_id"), ["1", "2", "3", "4", "5"]);
    assert_eq!(library.codes(), ["id-conflict", "id-conflict"]);
    assert_eq!(library.rejects()[0].position_before, 5);
}

#[test]
fn a_rejected_line_does_not_take_the_id() {
    let library = Library::new();
    library.write("a.ndjson", lent(1, ",\"days\":1.5") + "\n" + &lent(1, ",\"days\":1") + "\n");
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (1, 1));
}

#[test]
fn without_an_id_there_are_no_duplicates() {
    let library = Library::with(&LIBRARY.replace(", id = \"id\"", ""));
    library.write("a.ndjson", lents([1, 1, 1]));
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.total.accepted, 3);
    assert_eq!(library.values("Lent", &["_id", "_content"]), [["∅", "∅"], ["∅", "∅"], ["∅", "∅"]]);
    assert!(library.column("Lent", "_unknown")[0].contains("envelope.id"));
}

#[test]
fn the_envelope_of_a_begun_log_cannot_change() {
    let mut library = Library::new();
    library.write("a.ndjson", lents([1]));
    let _ = library.ingest(&["a.ndjson"]);
    for (old, new) in [
        ("order = \"seq\"", "order = \"number\""),
        (", id = \"id\"", ""),
        ("order = \"seq\"", "order = \"seq\", zone = \"Europe/Oslo\""),
        ("payload = \"data\", ", ""),
    ] {
        library.model = super::model(library.folder.path(), &LIBRARY.replace(old, new));
        let opened = starlog::log::EventLog::open(&Default::default(), &library.log_folder(), &library.model);
        let Err(error) = opened else { panic!("{new}: the envelope changed unnoticed") };
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("the envelope of a log cannot change"), "{error}");
    }
}

#[test]
fn a_number_and_a_text_are_never_one_id() {
    let library = Library::new();
    let ids = ["7", "\"7\"", "7.0", "\"7.0\"", "\"7\"", "\"x7\"", "\"x7\""];
    library.write("a.ndjson", ids.map(|id| returned(id, "{\"reader\":\"r\"}")).concat());
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.duplicate, report.total.rejected), (3, 2, 2));
    assert_eq!(library.column("Returned", "_id"), ["7", "7.0", "x7"]);
    assert_eq!(library.codes(), ["id-conflict", "id-conflict"]);

    library
        .write("b.ndjson", ["\"7\"", "7", "\"7.0\""].map(|id| returned(id, "{\"reader\":\"r\"}")).concat());
    let report = library.ingest(&["b.ndjson"]);
    assert_eq!((report.total.accepted, report.total.duplicate, report.total.rejected), (0, 2, 1));
}
