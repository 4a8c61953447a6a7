//! What a [`Model`] was compiled from → the same model, where the files are not there any more.

use super::Model;
use crate::error::Result;
use std::collections::BTreeMap;
use std::path::Path;

/// The text of a pipeline, and of the files that decide tables with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The TOML as it was written.
    pub pipeline: String,
    /// The file of holidays, if the pipeline names one.
    pub holidays: Option<String>,
    /// The SQL of views that are written in it, by the view's name.
    pub views: BTreeMap<String, String>,
}

impl Source {
    /// Compiles it again. `base` is where the pattern of the log's files would start from, `file_name` what problems
    /// are shown with.
    ///
    /// # Errors
    /// The author's: a text that this program no longer takes for a pipeline.
    pub fn compile(&self, base: &Path, file_name: &str) -> Result<Model> {
        super::compile::compile_source(self, base, file_name)
    }
}
