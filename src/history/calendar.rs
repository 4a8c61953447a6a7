//! Instants become calendar days, and days become `dim_date` (DESIGN 23).

use super::dimension::{NOT_APPLICABLE, UNKNOWN};
use crate::error::{Error, Result};
use crate::model::Calendar;
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Weekday};
use chrono_tz::Tz;
use std::sync::Arc;

/// Days since 1970-01-01.
pub type Day = i32;

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("the epoch is a date");

/// The calendar day of an instant (UTC microseconds) in a time zone.
pub fn day_of(instant: i64, zone: Tz) -> Result<Day> {
    let utc = DateTime::from_timestamp_micros(instant)
        .ok_or_else(|| Error::bug(format!("{instant} is no instant")))?;
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc();
    let local = instant.div_euclid(1_000_000) + i64::from(offset);
    Ok(local.div_euclid(86_400) as Day)
}

/// The date of a day.
pub fn date_of(day: Day) -> Result<NaiveDate> {
    EPOCH
        .checked_add_signed(chrono::Duration::days(day.into()))
        .ok_or_else(|| Error::bug(format!("{day} is no day")))
}

/// The day of a date.
pub fn day_number(date: NaiveDate) -> Day {
    date.num_days_from_ce() - EPOCH.num_days_from_ce()
}

/// `yyyymmdd`.
pub fn date_key(day: Day) -> Result<i64> {
    Ok(key_of(date_of(day)?))
}

fn key_of(date: NaiveDate) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

/// `dim_date`: the reserved rows, then every day of the whole years around the data.
///
/// Columns: `date_key` (yyyymmdd), `date`, `year`, `quarter`, `month`, `month_name`, `year_month` (2011-03),
/// `day_of_month`, `day_of_year`, `iso_year`, `iso_week`, `day_of_week` (1 is Monday), `day_name`, `is_weekend`,
/// `fiscal_year`, `fiscal_quarter`, `fiscal_month` if a fiscal year is declared (named by the year in which it
/// ends), `is_holiday` and `holiday_name` if holidays are.
pub fn date_relation(calendar: &Calendar, first: Option<Day>, last: Option<Day>) -> Result<RecordBatch> {
    let dates = match (first, last) {
        (Some(first), Some(last)) => whole_years(date_of(first)?.year(), date_of(last)?.year())?,
        _ => Vec::new(),
    };
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let keys = [NOT_APPLICABLE, UNKNOWN].into_iter().chain(dates.iter().map(|&date| key_of(date)));
    let mut push = |name: &str, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), name != "date_key"));
        arrays.push(array);
    };
    let rows = || [None, None].into_iter().chain(dates.iter().copied().map(Some));
    let integers = |of: &dyn Fn(NaiveDate) -> u32| -> ArrayRef {
        Arc::new(rows().map(|date| date.map(|date| i64::from(of(date)))).collect::<Int64Array>())
    };
    let texts = |of: &dyn Fn(NaiveDate) -> String| -> ArrayRef {
        Arc::new(rows().map(|date| date.map(of)).collect::<StringArray>())
    };
    let flags = |of: &dyn Fn(NaiveDate) -> bool| -> ArrayRef {
        Arc::new(rows().map(|date| date.map(of)).collect::<BooleanArray>())
    };
    push("date_key", Arc::new(Int64Array::from_iter_values(keys)));
    let days = rows().map(|date| date.map(|date| date.signed_duration_since(EPOCH).num_days() as Day));
    push("date", Arc::new(days.collect::<Date32Array>()));
    push("year", integers(&|date| date.year().unsigned_abs()));
    push("quarter", integers(&|date| date.month0() / 3 + 1));
    push("month", integers(&|date| date.month()));
    push("month_name", texts(&|date| date.format("%B").to_string()));
    push("year_month", texts(&|date| date.format("%Y-%m").to_string()));
    push("day_of_month", integers(&|date| date.day()));
    push("day_of_year", integers(&|date| date.ordinal()));
    push("iso_year", integers(&|date| date.iso_week().year().unsigned_abs()));
    push("iso_week", integers(&|date| date.iso_week().week()));
    push("day_of_week", integers(&|date| date.weekday().number_from_monday()));
    push("day_name", texts(&|date| date.format("%A").to_string()));
    push("is_weekend", flags(&|date| matches!(date.weekday(), Weekday::Sat | Weekday::Sun)));
    if let Some(start) = calendar.fiscal_year_starts {
        let month = move |date: NaiveDate| (date.month() + 12 - start) % 12;
        let turned = move |date: NaiveDate| u32::from(start > 1 && date.month() >= start);
        push("fiscal_year", integers(&|date| date.year().unsigned_abs() + turned(date)));
        push("fiscal_quarter", integers(&|date| month(date) / 3 + 1));
        push("fiscal_month", integers(&|date| month(date) + 1));
    }
    if !calendar.holidays.is_empty() {
        let holiday = |date: NaiveDate| {
            let found = calendar.holidays.binary_search_by_key(&date, |(day, _)| *day);
            found.ok().map(|index| calendar.holidays[index].1.clone())
        };
        push("is_holiday", flags(&|date| holiday(date).is_some()));
        push("holiday_name", Arc::new(rows().map(|date| date.and_then(holiday)).collect::<StringArray>()));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn whole_years(first: i32, last: i32) -> Result<Vec<NaiveDate>> {
    let start = NaiveDate::from_ymd_opt(first, 1, 1);
    let end = NaiveDate::from_ymd_opt(last, 12, 31);
    match (start, end) {
        (Some(start), Some(end)) => Ok(start.iter_days().take_while(|date| *date <= end).collect()),
        _ => Err(Error::bug(format!("no calendar from {first} to {last}"))),
    }
}
