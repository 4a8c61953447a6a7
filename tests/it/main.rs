//! Every test of the package, in one binary: linking is slow.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod generate;
