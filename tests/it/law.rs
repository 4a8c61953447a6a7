//! The law (DESIGN 1) and the rules (DESIGN 4): cases with rows written by hand, and random logs against the oracle.

#![allow(clippy::panic, reason = "a law that does not hold ends the test")]

use crate::oracle::case::Case;
use crate::oracle::compare::differences;
use crate::oracle::cuts::{differences_by_cut, differences_by_month};
use crate::oracle::delivery::{self, Piece, cut, lines_of, nights_of, text_of};
use crate::oracle::engine::engine;
use crate::oracle::fit::violations;
use crate::oracle::nights::{differences_by_night, differences_in_the_end};
use crate::oracle::pipeline::{Draft, folder, load, pipeline_file};
use crate::oracle::random::{Random, random_log};
use crate::oracle::released::{released, star_of};
use crate::oracle::shrink::shrink;
use crate::oracle::{Row, Tables, Value, accept, expected};
use crate::support::World;
use rstest::rstest;
use serde_json::{Value as Json, json};
use starlog::layout::Layout;
use starlog::model::Model;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// What turns a log into tables.
type Engine = fn(&Model, &[String]) -> Tables;

fn oracle(model: &Model, log: &[String]) -> Tables {
    expected(model, &accept(model, log))
}

#[rstest]
fn a_case_written_by_hand_holds(
    #[files("tests/it/oracle/cases/*.case")] file: PathBuf,
    #[values(oracle, engine)] engine: Engine,
) {
    let text = std::fs::read_to_string(&file).expect("a case");
    let case = Case::read(&text);
    if let Some(differences) = case.differences(&engine(&case.model, &case.log)) {
        panic!("{}\n{differences}", text.lines().next().unwrap_or_default());
    }
}

/// At every length of a log, every version that is open has a slot (DESIGN 18).
#[rstest]
fn slots_are_enough(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    check(
        pipeline,
        |seed| random_log(&model, seed, 30),
        |log| attempt(|| (0..=log.len()).for_each(|length| drop(oracle(&model, &log[..length])))),
    );
}

/// Every table of every log, row by row (DESIGN 4).
#[rstest]
fn the_engine_agrees_with_the_oracle(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    let log = |seed: u64| random_log(&model, seed, 10 + (seed as usize * 7) % 120);
    check(pipeline, log, |log| {
        let expected = oracle(&model, log);
        let mut report = None;
        attempt(|| report = differences(&expected, &engine(&model, log))).or(report)
    });
}

/// What a legal log gives passes every check (DESIGN 31).
#[rstest]
fn what_is_right_may_be_published(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    // The checks of a log take longer than its replay, whatever its length: a few long ones will do.
    let log = |seed: u64| random_log(&model, seed, 300);
    check_each(pipeline, (0..seeds()).step_by(8), log, |log| {
        let mut report = None;
        attempt(|| report = violations(&model, log)).or(report)
    });
}

/// What waits for its line is not asked again at every placing: a header with tens of thousands of them ends (DESIGN 22).
#[test]
fn tens_of_thousands_wait_for_one_header() {
    let model = load("shop");
    let mut log = Vec::new();
    let mut say = |event_type: &str, day: u32, payload: Json| {
        let Json::Object(payload) = payload else { panic!("a payload") };
        let (id, time) = (format!("e{}", log.len()), format!("2024-01-{day:02}T00:00:00Z"));
        log.push(Draft { id, event_type: event_type.to_owned(), time, order: None, payload }.line(&model));
    };
    let item = |line_no: i64, product: &str, quantity: i64| json!({"line_no": line_no, "product_id": product, "quantity": quantity, "unit_price": "1.00"});
    // Each line is amended and returned before it is placed, by an event of its own, the last line first.
    let lines = 25_000;
    for line in 1..=lines {
        say("QuantityChanged", 1, json!({"order_id": "many lines", "line_no": line, "quantity": 3}));
        say("LineReturned", 1, json!({"order_id": "many lines", "line_no": line, "quantity": 3}));
    }
    for line in (1..=lines).rev() {
        say("OrderPlaced", 2, json!({"order_id": "many lines", "lines": [item(line, "mug", 1)]}));
    }
    // All of one product are returned before the last of many lines brings it.
    let (returns, others) = (50_000, 2_000);
    for _ in 0..returns {
        let back = json!({"order_id": "late product", "product_id": "mug", "quantity": 1});
        say("ProductReturned", 1, back);
    }
    for line in 1..=others {
        say("OrderPlaced", 2, json!({"order_id": "late product", "lines": [item(line, "cup", 1)]}));
    }
    say("OrderPlaced", 3, json!({"order_id": "late product", "lines": [item(others + 1, "mug", returns)]}));

    let tables = engine(&model, &log);
    let quantities = |table: &str, column: &str| -> Vec<i128> {
        let of = |row: &Row| match row.iter().find(|(name, _)| name == column) {
            Some((_, Value::Int(quantity))) => *quantity,
            other => panic!("{other:?}"),
        };
        tables[table].iter().map(of).collect()
    };
    let booked = quantities("fact_orders", "quantity");
    assert_eq!(booked.len() as i64, 4 * lines + returns + others + 1);
    assert_eq!(booked.iter().sum::<i128>(), i128::from(others));
    let left = quantities("fact_order_lines", "quantity_left");
    assert_eq!(left.len() as i64, lines + others + 1);
    assert_eq!(left.iter().filter(|left| **left != 0).count() as i64, others);
}

