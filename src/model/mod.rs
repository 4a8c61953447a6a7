//! `Spec` → [`Model`]: what does the pipeline mean?
//!
//! Everything is resolved: names have become indices, types are known, levels stand in order.
//! A room below decides nothing about the pipeline any more; it walks this value.
//! Nothing here is physical: no file, no layout, no engine.

mod case;
mod change;
mod compile;
mod date;
mod event;
mod expression;
mod fact;
mod hash;
mod question;
mod source;
mod term;
mod upcast;
mod value;
mod view;

pub mod dimension;

pub use case::{Case, Expected};
pub use change::{Becoming, ChangedTable, EventOfRow, Outbox, Rows, Unit};
pub use compile::{columns_of, compile, load, question};
pub use date::decides;
pub use dimension::{Attribute, Dimension, DimensionAction, DimensionEvent, Entity, PlainLevel, Tracking};
pub use event::{
    Allowed, Envelope, EventType, Field, FieldRef, Limits, ListField, Log, Pii, RejectLimits, Unknown,
};
pub use expression::{Expression, Operator, Overflow, rescale};
pub use fact::{
    Additivity, CarriedColumn, DateFrom, Fact, FactAction, FactEvent, Measure, OverReversing, ReversalTarget,
    Role, Takes,
};
pub use question::{Aggregate, AsOf, Asked, Column, Group, Question};
pub use source::Source;
pub use term::{Arithmetic, Comparison, Function, Term};
pub use upcast::{Act, FieldPath, OldField, OldShape, Step, Upcast};
pub use value::{KeyColumn, ValueType};
pub use view::{Definition, Held, Holds, View};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// What one pipeline file means.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// The pipeline's name; a warehouse belongs to one.
    pub name: String,
    /// Where events come from and how an envelope looks.
    pub log: Log,
    /// Every event type the pipeline knows, in the order of declaration.
    pub events: Vec<EventType>,
    /// Event types that the pipeline ignores by name (DESIGN 7).
    pub ignored: Vec<String>,
    /// In the order of declaration, which is also the order of mention inside one event.
    pub dimensions: Vec<Dimension>,
    /// In the order of declaration.
    pub facts: Vec<Fact>,
    /// How an instant becomes a calendar day, and what `dim_date` says of it.
    pub calendar: Calendar,
    /// Questions with a name, in the order of declaration. They decide no table.
    #[serde(skip)]
    pub questions: Vec<Question>,
    /// In the order of declaration. Each has a hash of its own.
    #[serde(skip)]
    pub views: Vec<View>,
    /// What is to come of given lines; `starlog test` tries it.
    #[serde(skip)]
    pub cases: Vec<Case>,
    /// BLAKE3 of the meaning, as hexadecimal text: two files that mean the same share it.
    #[serde(skip)]
    pub hash: String,
    /// The text that says all this: a release keeps it, for whoever asks what its rows mean.
    #[serde(skip)]
    pub source: Source,
}

/// The calendar of a pipeline (DESIGN 23).
#[derive(Debug, Clone, Serialize)]
pub struct Calendar {
    /// The zone in which an instant has a calendar day.
    #[serde(serialize_with = "hash::zone")]
    pub time_zone: Tz,
    /// The first month of the fiscal year, 1 to 12, if fiscal periods are declared.
    pub fiscal_year_starts: Option<u32>,
    /// Holidays by date, from the file that the pipeline names; sorted.
    #[serde(serialize_with = "hash::holidays")]
    pub holidays: Vec<(NaiveDate, String)>,
}

impl Calendar {
    /// The last microsecond of a day; `None` beyond all calendars.
    #[must_use]
    pub fn last_instant(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let midnight = day.succ_opt()?.and_time(NaiveTime::MIN);
        // Where clocks jump over midnight, the next day begins later.
        let later = |quarters: i64| midnight.checked_add_signed(TimeDelta::minutes(15 * quarters));
        let mut begins = (0..=96).map_while(later);
        let next = begins.find_map(|begin| self.time_zone.from_local_datetime(&begin).earliest())?;
        next.to_utc().checked_sub_signed(TimeDelta::microseconds(1))
    }
}
