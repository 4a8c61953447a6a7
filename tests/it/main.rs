//! Every test of Starlog, in one binary: linking these libraries is slow.
#![allow(clippy::unwrap_used, clippy::panic)]

mod generate;
mod law;
mod layout;
mod log;
mod oracle;
mod parquet_file;
mod pipeline;
mod query;
mod readme;
mod schema;
mod warehouse;
