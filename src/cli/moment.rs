//! `2011-06-30`, `2011-06-30T12:00:00Z` or `7956` → a moment, or a place in the log.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use starlog::error::{Error, Result};
use starlog::model::Calendar;

/// A moment, as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The end of a day in the pipeline's time zone.
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

/// What is known: up to an event, or by a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Position(u64),
    Moment(Moment),
}

const FORMS: &str = "a date, 2011-06-30, or a time with its offset, 2011-06-30T12:00:00Z";

impl Moment {
    /// The instant itself; of a day the last one.
    pub fn instant(self, calendar: &Calendar) -> Result<DateTime<Utc>> {
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Day(day) => {
                let last = calendar.last_instant(day);
                last.ok_or_else(|| Error::author(format!("{day} is beyond all calendars")))
            }
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self::Day(day));
        }
        let instant = DateTime::parse_from_rfc3339(text);
        instant.map(|instant| Self::Instant(instant.to_utc())).map_err(|_| format!("write {FORMS}"))
    }
}

impl FromStr for Known {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(position) = text.replace(',', "").parse() {
            return Ok(Self::Position(position));
        }
        text.parse().map(Self::Moment).map_err(|_| format!("write a position, {FORMS}"))
    }
}
