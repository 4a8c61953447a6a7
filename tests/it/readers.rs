//! Readers while releases come and go: 0 errors, 0 mixed releases (DESIGN 27).
//!
//! Reader processes, each this test binary again, ask the current release over and over, two tables and more in one
//! question, while nights are published and old releases removed. Every tenth time one stays on its release until it
//! has been succeeded three times. `STARLOG_READERS=8 STARLOG_PUBLICATIONS=200` makes it the long trial.

use crate::support::{World, nights};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::nightly::{self, Keep};
use starlog::query::{Session, describe};
use starlog::warehouse::{Release, Warehouse};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// The folder of the trial, for a process that reads.
const FOLDER: &str = "STARLOG_READER";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn readers_see_whole_releases_while_others_come_and_go() {
    let (readers, publications) = (number("STARLOG_READERS", 4), number("STARLOG_PUBLICATIONS", 20));
    let world = nights::after(1);
    let mut children: Vec<_> = (0..readers)
        .map(|reader| {
            let program = std::env::current_exe().unwrap();
            let mut command = Command::new(program);
            command.args(["--exact", "readers::a_process_that_reads", "--nocapture", "--test-threads", "1"]);
            command.env(FOLDER, world.path("")).env("STARLOG_READER_NUMBER", reader.to_string());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    while (0..readers).any(|reader| !world.path(&format!("reads-{reader}")).exists()) {
        assert!(children.iter_mut().all(|child| child.try_wait().unwrap().is_none()), "a reader has ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    let (mut removed, mut in_use) = (0, 0);
    let mut collect = || {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
        let keep = Keep { releases: 2, hours: 0, now };
        let done = nightly::gc(&world.warehouse(), keep, &Disk::default(), "now").unwrap();
        removed += done.removed.len() as u64;
        in_use += done.in_use.len() as u64;
    };
    for night in 2..=publications + 1 {
        nights::publish(&world, night);
        collect();
    }
    world.write("done", "");
    let mut failed = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = text.lines().find(|line| line.contains("sessions")).unwrap_or(&text);
        eprintln!("{said}");
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            failed += 1;
        }
    }
    collect();
    eprintln!("{publications} publications, {removed} releases removed, {in_use} times one was in use");
    assert_eq!(failed, 0, "readers failed");
    assert_eq!(removed, publications - 1);
    assert!(in_use > 0, "nobody held a release that was to go");
}

/// Does nothing, unless it is started as a reader of the trial.
#[test]
fn a_process_that_reads() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let is_done = || folder.join("done").exists();
    let warehouse = Warehouse::open(&folder.join("warehouse")).unwrap();
    let reader = number("STARLOG_READER_NUMBER", 0);
    let mut seen = BTreeSet::new();
    let (mut sessions, mut questions) = (0, 0);
    while !is_done() {
        let release = warehouse.current().unwrap().expect("a release is current");
        let session = Session::open(&describe(&release, Layout::Star, warehouse.dir())).unwrap();
        ask(&session, &release);
        if sessions == 0 {
            std::fs::write(folder.join(format!("reads-{reader}")), "").unwrap();
        }
        if sessions % 10 == reader % 10 {
            // Through gc and all.
            while !is_done() && warehouse.current_number().unwrap().unwrap() < release.number() + 3 {
                ask(&session, &release);
                questions += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            ask(&session, &release);
        }
        if sessions % 10 == 5 {
            by_command(warehouse.dir());
        }
        seen.insert(release.number());
        (sessions, questions) = (sessions + 1, questions + 1);
    }
    println!("\n{sessions} sessions, {questions} questions, {} releases seen", seen.len());
}

/// All that a session says is of the release that it was opened on.
fn ask(session: &Session, release: &Release) {
    let nights = i64::try_from(release.manifest().log_position / 2).unwrap();
    let questions = session.questions(nights::QUESTION).unwrap();
    let mut answer = session.ask(&questions[0]).unwrap();
    let batch = answer.next_batch().unwrap().unwrap();
    let said: Vec<i64> =
        batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().value(0)).collect();
    assert_eq!(said, [nights; 5], "release {}", release.number());
    let rows = |table: &str| release.tables(Layout::Star).find(|(name, _)| *name == table).unwrap().1.rows;
    assert_eq!(rows("fact_orders"), nights.unsigned_abs());
    assert_eq!(rows("dim_product"), nights.unsigned_abs() + 2);
}

/// The same through the program.
fn by_command(warehouse: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(["query", "--format", "csv", "--threads", "1", nights::QUESTION, "--warehouse"]);
    let output = command.arg(warehouse).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let said: BTreeSet<&str> = text.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(said.len(), 1, "two releases in one answer: {text}");
}

/// So that nobody thinks a trial without readers was one.
#[test]
fn a_world_says_how_many_nights_it_holds() {
    let world: World = nights::after(2);
    let release = world.release();
    ask(&Session::open(&describe(&release, Layout::Star, &world.warehouse())).unwrap(), &release);
}