/// What a pipeline rejects at replay passes the checks, is counted, and is seen by having no row (DESIGN 22).
#[test]
fn a_rejected_reversal_is_counted_and_has_no_row() {
    let case = std::fs::read_to_string(folder("cases").join("rule_22_rejected.case")).expect("a case");
    let world = World::at(&pipeline_file("shop"));
    let report = world.run_on(&[world.write("shop.ndjson", Case::read(&case).log.join("\n") + "\n")]);
    assert_eq!((report.lines.accepted, report.lines.rejected), (9, 0));
    let counts = report.counts.expect("a release was built");
    assert_eq!(counts.over_reversed, [("orders".to_owned(), 5)], "four of them rejected, one booked");
    let seen = "SELECT _position FROM log.\"ProductReturned\" ANTI JOIN fact_orders ON position = _position ORDER BY 1";
    for layout in Layout::ALL {
        assert_eq!(world.ask(layout, seen).rows, [["2"], ["4"], ["5"], ["7"]]);
    }
}

/// A night that goes on from the tables of the one before ends where a replay of the whole log does (DESIGN 1).
#[rstest]
fn a_night_is_a_replay(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    let log = |seed: u64| random_log(&model, seed, 10 + (seed as usize * 7) % 120);
    // Every night is replayed as a whole as well: a third of the logs takes as long as the others.
    let log = |third: u64| log(3 * third + third % 3);
    check_each(pipeline, 0..seeds().div_ceil(3), log, |log| {
        // Nights of another length for every log.
        let nights: Vec<&[String]> = log.chunks(1 + (log.len() * 31) % 23).collect();
        let mut report = None;
        attempt(|| report = differences_by_night(&model, &nights)).or(report)
    });
}

/// A log that is seen up to a position is the log of then (DESIGN 1).
#[rstest]
fn a_cut_log_is_that_of_then(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    let log = |seed: u64| random_log(&model, seed, 60);
    check_each(pipeline, (0..seeds()).step_by(20), log, |log| {
        let nights: Vec<&[String]> = log.chunks(1 + log.len() / 3).collect();
        let mut report = None;
        attempt(|| report = differences_by_cut(&model, &nights, 13)).or(report)
    });
}

/// A month that is replayed alone is that of a replay of everything.
#[rstest]
fn a_month_alone_is_that_of_the_whole(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    let log = |seed: u64| random_log(&model, seed, 10 + (seed as usize * 7) % 120);
    check_each(pipeline, (0..seeds()).step_by(6), log, |log| {
        let mut report = None;
        attempt(|| report = differences_by_month(&model, log)).or(report)
    });
}

/// A late header event that says nothing new but a carried column changes the rows of lines all the same.
#[test]
fn a_late_header_changes_a_column_of_its_lines() {
    let opened = |at: &str, urgency: &str| {
        format!(
            r#"{{"at":"{at}","data":{{"doctor_id":"k3","hospital_code":"k0","patient_id":3,"urgency":"{urgency}","visit_id":2,"ward_no":1}},"what":"VisitOpened"}}"#
        )
    };
    let given = r#"{"at":"2024-10-25T09:00:00Z","data":{"amount":"7.0007","doctor_id":"k3","treatment_no":"k2","units":4,"visit_id":2},"what":"TreatmentGiven"}"#;
    let first = [opened("2024-10-25T06:30:00Z", "a"), given.to_owned()];
    let second = [opened("2024-10-25T06:20:00Z", "b")];
    assert_eq!(differences_by_night(&load("clinic"), &[&first, &second]), None);
}

