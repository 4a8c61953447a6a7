//! Warehouses: the order of a publication, what a failure at any of its effects leaves, and the bytes.

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::NaiveDate;
use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::history::{Findings, PartitionKey};
use starlog::layout::{COMMENT, Layout, Table};
use starlog::warehouse::{FactPlan, LogEnd, LogLines, Pipeline, Relations, Release, Warehouse, Writer};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const START: &str = "2026-11-23T00:00:00Z";

fn described(name: &str, data_type: DataType) -> Field {
    let comment = format!("What {name} means");
    Field::new(name, data_type, false).with_metadata(HashMap::from([(COMMENT.to_owned(), comment)]))
}

fn dimension() -> Table {
    let schema =
        Schema::new(vec![described("shelf_key", DataType::Int64), described("label", DataType::Utf8)]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![-2, -1, 1])), Arc::new(StringArray::from(vec!["", "", "first"]))];
    Table {
        name: "dim_shelf".to_owned(),
        sorted_by: vec!["shelf_key".to_owned()],
        batch: RecordBatch::try_new(Arc::new(schema), columns).unwrap(),
    }
}

fn fact() -> FactPlan {
    let schema = Schema::new(vec![
        described("date_key", DataType::Int64),
        described("pieces", DataType::Int64),
        described("amount", DataType::Decimal128(18, 4)),
    ]);
    FactPlan {
        name: "fact_moves".to_owned(),
        schema: Arc::new(schema),
        sorted_by: vec!["date_key".to_owned()],
        additive: vec!["pieces".to_owned(), "amount".to_owned()],
    }
}

fn partition(month: u32, rows: i64) -> (PartitionKey, RecordBatch) {
    let day = NaiveDate::from_ymd_opt(2011, month, 1).unwrap();
    let numbers = 0..rows;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers.clone().map(|row| 2_011_000 + row))),
        Arc::new(Int64Array::from_iter_values(numbers.clone())),
        Arc::new(
            Decimal128Array::from_iter_values(numbers.map(|row| i128::from(-row) * 101))
                .with_precision_and_scale(18, 4)
                .unwrap(),
        ),
    ];
    (PartitionKey::Month(day), RecordBatch::try_new(fact().schema, columns).unwrap())
}

fn pipeline() -> Pipeline {
    Pipeline { name: "library".to_owned(), hash: "0f".to_owned() }
}

/// A log without rejects that ends here.
fn at(position: u64) -> LogEnd {
    LogEnd { position, print: None, lines: LogLines { read: position, rejected: 0 } }
}

/// A night: January as ever, February with this many rows.
fn night(disk: &Disk, dir: &Path, rows: i64) -> Result<Release> {
    let writer = Writer::open(disk, dir, "library", START)?;
    let staged = writer.begin(
        pipeline(),
        at(rows.unsigned_abs()),
        &Layout::ALL,
        Relations::default(),
        Findings::default(),
    )?;
    for layout in Layout::ALL {
        staged.write_table(layout, &dimension())?;
    }
    let plan = fact();
    staged.begin_fact(&plan)?;
    for (key, batch) in [partition(1, 5), partition(2, rows)] {
        staged.write_fact(&plan, key, &batch)?;
    }
    staged.publish()
}

fn current(dir: &Path) -> Release {
    Warehouse::open(dir).unwrap().current().unwrap().expect("a release is current")
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every file is as the manifest says; returns the rows of February.
fn read_whole(release: &Release) -> u64 {
    let mut february = 0;
    for file in release.manifest().files() {
        let bytes = fs::read(release.path(file)).unwrap();
        assert_eq!(bytes.len() as u64, file.bytes, "{}", file.path);
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), file.blake3, "{}", file.path);
        if file.path.ends_with("2011-02.parquet") {
            february = file.rows;
        }
    }
    february
}

fn all_below(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(all_below(&path));
        }
        paths.push(path);
    }
    paths.sort();
    paths
}

fn fact_path(layout: Layout, month: u32) -> String {
    format!("{layout}/fact_moves/date_month=2011-{month:02}/2011-{month:02}.parquet")
}

/// A folder whose read-only parts the test may remove at its end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn warehouse(&self) -> PathBuf {
        self.0.path().join("warehouse")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for path in all_below(self.0.path()).iter().rev().filter(|path| path.is_dir() && !path.is_symlink()) {
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
        }
    }
}

