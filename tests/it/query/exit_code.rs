//! The code that the program ends with. No command brings a bug of ours about, so the program's own mapping is
//! asked here; what the commands themselves end with is asked in `command`.

use rstest::rstest;
use starlog::error::{Error, Result, Who};
use std::io;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

#[path = "../../../src/cli/failure.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod failure;

#[rstest]
#[case::data(Error::data("a check failed"), Who::Data, 1)]
#[case::author(Error::author("no such pipeline"), Who::Author, 2)]
#[case::operator(Error::operator("the disk is full"), Who::Operator, 3)]
#[case::bug(Error::bug("a fact without a key"), Who::Us, 4)]
#[case::arrow(arrow::error::ArrowError::DivideByZero.into(), Who::Us, 4)]
fn each_error_has_its_code(#[case] error: Error, #[case] who: Who, #[case] code: u8) {
    assert_eq!((error.who(), error.exit_code()), (who, code));
    assert_eq!(failure::code_of(AssertUnwindSafe(|| Err(error))), ExitCode::from(code));
}

#[test]
fn a_bug_asks_to_be_reported() {
    let error = Error::bug("a fact without a key");
    assert_eq!(error.next_step(), Some("please report this, with the pipeline file and the command"));
}

/// A panic is a bug of ours too, and a reader that has gone is nobody's fault.
#[test]
fn a_panic_ends_like_a_bug_and_a_closed_pipe_like_success() {
    assert_eq!(failure::code_of(|| panic!("what cannot happen did")), ExitCode::from(4));
    let closed = || Err(failure::of_stdout(io::ErrorKind::BrokenPipe.into()));
    assert_eq!(failure::code_of(closed), ExitCode::SUCCESS);
    let done = || -> Result<()> { Ok(()) };
    assert_eq!(failure::code_of(done), ExitCode::SUCCESS);
}
