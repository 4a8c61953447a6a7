//! Decompressed bytes → blocks of whole lines.
//!
//! Blocks are cut by the content alone, never by how the bytes happened to arrive, so that everything
//! behind them is the same however many threads work on them.

use super::failure::{FileCode, FileFailure};
use super::file::RegularFile;
use super::input::{Input, refuse_strange_content};
use super::trail::Trail;
use crate::log::format::{Format, RecordEnd, cells, last_end};
use crate::log::json;
use crate::model::Limits;
use std::sync::Arc;

/// The size of a block; longer only if a line is.
const BLOCK_BYTES: usize = 2 << 20;
/// How much of a line that is too long is kept.
pub const KEPT_BYTES: usize = 4 << 10;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of one file.
#[derive(Debug, Clone)]
pub struct Block {
    pub bytes: Arc<Vec<u8>>,
    /// Of the first byte, in the decompressed file.
    pub offset_bytes: u64,
    pub shape: Shape,
    /// What its lines are, where one of them or one before has said it.
    pub format: Option<Format>,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Whole lines; only the file's last one may lack its line end.
    Lines,
    /// The beginning of a line that is too long to be kept.
    TooLong { length_bytes: u64 },
    /// The unfinished last line of a finished file.
    TornTail,
}

/// Reads a file from where it was left.
pub struct Reader {
    input: Input,
    name: String,
    buffer: Vec<u8>,
    /// Of the buffer's first byte; all before it is consumed.
    offset_bytes: u64,
    more: bool,
    begun: bool,
    ends_inside_line: bool,
    held_bytes: u64,
    trail: Trail,
    format: Option<Format>,
    /// From this byte of the file on, the lines are this.
    told: Option<(u64, Format)>,
    limits: Limits,
}

impl Reader {
    /// Reads on at `offset_bytes`, which `input` stands at.
    pub fn new(
        file: &RegularFile,
        input: Input,
        offset_bytes: u64,
        ends_inside_line: bool,
        trail: Trail,
    ) -> Self {
        Self {
            input,
            name: file.name.clone(),
            buffer: Vec::new(),
            offset_bytes,
            more: true,
            begun: false,
            ends_inside_line,
            held_bytes: 0,
            trail,
            format: None,
            told: None,
            limits: file.limits,
        }
    }

    /// How far the file has been consumed, in decompressed bytes.
    pub fn consumed_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// Whether the last consumed line has no line end yet.
    pub fn ends_inside_line(&self) -> bool {
        self.ends_inside_line
    }

    /// Bytes of an unfinished last line that waits for its end.
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Bytes read from the disk so far.
    pub fn stored_bytes(&self) -> u64 {
        self.input.stored_bytes()
    }

    /// What the lines at hand are; `None` as long as nobody has said it.
    pub fn format(&self) -> Option<&Format> {
        self.format.as_ref()
    }

    /// Whether it is open what the lines are.
    pub fn is_untold(&self) -> bool {
        self.format.is_none() && self.told.is_none()
    }

