//! Is what `starlog plan` says what the run then does?

use crate::support::World;
use starlog::disk::Disk;
use starlog::nightly::{self, Build, Options, Outcome};
use starlog::views::Way;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// All lines of a pipeline's log.
fn lines(folder: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let all: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    all.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Every file below a folder with its inode, its size and when it was changed.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u64, u64, i64, i64)> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            files.extend(tree(&path));
        }
        files.insert(path, (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()));
    }
    files
}

/// The hash and size of each file of the tables of the current release.
fn files(world: &World) -> BTreeMap<String, (String, u64)> {
    let release = world.release();
    let tables = release.manifest().layouts.values().flat_map(|tables| tables.values());
    let files = tables.flat_map(|table| &table.files);
    files.map(|file| (file.path.clone(), (file.blake3.clone(), file.bytes))).collect()
}

fn plan(world: &World, options: &Options) -> nightly::Plan {
    let scratch = tempfile::tempdir().unwrap();
    nightly::plan(world.model(), options, scratch.path(), &Disk::default(), &()).unwrap()
}

/// Plans a night, runs it, and compares; says whether only what the night touched was checked.
fn walk(world: &World, log: &[String], build: Build) -> bool {
    let options = Options { log: log.to_vec(), ..world.options() };
    let untouched = tree(&world.warehouse());
    let plan = plan(world, &options);
    assert_eq!(tree(&world.warehouse()), untouched, "a plan changes nothing");
    assert_eq!(plan.build, build);
    let before = if plan.release.is_some() { files(world) } else { BTreeMap::new() };
    let report = world.run_with(&options);
    assert_eq!(report.outcome, Outcome::Published);
    let now = files(world);

    assert_eq!(plan.ingest.lines, report.lines);
    assert_eq!(plan.ingest.log_position, report.log_position);
    assert_eq!(plan.ingest.rejects, report.rejects);
    let rows = |layout: &str, name: &str, rows: u64| (layout.to_owned(), name.to_owned(), rows);
    let planned: BTreeSet<_> =
        plan.tables.iter().map(|table| rows(&table.layout, &table.name, table.rows)).collect();
    let made: BTreeSet<_> =
        report.tables.iter().map(|table| rows(&table.layout, &table.name, table.rows)).collect();
    assert_eq!(planned, made);
    let ways = |view: &str| report.views.iter().find(|made| made.name == view).and_then(|made| made.way);
    for planned in &plan.views {
        let made = ways(&planned.view);
        // What changes in a table may be nothing that a view shows.
        let is_kept = planned.way == Way::Incremental && made == Some(Way::Kept);
        assert!(made == Some(planned.way) || is_kept, "{planned:?}: {made:?}");
    }
    assert_eq!(plan.views.len(), report.views.len());
    let written: BTreeMap<&String, u64> =
        plan.tables.iter().flat_map(|table| &table.written).map(|file| (&file.path, file.bytes)).collect();
    let other = now.iter().filter(|(path, file)| before.get(*path) != Some(file));
    assert_eq!(written, other.map(|(path, (_, bytes))| (path, *bytes)).collect());
    let removed: BTreeSet<&String> = plan.tables.iter().flat_map(|table| &table.removed).collect();
    assert_eq!(removed, before.keys().filter(|path| !now.contains_key(*path)).collect());
    let counted = plan.tables.iter().map(|table| table.kept_files + table.written.len()).sum::<usize>();
    assert_eq!(counted, now.len());
    for table in plan.tables.iter().filter(|_| build == Build::Night) {
        let sum = |part: fn(&nightly::FilePlan) -> u64| table.written.iter().map(part).sum::<u64>();
        let known = table.removed.is_empty().then_some(table.rows_before);
        let expected =
            known.map(|rows| rows + sum(|file| file.changes.added) - sum(|file| file.changes.removed));
        assert!(expected.is_none_or(|rows| rows == table.rows), "{table:?}");
    }
    !report.checked_all
}

#[test]
fn a_plan_is_what_the_run_then_does() {
    for (pipeline, log) in
        [("pipelines/retail.toml", "data/retail"), ("tests/pipelines/hospital.toml", "tests/pipelines")]
    {
        let lines = lines(log);
        let world = World::new(pipeline);
        let mut named = Vec::new();
        let cuts = [0, lines.len() * 7 / 10, lines.len() * 8 / 10, lines.len() * 9 / 10, lines.len()];
        for (night, cut) in cuts.windows(2).enumerate() {
            named.push(world.write(&format!("{night}.ndjson"), lines[cut[0]..cut[1]].concat()));
            let build = if night == 0 { Build::First } else { Build::Night };
            let is_part = walk(&world, &named, build);
            assert_eq!(is_part, night > 0, "{pipeline}: night {night} is checked where it touched something");
        }
        let nothing = plan(&world, &Options { log: named, ..world.options() });
        assert_eq!(nothing.build, Build::Nothing);
        assert!(nothing.tables.is_empty());
    }
}

#[test]
fn a_changed_pipeline_is_announced() {
    let mut world = World::new("pipelines/retail.toml");
    world.run();
    let text = fs::read_to_string("pipelines/retail.toml").unwrap();
    let files = fs::canonicalize("data/retail").unwrap();
    let text = text.replace("../data/retail", files.to_str().unwrap());
    let changed = text.replacen("tracking = \"history\"", "tracking = \"overwrite\"", 1);
    assert_ne!(changed, text);
    world.write("best_sellers.sql", fs::read_to_string("pipelines/best_sellers.sql").unwrap());
    let file = world.write("retail.toml", &changed);
    world.change_pipeline(Path::new(&file));
    let plan = plan(&world, &world.options());
    assert_eq!(plan.build, Build::Rebuild);
    assert_eq!(plan.because, ["the pipeline has changed since release 1"]);
    assert!(plan.tables.iter().any(|table| table.kept_files > 0), "what comes out the same is kept");
    assert_eq!(world.run().because, plan.because);
}
