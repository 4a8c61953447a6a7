//! (model, staged release, the release before) → refreshed views: what is answered in advance? (DESIGN 29, 30)
//!
//! [`choose`] says of each view how it comes to be: kept, by what changed, or anew; [`refresh`] does it. DuckDB computes
//! over the very files that will be published, which are facts and dimensions as they lie; what comes out is rows of
//! declared types, sorted by all that tells them apart, so that a view is a function of the release and not of the way
//! that led to it.
//!
//! Incrementally, a view is its rows of the release before, and the difference of two bags: what the fact's rows that are
//! new, or whose dimension rows say something else now, give to each group, and what the same rows gave before. Numbers
//! that add up are added; `min`, `max` and `count_distinct` are computed again for the groups that differ.
//!
//! Nothing here writes a file, knows a layout, or asks what time it is.

mod changed;
mod choice;
mod declared;
mod ground;
mod increment;
mod refresh;
mod table;
mod written;

pub use changed::Changed;
pub use choice::{Choice, Way, choose};
pub use declared::groups_of;
pub use refresh::{Made, Refreshed, anew, refresh};
