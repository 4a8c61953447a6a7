//! A model → the hash of its meaning: what decides the tables, and nothing else.
//!
//! Where the files lie, how many rejects a run bears, comments and layout of the text are no part of it.

use super::Model;
use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

/// BLAKE3 over the model as JSON, as hexadecimal text.
pub(super) fn of(model: &Model) -> Result<String> {
    let canonical = serde_json::to_vec(model).map_err(|error| {
        Error::bug(format!("the model cannot be written as JSON: {error}")).because(error)
    })?;
    Ok(blake3::hash(&canonical).to_hex().to_string())
}

/// Microseconds since 1970, UTC.
pub(super) fn instant<S: Serializer>(value: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    value.timestamp_micros().serialize(to)
}

/// The zone's IANA name.
pub(super) fn zone<S: Serializer>(value: &Tz, to: S) -> Result<S::Ok, S::Error> {
    value.name().serialize(to)
}

/// The zone's IANA name, if there is one.
pub(super) fn zone_if_any<S: Serializer>(value: &Option<Tz>, to: S) -> Result<S::Ok, S::Error> {
    value.map(|zone| zone.name()).serialize(to)
}

/// Dates as `2011-12-24`.
pub(super) fn holidays<S: Serializer>(value: &[(NaiveDate, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(value.iter().map(|(date, name)| (date.to_string(), name)))
}

/// A date as `2011-12-24`.
pub(super) fn date<S: Serializer>(value: &NaiveDate, to: S) -> Result<S::Ok, S::Error> {
    value.to_string().serialize(to)
}

/// Microseconds since 1970, of an instant in UTC.
pub(super) fn local_instant<S: Serializer>(value: &NaiveDateTime, to: S) -> Result<S::Ok, S::Error> {
    value.and_utc().timestamp_micros().serialize(to)
}
