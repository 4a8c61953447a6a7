//! Another trade: the hospital's tables, against those that a person worked out (`tests/pipelines/hospital.md`).

use crate::support::rows::assert_same;
use crate::support::{World, cases, repository};
use starlog::layout::Layout;
use starlog::nightly::Outcome;

#[test]
fn the_hospital_s_tables_are_those_worked_out_by_hand() {
    let text = std::fs::read_to_string(repository().join("tests/pipelines/hospital.md")).unwrap();
    let cases = cases::read(&text);
    assert_eq!(cases.iter().map(|case| case.questions.len()).sum::<usize>(), 11, "blocks of SQL");
    let world = World::new("tests/pipelines/hospital.toml");
    let report = world.run();
    let wrong: Vec<String> = cases.iter().flat_map(|case| world.differences(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let lines = report.lines;
    assert_eq!(
        (lines.read, lines.accepted, lines.duplicate, lines.rejected, lines.blank, lines.ignored),
        (44, 37, 1, 4, 1, 1)
    );
    let counts = report.counts.expect("the replay's counts");
    let held: Vec<_> = counts.held.iter().filter(|(_, held)| *held > 0).collect();
    assert_eq!(held, [&("procedures".to_owned(), 1)], "the void of a visit that never came");
}

/// What a second reader sees is what DuckDB sees, table by table, in the order of the files.
#[test]
fn every_table_reads_the_same_without_duckdb() {
    let world = World::new("tests/pipelines/hospital.toml");
    let report = world.run();
    assert_eq!(report.tables.len(), 8 + 11, "{:?}", report.tables);
    for table in &report.tables {
        let layout: Layout = table.layout.parse().unwrap();
        let found = world.table(layout, &table.name);
        let columns = found.columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let asked = world.ask(layout, &format!("SELECT {columns} FROM {}", table.name));
        assert_same(&format!("{layout}/{}", table.name), &asked.clone().sorted(), &found.clone().sorted());
        assert_eq!(found.rows.len() as u64, table.rows);
    }
}

/// A second run without anything new publishes nothing.
#[test]
fn a_run_without_news_changes_nothing() {
    let world = World::new("tests/pipelines/hospital.toml");
    assert_eq!(world.run().outcome, Outcome::Published);
    let again = world.run();
    assert_eq!((again.outcome, again.release), (Outcome::Unchanged, Some(1)));
    assert_eq!(again.lines.accepted, 0);
}
