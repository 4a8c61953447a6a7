//! The law (DESIGN 1) and the rules (DESIGN 4): cases with rows written by hand, and random logs against the oracle.

#![allow(clippy::panic, reason = "a law that does not hold ends the test")]

use crate::oracle::case::Case;
use crate::oracle::compare::differences;
use crate::oracle::pipeline::load;
use crate::oracle::random::random_log;
use crate::oracle::shrink::shrink;
use crate::oracle::{Tables, accept, expected};
use rstest::rstest;
use starlog::model::Model;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// What turns a log into tables.
type Engine = fn(&Model, &[String]) -> Tables;

fn oracle(model: &Model, log: &[String]) -> Tables {
    expected(model, &accept(model, log))
}

#[rstest]
fn a_case_written_by_hand_holds(
    #[files("tests/it/oracle/cases/*.case")] file: PathBuf,
    #[values(oracle)] engine: Engine,
) {
    let text = std::fs::read_to_string(&file).expect("a case");
    let case = Case::read(&text);
    if let Some(differences) = case.differences(&engine(&case.model, &case.log)) {
        panic!("{}\n{differences}", text.lines().next().unwrap_or_default());
    }
}

/// Every version has a slot at every length of the log, and a longer log never moves a key (DESIGN 18).
#[rstest]
fn a_longer_log_only_adds_keys(#[values("shop", "clinic", "network")] pipeline: &str) {
    let model = load(pipeline);
    for seed in 0..60 {
        let log = random_log(&model, seed, 30);
        let broken = |log: &[String]| {
            std::iter::successors(Some(log.len()), |n| n.checked_sub(1)).find_map(|n| {
                attempt(|| {
                    oracle(&model, &log[..n]);
                    None
                })
            })
        };
        if broken(&log).is_some() {
            report(pipeline, seed, &log, broken);
        }
    }
}

fn attempt(question: impl FnOnce() -> Option<String>) -> Option<String> {
    catch_unwind(AssertUnwindSafe(question)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Some(text.unwrap_or_else(|| panic.downcast_ref::<&str>().copied().unwrap_or("a panic").to_owned()))
    })
}

/// Panics with the smallest log that fails.
fn report(pipeline: &str, seed: u64, log: &[String], broken: impl Fn(&[String]) -> Option<String>) -> ! {
    let smallest = shrink(log, |log| broken(log).is_some());
    let why = broken(&smallest).unwrap_or_default();
    panic!(
        "pipeline {pipeline}, seed {seed}: the smallest log that fails is\n{}\n\n{why}",
        smallest.join("\n")
    );
}

#[allow(dead_code)]
fn agree(pipeline: &str, engine: Engine, seeds: std::ops::Range<u64>) {
    let model = load(pipeline);
    for seed in seeds {
        let log = random_log(&model, seed, 10 + (seed as usize * 7) % 120);
        let broken = |log: &[String]| attempt(|| differences(&oracle(&model, log), &engine(&model, log)));
        if broken(&log).is_some() {
            report(pipeline, seed, &log, broken);
        }
    }
}
