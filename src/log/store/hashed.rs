//! A new file, hashed on its way to the disk.

use crate::disk::NewFile;
use crate::error::{Error, Result};
use crate::log::head::RESTORE;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A file being written whose bytes are remembered as one hash.
pub struct HashedFile {
    file: NewFile,
    hasher: blake3::Hasher,
}

/// What is known of a finished file.
pub struct Finished {
    pub bytes: u64,
    /// BLAKE3, as hexadecimal text.
    pub blake3: String,
}

/// The hash of a file that lies on the disk.
pub fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// What is read to be written anew must be what was committed: else damage would become the truth. Files of older
/// programs have no hash.
pub fn must_be_whole(path: &Path, blake3: Option<&str>) -> Result<()> {
    let Some(blake3) = blake3 else { return Ok(()) };
    let hash = hash_of(path).map_err(|error| Error::io("read", path, error))?;
    if hash == blake3 {
        return Ok(());
    }
    Err(Error::operator(format!("{} holds other bytes than were committed", path.display())).next(RESTORE))
}

impl HashedFile {
    pub fn new(file: NewFile) -> Self {
        Self { file, hasher: blake3::Hasher::new() }
    }

    /// Makes the file durable.
    pub fn finish(self) -> io::Result<Finished> {
        let blake3 = self.hasher.finalize().to_hex().to_string();
        Ok(Finished { bytes: self.file.finish()?, blake3 })
    }
}

impl Write for HashedFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(buffer.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
