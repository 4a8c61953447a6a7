//! The `source` of a change event → which table, when, and where in the source's own log.

use super::object::{Object, integer};
use super::writer::{Clock, write_time};
use crate::log::reject::{Code, Flaw};
use crate::model::Unit;

/// How the time of a change may be called, the finest first; the last two are of old connectors.
const TIMES: [(&str, Unit); 5] = [
    ("ts_us", Unit::Microseconds),
    ("ts_ns", Unit::Nanoseconds),
    ("ts_ms", Unit::Milliseconds),
    ("ts_usec", Unit::Microseconds),
    ("ts_sec", Unit::Seconds),
];

/// What says nothing of the place of a change: it may be another one when the same change is told again.
const PASSING: [&str; 6] = ["version", "name", "query", "thread", "snapshot", "sequence"];

/// `database.schema.table`, as much of it as there is; `None`: no table is named.
pub fn table(source: &Object<'_>) -> Option<String> {
    let part = |name: &str| source.text(name).filter(|part| !part.is_empty());
    let table = part("table").or_else(|| part("collection"))?;
    let above = ["db", "keyspace", "schema"].into_iter().filter_map(part);
    Some(above.chain([table]).collect::<Vec<_>>().join("."))
}

/// Writes when the change happened. A row that a snapshot found may have no time of its own: then that of its reading.
pub fn write_instant(change: &Object<'_>, source: &Object<'_>, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let found = change.text("op").as_deref() == Some("r");
    let told = first_time(source, "source.").or_else(|| if found { first_time(change, "") } else { None });
    let Some((name, raw, unit)) = told else {
        let message =
            "its `source` does not say when the change happened (ts_us, ts_ns or ts_ms, none of them 0)";
        return Err(Flaw::new(Code::Time, message));
    };
    let shown = || String::from_utf8_lossy(raw);
    let Some(value) = integer(raw) else {
        return Err(Flaw::new(Code::Time, format!("{name}: {} is no number of units since 1970", shown())));
    };
    match write_time(value, unit, Clock::Utc, out) {
        Some(true) => Ok(()),
        Some(false) => Err(Flaw::new(Code::Time, format!("{name}: finer than a microsecond"))),
        None => Err(Flaw::new(Code::Time, format!("{name}: {} is no time of the calendar", shown()))),
    }
}

/// The first time that is told at all; zero is how connectors say that they do not know.
fn first_time<'a>(object: &Object<'a>, of: &str) -> Option<(String, &'a [u8], Unit)> {
    let told = TIMES.into_iter().filter_map(|(name, unit)| Some((name, object.value(name)?, unit)));
    let mut told = told.filter(|(_, raw, _)| *raw != b"0");
    told.next().map(|(name, raw, unit)| (format!("{of}{name}"), raw, unit))
}

/// The order of changes in the log of the source, as far as it can be told by an integer: the place in that log, which
/// rises within a transaction and over all changes of a row; else the place in the transaction.
pub fn order(change: &Object<'_>, source: &Object<'_>) -> Option<i64> {
    let in_binlog = || {
        let file = source.text("file")?;
        let (_, number) = file.rsplit_once('.')?;
        let number = number.parse::<i64>().ok().filter(|number| *number < 1 << 28)?;
        let place = source.integer("pos").filter(|place| (0..1 << 34).contains(place))?;
        Some((number << 34) + place)
    };
    let in_log = ["lsn", "scn"].into_iter().find_map(|name| source.integer(name));
    let in_transaction =
        || change.object("transaction").and_then(|transaction| transaction.integer("total_order"));
    in_log.or_else(in_binlog).or_else(in_transaction)
}

/// What tells this change from every other one and is the same whenever it is told again: its place in the source's log,
/// and what it says. As a JSON string.
pub fn id(change: &Object<'_>, source: &Object<'_>) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |name: &[u8], raw: &[u8]| {
        // Lengths first, so that no two lists of parts look alike.
        for part in [name, raw] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    };
    for name in ["op", "before", "after"] {
        add(name.as_bytes(), change.value(name).unwrap_or_default());
    }
    let order = change.object("transaction").and_then(|transaction| transaction.integer("total_order"));
    add(b"transaction", order.map_or(String::new(), |order| order.to_string()).as_bytes());
    let lasting = |name: &[u8]| !PASSING.iter().any(|passing| passing.as_bytes() == name);
    let mut places: Vec<_> = source.members().iter().filter(|member| lasting(&member.name)).collect();
    places.sort_by(|left, right| left.name.cmp(&right.name));
    for member in places {
        add(&member.name, member.raw);
    }
    let hash = hasher.finalize().to_hex();
    format!("\"{}\"", hash.get(..32).unwrap_or_default()).into_bytes()
}
