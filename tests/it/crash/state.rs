//! What a place holds, to be compared with one that was never disturbed.

use super::story;
use crate::support::load;
use arrow::util::display::array_value_to_string;
use starlog::disk::Disk;
use starlog::log::{Account, EventLog};
use starlog::stop::Stop;
use starlog::warehouse::Warehouse;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[derive(Debug, PartialEq)]
pub struct State {
    /// The root hash of the current release.
    root: Option<String>,
    position: u64,
    /// Every event: its type, its position, and where it came from.
    events: Vec<String>,
    accounts: BTreeMap<String, Account>,
    rejects: usize,
    /// Of each file of rejects: how many have been put back.
    requeued: Vec<u64>,
}

impl State {
    pub fn of(place: &Path) -> Self {
        let model = load(&place.join(story::PIPELINE));
        let log = EventLog::open(&Disk::default(), &place.join("warehouse/log"), &model).unwrap();
        let mut events = Vec::new();
        for event_type in log.event_types() {
            for batch in log.scan(event_type, &["_position", "_id", "_file", "_line", "_unknown"]).unwrap() {
                let batch = batch.unwrap();
                for row in 0..batch.num_rows() {
                    let texts =
                        batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
                    // Under which of its names a file was read depends on when that was.
                    let text = texts.collect::<Vec<_>>().join(" ").replace(".gz", "");
                    events.push(format!("{event_type} {text}"));
                }
            }
        }
        events.sort();
        let sources = log.sources().iter().map(|source| (source.name.replace(".gz", ""), source.account));
        let rejects = log.rejects().into_iter().map(|file| crate::log::read(&file));
        Self {
            root: whole_release(place),
            position: log.position().0,
            events,
            accounts: sources.collect(),
            requeued: log.reject_files().iter().map(|file| file.requeued).collect(),
            rejects: rejects.flatten().map(|batch| batch.num_rows()).sum(),
        }
    }
}

/// The root hash of the release that a reader sees. Every file of it, and of all that a reader may ask for, is what its
/// manifest says.
pub fn whole_release(place: &Path) -> Option<String> {
    let warehouse = place.join("warehouse");
    if !warehouse.join("current").is_symlink() {
        return None;
    }
    let warehouse = Warehouse::open(&warehouse).unwrap();
    for number in warehouse.releases().unwrap() {
        let damages = warehouse.release(number).unwrap().damages(&Stop::default()).unwrap();
        assert!(damages.is_empty(), "release {number}: {damages:?}");
    }
    Some(warehouse.current().unwrap()?.manifest().blake3.clone())
}

/// Nothing is left of what went wrong, and the ledger tells of the run that did not.
pub fn is_in_order(place: &Path) {
    let warehouse = place.join("warehouse");
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    for release in names(&warehouse.join("releases")) {
        let folder = warehouse.join("releases").join(&release);
        let mode = fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o555, "release {release}");
    }
    let runs = Warehouse::open(&warehouse).unwrap().runs().unwrap();
    let last: serde_json::Value = serde_json::from_str(runs.last().unwrap()).unwrap();
    assert!(["published", "unchanged"].contains(&last["outcome"].as_str().unwrap()), "{last}");
    let text = fs::read_to_string(warehouse.join("runs.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "the ledger ends in the middle of a line");
}
