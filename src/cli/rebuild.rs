//! `starlog verify`, `starlog rebuild` and `starlog rollback`.

use std::io::{self, Write};

use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::model;
use starlog::nightly::{self, Comparison};
use starlog::warehouse::{Warehouse, Writer};

use super::arguments::{RollbackArguments, VerifyArguments};
use super::failure::of_stdout;
use super::run::now;
use super::summary;

/// As many differences as a person reads.
const SHOWN: usize = 20;

pub fn verify(arguments: &VerifyArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let threads = arguments.limits.threads.map(Into::into);
    let compared = nightly::verify(&model, &arguments.warehouse.folder, threads, &Disk::default(), &now())?;
    let wrong = compared.damages.len() + compared.differences.len();
    let text = format!(
        "release {}: {} files hashed, and made again from the log: {}\n",
        compared.release,
        compared.files,
        if wrong == 0 { "all the same".to_owned() } else { format!("{wrong} differ") }
    );
    tell(arguments, &compared, &text)?;
    if wrong == 0 {
        return Ok(());
    }
    if compared.damages.is_empty() {
        return Err(Error::bug("the release is not what its log gives"));
    }
    Err(Error::operator("files of the release are not what was published")
        .next("starlog rebuild PIPELINE makes them again from the log"))
}

pub fn rebuild(arguments: &VerifyArguments) -> Result<()> {
    let model = model::load(&arguments.pipeline)?;
    let limits = &arguments.limits;
    let memory = limits.memory.map(|memory| memory.bytes);
    let folder = &arguments.warehouse.folder;
    let threads = limits.threads.map(Into::into);
    let compared = nightly::rebuild(&model, folder, threads, memory, &Disk::default(), &now())?;
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

pub fn rollback(arguments: &RollbackArguments) -> Result<()> {
    let folder = &arguments.warehouse.folder;
    let warehouse = Warehouse::open(folder)?;
    let current = warehouse.current()?.map_or(0, |current| current.number());
    let number = match arguments.release {
        Some(number) => number,
        None => {
            warehouse.releases()?.into_iter().filter(|number| *number < current).max().ok_or_else(|| {
                Error::author(format!("there is no release before {current}"))
                    .next("starlog status names those that are there")
            })?
        }
    };
    let writer = Writer::open(&Disk::default(), folder, warehouse.pipeline(), &now())?;
    let release = writer.roll_back(number)?;
    let text = format!("release {} is current; it was {current}\n", release.number());
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
