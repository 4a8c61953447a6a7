//! A block of whole lines → typed columns per event type, and rejects: what do these lines say?
//!
//! Everything about an event type is decided once, in its [`Plan`]; the loop over lines only follows it.
//! Blocks are decoded by any thread in any order, so nothing here knows positions or earlier events.

mod amounts;
mod block;
mod column;
mod event;
mod fields;
mod lift;
mod plan;
mod recast;
mod rows;
mod stored;
mod time;
mod upcast;
mod value;
mod written;

pub use block::{Decoded, Entry, Verdict, decode, decode_each};
pub use lift::{Lifted, Missing};
pub use plan::{EventPlan, Kind, ListPlan, Plan};
pub use recast::Recast;
pub use rows::Finished;
pub use stored::{Types, declared, payload, text, types_of};
pub use time::{counted, date, instant};
pub use written::decimal;
