//! Joining the snowflake gives the star back, row for row, for all dimensions of all pipelines (DESIGN 24).

use crate::support::World;
use crate::support::rows::{Rows, assert_same};
use crate::support::second_reader::files;
use crate::support::truth::real_data;
use rstest::rstest;
use starlog::layout::Layout;
use starlog::nightly::RunReport;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;

#[rstest]
#[case("pipelines/retail.toml")]
#[case("pipelines/online_retail.toml")]
#[case("pipelines/adventureworks.toml")]
#[case("tests/pipelines/hospital.toml")]
fn the_snowflake_joined_is_the_star(#[case] pipeline: &str) {
    let is_real = ["online_retail", "adventureworks"].iter().any(|name| pipeline.contains(name));
    if is_real && real_data(pipeline).is_none() {
        return;
    }
    let world = World::new(pipeline);
    let report = world.run();
    let levels = tables(&report, "snowflake");
    let dimensions: Vec<String> = tables(&report, "star")
        .into_iter()
        .filter(|name| name.starts_with("dim_") && name != "dim_date")
        .collect();
    assert!(dimensions.len() >= 3, "{dimensions:?}");
    for name in &dimensions {
        let star = world.table(Layout::Star, name);
        assert_same(name, &star, &joined(&world, name, &levels, &star.columns));
        // The same by the SQL that a user has for it, on either layout.
        let sql = format!("SELECT * FROM star.{name} ORDER BY {}", star.columns[0]);
        for layout in Layout::ALL {
            assert_same(&format!("star.{name} on the {layout}"), &star, &world.ask(layout, &sql));
        }
    }
    for name in tables(&report, "star").iter().filter(|name| name.starts_with("fact_")) {
        let inodes = |layout| -> Vec<(String, u64)> {
            let folder = world.table_folder(layout, name);
            let inode = |file: &std::path::PathBuf| {
                (file.strip_prefix(&folder).unwrap().display().to_string(), file.metadata().unwrap().ino())
            };
            files(&folder).iter().map(inode).collect()
        };
        assert_eq!(inodes(Layout::Star), inodes(Layout::Snowflake), "{name} is one set of files");
    }
}

fn tables(report: &RunReport, layout: &str) -> BTreeSet<String> {
    report.tables.iter().filter(|table| table.layout == layout).map(|table| table.name.clone()).collect()
}

/// Follows each `<level>_key` to the table of that level, row by row, and shows the star's columns.
fn joined(world: &World, name: &str, levels: &BTreeSet<String>, columns: &[String]) -> Rows {
    let bottom = world.table(Layout::Snowflake, name);
    let mut tables = BTreeMap::new();
    let row = |row: &Vec<String>,
               tables: &mut BTreeMap<String, BTreeMap<String, Vec<String>>>,
               heads: &mut BTreeMap<String, Vec<String>>| {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut at = (name.to_owned(), bottom.columns.clone(), row.clone());
        loop {
            let mut next = None;
            for (column, value) in at.1.iter().zip(&at.2) {
                let level = column.strip_suffix("_key").map(|level| format!("dim_{level}"));
                match level.filter(|level| *level != at.0 && levels.contains(level)) {
                    Some(level) => {
                        assert!(next.replace((level, value.clone())).is_none(), "two parents in {}", at.0)
                    }
                    // A level's own columns come before those of the levels above it.
                    None => _ = values.entry(column.clone()).or_insert_with(|| value.clone()),
                }
            }
            let Some((level, key)) = next else { break };
            let table = tables.entry(level.clone()).or_insert_with(|| {
                let table = world.table(Layout::Snowflake, &level);
                heads.insert(level.clone(), table.columns.clone());
                let keys = table.rows.into_iter().map(|row| (row[0].clone(), row));
                keys.collect()
            });
            let parent = table.get(&key).unwrap_or_else(|| panic!("{level} has no row {key}")).clone();
            at = (level.clone(), heads[&level].clone(), parent);
        }
        columns.iter().map(|column| values[column].clone()).collect()
    };
    let mut heads = BTreeMap::new();
    let rows = bottom.rows.iter().map(|each| row(each, &mut tables, &mut heads)).collect();
    Rows { columns: columns.to_vec(), rows }
}
