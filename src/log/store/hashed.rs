//! A new file, hashed on its way to the disk.

use crate::disk::NewFile;
use std::io::{self, Write};

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
