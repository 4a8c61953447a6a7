//! `starlog generate`: a made-up log.

use std::io::{self, Write};

use starlog::error::Result;
use starlog::generate::{Options, write};

use super::arguments::GenerateArguments;
use super::failure::of_stdout;
use super::summary;

pub fn generate(arguments: &GenerateArguments) -> Result<()> {
    let options = Options {
        orders: arguments.orders,
        seed: arguments.seed,
        days: arguments.days,
        late: arguments.late,
        duplicates: arguments.duplicates,
        bad: arguments.bad,
        ..Options::default()
    };
    let written = write(&options, &arguments.out)?;
    let text = if arguments.json { summary::as_json(&written)? } else { written.to_string() };
    io::stdout().lock().write_all(text.as_bytes()).map_err(of_stdout)
}