    /// Says what the lines are, from this byte of the file on, where one begins. Those before say nothing.
    pub fn tell(&mut self, from_bytes: u64, format: Format) {
        if from_bytes <= self.offset_bytes {
            self.format = Some(format);
        } else {
            self.told = Some((from_bytes, format));
        }
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// The bytes that come next, up to a block of them.
    pub fn peek(&mut self) -> Result<&[u8], FileFailure> {
        if self.more {
            self.more = self.input.fill(&mut self.buffer, BLOCK_BYTES)?;
        }
        if !self.begun {
            self.begin()?;
        }
        Ok(&self.buffer)
    }

    /// The next block, or `None` when all that there is has been consumed or waits.
    pub fn next_block(&mut self) -> Result<Option<Block>, FileFailure> {
        if self.told.as_ref().is_some_and(|(from_bytes, _)| *from_bytes <= self.offset_bytes) {
            self.format = self.told.take().map(|(_, format)| format);
        }
        let mut target = BLOCK_BYTES;
        let mut searched = 0;
        loop {
            if self.more {
                self.more = self.input.fill(&mut self.buffer, target)?;
            }
            if !self.begun {
                self.begin()?;
            }
            let end = match &self.format {
                // A line end may stand inside quotes, so a record is looked for from its beginning.
                Some(Format::Csv(file)) => last_end(&self.buffer, file.delimiter),
                _ => {
                    let fresh = self.buffer.get(searched..).unwrap_or_default();
                    memchr::memrchr(b'\n', fresh).map(|at| searched + at + 1)
                }
            };
            if let Some(end) = end {
                let before = self.told.as_ref().and_then(|(from_bytes, _)| {
                    usize::try_from(from_bytes.saturating_sub(self.offset_bytes)).ok()
                });
                return Ok(Some(self.take(before.map_or(end, |before| before.min(end)), Shape::Lines)));
            }
            if !self.more {
                return Ok(self.tail());
            }
            if self.buffer.len() > self.limits.line_bytes {
                return self.too_long();
            }
            searched = self.buffer.len();
            target = searched + BLOCK_BYTES;
        }
    }

    /// At the first bytes of this run.
    fn begin(&mut self) -> Result<(), FileFailure> {
        self.begun = true;
        if self.offset_bytes == 0 {
            refuse_strange_content(&self.buffer, self.input.is_packed(), &self.name)?;
            if self.buffer.starts_with(BOM) {
                self.consume(BOM.len());
            }
        }
        if self.ends_inside_line {
            self.end_line()?;
        }
        Ok(())
    }

    /// The last run took a line without its end: only its end may have been added to it. A packed file was finished then;
    /// where its last line was torn, and goes on now, the rest of it is read as one more line.
    fn end_line(&mut self) -> Result<(), FileFailure> {
        let space = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        match self.buffer.get(space) {
            Some(b'\n') => {
                self.consume(space + 1);
                self.ends_inside_line = false;
                Ok(())
            }
            None => Ok(()),
            Some(_) if self.input.is_packed() => {
                self.ends_inside_line = false;
                Ok(())
            }
            Some(_) => Err(FileFailure::new(
                &self.name,
                FileCode::SourceRewritten,
                format!("its last line, which was whole at byte {}, goes on differently", self.offset_bytes),
            )),
        }
    }

    /// What is left at the end of the file, without a line end.
    fn tail(&mut self) -> Option<Block> {
        let length = self.buffer.len();
        let is_blank = self.buffer.iter().all(u8::is_ascii_whitespace);
        if length == 0 {
            return None;
        }
        if !self.ends_inside_line {
            let is_whole = match &self.format {
                Some(Format::Csv(file)) => {
                    let record = std::str::from_utf8(&self.buffer);
                    self.input.is_packed() && record.is_ok_and(|record| cells(record, file.delimiter).is_ok())
                }
                _ => json::whole_object(&self.buffer, &self.limits),
            };
            if is_whole || (is_blank && self.input.is_packed()) {
                self.ends_inside_line = true;
                return Some(self.take(length, Shape::Lines));
            }
            if self.input.is_packed() {
                self.ends_inside_line = true;
                return Some(self.take(length, Shape::TornTail));
            }
        }
        self.held_bytes = length as u64;
        None
    }

    /// A line or record beyond the limit: its beginning is kept, the rest is passed over piece by piece.
    fn too_long(&mut self) -> Result<Option<Block>, FileFailure> {
        let before = (self.trail.clone(), self.offset_bytes);
        let kept: Vec<u8> = self.buffer.get(..KEPT_BYTES).unwrap_or(&self.buffer).to_vec();
        let mut record = match &self.format {
            Some(Format::Csv(file)) => Some(RecordEnd::new(file.delimiter)),
            _ => None,
        };
        loop {
            let end = match &mut record {
                Some(record) => record.find(&self.buffer),
                None => memchr::memchr(b'\n', &self.buffer).map(|at| at + 1),
            };
            if let Some(end) = end {
                self.consume(end);
                break;
            }
            if !self.more && !self.input.is_packed() {
                self.held_bytes = self.offset_bytes + self.buffer.len() as u64 - before.1;
                (self.trail, self.offset_bytes) = before;
                self.buffer.clear();
                return Ok(None);
            }
            self.consume(self.buffer.len());
            if !self.more {
                self.ends_inside_line = true;
                break;
            }
            self.more = self.input.fill(&mut self.buffer, BLOCK_BYTES)?;
        }
        let length_bytes = self.offset_bytes - before.1;
        Ok(Some(Block {
            bytes: Arc::new(kept),
            offset_bytes: before.1,
            shape: Shape::TooLong { length_bytes },
            format: self.format.clone(),
        }))
    }

    fn take(&mut self, length: usize, shape: Shape) -> Block {
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.trail.consume(&bytes);
        let offset_bytes = self.offset_bytes;
        self.offset_bytes += length as u64;
        Block { bytes: Arc::new(bytes), offset_bytes, shape, format: self.format.clone() }
    }

    fn consume(&mut self, length: usize) {
        let bytes: Vec<u8> = self.buffer.drain(..length).collect();
        self.trail.consume(&bytes);
        self.offset_bytes += length as u64;
    }
}
