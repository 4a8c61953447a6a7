//! The one law (DESIGN 1): the same log gives the same bytes, however it was cut and wherever it was read.

use crate::support::second_reader::files;
use crate::support::{World, load, repository};
use rstest::rstest;
use starlog::nightly::Options;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PIPELINES: [&str; 2] = ["pipelines/retail.toml", "tests/pipelines/hospital.toml"];

/// Every data file of the current release, by its path in there.
fn data_files(warehouse: &Path) -> BTreeMap<String, Vec<u8>> {
    let release = warehouse.join("current");
    let name = |path: &Path| path.strip_prefix(&release).unwrap().to_str().unwrap().to_owned();
    let found: BTreeMap<_, _> = files(&release)
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "parquet"))
        .map(|path| (name(path), fs::read(path).unwrap()))
        .collect();
    assert!(found.len() > 10, "only {} data files in {}", found.len(), release.display());
    found
}

fn assert_same_bytes(what: &str, expected: &Path, found: &Path) {
    let (expected, found) = (data_files(expected), data_files(found));
    let names: Vec<_> = expected.keys().collect();
    assert_eq!(names, found.keys().collect::<Vec<_>>(), "{what}: not the same files");
    let differ: Vec<_> = names.into_iter().filter(|name| expected[*name] != found[*name]).collect();
    assert!(differ.is_empty(), "{what}: other bytes in {differ:?}");
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    for pipeline in PIPELINES {
        let one = World::new(pipeline);
        one.run_with(&Options { threads: Some(1), ..one.options() });
        for threads in [2, 7] {
            let many = World::new(pipeline);
            many.run_with(&Options { threads: Some(threads), ..many.options() });
            let what = format!("{pipeline}, {threads} threads");
            assert_same_bytes(&what, &one.warehouse(), &many.warehouse());
        }
    }
}

/// Two runs of a log that was cut: after its first line, inside a line of a growing file, into two files.
#[rstest]
#[case::after_the_first_line("first line")]
#[case::inside_a_line("half of the bytes")]
#[case::between_lines("two files")]
fn nights_write_the_same_bytes_as_one_run(#[case] cut: &str) {
    for pipeline in PIPELINES {
        let whole = World::new(pipeline);
        let all: Vec<u8> = log_of(pipeline).iter().flat_map(|file| fs::read(file).unwrap()).collect();
        let at = match cut {
            "first line" => all.iter().position(|&byte| byte == b'\n').unwrap() + 1,
            "half of the bytes" => {
                let half = all.len() / 2;
                // Not at an end of a line.
                half + all[half..].iter().position(|&byte| byte == b',').unwrap()
            }
            _ => {
                let half = all.len() / 2;
                half + all[half..].iter().position(|&byte| byte == b'\n').unwrap() + 1
            }
        };
        whole.run_on(&[whole.write("whole.ndjson", &all)]);

        let nights = World::new(pipeline);
        let file = nights.write("growing.ndjson", &all[..at]);
        nights.run_on(std::slice::from_ref(&file));
        match cut {
            "two files" => {
                let second = nights.write("second.ndjson", &all[at..]);
                nights.run_on(&[file, second]);
            }
            _ => {
                fs::write(&file, &all).unwrap();
                nights.run_on(&[file]);
            }
        }
        assert_same_bytes(&format!("{pipeline}, {cut}"), &whole.warehouse(), &nights.warehouse());
    }
}

/// The files that a pipeline names, in natural order.
fn log_of(pipeline: &str) -> Vec<PathBuf> {
    let model = load(&repository().join(pipeline));
    starlog::log::expand(&model.log.base, &model.log.files).unwrap()
}

/// A machine in another time zone, of another language; another folder; as many threads as it likes.
#[test]
fn another_machine_writes_the_same_bytes() {
    for pipeline in PIPELINES {
        let here = World::new(pipeline);
        here.run();
        let there = World::new(pipeline);
        let elsewhere = there.path("another folder, with ünïcode");
        let output = Command::new(env!("CARGO_BIN_EXE_starlog"))
            .arg("run")
            .arg(repository().join(pipeline))
            .args(["--layout", "star,snowflake", "--warehouse"])
            .arg(&elsewhere)
            .current_dir("/")
            .env_clear()
            .envs([("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_same_bytes(pipeline, &here.warehouse(), &elsewhere);
    }
}

/// The log and its pipeline may lie anywhere.
#[test]
fn a_log_in_another_folder_is_the_same_log() {
    let here = World::new("pipelines/retail.toml");
    here.run();
    let there = World::new("pipelines/retail.toml");
    let moved = there.path("moved");
    for folder in ["pipelines", "data/retail"] {
        fs::create_dir_all(moved.join(folder)).unwrap();
        for file in files(&repository().join(folder)) {
            fs::copy(&file, moved.join(folder).join(file.file_name().unwrap())).unwrap();
        }
    }
    let world = World::at(&moved.join("pipelines/retail.toml"));
    world.run();
    assert_same_bytes("moved", &here.warehouse(), &world.warehouse());
}
