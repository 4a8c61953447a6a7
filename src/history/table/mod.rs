//! Fact rows become tables: partitioned by day or month, sorted, wide; a partition is built when it is read.

pub mod changes;
mod columns;
mod ledger;
mod lines;
mod partitions;
mod patched;
mod shared;

pub use ledger::Ledger;
pub use lines::Lines;
pub use patched::Patched;
pub use shared::Shared;
