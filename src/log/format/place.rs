//! The `source` of a change event → which table, when, and where in the source's own log.

use super::object::{Object, text};
use super::writer::{Clock, write_counted};
use crate::log::json::{Scanner, Scratch};
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

/// Whose change it is.
const TABLE: [&str; 9] = [
    "db",
    "keyspace",
    "schema",
    "table",
    "collection",
    "cluster",
    "project_id",
    "instance_id",
    "database_id",
];

/// The places in the logs of databases that say all of a place, in the words of Debezium's connectors. Each has been told by
/// all versions of its connector that are about. What a later version of one adds (`ts_ns`, `row_id`, …), what is of the
/// connector and not of the database (`version`, `name`, `snapshot`), and what goes on while the same change is told again
/// (`sequence`) is not among them: else a change that is told again would be another one.
const PLACES: [&str; 20] = [
    // MySQL, MariaDB; Cassandra.
    "server_id",
    "gtid",
    "file",
    "pos",
    "row",
    // PostgreSQL; Informix.
    "txId",
    "lsn",
    "begin_lsn",
    // SQL Server, Db2, Informix.
    "change_lsn",
    "commit_lsn",
    "event_serial_no",
    // Oracle.
    "scn",
    "commit_scn",
    "lcr_position",
    "rs_id",
    "ssn",
    // Vitess.
    "vgtid",
    "shard",
    // Spanner.
    "server_transaction_id",
    "record_sequence",
];

/// Places inside the time of a change (MongoDB's `ord`): where there is no other, that time tells them apart.
const PLACES_IN_TIME: [&str; 2] = ["ord", "mod_number"];

/// The times of a change that all versions of a connector tell, in one way.
const LASTING_TIMES: [&str; 3] = ["ts_ms", "ts_sec", "ts_usec"];

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
    write_counted(raw, unit, Clock::Utc, out).map_err(|flaw| flaw.of(&name))
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

/// What tells this change from every other one and is the same whenever it is told again, also by a newer connector: its
/// place in the source's log, and what it says. As a JSON string.
pub fn id(change: &Object<'_>, source: &Object<'_>) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |name: &str, value: &[u8]| {
        // Lengths first, so that no two lists of parts look alike.
        for part in [name.as_bytes(), value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    };
    for name in ["op", "before", "after"] {
        let said =
            change.value(name).and_then(|raw| Scanner::again(raw).value(0, &mut Scratch::default()).ok());
        add(name, &said.map(u64::to_le_bytes).unwrap_or_default());
    }
    let order = change.object("transaction").and_then(|transaction| transaction.integer("total_order"));
    add("transaction", order.map_or(String::new(), |order| order.to_string()).as_bytes());
    // A number and a text of the same digits are one place: connectors write large numbers so.
    let value = |name: &str| source.value(name).map(|raw| text(raw).unwrap_or(String::from_utf8_lossy(raw)));
    let mut add_all = |names: &[&str]| {
        let said = names.iter().filter_map(|name| Some((name, value(name)?)));
        said.map(|(name, value)| add(name, value.as_bytes())).count()
    };
    add_all(&TABLE);
    if add_all(&PLACES) == 0 {
        add_all(&PLACES_IN_TIME);
        if let Some(time) = LASTING_TIMES.iter().find(|name| source.value(name).is_some()) {
            add_all(&[time]);
        }
    }
    let hash = hasher.finalize().to_hex();
    format!("\"{}\"", hash.get(..32).unwrap_or_default()).into_bytes()
}
