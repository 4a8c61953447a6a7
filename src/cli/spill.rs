//! A folder for what does not fit into memory, gone when the question is answered.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use starlog::error::{Error, Result};

/// A new folder that only this user may enter. It goes with the value.
pub struct Spill {
    folder: PathBuf,
}

impl Spill {
    pub fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        for number in 0..u32::MAX {
            let folder = parent.join(format!("starlog-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self { folder }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("create the folder", &folder, error)),
            }
        }
        Err(Error::operator(format!("{} is full of folders of ours", parent.display())))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
