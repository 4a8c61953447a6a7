//! The expert's script, run in this process; prints how long each of its parts took, as JSON.

use crate::Result;
use duckdb::{Config, Connection};
use std::num::NonZeroUsize;
use std::time::Instant;

const SCRIPT: &str = include_str!("../expert.sql");
/// Begins a part of the script.
const HEADING: &str = "-- === ";

#[derive(clap::Args)]
pub struct Job {
    /// A pattern of files
    #[arg(long)]
    log: String,
    /// A CSV file
    #[arg(long)]
    holidays: String,
    /// The folder for the tables; it must be there
    #[arg(long)]
    out: String,
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

pub fn run(job: &Job) -> Result<()> {
    let mut config = Config::default();
    if let Some(threads) = job.threads {
        config = config.threads(i64::try_from(threads.get())?)?;
    }
    let connection = Connection::open_in_memory_with_flags(config)?;
    for (name, value) in [("log", &job.log), ("holidays", &job.holidays), ("out", &job.out)] {
        connection.execute_batch(&format!("SET VARIABLE {name} = '{}'", value.replace('\'', "''")))?;
    }
    let mut parts: Vec<(&str, f64)> = Vec::new();
    for statement in statements() {
        if let Some(heading) = statement.lines().find_map(|line| line.strip_prefix(HEADING)) {
            parts.push((heading.trim_end_matches([' ', '=']), 0.0));
        }
        let begun = Instant::now();
        connection.execute_batch(statement).map_err(|error| format!("{error}\nin {statement}"))?;
        if let Some((_, elapsed_ms)) = parts.last_mut() {
            *elapsed_ms += begun.elapsed().as_secs_f64() * 1000.0;
        }
    }
    println!("{}", serde_json::to_string(&parts)?);
    Ok(())
}

/// One by one, as a client does: parsed all at once, DuckDB 1.5.5 takes two windows of one name in two statements
/// for one defined twice.
fn statements() -> impl Iterator<Item = &'static str> {
    SCRIPT.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty())
}
