//! The room `query`: what it answers, how that looks, and what it refuses.

mod command;
mod exit_code;
mod formats;
mod read_only;
mod release;
mod session;
