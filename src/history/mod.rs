//! (model, log) → what was true, and when.
mod frame;
mod relation;
pub use relation::{Counts, DimensionHistory, FactTable, History, PartitionKey};
