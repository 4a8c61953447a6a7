//! `starlog schema`: what a pipeline file may hold, for editors.

use std::io::{self, Write};

use starlog::error::Result;
use starlog::spec::json_schema;

use super::failure::of_stdout;
use super::summary::as_json;

pub fn schema() -> Result<()> {
    io::stdout().lock().write_all(as_json(&json_schema())?.as_bytes()).map_err(of_stdout)
}
