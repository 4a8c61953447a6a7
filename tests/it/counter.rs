//! A shop that keeps no events: its tables, from what Debezium tells of changes of rows (`tests/pipelines/counter.md`).

use crate::support::{World, cases, repository};
use starlog::nightly::Outcome;

#[test]
fn the_counter_s_tables_are_those_worked_out_by_hand() {
    let text = std::fs::read_to_string(repository().join("tests/pipelines/counter.md")).unwrap();
    let cases = cases::read(&text);
    assert_eq!(cases.iter().map(|case| case.questions.len()).sum::<usize>(), 4, "blocks of SQL");
    let world = World::new("tests/pipelines/counter.toml");
    let report = world.run();
    let wrong: Vec<String> = cases.iter().flat_map(|case| world.differences(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let lines = report.lines;
    assert_eq!(
        (lines.read, lines.accepted, lines.duplicate, lines.rejected, lines.blank, lines.ignored),
        (23, 16, 1, 1, 2, 3)
    );
    assert_eq!(world.run().outcome, Outcome::Unchanged);
}
