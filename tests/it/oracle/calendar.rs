//! Instants → calendar days, and the days that `dim_date` must hold (DESIGN 23).

use super::Row;
use super::event::OracleEvent;
use super::value::Value;
use chrono::{DateTime, Datelike, NaiveDate};
use starlog::model::Model;

/// The calendar day of an instant in the pipeline's zone.
pub fn day(model: &Model, instant: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_micros(instant).expect("an accepted instant");
    utc.with_timezone(&model.calendar.time_zone).date_naive()
}

/// `yyyymmdd`.
pub fn date_key(date: NaiveDate) -> i128 {
    i128::from(date.year()) * 10_000 + i128::from(date.month() * 100 + date.day())
}

/// The keys of whole years around the data, behind the reserved ones.
pub fn date_rows(model: &Model, events: &[OracleEvent]) -> Vec<Row> {
    let years: Vec<i32> = events.iter().map(|event| day(model, event.time_us).year()).collect();
    let mut keys = vec![-2, -1];
    if let (Some(first), Some(last)) = (years.iter().min(), years.iter().max()) {
        let start = NaiveDate::from_ymd_opt(*first, 1, 1).expect("a first of January");
        keys.extend(start.iter_days().take_while(|date| date.year() <= *last).map(date_key));
    }
    keys.into_iter().map(|key| vec![("date_key".to_owned(), Value::Int(key))]).collect()
}
