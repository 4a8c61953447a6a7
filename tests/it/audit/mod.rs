//! Why a row is what it is: `diff`, `history` and `explain`, against tables read in another way.

mod diff;
mod explain;
mod history;

use crate::support::World;
use crate::support::rows::Rows;
use starlog::audit::Books;
use starlog::layout::Layout;
use starlog::nightly::Options;
use starlog::query::{self, Session};
use starlog::warehouse::{Release, Warehouse};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The hospital's log, its first so many lines as a night of their own. Files are known by names that do not change.
fn hospital(lines: usize) -> World {
    let mut world = World::new("tests/pipelines/hospital.toml");
    let text = fs::read_to_string("tests/pipelines/hospital.toml").unwrap();
    let text = text.replace("\"hospital.ndjson\"", "\"*.ndjson\"");
    let pipeline = world.write("hospital.toml", text);
    world.change_pipeline(Path::new(&pipeline));
    nights(&world, &fs::read("tests/pipelines/hospital.ndjson").unwrap(), &[lines], |_| Vec::new());
    world
}

/// The made-up shop's log, cut at these lines.
fn retail(cuts: &[usize]) -> World {
    let mut files: Vec<PathBuf> =
        fs::read_dir("data/retail").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let log: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let world = World::new("pipelines/retail.toml");
    nights(&world, &log, cuts, <[String]>::to_vec);
    world
}

/// A log in as many nights as the cuts make, each a file; into both layouts.
fn nights(world: &World, log: &[u8], cuts: &[usize], named: impl Fn(&[String]) -> Vec<String>) {
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let mut files = Vec::new();
    let mut from = 0;
    for &to in cuts.iter().chain([&lines.len()]) {
        files.push(world.write(&format!("{}.ndjson", files.len() + 1), lines[from..to].concat()));
        world.run_with(&Options { log: named(&files), ..world.options() });
        from = to;
    }
}

fn release(world: &World, number: u64) -> Release {
    Warehouse::open(&world.warehouse()).unwrap().release(number).unwrap()
}

/// The last release, opened to be explained.
fn books(world: &World) -> Books {
    Books::open(&world.release(), &world.warehouse()).unwrap()
}

/// A release that is asked many things.
struct Asked(Session);

impl Asked {
    fn new(world: &World, number: u64) -> Self {
        let spec = query::describe(&release(world, number), Layout::Snowflake, &world.warehouse());
        Self(Session::open(&spec).unwrap())
    }

    fn ask(&self, sql: &str) -> Rows {
        let questions = self.0.questions(sql).unwrap();
        let mut answer = self.0.ask(&questions[0]).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let mut batches = Vec::new();
        while let Some(batch) = answer.next_batch().unwrap() {
            batches.push(batch);
        }
        Rows::of(answer.schema(), &batches)
    }
}

/// What the program prints.
fn starlog(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    let output = command.args(arguments).arg("--warehouse").arg(world.warehouse()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}
