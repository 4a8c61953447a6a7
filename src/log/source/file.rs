//! A regular file, opened without ever waiting for one that is not, and what it is packed in.

use super::failure::{FileCode, FileFailure};
use crate::model::Limits;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How a file is packed: seen from its first bytes, whatever its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// Rows, which are read as lines.
    Parquet,
}

/// An open regular file.
#[derive(Debug)]
pub struct RegularFile {
    pub file: File,
    pub packing: Packing,
    pub size_bytes: u64,
    /// Nanoseconds since 1970, as the file system says.
    pub modified_ns: i64,
    /// As it is shown.
    pub name: String,
    /// What it may be, and its lines.
    pub limits: Limits,
}

impl Packing {
    /// Of bytes from the start of a file.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            // The second is that of an encrypted file, which says so when it is opened.
            [b'P', b'A', b'R', b'1' | b'E', ..] => Self::Parquet,
            _ => Self::Plain,
        }
    }
}

impl RegularFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `missing`, `not-a-file` or `unreadable`.
    pub fn open(path: &Path, name: &str, limits: &Limits) -> Result<Self, FileFailure> {
        // Without this flag, opening a FIFO waits for a writer.
        let opened =
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FileFailure::new(name, FileCode::Missing, "there is no such file"),
            _ if error.raw_os_error() == Some(libc::ENXIO) => {
                FileFailure::new(name, FileCode::NotAFile, "a socket or device, not a regular file")
            }
            _ => FileFailure::new(name, FileCode::Unreadable, error.to_string()),
        })?;
        let broken = |error: io::Error| FileFailure::new(name, FileCode::Unreadable, error.to_string());
        let metadata = file.metadata().map_err(broken)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a directory" } else { "a pipe or device" };
            return Err(FileFailure::new(name, FileCode::NotAFile, format!("{what}, not a regular file")));
        }
        let mut file = Self {
            file,
            packing: Packing::Plain,
            size_bytes: metadata.len(),
            modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
            name: name.to_owned(),
            limits: *limits,
        };
        file.packing = Packing::of(&file.window(0, 4).map_err(broken)?);
        Ok(file)
    }

    /// Up to `length` bytes from here.
    pub fn window(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The failure that an error while reading means.
    pub fn failure(&self, error: &io::Error) -> FileFailure {
        FileFailure::new(&self.name, FileCode::Unreadable, error.to_string())
    }
}

/// A path as text; bytes that are no UTF-8 stand as `\xNN`.
#[must_use]
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
