//! A folder for what does not fit into memory or is made for one question, gone when that is answered.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use starlog::disk::Disk;
use starlog::error::{Error, Result};

/// A new folder that only this user may enter. It goes with the value; if the process is killed, the next one
/// that makes such a folder removes it.
pub struct Spill {
    folder: PathBuf,
    /// Locked as long as the folder is in use.
    _lock: File,
}

impl Spill {
    pub fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        for number in 0..u32::MAX {
            let folder = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(Error::io("create the folder", &folder, error)),
            }
            let lock = folder.join(LOCK);
            let lock = File::create_new(&lock).map_err(|error| Error::io("create", &lock, error))?;
            // Somebody who sweeps may have been faster; then it is theirs to remove.
            if lock.try_lock().is_ok() {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(Error::operator(format!("{} is full of folders of ours", parent.display())))
    }

    /// For what is made for the question.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// For what does not fit into memory; whoever needs it makes it.
    pub fn overflow(&self) -> PathBuf {
        self.folder.join("overflow")
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

const PREFIX: &str = "starlog-";
const LOCK: &str = "lock";

/// Removes what killed processes of this user have left: folders whose lock nobody holds.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours
            && is_folder
            && let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    // What stays behind in the folder for temporary files does no harm.
    let _ = Disk::default().remove_dir_all(folder);
}
