//! What is done to a warehouse: in a trial something becomes of it.

use super::story;
use crate::support::load;
use starlog::disk::Disk;
use starlog::error::Result;
use starlog::layout::Layout;
use starlog::nightly::{self, Keep, Options};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

const STARTED: &str = "2026-11-23T00:00:00Z";

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deed {
    Run,
    Rebuild,
    /// To the release before the current one.
    RollBack,
    /// Of every release but the current one.
    Gc,
    /// Of what today's pipeline takes.
    Requeue,
}

impl Deed {
    /// Does it to the warehouse of this place.
    pub fn of(self, place: &Path, disk: &Disk) -> Result<()> {
        let model = load(&place.join(story::PIPELINE));
        let warehouse = place.join("warehouse");
        match self {
            Self::Run => {
                let options = Options {
                    warehouse,
                    layouts: Layout::ALL.to_vec(),
                    log: Vec::new(),
                    // One thread: effects come in one order.
                    threads: Some(1),
                    memory_bytes: None,
                    started: STARTED.to_owned(),
                };
                nightly::run(&model, &options, disk, &()).map(drop)
            }
            Self::Rebuild => nightly::rebuild(&model, &warehouse, Some(1), None, disk, STARTED).map(drop),
            Self::RollBack => nightly::rollback(&warehouse, None, disk, STARTED).map(drop),
            Self::Gc => {
                let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
                nightly::gc(&warehouse, Keep { releases: 1, hours: 0, now }, disk, STARTED).map(drop)
            }
            Self::Requeue => nightly::requeue(&model, &warehouse, &[], disk, STARTED).map(drop),
        }
    }

    /// Of the nights of the story, the one that comes after this was done when so many were over.
    pub fn next_night(self, nights: usize) -> usize {
        nights + usize::from(self == Self::Run)
    }
}

impl FromStr for Deed {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut all = [Self::Run, Self::Rebuild, Self::RollBack, Self::Gc, Self::Requeue].into_iter();
        all.find(|deed| format!("{deed:?}") == text).ok_or_else(|| format!("no deed: {text}"))
    }
}
