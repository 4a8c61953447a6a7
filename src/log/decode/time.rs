//! Texts and numbers → calendar dates and instants: RFC 3339, local time where a zone is declared, and counts since 1970
//! where a unit is.

use crate::log::json::Number;
use crate::log::reject::{Code, Flaw};
use crate::model::Unit;
use chrono::offset::LocalResult;
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Day number of 1970-01-01, where chrono counts from 0001-01-01.
const EPOCH: i32 = 719_163;

/// What the envelope says of times that do not say everything themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Of texts without an offset.
    pub zone: Option<Tz>,
    /// Of numbers.
    pub unit: Option<Unit>,
}

/// The years from 1 to 9999, in microseconds since 1970: others have no date that can be written.
const FOUR_DIGITS: std::ops::Range<i128> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// Microseconds since 1970-01-01 UTC.
    pub micros: i64,
    /// Whether it was written as a leap second (`:60`), and stands for the second after it.
    pub leap: bool,
}

/// `YYYY-MM-DD` as days since 1970-01-01.
pub fn date(text: &[u8]) -> Result<i32, Flaw> {
    match text {
        [_, _, _, _, b'-', _, _, b'-', _, _] => day(text).ok_or_else(|| wrong("no date of the calendar")),
        _ => Err(wrong("not a date as YYYY-MM-DD")),
    }
}

/// An RFC 3339 timestamp; without an offset it is local time in `zone`, if one is declared.
///
/// # Errors
/// `time`, or `nonexistent-time` and `ambiguous-time` for the hours around a change of clocks.
#[inline]
pub fn instant(text: &[u8], zone: Option<Tz>) -> Result<Instant, Flaw> {
    let Some((front, rest)) = text.split_first_chunk::<19>() else {
        return Err(wrong("not a timestamp as YYYY-MM-DDThh:mm:ssZ (RFC 3339)"));
    };
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', _, _, b':', _, _, b':', _, _] = front else {
        return Err(wrong("not a timestamp as YYYY-MM-DDThh:mm:ssZ (RFC 3339)"));
    };
    let days = day(front).ok_or_else(|| wrong("no date of the calendar"))?;
    let clock = (two(front, 11), two(front, 14), two(front, 17));
    let (Some(hour @ 0..24), Some(minute @ 0..60), Some(second @ 0..=60)) = clock else {
        return Err(wrong("no time of the day"));
    };
    let leap = second == 60;
    let second = second - i64::from(leap);
    let (fraction, rest) = fraction(rest)?;
    let local = i64::from(days) * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + fraction;
    let utc = match rest {
        [b'Z' | b'z'] => local,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (Some(hours @ 0..24), Some(minutes @ 0..60)) = (two(rest, 1), two(rest, 4)) else {
                return Err(wrong("no offset from UTC"));
            };
            let offset = (hours * 60 + minutes) * 60 * SECOND;
            if *sign == b'-' { local + offset } else { local - offset }
        }
        [] => in_zone(local, zone)?,
        _ => return Err(wrong("an offset must be Z or ±hh:mm (RFC 3339)")),
    };
    if !leap {
        return Ok(Instant { micros: utc, leap });
    }
    if utc.rem_euclid(DAY) / SECOND != 86_399 {
        return Err(wrong("a leap second can only be 23:59:60 UTC"));
    }
    Ok(Instant { micros: utc + SECOND, leap })
}

/// So many units since 1970-01-01 UTC, in microseconds: the one reading of all times that are counted.
///
/// # Errors
/// `time` where it is finer than a microsecond, `time-range` beyond all calendars.
pub fn counted(number: &Number<'_>, unit: Unit) -> Result<i64, Flaw> {
    let finer = "finer than a microsecond";
    let behind_the_point = match unit {
        Unit::Seconds => 6,
        Unit::Milliseconds => 3,
        Unit::Microseconds | Unit::Nanoseconds => 0,
    };
    let beyond = || {
        let written = String::from_utf8_lossy(number.raw);
        Flaw::new(Code::TimeRange, format!("{written} is no time of the years from 1 to 9999"))
    };
    let count = number.scaled(38, behind_the_point).map_err(|code| match code {
        Code::Scale => wrong(finer),
        _ => beyond(),
    })?;
    let micros = match unit {
        Unit::Nanoseconds if count % 1_000 != 0 => return Err(wrong(finer)),
        Unit::Nanoseconds => count / 1_000,
        _ => count,
    };
    i64::try_from(micros).ok().filter(|_| FOUR_DIGITS.contains(&micros)).ok_or_else(beyond)
}

/// The microseconds of `.123456`, and what follows.
fn fraction(rest: &[u8]) -> Result<(i64, &[u8]), Flaw> {
    let Some((b'.', digits)) = rest.split_first() else {
        return Ok((0, rest));
    };
    let length = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(length);
    if digits.is_empty() {
        return Err(wrong("a fraction of a second without digits"));
    }
    let (kept, beyond) = digits.split_at(length.min(6));
    if beyond.iter().any(|&digit| digit != b'0') {
        return Err(wrong("finer than a microsecond"));
    }
    let value = kept.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let scale = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1].get(kept.len()).copied().unwrap_or(1);
    Ok((value * scale, rest))
}

fn in_zone(local: i64, zone: Option<Tz>) -> Result<i64, Flaw> {
    let Some(zone) = zone else {
        return Err(wrong("names no offset from UTC, and the pipeline declares no `zone` in its envelope"));
    };
    let naive: NaiveDateTime =
        chrono::DateTime::from_timestamp_micros(local).ok_or_else(|| wrong("out of range"))?.naive_utc();
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(instant) => Ok(instant.timestamp_micros()),
        LocalResult::None => {
            Err(Flaw::new(Code::NonexistentTime, format!("{naive} was skipped by the clocks of {zone}")))
        }
        LocalResult::Ambiguous(..) => {
            Err(Flaw::new(Code::AmbiguousTime, format!("{naive} was twice on the clocks of {zone}")))
        }
    }
}

fn day(text: &[u8]) -> Option<i32> {
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok().filter(|&year| year > 0)?,
        u32::try_from(two(text, 5)?).ok()?,
        u32::try_from(two(text, 8)?).ok()?,
    )?;
    Some(date.num_days_from_ce() - EPOCH)
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<i64> {
    match text.get(at..at + 2) {
        Some(&[tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    }
}

#[cold]
fn wrong(message: &'static str) -> Flaw {
    Flaw::new(Code::Time, message)
}
