//! Batches → one encoded row group, on any thread.

use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::ParquetError;

/// A row group to be encoded.
pub struct Job {
    pub table: usize,
    /// Its number in the table's file.
    pub group: usize,
    pub schema: SchemaRef,
    pub writers: Vec<ArrowColumnWriter>,
    pub batches: Vec<RecordBatch>,
}

/// An encoded row group.
pub struct Encoded {
    pub table: usize,
    pub group: usize,
    pub chunks: Vec<ArrowColumnChunk>,
}

impl Job {
    /// Encodes column by column, each over all batches.
    pub fn run(self) -> Result<Encoded> {
        let Self { table, group, schema, writers, batches } = self;
        let mut writers = writers.into_iter();
        let mut chunks = Vec::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let mut leaves: Vec<ArrowColumnWriter> = Vec::new();
            for batch in &batches {
                let array = batch.columns().get(at).ok_or_else(|| Error::bug("a batch lacks a column"))?;
                for (leaf, values) in compute_leaves(field, array).map_err(encoding)?.into_iter().enumerate()
                {
                    if leaf == leaves.len() {
                        leaves.extend(writers.next());
                    }
                    let writer =
                        leaves.get_mut(leaf).ok_or_else(|| Error::bug("a column lacks its writer"))?;
                    writer.write(&values).map_err(encoding)?;
                }
            }
            for leaf in leaves {
                chunks.push(leaf.close().map_err(encoding)?);
            }
        }
        Ok(Encoded { table, group, chunks })
    }
}

fn encoding(error: ParquetError) -> Error {
    Error::bug(format!("cannot encode events as Parquet: {error}")).because(error)
}
