//! (model, accepted events) → every logical table, worked out the naive way.
//!
//! The oracle answers the same questions as `history` and shares no code with it: plain values instead of
//! columns, one member and one header at a time, keys by walking through the arrivals one after the other.
//! It is quadratic in places, and meant to be read beside DESIGN section 4. It must never be fast at the price of being plain.

#![allow(clippy::panic, reason = "a mistake in a case, or a hole in a rule, ends the test")]

mod calendar;
pub mod case;
pub mod compare;
pub mod cuts;
mod deed;
pub mod delivery;
mod dimension;
pub mod engine;
mod event;
pub mod fit;
mod lines;
mod measure;
pub mod nights;
pub mod pipeline;
pub mod random;
mod reading;
pub mod released;
mod replay;
mod reversal;
pub mod shrink;
mod slot;
mod timeline;
mod value;

pub use event::{OracleEvent, accept};
pub use value::{Value, instant};

use dimension::DimensionTables;
use starlog::model::Model;
use std::collections::BTreeMap;

/// A row: its columns in the table's order.
pub type Row = Vec<(String, Value)>;

/// The rows of every logical table by its name: `dim_<entity>` in its wide form, `fact_<fact>`, `fact_<lines>`,
/// and of `dim_date` the keys.
pub type Tables = BTreeMap<String, Vec<Row>>;

/// Every logical table of this log.
pub fn expected(model: &Model, events: &[OracleEvent]) -> Tables {
    let sayings = reading::read_dimensions(model, events);
    let mut tables = Tables::new();
    let mut dimensions = Vec::new();
    for (dimension, heard) in model.dimensions.iter().zip(&sayings) {
        let built = DimensionTables::build(dimension, heard);
        tables.extend(built.rows(dimension));
        dimensions.push(built);
    }
    tables.insert("dim_date".to_owned(), calendar::date_rows(model, events));
    for fact in &model.facts {
        let ledger = replay::replay(model, fact, &dimensions, &deed::read_deeds(model, fact, events));
        tables.insert(format!("fact_{}", fact.name), lines::ledger_rows(fact, &ledger));
        if let Some(name) = &fact.lines_name {
            tables.insert(format!("fact_{name}"), lines::line_rows(fact, &ledger));
        }
    }
    tables
}
