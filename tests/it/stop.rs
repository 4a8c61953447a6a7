//! A run that is asked to stop ends cleanly: nothing half done, an exit code, a line in the ledger.

use crate::support::{World, nights};
use starlog::disk::Disk;
use starlog::error::Error;
use starlog::log;
use starlog::nightly::{self, Progress, RunReport, Scrutiny, Stage};
use starlog::stop::Stop;
use starlog::warehouse::{Warehouse, Writer};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: &str = "2026-11-23T00:00:00Z";

fn ledger(world: &World) -> Vec<serde_json::Value> {
    let runs = Warehouse::open(&world.warehouse()).unwrap().runs().unwrap();
    runs.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn is_stopped(error: &Error, world: &World) {
    assert_eq!((error.exit_code(), error.to_string().as_str()), (143, "stopped by SIGTERM"));
    let lines = ledger(world);
    let last = lines.last().unwrap();
    assert_eq!((&last["outcome"], &last["failure"]["exit_code"]), (&"stopped".into(), &143.into()));
}

/// Asks to stop as soon as this stage begins.
struct At(Stage, Stop);

impl log::Progress for At {
    fn bytes(&self, _: u64, _: u64) {}
}

impl Progress for At {
    fn stage(&self, stage: Stage) {
        if stage == self.0 {
            self.1.ask(15);
        }
    }
}

#[test]
fn a_run_can_be_stopped_in_every_stage() {
    let world = nights::after(1);
    for stage in [Stage::Ingest, Stage::Replay, Stage::Write, Stage::Check, Stage::Publish] {
        // Something new, or there would be no stage after the first.
        nights::add(&world, 2);
        let stop = Stop::default();
        let disk = Disk::default().until(&stop);
        let ended = nightly::run(world.model(), &nights::options(&world), &disk, &At(stage, stop));
        is_stopped(&ended.unwrap_err(), &world);
        let ran: Vec<String> =
            ledger(&world).last().unwrap()["stages_ms"].as_object().unwrap().keys().cloned().collect();
        assert!(ran.contains(&stage.name().to_owned()), "{stage:?}: {ran:?}");
        assert_eq!(world.release().number(), 1, "{stage:?}");
    }
    assert_eq!(world.run_with(&nights::options(&world)).release, Some(2));
}

/// Asked at any effect on files, everything that can be stopped is, up to the swap.
#[test]
fn whatever_is_stopped_can_be_done_again() {
    let whole = nights::after(3).release().manifest().blake3.clone();
    let world = nights::after(2);
    nights::add(&world, 3);
    let run = |disk: &Disk, world: &World| -> starlog::error::Result<RunReport> {
        nightly::run(world.model(), &nights::options(world), disk, &())
    };
    let mut stopped = 0;
    for at in (0..).step_by(3) {
        let (stop, effects) = (Stop::default(), Arc::new(AtomicUsize::new(0)));
        let (asked, count) = (stop.clone(), Arc::clone(&effects));
        let watched = Disk::watched(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) == at {
                asked.ask(15);
            }
            Ok(())
        });
        match run(&watched.until(&stop), &world) {
            Err(error) => {
                is_stopped(&error, &world);
                assert_eq!(world.release().number(), 2);
                stopped += 1;
            }
            // Too late to be stopped, and so done to the end.
            Ok(report) => {
                assert_eq!(report.release, Some(3));
                break;
            }
        }
        assert!(effects.load(Ordering::SeqCst) > at);
    }
    assert!(stopped > 8, "{stopped}");
    assert_eq!(world.release().manifest().blake3, whole);
}

#[test]
fn every_command_that_writes_tells_the_ledger() {
    let world = nights::after(2);
    let dir = world.warehouse();
    let stop = Stop::default();
    let disk = Disk::default().until(&stop);
    let model = world.model();
    stop.ask(15);
    // A verification writes nothing, here neither.
    assert_eq!(nightly::verify(model, &dir, &Scrutiny::default(), &disk).unwrap_err().exit_code(), 143);
    is_stopped(&nightly::rebuild(model, &dir, Some(1), None, &disk, NOW).unwrap_err(), &world);
    stop.ask(0);
    nightly::verify(model, &dir, &Scrutiny::default(), &disk).unwrap();
    nightly::rebuild(model, &dir, Some(1), None, &disk, NOW).unwrap();
    nightly::rollback(&dir, None, &disk, NOW).unwrap();
    nightly::rollback(&dir, Some(9), &disk, NOW).unwrap_err();
    let lines = ledger(&world);
    let word = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", word(line, "command"), word(line, "outcome"), line["release"]))
        .collect();
    assert_eq!(
        told,
        [
            "run published 1",
            "run published 2",
            "rebuild stopped 2",
            "rebuild published 3",
            "rollback rolled_back 2",
            "rollback failed 2",
        ]
    );
    assert!(lines.iter().all(|line| line["started"] == NOW && line["elapsed_ms"].is_u64()));
}

fn starlog(world: &World, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    let command = command.args(arguments).arg("--warehouse").arg(world.warehouse());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kill(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn ended(mut child: Child) -> (ExitStatus, String) {
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap(), stderr)
}

#[test]
fn a_second_writer_leaves_or_waits() {
    let world = nights::after(2);
    let pipeline = world.path("nights.toml");
    let pipeline = pipeline.to_str().unwrap();
    let writer = Writer::open(&Disk::default(), &world.warehouse(), "nights", NOW).unwrap();
    let commands: [&[&str]; 4] = [&["run", pipeline], &["rebuild", pipeline], &["rollback"], &["gc"]];
    for command in commands {
        let (status, stderr) = ended(starlog(&world, command));
        assert_eq!(status.code(), Some(3), "{command:?}: {stderr}");
        let owner = format!("is locked by pid {} since {NOW}", std::process::id());
        assert!(stderr.contains(&owner), "{command:?}: {stderr}");
        let (status, stderr) = ended(starlog(&world, &[command, &["--wait=0"]].concat()));
        assert_eq!(status.code(), Some(3), "{command:?}: {stderr}");
    }
    let waiting = |arguments: &[&str]| {
        let mut child = starlog(&world, arguments);
        let mut line = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut line).unwrap();
        assert!(line.contains("is locked by pid") && line.ends_with("waiting\n"), "{line}");
        (child, stderr)
    };
    let (mut child, _stderr) = waiting(&["gc", "--wait"]);
    kill("-TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let (mut child, _stderr) = waiting(&["rollback", "--wait"]);
    drop(writer);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(world.release().number(), 1);
}

/// The process is held while it builds, so that the signal meets it there.
#[test]
fn a_signal_ends_a_run() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let world = World::new("pipelines/retail.toml");
        let child = starlog(&world, &["run", "pipelines/retail.toml"]);
        let staged = world.warehouse().join("staging/00000001");
        while !staged.exists() {
            std::thread::yield_now();
        }
        kill("-STOP", &child);
        assert!(staged.exists(), "the checks alone take longer than that");
        kill(signal, &child);
        kill("-CONT", &child);
        let (status, stderr) = ended(child);
        assert_eq!(status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(&format!("error: stopped by SIG{}", &signal[1..])), "{stderr}");
        assert_eq!(fs::read_dir(world.warehouse().join("releases")).unwrap().count(), 0);
        let lines = ledger(&world);
        assert_eq!((lines.len(), &lines[0]["outcome"]), (1, &"stopped".into()));
        assert_eq!(world.run().release, Some(1), "the next run goes on");
    }
}
