//! What a line and a file may be, as a pipeline declares it.

use super::{LIBRARY, Library, gzip, lent, lents};
use starlog::log::{Account, FileCode};

fn with(limits: &str) -> Library {
    Library::with(&LIBRARY.replace("[events]", &format!("[log.limits]\n{limits}\n\n[events]")))
}

#[test]
fn lines_keep_to_declared_limits() {
    let note = |length: usize| format!(",\"note\":\"{}\"", "x".repeat(length));
    let nested = |depth: usize| format!(",\"x\":{}{}", "[".repeat(depth), "]".repeat(depth));
    let cases: [(&str, &str, String, String); 5] = [
        ("line_bytes = 300", "line-too-long", note(100), note(300)),
        ("depth = 4", "depth", nested(2), nested(3)),
        ("depth = 300", "depth", nested(298), nested(299)),
        (
            "fields = 5",
            "too-many-fields",
            ",\"days\":1".to_owned(),
            ",\"days\":1,\"note\":\"\",\"a\":1,\"b\":1".to_owned(),
        ),
        ("key_bytes = 8", "key-too-long", ",\"abcdefgh\":1".to_owned(), ",\"abcdefghi\":1".to_owned()),
    ];
    for (limit, code, fits, beyond) in cases {
        let library = with(limit);
        library.write("a.ndjson", format!("{}\n{}\n{}\n", lent(1, &fits), lent(2, &beyond), lent(3, "")));
        let report = library.ingest(&["a.ndjson"]);
        assert_eq!(
            report.total,
            Account { read: 3, accepted: 2, rejected: 1, ..Account::default() },
            "{limit}"
        );
        assert_eq!(library.codes(), [code], "{limit}");
        assert_eq!(library.column("Lent", "_line"), ["1", "3"], "{limit}");
        // Without the limit, or with the one that is there by default, the same line is judged otherwise.
        let other = Library::new();
        other.write("a.ndjson", format!("{}\n", lent(2, &beyond)));
        let accepted = u64::from(limit != "depth = 300");
        assert_eq!(other.ingest(&["a.ndjson"]).total.accepted, accepted, "{limit}");
    }
}

/// The beginning of a long line is kept, whether or not its end is near.
#[test]
fn a_long_line_is_told_by_its_length() {
    let library = with("line_bytes = 10_000");
    let long = "x".repeat(3 << 20);
    library.write(
        "a.ndjson",
        format!("{}{}\n{}{long}\n{}", lents([1]), "y".repeat(10_001), lents([2]), lents([3])),
    );
    library.write("b.gz", gzip(format!("{}{long}", lents([4]))));
    let report = library.ingest(&["a.ndjson", "b.gz"]);
    assert_eq!((report.total.accepted, report.total.rejected), (4, 3));
    let rejects = library.rejects();
    assert!(rejects.iter().all(|reject| reject.code == "line-too-long" && reject.raw.len() == 4096));
    assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [2, 4, 2]);
    assert_eq!(library.column("Lent", "_line"), ["1", "3", "5", "1"]);
}

#[test]
fn a_file_may_be_declared_to_unpack_to_more() {
    let bomb = gzip([vec![b' '; 300 << 20], b"\n".to_vec()].concat());
    let library = with("decompression_ratio = 2_000");
    library.write("bomb.gz", &bomb);
    let report = library.ingest(&["bomb.gz"]);
    assert_eq!((report.failures.len(), report.total.read), (0, 1));
    // What was taken in then is looked at with the same eyes later.
    assert!(library.open().inspect_sources(&[]).unreadable.is_empty());
    let strict = with("decompression_ratio = 100");
    strict.write("bomb.gz", &bomb);
    assert_eq!(strict.ingest(&["bomb.gz"]).failures[0].code, FileCode::Bomb);
}

/// A line that was taken in stays an event, whatever is declared later.
#[test]
fn a_stricter_limit_binds_new_lines_only() {
    let mut library = Library::new();
    let line = |id| lent(id, ",\"owner\":\"o\",\"x\":[[[[[1]]]]]");
    library.write("a.ndjson", line(1) + "\n");
    let _ = library.ingest(&["a.ndjson"]);
    let later = LIBRARY
        .replace("note = \"text?\"", "note = \"text?\", owner = \"text?\"")
        .replace("[events]", "[log.limits]\ndepth = 4\nfields = 7\n\n[events]");
    library.model = super::model(library.folder.path(), &later);
    library.append("a.ndjson", line(2) + "\n");
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (0, 1));
    assert_eq!(library.column("Lent", "owner"), ["o"], "lifted out of what was kept");
}
