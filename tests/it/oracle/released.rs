//! The real thing whole: a log delivered night by night, each ingested, built, checked and published, to the root hash
//! and the tables of the last release.

use super::delivery::{Piece, deliver};
use super::engine::rows;
use super::{Row, Tables};
use crate::support::memory_folder;
use crate::support::second_reader::read;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::model::Model;
use starlog::nightly::{self, Options};
use starlog::warehouse::{Release, Warehouse};

/// What a log ends in.
pub struct Released {
    /// Of all files of the release.
    pub root: String,
    /// Those of the star: the facts, the dates' keys, and a dimension each.
    pub tables: Tables,
}

/// The last release of a log that came like this.
pub fn released(model: &Model, pieces: &[Piece]) -> Released {
    with_release(model, pieces, |release| {
        let star = release.dir().join(Layout::ALL[0].to_string());
        let mut tables = Tables::new();
        for (name, _) in release.tables(Layout::ALL[0]) {
            let mut found = rows(&read(&star.join(name), None));
            if name == "dim_date" {
                found.iter_mut().for_each(|row| row.retain(|(name, _)| name == "date_key"));
            }
            tables.insert(name.to_owned(), found);
        }
        Released { root: release.manifest().blake3.clone(), tables }
    })
}

/// Its root hash alone.
pub fn root_hash(model: &Model, pieces: &[Piece]) -> String {
    with_release(model, pieces, |release| release.manifest().blake3.clone())
}

fn with_release<T>(model: &Model, pieces: &[Piece], take: impl Fn(&Release) -> T) -> T {
    let folder = memory_folder();
    let (source, warehouse) = (folder.path().join("source"), folder.path().join("warehouse"));
    std::fs::create_dir(&source).expect("a folder");
    let options = Options {
        warehouse: warehouse.clone(),
        layouts: Layout::ALL.to_vec(),
        log: vec![source.join("*").to_str().expect("a path").to_owned()],
        threads: Some(1),
        memory_bytes: None,
        started: "2026-11-23T00:00:00Z".to_owned(),
    };
    deliver(pieces, &source, || {
        let report = nightly::run(model, &options, &Disk::default(), &()).expect("a night");
        assert!(report.failed_files.is_empty(), "a file was refused");
    });
    let release = Warehouse::open(&warehouse).expect("a warehouse").current().expect("a pointer");
    let taken = take(&release.expect("a release"));
    let _ = Disk::default().remove_dir_all(&warehouse);
    taken
}

/// Of what an oracle expects, what stands in a star.
pub fn star_of(model: &Model, mut expected: Tables) -> Tables {
    expected.retain(|name, _| match name.strip_prefix("dim_") {
        Some(dimension) => {
            dimension == "date" || model.dimensions.iter().any(|known| known.name == dimension)
        }
        None => true,
    });
    let columns = |row: &mut Row| row.retain(|(name, _)| name != "_parent_key");
    expected.values_mut().flatten().for_each(columns);
    expected
}
