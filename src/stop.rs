//! A wish to end → an error between two pieces of work: shall this go on?
//!
//! The library handles no signals. Whoever starts a piece of work may give it a [`Stop`] along with its
//! [`Disk`](crate::disk::Disk), and ask it to stop from elsewhere. Work asks [`Stop::go_on`] as often as it can end
//! without leaving anything half done, up to the swap of the pointer; after that it is done to the end.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A wish to end that several threads share; none at first.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// The number of the signal; 0 while there was none.
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Asks whoever works to end, as this signal says.
    pub fn ask(&self, signal: u8) {
        self.signal.store(signal.into(), Ordering::Relaxed);
    }

    /// What a handler of signals writes its signal's number to.
    #[must_use]
    pub fn cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }

    /// Nothing, as long as nobody has asked to stop.
    ///
    /// # Errors
    ///
    /// [`Error::stopped`], once somebody has.
    pub fn go_on(&self) -> Result<()> {
        match u8::try_from(self.signal.load(Ordering::Relaxed)) {
            Ok(0) => Ok(()),
            Ok(signal) => Err(Error::stopped(signal)),
            Err(_) => Err(Error::stopped(u8::MAX)),
        }
    }
}
