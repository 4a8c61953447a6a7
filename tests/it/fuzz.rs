//! Whatever comes in at a door: no panic, no hang, no byte that is not accounted for.
//!
//! Inputs are mutations of a corpus of good and bad ones, the same in every run. Ten thousand go through each door, or
//! as many as `STARLOG_FUZZ` says.

use crate::log::{LIBRARY, Library, gzip, lent, zstd};
use crate::support::{World, nights, repository};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use starlog::disk::Disk;
use starlog::log::EventLog;
use starlog::model::{Model, Source};
use starlog::query;
use starlog::warehouse::Warehouse;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Sends so many inputs through a door, `batch` at a time.
fn through<S: Strategy>(batch: usize, strategy: S, test: impl Fn(S::Value)) {
    let wanted =
        std::env::var("STARLOG_FUZZ").map_or(10_000, |count| count.parse::<usize>().expect("a number"));
    let cases = u32::try_from(wanted.div_ceil(batch)).unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let run = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// What is dangerous somewhere.
const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\u00e9",
    b"null",
    b"true",
    b"-0",
    b"1e400",
    b"1e-400",
    b"9007199254740993",
    b"1.5",
    b"99999999999999999999999999999999999999999",
    b"0.00000000000000000000000000000000000000001",
    b"01",
    b"NaN",
    b"{\"\":{}}",
    b"[[[[[[[[",
    b"\"2024-02-30T25:61:61Z\"",
    b"\"0000-00-00\"",
    b"+24:00",
    b"=",
    b"[[",
    b"'''",
    b"\"\"\"",
    b"\xf0\x9f\x98\x80",
    b"-9223372036854775809",
    b"170141183460469231731687303715884105728",
];

/// One change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Index),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Cut(Index),
    /// The end of another one of the corpus.
    Splice(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, token)| Change::Insert(at, token)),
        (any::<Index>(), 1..9_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), 1..9_usize, 1..200_usize)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(at, other)| Change::Splice(at, other)),
    ]
}

/// A member of the corpus, changed a few times.
fn mutation(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(change(), 0..6)).prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&corpus).clone();
        for change in &changes {
            apply(change, &mut bytes, &corpus);
        }
        bytes
    })
}