/// However the log was cut into nights, in process: short logs, many of them (DESIGN 1).
#[test]
fn ten_thousand_logs_leave_no_trace() {
    check_cuts(10_000, 12, 5, |model, pieces| {
        let nights = nights_of(pieces);
        let nights: Vec<&[String]> = nights.iter().map(Vec::as_slice).collect();
        differences_in_the_end(model, &nights, &oracle(model, &nights.concat()))
    });
}

/// However the log was cut into nights and files, through Parquet, checks and publication: one root hash, and the
/// oracle's rows (DESIGN 1).
#[test]
fn three_hundred_logs_leave_no_trace_in_a_release() {
    check_cuts(300, 30, 2, |model, pieces| {
        let lines = lines_of(pieces);
        let at_once = released(model, &lines.iter().cloned().map(Piece::Line).collect::<Vec<_>>());
        let by_night = released(model, pieces);
        if at_once.root != by_night.root {
            let tables = differences(&at_once.tables, &by_night.tables);
            return Some(format!("another root hash than that of one run\n{}", tables.unwrap_or_default()));
        }
        differences(&star_of(model, oracle(model, &lines)), &by_night.tables)
    });
}

/// Asks of so many logs of all pipelines, each cut at random, what is wrong; panics with the smallest that fails. Most
/// logs have up to so many lines and come in up to so many nights, some have more.
fn check_cuts(
    seeds: u64,
    lines: usize,
    nights: usize,
    broken: impl Fn(&Model, &[Piece]) -> Option<String> + Sync,
) {
    let pipelines = ["shop", "clinic", "network"].map(|name| (name, load(name)));
    let broken = |model: &Model, pieces: &[Piece]| {
        let mut report = None;
        attempt(|| report = broken(model, pieces)).or(report)
    };
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let seeds = seeds_or(seeds);
    let of_seed = |seed: u64| {
        let (name, model) = &pipelines[(seed % 3) as usize];
        let mut random = Random::new(!seed);
        let lines = 3 + random.below(if seed.is_multiple_of(16) { 3 * lines } else { lines });
        let nights = delivery::nights(nights, &mut random);
        (*name, model, cut(&random_log(model, seed, lines), nights, &mut random))
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds || failed.load(Ordering::SeqCst) != u64::MAX {
                        break;
                    }
                    let (_, model, pieces) = of_seed(seed);
                    if broken(model, &pieces).is_some() {
                        failed.fetch_min(seed, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let seed = failed.load(Ordering::SeqCst);
    if seed != u64::MAX {
        let (name, model, pieces) = of_seed(seed);
        let smallest = shrink(&pieces, |pieces| broken(model, pieces).is_some());
        let why = broken(model, &smallest).unwrap_or_default();
        panic!("{name}, seed {seed}, the smallest log that fails:\n{}\n\n{why}", text_of(&smallest));
    }
}

/// How many random logs; another number of them by the environment.
fn seeds_or(seeds: u64) -> u64 {
    std::env::var("STARLOG_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(seeds)
}

/// How many of each pipeline.
fn seeds() -> u64 {
    seeds_or(60)
}

/// Panics with the smallest log that fails.
fn check(pipeline: &str, log: impl Fn(u64) -> Vec<String>, broken: impl Fn(&[String]) -> Option<String>) {
    check_each(pipeline, 0..seeds(), log, broken);
}

/// The same of some seeds.
fn check_each(
    pipeline: &str,
    seeds: impl Iterator<Item = u64>,
    log: impl Fn(u64) -> Vec<String>,
    broken: impl Fn(&[String]) -> Option<String>,
) {
    for seed in seeds {
        let log = log(seed);
        if broken(&log).is_some() {
            let smallest = shrink(&log, |log| broken(log).is_some());
            let why = broken(&smallest).unwrap_or_default();
            panic!("{pipeline}, seed {seed}, the smallest log that fails:\n{}\n\n{why}", smallest.join("\n"));
        }
    }
}

/// What a panic said, if there was one.
fn attempt(question: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(question)).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    Some(text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
}
