//! The real thing, cut: a log that is seen up to a position is the log of then, and some months of a log are those
//! of the whole.

use super::engine::{add_file, take_in};
use super::nights::{Tables, difference, tables};
use crate::support::memory_folder;
use starlog::disk::Disk;
use starlog::history::{self, Months};
use starlog::log::{EventLog, Position};
use starlog::model::Model;

/// What differs between a log that is seen up to a position and one that never went further. `nights` decide which
/// files of the store the cuts go through.
pub fn differences_by_cut(model: &Model, nights: &[&[String]], step: usize) -> Option<String> {
    let (whole, short) = (memory_folder(), memory_folder());
    let disk = Disk::default();
    take_in(model, nights, whole.path());
    let lines: Vec<String> = nights.concat();
    let replayed = |log: &EventLog| -> Tables {
        let history = history::replay(model, log).expect("a replay");
        tables(model, &history, log.position().as_i64(), None)
    };
    for (night, lines) in lines.chunks(step).enumerate() {
        add_file(model, short.path(), night, lines);
        let then = EventLog::open(&disk, &short.path().join("log"), model).expect("a log");
        let log = EventLog::open(&disk, &whole.path().join("log"), model).expect("a log");
        let cut = log.until(Position(then.position().0)).expect("a cut");
        if let Some(difference) = difference(&replayed(&then), &replayed(&cut)) {
            return Some(format!("cut at {}: {difference}", then.position()));
        }
    }
    None
}

/// What differs between months that are replayed alone, one by one, and the same of a whole replay.
pub fn differences_by_month(model: &Model, log: &[String]) -> Option<String> {
    let folder = memory_folder();
    let log = take_in(model, &[log], folder.path());
    let whole = history::replay(model, &log).expect("a replay");
    let whole = tables(model, &whole, 0, None);
    let (_, months) = history::sample(model, &log, &Months::clone).expect("all months");
    let of = |tables: &Tables, months: &Months| {
        let mut tables = tables.clone();
        tables.findings = whole.findings.clone();
        tables.facts.values_mut().for_each(|rows| rows.retain(|key, _| months.contains(&key.month())));
        tables
    };
    if let Some(difference) = difference(&whole, &of(&whole, &months)) {
        return Some(format!("not all months were found: {difference}"));
    }
    for month in &months {
        let choice = Months::from([*month]);
        let (history, chosen) = history::sample(model, &log, &|_| choice.clone()).expect("a month");
        assert_eq!(chosen, choice);
        let alone = of(&tables(model, &history, 0, None), &choice);
        if let Some(difference) = difference(&of(&whole, &choice), &alone) {
            return Some(format!("{month}: {difference}"));
        }
    }
    None
}
