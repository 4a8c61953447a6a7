//! Options → figures: generates the log, lets both build their tables, compares these, then times round by round.

use crate::measure::{self, Cost};
use crate::report::{self, Figures};
use crate::{Options, Result, project};
use serde::Deserialize;
use starlog::disk::Disk;
use starlog::generate;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where everything lies: in cargo's own folder, so that it goes when that is removed.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

pub fn play(options: &Options) -> Result<()> {
    let folder = Path::new(FOLDER).join("rival");
    let bench = Bench { options, log: log(options, &folder)?, folder };
    println!("{}", report::heading(options, &bench.log)?);

    println!("\nBoth publish the same tables, keys aside:");
    bench.starlog()?;
    bench.expert()?;
    bench.compare()?;

    let mut figures = Figures::default();
    for round in 0..options.rounds {
        // Neither is always the one that comes second.
        if round.is_multiple_of(2) {
            figures.starlog.push(bench.starlog()?);
            figures.expert.push(bench.expert()?);
        } else {
            figures.expert.push(bench.expert()?);
            figures.starlog.push(bench.starlog()?);
        }
    }
    println!("{}", report::table(&figures));
    bench.clear()
}

/// What one of the two took, and what each of its stages took, in milliseconds and in their order.
pub struct Round {
    pub cost: Cost,
    pub stages: Vec<(String, f64)>,
}

struct Bench<'a> {
    options: &'a Options,
    log: PathBuf,
    folder: PathBuf,
}

/// What a run writes of itself, as far as it is of interest here.
#[derive(Deserialize)]
struct Ledger {
    stages_ms: BTreeMap<String, f64>,
}

impl Bench<'_> {
    fn starlog(&self) -> Result<Round> {
        let warehouse = self.warehouse();
        remove(&warehouse)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
        command.arg("run").arg(project("pipelines/retail.toml")).arg("--warehouse").arg(&warehouse);
        command.arg("--layout").arg("star").arg("--log").arg(self.files()).stdout(Stdio::null());
        self.threads(&mut command);
        let cost = measure::run(&mut command)?;
        let ledger = fs::read_to_string(warehouse.join("runs.jsonl"))?;
        let Ledger { mut stages_ms } = serde_json::from_str(ledger.lines().last().unwrap_or_default())?;
        let order = ["ingest", "replay", "write", "check", "publish"];
        let known = order.iter().filter_map(|&stage| Some((stage.to_owned(), stages_ms.remove(stage)?)));
        let mut stages: Vec<_> = known.collect();
        stages.extend(stages_ms);
        Ok(Round { cost, stages })
    }

    fn expert(&self) -> Result<Round> {
        let out = self.tables();
        remove(&out)?;
        fs::create_dir_all(&out)?;
        let parts = self.folder.join("parts.json");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("expert").arg("--log").arg(self.files()).arg("--out").arg(&out);
        command.arg("--holidays").arg(project("data/retail/holidays.csv")).stdout(File::create(&parts)?);
        self.threads(&mut command);
        let cost = measure::run(&mut command)?;
        Ok(Round { cost, stages: serde_json::from_str(&fs::read_to_string(parts)?)? })
    }

    fn compare(&self) -> Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        measure::run(command.arg("compare").arg(self.warehouse()).arg(self.tables())).map(drop)
    }

    fn threads(&self, command: &mut Command) {
        if let Some(threads) = self.options.threads {
            command.arg("--threads").arg(threads.to_string());
        }
    }

    fn files(&self) -> PathBuf {
        self.log.join("*.ndjson")
    }

    fn warehouse(&self) -> PathBuf {
        self.folder.join("warehouse")
    }

    fn tables(&self) -> PathBuf {
        self.folder.join("expert")
    }

    /// Leaves the log for the next time.
    fn clear(&self) -> Result<()> {
        remove(&self.warehouse())?;
        remove(&self.tables())
    }
}

/// The log, generated once: a folder gets its name when it is complete.
fn log(options: &Options, folder: &Path) -> Result<PathBuf> {
    let Options { orders, days, seed, .. } = *options;
    let log = folder.join(format!("log-{orders}-{days}-{seed}"));
    if !log.is_dir() {
        let unfinished = log.with_extension("unfinished");
        remove(&unfinished)?;
        generate::write(&generate::Options { orders, days, seed, ..Default::default() }, &unfinished)?;
        fs::rename(&unfinished, &log)?;
    }
    Ok(log)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        // Releases are read-only.
        Disk::default().remove_dir_all(folder)?;
    }
    Ok(())
}
