//! Typed columns ⇄ immutable Parquet segments: where is the log kept?
//!
//! A segment is what one ingest added: a file for each event type that came, and one for rejects.
//! It counts only once the head names it ([`super::head`]); a file is never changed, only replaced by another one ([`super::lift`], [`super::merge`]).

mod encode;
mod hashed;
mod read;
mod rewrite;
mod segment;
mod settings;

pub mod schema;

pub use encode::{Encoded, Job};
pub use hashed::{HashedFile, hash_of, must_be_whole};
pub use read::{
    Piece, Scan, SegmentFile, columns_of, least_version, pieces, read, read_piece, read_rows, rows_until,
    word,
};
pub use rewrite::Rewriting;
pub use segment::{OldEvents, SegmentWriter, TableFile};
