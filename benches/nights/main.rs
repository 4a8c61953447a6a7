//! What nights cost: one that brings the last days of a log, one that brings nothing, and a night for every day.
//!
//! Generates a log once and runs `starlog run` on a growing part of it, each run in a process of its own. It never
//! fails because something was slow.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

#[path = "../shared/measure.rs"]
mod measure;

use clap::Parser;
use measure::Cost;
use starlog::generate::{self, Share};
use starlog::warehouse::Warehouse;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What a night costs beside a full build.
#[derive(Parser)]
#[command(name = "nights")]
struct Options {
    /// Orders in the log
    #[arg(long, default_value_t = 2_000_000)]
    orders: u64,
    /// Days in the log
    #[arg(long, default_value_t = 730)]
    days: u32,
    /// The share of events that come days late
    #[arg(long, default_value = "0.001")]
    late: Share,
    /// The days that one night brings, after all others
    #[arg(long, default_value_t = 7)]
    night: usize,
    /// A night for every day instead, and what the first ten and the last ten cost
    #[arg(long)]
    every_day: bool,
    /// Cargo says this to every benchmark
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn main() -> ExitCode {
    match play(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(options: &Options) -> Result<()> {
    let place = Place { folder: tempfile::tempdir()? };
    let log = generate::Options {
        orders: options.orders,
        seed: 1,
        days: options.days,
        late: options.late,
        ..generate::Options::default()
    };
    generate::write(&log, &place.path("log"))?;
    let mut days: Vec<PathBuf> =
        fs::read_dir(place.path("log"))?.map(|day| Ok(day?.path())).collect::<Result<_>>()?;
    days.sort();
    fs::create_dir(place.path("come"))?;
    let orders = options.orders;
    println!("{orders} orders over {} days, retail.toml, star", options.days);
    if options.every_day { every_day(&place, &days) } else { one_night(&place, &days, options.night) }
}

fn one_night(place: &Place, days: &[PathBuf], night: usize) -> Result<()> {
    let (before, last) = days.split_at(days.len().saturating_sub(night));
    place.bring(before)?;
    let full = place.run()?;
    say("all days but the last", &full, None);
    let known = place.files()?;
    place.bring(last)?;
    let cost = place.run()?;
    say(&format!("the last {night}"), &cost, Some(&full));
    let now = place.files()?;
    println!("  {} of {} files were written", now.difference(&known).count(), now.len());
    say("nothing new", &place.run()?, Some(&full));
    Ok(())
}

fn every_day(place: &Place, days: &[PathBuf]) -> Result<()> {
    let (mut costs, mut position) = (Vec::new(), 0);
    for day in days {
        place.bring(std::slice::from_ref(day))?;
        let cost = place.run()?;
        let end = place.position()?;
        costs.push((cost, end - position));
        position = end;
    }
    let tell = |what: &str, costs: &[(Cost, u64)]| {
        let wall: Duration = costs.iter().map(|(cost, _)| cost.wall).sum();
        let events: u64 = costs.iter().map(|(_, events)| events).sum();
        let peak = costs.iter().map(|(cost, _)| cost.peak_bytes).max().unwrap_or_default();
        println!(
            "{what:<24} {:8.2} s a night {:8.1} µs an event {:6} MB",
            wall.as_secs_f64() / costs.len() as f64,
            wall.as_secs_f64() * 1e6 / events as f64,
            peak / 1_000_000
        );
    };
    // The first nights bring everything that there is at the start: they are no nights yet.
    let ten = |from: usize| &costs[from.min(costs.len())..(from + 10).min(costs.len())];
    tell("nights 11 to 20", ten(10));
    tell("in the middle", ten(costs.len() / 2));
    tell("the last ten", ten(costs.len().saturating_sub(10)));
    Ok(())
}

fn say(what: &str, cost: &Cost, full: Option<&Cost>) {
    let share = full.map_or_else(String::new, |full| {
        format!(" {:5.1} % of the full build", 100.0 * cost.wall.as_secs_f64() / full.wall.as_secs_f64())
    });
    let (wall, cpu, peak) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64(), cost.peak_bytes / 1_000_000);
    println!("{what:<24} {wall:8.2} s {cpu:8.2} s of processors {peak:6} MB{share}");
}

/// Where the log and the warehouse lie.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets files of the log arrive.
    fn bring(&self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            fs::hard_link(file, self.path("come").join(file.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn run(&self) -> Result<Cost> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
        let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/retail.toml");
        command.arg("run").arg(pipeline).arg("--warehouse").arg(self.path("warehouse"));
        command.arg("--log").arg(self.path("come/*.ndjson")).stdout(Stdio::null());
        measure::run(&mut command)
    }

    fn position(&self) -> Result<u64> {
        let current = Warehouse::open(&self.path("warehouse"))?.current()?;
        Ok(current.map_or(0, |current| current.manifest().log_position))
    }

    /// The files of the current release, by path and content.
    fn files(&self) -> Result<BTreeSet<(String, String)>> {
        let current = Warehouse::open(&self.path("warehouse"))?.current()?.ok_or("no release")?;
        Ok(current.manifest().files().map(|file| (file.path.clone(), file.blake3.clone())).collect())
    }
}
