//! Dates, times and intervals as numbers → text as DuckDB writes it, over the whole range of its types.

use std::fmt::Write;

use arrow::datatypes::IntervalMonthDayNano;

/// Days since 1970-01-01, in the proleptic Gregorian calendar.
pub(super) fn write_date(days: i32, out: &mut String) {
    match days {
        i32::MAX => out.push_str("infinity"),
        days if days == -i32::MAX => out.push_str("-infinity"),
        days => {
            let (year, month, day) = civil(i64::from(days));
            write_day(year, month, day, out);
            write_era(year, out);
        }
    }
}

/// A time of day, counted in units of which `10^digits` make a second.
pub(super) fn write_time(value: i64, digits: u32, out: &mut String) {
    let unit = 10_i64.pow(digits);
    let (seconds, fraction) = (value.div_euclid(unit), value.rem_euclid(unit));
    push(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if fraction != 0 {
        let text = format!("{fraction:0width$}", width = digits as usize);
        push(out, format_args!(".{}", text.trim_end_matches('0')));
    }
}

/// An instant in UTC, counted from 1970 in units of which `10^digits` make a second.
pub(super) fn write_timestamp(value: i64, digits: u32, with_zone: bool, out: &mut String) {
    match value {
        i64::MAX => out.push_str("infinity"),
        value if value == -i64::MAX => out.push_str("-infinity"),
        value => {
            let day = 86_400 * 10_i64.pow(digits);
            let (year, month, day_of_month) = civil(value.div_euclid(day));
            write_day(year, month, day_of_month, out);
            out.push(' ');
            write_time(value.rem_euclid(day), digits, out);
            write_era(year, out);
            if with_zone {
                out.push_str("+00");
            }
        }
    }
}

/// `1 year 2 months 3 days 04:05:06.7`; each part only if it is not zero.
pub(super) fn write_interval(interval: IntervalMonthDayNano, out: &mut String) {
    let start = out.len();
    let parts = [(interval.months / 12, "year"), (interval.months % 12, "month"), (interval.days, "day")];
    for (count, unit) in parts {
        if count != 0 {
            let plural = if count.abs() == 1 { "" } else { "s" };
            let space = if out.len() > start { " " } else { "" };
            push(out, format_args!("{space}{count} {unit}{plural}"));
        }
    }
    if interval.nanoseconds != 0 || out.len() == start {
        if out.len() > start {
            out.push(' ');
        }
        if interval.nanoseconds < 0 {
            out.push('-');
        }
        write_time(interval.nanoseconds.saturating_abs(), 9, out);
    }
}

/// Writing to a String cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn write_day(year: i64, month: i64, day: i64, out: &mut String) {
    let shown = if year > 0 { year } else { 1 - year };
    push(out, format_args!("{shown:04}-{month:02}-{day:02}"));
}

fn write_era(year: i64, out: &mut String) {
    if year <= 0 {
        out.push_str(" (BC)");
    }
}

/// Days since 1970-01-01 → year, month, day. Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`; chrono itself ends before DuckDB's range does.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
