//! SIGINT, SIGTERM → a wish to stop; the second one ends the program at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use starlog::disk::Disk;
use starlog::error::{Error, Result};
use starlog::stop::Stop;

/// The disk for a command that writes: a signal ends the work on it cleanly.
pub fn disk() -> Result<Disk> {
    let stop = Stop::default();
    let once = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, puts it up, and the second one finds it up.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&once))
            .and_then(|_| flag::register(signal, Arc::clone(&once)))
            .and_then(|_| flag::register_usize(signal, stop.cell(), signal.unsigned_abs() as usize))
            .map_err(|error| {
                Error::operator(format!("signals cannot be handled here: {error}")).because(error)
            })?;
    }
    Ok(Disk::default().until(&stop))
}
