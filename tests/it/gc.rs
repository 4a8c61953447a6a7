//! Old releases go, the current one and those in use stay, and what is freed is what is said.

use crate::support::{World, nights};
use starlog::disk::Disk;
use starlog::error::Result;
use starlog::nightly::{self, Collected, Keep, Outcome, Scrutiny};
use starlog::warehouse::Warehouse;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

const NOW: &str = "2026-11-23T00:00:00Z";

fn warehouse(world: &World) -> Warehouse {
    Warehouse::open(&world.warehouse()).unwrap()
}

/// So many releases, however young the others are.
fn keep(releases: usize) -> Keep {
    Keep { releases, hours: 0, now: SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33) }
}

fn gc_on(disk: &Disk, world: &World, keep: Keep) -> Result<Collected> {
    nightly::gc(&world.warehouse(), keep, disk, NOW)
}

fn gc(world: &World, keep: Keep) -> Collected {
    let planned = nightly::gc_plan(&world.warehouse(), keep).unwrap();
    let done = gc_on(&Disk::default(), world, keep).unwrap();
    assert_eq!(format!("{planned:?}"), format!("{done:?}"), "what was planned is what was done");
    done
}

/// Bytes of releases and log, a file of several names once.
fn size(world: &World) -> u64 {
    fn add(dir: &Path, seen: &mut BTreeSet<u64>) -> u64 {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| match entry.metadata().unwrap() {
                metadata if metadata.is_dir() => add(&entry.path(), seen),
                metadata if seen.insert(metadata.ino()) => metadata.len(),
                _ => 0,
            })
            .sum()
    }
    let mut seen = BTreeSet::new();
    ["releases", "log", "staging"].map(|room| add(&world.warehouse().join(room), &mut seen)).iter().sum()
}

/// Every release that is there is as it was published.
fn all_are_whole(world: &World) {
    for number in warehouse(world).releases().unwrap() {
        let release = warehouse(world).release(number).unwrap();
        assert!(release.damages(&Default::default()).unwrap().is_empty());
        for file in release.manifest().relations.log.iter().flat_map(|relation| &relation.files) {
            assert!(world.warehouse().join(file).exists(), "release {number} names {file}");
        }
    }
}

#[test]
fn old_releases_go_and_free_what_they_alone_had() {
    let world = nights::after(5);
    let before = size(&world);
    let done = gc(&world, keep(2));
    assert_eq!((done.removed, done.kept, done.in_use), (vec![1, 2, 3], vec![4, 5], vec![]));
    assert_eq!(warehouse(&world).releases().unwrap(), [4, 5]);
    assert!(done.freed_bytes > 0);
    assert_eq!(before - size(&world), done.freed_bytes);
    all_are_whole(&world);
    assert_eq!(world.release().number(), 5);
    let again = gc(&world, keep(2));
    assert_eq!((again.removed, again.freed_bytes), (vec![], 0));
    nights::publish(&world, 6);

    let line = |at: usize| -> serde_json::Value {
        serde_json::from_str(&warehouse(&world).runs().unwrap()[at]).unwrap()
    };
    assert_eq!((&line(5)["command"], &line(5)["outcome"]), (&"gc".into(), &"removed".into()));
    assert_eq!((&line(5)["release"], &line(5)["found"]["removed"]), (&5.into(), &vec![1, 2, 3].into()));
    assert_eq!((&line(6)["command"], &line(6)["outcome"]), (&"gc".into(), &"unchanged".into()));
    assert_eq!(line(7)["command"], "run");
}

#[test]
fn what_is_young_stays() {
    let world = nights::after(3);
    for number in [1, 2, 3] {
        let manifest = world.warehouse().join(format!("releases/{number:08}/manifest.json"));
        let published = SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * (1000 + number));
        File::open(manifest).unwrap().set_modified(published).unwrap();
        assert_eq!(warehouse(&world).published_at(number).unwrap(), published);
    }
    let at = |hour: u64| Keep {
        releases: 1,
        hours: 48,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * hour),
    };
    // The first release was current until 1002.
    for before in [0, 1002, 1049] {
        assert_eq!(gc(&world, at(before)).kept, [1, 2, 3], "at {before}");
    }
    assert_eq!(gc(&world, at(1050)).removed, [1]);
    assert_eq!(gc(&world, at(2000)).removed, [2]);
}

#[test]
fn the_current_release_stays_however_old() {
    let world = nights::after(4);
    let back = nightly::rollback(&world.warehouse(), Some(1), &Disk::default(), NOW).unwrap();
    assert_eq!((back.release, back.was), (1, 4));
    let done = gc(&world, keep(1));
    assert_eq!((done.removed, done.kept), (vec![2, 3], vec![1, 4]));
    assert_eq!(world.release().number(), 1);
    all_are_whole(&world);
}

#[test]
fn a_release_in_use_stays_until_nobody_reads_it() {
    let world = nights::after(3);
    let read = warehouse(&world).release(1).unwrap();
    let clone = read.clone();
    let done = gc(&world, keep(1));
    assert_eq!((done.removed, done.in_use, done.kept), (vec![2], vec![1], vec![3]));
    drop(read);
    assert_eq!(gc(&world, keep(1)).in_use, [1]);
    assert!(clone.damages(&Default::default()).unwrap().is_empty());
    drop(clone);
    assert_eq!(gc(&world, keep(1)).removed, [1]);
    let published = world.release();
    nights::publish(&world, 4);
    assert_eq!(gc(&world, keep(1)).in_use, [published.number()]);
}

