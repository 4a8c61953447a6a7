//! Files as they come: packed, broken, misnamed, or no files at all.

use super::{Library, gzip, lents, zstd};
use starlog::log::{Account, FileCode, expand};
use std::fs;

#[test]
fn row_021_026_packed_files_are_read_whatever_their_name_says() {
    let library = Library::new();
    let members = [gzip(lents(1..=2)), gzip(""), gzip(lents(3..=3)), vec![0; 512]].concat();
    library.write("two.ndjson.gz", members);
    library.write("liar.ndjson", zstd(lents(4..=5)));
    let skippable =
        [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], zstd(lents(6..=6)).as_slice(), &zstd(lents(7..=7))]
            .concat();
    library.write("frames.zst", skippable);
    library.write("plain.gz", lents(8..=8));
    let report = library.ingest(&["two.ndjson.gz", "liar.ndjson", "frames.zst", "plain.gz"]);
    assert_eq!(report.total, Account { read: 8, accepted: 8, ..Account::default() });
    assert_eq!(library.column("Lent", "_id"), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(library.column("Lent", "_line"), ["1", "2", "3", "1", "2", "1", "2", "1"]);
    let again = library.ingest(&["two.ndjson.gz", "liar.ndjson", "frames.zst", "plain.gz"]);
    assert_eq!(again.total, Account::default());
}

#[test]
fn row_020_022_023_a_broken_packed_file_leaves_nothing_behind_and_stops_nobody() {
    let whole = gzip(lents(1..=20_000));
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 6;
    wrong_sum[sum] ^= 1;
    let zst = zstd(lents(1..=20_000));
    let cases: Vec<(FileCode, Vec<u8>)> = vec![
        (FileCode::Truncated, whole[..whole.len() / 2].to_vec()),
        (FileCode::Truncated, whole[..whole.len() - 3].to_vec()),
        (FileCode::Truncated, whole[..5].to_vec()),
        (FileCode::Truncated, zst[..zst.len() - 10].to_vec()),
        (FileCode::Corrupt, wrong_sum),
        (FileCode::TrailingGarbage, [whole.as_slice(), b"garbage"].concat()),
        (FileCode::TrailingGarbage, [whole.as_slice(), b"\x1f\x8cgarbage and more of it"].concat()),
        (FileCode::TrailingGarbage, [zst.as_slice(), b"garbage"].concat()),
        (FileCode::Nested, gzip(&whole)),
    ];
    for (code, content) in cases {
        let library = Library::new();
        library.write("a.gz", gzip(lents(30_001..=30_002)));
        library.write("b.gz", content);
        library.write("c.ndjson", lents(30_003..=30_003));
        let report = library.ingest(&["a.gz", "b.gz", "c.ndjson"]);
        let failures: Vec<FileCode> = report.failures.iter().map(|failure| failure.code).collect();
        assert_eq!(failures, [code], "{:?}", report.failures);
        assert_eq!(report.failures[0].file, "b.gz");
        assert_eq!(library.column("Lent", "_id"), ["30001", "30002", "30003"], "{code:?}");
        assert_eq!(library.open().sources().len(), 2);

        library.write("b.gz", &whole);
        assert_eq!(library.ingest(&["a.gz", "b.gz", "c.ndjson"]).total.accepted, 20_000);
    }
}

#[test]
fn row_024_a_bomb_is_not_unpacked() {
    let library = Library::new();
    library.write("bomb.gz", gzip(vec![b' '; 300 << 20]));
    let report = library.ingest(&["bomb.gz"]);
    assert_eq!(report.failures[0].code, FileCode::Bomb);
}

#[test]
fn row_025_a_window_or_dictionary_that_we_do_not_have_is_named() {
    let library = Library::new();
    let big = lents(1..=20_000);
    let mut stream = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    stream.set_parameter(::zstd::zstd_safe::CParameter::WindowLog(28)).unwrap();
    std::io::Write::write_all(&mut stream, &big.as_bytes()[..1 << 20]).unwrap();
    library.write("window.zst", stream.finish().unwrap());
    let dictionary = lents(1..=500).into_bytes();
    let raw = ::zstd::dict::EncoderDictionary::copy(&trained(&dictionary), 3);
    let mut stream = ::zstd::stream::write::Encoder::with_prepared_dictionary(Vec::new(), &raw).unwrap();
    std::io::Write::write_all(&mut stream, lents(1..=3).as_bytes()).unwrap();
    library.write("dictionary.zst", stream.finish().unwrap());
    let report = library.ingest(&["window.zst", "dictionary.zst"]);
    let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code.as_str()).collect();
    assert_eq!(codes, ["dict", "window"], "{:?}", report.failures);
}

fn trained(sample: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = sample.split(|&byte| byte == b'\n').collect();
    ::zstd::dict::from_samples(&lines, 4096).unwrap()
}

