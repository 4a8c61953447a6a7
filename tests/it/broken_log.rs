//! A log with broken lines: every good event is in the tables, every bad line is in `log.rejects`, and the sums balance.

use crate::support::rows::{Rows, assert_same};
use crate::support::second_reader::files;
use crate::support::{World, load, repository};
use starlog::disk::Disk;
use starlog::error::Who;
use starlog::layout::Layout;
use starlog::log::EventLog;
use starlog::nightly::{self, Options};
use std::collections::BTreeMap;
use std::fs;

/// What is wrong, and a line that has it.
const BROKEN: &[(&str, &[u8])] = &[
    ("json-syntax", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x1","body":{"badge":"S1"}"#),
    ("json-syntax", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x2","body":{"badge":01}}"#),
    ("not-one-object", br#"[{"what":"StaffLeft"}]"#),
    ("not-object", br#""StaffLeft""#),
    ("not-one-object", br#"{"what":"StaffLeft"} {"what":"StaffLeft"}"#),
    ("utf8", b"{\"what\":\"StaffLeft\",\"at\":\"2024-01-01T05:00:00Z\",\"uid\":\"x3\",\"body\":{\"badge\":\"M\xfcller\"}}"),
    ("duplicate-key", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x4","body":{"badge":"S1","badge":"S2"}}"#),
    ("surrogate", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x5","body":{"badge":"\ud800"}}"#),
    ("unknown-type", br#"{"what":"StaffSold","at":"2024-01-01T05:00:00Z","uid":"x6","body":{"badge":"S1"}}"#),
    ("no-id", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","body":{"badge":"S1"}}"#),
    ("missing-field", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x7","body":{}}"#),
    ("null-field", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x8","body":{"badge":null}}"#),
    ("type", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"x9","body":{"badge":7}}"#),
    ("not-integer", br#"{"what":"StaffSet","at":"2024-01-01T05:00:00Z","uid":"x10","body":{"badge":"S1","grade":1.5}}"#),
    ("scale", br#"{"what":"BedSet","at":"2024-01-01T05:00:00Z","uid":"x11","body":{"label":"B1","daily_rate":"1.00001"}}"#),
    ("money-format", br#"{"what":"BedSet","at":"2024-01-01T05:00:00Z","uid":"x12","body":{"label":"B1","daily_rate":"1,50"}}"#),
    ("range", br#"{"what":"BedSet","at":"2024-01-01T05:00:00Z","uid":"x13","body":{"label":"B1","daily_rate":"123456789.0000"}}"#),
    ("time", br#"{"what":"StaffLeft","at":"2024-02-30T05:00:00Z","uid":"x14","body":{"badge":"S1"}}"#),
    ("time-range", br#"{"what":"StaffLeft","at":"1999-12-31T05:00:00Z","uid":"x15","body":{"badge":"S1"}}"#),
    ("id-conflict", br#"{"what":"StaffLeft","at":"2024-01-01T05:00:00Z","uid":"e01","body":{"badge":"S1"}}"#),
];

/// A line of a file, and where it lies.
struct Line {
    file: String,
    number: usize,
    offset: usize,
    bytes: Vec<u8>,
    /// `None` for a line of the clean log.
    broken: Option<&'static str>,
}

/// The hospital's log with a broken line behind every other line, in two files.
fn broken_log() -> Vec<Line> {
    let clean = fs::read(repository().join("tests/pipelines/hospital.ndjson")).unwrap();
    let mut broken = BROKEN.iter();
    let mut all: Vec<(Vec<u8>, Option<&'static str>)> = Vec::new();
    for (index, line) in clean.split(|&byte| byte == b'\n').enumerate() {
        if index + 1 < clean.split(|&byte| byte == b'\n').count() {
            all.push((line.to_vec(), None));
        }
        if index % 2 == 1 {
            all.extend(broken.next().map(|(code, line)| (line.to_vec(), Some(*code))));
        }
    }
    assert!(broken.next().is_none(), "more broken lines than places for them");
    let half = all.len() / 2;
    let mut lines = Vec::new();
    for (file, part) in [("first.ndjson", &all[..half]), ("second.ndjson", &all[half..])] {
        let mut offset = 0;
        for (index, (bytes, broken)) in part.iter().enumerate() {
            let number = index + 1;
            lines.push(Line { file: file.to_owned(), number, offset, bytes: bytes.clone(), broken: *broken });
            offset += bytes.len() + 1;
        }
    }
    lines
}

fn write(world: &World, lines: &[Line]) -> Vec<String> {
    let text = |file: &str| -> Vec<u8> {
        let of_file = lines.iter().filter(|line| line.file == file);
        of_file.flat_map(|line| line.bytes.iter().copied().chain([b'\n'])).collect()
    };
    ["first.ndjson", "second.ndjson"].map(|file| world.write(file, text(file))).to_vec()
}

/// The release of the log with broken lines is, byte by byte, that of the log without them.
#[test]
fn every_good_event_is_in_the_tables_as_if_nothing_were_broken() {
    let clean = World::new("tests/pipelines/hospital.toml");
    clean.run();
    let world = World::new("tests/pipelines/hospital.toml");
    let lines = broken_log();
    let report = world.run_on(&write(&world, &lines));
    for layout in Layout::ALL {
        let folder = |world: &World| world.warehouse().join("current").join(layout.to_string());
        let contents = |world: &World| -> BTreeMap<String, Vec<u8>> {
            let name =
                |path: &std::path::Path| path.strip_prefix(folder(world)).unwrap().display().to_string();
            files(&folder(world)).iter().map(|file| (name(file), fs::read(file).unwrap())).collect()
        };
        let (expected, found) = (contents(&clean), contents(&world));
        assert!(expected.len() > 10);
        let differ: Vec<_> = expected.keys().filter(|name| expected.get(*name) != found.get(*name)).collect();
        assert!(differ.is_empty() && expected.len() == found.len(), "{layout}: {differ:?}");
    }
    assert_eq!(report.lines.accepted, 37);
}

#[test]
fn every_bad_line_is_kept_whole_with_its_code_and_place() {
    let world = World::new("tests/pipelines/hospital.toml");
    let lines = broken_log();
    let report = world.run_on(&write(&world, &lines));
    let rejects = "
        SELECT code, regexp_extract(file, '[^/]*$') AS file, line, \"offset\", lower(hex(raw)) AS raw
        FROM log.rejects ORDER BY file, line";
    let found = world.ask(Layout::Star, rejects);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let row = |line: &Line, code: &str| {
        let place = [line.number.to_string(), line.offset.to_string()];
        [vec![code.to_owned(), line.file.clone()], place.to_vec(), vec![hex(&line.bytes)]].concat()
    };
    let broken = lines.iter().filter_map(|line| Some(row(line, line.broken?)));
    // The clean log has four rejects of its own, at lines that `hospital.md` names.
    let own = [
        ("nonexistent-time", "r01"),
        ("id-conflict", "Other"),
        ("unknown-version", "r02"),
        ("ambiguous-time", "r03"),
    ];
    let own = own.map(|(code, mark)| {
        let has = |line: &&Line| String::from_utf8_lossy(&line.bytes).contains(&format!("\"{mark}\""));
        row(lines.iter().find(has).unwrap(), code)
    });
    let mut rows: Vec<Vec<String>> = broken.chain(own).collect();
    rows.sort_by_key(|row| (row[1].clone(), row[2].parse::<usize>().unwrap()));
    assert_same("rejects", &Rows { columns: found.columns.clone(), rows }, &found);

    // A message for a person, and the place in the log.
    let silent =
        "SELECT count(*) FROM log.rejects WHERE length(message) < 10 OR position_before NOT BETWEEN 0 AND 37";
    assert_eq!(world.ask(Layout::Star, silent).only(), "0");

    // Read = accepted + duplicate + rejected + blank + ignored: of the run, and of each file.
    let sums = report.lines;
    assert_eq!(sums.read, (44 + BROKEN.len()) as u64);
    assert_eq!(sums.read, sums.accepted + sums.duplicate + sums.rejected + sums.blank + sums.ignored);
    assert_eq!((sums.accepted, sums.duplicate, sums.blank, sums.ignored), (37, 1, 1, 1));
    assert_eq!(sums.rejected, report.rejects.values().sum::<u64>());
    let log = EventLog::open(&Disk::default(), &world.warehouse().join("log"), world.model()).unwrap();
    let accounts: Vec<_> = log.sources().iter().map(|source| source.account).collect();
    assert_eq!(accounts.len(), 2);
    assert!(accounts.iter().all(|account| account.balances()), "{accounts:?}");
    assert_eq!(accounts.iter().map(|account| account.read).sum::<u64>(), sums.read);
    assert_eq!(accounts.iter().map(|account| account.rejected).sum::<u64>(), sums.rejected);
}

/// File, line and byte offset of every event lead back to the line that it was.
#[test]
fn every_event_knows_where_it_came_from() {
    let world = World::new("tests/pipelines/hospital.toml");
    let lines = broken_log();
    world.run_on(&write(&world, &lines));
    let types: Vec<&str> = world.model().events.iter().map(|event| event.name.as_str()).collect();
    let selects: Vec<String> = types
        .iter()
        .map(|name| {
            format!("SELECT _position AS p, '{name}', _id, regexp_extract(_file, '[^/]*$'), _line, _offset FROM log.\"{name}\"")
        })
        .collect();
    let events = world.ask(Layout::Star, &format!("{} ORDER BY p", selects.join(" UNION ALL ")));
    assert_eq!(events.rows.len(), 37);
    for (index, row) in events.rows.iter().enumerate() {
        assert_eq!(row[0], (index + 1).to_string(), "positions are dense");
        let is_it = |line: &&Line| {
            [&line.file, &line.number.to_string(), &line.offset.to_string()] == [&row[3], &row[4], &row[5]]
        };
        let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("no line at {row:?}"));
        let text = String::from_utf8(line.bytes.clone()).unwrap();
        assert!(
            text.contains(&format!("\"what\":\"{}\"", row[1]))
                && text.contains(&format!("\"uid\":\"{}\"", row[2])),
            "{row:?}: {text}"
        );
        assert_eq!(line.broken, None);
    }
}

/// Absent, null, and the exact text of what nobody declared: other spacing, an escape, digits beyond any number.
#[test]
fn what_a_contract_does_not_know_survives() {
    let world = World::new("tests/pipelines/hospital.toml");
    let log = [
        r#"{"what":"StaffSet","at":"2024-01-01T05:00:00Z","uid":"1","body":{"badge":"S1","title":null}}"#,
        r#"{"what":"StaffSet","at":"2024-01-01T05:00:00Z","uid":"2","body":{"badge":"S1","grade":2,"pay": {"net" : 1.50e+2, "a":[1, 2]},"π":"\u00fc"}}"#,
        r#"{"what":"ProceduresRefunded","at":"2024-01-01T05:00:00Z","uid":"3","body":{"items":[{"surgeon":"S1","units":1,"tariff":1,"minutes":1},{"surgeon":"S1","units":1,"tariff":1,"minutes":1,"why":12345678901234567890123456789}]}}"#,
    ];
    let report = world.run_on(&[world.write("log.ndjson", log.join("\n"))]);
    assert_eq!(report.lines.accepted, 3);
    let staff = world.ask(
        Layout::Star,
        "SELECT _position, title, grade, _absent, _unknown FROM log.\"StaffSet\" ORDER BY 1",
    );
    let expected = [
        ["1", "-", "-", "grade", "-"],
        ["2", "-", "2", "title", r#"{"pay":{"net" : 1.50e+2, "a":[1, 2]},"π":"\u00fc"}"#],
    ];
    assert_eq!(staff.rows, expected);
    let refunds = world.ask(Layout::Star, "SELECT visit, _absent, _unknown FROM log.\"ProceduresRefunded\"");
    assert_eq!(refunds.rows, [["-", "visit", r#"{"items[1].why":12345678901234567890123456789}"#]]);
    let seen: Vec<(&str, u64)> =
        report.unknown_fields.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(seen, [("ProceduresRefunded.items[].why", 1), ("StaffSet.pay", 1), ("StaffSet.π", 1)]);
}

/// Over a declared limit of rejects nothing is published: the log keeps its events, the old release stays.
#[test]
fn too_many_rejects_publish_nothing() {
    let text = fs::read_to_string(repository().join("tests/pipelines/hospital.toml")).unwrap();
    let strict = text.replace("ignore = [\"Heartbeat\"]", "ignore = [\"Heartbeat\"]\nmax_rejects = 4");
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("hospital.toml");
    fs::write(&pipeline, &strict).unwrap();
    let world = World::at(&pipeline);
    let clean = fs::read(repository().join("tests/pipelines/hospital.ndjson")).unwrap();
    let first = world.write("a.ndjson", clean);
    let options = |log: &[String]| Options { log: log.to_vec(), ..world.options() };
    assert_eq!(world.try_run(&options(std::slice::from_ref(&first))).unwrap().release, Some(1));

    let bad = b"{}\n".repeat(5);
    let good = r#"{"what":"StaffLeft","at":"2025-01-01T05:00:00Z","uid":"late","body":{"badge":"S1"}}"#;
    let second = world.write("b.ndjson", [&bad[..], good.as_bytes(), b"\n"].concat());
    let error = world.try_run(&options(&[first.clone(), second.clone()])).unwrap_err();
    assert_eq!((error.who(), error.exit_code()), (Who::Data, 1), "{error}");
    assert_eq!(world.release().number(), 1);
    let left = "SELECT count(*) FROM log.\"StaffLeft\"";
    assert_eq!(world.ask(Layout::Star, left).only(), "1", "the old release ends at its own position");

    // The log has kept both the event and the rejects, so the next run meets the same limit, ...
    let again = options(&[first, second]);
    assert_eq!(world.try_run(&again).unwrap_err().exit_code(), 1);
    assert_eq!(world.release().number(), 1);

    // ... until it is raised.
    fs::write(&pipeline, strict.replace("max_rejects = 4", "max_rejects = 5")).unwrap();
    assert_eq!(nightly::run(&load(&pipeline), &again, &Disk::default(), &()).unwrap().release, Some(2));
    assert_eq!(world.ask(Layout::Star, left).only(), "2");
}
