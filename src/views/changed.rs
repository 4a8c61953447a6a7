//! Two releases → the relations that are not the same in both, by their files alone.

use crate::error::Result;
use crate::model::{Dimension, Model};
use crate::warehouse::{Release, TableEntry};
use std::collections::{BTreeMap, BTreeSet};

/// The relations that changed, under the names of their wide forms: `fact_<name>`, `dim_<dimension>`, `dim_date`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed(BTreeSet<String>);

impl Changed {
    /// What a release has otherwise than the one before.
    ///
    /// # Errors
    ///
    /// A manifest that names a layout that there is not.
    pub fn between(model: &Model, before: &Release, now: &Release) -> Result<Self> {
        let (old, new) = (before.layouts()?, now.layouts()?);
        let Some(layout) = new.iter().copied().find(|layout| old.contains(layout)) else {
            // No table can be compared with another of its name.
            return Ok(Self(relations(model).collect()));
        };
        let hashes = |release: &Release| -> BTreeMap<String, Vec<String>> {
            let hashes = |(name, entry): (&str, &TableEntry)| {
                (name.to_owned(), entry.files.iter().map(|file| file.blake3.clone()).collect())
            };
            release.tables(layout).map(hashes).collect()
        };
        let (old, new) = (hashes(before), hashes(now));
        let differing = new.iter().filter(|(name, files)| old.get(*name) != Some(*files));
        Ok(Self::of_tables(model, differing.map(|(name, _)| name.as_str())))
    }

    /// What changes when these tables of a layout do.
    pub fn of_tables<'t>(model: &Model, tables: impl IntoIterator<Item = &'t str>) -> Self {
        let tables: BTreeSet<&str> = tables.into_iter().collect();
        let has_changed = |relation: &String| {
            let dimension = model.dimensions.iter().find(|dimension| *relation == wide_name(dimension));
            tables.contains(relation.as_str())
                || dimension.is_some_and(|dimension| {
                    levels(dimension).any(|level| tables.contains(format!("dim_{level}").as_str()))
                })
        };
        Self(relations(model).filter(has_changed).collect())
    }

    /// Whether a relation changed.
    #[must_use]
    pub fn has(&self, relation: &str) -> bool {
        self.0.contains(relation)
    }

    /// Those of these that changed, each once, sorted.
    pub(super) fn of<'c>(&'c self, relations: &BTreeSet<String>) -> Vec<&'c str> {
        self.0.iter().filter(|name| relations.contains(*name)).map(String::as_str).collect()
    }
}

/// Every relation that a view may read.
pub(super) fn relations(model: &Model) -> impl Iterator<Item = String> {
    let facts = model.facts.iter().flat_map(|fact| std::iter::once(&fact.name).chain(&fact.lines_name));
    let facts = facts.map(|name| format!("fact_{name}"));
    facts.chain(model.dimensions.iter().map(wide_name)).chain(["dim_date".to_owned()])
}

/// The wide relation of a dimension.
pub(super) fn wide_name(dimension: &Dimension) -> String {
    format!("dim_{}", dimension.name)
}

fn levels(dimension: &Dimension) -> impl Iterator<Item = &str> {
    let entities = dimension.entities.iter().map(|entity| entity.name.as_str());
    entities.chain(dimension.plain_levels.iter().map(|level| level.name.as_str()))
}