fn apply(change: &Change, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
    match change {
        Change::Flip(index, bit) if !bytes.is_empty() => {
            let at = index.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Change::Flip(..) => {}
        Change::Insert(index, token) => {
            let at = at(index, bytes);
            bytes.splice(at..at, token.get(TOKENS).iter().copied());
        }
        Change::Remove(index, length) => {
            let at = at(index, bytes);
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Change::Repeat(index, length, times) => {
            let at = at(index, bytes);
            let part = bytes[at..(at + length).min(bytes.len())].repeat(*times);
            bytes.splice(at..at, part);
        }
        Change::Cut(index) => bytes.truncate(at(index, bytes)),
        Change::Splice(index, other) => {
            let at = at(index, bytes);
            let other = other.get(corpus);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[at.min(other.len())..]);
        }
    }
}

/// Lines of a library, good and bad.
fn lines() -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = [
        "",
        ",\"note\":\"caf\\u00e9 \\ud83d\\ude00\",\"fee\":\"12.30\",\"days\":3,\"express\":true",
        ",\"due\":\"2024-02-29\",\"called\":\"2016-12-31T23:59:60Z\"",
        ",\"fee\":1e2,\"days\":1.0,\"note\":null,\"extra\":{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
        ",\"x\":{\"y\":{\"z\":[[],{},[[1.5e-3]]]}}",
    ]
    .iter()
    .zip(1..)
    .map(|(rest, id)| lent(id, rest).into_bytes())
    .collect();
    lines.push(
        lent(7, "")
            .replace("[]", r#"[{"isbn":"1","copies":2},{"isbn":"2","copies":1,"weight":"0.125","new":1}]"#)
            .into_bytes(),
    );
    lines.push(br#"{"data":{"reader":"r"},"at":"2024-05-01T10:00:00+02:00","v":2,"id":"x","seq":null,"type":"Returned"}"#.to_vec());
    lines.push(br#"{"type":"Heartbeat","at":1}"#.to_vec());
    lines.push(br#"{"type":"Nobody","id":1}"#.to_vec());
    lines.push(br#"[{"type":"Lent"}]"#.to_vec());
    lines.push(b"".to_vec());
    lines.push(b"  \t".to_vec());
    lines.push(b"\0\0\0\0".to_vec());
    lines
}

/// Takes a file in, and checks that every byte of it is accounted for.
fn take_in(library: &Library, content: &[u8]) {
    library.write("a.ndjson", content);
    let report = library.ingest(&["a.ndjson"]);
    if !report.failures.is_empty() {
        let may_fail = ["encoding", "format", "csv-header"];
        let is_known = report.failures.iter().all(|failure| may_fail.contains(&failure.code.as_str()));
        assert!(is_known, "{:?}", report.failures);
        return;
    }
    let log = library.open();
    let source = &log.sources()[0];
    assert_eq!(source.consumed_bytes + source.held_bytes, content.len() as u64);
    let consumed = &content[..usize::try_from(source.consumed_bytes).unwrap()];
    let ends = consumed.iter().filter(|&&byte| byte == b'\n').count() as u64;
    assert_eq!(
        source.lines,
        ends + u64::from(!consumed.is_empty() && !consumed.ends_with(b"\n") && consumed != b"\xef\xbb\xbf")
    );
    // A record of CSV may have several lines; zeros in front of a line are one more.
    let is_csv = !library.model.log.rows.is_empty();
    assert!(is_csv || source.account.read >= source.lines, "{:?} of {} lines", source.account, source.lines);
    for reject in library.rejects() {
        let start = usize::try_from(reject.offset).unwrap();
        assert_eq!(content[start..start + reject.raw.len()], reject.raw, "{}", reject.code);
        assert!(
            reject.code == "nul-block"
                || reject.code == "line-too-long"
                || matches!(content.get(start + reject.raw.len()), None | Some(b'\n' | b'\r'))
        );
    }
}

/// Panics that somebody could have written into a decoder: each is found.
#[test]
fn a_planted_panic_is_found() {
    type Planted = (&'static str, fn(&[u8]) -> bool);
    let planted: [Planted; 5] = [
        ("a surrogate that ends its string", |bytes| holds(bytes, b"\\ud800\"")),
        ("a number beyond all floats in a field", |bytes| holds(bytes, b":1e400")),
        ("bytes that are no UTF-8 at the end of a string", |bytes| holds(bytes, b"\xff\"")),
        ("forty brackets in a row", |bytes| holds(bytes, &[b'['; 40])),
        ("a line that ends in a key", |bytes| bytes.ends_with(b"\"id\":")),
    ];
    for (what, is_hit) in planted {
        let run = || through(1, mutation(lines()), |bytes| assert!(!is_hit(&bytes)));
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(found.is_err(), "never met: {what}");
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn the_door_of_lines() {
    through(250, vec(mutation(lines()), 250), |lines| {
        let library = Library::new();
        take_in(&library, &lines.join(&b'\n'));
    });
}

/// Changes of tables, rows of an outbox, and what is neither.
#[test]
fn the_door_of_change_events() {
    let folder = repository().join("tests/pipelines");
    let pipeline = fs::read_to_string(folder.join("counter.toml")).unwrap();
    let mut corpus = Vec::new();
    for name in ["carts", "customers", "order_items", "orders", "products"] {
        let file = fs::read(folder.join(format!("counter/{name}.ndjson"))).unwrap();
        corpus.extend(file.split(|byte| *byte == b'\n').take(12).map(<[u8]>::to_vec));
    }
    corpus.push(br#"{"id":"o1","aggregatetype":"x","aggregateid":"1","type":"ProductGone","timestamp":1709280000000,"payload":"{\"product_id\":1}"}"#.to_vec());
    corpus.push(b"null".to_vec());
    through(250, vec(mutation(corpus), 250), |lines| {
        let library = Library::with(&pipeline);
        take_in(&library, &lines.join(&b'\n'));
    });
}

/// Rows under a header, of records that may have line ends inside quotes; the file comes in two pieces.
#[test]
fn the_door_of_rows() {
    let corpus: Vec<Vec<u8>> = [
        "1;2024-05-01T10:00:00Z;1.250;Bay;true",
        "2;2024-05-01 10:00:00;NULL;\"a \"\"quoted\"\"\r\nBay; north\";false",
        ";;;;",
        "\"3\";\"2024-05-01T10:00:00Z\";\"1\";\"\n\n\";\"true\"",
        "4;2024-05-01T10:00:00Z;1;\"open;true",
        "",
    ]
    .map(|row| row.as_bytes().to_vec())
    .to_vec();
    through(100, (vec(mutation(corpus), 100), any::<Index>()), |(rows, cut)| {
        let library = Library::with(crate::log::SAMPLES);
        let content =
            [b"sample no;taken_at;depth;place;wet\n".to_vec(), rows.join(&b'\n'), b"\n".to_vec()].concat();
        library.write("a.ndjson", &content[..cut.index(content.len())]);
        let _ = library.ingest(&["a.ndjson"]);
        take_in(&library, &content);
    });
}

/// Values of all kinds at each place of an envelope, in envelopes of several kinds.
#[test]
fn the_door_of_envelopes() {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("\"1\"".to_owned()),
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[[]]".to_owned()),
        Just("\"Lent\"".to_owned()),
        Just("\"Returned\"".to_owned()),
        Just("\"Heartbeat\"".to_owned()),
        Just("2".to_owned()),
        Just("\"2024-05-01T10:00:00Z\"".to_owned()),
        Just("\"2024-03-10T02:30:00\"".to_owned()),
        Just("{\"reader\":\"r\",\"books\":[]}".to_owned()),
        Just("{\"reader\":\"r\"}".to_owned()),
        Just("-0.0".to_owned()),
        Just("1e400".to_owned()),
        Just("true".to_owned()),
        "[ -~]{0,12}".prop_map(|text| format!("\"{}\"", text.replace(['\\', '"'], "."))),
    ];
    let key = prop_oneof![
        Just("type"),
        Just("v"),
        Just("at"),
        Just("data"),
        Just("id"),
        Just("seq"),
        Just("reader"),
        Just("books"),
        Just("days"),
        Just("other"),
    ];
    let member = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let line = vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(",")));
    let kinds = ["type = \"type\"", "zone = \"America/New_York\", type = \"type\""];
    let payloads = [
        "payload = \"data\", id = \"id\", order = \"seq\"",
        "payload = \"data\"",
        "id = \"seq\", order = \"seq\"",
        "",
    ];
    let declared =
        "type = \"type\", version = \"v\", time = \"at\", payload = \"data\", id = \"id\", order = \"seq\"";
    assert!(LIBRARY.contains(declared));
    through(250, (0..2_usize, 0..4_usize, vec(line, 250)), |(kind, payload, lines)| {
        let envelope = format!(
            "{}, version = \"v\", time = \"at\"{}{}",
            kinds[kind],
            if payload == 3 { "" } else { ", " },
            payloads[payload]
        );
        let library = Library::with(&LIBRARY.replace(declared, &envelope));
        take_in(&library, lines.join("\n").as_bytes());
    });
}

#[test]
fn the_door_of_packed_files() {
    let content = lines().join(&b'\n');
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], zstd(&content).as_slice()].concat();
    let members = [gzip(&content), gzip(""), gzip(b"{}\n"), vec![0; 64]].concat();
    let corpus = vec![
        gzip(&content),
        zstd(&content),
        members,
        skippable,
        gzip(gzip(&content)),
        vec![0x1f, 0x8b],
        vec![0x28, 0xb5, 0x2f, 0xfd],
    ];
    through(40, vec(mutation(corpus), 40), |files| {
        let library = Library::new();
        let names: Vec<String> = (0..files.len()).map(|number| format!("{number}.gz")).collect();
        files.iter().zip(&names).for_each(|(bytes, name)| library.write(name, bytes));
        let report = library.ingest(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(report.failures.len() + report.files.len(), files.len());
        // What failed has left nothing behind; what came in comes in no second time.
        let again = library.ingest(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((again.total.read, again.failures.len()), (0, report.failures.len()));
    });
}

/// The files by which a warehouse knows itself.
#[test]
fn the_door_of_manifests() {
    let world = nights::after(2);
    let model = world.model();
    let manifest = world.release().dir().join("manifest.json");
    let head = world.warehouse().join("log/head.json");
    for file in [manifest, head] {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let whole = fs::read(&file).unwrap();
        through(2, mutation(vec![whole.clone()]), |bytes| {
            fs::write(&file, bytes).unwrap();
            look(&world, model);
        });
        fs::write(&file, whole).unwrap();
        look(&world, model);
        assert_eq!(world.release().number(), 2);
    }
}

/// Everything that reads the manifest and the head without computing a table.
fn look(world: &World, model: &Model) {
    let dir = world.warehouse();
    let warehouse = Warehouse::open(&dir).unwrap();
    if let Ok(Some(release)) = warehouse.current() {
        let _ = release.layouts();
        let _ = release.damages(&Default::default());
        for &layout in &starlog::layout::Layout::ALL {
            let _ = query::describe(&release, layout, &dir);
        }
    }
    let _ = starlog::nightly::status(&dir);
    let _ = starlog::nightly::rejected(&dir);
    if let Ok(log) = EventLog::open(&Disk::default(), &dir.join("log"), model) {
        let _ = log.inspect_store();
        for event_type in log.event_types() {
            let _ = log.pieces(event_type);
        }
    }
}

#[test]
fn the_door_of_pipelines() {
    let read = |path: &str| fs::read(repository().join(path)).unwrap();
    let corpus: Vec<Vec<u8>> = [
        "pipelines/retail.toml",
        "tests/it/pipeline/hospital.toml",
        "tests/it/pipeline/ten_mistakes.toml",
        "tests/pipelines/hospital.toml",
    ]
    .iter()
    .map(|path| read(path))
    .chain([LIBRARY.as_bytes().to_vec()])
    .collect();
    through(1, mutation(corpus), |bytes| {
        let pipeline = String::from_utf8_lossy(&bytes).into_owned();
        let source = Source { pipeline, holidays: None, ..Source::default() };
        match source.compile(Path::new("."), "fuzzed.toml") {
            Ok(model) => assert!(!model.hash.is_empty()),
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{error}");
                let _ = error.report().map(|report| format!("{report:?}"));
            }
        }
    });
}
