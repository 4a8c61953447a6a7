//! What was known then, and what was true then.

use crate::operate::two_nights;
use crate::support::World;
use starlog::layout::Layout;
use starlog::nightly::{self, Cut, Options};
use starlog::warehouse::{Release, Warehouse};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const NOW: &str = "2026-11-23T00:00:00Z";

fn known_at(world: &World, folder: &Path, layout: Layout, position: u64) -> starlog::error::Result<Release> {
    let warehouse = Warehouse::open(&world.warehouse()).unwrap();
    let release = warehouse.current().unwrap().unwrap();
    nightly::known_at(&warehouse, &release, &Cut { position, layout, folder, threads: Some(2), started: NOW })
}

/// Every file and folder with its size.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.push((path.display().to_string(), path.symlink_metadata().unwrap().len()));
        if path.is_dir() && !path.is_symlink() {
            all.extend(listing(&path));
        }
    }
    all.sort();
    all
}

/// The tables are those of one run over the log cut there, byte for byte, wherever the cut goes.
#[test]
fn what_was_known_is_what_a_run_would_have_published() {
    let world = two_nights();
    let log = ["1.ndjson", "2.ndjson"].map(|file| fs::read(world.path(file)).unwrap()).concat();
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let before = listing(&world.warehouse());
    for (layout, count) in [(Layout::Star, 700), (Layout::Snowflake, 5_000), (Layout::Star, 6_001)] {
        let short = World::new("pipelines/retail.toml");
        let log = vec![short.write("short.ndjson", lines[..count].concat())];
        short.run_with(&Options { layouts: vec![layout], log, ..short.options() });
        let then = short.release();
        let folder = tempfile::tempdir().unwrap();
        let known = known_at(&world, folder.path(), layout, then.manifest().log_position).unwrap();
        assert!(known.dir().starts_with(folder.path()));
        assert_eq!(known.manifest().blake3, then.manifest().blake3, "{count} lines");
        assert_eq!(known.manifest().layouts, then.manifest().layouts);
        assert_eq!(known.manifest().findings, then.manifest().findings);
    }
    assert_eq!(listing(&world.warehouse()), before, "a reader changes nothing");
}

#[test]
fn a_release_that_ends_there_is_used() {
    let world = two_nights();
    let folder = tempfile::tempdir().unwrap();
    let first = Warehouse::open(&world.warehouse()).unwrap().release(1).unwrap();
    let position = first.manifest().log_position;
    assert_eq!(known_at(&world, folder.path(), Layout::Star, position).unwrap().dir(), first.dir());
    assert!(listing(folder.path()).is_empty());
    let end = world.release().manifest().log_position;
    let error = known_at(&world, folder.path(), Layout::Star, end + 1).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    // Before the first event nothing was known.
    let none = known_at(&world, folder.path(), Layout::Star, 0).unwrap();
    assert_eq!(none.manifest().layouts["star"]["fact_orders"].rows, 0);
}

/// By the ledger: what the runs that had ended then had taken in.
#[test]
fn a_time_means_the_runs_that_had_ended() {
    let world = two_nights();
    let ledger = world.warehouse().join("runs.jsonl");
    let at = |run: u64, position: u64| {
        format!(
            "{{\"started\":\"2024-01-0{run}T02:00:00Z\",\"elapsed_ms\":60000,\"log_position\":{position}}}\n"
        )
    };
    fs::write(&ledger, at(1, 40) + &at(2, 40) + &at(3, 90)).unwrap();
    let warehouse = Warehouse::open(&world.warehouse()).unwrap();
    let known = |time: &str| nightly::position_known(&warehouse, time.parse().unwrap());
    assert_eq!(known("2024-01-02T02:01:00Z").unwrap(), 40);
    assert_eq!(known("2024-01-03T02:00:59Z").unwrap(), 40, "it had not ended yet");
    assert_eq!(known("2024-01-03T02:01:00Z").unwrap(), 90);
    assert_eq!(known("2024-01-01T02:00:59Z").unwrap_err().exit_code(), 2);
}

