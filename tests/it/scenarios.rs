//! The rules of slowly changing dimensions, one small log each (`tests/pipelines/club.md`), and what a longer log may not change.

use crate::support::cases::{self, Case};
use crate::support::{World, repository};
use rstest::rstest;
use starlog::layout::Layout;
use std::collections::BTreeMap;
use std::fs;

fn cases() -> Vec<Case> {
    cases::read(&fs::read_to_string(repository().join("tests/pipelines/club.md")).unwrap())
}

/// `01-31 Type field=value …` → a line of the log. A number is one, `-` is null, everything else is text.
fn event(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (day, event_type) = (words.next().unwrap(), words.next().unwrap());
    let field = |word: &str| {
        let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} in {line}"));
        match value {
            "-" => format!(",\"{name}\":null"),
            _ if value.parse::<i64>().is_ok() && name != "joined" => format!(",\"{name}\":{value}"),
            _ => format!(",\"{name}\":\"{value}\""),
        }
    };
    let fields: String = words.map(field).collect();
    format!("{{\"type\":\"{event_type}\",\"time\":\"2024-{day}T00:00:00Z\"{fields}}}\n")
}

fn log(lines: &[String]) -> String {
    lines.iter().map(|line| event(line)).collect()
}

#[test]
fn every_scenario_ends_as_a_person_worked_it_out() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 11, "{}", cases.len());
    for case in &cases {
        let world = World::new("tests/pipelines/club.toml");
        let report = world.run_on(&[world.write("club.ndjson", log(&case.log))]);
        assert_eq!(report.lines.accepted, case.log.len() as u64, "{}: {:?}", case.heading, report.rejects);
        wrong.extend(world.differences(case));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// (table, natural key, `valid_from`) → key, of every entity.
type Keys = BTreeMap<(String, Vec<String>, String), String>;

fn keys(world: &World) -> Keys {
    let mut keys = Keys::new();
    let tables: Vec<String> =
        world.release().tables(Layout::Snowflake).map(|(name, _)| name.to_owned()).collect();
    for name in tables.into_iter().filter(|name| name.starts_with("dim_")) {
        let table = world.table(Layout::Snowflake, &name);
        // Levels of plain columns have no intervals, and a fact holds none of their keys.
        let Some(from) = table.columns.iter().position(|column| column == "valid_from") else { continue };
        let level = name.strip_prefix("dim_").unwrap();
        let dimension = world.model().dimensions.iter().flat_map(|dimension| &dimension.entities);
        let natural =
            dimension.filter(|entity| entity.name == level).map(|entity| entity.key.len()).sum::<usize>();
        for row in table.rows.into_iter().filter(|row| !row[0].starts_with('-')) {
            let member = (name.clone(), row[1..=natural].to_vec(), row[from].clone());
            let before = keys.insert(member.clone(), row[0].clone());
            assert_eq!(before, None, "two versions from one instant: {member:?}");
        }
    }
    keys
}

/// A longer log only adds keys: a version that is in both has the same one, a key never goes to something else, and an
/// inferred member keeps its own.
fn assert_kept(what: &str, before: &Keys, after: &Keys) {
    let bearers: BTreeMap<(&str, &str), (&Vec<String>, &str)> = after
        .iter()
        .map(|((table, member, from), key)| ((table.as_str(), key.as_str()), (member, from.as_str())))
        .collect();
    for (version, key) in before {
        let (table, member, from) = version;
        let is_inferred = from.starts_with("0001-01-01");
        if let Some(now) = after.get(version) {
            assert_eq!(now, key, "{what}: {version:?}");
        }
        match bearers.get(&(table.as_str(), key.as_str())) {
            Some((bearer, since)) => {
                assert_eq!(bearer, &member, "{what}: key {key} of {table} has gone to another member");
                assert!(
                    is_inferred || since == from,
                    "{what}: key {key} of {table} has gone to another time"
                );
            }
            None => assert!(!is_inferred, "{what}: the inferred {version:?} has lost its key {key}"),
        }
    }
}

#[rstest]
#[case::hospital("tests/pipelines/hospital.toml", 12)]
#[case::retail("pipelines/retail.toml", 5)]
fn a_longer_log_moves_no_key(#[case] pipeline: &str, #[case] nights: usize) {
    let world = World::new(pipeline);
    let files = starlog::log::expand(&world.model().log.base, &world.model().log.files).unwrap();
    let all: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let lines: Vec<&[u8]> = all.split_inclusive(|&byte| byte == b'\n').collect();
    let mut before = Keys::new();
    for night in 1..=nights {
        let prefix = lines[..lines.len() * night / nights].concat();
        world.run_on(&[world.write("growing.ndjson", prefix)]);
        let after = keys(&world);
        assert!(!after.is_empty());
        assert_kept(&format!("{pipeline}, night {night}"), &before, &after);
        before = after;
    }
}

/// The same of each scenario, event by event: here versions split, vanish and are filled in.
#[test]
fn no_event_of_a_scenario_moves_a_key() {
    for case in cases() {
        let world = World::new("tests/pipelines/club.toml");
        let mut before = Keys::new();
        for length in 1..=case.log.len() {
            world.run_on(&[world.write("club.ndjson", log(&case.log[..length]))]);
            let after = keys(&world);
            assert_kept(&format!("{}, {}", case.heading, case.log[length - 1]), &before, &after);
            before = after;
        }
    }
}
