//! Seed → a log of a made-up shop: what could an event log look like?
//!
//! The story (what happens in the shop, and when) and the delivery (which file a line reaches, how often,
//! and next to which broken ones) draw from two separate streams of numbers: whatever share arrives late, the
//! same seed tells the same story. Everything is integer arithmetic, so that a seed means the same bytes on
//! any machine. Never: a float, the clock, a hash map's order, memory that grows with the number of orders
//! (it grows with members, and with what is under way on one day).

mod agenda;
mod broken;
mod catalogue;
mod customers;
mod days;
mod delivery;
mod names;
mod orders;
mod pen;
mod random;
mod share;
mod stores;
mod story;
mod summary;

pub use share::Share;
pub use summary::{Ledger, Summary, Totals};

use crate::error::{Error, Result};
use chrono::{Datelike, Days, NaiveDate};
use std::fs;
use std::path::Path;

/// How large the shop is, how long it trades, and how badly its events travel.
#[derive(Debug, Clone)]
pub struct Options {
    /// Orders in the whole log; customers, products and stores grow with it.
    pub orders: u64,
    /// The same seed and options give the same bytes.
    pub seed: u64,
    /// Days in the log, one file each (730).
    pub days: u32,
    /// The first day, UTC (2023-01-01).
    pub start: NaiveDate,
    /// The share of events that stand in the file of a later day, 1 to 30 days after (none).
    pub late: Share,
    /// The share of lines that come a second time, byte for byte, in the same or a later file (none).
    pub duplicates: Share,
    /// Broken lines among the good ones, as a share of these (none).
    pub bad: Share,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            orders: 10_000,
            seed: 1,
            days: 730,
            start: NaiveDate::from_ymd_opt(2023, 1, 1).unwrap_or_default(),
            late: Share::NONE,
            duplicates: Share::NONE,
            bad: Share::NONE,
        }
    }
}

/// The most orders that one log may have: customers are numbered with 32 bits.
const MOST_ORDERS: u64 = 10_000_000_000;
/// A hundred years.
const MOST_DAYS: u32 = 36_525;

/// Writes the log into `out`: `2023-01-01.ndjson` and so on, one file for each day, in the envelope
/// `{"seq":…,"event_type":…,"version":…,"timestamp":…,"payload":{…}}`. Times are UTC, money is decimal text.
///
/// # Errors
/// The author's: options out of range, a folder that holds a log already. The operator's: a file that
/// cannot be written.
pub fn write(options: &Options, out: &Path) -> Result<Summary> {
    check(options)?;
    prepare(out)?;
    story::Story::new(options, out)?.tell()
}

fn check(options: &Options) -> Result<()> {
    if options.orders > MOST_ORDERS {
        return Err(Error::author(format!("{} orders are too many", options.orders))
            .next(format!("ask for at most {MOST_ORDERS}")));
    }
    if options.days == 0 || options.days > MOST_DAYS {
        return Err(Error::author(format!("a log cannot have {} days", options.days))
            .next(format!("ask for 1 to {MOST_DAYS} days")));
    }
    let last = options.start.checked_add_days(Days::new(u64::from(options.days)));
    if options.start.year() < 1 || last.is_none_or(|last| last.year() > 9999) {
        return Err(Error::author(format!("a log cannot start on {}", options.start))
            .next("its years must have four digits"));
    }
    Ok(())
}

/// Two logs in one folder would look like one.
fn prepare(out: &Path) -> Result<()> {
    fs::create_dir_all(out).map_err(|error| Error::io("create the folder", out, error))?;
    let entries = fs::read_dir(out).map_err(|error| Error::io("read the folder", out, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("read the folder", out, error))?;
        if entry.file_name().to_string_lossy().contains(".ndjson") {
            return Err(Error::author(format!("{} holds a log already", out.display()))
                .next("name another folder with --out, or remove its .ndjson files"));
        }
    }
    Ok(())
}
