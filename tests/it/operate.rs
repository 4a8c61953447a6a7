//! What an operator does besides running: looks, verifies, rebuilds, rolls back.

use crate::support::{World, nights};
use starlog::disk::Disk;
use starlog::nightly::{self, Outcome};
use starlog::warehouse::{Warehouse, Writer};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

const NOW: &str = "2026-11-23T00:00:00Z";

/// The retail log in two nights.
pub fn two_nights() -> World {
    let world = World::new("pipelines/retail.toml");
    let mut files: Vec<PathBuf> =
        fs::read_dir("data/retail").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let all: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let half = all.len() / 2 + all[all.len() / 2..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let first = world.write("1.ndjson", &all[..half]);
    assert_eq!(world.run_on(std::slice::from_ref(&first)).outcome, Outcome::Published);
    let second = world.write("2.ndjson", &all[half..]);
    assert_eq!(world.run_on(&[first, second]).outcome, Outcome::Published);
    world
}

fn current(world: &World) -> u64 {
    world.release().number()
}

#[test]
fn a_rebuild_equals_the_nights() {
    let world = two_nights();
    let hash = world.release().manifest().blake3.clone();
    let rebuild =
        || nightly::rebuild(world.model(), &world.warehouse(), Some(2), None, &Disk::default(), NOW);
    let rebuilt = rebuild().unwrap();
    assert_eq!((rebuilt.release, rebuilt.published), (2, 3));
    assert!(rebuilt.differences.is_empty(), "{:?}", rebuilt.differences);
    assert_eq!(world.release().manifest().blake3, hash);

    // A release that claims other tables than its log gives is a bug of ours, and stays.
    let manifest = world.release().dir().join("manifest.json");
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o644)).unwrap();
    let entry = world.release().manifest().layouts["star"]["dim_store"].files[0].blake3.clone();
    let text = fs::read_to_string(&manifest).unwrap().replace(&entry, &"0".repeat(64));
    fs::write(&manifest, text).unwrap();
    let error = rebuild().unwrap_err();
    assert_eq!(error.exit_code(), 4, "{error}");
    assert!(error.to_string().contains("star/dim_store/dim_store.parquet: other rows"), "{error}");
    assert_eq!(current(&world), 3);
}

#[test]
fn a_rollback_swaps_the_pointer_and_the_next_run_goes_on() {
    let world = two_nights();
    let hash = world.release().manifest().blake3.clone();
    let writer = Writer::open(&Disk::default(), &world.warehouse(), "retail", NOW).unwrap();
    assert_eq!(writer.roll_back(1).unwrap().number(), 1);
    assert_eq!(writer.roll_back(7).unwrap_err().exit_code(), 2);
    drop(writer);
    assert_eq!(current(&world), 1);
    let warehouse = Warehouse::open(&world.warehouse()).unwrap();
    assert_eq!(warehouse.releases().unwrap(), [1, 2]);
    assert_eq!(warehouse.release(2).unwrap().manifest().blake3, hash);

    // The log has everything, so the next run publishes it again.
    let files = ["1.ndjson", "2.ndjson"].map(|file| world.path(file).to_str().unwrap().to_owned());
    assert_eq!(world.run_on(&files).release, Some(3));
    assert_eq!(world.release().manifest().blake3, hash);
}

