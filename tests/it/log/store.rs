//! The event store on disk: the same bytes from any number of threads, all or nothing at a failure.

use super::{Library, lent, lents};
use starlog::disk::Disk;
use starlog::log::EventLog;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Blocks enough to be decoded out of turn; rejects and duplicates among them.
fn large() -> String {
    let mut content = String::new();
    for id in 1..=60_000 {
        let books: Vec<String> =
            (0..id % 7).map(|book| format!("{{\"isbn\":\"{id}-{book}\",\"copies\":{book}}}")).collect();
        content += &lent(id, "").replace("[]", &format!("[{}]", books.join(",")));
        content += "\n";
        if id % 1_000 == 0 {
            content += "broken\n";
            content += &lents([id / 2]);
            content += &lents([id / 2 + 1]);
        }
        if id % 3 == 0 {
            content += &format!(
                "{{\"type\":\"Returned\",\"v\":2,\"at\":\"2024-05-01T10:00:00Z\",\"id\":\"r{id}\",\"data\":{{\"reader\":\"R{id}\"}}}}\n"
            );
        }
    }
    content
}

#[test]
fn the_same_bytes_from_any_number_of_threads_and_in_any_folder() {
    let content = large();
    let mut trees = Vec::new();
    for threads in [1, 2, 7] {
        let library = Library::new();
        library.write("a.ndjson", &content);
        let report = library.try_ingest(&["a.ndjson"], threads).unwrap();
        assert_eq!(report.total.accepted, 80_000);
        assert!(report.total.rejected > 60 && report.total.duplicate > 10, "{:?}", report.total);
        let mut files = tree(&library.log_folder());
        // The head knows the files of this machine: their paths and times.
        files.remove("head.json").unwrap();
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            [
                "ids/1-1.ids",
                "segments/1/Lent.parquet",
                "segments/1/Returned.parquet",
                "segments/1/rejects.parquet"
            ]
        );
        trees.push(files);
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn pieces_are_the_whole() {
    let library = Library::new();
    library.write("a.ndjson", large());
    let _ = library.ingest(&["a.ndjson"]);
    library.write("b.ndjson", lents(100_000..=100_010));
    let _ = library.ingest(&["b.ndjson"]);
    let log = library.open();
    let columns = ["_position", "reader", "books"];
    let scanned: Vec<_> = log.scan("Lent", &columns).unwrap().map(Result::unwrap).collect();
    let pieces = log.pieces("Lent").unwrap();
    let read: Vec<_> =
        pieces.iter().flat_map(|piece| log.read_piece("Lent", piece, &columns).unwrap()).collect();
    let schema = scanned[0].schema();
    assert_eq!(
        arrow::compute::concat_batches(&schema, &scanned).unwrap(),
        arrow::compute::concat_batches(&schema, &read).unwrap()
    );
    assert_eq!(pieces.iter().map(|piece| piece.rows).sum::<u64>(), 60_011);
    assert!(log.scan("Lent", &["nothing"]).is_err());
    assert!(log.scan("Nothing", &[]).is_err());
}

#[test]
fn whatever_fails_the_log_is_as_before_or_as_after() {
    let library = Library::new();
    library.write("a.ndjson", lents(1..=10) + "broken\n");
    let _ = library.ingest(&["a.ndjson"]);
    library.append("a.ndjson", lents(11..=20) + "broken too\n");
    let before = tree(&library.log_folder());
    let files = [library.path("a.ndjson")];
    for fail_at in 0.. {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let disk = Disk::watched(move |effect| {
            if counter.fetch_add(1, Ordering::SeqCst) == fail_at {
                return Err(io::Error::other(format!("no {} today", effect.action)));
            }
            Ok(())
        });
        let mut log = EventLog::open(&disk, &library.log_folder(), &library.model).unwrap();
        let result = log.ingest(&files, 2, &());
        let now = library.open();
        if result.is_ok() {
            assert!(fail_at > 8, "only {fail_at} effects");
            assert_eq!(now.position().0, 20);
            break;
        }
        assert_eq!(result.unwrap_err().exit_code(), 3);
        match now.position().0 {
            10 => {
                let after = tree(&library.log_folder());
                assert!(
                    before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)),
                    "after effect {fail_at}"
                );
            }
            // The rename was the commit; only its durability failed to be confirmed.
            20 => {
                assert_eq!(library.column("Lent", "_id").len(), 20);
                assert_eq!(library.rejects().len(), 2);
                break;
            }
            other => panic!("{other} events after effect {fail_at}"),
        }
    }
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.total.accepted + 20, 20 + report.total.accepted);
    assert_eq!(library.open().position().0, 20);
    assert_eq!(library.rejects().len(), 2);
}

