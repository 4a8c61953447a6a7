//! `--wait`: another process writes to the warehouse → patience, or none.

use std::error::Error as _;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::Args;
use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::warehouse::Locked;

use super::failure::note;

#[derive(Debug, Args)]
pub struct WaitArgument {
    /// If another process writes to the warehouse, wait until it has ended, or at most so many seconds.
    /// Without it, leave at once with exit code 3
    #[arg(
        long = "wait",
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = FOREVER,
        env = "STARLOG_WAIT",
        hide_env_values = true
    )]
    patience: Option<Patience>,
}

const FOREVER: &str = "forever";

/// How long to wait.
#[derive(Debug, Clone, Copy)]
enum Patience {
    Seconds(u64),
    Forever,
}

impl FromStr for Patience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            FOREVER => Ok(Self::Forever),
            seconds => seconds
                .parse()
                .map(Self::Seconds)
                .map_err(|_| format!("write a number of seconds, or `{FOREVER}`")),
        }
    }
}

/// How often to try, a second.
const TRIES: u64 = 10;

impl WaitArgument {
    /// Does what takes the lock of the warehouse before anything else, again and again until it is free.
    pub fn when_free<T>(&self, disk: &Disk, work: impl Fn() -> Result<T>) -> Result<T> {
        let mut tries = match self.patience {
            None => 0,
            Some(Patience::Seconds(seconds)) => seconds.saturating_mul(TRIES),
            Some(Patience::Forever) => u64::MAX,
        };
        let mut is_told = false;
        loop {
            match work() {
                Err(error) if is_locked(&error) && tries > 0 => {
                    if !is_told {
                        note(&format!("{error}: waiting"));
                        is_told = true;
                    }
                }
                other => return other,
            }
            tries -= 1;
            thread::sleep(Duration::from_millis(1000 / TRIES));
            disk.go_on()?;
        }
    }
}

fn is_locked(error: &Error) -> bool {
    error.source().is_some_and(|source| source.is::<Locked>())
}
