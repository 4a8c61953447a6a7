//! `starlog generate`: a made-up log.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use starlog::error::{Error, Result};
use starlog::generate::{Options, Share, write};

use super::failure::of_stdout;
use super::summary;

/// Write a made-up log of a shop, the same for the same seed.
#[derive(Debug, Args)]
#[command(
    long_about = "\
Write a made-up log of a shop, one file a day: departments, categories, products, stores and customers that \
open, move, are renamed and closed; orders that are placed, shipped, amended, cancelled and returned in part. \
The same options give the same bytes. `pipelines/retail.toml` reads it.",
    after_help = "\
Examples:
  starlog generate --orders 10000 --seed 1 --out shop
  starlog run pipelines/retail.toml --log 'shop/*.ndjson' --warehouse shop/warehouse
  starlog generate --orders 10000 --seed 1 --late 0.02 --duplicates 0.01 --bad 0.001 --out messy"
)]
pub struct GenerateArguments {
    /// How many orders
    #[arg(long, value_name = "N", env = "STARLOG_ORDERS", hide_env_values = true)]
    pub orders: u64,

    /// Which of all such logs
    #[arg(long, value_name = "S", env = "STARLOG_SEED", hide_env_values = true)]
    pub seed: u64,

    /// Over how many days
    #[arg(long, value_name = "N", default_value_t = 730, env = "STARLOG_DAYS", hide_env_values = true)]
    pub days: u32,

    /// The share of events that come days after they happened
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, env = "STARLOG_LATE", hide_env_values = true)]
    pub late: Share,

    /// The share of lines that come twice
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0",
        value_parser = share,
        env = "STARLOG_DUPLICATES",
        hide_env_values = true
    )]
    pub duplicates: Share,

    /// The share of broken lines among the good ones
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, env = "STARLOG_BAD", hide_env_values = true)]
    pub bad: Share,

    /// The folder for the files
    #[arg(long, value_name = "DIR", env = "STARLOG_OUT", hide_env_values = true)]
    pub out: PathBuf,

    /// Print what was written, and what its tables must hold, as JSON
    #[arg(long, env = "STARLOG_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub json: bool,
}

fn share(text: &str) -> Result<Share, String> {
    text.parse().map_err(|error: Error| error.next_step().map_or_else(|| error.to_string(), str::to_owned))
}

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
