//! What the acceptance tests share: a pipeline run into a folder of its own, and its tables read back.
//!
//! Tables are read in two ways that know nothing of each other: by SQL through a [`Session`], and by the
//! `parquet` crate from the plain files below `current`.

pub mod cases;
pub mod nights;
pub mod rows;
pub mod second_reader;
pub mod truth;

use rows::Rows;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::model::{self, Model};
use starlog::nightly::{self, Options, RunReport};
use starlog::query::{self, Session};
use starlog::warehouse::{Release, Warehouse};
use std::path::{Path, PathBuf};

/// A pipeline, and the folder that it is run into. The folder goes with the value.
pub struct World {
    folder: tempfile::TempDir,
    model: Model,
}

impl World {
    /// The pipeline of this file, relative to the package's folder.
    pub fn new(pipeline: &str) -> Self {
        Self::at(&repository().join(pipeline))
    }

    /// The pipeline of this file.
    pub fn at(pipeline: &Path) -> Self {
        Self::within(tempfile::tempdir().unwrap(), pipeline)
    }

    /// The pipeline of this file, to be run in this folder.
    pub fn within(folder: tempfile::TempDir, pipeline: &Path) -> Self {
        Self { folder, model: load(pipeline) }
    }

    /// From now on the pipeline is the one of this file; the warehouse stays.
    pub fn change_pipeline(&mut self, pipeline: &Path) {
        self.model = load(pipeline);
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the warehouse and returns its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn warehouse(&self) -> PathBuf {
        self.path("warehouse")
    }

    /// How a run of the pipeline's own files into both layouts is done.
    pub fn options(&self) -> Options {
        Options {
            warehouse: self.warehouse(),
            layouts: Layout::ALL.to_vec(),
            log: Vec::new(),
            threads: Some(2),
            memory_bytes: None,
            started: "2026-11-23T00:00:00Z".to_owned(),
        }
    }

    /// Runs the pipeline on the files that it names.
    pub fn run(&self) -> RunReport {
        self.run_with(&self.options())
    }

    /// Runs the pipeline on these files.
    pub fn run_on(&self, log: &[String]) -> RunReport {
        self.run_with(&Options { log: log.to_vec(), ..self.options() })
    }

    pub fn run_with(&self, options: &Options) -> RunReport {
        self.try_run(options).unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub fn try_run(&self, options: &Options) -> starlog::error::Result<RunReport> {
        nightly::run(&self.model, options, &Disk::default(), &())
    }

    /// Asks both layouts each question of a case; returns what is not as expected.
    pub fn differences(&self, case: &cases::Case) -> Vec<String> {
        let mut differences = Vec::new();
        for layout in Layout::ALL {
            for (sql, expected) in &case.questions {
                let found = self.ask(layout, sql);
                if found != *expected {
                    let heading = &case.heading;
                    differences
                        .push(format!("{heading} ({layout})\n{sql}\nexpected\n{expected}\nfound\n{found}\n"));
                }
            }
        }
        differences
    }

    /// Asks the current release in one layout.
    pub fn ask(&self, layout: Layout, sql: &str) -> Rows {
        let session = Session::open(&query::describe(&self.release(), layout, &self.warehouse())).unwrap();
        let questions = session.questions(sql).unwrap();
        assert_eq!(questions.len(), 1, "one question at a time: {sql}");
        let mut answer = session.ask(&questions[0]).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let mut batches = Vec::new();
        while let Some(batch) = answer.next_batch().unwrap() {
            batches.push(batch);
        }
        Rows::of(answer.schema(), &batches)
    }

    pub fn release(&self) -> Release {
        Warehouse::open(&self.warehouse()).unwrap().current().unwrap().expect("a release")
    }

    /// A table of the current release, whole, as the second reader sees it.
    pub fn table(&self, layout: Layout, name: &str) -> Rows {
        let batch = second_reader::read(&self.table_folder(layout, name), None);
        Rows::of(&batch.schema(), &[batch])
    }

    /// Where a reader that knows nothing of manifests finds a table.
    pub fn table_folder(&self, layout: Layout, name: &str) -> PathBuf {
        self.warehouse().join("current").join(layout.to_string()).join(name)
    }
}

impl Drop for World {
    /// Releases are read-only, which keeps everyone but root from removing them.
    fn drop(&mut self) {
        // A test that has failed must not fail again here.
        let _ = Disk::default().remove_dir_all(self.folder.path());
    }
}

/// A folder in memory where there is such a place, for tests that wait for no disk: what has become of a process, or of
/// a cut of a log, does not depend on it.
pub fn memory_folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// The package's folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles a pipeline file.
pub fn load(file: &Path) -> Model {
    model::load(file).unwrap_or_else(|error| panic!("{error}: {:?}", error.report()))
}
