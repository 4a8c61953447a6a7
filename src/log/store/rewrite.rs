//! Files of the store → another one, batch by batch.

use super::hashed::{Finished, HashedFile};
use super::read::{columns_of, pieces, read_group};
use super::settings;
use crate::disk::Disk;
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files to be rewritten as one, in this order. The old ones stay.
pub struct Rewriting<'a> {
    pub disk: &'a Disk,
    pub from: &'a [PathBuf],
    /// What an interrupted rewriting has left there is removed.
    pub to: &'a Path,
    /// The columns of the new file.
    pub schema: &'a SchemaRef,
}

impl Rewriting<'_> {
    /// Writes what `lift` makes of every batch; the file is durable, its name is not yet.
    pub fn run(&self, mut lift: impl FnMut(&RecordBatch) -> Result<RecordBatch>) -> Result<Finished> {
        let (disk, from, to) = (self.disk, self.from, self.to);
        let failed = |error: ParquetError| {
            Error::operator(format!("cannot write {}: {error}", to.display())).because(error)
        };
        if to.exists() {
            disk.remove_file(to).map_err(|error| Error::io("remove", to, error))?;
        }
        let output = disk.create(to).map_err(|error| Error::io("create", to, error))?;
        let output = BufWriter::with_capacity(1 << 20, HashedFile::new(output));
        let properties = settings::properties(self.schema);
        let mut writer =
            ArrowWriter::try_new(output, Arc::clone(self.schema), Some(properties)).map_err(failed)?;
        for from in from {
            let stored = columns_of(from)?;
            for piece in pieces(from)? {
                disk.go_on()?;
                for batch in read_group(&piece, &stored)? {
                    writer.write(&lift(&batch?)?).map_err(failed)?;
                    let is_full = writer.in_progress_rows() >= settings::GROUP_ROWS
                        || writer.in_progress_size() >= settings::GROUP_BYTES;
                    if is_full {
                        writer.flush().map_err(failed)?;
                    }
                }
            }
        }
        let output = writer.into_inner().map_err(failed)?;
        let file = output.into_inner().map_err(|error| Error::io("write", to, error.into_error()))?;
        file.finish().map_err(|error| Error::io("write", to, error))
    }
}
