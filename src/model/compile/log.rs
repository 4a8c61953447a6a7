//! `[log]` → where events come from.

use super::calendar::zone;
use super::changes;
use super::contracts::Contracts;
use super::rows;
use super::{limits, pii};
use crate::model::{Envelope, Log};
use crate::spec::{At, EnvelopeSpec, Instant, LogSpec, Problems, Spec};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::path::Path;

/// `None` where what is missing was reported.
pub(super) fn compile(
    spec: &Spec,
    base: &Path,
    contracts: &Contracts,
    problems: &mut Problems,
) -> Option<Log> {
    let log = spec.log.as_ref()?;
    let (earliest, latest) = bounds(log, problems);
    for file in log.files.iter().flatten().filter(|file| file.value.is_empty()) {
        problems.add(file.span, "an empty file name", "name a file or a pattern such as `log/*.ndjson`");
    }
    let bears = limits::of_rejects(log.max_rejects.as_ref(), log.max_reject_share.as_ref(), problems);
    let tables = changes::compile(log, contracts, problems);
    let envelope = envelope(log.envelope.as_ref()?, problems)?;
    Some(Log {
        base: base.to_owned(),
        files: log.files.iter().flatten().map(|file| file.value.clone()).collect(),
        envelope,
        earliest,
        latest,
        bears,
        tables,
        outbox: changes::outbox(log, problems),
        rows: rows::compile(log, contracts, problems),
        pii: pii::compile(spec, contracts, problems),
        limits: limits::of_lines(log.limits.as_ref(), problems),
    })
}

/// The years that a time may lie in where the pipeline does not say otherwise: one absurd date would
/// make the calendar cover all years up to it.
const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a date");
const LATEST: NaiveDate = NaiveDate::from_ymd_opt(2200, 1, 1).expect("a date");
/// Beyond these an instant has no date of four digits, or stands behind the end of every interval.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a date");
const END: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a date");

/// `earliest` and `latest`, as written or by default, inside of what can be told apart at all.
fn bounds(log: &LogSpec, problems: &mut Problems) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let earliest = log.earliest.as_ref().and_then(|written| instant(written, problems));
    let latest = log.latest.as_ref().and_then(|written| instant(written, problems));
    let is_known = [(&log.earliest, earliest), (&log.latest, latest)]
        .iter()
        .all(|(written, instant)| written.is_some() == instant.is_some());
    let from = earliest.unwrap_or(midnight(EARLIEST)).max(midnight(FIRST));
    let to = latest.unwrap_or(midnight(LATEST)).min(midnight(END));
    if let Some(written) = log.latest.as_ref().or(log.earliest.as_ref())
        && is_known
        && from >= to
    {
        let hint = match (&log.earliest, &log.latest) {
            (Some(_), Some(_)) => "no event could be accepted: swap them",
            (None, _) => "`earliest` is 1900-01-01 where it is not declared: declare it too",
            (_, None) => "`latest` is 2200-01-01 where it is not declared: declare it too",
        };
        problems.add(written.span, "`latest` is not after `earliest`", hint);
    }
    (from, to)
}

/// The event types that are ignored by name.
pub(super) fn ignored(spec: &Spec, contracts: &Contracts, problems: &mut Problems) -> Vec<String> {
    let ignored = spec.log.as_ref().and_then(|log| log.ignore.as_deref()).unwrap_or_default();
    for name in ignored {
        if contracts.types.iter().any(|event| event.name == name.value) {
            let message = format!("`{}` is ignored, but declared as an event type", name.value);
            problems.add(name.span, message, "remove one of the two");
        }
    }
    ignored.iter().map(|name| name.value.clone()).collect()
}

fn envelope(spec: &EnvelopeSpec, problems: &mut Problems) -> Option<Envelope> {
    let fields = [&spec.event_type, &spec.version, &spec.time, &spec.payload, &spec.id, &spec.order];
    let fields: Vec<&At<String>> = fields.into_iter().flatten().collect();
    for (index, field) in fields.iter().enumerate() {
        let may_share =
            |other: &At<String>| [other, *field].map(Some) == [spec.id.as_ref(), spec.order.as_ref()];
        let twice = fields.iter().take(index).any(|other| other.value == field.value && !may_share(other));
        if field.value.is_empty() {
            problems.add(field.span, "an empty field name", "name the field, or leave the key out");
        } else if twice {
            let message = format!("`{}` stands for two parts of the envelope", field.value);
            problems.add(field.span, message, "only `id` and `order` may be one field");
        }
    }
    let text = |field: &Option<At<String>>| field.as_ref().map(|field| field.value.clone());
    Some(Envelope {
        event_type: text(&spec.event_type)?,
        version: text(&spec.version),
        time: text(&spec.time)?,
        payload: text(&spec.payload),
        id: text(&spec.id),
        order: text(&spec.order),
        zone: spec.zone.as_ref().and_then(|written| zone(written, problems)),
        unit: spec.unit.as_ref().map(|unit| changes::unit(unit.value)),
    })
}

/// A date is its first moment in UTC.
fn instant(written: &At<Instant>, problems: &mut Problems) -> Option<DateTime<Utc>> {
    let text = written.value.0.as_str();
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Some(instant.to_utc()),
        Err(_) => {
            let message = format!("`{text}` is neither a date nor a date and time with offset");
            problems.add(written.span, message, "write 2011-12-09 or 2011-12-09T12:50:00Z");
            None
        }
    }
}
