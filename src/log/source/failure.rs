//! Why a whole file cannot be read on. Such a file fails alone: nothing of it is committed.

use crate::error::Error;
use std::fmt;

/// The reason for which a file fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileCode {
    /// There is no such file.
    Missing,
    /// A directory, FIFO, socket or device.
    NotAFile,
    /// No permission, or the disk refuses.
    Unreadable,
    /// UTF-16 or UTF-32.
    Encoding,
    /// A format that Starlog does not read.
    Format,
    /// A CSV file whose header names no rows that the pipeline declares.
    CsvHeader,
    /// A compressed file that breaks off.
    Truncated,
    /// Bytes behind the end of a compressed file.
    TrailingGarbage,
    /// A compressed file that does not decompress.
    Corrupt,
    /// It decompresses to far more than any log would.
    Bomb,
    /// A compressed file inside a compressed file.
    Nested,
    /// Zstandard with a window beyond 128 MiB.
    Window,
    /// Zstandard with a dictionary of its own.
    Dictionary,
    /// Shorter than what was consumed of it.
    SourceTruncated,
    /// What was consumed of it is no longer there.
    SourceRewritten,
}

impl FileCode {
    /// The code as it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotAFile => "not-a-file",
            Self::Unreadable => "unreadable",
            Self::Encoding => "encoding",
            Self::Format => "format",
            Self::CsvHeader => "csv-header",
            Self::Truncated => "truncated",
            Self::TrailingGarbage => "trailing-garbage",
            Self::Corrupt => "corrupt",
            Self::Bomb => "bomb",
            Self::Nested => "nested",
            Self::Window => "window",
            Self::Dictionary => "dict",
            Self::SourceTruncated => "source-truncated",
            Self::SourceRewritten => "source-rewritten",
        }
    }

    fn next(self) -> &'static str {
        match self {
            Self::Missing => "check `[log] files`, or `--log`",
            Self::NotAFile => "name regular files only",
            Self::Unreadable => "check the permissions and the disk, and run again",
            Self::Encoding => "convert it to UTF-8",
            Self::Format => {
                "write it in a form that is read: NDJSON, CSV, Parquet (snappy, zstd), or what Debezium tells"
            }
            Self::CsvHeader => "declare its columns in `[log.rows]` of the pipeline, and its delimiter",
            Self::Truncated => "if it is still being written or copied, run again when it is whole",
            Self::TrailingGarbage | Self::Corrupt => "fetch the file again",
            Self::Bomb => "look at what is in it before you feed it to any program",
            Self::Nested => "decompress it once",
            Self::Window => "compress it with a window of at most 128 MiB (`--long=27`)",
            Self::Dictionary => "compress it without a dictionary",
            Self::SourceTruncated | Self::SourceRewritten => {
                "a log only grows: restore the file, or name the file that now holds its old content as well; \
                 corrected lines go into a new file"
            }
        }
    }
}

/// A file that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFailure {
    /// As it is shown.
    pub file: String,
    pub code: FileCode,
    pub message: String,
}

impl FileFailure {
    pub fn new(file: &str, code: FileCode, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), code, message: message.into() }
    }

    /// The failure as an error: the operator's where the machine is at fault, else the data owner's.
    #[must_use]
    pub fn error(&self) -> Error {
        let error = match self.code {
            FileCode::Missing | FileCode::NotAFile | FileCode::Unreadable => {
                Error::operator(self.to_string())
            }
            _ => Error::data(self.to_string()),
        };
        error.next(self.code.next())
    }
}

impl fmt::Display for FileFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}: {}", self.file, self.code.as_str(), self.message)
    }
}
