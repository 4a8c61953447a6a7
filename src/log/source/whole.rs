//! A source and a file → whether the file holds every byte that was consumed.

use super::failure::FileFailure;
use super::file::RegularFile;
use super::input::Input;
use super::known::{Holds, Source};
use super::trail::WINDOW_BYTES;
use crate::model::Limits;
use std::path::Path;

/// Whether a file begins with all that was consumed of a source.
pub enum Wholeness {
    Whole,
    /// Not all of it: so many decompressed bytes are there.
    Shorter {
        bytes: u64,
    },
    /// What was consumed at once from the one byte to the other is not what it was.
    Changed {
        from: u64,
        to: u64,
    },
}

impl Source {
    /// Whether another file holds all of it: one that was renamed or packed since.
    pub fn is_whole_in(&self, path: &Path, limits: &Limits) -> bool {
        let Ok(file) = RegularFile::open(path, "", limits) else { return false };
        // Most others are told by their windows.
        matches!(self.is_in(&file), Ok(Holds::Begins(_)))
            && matches!(self.wholeness(path, limits), Ok(Wholeness::Whole))
    }

    /// Hashes the beginning of a file as it was consumed, span by span.
    pub fn wholeness(&self, path: &Path, limits: &Limits) -> Result<Wholeness, FileFailure> {
        let file = RegularFile::open(path, &path.display().to_string(), limits)?;
        let mut input = Input::new(&file, 0)?;
        let mut piece = Vec::new();
        let mut at = 0;
        for span in &self.spans {
            let from = at;
            let mut hasher = blake3::Hasher::new();
            while at < span.to_bytes {
                piece.clear();
                let wanted = usize::try_from(span.to_bytes - at).unwrap_or(usize::MAX).min(16 * WINDOW_BYTES);
                input.fill(&mut piece, wanted)?;
                at += piece.len() as u64;
                hasher.update(&piece);
                if piece.len() < wanted {
                    return Ok(Wholeness::Shorter { bytes: at });
                }
            }
            if hasher.finalize().to_hex().as_str() != span.hash {
                return Ok(Wholeness::Changed { from, to: span.to_bytes });
            }
        }
        Ok(Wholeness::Whole)
    }
}
