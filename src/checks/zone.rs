//! (time zone, years) → SQL: which calendar day is an instant? DuckDB's own zones would need ICU (DESIGN 23).

use chrono::{DateTime, Duration, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use std::ops::RangeInclusive;

/// From an instant on, clocks are this many seconds ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    from: DateTime<Utc>,
    seconds: i32,
}

/// The calendar day of an instant column, in years and a day around them. Rendered from what chrono-tz knows.
pub(super) fn local_date(instant: &str, zone: Tz, years: RangeInclusive<i32>) -> String {
    let shifts = shifts(zone, years);
    match shifts.as_slice() {
        [] => format!("CAST({instant} AS DATE)"),
        [only] if only.seconds == 0 => format!("CAST({instant} AS DATE)"),
        shifts => format!("CAST({instant} + {} AS DATE)", offset(instant, shifts)),
    }
}

/// Halves the shifts until one is left, so that a row takes few comparisons.
fn offset(instant: &str, shifts: &[Shift]) -> String {
    match shifts {
        [] => "INTERVAL '0 seconds'".to_owned(),
        [only] => format!("INTERVAL '{} seconds'", only.seconds),
        many => {
            let (before, after) = many.split_at(many.len() / 2);
            let from = after
                .first()
                .map_or_else(String::new, |shift| shift.from.format("%Y-%m-%d %H:%M:%S").to_string());
            format!(
                "CASE WHEN {instant} < TIMESTAMP '{from}' THEN {} ELSE {} END",
                offset(instant, before),
                offset(instant, after)
            )
        }
    }
}

fn shifts(zone: Tz, years: RangeInclusive<i32>) -> Vec<Shift> {
    let edge = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    let (Some(first), Some(last)) = (edge(*years.start()), edge(years.end().saturating_add(1))) else {
        return Vec::new();
    };
    let mut from = first.and_utc() - Duration::days(2);
    let end = last.and_utc() + Duration::days(2);
    let mut shifts = vec![Shift { from, seconds: ahead(zone, from) }];
    while from < end {
        let next = from + Duration::hours(6);
        if ahead(zone, from) != ahead(zone, next) {
            shifts.push(change(zone, from, next));
        }
        from = next;
    }
    shifts
}

/// The change between two instants of different offsets, to the second.
fn change(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> Shift {
    let old = ahead(zone, before);
    while after - before > Duration::seconds(1) {
        let middle = before + Duration::seconds((after - before).num_seconds() / 2);
        if ahead(zone, middle) == old { before = middle } else { after = middle }
    }
    Shift { from: after, seconds: ahead(zone, after) }
}

fn ahead(zone: Tz, instant: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}
