//! An open file → its decompressed bytes, with a bound on what a few bytes may become.

use super::failure::{FileCode, FileFailure};
use super::file::{Packing, RegularFile};
use super::gzip::{GzipMembers, TrailingGarbage};
use super::rows::ParquetLines;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below this size it does not matter how well a file is compressed.
pub const BOMB_BYTES: u64 = 256 << 20;
/// How every message begins that says so.
pub const BOMB: &str = "it unpacks to more than";
/// How a message begins about a codec that is not linked.
pub const UNREAD: &str = "its pages are packed by a codec that Starlog does not read";
const BUFFER_BYTES: usize = 256 << 10;

/// Decompressed bytes in a row.
pub struct Input {
    reader: Box<dyn Read + Send>,
    packing: Packing,
    name: String,
    stored: Arc<AtomicU64>,
    given: u64,
    size_bytes: u64,
    most_ratio: u64,
}

impl Input {
    /// From the start, or from an offset of a plain file.
    pub fn new(file: &RegularFile, plain_offset: u64) -> Result<Self, FileFailure> {
        let stored = Arc::new(AtomicU64::new(0));
        let broken = |error: io::Error| file.failure(&error);
        let mut handle = file.file.try_clone().map_err(broken)?;
        handle.seek(SeekFrom::Start(plain_offset)).map_err(broken)?;
        let counted = Counted { file: handle, count: Arc::clone(&stored) };
        let reader: Box<dyn Read + Send> = match file.packing {
            Packing::Parquet => Box::new(ParquetLines::new(file, Arc::clone(&stored))?),
            Packing::Plain => Box::new(counted),
            Packing::Gzip => Box::new(GzipMembers::new(BufReader::with_capacity(BUFFER_BYTES, counted))),
            Packing::Zstd => {
                let input = BufReader::with_capacity(BUFFER_BYTES, counted);
                Box::new(zstd::stream::read::Decoder::with_buffer(input).map_err(broken)?)
            }
        };
        Ok(Self {
            reader,
            packing: file.packing,
            name: file.name.clone(),
            stored,
            given: 0,
            size_bytes: file.size_bytes,
            most_ratio: file.limits.decompression_ratio,
        })
    }

    /// Whether the file is finished by its nature: nobody appends half a line to it.
    pub fn is_packed(&self) -> bool {
        self.packing != Packing::Plain
    }

    /// Bytes read from the disk so far.
    pub fn stored_bytes(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Adds bytes to a buffer until it holds `target` of them; false at the end of the file.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, target: usize) -> Result<bool, FileFailure> {
        let before = buffer.len();
        let mut filled = before;
        buffer.resize(target.max(filled), 0);
        let mut result = Ok(true);
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => {
                    result = Ok(false);
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    result = Err(self.failure(&error));
                    break;
                }
            }
        }
        self.given += (filled - before) as u64;
        buffer.truncate(filled);
        result.and_then(|more| self.no_bomb().map(|()| more))
    }

    fn no_bomb(&mut self) -> Result<(), FileFailure> {
        // The rows of a Parquet file are not spread over it evenly, and it has been there as a whole from the start.
        let stored_bytes = match self.packing {
            Packing::Plain => return Ok(()),
            Packing::Gzip | Packing::Zstd => self.stored_bytes(),
            Packing::Parquet => self.size_bytes,
        };
        if self.given > BOMB_BYTES && self.given / self.most_ratio > stored_bytes {
            let message = format!("{BOMB} {} times its size", self.most_ratio);
            return Err(FileFailure::new(&self.name, FileCode::Bomb, message));
        }
        Ok(())
    }

    fn failure(&self, error: &io::Error) -> FileFailure {
        let text = error.to_string();
        let code = match self.packing {
            Packing::Plain => FileCode::Unreadable,
            _ if error.raw_os_error().is_some() => FileCode::Unreadable,
            _ if text.contains(BOMB) => FileCode::Bomb,
            _ if text.contains(UNREAD) => FileCode::Format,
            _ if error.kind() == io::ErrorKind::UnexpectedEof => FileCode::Truncated,
            _ if error.get_ref().is_some_and(|inner| inner.is::<TrailingGarbage>()) => {
                FileCode::TrailingGarbage
            }
            Packing::Zstd if text.contains("too much memory") => FileCode::Window,
            Packing::Zstd if text.contains("ictionary") => FileCode::Dictionary,
            Packing::Zstd if text.contains("Unknown frame") => FileCode::TrailingGarbage,
            Packing::Gzip | Packing::Zstd | Packing::Parquet => FileCode::Corrupt,
        };
        FileFailure::new(&self.name, code, text)
    }
}

struct Counted {
    file: File,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Whether content begins like something that is no UTF-8 log: said once, instead of a million rejects.
pub fn refuse_strange_content(start: &[u8], is_packed: bool, name: &str) -> Result<(), FileFailure> {
    let wide = matches!(
        start,
        [0xff, 0xfe, ..]
            | [0xfe, 0xff, ..]
            | [0, 0, 0xfe, 0xff, ..]
            | [b'{', 0, _, 0, ..]
            | [0, b'{', 0, _, ..]
            | [0, 0, 0, b'{', 0, 0, 0, ..]
    );
    if wide {
        return Err(FileFailure::new(name, FileCode::Encoding, "UTF-16 or UTF-32; a log is UTF-8"));
    }
    if name.to_lowercase().ends_with(".parquet")
        && !is_packed
        && start.first().is_some_and(|byte| *byte != b'{')
    {
        let message = "called Parquet, but it does not begin as such a file does (PAR1)";
        return Err(FileFailure::new(name, FileCode::Corrupt, message));
    }
    if is_packed && Packing::of(start) != Packing::Plain {
        return Err(FileFailure::new(name, FileCode::Nested, "a compressed file inside a compressed file"));
    }
    Ok(())
}
