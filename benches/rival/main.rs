//! Starlog against what an expert would write by hand: wall time, CPU time and memory of both, in turn.
//!
//! Generates a log once, lets `starlog run` and `expert.sql` (on the DuckDB that Starlog embeds) build the same
//! tables from it, each in a process of its own, and compares these tables row by row before it times anything.
//! It never fails because something was slow.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod compare;
mod expert;
#[path = "../shared/measure.rs"]
mod measure;
mod report;
mod rounds;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Starlog against an expert's hand-written DuckDB script, on the same generated log.
#[derive(Parser)]
#[command(name = "rival")]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
    /// Cargo says this to every benchmark
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

#[derive(clap::Args)]
struct Options {
    /// Orders in the log
    #[arg(long, default_value_t = 1_000_000)]
    orders: u64,
    /// How often each of the two is timed
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Days in the log
    #[arg(long, default_value_t = 730)]
    days: u32,
    /// The seed of the log
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads for each of the two; without it, as many as the machine has
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

/// What the benchmark asks of copies of itself, so that each job has a process of its own.
#[derive(Subcommand)]
enum Role {
    /// Run the expert's script
    #[command(hide = true)]
    Expert(expert::Job),
    /// Compare what both published
    #[command(hide = true)]
    Compare { warehouse: PathBuf, expert: PathBuf },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        None => rounds::play(&arguments.options),
        Some(Role::Expert(job)) => expert::run(&job),
        Some(Role::Compare { warehouse, expert }) => compare::run(&warehouse, &expert),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A file of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