/// Between following the pointer and holding the release, it may have gone.
#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_comes_too_late_takes_the_next_release() {
    let world = nights::after(1);
    let dir = world.warehouse().join("releases/00000001");
    let claim = File::open(&dir).unwrap();
    // As gc has it while it moves the release away.
    claim.lock().unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| world.release().number());
        let waits_for = format!(":{} ", fs::metadata(&dir).unwrap().ino());
        let waits = |line: &str| line.contains("-> FLOCK") && line.contains(&waits_for);
        while !fs::read_to_string("/proc/locks").unwrap().lines().any(waits) {
            assert!(!reader.is_finished(), "the reader does not wait");
            std::thread::yield_now();
        }
        let next = world.warehouse().join("releases/00000002");
        let copied = std::process::Command::new("cp").arg("-r").args([&dir, &next]).status().unwrap();
        assert!(copied.success());
        let manifest = next.join("manifest.json");
        let text = fs::read_to_string(&manifest).unwrap().replace("\"release\": 1,", "\"release\": 2,");
        fs::remove_file(&manifest).unwrap_or_else(|_| writable(&next, &manifest));
        fs::write(&manifest, text).unwrap();
        let pointer = world.warehouse().join("current");
        fs::remove_file(&pointer).unwrap();
        std::os::unix::fs::symlink("releases/00000002", pointer).unwrap();
        writable(&dir, &dir);
        fs::rename(&dir, world.warehouse().join("staging/gone")).unwrap();
        drop(claim);
        assert_eq!(reader.join().unwrap(), 2);
    });
}

/// Makes a folder writable, and removes what is in it by that name.
fn writable(folder: &Path, file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    if file != folder {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn files_of_the_log_go_with_the_last_release_that_shows_them() {
    let mut world = nights::after(2);
    nights::declare_colours(&mut world);
    nights::publish(&world, 3);
    let old = ["OrderPlaced", "ProductCreated"]
        .map(|event| [1, 2].map(|segment| format!("log/segments/{segment}/{event}.parquet")));
    // What was lifted was put together by the same run, and stood in no release.
    let lifted = ["log/segments/1/ProductCreated.2.parquet", "log/segments/2/ProductCreated.2.parquet"];
    assert_eq!(gc(&world, keep(2)).log_files, lifted, "release 2 shows the events as they were");
    all_are_whole(&world);
    // What a run that was killed while it wrote has left.
    let torn = "log/segments/1/ProductCreated.3.parquet";
    fs::write(world.warehouse().join(torn), "PAR1").unwrap();
    let reader = warehouse(&world).hold_log().unwrap();
    let done = gc(&world, keep(1));
    assert_eq!((done.removed, done.log_files), (vec![2], vec![]), "somebody reads the log");
    drop(reader);
    let before = size(&world);
    let done = gc(&world, keep(1));
    let mut gone = [old.concat(), vec![torn.to_owned()]].concat();
    gone.sort();
    assert_eq!(done.log_files, gone);
    assert_eq!(before - size(&world), done.freed_bytes);
    all_are_whole(&world);
    let found = nightly::verify(world.model(), &world.warehouse(), &Scrutiny::default(), &Disk::default());
    assert!(found.unwrap().holds());
    nights::publish(&world, 4);
}

/// Whatever fails, no reader sees half a release, and the next gc does the rest.
#[test]
fn a_gc_that_fails_leaves_whole_releases() {
    let mut world = nights::after(2);
    nights::declare_colours(&mut world);
    nights::publish(&world, 3);
    let mut night = 3;
    for failing in 0.. {
        let effects = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&effects);
        let disk = Disk::watched(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            at if at == failing => Err(io::Error::other("planted")),
            _ => Ok(()),
        });
        let done = gc_on(&disk, &world, keep(1));
        all_are_whole(&world);
        assert_eq!(world.release().number(), night);
        gc(&world, keep(1));
        assert_eq!(warehouse(&world).releases().unwrap(), [night]);
        assert_eq!(fs::read_dir(world.warehouse().join("staging")).unwrap().count(), 0);
        if effects.load(Ordering::SeqCst) <= failing {
            done.unwrap();
            assert!(failing > 10, "only {failing} effects");
            break;
        }
        for _ in 0..2 {
            night += 1;
            assert_eq!(nights::publish(&world, night).outcome, Outcome::Published);
        }
    }
}

#[test]
fn the_command_tells() {
    let world = nights::after(3);
    let starlog = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_starlog"));
        let output = command.args(arguments).arg("--warehouse").arg(world.warehouse()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // Bytes that are freed depend on what the encoder does.
        let lines = text.lines().filter(|line| !line.ends_with("bytes"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let read = warehouse(&world).release(2).unwrap();
    assert_eq!(starlog(&["gc"]), "removed   no release\nkept      releases 1, 2, 3\n");
    let plan = starlog(&["gc", "--keep", "1", "--hours", "0", "--dry-run"]);
    assert_eq!(
        plan,
        "would go  release 1\nin use    release 2: somebody reads it, so it stays\nkept      release 3\n"
    );
    assert_eq!(starlog(&["gc", "--keep", "1", "--hours", "0"]), plan.replace("would go", "removed "));
    drop(read);
    let json = starlog(&["gc", "--keep", "1", "--hours", "0", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["removed"], &json["kept"]), (&vec![2].into(), &vec![3].into()));
    let runs = starlog(&["runs"]);
    assert_eq!(runs.matches("┆ gc ").count(), 3, "{runs}");
}
