//! What is known of the real logs from their sources: CSV files beside them.

use super::repository;
use super::rows::Rows;
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Numbers by what they are about. Amounts are in ten-thousandths, counts are counts.
pub type Cells = BTreeMap<Vec<String>, Vec<i128>>;

/// The folder of the real logs. Without it a test says so and ends; where `STARLOG_REAL_DATA` is set, it fails.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = repository().parent().unwrap().join("shared/data");
    match search(&folder, std::env::var_os("STARLOG_REAL_DATA").is_some()) {
        Search::Found => Some(folder),
        Search::Skip(message) => {
            eprintln!("\n*** SKIPPED: {test}: {message} ***\n");
            None
        }
        Search::Fail(message) => panic!("{test}: {message}"),
    }
}

/// What a test on real logs does.
#[derive(Debug, PartialEq, Eq)]
enum Search {
    Found,
    /// It cannot run here, and says so.
    Skip(String),
    /// It should run here, and cannot.
    Fail(String),
}

fn search(folder: &Path, is_required: bool) -> Search {
    let missing = format!("the real logs are not there ({})", folder.display());
    match (folder.join("README.md").is_file(), is_required) {
        (true, _) => Search::Found,
        (false, false) => Search::Skip(missing),
        (false, true) => Search::Fail(format!("{missing}, and STARLOG_REAL_DATA is set")),
    }
}

/// Missing logs are never passed over in silence, and not at all where they must be there.
#[test]
fn tests_on_real_logs_are_skipped_loudly_or_fail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let missing = format!("the real logs are not there ({path})");
    assert_eq!(search(folder.path(), false), Search::Skip(missing.clone()));
    assert_eq!(search(folder.path(), true), Search::Fail(format!("{missing}, and STARLOG_REAL_DATA is set")));
    // A folder that was made but not filled is none.
    fs::create_dir(folder.path().join("online_retail_truth")).unwrap();
    assert_eq!(search(folder.path(), false), Search::Skip(missing));
    fs::write(folder.path().join("README.md"), "").unwrap();
    assert_eq!(search(folder.path(), false), Search::Found);
    assert_eq!(search(folder.path(), true), Search::Found);
}

/// The named columns of a truth.
pub fn read(file: &Path, columns: &[&str]) -> Rows {
    let text = match file.extension().is_some_and(|extension| extension == "gz") {
        true => {
            let mut text = String::new();
            GzDecoder::new(File::open(file).unwrap()).read_to_string(&mut text).unwrap();
            text
        }
        false => fs::read_to_string(file).unwrap(),
    };
    assert!(!text.contains('"'), "{} needs a real CSV reader", file.display());
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let places: Vec<usize> =
        columns.iter().map(|name| head.iter().position(|column| column == name).unwrap()).collect();
    let rows = lines.map(|line| places.iter().map(|&place| line[place].clone()).collect()).collect();
    Rows { columns: columns.iter().map(|&column| column.to_owned()).collect(), rows }
}

/// The first columns are what the numbers in the others are about.
pub fn cells(rows: Rows, keys: usize) -> Cells {
    let numbers = |values: Vec<String>| values.iter().map(|value| number(value)).collect();
    rows.by_key(keys).into_iter().map(|(key, values)| (key, numbers(values))).collect()
}

/// A number in ten-thousandths; `-` and nothing at all are zero.
fn number(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 4, "{text}");
    let parse = |digits: &str| if digits.is_empty() { 0 } else { digits.parse::<i128>().unwrap() };
    sign * (parse(whole) * 10_000 + parse(&format!("{part:0<4}")))
}

/// Every cell of a truth, and no other; shows what differs.
pub fn assert_true(what: &str, truth: &Cells, found: &Cells) {
    let keys = truth.keys().chain(found.keys().filter(|key| !truth.contains_key(*key)));
    let wrong: Vec<String> = keys
        .filter(|key| truth.get(*key) != found.get(*key))
        .map(|key| format!("{key:?}: the truth is {:?}, found {:?}", truth.get(key), found.get(key)))
        .collect();
    let shown = wrong.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{what}: {} of {} cells are wrong\n{shown}", wrong.len(), truth.len());
}
