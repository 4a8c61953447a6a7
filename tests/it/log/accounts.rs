//! Whole files of good and bad lines: sums that balance, rejects that can be found again.

use super::{Library, lent, lents};
use starlog::log::Account;

#[test]
fn a_log_with_broken_lines_keeps_every_good_event_and_every_bad_line() {
    let library = Library::new();
    let content = [
        lent(1, ""),
        String::new(),
        "{broken".to_owned(),
        lent(2, ""),
        "   \t".to_owned(),
        r#"{"type":"Heartbeat"}"#.to_owned(),
        lent(2, ""),
        lent(2, ",\"note\":\"other\""),
        lent(3, ""),
    ]
    .join("\n")
        + "\n";
    library.write("a.ndjson", &content);
    let report = library.ingest(&["a.ndjson"]);
    let expected = Account { read: 9, accepted: 3, duplicate: 1, rejected: 2, blank: 2, ignored: 1 };
    assert_eq!(report.total, expected);
    assert_eq!(report.rejects.iter().collect::<Vec<_>>(), [(&"id-conflict", &1), (&"json-syntax", &1)]);
    assert_eq!(library.column("Lent", "_position"), ["1", "2", "3"]);
    assert_eq!(library.column("Lent", "_line"), ["1", "4", "9"]);

    let rejects = library.rejects();
    assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [3, 8]);
    assert_eq!(rejects.iter().map(|reject| reject.position_before).collect::<Vec<_>>(), [1, 2]);
    for reject in rejects {
        let start = usize::try_from(reject.offset).unwrap();
        assert_eq!(content.as_bytes()[start..start + reject.raw.len()], reject.raw, "{}", reject.code);
        assert_eq!(content.as_bytes()[start + reject.raw.len()], b'\n');
        assert_eq!(reject.file, "a.ndjson");
    }
    let offsets = library.column("Lent", "_offset");
    for (offset, id) in offsets.iter().zip([1, 2, 3]) {
        assert!(content[offset.parse().unwrap()..].starts_with(&lent(id, "")));
    }
}

#[test]
fn row_001_nothing_comes_of_nothing() {
    let library = Library::new();
    library.write("empty.ndjson", "");
    library.write("lines.ndjson", "\n\r\n \n");
    library.write("bom.ndjson", "\u{feff}");
    let report = library.ingest(&["empty.ndjson", "lines.ndjson", "bom.ndjson"]);
    assert_eq!(report.total, Account { read: 3, blank: 3, ..Account::default() });
    assert_eq!(library.open().event_types(), [""; 0]);
    assert_eq!(library.ingest(&["empty.ndjson", "lines.ndjson", "bom.ndjson"]).total, Account::default());
}

#[test]
fn row_006_a_byte_order_mark_is_one_only_at_the_start() {
    let library = Library::new();
    library.write("a.ndjson", format!("\u{feff}{}\n\u{feff}{}\n", lent(1, ""), lent(2, "")));
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (1, 1));
    assert_eq!(library.codes(), ["bom"]);
    assert_eq!(library.column("Lent", "_offset"), ["3"]);
}

#[test]
fn row_008_zeros_of_a_crash_are_one_reject_and_cost_no_event() {
    let library = Library::new();
    let zeros = vec![0; 100_000];
    let content =
        [lents([1]).as_bytes(), &zeros, lents([2]).as_bytes(), b"\0\0\0\n", lents([3]).as_bytes()].concat();
    library.write("a.ndjson", content);
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.total, Account { read: 5, accepted: 3, rejected: 2, ..Account::default() });
    assert_eq!(library.codes(), ["nul-block", "nul-block"]);
    assert_eq!(library.rejects()[0].raw, zeros);
    assert_eq!(library.column("Lent", "_line"), ["1", "2", "4"]);
}

#[test]
fn row_009_a_line_without_end_is_passed_over() {
    let library = Library::new();
    let long = vec![b'x'; 70 << 20];
    library.write("a.ndjson", [lents([1]).as_bytes(), &long, b"\n", lents([2]).as_bytes()].concat());
    let report = library.ingest(&["a.ndjson"]);
    assert_eq!(report.total, Account { read: 3, accepted: 2, rejected: 1, ..Account::default() });
    let reject = &library.rejects()[0];
    assert_eq!((reject.code.as_str(), reject.line), ("line-too-long", 2));
    assert_eq!(reject.raw, vec![b'x'; 4096]);
    assert_eq!(library.column("Lent", "_line"), ["1", "3"]);

    // Still being written: it waits like any other line.
    library.write("b.ndjson", [lents([4]).as_bytes(), &long].concat());
    let report = library.ingest(&["b.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (1, 0));
    assert_eq!(report.files[0].held_bytes, 70 << 20);
    library.append("b.ndjson", format!("\n{}", lents([5])));
    let report = library.ingest(&["b.ndjson"]);
    assert_eq!((report.total.accepted, report.total.rejected), (1, 1));
}

#[test]
fn row_007_utf_16_is_one_message_not_a_million_rejects() {
    let library = Library::new();
    let wide: Vec<u8> = lents([1]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    library.write("marked.ndjson", [&[0xff, 0xfe], wide.as_slice()].concat());
    library.write("plain.ndjson", &wide);
    library.write("good.ndjson", lents([1]));
    let report = library.ingest(&["marked.ndjson", "plain.ndjson", "good.ndjson"]);
    let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code.as_str()).collect();
    assert_eq!(codes, ["encoding", "encoding"]);
    assert_eq!(report.total.accepted, 1);
    assert!(report.without_failures().is_err());
}