#[test]
fn a_release_is_read_only_and_tells_what_it_holds() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let published = night(&Disk::default(), &dir, 7).unwrap();
    let release = current(&dir);
    assert_eq!(release.manifest(), published.manifest());
    assert_eq!(release.number(), 1);
    assert_eq!(fs::read_link(dir.join("current")).unwrap(), Path::new("releases/00000001"));
    assert_eq!(read_whole(&release), 7);

    assert_eq!(mode(release.dir()), 0o555);
    for path in all_below(release.dir()) {
        assert_eq!(mode(&path), if path.is_dir() { 0o555 } else { 0o444 }, "{}", path.display());
    }
    let (_, moves) = release.tables(Layout::Star).find(|(name, _)| *name == "fact_moves").unwrap();
    assert_eq!(moves.rows, 12);
    assert_eq!(moves.sums["pieces"], "31");
    assert_eq!(moves.sums["amount"], "-0.3131");
    assert_eq!(moves.files[1].sums["pieces"], "21");
    assert_eq!(moves.columns[2].sql_type, "DECIMAL(18,4)");
    assert_eq!(moves.columns[2].comment, "What amount means");
    insta::assert_snapshot!(fs::read_to_string(release.dir().join("manifest.json")).unwrap());
}

#[test]
fn the_same_tables_give_the_same_bytes() {
    let folders = [Folder::new(), Folder::new()];
    let [one, other] =
        folders.each_ref().map(|folder| night(&Disk::default(), &folder.warehouse(), 7).unwrap());
    assert_eq!(one.manifest(), other.manifest());
    let bytes = |release: &Release| fs::read(release.dir().join("manifest.json")).unwrap();
    assert_eq!(bytes(&one), bytes(&other));
}

#[test]
fn unchanged_files_are_the_same_inode() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let first = night(&Disk::default(), &dir, 7).unwrap();
    let second = night(&Disk::default(), &dir, 8).unwrap();
    let inode = |release: &Release, path: &str| fs::metadata(release.dir().join(path)).unwrap().ino();
    let [star, snowflake] = Layout::ALL;
    for path in [fact_path(star, 1), format!("{star}/dim_shelf/dim_shelf.parquet")] {
        assert_eq!(inode(&first, &path), inode(&second, &path), "{path}");
    }
    assert_ne!(inode(&first, &fact_path(star, 2)), inode(&second, &fact_path(star, 2)));
    for month in [1, 2] {
        assert_eq!(inode(&second, &fact_path(star, month)), inode(&second, &fact_path(snowflake, month)));
    }
    assert_eq!(read_whole(&first), 7, "a reader of the first release has lost nothing");
}

#[test]
fn a_file_that_has_changed_on_disk_is_not_carried_on() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let first = night(&Disk::default(), &dir, 7).unwrap();
    let path = first.dir().join(fact_path(Layout::ALL[0], 1));
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, bytes).unwrap();
    let second = night(&Disk::default(), &dir, 7).unwrap();
    assert_eq!(read_whole(&second), 7);
}

#[test]
fn publication_keeps_its_order() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    night(&Disk::default(), &dir, 7).unwrap();
    let effects = Arc::new(Mutex::new(vec![]));
    let seen = Arc::clone(&effects);
    let disk = Disk::watched(move |effect| {
        seen.lock().unwrap().push((effect.action, effect.path.to_owned()));
        Ok(())
    });
    night(&disk, &dir, 8).unwrap();

    let effects = effects.lock().unwrap().clone();
    let staged = dir.join("staging/00000002");
    let release = dir.join("releases/00000002");
    let at = |action: &str, path: &Path| {
        effects
            .iter()
            .position(|(done, on)| *done == action && on == path)
            .unwrap_or_else(|| panic!("no {action} of {}", path.display()))
    };
    let moved = at("rename", &release);
    let swapped = at("replace", &dir.join("current"));
    for path in all_below(&release) {
        let before = staged.join(path.strip_prefix(&release).unwrap());
        if path.is_dir() {
            let durable = at("fsync", &before);
            let later = |other: &(&str, PathBuf)| other.1 != before && other.1.starts_with(&before);
            assert!(!effects[durable..].iter().any(later), "{} changed after its fsync", before.display());
            assert!(durable < moved);
        } else if effects.contains(&("create", before.clone())) {
            assert!(at("create", &before) < at("write", &before), "{}", before.display());
            assert!(at("write", &before) < at("fsync", &before), "{}", before.display());
            assert!(at("fsync", &before) < at("fsync", before.parent().unwrap()), "{}", before.display());
        } else {
            assert!(at("link", &before) < at("fsync", before.parent().unwrap()), "{}", before.display());
        }
    }
    assert!(at("fsync", &staged) < moved);
    assert!(moved < at("fsync", &dir.join("releases")));
    assert!(at("fsync", &dir.join("releases")) < swapped);
    let after: Vec<&str> = effects[swapped..].iter().map(|(action, _)| *action).collect();
    assert_eq!(after, ["replace", "fsync", "chmod", "fsync"]);
    assert_eq!(effects[swapped + 1].1, dir);
}

