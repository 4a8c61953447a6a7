//! Files that grow, are torn, move, are packed, shrink or change between two nights (DESIGN 5).

use super::{Library, gzip, lent, lents, zstd};
use starlog::log::{Account, FileCode, FileState};
use std::fs;

#[test]
fn a_grown_file_is_continued() {
    let library = Library::new();
    library.write("a.ndjson", lents(1..=2));
    let _ = library.ingest(&["a.ndjson"]);
    library.append("a.ndjson", lents(3..=4));
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.files[0].state, FileState::Grown);
    assert_eq!(report.total, Account { read: 2, accepted: 2, ..Account::default() });
    assert_eq!(library.column("Lent", "_line"), ["1", "2", "3", "4"]);
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.files[0].state, FileState::Unchanged);
    assert_eq!(report.total, Account::default());
    let log = library.open();
    let source = &log.sources()[0];
    assert_eq!(source.account, Account { read: 4, accepted: 4, ..Account::default() });
    assert_eq!(source.consumed_bytes, lents(1..=4).len() as u64);
}

#[test]
fn large_files_are_continued_too() {
    let library = Library::new();
    let whole = lents(1..=60_000);
    let cut = whole.len() / 2 + 17;
    library.write("a.ndjson", &whole[..cut]);
    let first = library.ingest(&["a.ndjson"]);
    assert!(first.files[0].held_bytes > 0);
    library.append("a.ndjson", &whole[cut..]);
    let second = library.ingest(&["a.ndjson"]);
    assert_eq!(first.total.accepted + second.total.accepted, 60_000);
    let lines: Vec<String> = (1..=60_000).map(|line| line.to_string()).collect();
    assert_eq!(library.column("Lent", "_line"), lines);
    assert_eq!(library.column("Lent", "_id"), lines);
}

#[test]
fn row_002_004_a_torn_line_waits_for_its_end() {
    let library = Library::new();
    let third = lent(3, ",\"note\":\"{}\"");
    for cut in [1, 20, third.len() - 1] {
        let name = format!("{cut}.ndjson");
        let (begin, end) = third.split_at(cut);
        library.write(&name, lents([100 + cut as u64]) + begin);
        let report = library.ingest(&[&name]);
        assert_eq!(report.total, Account { read: 1, accepted: 1, ..Account::default() });
        assert_eq!(report.files[0].held_bytes, cut as u64);
        assert_eq!(library.ingest(&[&name]).files[0].held_bytes, cut as u64);
        library.append(&name, end.replace("R3", &format!("R{cut}")) + "\n");
        let report = library.ingest(&[&name]);
        assert_eq!((report.total.read, report.total.rejected), (1, u64::from(cut > 1)));
        assert_eq!(report.files[0].held_bytes, 0);
    }
}

#[test]
fn a_whole_last_line_is_taken_and_its_end_may_come_later() {
    for end in ["\n", "\r\n", "  \n"] {
        let library = Library::new();
        library.write("a.ndjson", lents([1]) + &lent(2, ""));
        assert_eq!(library.ingest(&["a.ndjson"]).total.accepted, 2);
        assert_eq!(library.ingest(&["a.ndjson"]).total, Account::default());
        library.append("a.ndjson", end);
        assert_eq!(library.ingest(&["a.ndjson"]).total, Account::default());
        library.append("a.ndjson", lents([3]));
        assert_eq!(
            library.ingest(&["a.ndjson"]).total,
            Account { read: 1, accepted: 1, ..Account::default() }
        );
        assert_eq!(library.column("Lent", "_line"), ["1", "2", "3"]);
    }
    let library = Library::new();
    library.write("a.ndjson", lent(1, ""));
    let _ = library.ingest(&["a.ndjson"]);
    library.append("a.ndjson", lents([2]));
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.failures[0].code, FileCode::SourceRewritten);
    assert_eq!(library.open().position().0, 1);
}

#[test]
fn row_003_a_finished_file_has_no_torn_lines() {
    let library = Library::new();
    library.write("whole.gz", gzip(lents([1]) + &lent(2, "")));
    library.write("torn.gz", gzip(lents([3]) + &lent(4, "")[..30]));
    library.write("blank.gz", gzip(lents([5]) + "  "));
    let report = library.ingest(&["whole.gz", "torn.gz", "blank.gz"]);
    assert_eq!(report.total, Account { read: 6, accepted: 4, rejected: 1, blank: 1, ..Account::default() });
    assert_eq!(library.codes(), ["torn-tail"]);
    // The whole of it comes late: the line was read as two halves, and what follows is read.
    let line = lent(4, "");
    library.write("torn.gz", gzip(lents([3]) + &line + "\n" + &lents([6])));
    let report = library.ingest(&["torn.gz"]);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(library.codes(), ["torn-tail", "json-syntax"]);
    assert_eq!(
        library.rejects().iter().map(|reject| reject.raw.as_slice()).collect::<Vec<_>>().concat(),
        line.trim_end().as_bytes()
    );
    assert_eq!(library.column("Lent", "_id"), ["1", "2", "3", "5", "6"]);
}

