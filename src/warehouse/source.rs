//! The pipeline's text, beside the tables that it made: what do a release's rows mean?
//!
//! A reader that needs the model takes the release's own and not a file that may have changed since. The text is no
//! part of the root hash, for a comment decides no row; that it is the right one shows when it is compiled, since the
//! manifest holds the hash of its meaning.

use super::{Release, Staged};
use crate::error::{Error, Result};
use crate::model::{Model, Source};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const PIPELINE: &str = "pipeline.toml";
const HOLIDAYS: &str = "holidays.csv";
/// The folder of views that are written in SQL.
const SQL: &str = "sql";

impl Staged<'_> {
    /// Keeps the text of the pipeline, so that [`Release::model`] can say what the tables mean.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn write_source(&self, source: &Source) -> Result<()> {
        self.write_beside(PIPELINE, source.pipeline.as_bytes())?;
        for (view, sql) in &source.views {
            self.write_beside(&format!("{SQL}/{view}.sql"), sql.as_bytes())?;
        }
        match &source.holidays {
            Some(holidays) => self.write_beside(HOLIDAYS, holidays.as_bytes()),
            None => Ok(()),
        }
    }
}

impl Release {
    /// What the pipeline meant with which the release was made. Its log lies nowhere: who reads a release has no
    /// use for the files that the pipeline names.
    ///
    /// # Errors
    ///
    /// The text is not there, cannot be read, or is not the one with which the release was made.
    pub fn model(&self) -> Result<Model> {
        let path = self.dir().join(PIPELINE);
        let Some(pipeline) = text(&path)? else {
            return Err(Error::operator(format!("release {} does not hold its pipeline", self.number()))
                .next("starlog rebuild PIPELINE publishes one that does"));
        };
        let mut views = BTreeMap::new();
        for view in self.manifest().views.keys() {
            views.extend(
                text(&self.dir().join(SQL).join(format!("{view}.sql")))?.map(|sql| (view.clone(), sql)),
            );
        }
        let source = Source { pipeline, holidays: text(&self.dir().join(HOLIDAYS))?, views };
        let model = source.compile(self.dir(), &path.display().to_string())?;
        if model.hash != self.manifest().pipeline.hash {
            return Err(Error::operator(format!(
                "{} is not the pipeline with which release {} was made",
                path.display(),
                self.number()
            ))
            .next("starlog rebuild PIPELINE publishes a release that holds its own"));
        }
        Ok(model)
    }
}

/// The text of a file, if it is there.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}