#[test]
fn a_failure_at_any_effect_of_a_first_night_publishes_nothing_and_the_next_night_works() {
    fail_at_every_effect(None);
}

#[test]
fn a_failure_at_any_effect_leaves_the_old_release_and_the_next_night_works() {
    fail_at_every_effect(Some(7));
}

/// Runs nights that fail at each of their effects in turn, each in a folder of its own. Several at a
/// time: they mostly wait for the disk.
fn fail_at_every_effect(rows_before: Option<i64>) {
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let effect = next.fetch_add(1, Ordering::SeqCst);
                    if !night_that_fails(effect, rows_before) {
                        is_over.store(true, Ordering::SeqCst);
                        assert!(effect > 30, "a night has only {effect} effects");
                    }
                }
            });
        }
    });
}

/// A night that fails at this effect, and one after it that does not. False if there is no such effect.
fn night_that_fails(failing: usize, rows_before: Option<i64>) -> bool {
    let folder = Folder::new();
    let dir = folder.warehouse();
    if let Some(rows) = rows_before {
        night(&Disk::default(), &dir, rows).unwrap();
    }
    let count = AtomicUsize::new(0);
    let is_swapped = Arc::new(AtomicBool::new(false));
    let swap = Arc::clone(&is_swapped);
    let disk = Disk::watched(move |effect| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        assert!(number <= failing, "{} of {} after the failure", effect.action, effect.path.display());
        if number == failing {
            return Err(io::Error::other(format!("refused to {}", effect.action)));
        }
        if effect.action == "replace" && effect.path.ends_with("current") {
            swap.store(true, Ordering::SeqCst);
        }
        Ok(())
    });
    let Err(error) = night(&disk, &dir, 8) else { return false };
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("refused"), "{error}");

    let is_published = is_swapped.load(Ordering::SeqCst);
    match (is_published, rows_before) {
        (true, _) => assert_eq!(read_whole(&current(&dir)), 8),
        (false, Some(rows)) => assert_eq!(read_whole(&current(&dir)), rows.unsigned_abs()),
        (false, None) => assert!(!dir.join("current").exists()),
    }
    let next = night(&Disk::default(), &dir, 9).unwrap();
    assert_eq!(next.number(), 1 + u64::from(rows_before.is_some()) + u64::from(is_published));
    assert_eq!(read_whole(&current(&dir)), 9);
    assert!(fs::read_dir(dir.join("staging")).unwrap().next().is_none(), "staging is clear");
    for release in fs::read_dir(dir.join("releases")).unwrap() {
        let release = release.unwrap().path();
        assert_eq!(mode(&release), 0o555, "effect {failing}: {}", release.display());
    }
    true
}

#[test]
fn a_staged_release_that_is_dropped_is_never_seen() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let writer = Writer::open(&Disk::default(), &dir, "library", START).unwrap();
    let staged =
        writer.begin(pipeline(), at(1), &Layout::ALL, Relations::default(), Findings::default()).unwrap();
    staged.write_table(Layout::ALL[0], &dimension()).unwrap();
    assert_eq!(staged.candidate().unwrap().tables(Layout::ALL[0]).count(), 1);
    drop(staged);
    assert!(Warehouse::open(&dir).unwrap().current().unwrap().is_none());
    drop(writer);
    assert_eq!(night(&Disk::default(), &dir, 7).unwrap().number(), 1);
}

