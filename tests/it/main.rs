//! Every test of Starlog, in one binary: linking these libraries is slow.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod ask;
mod audit;
mod bad_inputs;
mod broken_log;
mod checks;
mod compare;
mod contracts;
mod counter;
mod crash;
mod determinism;
mod fuzz;
mod gc;
mod generate;
mod hospital;
mod house;
mod init;
mod law;
mod layout;
mod log;
mod night;
mod operate;
mod oracle;
mod parquet_file;
mod pii;
mod pipeline;
mod plan;
mod query;
mod readers;
mod readme;
mod real_adventureworks;
mod real_online_retail;
mod requeue;
mod roundtrip;
mod scenarios;
mod schema;
mod stop;
mod support;
mod time_travel;
mod upcast;
mod verify;
mod views;
mod warehouse;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
