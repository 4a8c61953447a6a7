//! Every effect on the files of `log` and `warehouse` goes through [`Disk`], so that a test can count
//! the effects, make one fail, or kill the program at it. Reading is no effect. What may stop the work comes by
//! the same door: [`Disk::go_on`].

use crate::error::Result;
use crate::stop::Stop;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One effect, told to the watcher before it happens.
#[derive(Debug, Clone, Copy)]
pub struct Effect<'a> {
    /// `create`, `write`, `fsync`, `rename`, `replace`, `link`, `symlink`, `chmod`, `remove`, `mkdir`,
    /// `lock`.
    pub action: &'static str,
    pub path: &'a Path,
    /// What a `write` is about to put at the end of the file; nothing for any other effect.
    pub bytes: &'a [u8],
}

type Watcher = dyn Fn(Effect<'_>) -> io::Result<()> + Send + Sync;

/// A file or folder that is locked for as long as this lives, and no longer: closing it would not be enough, since a
/// process that is being started somewhere else in this one has it too until its program begins.
#[derive(Debug)]
pub struct Lock(pub File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever finds it locked by somebody else is not told of us; of a folder there is nothing to empty.
        let _ = self.0.set_len(0);
        // It ends with the process at the latest.
        let _ = self.0.unlock();
    }
}

/// The door to the file system.
#[derive(Clone, Default)]
pub struct Disk {
    watcher: Option<Arc<Watcher>>,
    stop: Stop,
}

impl Disk {
    /// The disk, with a watcher that is asked before every effect and may refuse it.
    pub fn watched(watcher: impl Fn(Effect<'_>) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Arc::new(watcher)), stop: Stop::default() }
    }

    /// The same, for work that ends when it is asked to.
    #[must_use]
    pub fn until(self, stop: &Stop) -> Self {
        Self { stop: stop.clone(), ..self }
    }

    /// Asked between two pieces of work: nothing, as long as they are to go on.
    ///
    /// # Errors
    ///
    /// Somebody has asked to stop.
    pub fn go_on(&self) -> Result<()> {
        self.stop.go_on()
    }

    /// Whether work that cannot ask by itself is to be ended from outside.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    fn tell(&self, action: &'static str, path: &Path) -> io::Result<()> {
        self.tell_of(action, path, &[])
    }

    fn tell_of(&self, action: &'static str, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match &self.watcher {
            Some(watcher) => watcher(Effect { action, path, bytes }),
            None => Ok(()),
        }
    }

    /// Creates a file that must not exist yet. It is whole only after [`NewFile::finish`].
    pub fn create(&self, path: &Path) -> io::Result<NewFile> {
        self.tell("create", path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
        Ok(NewFile { disk: self.clone(), path: path.to_owned(), file, size_bytes: 0 })
    }

    /// Creates a file with these bytes, on disk for good when this returns.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.create(path)?;
        file.write_all(bytes)?;
        file.finish().map(|_| ())
    }

    /// Adds bytes at the end of a file, creating it if need be; on disk for good when this returns.
    pub fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.tell_of("write", path, bytes)?;
        let mut file = OpenOptions::new().append(true).create(true).mode(0o644).open(path)?;
        file.write_all(bytes)?;
        self.tell("fsync", path)?;
        file.sync_all()
    }

    /// Takes a lock for as long as the returned value lives, and writes its owner into the file.
    /// `None`: another process, or another value of this one, holds it.
    pub fn try_lock(&self, path: &Path, owner: &str) -> io::Result<Option<Lock>> {
        self.tell("lock", path)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut lock = Lock(file);
        lock.0.set_len(0)?;
        lock.0.write_all(owner.as_bytes())?;
        Ok(Some(lock))
    }

    /// Makes the entries of a directory durable.
    pub fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.tell("fsync", path)?;
        File::open(path)?.sync_all()
    }

    /// Renames; an existing target is an error.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tell("rename", to)?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the target exists"));
        }
        fs::rename(from, to)
    }

    /// Renames over whatever stands at the target, atomically.
    pub fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tell("replace", to)?;
        fs::rename(from, to)
    }

    /// A second name for the same immutable file.
    pub fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.tell("link", link)?;
        fs::hard_link(original, link)
    }

    /// A symbolic link with this (relative) text.
    pub fn symlink(&self, text: &Path, link: &Path) -> io::Result<()> {
        self.tell("symlink", link)?;
        std::os::unix::fs::symlink(text, link)
    }

    /// Sets the permission bits of a file or directory.
    pub fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.tell("chmod", path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    /// Creates a directory and those above it.
    pub fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.tell("mkdir", path)?;
        fs::create_dir_all(path)
    }

    /// Removes one file.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.tell("remove", path)?;
        fs::remove_file(path)
    }

    /// Removes a tree, read-only directories included.
    pub fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.tell("remove", path)?;
        make_writable(path)?;
        fs::remove_dir_all(path)
    }
}

fn make_writable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// A file being written.
pub struct NewFile {
    disk: Disk,
    path: PathBuf,
    file: File,
    size_bytes: u64,
}

impl NewFile {
    /// Makes the file durable and read-only; returns its size in bytes.
    pub fn finish(self) -> io::Result<u64> {
        self.disk.tell("fsync", &self.path)?;
        self.file.set_permissions(fs::Permissions::from_mode(0o444))?;
        self.file.sync_all()?;
        Ok(self.size_bytes)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.tell_of("write", &self.path, bytes)?;
        let written = self.file.write(bytes)?;
        self.size_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
