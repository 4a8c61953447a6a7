//! Arguments → calls, results → text: the only part that knows a person.
//!
//! It sees the library's public interface and nothing else. Results go to stdout, everything else to
//! stderr. Never decides anything about data.

mod arguments;
mod ask;
mod asked;
mod compare;
mod diff;
mod explain;
mod failure;
mod gc;
mod generate;
mod history;
mod init;
mod moment;
mod page;
mod plan;
mod progress;
mod prompt;
mod query;
mod rebuild;
mod rejects;
mod rollback;
mod run;
mod schema;
mod signals;
mod size;
mod spill;
mod status;
mod summary;
mod test;
mod verify;
mod wait;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use starlog::error::Result;

/// Does what the command line says; the exit code is documented in `starlog --help`.
pub fn main() -> ExitCode {
    failure::announce_panics();
    let arguments = Arguments::parse_from(arguments::as_typed(std::env::args_os()));
    failure::code_of(|| dispatch(&arguments.command))
}

fn dispatch(command: &Command) -> Result<()> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Plan(arguments) => plan::plan(&arguments.run),
        Command::Query(arguments) => query::query(arguments),
        Command::Ask(arguments) => ask::ask(arguments),
        Command::Status(arguments) => status::status(arguments),
        Command::Runs(arguments) => status::runs(arguments),
        Command::Diff(arguments) => diff::diff(arguments),
        Command::History(arguments) => history::history(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Verify(arguments) => verify::verify(arguments),
        Command::Rebuild(arguments) => rebuild::rebuild(arguments),
        Command::Rejects(arguments) => rejects::rejects(arguments),
        Command::Rollback(arguments) => rollback::rollback(arguments),
        Command::Gc(arguments) => gc::gc(arguments),
        Command::Compare(arguments) => compare::compare(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::Test(arguments) => test::test(arguments),
        Command::Generate(arguments) => generate::generate(arguments),
        Command::Schema => schema::schema(),
    }
}
