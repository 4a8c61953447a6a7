//! A source that has been read before: what is kept of it, and whether a file still holds it.

use super::failure::FileFailure;
use super::file::{Packing, RegularFile};
use super::framing::Reader;
use super::input::Input;
use super::recognise::Named;
use super::trail::{Trail, WINDOW_BYTES, hash};
use crate::log::account::Account;
use crate::log::format::Format;
use serde::{Deserialize, Serialize};

/// The first and the last consumed bytes.
type Windows = (Vec<u8>, Vec<u8>);

/// A known source: content that was consumed, and the file that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The absolute path under which it was seen last.
    pub path: String,
    /// How it is shown; the value of `_file` for lines read from now on.
    pub name: String,
    /// In decompressed bytes. All that follow are compared within them.
    pub consumed_bytes: u64,
    /// The last consumed line had no line end yet.
    pub ends_inside_line: bool,
    /// An unfinished line that waits for its end.
    pub held_bytes: u64,
    /// Lines consumed.
    pub lines: u64,
    /// BLAKE3 of the first 64 KiB consumed.
    pub first: String,
    /// BLAKE3 of the last 64 KiB consumed.
    pub last: String,
    /// BLAKE3 of what each run consumed, for a verification of all of it.
    pub spans: Vec<Span>,
    /// The file as it was when it was opened last.
    pub stored: Stored,
    /// What its lines are, once a line has said it.
    #[serde(default)]
    pub format: Option<Format>,
    /// What became of its lines.
    pub account: Account,
}

/// What one run consumed of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    pub to_bytes: u64,
    pub hash: String,
}

/// A file on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    pub packing: Packing,
    pub size_bytes: u64,
    pub modified_ns: i64,
    /// BLAKE3 of the first and last 64 KiB of a packed file, so that it need not be unpacked to be known.
    pub windows: Option<(String, String)>,
}

impl Stored {
    pub fn of(file: &RegularFile) -> Result<Self, FileFailure> {
        let windows = match file.packing {
            Packing::Plain => None,
            _ => {
                let last = file.size_bytes.saturating_sub(WINDOW_BYTES as u64);
                let window = |offset| file.window(offset, WINDOW_BYTES).map_err(|error| file.failure(&error));
                Some((hash(&window(0)?), hash(&window(last)?)))
            }
        };
        Ok(Self {
            packing: file.packing,
            size_bytes: file.size_bytes,
            modified_ns: file.modified_ns,
            windows,
        })
    }
}

/// Whether a file holds a source.
pub enum Holds {
    /// It begins with the source; the reader stands behind it.
    Begins(Box<Reader>),
    /// It is shorter than the source.
    Shorter,
    /// It begins with something else.
    Differs,
}

impl Source {
    /// A source of which nothing has been read.
    pub fn new(named: &Named, stored: Stored) -> Self {
        Self {
            path: named.text.clone(),
            name: named.name.clone(),
            consumed_bytes: 0,
            ends_inside_line: false,
            held_bytes: 0,
            lines: 0,
            first: hash(&[]),
            last: hash(&[]),
            spans: Vec::new(),
            stored,
            format: None,
            account: Account::default(),
        }
    }

    /// Whether the file is as it was when it was read last: length, time and hashes (DESIGN 5).
    pub fn is_unchanged(&self, file: &RegularFile) -> Result<bool, FileFailure> {
        let stored = &self.stored;
        if (stored.packing, stored.size_bytes, stored.modified_ns)
            != (file.packing, file.size_bytes, file.modified_ns)
        {
            return Ok(false);
        }
        match file.packing {
            Packing::Plain => Ok(self.windows_of_plain(file)?.is_some()),
            _ => Ok(*stored == Stored::of(file)?),
        }
    }

    /// Whether the file begins with all that was consumed of this source.
    pub fn is_in(&self, file: &RegularFile) -> Result<Holds, FileFailure> {
        if file.packing != Packing::Plain {
            return self.is_in_packed(file);
        }
        if file.size_bytes < self.consumed_bytes {
            return Ok(Holds::Shorter);
        }
        let Some((first, last)) = self.windows_of_plain(file)? else {
            return Ok(Holds::Differs);
        };
        let input = Input::new(file, self.consumed_bytes)?;
        let trail = Trail::new(first, last);
        Ok(Holds::Begins(Box::new(Reader::new(
            file,
            input,
            self.consumed_bytes,
            self.ends_inside_line,
            trail,
        ))))
    }

    /// The first and last consumed windows of a plain file, if they are the source's.
    fn windows_of_plain(&self, file: &RegularFile) -> Result<Option<Windows>, FileFailure> {
        let length = usize::try_from(self.consumed_bytes).unwrap_or(usize::MAX).min(WINDOW_BYTES);
        let window = |offset| file.window(offset, length).map_err(|error| file.failure(&error));
        let first = window(0)?;
        if hash(&first) != self.first {
            return Ok(None);
        }
        let last = window(self.consumed_bytes - length as u64)?;
        Ok((hash(&last) == self.last).then_some((first, last)))
    }

    fn is_in_packed(&self, file: &RegularFile) -> Result<Holds, FileFailure> {
        let mut input = Input::new(file, 0)?;
        let mut trail = Trail::new(Vec::new(), Vec::new());
        let mut left = self.consumed_bytes;
        let mut piece = Vec::new();
        let mut first_seen = false;
        while left > 0 {
            piece.clear();
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(16 * WINDOW_BYTES);
            input.fill(&mut piece, wanted)?;
            if piece.len() < wanted {
                return Ok(Holds::Shorter);
            }
            trail.remember(&piece);
            left -= piece.len() as u64;
            // A stranger is told by its beginning, without unpacking all of it.
            if !std::mem::replace(&mut first_seen, true) && trail.first() != self.first {
                return Ok(Holds::Differs);
            }
        }
        if self.consumed_bytes > 0 && trail.last() != self.last {
            return Ok(Holds::Differs);
        }
        Ok(Holds::Begins(Box::new(Reader::new(
            file,
            input,
            self.consumed_bytes,
            self.ends_inside_line,
            trail,
        ))))
    }
}
