//! An older release → the current one: a swap of the pointer.

use super::ledger::{Deed, enter};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::warehouse::{Warehouse, Writer};
use serde::Serialize;
use std::path::Path;

/// What a rollback did.
#[derive(Debug, Clone, Serialize)]
pub struct RolledBack {
    /// The release that is current now.
    pub release: u64,
    /// The one that was.
    pub was: u64,
}

impl Deed for RolledBack {
    fn outcome(&self) -> &'static str {
        "rolled_back"
    }
}

/// Makes a release current: the one of this number, or the one before the current one.
///
/// # Errors
/// There is no such release; the warehouse is locked; the disk fails.
pub fn rollback(dir: &Path, number: Option<u64>, disk: &Disk, started: &str) -> Result<RolledBack> {
    let warehouse = Warehouse::open(dir)?;
    let writer = Writer::open(disk, dir, warehouse.pipeline(), started)?;
    enter(&writer, "rollback", started, || {
        let was = warehouse.current_number()?.unwrap_or(0);
        let before = || {
            let older = warehouse.releases()?.into_iter().filter(|number| *number < was).max();
            older.ok_or_else(|| {
                Error::author(format!("there is no release before {was}"))
                    .next("starlog status names those that are there")
            })
        };
        let release = writer.roll_back(number.map_or_else(before, Ok)?)?;
        Ok(RolledBack { release: release.number(), was })
    })
}