#[test]
fn a_commit_that_was_not_synced_is_before_anything_is_built_on_it() {
    let library = Library::new();
    library.write("a.ndjson", lents(1..=2));
    let folder = library.log_folder();
    let ingest = |disk: &Disk| {
        let mut log = EventLog::open(disk, &folder, &library.model).unwrap();
        log.ingest(&[library.path("a.ndjson")], 1, &()).map(drop)
    };
    let is_swapped = Arc::new(AtomicUsize::new(0));
    let swaps = Arc::clone(&is_swapped);
    let failing = Disk::watched(move |effect| match (effect.action, swaps.load(Ordering::SeqCst)) {
        ("replace", _) => {
            swaps.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
        ("fsync", 1) => Err(io::Error::other("not today")),
        _ => Ok(()),
    });
    assert_eq!(ingest(&failing).unwrap_err().exit_code(), 3);
    assert_eq!((library.open().position().0, is_swapped.load(Ordering::SeqCst)), (2, 1));

    let effects = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&effects);
    let watched = Disk::watched(move |effect| {
        seen.lock().unwrap().push((effect.action, effect.path.to_owned()));
        Ok(())
    });
    ingest(&watched).unwrap();
    assert_eq!(effects.lock().unwrap().first(), Some(&("fsync", folder.clone())));
}

#[test]
fn leftovers_of_a_crash_are_removed() {
    let library = Library::new();
    let left = library.log_folder().join("segments/1");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("Lent.parquet"), "half").unwrap();
    fs::write(library.log_folder().join("head.json.new"), "{").unwrap();
    library.write("a.ndjson", lents(1..=2));
    assert_eq!(library.open().position().0, 0, "opening sees nothing of it, and removes nothing");
    assert!(left.join("Lent.parquet").exists());
    assert_eq!(library.ingest(&["a.ndjson"]).total.accepted, 2);
}

#[test]
fn event_types_may_be_named_like_anything() {
    let pipeline = r#"
name = "odd"
[log]
files = ["*.ndjson"]
envelope = { type = "t", time = "at", payload = "p" }
[events]
"a/rejects" = { fields = { a = "text" } }
"../x/é" = { fields = { "a.b" = "text?", a = "text" }, lists."l.m" = { "c.d" = "text" } }
"#;
    let library = Library::with(pipeline);
    library.write(
        "a.ndjson",
        "{\"t\":\"a/rejects\",\"at\":\"2024-05-01T10:00:00Z\",\"p\":{\"a\":\"1\"}}\nbroken\n\
         {\"t\":\"../x/é\",\"at\":\"2024-05-01T10:00:00Z\",\"p\":{\"a\":\"2\",\"a.b\":\"3\",\"l.m\":[{\"c.d\":\"4\"}]}}\n",
    );
    let _ = library.ingest(&["a.ndjson"]);
    assert_eq!(library.column("a/rejects", "a"), ["1"]);
    assert_eq!(library.values("../x/é", &["a.b", "l.m"]), [["3", "[{c.d: 4}]"]]);
    assert_eq!(library.codes(), ["json-syntax"]);
    assert!(tree(&library.log_folder()).keys().all(|name| !name.contains("..")));
}

#[test]
fn a_damaged_log_says_what_to_do_next() {
    let library = Library::new();
    library.write("a.ndjson", lents(1..=3));
    let _ = library.ingest(&["a.ndjson"]);
    let segment = library.log_folder().join("segments/1/Lent.parquet");
    fs::write(&segment, "PAR1").unwrap();
    let error = library.open().scan("Lent", &["reader"]).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().ends_with("Lent.parquet is damaged"), "{error}");
    assert!(error.next_step().unwrap().contains("begin a new warehouse"), "{error:?}");

    fs::write(library.log_folder().join("head.json"), "{").unwrap();
    let opened = EventLog::open(&Disk::default(), &library.log_folder(), &library.model);
    let Err(error) = opened else { panic!("half a head was read") };
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("head.json is damaged"), "{error}");
    assert!(error.next_step().unwrap().contains("begin a new warehouse"), "{error:?}");
}

#[test]
fn what_the_machine_refuses_has_a_next_step() {
    use io::ErrorKind::{NotADirectory, NotFound, Other, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let next = |kind: io::ErrorKind| {
        let error = starlog::error::Error::io("write", Path::new("/a/b"), kind.into());
        error.next_step().map(str::to_owned)
    };
    let said = [NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull].map(next);
    assert!(said.iter().all(Option::is_some), "{said:?}");
    let different: std::collections::BTreeSet<_> = said.iter().collect();
    assert_eq!(different.len(), said.len());
    assert_eq!(next(Other), None);
}
