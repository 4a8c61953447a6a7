//! Files → blocks of whole lines: which bytes are new, and where does a line end?
//!
//! A file is known by its content, not by its name (DESIGN 5): by the hashes of the first and the last
//! 64 KiB that were consumed of it, in decompressed bytes, whatever it is called and however it is packed.
//! Nothing here knows JSON, except for one question: is the unfinished last line a whole object?
//!
//! **The last line without a line end.** In a plain file it is taken if it is a whole JSON object, since
//! no whole object is the beginning of another; the line end that a producer adds later belongs to it, and
//! anything else that is added makes the file `source-rewritten`. Otherwise it waits for its end
//! (`held_bytes`). A compressed file is finished: there an unfinished line is a `torn-tail` reject.
//!
//! Never: block on something that is no regular file, hold more than a block in memory, read known bytes
//! as new ones, or skip bytes unseen.

mod expand;
mod failure;
mod file;
mod framing;
mod gzip;
mod input;
mod known;
mod recognise;
mod rows;
mod trail;
mod whole;

pub use expand::expand;
pub use failure::{FileCode, FileFailure};
pub use file::RegularFile;
pub use framing::{Block, KEPT_BYTES, Reader, Shape};
pub use input::Input;
pub use known::{Source, Span, Stored};
pub use recognise::{Action, Named, Opened, Planned, Recogniser, is_at_home, plan, reopen};
pub use trail::Trail;
pub use whole::Wholeness;
