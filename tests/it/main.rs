//! Every test of Starlog, in one binary: linking these libraries is slow.
#![allow(clippy::unwrap_used)]

mod generate;
mod layout;
mod pipeline;
mod schema;
mod warehouse;
