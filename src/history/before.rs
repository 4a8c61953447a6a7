//! What the release before holds: where a night goes on from.

use super::frame::{NONE, integers, lookup, sort_order};
use super::members::Members;
use super::relation::{Counts, PartitionKey};
use super::versions::Versions;
use crate::error::{Error, Result};
use crate::model::{Entity, Model};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;

/// A release, as far as a night must know it.
pub trait Before: Sync + Send {
    /// The position of the last event in it.
    fn position(&self) -> i64;
    /// What its own replay found out.
    fn findings(&self) -> &Findings;
    /// The partitions of a fact table, in rising order, each with its number of rows.
    fn partitions(&self, table: &str) -> Result<Vec<(PartitionKey, u64)>>;
    /// The rows of a partition: these columns, or all.
    fn rows(&self, table: &str, partition: PartitionKey, columns: Option<&[String]>) -> Result<RecordBatch>;
    /// Rows of a dimension with at least its key, its natural key, `valid_from` and `valid_to`.
    fn dimension(&self, name: &str) -> Result<RecordBatch>;
    /// What [`super::History::members`] was for an entity.
    fn members(&self, entity: &str) -> Result<RecordBatch>;
}

/// What a replay found out besides rows. A function of pipeline and log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Findings {
    /// The instants of the oldest and the newest event, UTC microseconds.
    pub times: Option<(i64, i64)>,
    /// Without look-ups.
    pub counts: Counts,
}

/// The versions of a dimension's lowest entity as the release has them, by the members of today.
pub fn versions(before: &dyn Before, model: &Model, dimension: usize, members: &Members) -> Result<Versions> {
    let dimension = &model.dimensions[dimension];
    let lowest: &Entity =
        dimension.entities.first().ok_or_else(|| Error::bug("a dimension without a level"))?;
    let batch = before.dimension(&dimension.name)?;
    let column = |name: &str| -> Result<ArrayRef> {
        let found = batch.column_by_name(name).cloned();
        found.ok_or_else(|| Error::bug(format!("dim_{} has no column {name}", dimension.name)))
    };
    let keys = integers(&column(&format!("{}_key", lowest.name))?)?;
    let natural = lowest.key.iter().map(|key| Ok(cast(&column(&key.name)?, &key.value_type.arrow())?));
    let natural = natural.collect::<Result<Vec<_>>>()?;
    let of = if members.len() == 0 { vec![NONE; keys.len()] } else { lookup(&natural, &members.keys)? };
    let (from, to) = (integers(&column("valid_from")?)?, integers(&column("valid_to")?)?);
    // Reserved rows are nobody's.
    let rows: Vec<usize> = (0..keys.len()).filter(|&row| of[row] != NONE).collect();
    let by = [
        rows.iter().map(|&row| i64::from(of[row])).collect(),
        rows.iter().map(|&row| from[row]).collect::<Vec<i64>>(),
    ];
    let mut versions = Versions::empty(members.len());
    let mut rest = sort_order(&by)?.into_iter().map(|at| rows[at as usize]).peekable();
    for member in 0..members.len() {
        // Whoever came later has none: no event up to then names it.
        versions.begin();
        while let Some(row) = rest.next_if(|&row| of[row] as usize == member) {
            versions.know(member, (from[row], to[row]), keys[row]);
        }
    }
    versions.begin();
    Ok(versions)
}
