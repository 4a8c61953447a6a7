//! (release, its log) → why is a row what it is?
//!
//! [`diff()`] says what changed between two releases and which events did it, [`member()`] what happened to one member
//! and which versions came of it, [`explain()`] where the rows of a fact come from. All of it is asked of the published
//! files and of the event store, cut at the release's position, by DuckDB; the model is the release's own.
//!
//! It changes nothing, takes no writer's lock, and never computes a table again: what stands in the release is told,
//! beside the events that say so.

mod books;
mod causes;
mod changes;
mod diff;
mod explain;
mod fold;
mod lookup;
mod member;
mod mention;
mod pair;
mod versions;

pub use books::Books;
pub use causes::{Cause, Via};
pub use changes::{ColumnChange, MonthChange, RowChange, Total};
pub use diff::{Diff, Only, Side, TableDiff, diff};
pub use explain::{Condition, Explained, HeaderEvent, explain};
pub use fold::{Change, OwnEvent};
pub use lookup::{Look, Reason};
pub use member::{MemberHistory, member};
pub use versions::{Opening, Version};

use serde::Serialize;

/// An event, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Event {
    pub position: i64,
    /// Its type.
    pub event: String,
    /// When it happened, UTC.
    pub time: String,
    /// As the log knows it: relative to the pipeline's folder.
    pub file: String,
    /// From 1.
    pub line: i64,
    /// The line's first byte in the file, decompressed.
    pub offset: i64,
}
