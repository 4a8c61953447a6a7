//! A published release, as the history of the next night reads it.

use crate::error::{Error, Result};
use crate::history::{Before, Findings, PartitionKey};
use crate::layout::Layout;
use crate::warehouse::{Release, TableEntry, decode};
use arrow::array::RecordBatch;
use std::path::Path;

/// The release that a night goes on from.
pub struct Previous {
    release: Release,
    layout: Layout,
}

impl Previous {
    /// A release, read in its first layout.
    pub fn new(release: Release) -> Result<Self> {
        let layout = release.layouts()?.first().copied();
        let layout = layout.ok_or_else(|| Error::bug("a release without a layout"))?;
        Ok(Self { release, layout })
    }

    fn table(&self, name: &str) -> Result<&TableEntry> {
        let mut tables = self.release.tables(self.layout);
        let found = tables.find(|(table, _)| *table == name).map(|(_, entry)| entry);
        found.ok_or_else(|| Error::bug(format!("the release before has no table {name}")))
    }
}

impl Before for Previous {
    fn position(&self) -> i64 {
        self.release.manifest().log_position.cast_signed()
    }

    fn findings(&self) -> &Findings {
        &self.release.manifest().findings
    }

    fn partitions(&self, table: &str) -> Result<Vec<(PartitionKey, u64)>> {
        let key = |path: &str| {
            let name = Path::new(path).file_stem().and_then(|stem| stem.to_str());
            let key = name.and_then(PartitionKey::parse);
            key.ok_or_else(|| Error::bug(format!("{path} is no partition")))
        };
        // A table without rows has a file that is no partition.
        let files = self.table(table)?.files.iter().filter(|file| file.rows > 0);
        files.map(|file| Ok((key(&file.path)?, file.rows))).collect()
    }

    fn rows(&self, table: &str, partition: PartitionKey, columns: Option<&[String]>) -> Result<RecordBatch> {
        let ends = format!("/{}/{}", partition.directory(), partition.file_name());
        let file = self.table(table)?.files.iter().find(|file| file.path.ends_with(&ends));
        let file = file.ok_or_else(|| Error::bug(format!("the release before has no {table}{ends}")))?;
        decode(&self.release.path(file), columns)
    }

    fn dimension(&self, name: &str) -> Result<RecordBatch> {
        let table = self.table(&format!("dim_{name}"))?;
        let file = table.files.first();
        let file = file.ok_or_else(|| Error::bug(format!("dim_{name} has no file")))?;
        decode(&self.release.path(file), None)
    }

    fn members(&self, entity: &str) -> Result<RecordBatch> {
        let file = self.release.manifest().members.get(entity);
        let file =
            file.ok_or_else(|| Error::bug(format!("the release before has no members of {entity}")))?;
        decode(&self.release.path(file), None)
    }
}