#[test]
fn a_fact_without_rows_is_still_a_table() {
    let folder = Folder::new();
    let writer = Writer::open(&Disk::default(), &folder.warehouse(), "library", START).unwrap();
    let staged =
        writer.begin(pipeline(), at(0), &Layout::ALL, Relations::default(), Findings::default()).unwrap();
    staged.begin_fact(&fact()).unwrap();
    let release = staged.publish().unwrap();
    let (name, table) = release.tables(Layout::ALL[1]).next().unwrap();
    assert_eq!((name, table.rows, table.files.len(), table.columns.len()), ("fact_moves", 0, 0, 3));
}

#[test]
fn threads_may_write_partitions_in_any_order() {
    let publish = |reverse: bool| {
        let folder = Folder::new();
        let writer = Writer::open(&Disk::default(), &folder.warehouse(), "library", START).unwrap();
        let staged =
            writer.begin(pipeline(), at(1), &Layout::ALL, Relations::default(), Findings::default()).unwrap();
        let plan = fact();
        staged.begin_fact(&plan).unwrap();
        let mut months: Vec<u32> = (1..=12).collect();
        if reverse {
            months.reverse();
        }
        std::thread::scope(|scope| {
            for month in months {
                let (staged, plan) = (&staged, &plan);
                scope.spawn(move || {
                    let (key, batch) = partition(month, i64::from(month) * 100);
                    staged.write_fact(plan, key, &batch).unwrap();
                });
            }
        });
        staged.publish().unwrap().manifest().clone()
    };
    assert_eq!(publish(false), publish(true));
}

fn refusal(result: Result<impl Sized>) -> Error {
    result.err().expect("this is refused")
}

#[test]
fn another_pipeline_and_foreign_folders_are_refused() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    night(&Disk::default(), &dir, 7).unwrap();
    let error = refusal(Writer::open(&Disk::default(), &dir, "archive", START));
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("`library`"), "{error}");

    let foreign = folder.0.path().join("letters");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear").unwrap();
    assert_eq!(refusal(Writer::open(&Disk::default(), &foreign, "library", START)).exit_code(), 2);
    assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1, "nothing was left behind");
    assert_eq!(refusal(Warehouse::open(&foreign)).exit_code(), 2);
}

#[test]
fn a_newer_format_is_refused() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("warehouse.json"), r#"{"pipeline":"library","format_version":4000}"#).unwrap();
    assert_eq!(refusal(Writer::open(&Disk::default(), &dir, "library", START)).exit_code(), 3);
    assert_eq!(refusal(Warehouse::open(&dir)).exit_code(), 3);
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let writer = Writer::open(&Disk::default(), &dir, "library", START).unwrap();
    let error = refusal(Writer::open(&Disk::default(), &dir, "library", "later"));
    assert_eq!(error.exit_code(), 3);
    let owner = format!("locked by pid {} since {START}", std::process::id());
    assert!(error.to_string().contains(&owner), "{error}");
    drop(writer);
    Writer::open(&Disk::default(), &dir, "library", "later").unwrap();
}

#[test]
fn a_broken_pointer_is_explained() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    night(&Disk::default(), &dir, 7).unwrap();
    let pointer = dir.join("current");
    for text in ["releases/00000009", "releases/1", "../elsewhere", "/"] {
        fs::remove_file(&pointer).unwrap();
        std::os::unix::fs::symlink(text, &pointer).unwrap();
        let error = refusal(Warehouse::open(&dir).unwrap().current());
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.next_step().is_some());
    }
    fs::remove_file(&pointer).unwrap();
    fs::write(&pointer, "releases/00000001").unwrap();
    assert_eq!(refusal(Warehouse::open(&dir).unwrap().current()).exit_code(), 3);

    // As the message says: without the pointer the next run publishes anew.
    fs::remove_file(&pointer).unwrap();
    assert_eq!(night(&Disk::default(), &dir, 9).unwrap().number(), 2);
}

#[test]
fn the_ledger_of_runs_survives_a_torn_line() {
    let folder = Folder::new();
    let dir = folder.warehouse();
    let writer = Writer::open(&Disk::default(), &dir, "library", START).unwrap();
    writer.record(&HashMap::from([("run", 1)])).unwrap();
    let path = dir.join("runs.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"ru");
    fs::write(&path, text).unwrap();
    writer.record(&HashMap::from([("run", 2)])).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"run\":1}\n{\"ru\n{\"run\":2}\n");
}
