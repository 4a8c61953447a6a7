//! `[calendar]` → how an instant becomes a day, with the holidays read from their file.

use crate::model::Calendar;
use crate::spec::{At, Problems, Spec, closest};
use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::BTreeMap;
use std::io;

/// The calendar, and the text of the file of holidays.
pub(super) fn compile(
    spec: &Spec,
    read: &dyn Fn(&str) -> io::Result<String>,
    problems: &mut Problems,
) -> (Calendar, Option<String>) {
    let written = spec.calendar.clone().unwrap_or_default();
    let starts = written.fiscal_year_starts.as_ref();
    if let Some(month) = starts.filter(|month| !(1..=12).contains(&month.value)) {
        problems.add(month.span, "a fiscal year starts in a month from 1 to 12", "July is 7");
    }
    let text = written.holidays.as_ref().and_then(|file| match read(&file.value) {
        Ok(text) => Some(text),
        Err(error) => {
            let message = format!("the holidays in `{}` cannot be read: {error}", file.value);
            problems.add(file.span, message, "the path starts from the pipeline file's folder");
            None
        }
    });
    let named = written.holidays.as_ref().zip(text.as_ref());
    let calendar = Calendar {
        time_zone: written.time_zone.and_then(|zone_| zone(&zone_, problems)).unwrap_or(Tz::UTC),
        fiscal_year_starts: starts.and_then(|month| u32::try_from(month.value).ok()),
        holidays: named.map(|(file, text)| holidays(file, text, problems)).unwrap_or_default(),
    };
    (calendar, text)
}

/// An IANA time zone.
pub(super) fn zone(written: &At<String>, problems: &mut Problems) -> Option<Tz> {
    match written.value.parse::<Tz>() {
        Ok(zone) => Some(zone),
        Err(_) => {
            let hint = match closest(&written.value, TZ_VARIANTS.iter().map(|zone| zone.name())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "use a name of the IANA database, such as `Europe/Oslo` or `UTC`".to_owned(),
            };
            problems.add(written.span, format!("there is no time zone `{}`", written.value), hint);
            None
        }
    }
}

/// Holidays by date. Two of one day share it: `May Day / Ascension Day`.
fn holidays(file: &At<String>, text: &str, problems: &mut Problems) -> Vec<(NaiveDate, String)> {
    let mut holidays: BTreeMap<NaiveDate, Vec<String>> = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        let is_header = index == 0 && line.to_lowercase().starts_with("date");
        if line.is_empty() || is_header {
            continue;
        }
        match holiday(line) {
            Some((date, name)) => holidays.entry(date).or_default().push(name),
            None => {
                let message = format!("line {} of `{}` is no holiday: `{line}`", index + 1, file.value);
                problems.add(
                    file.span,
                    message,
                    "each line is a date and a name: `2011-12-25,Christmas Day`",
                );
            }
        }
    }
    holidays.into_iter().map(|(date, names)| (date, names.join(" / "))).collect()
}

/// `2011-12-25,Christmas Day`; the name may stand in quotes, doubled inside.
fn holiday(line: &str) -> Option<(NaiveDate, String)> {
    let (date, name) = line.split_once(',')?;
    let name = name.trim();
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?.replace("\"\"", "\""),
        None => name.to_owned(),
    };
    let date = date.trim().parse().ok()?;
    (!name.is_empty()).then_some((date, name))
}
