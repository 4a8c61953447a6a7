//! Starlog turns an OLTP event log into a dimensional warehouse.
//!
//! The rooms stand in the order in which data flows through them; a room uses only rooms above it.

/// Who must act on an error, and what they can do next.
pub mod error;

/// A wish to end → an error between two pieces of work: shall this go on?
pub mod stop;

/// Every effect on files, through one door that a test can count, fail and kill.
pub mod disk;

/// TOML text → `Spec`: what did the author write?
pub mod spec;

/// `Spec` → `Model`: what does it mean?
pub mod model;

/// Source files → the event store and rejects: what happened?
pub mod log;

/// Log files → the text of a pipeline: what could this log mean?
pub mod draft;

/// (model, log) → versions, keys, fact rows: what was true, and when?
pub mod history;

/// Logical relations → physical tables, and back: how does it lie on disk?
pub mod layout;

/// Tables → a published release: where is it kept, and which is current?
pub mod warehouse;

/// (release, SQL) → rows: what can I ask?
pub mod query;

/// (question, tables at hand) → SQL, and which table answers it with the fewest rows.
pub mod ask;

/// (model, release, change) → refreshed views: what is answered in advance?
pub mod views;

/// Staged release → violations: is it fit to publish?
pub mod checks;

/// (release, its log) → why a row is what it is, and what changed between two releases.
pub mod audit;

/// State → plan → report: what must be done tonight?
pub mod nightly;

/// Layouts → a report: which is larger, slower, dearer to change, and by how much?
pub mod compare;

/// Seed → a log of a made-up shop: what could an event log look like?
pub mod generate;
