//! (model, history) → the files of a release, made in memory one by one, to be compared and forgotten.

use crate::error::Result;
use crate::history::{FactTable, History, Months, PartitionKey};
use crate::layout::{self, Layout};
use crate::model::Model;
use crate::warehouse::{FactPlan, encode};
use arrow::array::RecordBatch;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The files of a release, each made when it is asked for.
pub struct Remade<'a> {
    files: BTreeMap<String, File<'a>>,
}

/// Rows of a file, and how they are told apart.
pub struct Rows {
    pub batch: RecordBatch,
    /// The columns that the rows are sorted by.
    pub sorted_by: Vec<String>,
}

enum File<'a> {
    /// A table that fits into memory as it is.
    Table { batch: RecordBatch, sorted_by: Vec<String> },
    /// A partition of a fact; none: the file of one without rows.
    Fact { fact: &'a dyn FactTable, plan: FactPlan, partition: Option<usize> },
}

impl<'a> Remade<'a> {
    /// The files of these layouts; of facts only those of these months, if any are named.
    pub fn new(
        model: &Model,
        history: &'a History,
        layouts: &[Layout],
        months: Option<&Months>,
    ) -> Result<Self> {
        let mut files = BTreeMap::new();
        for &layout in layouts {
            let dates = layout::date_table(model, &history.dates)?;
            let mut tables = vec![dates];
            for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
                tables.extend(layout::tables(layout, dimension, &made.entities)?);
            }
            for table in tables {
                let path = format!("{layout}/{0}/{0}.parquet", table.name);
                files.insert(path, File::Table { batch: table.batch, sorted_by: table.sorted_by });
            }
            for fact in &history.facts {
                let (fact, plan) = (fact.as_ref(), FactPlan::of(model, fact.as_ref())?);
                let mut add = |partition: Option<usize>, file: &str| {
                    let path = format!("{layout}/{}/{file}", plan.name);
                    files.insert(path, File::Fact { fact, plan: plan.clone(), partition });
                };
                let is_in = |key: PartitionKey| months.is_none_or(|months| months.contains(&key.month()));
                for (index, &key) in fact.partitions().iter().enumerate().filter(|(_, key)| is_in(**key)) {
                    add(Some(index), &format!("{}/{}", key.directory(), key.file_name()));
                }
                if fact.partitions().is_empty() && months.is_none() {
                    add(None, EMPTY);
                }
            }
        }
        for (entity, batch) in &history.members {
            let file = File::Table { batch: batch.clone(), sorted_by: Vec::new() };
            files.insert(format!("members/{entity}.parquet"), file);
        }
        Ok(Self { files })
    }

    /// The hash of every file, by its path.
    pub fn hashes(&self) -> Result<BTreeMap<&str, String>> {
        self.files
            .par_iter()
            .map(|(path, file)| {
                let Rows { batch, sorted_by } = file.rows()?;
                Ok((path.as_str(), encode(&batch, &sorted_by)?.blake3))
            })
            .collect()
    }

    /// The rows of one file, if there is to be one of this path.
    pub fn rows(&self, path: &str) -> Result<Option<Rows>> {
        self.files.get(path).map(File::rows).transpose()
    }
}

/// The only file of a fact without rows.
const EMPTY: &str = "date_month=__HIVE_DEFAULT_PARTITION__/empty.parquet";

impl File<'_> {
    fn rows(&self) -> Result<Rows> {
        match self {
            Self::Table { batch, sorted_by } => {
                Ok(Rows { batch: batch.clone(), sorted_by: sorted_by.clone() })
            }
            Self::Fact { fact, plan, partition } => {
                let batch = match partition {
                    Some(partition) => {
                        let columns = fact.read(*partition)?.columns().to_vec();
                        RecordBatch::try_new(plan.schema.clone(), columns)?
                    }
                    None => RecordBatch::new_empty(plan.schema.clone()),
                };
                Ok(Rows { batch, sorted_by: plan.sorted_by.clone() })
            }
        }
    }
}
