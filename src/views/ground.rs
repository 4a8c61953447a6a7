//! (staged release, the release before) → a session over both, cut along the files that differ.

use super::changed::wide_name;
use crate::error::Result;
use crate::layout::Layout;
use crate::model::Model;
use crate::query::{SessionSpec, Table, View, dimensions, tables, views};
use crate::warehouse::Release;
use std::collections::{BTreeMap, BTreeSet};

/// The schema of all tables of the staged release.
pub(super) const WHOLE: &str = "whole";
/// Rows in files that the release before does not have, and today's dimensions.
pub(super) const ADDED: &str = "added";
/// Rows in files that only the release before has, and its dimensions.
pub(super) const REMOVED: &str = "removed";
/// Rows in files that both have, and today's dimensions.
pub(super) const STAYED: &str = "stayed";
/// The same rows, and the dimensions before.
pub(super) const STAYED_BEFORE: &str = "stayed before";
/// The views of the release before.
pub(super) const VIEWS: &str = "views";

/// What declared views are computed from.
pub(super) struct Ground {
    pub spec: SessionSpec,
    /// That of the staged release.
    pub layout: Layout,
    /// That of the release before.
    pub before: Layout,
}

impl Ground {
    /// All of the staged release; of the one before, what a difference needs.
    pub fn new(now: &Release, before: Option<&Release>) -> Result<Self> {
        let first = |release: &Release| -> Result<Layout> {
            Ok(release.layouts()?.first().copied().unwrap_or_default())
        };
        let layout = first(now)?;
        let mut spec = SessionSpec { tables: tables(now, layout, WHOLE), ..SessionSpec::default() };
        let Some(before) = before else { return Ok(Self { spec, layout, before: layout }) };
        let old_layout = first(before)?;
        let (new, old) = (hashes(now, layout), hashes(before, old_layout));
        let has = |hashes: &Hashes, table: &str, hash: &String| {
            hashes.get(table).is_some_and(|hashes| hashes.contains(hash))
        };
        let mut add =
            |release: &Release, layout: Layout, schema: &str, is_in: &dyn Fn(&str, &String) -> bool| {
                spec.tables.extend(part(release, layout, schema, is_in));
            };
        add(now, layout, ADDED, &|table, hash| !has(&old, table, hash));
        add(before, old_layout, REMOVED, &|table, hash| !has(&new, table, hash));
        add(now, layout, STAYED, &|table, hash| has(&old, table, hash));
        // The same files, by their names in today's release, beside the dimensions before.
        let facts = part(now, layout, STAYED_BEFORE, &|table, hash| has(&old, table, hash));
        spec.tables.extend(facts.into_iter().filter(is_fact));
        let others = tables(before, old_layout, STAYED_BEFORE);
        spec.tables.extend(others.into_iter().filter(|table| !is_fact(table)));
        spec.tables.extend(views(before, VIEWS));
        Ok(Self { spec, layout, before: old_layout })
    }
}

/// What SQL views read, whatever the layout: in `main`, and again in `star`, fact tables, dates, and each dimension as
/// one wide relation.
pub(super) fn readable(release: &Release, model: &Model) -> Result<SessionSpec> {
    let layout = release.layouts()?.first().copied().unwrap_or_default();
    let mut spec = dimensions(release, model, "star")?;
    let shared = |table: &Table| is_fact(table) || table.name == "dim_date";
    // A release in one wide table each has them among the tables already; dates are of neither kind.
    spec.tables.retain(|table| table.name != "dim_date");
    spec.tables.extend(tables(release, layout, "star").into_iter().filter(shared));
    let names = spec.tables.iter().filter(|table| shared(table)).map(|table| table.name.clone());
    let names: Vec<String> = names.chain(model.dimensions.iter().map(wide_name)).collect();
    spec.views.extend(names.into_iter().map(|name| View {
        schema: "main".to_owned(),
        sql: format!("SELECT * FROM star.{}", crate::ask::name(&name)),
        name,
        ..View::default()
    }));
    Ok(spec)
}

/// The hashes of the files of each table.
type Hashes = BTreeMap<String, BTreeSet<String>>;

fn hashes(release: &Release, layout: Layout) -> Hashes {
    let tables = release.tables(layout);
    tables
        .map(|(name, entry)| (name.to_owned(), entry.files.iter().map(|file| file.blake3.clone()).collect()))
        .collect()
}

/// The tables of a release, of facts only the files whose hash is wanted.
fn part(
    release: &Release,
    layout: Layout,
    schema: &str,
    is_wanted: &dyn Fn(&str, &String) -> bool,
) -> Vec<Table> {
    let mut all = tables(release, layout, schema);
    for (name, entry) in release.tables(layout) {
        let unwanted = entry.files.iter().filter(|file| !is_wanted(name, &file.blake3));
        let unwanted: BTreeSet<_> = unwanted.map(|file| release.path(file)).collect();
        for table in all.iter_mut().filter(|table| table.name == name && is_fact(table)) {
            table.files.retain(|file| !unwanted.contains(file));
        }
    }
    all
}

fn is_fact(table: &Table) -> bool {
    table.name.starts_with("fact_")
}
