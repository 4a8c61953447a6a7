//! `starlog verify` and `starlog rebuild`: the log, replayed from its first event.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::Result;
use starlog::model;
use starlog::nightly::{self, Comparison};

use super::arguments::{LimitArguments, WarehouseArgument};
use super::failure::of_stdout;
use super::run::now;
use super::signals;
use super::summary;
use super::wait::WaitArgument;

pub const VERIFY: &str = "\
Hash the current release and compare it with a replay of the log.

Every file is hashed against the manifest, and made again from the log's first event on, with none of the ways \
in which a night saves work. Nothing is published. Files that are not what was published exit with 3; tables \
that are not what the log gives are a bug of ours and exit with 4.";

pub const REBUILD: &str = "\
Make all tables again from the log's first event, and publish them.

They are checked and compared with the current release, which readers keep meanwhile. If they differ although \
neither log, pipeline nor program have changed, that is a bug of ours: nothing is swapped, and the exit code \
is 4.";

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The pipeline file
    pub pipeline: PathBuf,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,

    #[command(flatten)]
    pub limits: LimitArguments,

    #[command(flatten)]
    pub wait: WaitArgument,

    /// Print the result as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// As many differences as a person reads.
const SHOWN: usize = 20;

pub fn verify(arguments: &VerifyArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let threads = arguments.limits.threads.map(Into::into);
    let folder = &arguments.warehouse.folder;
    let disk = signals::disk()?;
    let verify = || nightly::verify(&model, folder, threads, &disk, &now());
    let compared = arguments.wait.when_free(&disk, verify)?;
    let wrong = compared.damages.len() + compared.differences.len();
    let text = format!(
        "release {}: {} files hashed, and made again from the log: {}\n",
        compared.release,
        compared.files,
        if wrong == 0 { "all the same".to_owned() } else { format!("{wrong} differ") }
    );
    tell(arguments, &compared, &text)?;
    compared.verdict()
}

pub fn rebuild(arguments: &VerifyArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let limits = &arguments.limits;
    let memory = limits.memory.map(|memory| memory.bytes);
    let folder = &arguments.warehouse.folder;
    let threads = limits.threads.map(Into::into);
    let disk = signals::disk()?;
    let rebuild = || nightly::rebuild(&model, folder, threads, memory, &disk, &now());
    let compared = arguments.wait.when_free(&disk, rebuild)?;
    let text = format!(
        "release {}, rebuilt from the log, published; {}\n",
        compared.published.unwrap_or_default(),
        match compared.differences.len() {
            0 => format!("every file is that of release {}", compared.release),
            count => format!("{count} files are others than in release {}", compared.release),
        }
    );
    tell(arguments, &compared, &text)
}

fn tell(arguments: &VerifyArguments, compared: &Comparison, text: &str) -> Result<()> {
    let text = if arguments.json {
        summary::as_json(compared)?
    } else {
        let wrong = compared.damages.iter().chain(&compared.differences);
        let shown: String = wrong.take(SHOWN).map(|line| format!("  {line}\n")).collect();
        format!("{text}{shown}")
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