/// Whoever asks what a row means does not need the pipeline's file, nor that of its holidays.
/// The positions of its rows mean other events then, though the log ends at no smaller one.
#[test]
fn an_old_log_that_was_put_back_is_not_carried_on() {
    for others in [0, 1, 2] {
        let world = nights::after(2);
        let (log, kept) = (world.warehouse().join("log"), world.path("kept"));
        assert!(Command::new("cp").arg("-r").args([&log, &kept]).status().unwrap().success());
        let text = fs::read_to_string(world.path("log.ndjson")).unwrap();
        nights::publish(&world, 3);
        fs::remove_dir_all(&log).unwrap();
        fs::rename(&kept, &log).unwrap();
        fs::write(world.path("log.ndjson"), &text).unwrap();
        (4..4 + others).for_each(|night| nights::add(&world, night));
        let report = world.run_with(&nights::options(&world));
        assert_eq!(report.outcome, Outcome::Published, "{others}");
        assert!(report.because.iter().any(|reason| reason.contains("another log")), "{others}: {report:?}");
        let fresh = nights::world();
        fs::copy(world.path("log.ndjson"), fresh.path("log.ndjson")).unwrap();
        fresh.run_with(&nights::options(&fresh));
        assert_eq!(world.release().manifest().blake3, fresh.release().manifest().blake3, "{others}");
        let again = world.run_with(&nights::options(&world));
        assert_eq!(again.outcome, Outcome::Unchanged);
    }
}

#[test]
fn a_release_holds_its_pipeline() {
    let world = two_nights();
    let model = world.release().model().unwrap();
    assert_eq!(model.hash, world.model().hash);
    assert_eq!(model.source, world.model().source);
    assert!(!model.calendar.holidays.is_empty());

    let file = world.release().dir().join("pipeline.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("# A comment decides nothing.\n{text}")).unwrap();
    assert_eq!(world.release().model().unwrap().hash, world.model().hash);
    fs::write(&file, text.replace("Europe/Berlin", "Europe/Moscow")).unwrap();
    let error = world.release().model().unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("is not the pipeline with which release 2 was made"), "{error}");
}

/// A night takes over what it does not read, but not half of it.
#[test]
fn a_file_that_was_cut_off_is_not_carried_on() {
    let world = two_nights();
    let files = ["1.ndjson", "2.ndjson"].map(|file| world.path(file).to_str().unwrap().to_owned());
    let month = world.release().dir().join("star/fact_orders/date_month=2023-01/2023-01.parquet");
    fs::set_permissions(&month, fs::Permissions::from_mode(0o644)).unwrap();
    let bytes = fs::read(&month).unwrap();
    fs::write(&month, &bytes[..bytes.len() - 1]).unwrap();
    // Nothing but a department: no fact is read.
    let third = r#"{"seq":99999999,"event_type":"DepartmentCreated","version":1,"timestamp":"2023-03-01T00:00:00Z","payload":{"department_id":"D99","name":"Nothing"}}"#;
    let third = world.write("3.ndjson", format!("{third}\n"));
    let log = files.into_iter().chain([third]).collect();
    let error = world.try_run(&nightly::Options { log, ..world.options() }).unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("2023-01.parquet is not the file that was published"), "{error}");
    assert_eq!(current(&world), 2);
}

#[test]
fn the_commands_tell() {
    let world = two_nights();
    let starlog = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
        let output = command.args(arguments).arg("--warehouse").arg(world.warehouse()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let status: serde_json::Value = serde_json::from_str(&starlog(&["status", "--json"])).unwrap();
    let position = world.release().manifest().log_position;
    assert_eq!(status["log_position"], position);
    assert_eq!(status["current"]["release"], 2);
    assert_eq!(status["releases"], serde_json::json!([1, 2]));
    assert_eq!(status["sources"].as_array().unwrap().len(), 2);
    let page = starlog(&["status"]);
    assert!(page.contains("release 2 of 20") && page.contains("Z, snowflake, star, with the log"), "{page}");
    assert_eq!(starlog(&["runs", "--json"]).lines().count(), 2);
    assert!(starlog(&["runs"]).contains("published"));
    let count = |release: &str| {
        let sql = "SELECT count(*) FROM fact_orders";
        starlog(&["query", "--format", "csv", "--release", release, sql])
    };
    assert_ne!(count("1"), count("2"));
    assert!(starlog(&["verify", "pipelines/retail.toml"]).contains("all the same"));
    assert!(starlog(&["rebuild", "pipelines/retail.toml"]).contains("every file is that of release 2"));
    assert_eq!(starlog(&["rollback"]), "release 2 is current; it was 3\n");
}
