//! (release, SQL) → rows: what can I ask?
//!
//! A [`Session`] is an in-memory DuckDB whose views read the files of one release, named one by one, so
//! that it stays on that release whatever is published meanwhile. It answers questions and nothing else:
//! it never writes a file, never reads one that it was not given, never fetches anything, and never
//! changes its own settings once it is open. [`read_only`] says how that is enforced.
//!
//! A [`SessionSpec`] says what a session holds; [`describe`] reads it off a release's manifest.

mod answer;
mod as_of;
mod fault;
mod fetch;
mod format;
mod read_only;
mod relations;
mod release;
mod session;
mod spec;
mod sql;
mod statements;
mod time;
mod value;
mod visible;

pub use answer::Answer;
pub(crate) use as_of::members_at;
pub use as_of::{as_of, now};
pub(crate) use fetch::Rows;
pub use format::{Format, Limit, Written};
pub use read_only::Question;
pub use release::{Candidate, candidate, describe, dimensions, fact_files, shown_places};
pub(crate) use release::{log_tables, tables, views, wide_view};
pub use session::Session;
pub use spec::{Column, Means, SessionSpec, Shown, Table, Until, View};
pub use statements::is_complete;
pub use visible::visible;
