//! The real thing, night by night in process: each night goes on from the tables of the one before, and what it
//! does not say it keeps is what a replay of the whole log gives.

use super::compare::differences;
use super::engine::{add_file, logical, take_in};
use crate::support::memory_folder;
use arrow::array::{ArrayRef, RecordBatch};
use starlog::error::Result;
use starlog::history::{self, Before, Findings, History, PartitionKey};
use starlog::log::EventLog;
use starlog::model::Model;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The partitions of each fact table.
type Facts = BTreeMap<String, BTreeMap<PartitionKey, RecordBatch>>;

/// Everything that a release holds, in memory.
#[derive(Clone, Default)]
pub(super) struct Tables {
    position: i64,
    pub findings: Findings,
    pub facts: Facts,
    dimensions: BTreeMap<String, RecordBatch>,
    members: BTreeMap<String, RecordBatch>,
    dates: Option<RecordBatch>,
}

impl Before for Tables {
    fn position(&self) -> i64 {
        self.position
    }

    fn findings(&self) -> &Findings {
        &self.findings
    }

    fn partitions(&self, table: &str) -> Result<Vec<(PartitionKey, u64)>> {
        Ok(self.facts[table].iter().map(|(key, batch)| (*key, batch.num_rows() as u64)).collect())
    }

    fn rows(&self, table: &str, partition: PartitionKey, columns: Option<&[String]>) -> Result<RecordBatch> {
        let batch = &self.facts[table][&partition];
        let Some(columns) = columns else { return Ok(batch.clone()) };
        let places: Vec<usize> =
            columns.iter().map(|name| batch.schema().index_of(name).expect("a column")).collect();
        Ok(batch.project(&places)?)
    }

    fn dimension(&self, name: &str) -> Result<RecordBatch> {
        Ok(self.dimensions[name].clone())
    }

    fn members(&self, entity: &str) -> Result<RecordBatch> {
        Ok(self.members[entity].clone())
    }
}

/// What differs between a log that came in nights and the same log replayed as a whole, after each night.
pub fn differences_by_night(model: &Model, nights: &[&[String]]) -> Option<String> {
    let mut night = 0;
    walk(model, nights, |log, now| {
        let replayed = history::replay(model, log).expect("a replay");
        let whole = tables(model, &replayed, log.position().as_i64(), None);
        night += 1;
        difference(&whole, now).map(|difference| format!("after night {night}: {difference}"))
    })
    .err()
}

/// What differs in the end from the same lines taken in at once and replayed as a whole, and from the oracle.
pub fn differences_in_the_end(
    model: &Model,
    nights: &[&[String]],
    expected: &super::Tables,
) -> Option<String> {
    // A run that finds nothing new builds nothing.
    let busy: Vec<&[String]> = nights.iter().copied().filter(|lines| !lines.is_empty()).collect();
    let last = match walk(model, &busy, |_, _| None) {
        Ok(last) => last?,
        Err(difference) => return Some(difference),
    };
    let folder = memory_folder();
    let log = take_in(model, &[&nights.concat()], folder.path());
    let replayed = history::replay(model, &log).expect("a replay");
    let whole = tables(model, &replayed, log.position().as_i64(), None);
    difference(&whole, &last).or_else(|| differences(expected, &logical(model, &replayed)))
}

/// Goes through the nights, the first as a replay; asks after each of them. Returns the tables of the last.
fn walk(
    model: &Model,
    nights: &[&[String]],
    mut ask: impl FnMut(&EventLog, &Tables) -> Option<String>,
) -> std::result::Result<Option<Tables>, String> {
    let folder = memory_folder();
    let mut last: Option<Tables> = None;
    for (night, lines) in nights.iter().enumerate() {
        let log = add_file(model, folder.path(), night, lines);
        let position = log.position().as_i64();
        let now = match last.take() {
            None => tables(model, &history::replay(model, &log).expect("a replay"), position, None),
            Some(before) => {
                let shared: Arc<dyn Before> = Arc::new(before.clone());
                let history = history::night(model, &log, &shared).expect("a night");
                tables(model, &history, position, Some(&before))
            }
        };
        if let Some(difference) = ask(&log, &now) {
            return Err(difference);
        }
        last = Some(now);
    }
    Ok(last)
}

pub(super) fn tables(model: &Model, history: &History, position: i64, before: Option<&Tables>) -> Tables {
    let mut tables = Tables { position, findings: history.findings.clone(), ..Tables::default() };
    for fact in &history.facts {
        let mut partitions = BTreeMap::new();
        for (index, key) in fact.partitions().iter().enumerate() {
            let batch = match before.filter(|_| fact.is_kept(index)) {
                Some(before) => before.facts[fact.name()][key].clone(),
                None => fact.read(index).expect("a partition"),
            };
            assert_eq!(batch.num_rows(), fact.partition_rows(index), "{}: rows of {key:?}", fact.name());
            partitions.insert(*key, batch);
        }
        tables.facts.insert(fact.name().to_owned(), partitions);
    }
    for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
        tables.dimensions.insert(dimension.name.clone(), made.entities[0].clone());
        for (entity, relation) in dimension.entities.iter().zip(&made.entities).skip(1) {
            tables.dimensions.insert(format!("{}/{}", dimension.name, entity.name), relation.clone());
        }
    }
    tables.members = history.members.iter().cloned().collect();
    tables.dates = Some(history.dates.clone());
    tables
}

pub(super) fn difference(whole: &Tables, now: &Tables) -> Option<String> {
    if whole.findings != now.findings {
        return Some(format!("the whole log found\n{:?}\nthe night\n{:?}", whole.findings, now.findings));
    }
    if whole.dates != now.dates {
        return Some("other dates".to_owned());
    }
    for (what, whole, now) in
        [("dimension", &whole.dimensions, &now.dimensions), ("members of", &whole.members, &now.members)]
    {
        if let Some((name, _)) = whole.iter().find(|(name, batch)| now.get(*name) != Some(batch)) {
            return Some(format!("{what} {name} differ"));
        }
    }
    for (table, partitions) in &whole.facts {
        let others = &now.facts[table];
        if partitions.keys().ne(others.keys()) {
            return Some(format!("{table}: partitions {:?}, not {:?}", others.keys(), partitions.keys()));
        }
        for (key, batch) in partitions {
            if batch != &others[key] {
                return Some(format!("{table} {key:?}: {}", columns(batch, &others[key])));
            }
        }
    }
    None
}

/// The columns that differ, with both values.
fn columns(whole: &RecordBatch, now: &RecordBatch) -> String {
    let schema = whole.schema();
    let differs = |(field, (whole, now)): (&Arc<arrow::datatypes::Field>, (&ArrayRef, &ArrayRef))| {
        (whole != now).then(|| format!("{}\n  {whole:?}\n  {now:?}", field.name()))
    };
    let pairs = whole.columns().iter().zip(now.columns());
    schema.fields().iter().zip(pairs).filter_map(differs).collect::<Vec<_>>().join("\n")
}