const PIPELINE: &str = r#"
name = "visits"

[log]
files = ["*.ndjson"]
envelope = { type = "type", version = "version", time = "time", payload = "payload", id = "id", order = "id" }

[calendar]
time_zone = "Europe/Berlin"

[events.WardOpened]
fields = { site = "text", "ward no" = "integer", floor = "integer" }

[events.WardClosed]
fields = { site = "text", "ward no" = "integer" }

[events.Visited]
fields = { visit = "text", site = "text?", "ward no" = "integer?", fee = "decimal(10,2)" }

[dimensions.ward]
key = { site = "text", "ward no" = "integer" }
attributes.floor = { type = "integer", tracking = "history" }
on.WardOpened = {}
on.WardClosed = { does = "close" }

[facts.visits]
header = { visit = "text" }
dimensions = ["ward"]

[facts.visits.measures]
fee = { type = "decimal(10,2)" }

[facts.visits.on.Visited]
does = "place"
kind = "visited"
"#;

/// A ward that opens, closes and opens again on another floor, one that only visits mention, and a visit to nobody.
fn visits() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("visits.toml"), PIPELINE).unwrap();
    let mut log = String::new();
    let mut say = |event: &str, time: &str, payload: &str| {
        let id = log.lines().count() + 1;
        log.push_str(&format!(
            "{{\"id\":{id},\"type\":\"{event}\",\"version\":1,\"time\":\"{time}\",\"payload\":{{{payload}}}}}\n"
        ));
    };
    let north = r#""site":"a","ward no":1"#;
    say("WardOpened", "2024-05-01T08:00:00Z", &format!(r#"{north},"floor":2"#));
    say("WardClosed", "2024-05-10T08:00:00Z", north);
    // 00:30 of the next day in Berlin.
    say("WardOpened", "2024-05-20T22:30:00Z", &format!(r#"{north},"floor":3"#));
    for (day, visit) in ["2024-04-01", "2024-05-02", "2024-05-15", "2024-06-21"].iter().zip(1..) {
        say("Visited", &format!("{day}T08:00:00Z"), &format!(r#""visit":"v{visit}",{north},"fee":"1.00""#));
    }
    say("Visited", "2024-05-02T08:00:00Z", r#""visit":"v5","site":"b","ward no":1,"fee":"10.00""#);
    say("Visited", "2024-05-02T08:00:00Z", r#""visit":"v6","site":null,"ward no":null,"fee":"100.00""#);
    fs::write(folder.path().join("1.ndjson"), log).unwrap();
    folder
}

fn starlog(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STARLOG_")) {
        command.env_remove(name);
    }
    // Folders for temporary files are counted below.
    fs::create_dir_all(folder.join("tmp")).unwrap();
    let output = command.env("TMPDIR", folder.join("tmp")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

fn ask(folder: &Path, layout: &str, arguments: &[&str]) -> String {
    let (code, text) =
        starlog(folder, &[&["query", "--format", "csv", "--layout", layout], arguments].concat());
    assert_eq!(code, 0, "{arguments:?}: {text}");
    text
}

#[test]
fn dimensions_are_as_they_were_and_as_they_are() {
    let folder = visits();
    let folder = folder.path();
    let (code, text) = starlog(folder, &["run", "visits.toml", "--layout", "star,snowflake"]);
    assert_eq!(code, 0, "{text}");
    for layout in ["star", "snowflake"] {
        let floors = |schema: &str, arguments: &[&str]| {
            let sql = format!(
                "SELECT string_agg(coalesce(floor::VARCHAR, '-'), ' ' ORDER BY visit), sum(fee) \
                 FROM fact_visits JOIN {schema}.dim_ward USING (ward_key)"
            );
            let answer = ask(folder, layout, &[arguments, &[&sql]].concat());
            answer.lines().nth(1).unwrap().to_owned()
        };
        assert_eq!(floors("star", &[]), "2 2 2 3 - -,114.00", "as sold");
        assert_eq!(floors("now", &[]), "3 3 3 3 - -,114.00");
        let as_of = |date: &str| floors("as_of", &["--as-of", date]);
        assert_eq!(as_of("2024-01-01"), "2 2 2 2 - -,114.00", "before the first version, the first");
        assert_eq!(as_of("2024-05-15"), "2 2 2 2 - -,114.00", "in a gap the last one before");
        assert_eq!(as_of("2024-05-20"), "2 2 2 2 - -,114.00", "the day ends in Berlin");
        assert_eq!(as_of("2024-05-21"), "3 3 3 3 - -,114.00");
        assert_eq!(as_of("2024-05-20T22:29:59Z"), "2 2 2 2 - -,114.00");
        assert_eq!(as_of("2024-05-21T00:30:00+02:00"), "3 3 3 3 - -,114.00");
        let members = "SELECT site, \"ward no\", floor, is_inferred, _is_valid FROM as_of.dim_ward \
                       WHERE ward_key = _version_key ORDER BY ward_key";
        assert_eq!(
            ask(folder, layout, &["--as-of", "2024-05-15", members]),
            "site,ward no,floor,is_inferred,_is_valid\n,,,,\n,,,,\na,1,2,false,false\nb,1,,true,true\n"
        );
        let comments = "SELECT column_name, comment FROM duckdb_columns() \
                        WHERE schema_name = 'now' AND table_name = 'dim_ward' AND comment IS NULL";
        assert_eq!(ask(folder, layout, &[comments]), "column_name,comment\n");
        assert!(ask(folder, layout, &["DESCRIBE now.dim_ward"]).contains("_version_key,BIGINT"));
    }
    let (code, text) = starlog(folder, &["query", "--as-of", "yesterday", "SHOW TABLES"]);
    assert!(code == 2 && text.contains("2011-06-30"), "{text}");
    let (code, text) = starlog(folder, &["query", "FROM as_of.dim_ward"]);
    assert_eq!(code, 2, "{text}");
}

/// By the command: what was known, and nothing of it stays.
#[test]
fn the_command_asks_what_was_known() {
    let folder = visits();
    let folder = folder.path();
    assert_eq!(starlog(folder, &["run", "visits.toml"]).0, 0);
    let count = |known: &str| {
        ask(
            folder,
            "star",
            &[
                "--known-at",
                known,
                "SELECT count(*), sum(fee), max(_position) FROM fact_visits, log.\"WardOpened\" WHERE _position = 3",
            ],
        )
    };
    assert!(count("5").ends_with("\n2,2.00,3\n"), "{}", count("5"));
    assert!(count("9").ends_with("\n6,114.00,3\n"), "{}", count("9"));
    assert!(count("2999-01-01").ends_with("\n6,114.00,3\n"));
    let known = ask(
        folder,
        "star",
        &[
            "--known-at",
            "2",
            "--as-of",
            "2024-05-15",
            "SELECT floor, _is_valid FROM as_of.dim_ward WHERE ward_key > 0",
        ],
    );
    assert_eq!(known, "floor,_is_valid\n2,false\n");
    for (wrong, code) in [("10", 2), ("1999-01-01", 2), ("soon", 2)] {
        assert_eq!(starlog(folder, &["query", "--known-at", wrong, "SHOW TABLES"]).0, code, "{wrong}");
    }
    // What a killed process has left goes with the next one; a folder in use stays.
    let (left, used) = (folder.join("tmp/starlog-1-0"), folder.join("tmp/starlog-2-0"));
    for path in [&left, &used] {
        fs::create_dir_all(path.join("warehouse/staging")).unwrap();
        fs::write(path.join("lock"), "").unwrap();
    }
    let lock = fs::File::open(used.join("lock")).unwrap();
    lock.lock().unwrap();
    count("5");
    let there: Vec<_> =
        fs::read_dir(folder.join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there, [used]);
}
