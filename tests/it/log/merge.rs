//! Many small files of one type become few, and hold what they held.

use super::{Library, lents};
use starlog::log::EventLog;
use std::fs;
use std::path::PathBuf;

const COLUMNS: [&str; 4] = ["_position", "_id", "_line", "reader"];

fn nights(library: &Library, nights: u64) {
    for night in 1..=nights {
        let name = format!("{night:03}.ndjson");
        library.write(&name, lents([night]) + &returned(night));
        let _ = library.ingest(&[&name]);
    }
}

/// Comes every tenth night.
fn returned(night: u64) -> String {
    let event = format!(
        "{{\"type\":\"Returned\",\"v\":2,\"at\":\"2024-05-01T10:00:00Z\",\"id\":\"r{night}\",\"data\":{{\"reader\":\"R\"}}}}\n"
    );
    if night.is_multiple_of(10) { event } else { String::new() }
}

fn files(log: &EventLog) -> Vec<PathBuf> {
    log.event_types().into_iter().flat_map(|event_type| log.segments(event_type)).collect()
}

#[test]
fn the_files_of_many_nights_are_few() {
    let library = Library::new();
    nights(&library, 100);
    let log = library.open();
    // Each is at least four times as large as all newer ones, but for the last night's.
    let rows: Vec<u64> = log.segment_files("Lent").iter().map(|file| file.rows).collect();
    assert_eq!(rows.iter().sum::<u64>(), 100);
    let (newest, older) = rows.split_last().unwrap();
    assert_eq!(*newest, 1);
    assert!(older.len() > 1, "{rows:?}");
    for (at, rows) in older.iter().enumerate() {
        assert!(*rows >= 4 * older[at + 1..].iter().sum::<u64>(), "{older:?}");
    }
    assert!(log.segments("Returned").len() <= 3);
    // And they hold what one ingest of the same lines holds.
    let (positions, ids): (Vec<_>, Vec<_>) = library
        .values("Lent", &["_position", "_id"])
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .unzip();
    assert_eq!(ids, (1..=100).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(positions[10..12], ["12", "13"], "behind what was returned in the tenth night");
    assert_eq!(library.values("Lent", &COLUMNS).len(), 100);
}

#[test]
fn what_was_put_together_is_no_part_of_the_log_any_more() {
    let library = Library::new();
    nights(&library, 20);
    let log = library.open();
    let named = files(&log);
    let needed = named.iter().cloned().collect();
    let old = starlog::log::superseded(&library.log_folder(), &needed).unwrap();
    assert!(old.len() > 20, "{old:?}");
    for file in old {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(library.column("Lent", "_id").len(), 20);
    // Folders of which nothing is left go at the next ingests.
    library.write("021.ndjson", lents([21]));
    let _ = library.ingest(&["021.ndjson"]);
    library.write("022.ndjson", lents([22]));
    let _ = library.ingest(&["022.ndjson"]);
    let folders = fs::read_dir(library.log_folder().join("segments")).unwrap().count();
    assert!(folders < 10, "{folders}");
    assert_eq!(library.column("Lent", "_id").len(), 22);
}

#[test]
fn a_night_without_new_bytes_touches_nothing() {
    let library = Library::new();
    nights(&library, 9);
    let head = fs::read(library.log_folder().join("head.json")).unwrap();
    let names: Vec<String> = (1..=9).map(|night| format!("{night:03}.ndjson")).collect();
    let _ = library.ingest(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(fs::read(library.log_folder().join("head.json")).unwrap(), head);
}
