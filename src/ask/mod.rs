//! (question, tables at hand) → [`Select`]: the SQL that answers a question.
//!
//! A [`Question`](crate::model::Question) is logical; where its columns lie is a matter of [`Tables`]: those of a
//! layout, or one big table. The three differ in one thing, the joins that lead to a column, which for layouts
//! [`layout::way`](crate::layout::way) knows; all else is one small renderer.
//!
//! Where a release holds views, the smallest one that can answer does ([`answer()`]), and every other says why it does not.
//!
//! Nothing here opens a file or asks DuckDB. Names and texts go into SQL through `sql`, never as they are.

mod answer;
mod explain;
mod select;
mod source;
mod sql;
mod term;
mod view;

pub use answer::{Answer, Judged, Verdict, answer};
pub use explain::{Explained, ExplainedView, Shown, Subject, Subjects, explain, shown, subjects};
pub use select::{Part, Select, select};
pub use source::Tables;
pub use sql::{literal, name, type_name};
pub use view::{View, views};