#[test]
fn row_016_what_is_no_regular_file_is_named_and_never_waited_for() {
    let library = Library::new();
    fs::create_dir(library.path("folder")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(library.path("fifo")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(library.path("socket")).unwrap();
    library.write("good.ndjson", lents([1]));
    let report = library.ingest(&["fifo", "folder", "socket", "/dev/zero", "nowhere", "good.ndjson"]);
    let failures: Vec<(&str, &str)> =
        report.failures.iter().map(|failure| (failure.file.as_str(), failure.code.as_str())).collect();
    assert_eq!(
        failures,
        [
            ("/dev/zero", "not-a-file"),
            ("fifo", "not-a-file"),
            ("folder", "not-a-file"),
            ("nowhere", "missing"),
            ("socket", "not-a-file")
        ]
    );
    assert!(report.failures.iter().all(|failure| failure.error().exit_code() == 3));
    assert_eq!(report.total.accepted, 1);
}

#[test]
fn files_come_in_declared_order_and_then_as_people_count() {
    let library = Library::new();
    for name in
        ["day-10.ndjson", "day-9.ndjson", "day-1.ndjson", "a [1].ndjson", ".hidden.ndjson", "z.ndjson"]
    {
        library.write(name, "");
    }
    let expanded = |patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let files = expand(library.folder.path(), &patterns).unwrap();
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        expanded(&["z.ndjson", "*.ndjson", "day-*.ndjson", "none-*.ndjson", "missing.ndjson"]),
        ["z.ndjson", "a [1].ndjson", "day-1.ndjson", "day-9.ndjson", "day-10.ndjson", "missing.ndjson"]
    );
    assert_eq!(expanded(&["a [1].ndjson"]), ["a [1].ndjson"]);
    assert_eq!(expand(library.folder.path(), &["***".to_owned()]).unwrap_err().exit_code(), 2);
}

/// A link in a folder of input may lead to any file of the machine: what a pattern finds must lie below its root.
#[test]
fn row_017_a_link_that_leads_out_is_refused_unless_it_is_named() {
    let library = Library::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("secret.ndjson"), lents([9])).unwrap();
    fs::create_dir_all(library.path("in/deep")).unwrap();
    library.write("in/day-1.ndjson", lents([1]));
    library.write("in/deep/day-2.ndjson", lents([2]));
    library.write("beside.ndjson", lents([3]));
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, library.path(name)).unwrap();
    };
    let expanded = |pattern: &str| {
        let files = expand(library.folder.path(), &[pattern.to_owned()])?;
        let name = |file: &std::path::PathBuf| {
            file.strip_prefix(library.folder.path()).unwrap().display().to_string()
        };
        Ok::<_, starlog::error::Error>(files.iter().map(name).collect::<Vec<_>>())
    };

    // Links that stay inside, a root that is a link itself, and a link to nothing, which is told when it is opened.
    link(std::path::Path::new("day-1.ndjson"), "in/latest.ndjson");
    link(std::path::Path::new("nowhere"), "in/broken.ndjson");
    link(&library.folder.path().join("in"), "by-link");
    assert_eq!(expanded("in/*.ndjson").unwrap(), ["in/broken.ndjson", "in/day-1.ndjson", "in/latest.ndjson"]);
    assert_eq!(expanded("by-link/d*.ndjson").unwrap(), ["by-link/day-1.ndjson"]);
    assert_eq!(expanded("in/*/*.ndjson").unwrap(), ["in/deep/day-2.ndjson"]);

    link(&elsewhere.path().join("secret.ndjson"), "in/secret.ndjson");
    let error = expanded("in/*.ndjson").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("in/secret.ndjson\", which leads out of"), "{error}");
    assert_eq!(error.next_step(), Some("if it is meant, name it without wildcards; else remove the link"));
    assert_eq!(expanded("in/secret.ndjson").unwrap(), ["in/secret.ndjson"], "it was asked for by its name");

    // The folder is the link; and `..` behind a wildcard leads out as well.
    link(elsewhere.path(), "in/mirror");
    assert_eq!(expanded("in/*/*.ndjson").unwrap_err().exit_code(), 2);
    assert_eq!(expanded("in/d*/../../beside.ndjson").unwrap_err().exit_code(), 2);
    // What the author writes before the wildcards is the root.
    assert_eq!(expanded("in/deep/../../besid?.ndjson").unwrap(), ["in/deep/../../beside.ndjson"]);
}

#[test]
fn row_018_names_may_be_anything_that_a_disk_allows() {
    let library = Library::new();
    let names: Vec<std::ffi::OsString> = vec![
        "new\nline.ndjson".into(),
        "quo'te\".ndjson".into(),
        "-rf".into(),
        "100%.ndjson".into(),
        std::os::unix::ffi::OsStringExt::from_vec(b"latin-\xe9.ndjson".to_vec()),
        "x".repeat(255).into(),
    ];
    let paths: Vec<_> = names.iter().map(|name| library.folder.path().join(name)).collect();
    for (id, path) in (1..).zip(&paths) {
        fs::write(path, lents([id])).unwrap();
    }
    let report = library.open().ingest(&paths, 2, &()).unwrap();
    assert_eq!(report.total.accepted, 6);
    assert_eq!(library.column("Lent", "_file")[4], "latin-\\xe9.ndjson");
    let again = library.open().ingest(&paths, 2, &()).unwrap();
    assert_eq!(again.total, Account::default());
}
