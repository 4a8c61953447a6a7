//! `starlog rollback`: an older release, current again.

use std::io::{self, Write};

use clap::Args;
use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::warehouse::{Warehouse, Writer};

use super::arguments::WarehouseArgument;
use super::failure::of_stdout;
use super::run::now;

/// Make an older release the current one again; a swap of the pointer.
#[derive(Debug, Args)]
#[command(long_about = "\
Make an older release the current one again. Only the pointer is swapped: no file is touched, readers go on, \
and the log keeps all its events. The next run publishes the whole log again, so mend what was wrong first.")]
pub struct RollbackArguments {
    /// The release; without it, the one before the current one
    pub release: Option<u64>,

    #[command(flatten)]
    pub warehouse: WarehouseArgument,
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
