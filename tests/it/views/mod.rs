//! Views: after every night each is what its definition gives from the release's tables, and what one run over the whole
//! log gives, byte for byte (DESIGN 29, 30).

mod declared;
mod night;
mod random;
mod written;

use crate::oracle::pipeline::pipeline_file;
use crate::support::World;
use starlog::layout::Layout;
use starlog::nightly::{Options, RunReport};
use starlog::views::Way;
use std::fs;
use std::path::Path;

/// A pipeline of the law with views, in the folder of a world.
fn write_pipeline(folder: &Path, name: &str, views: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let pipeline = fs::read_to_string(pipeline_file(name)).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    let path = folder.join("pipeline.toml");
    fs::write(&path, pipeline + "\n" + views).unwrap();
    path
}

/// The shop of the law, with these views.
fn shop(views: &str, files: &[(&str, &str)]) -> World {
    let folder = crate::support::memory_folder();
    let pipeline = write_pipeline(folder.path(), "shop", views, files);
    World::within(folder, &pipeline)
}

/// One event of the shop: `at` is `2024-10-05 12:00`.
fn event(world: &World, number: &mut u32, event_type: &str, at: &str, payload: &str) -> String {
    *number += 1;
    let envelope = &world.model().log.envelope;
    assert_eq!(envelope.id.as_deref(), Some("id"));
    let time = at.replace(' ', "T");
    format!(
        r#"{{"id":"e{number}","event_type":"{event_type}","timestamp":"{time}:00Z","payload":{payload}}}"#
    )
}

/// A night of its own file.
fn night(world: &World, file: &str, lines: &[String]) -> RunReport {
    let file = world.write(file, lines.join("\n") + "\n");
    world.run_with(&Options { layouts: Vec::new(), log: vec![file], ..world.options() })
}

/// How a view came to be.
fn way(report: &RunReport, view: &str) -> Way {
    let view = report.views.iter().find(|known| known.name == view).expect("a view");
    view.way.expect("a release was made")
}

/// A view as a table of text, without its count of rows.
fn rows(world: &World, sql: &str) -> Vec<Vec<String>> {
    let [one, other] = [Layout::ALL[0], Layout::ALL[1]].map(|layout| {
        let release = world.release();
        let built = release.layouts().unwrap();
        world.ask(if built.contains(&layout) { layout } else { built[0] }, sql)
    });
    assert_eq!(one, other, "the same table in every layout");
    one.rows
}