#[test]
fn row_011_rotation_is_no_news() {
    let library = Library::new();
    library.write("app.ndjson", lents(1..=3));
    let _ = library.ingest(&["app.ndjson"]);
    // It grew once more, was renamed, and the name began anew.
    library.append("app.ndjson", lents(4..=4));
    fs::rename(library.path("app.ndjson"), library.path("app.ndjson.1")).unwrap();
    library.write("app.ndjson", lents(5..=6));
    let report = library.ingest(&["app.ndjson", "app.ndjson.1"]);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(report.total, Account { read: 3, accepted: 3, ..Account::default() });
    assert_eq!(report.files[1].state, FileState::Moved("app.ndjson".to_owned()));

    // And again, packed.
    for (name, pack) in [("app.1.gz", gzip as fn(String) -> Vec<u8>), ("app.1.zst", zstd)] {
        fs::remove_file(library.path("app.ndjson.1")).ok();
        fs::remove_file(library.path("app.1.gz")).ok();
        library.write(name, pack(lents(1..=4)));
        let report = library.ingest(&["app.ndjson", name]);
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        assert_eq!(report.total, Account::default(), "{name}");
        assert!(matches!(report.files[1].state, FileState::Moved(_)), "{:?}", report.files[1].state);
    }
    assert_eq!(library.open().sources().len(), 2);
    assert_eq!(library.open().position().0, 6);
}

#[test]
fn row_012_copy_and_truncate_is_no_news_either() {
    let library = Library::new();
    library.write("app.ndjson", lents(1..=3));
    let _ = library.ingest(&["app.ndjson"]);
    library.write("app.1.gz", gzip(lents(1..=4)));
    library.write("app.ndjson", lents(5..=5));
    let report = library.ingest(&["app.1.gz", "app.ndjson"]);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(report.total.accepted, 2);
    assert_eq!(library.column("Lent", "_id"), ["1", "2", "3", "4", "5"]);
}

#[test]
fn row_013_the_same_bytes_under_two_names_are_duplicates_also_without_ids() {
    let library = Library::with(&super::LIBRARY.replace(", id = \"id\"", ""));
    library.write("a.ndjson", lents(1..=3) + "\nbroken\n");
    fs::hard_link(library.path("a.ndjson"), library.path("b.ndjson")).unwrap();
    library.write("c.gz", gzip(lents(1..=3) + "\nbroken\n" + &lents([4])));
    let report = library.ingest(&["a.ndjson", "b.ndjson", "c.gz"]);
    assert_eq!(report.files[1].account, Account { read: 5, duplicate: 5, ..Account::default() });
    assert_eq!(report.files[1].state, FileState::CopyOf("a.ndjson".to_owned()));
    assert_eq!(report.files[2].account, Account { read: 6, accepted: 1, duplicate: 5, ..Account::default() });
    assert_eq!(library.column("Lent", "_line"), ["1", "2", "3", "6"]);
    let again = library.ingest(&["a.ndjson", "b.ndjson", "c.gz"]);
    assert_eq!(again.total, Account::default());
}

#[test]
fn row_010_014_history_that_changes_is_an_error_that_names_the_file() {
    let content = lents(1..=2_000);
    let edited_late = content.replace("R1999", "R1998");
    let cases = [
        (FileCode::SourceTruncated, lents(1..=10)),
        (FileCode::SourceTruncated, String::new()),
        (FileCode::SourceRewritten, content.replace("\"R1\"", "\"R2\"")),
        (FileCode::SourceRewritten, content.replace("\"R1\"", "\"R2\"") + &lents([3_000])),
        (FileCode::SourceRewritten, edited_late),
        (FileCode::SourceRewritten, lents(10_000..=19_999)),
    ];
    for (code, changed) in cases {
        let library = Library::new();
        library.write("a.ndjson", &content);
        library.write("b.ndjson", lents([5_000]));
        let _ = library.ingest(&["a.ndjson", "b.ndjson"]);
        library.write("a.ndjson", changed);
        library.append("b.ndjson", lents([5_001]));
        let report = library.ingest(&["a.ndjson", "b.ndjson"]);
        let failures: Vec<_> =
            report.failures.iter().map(|failure| (failure.file.as_str(), failure.code)).collect();
        assert_eq!(failures, [("a.ndjson", code)]);
        assert_eq!(report.failures[0].error().exit_code(), 1);
        assert_eq!(report.total.accepted, 1, "the other file goes on");
        library.write("a.ndjson", &content);
        assert!(library.ingest(&["a.ndjson"]).failures.is_empty());
    }
}

#[test]
fn a_packed_file_may_grow_by_members() {
    let library = Library::new();
    let first = gzip(lents(1..=5_000));
    library.write("a.gz", &first);
    let _ = library.ingest(&["a.gz"]);
    library.write("a.gz", [first, gzip(lents(5_001..=5_002))].concat());
    let report = library.ingest(&["a.gz"]);
    assert_eq!(report.total, Account { read: 2, accepted: 2, ..Account::default() });
    assert_eq!(library.column("Lent", "_line")[5_001], "5002");
    library.write("a.gz", gzip(lents(1..=10)));
    assert_eq!(library.ingest(&["a.gz"]).failures[0].code, FileCode::SourceTruncated);
}

#[test]
fn a_file_that_is_no_longer_named_is_no_error() {
    let library = Library::new();
    library.write("a.ndjson", lents([1]));
    let _ = library.ingest(&["a.ndjson"]);
    fs::remove_file(library.path("a.ndjson")).unwrap();
    library.write("b.ndjson", lents([2]));
    assert!(library.ingest(&["b.ndjson"]).failures.is_empty());
    assert_eq!(library.ingest(&["a.ndjson"]).failures[0].code, FileCode::Missing);
}
