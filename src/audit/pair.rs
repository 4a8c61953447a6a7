//! Two releases → one session that holds of both what is not the same file.
//!
//! Facts and dates stand in the schemas `before` and `after`, and so does each dimension as its wide relation, whatever
//! layouts the two were built in. The log is that of the one that has seen more of it.

use crate::checks::sql::{names, table};
use crate::error::Result;
use crate::layout::{Layout, wide_sql};
use crate::model::{Dimension, Fact, Model};
use crate::query::{Session, SessionSpec, Table, View, log_tables, tables};
use crate::warehouse::{DataFile, Release, TableEntry};
use std::collections::BTreeSet;
use std::path::Path;

/// Two releases, opened side by side.
pub struct Pair<'a> {
    pub session: Session,
    /// That of the release that has seen more of the log.
    pub model: Model,
    pub before: &'a Release,
    pub after: &'a Release,
    /// The positions that one of the two has seen and the other has not: after the first, up to the second.
    pub positions: (i64, i64),
    /// In the order in which they are told.
    pub tables: Vec<Compared>,
}

/// What a table of a pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Index into [`Model::facts`].
    Ledger(usize),
    /// Index into [`Model::facts`].
    Lines(usize),
    /// Index into [`Model::dimensions`].
    Dimension(usize),
    Dates,
}

/// A table that both releases have, and not in the same files.
#[derive(Debug, Clone)]
pub struct Compared {
    pub name: String,
    pub kind: Kind,
    /// The columns that tell its rows apart.
    pub key: Vec<String>,
    /// The columns that both have.
    pub columns: Vec<String>,
    /// Columns that only one of them has, and those of another type.
    pub changed_columns: Vec<String>,
}

impl<'a> Pair<'a> {
    /// Opens both. `is_wanted` says of a table's name, and `month` of a partition, whether it is to be compared.
    pub fn open(
        before: &'a Release,
        after: &'a Release,
        warehouse: &Path,
        is_wanted: &dyn Fn(&str) -> bool,
        month: Option<&str>,
    ) -> Result<Self> {
        let (older, newer) = match before.manifest().log_position > after.manifest().log_position {
            true => (after, before),
            false => (before, after),
        };
        let (model, old_model) = (newer.model()?, older.model()?);
        let mut spec = SessionSpec { tables: log_tables(newer, warehouse), ..SessionSpec::default() };
        let mut compared = Vec::new();
        let facts = model.facts.iter().enumerate().flat_map(|(index, fact)| {
            let lines = fact.lines_name.as_ref().map(|lines| (format!("fact_{lines}"), Kind::Lines(index)));
            [Some((format!("fact_{}", fact.name), Kind::Ledger(index))), lines].into_iter().flatten()
        });
        for (name, kind) in
            facts.chain([("dim_date".to_owned(), Kind::Dates)]).filter(|(name, _)| is_wanted(name))
        {
            let key = key(&model, kind);
            let Some((one, other)) = files(before, after, &name)? else { continue };
            if let Some(table) = compare(name, kind, key, one.entry, other.entry)
                && one.differs_from(&other, month)
            {
                spec.tables.push(one.changed("before", &other, month, &table));
                spec.tables.push(other.changed("after", &one, month, &table));
                compared.push(table);
            }
        }
        for (index, dimension) in model.dimensions.iter().enumerate() {
            let name = format!("dim_{}", dimension.name);
            let is_compared = is_wanted(&name) && month.is_none() && !is_same(before, after, dimension)?;
            let Some(old) = old_model.dimensions.iter().find(|old| old.name == dimension.name) else {
                continue;
            };
            // Each is joined as its own release's pipeline says.
            let (one, other) = if std::ptr::eq(older, before) { (old, dimension) } else { (dimension, old) };
            let columns = [wide(&mut spec, before, "before", one)?, wide(&mut spec, after, "after", other)?];
            if let ([Some(one), Some(other)], true) = (columns, is_compared) {
                let common = one.iter().filter(|column| other.contains(column)).cloned().collect();
                let own = |columns: &[String], others: &[String]| {
                    columns.iter().filter(|column| !others.contains(column)).cloned().collect::<Vec<_>>()
                };
                let changed_columns = [own(&one, &other), own(&other, &one)].concat();
                let (kind, key) = (Kind::Dimension(index), key(&model, Kind::Dimension(index)));
                compared.push(Compared { name, kind, key, columns: common, changed_columns });
            }
        }
        let position = |release: &Release| i64::try_from(release.manifest().log_position).unwrap_or(i64::MAX);
        let positions = (position(older), position(newer));
        Ok(Self { session: Session::open(&spec)?, model, before, after, positions, tables: compared })
    }

    /// The fact of a table, if it is one.
    pub fn fact(&self, kind: Kind) -> Option<&Fact> {
        match kind {
            Kind::Ledger(fact) | Kind::Lines(fact) => self.model.facts.get(fact),
            _ => None,
        }
    }
}

/// The columns that tell the rows of a table apart.
fn key(model: &Model, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Dates => vec!["date_key".to_owned()],
        Kind::Dimension(dimension) => model
            .dimensions
            .get(dimension)
            .map(|dimension| format!("{}_key", dimension.name))
            .into_iter()
            .collect(),
        Kind::Ledger(fact) => {
            let line =
                model.facts.get(fact).and_then(|fact| fact.line.as_ref()).map(|line| line.name.clone());
            ["position", "item", "kind"].map(str::to_owned).into_iter().chain(line).collect()
        }
        Kind::Lines(fact) => {
            let fact = model.facts.get(fact);
            fact.map(|fact| [names(&fact.header), names(fact.line.as_slice())].concat()).unwrap_or_default()
        }
    }
}

/// A table of a release, in whichever layout.
struct Files<'a> {
    release: &'a Release,
    layout: Layout,
    entry: &'a TableEntry,
}

/// A table that does not depend on the layout, in both releases if both have it.
fn files<'a>(before: &'a Release, after: &'a Release, name: &str) -> Result<Option<(Files<'a>, Files<'a>)>> {
    let of = |release: &'a Release| -> Result<Option<Files<'a>>> {
        let Some(layout) = release.layouts()?.into_iter().next() else { return Ok(None) };
        let found = release.tables(layout).find(|(known, _)| *known == name);
        Ok(found.map(|(_, entry)| Files { release, layout, entry }))
    };
    Ok(of(before)?.zip(of(after)?))
}

impl Files<'_> {
    /// The files of one month, or all, that the other release does not have.
    fn own<'f>(&'f self, other: &Self, month: Option<&str>) -> Vec<&'f DataFile> {
        let theirs: BTreeSet<&str> = other.entry.files.iter().map(|file| file.blake3.as_str()).collect();
        let is_own = |file: &&DataFile| {
            !theirs.contains(file.blake3.as_str()) && month.is_none_or(|month| file.month() == Some(month))
        };
        self.entry.files.iter().filter(is_own).collect()
    }

    fn differs_from(&self, other: &Self, month: Option<&str>) -> bool {
        !self.own(other, month).is_empty() || !other.own(self, month).is_empty()
    }

    /// The table with nothing but those files.
    fn changed(&self, schema: &str, other: &Self, month: Option<&str>, compared: &Compared) -> Table {
        let Compared { name, columns, .. } = compared;
        let own: BTreeSet<_> =
            self.own(other, month).into_iter().map(|file| self.release.path(file)).collect();
        let all = tables(self.release, self.layout, schema);
        let mut table = all.into_iter().find(|table| table.name == *name).unwrap_or_default();
        table.files.retain(|file| own.contains(file));
        table.columns.retain(|column| columns.contains(&column.name));
        table
    }
}

/// What can be compared of a table; nothing if its key is not in both.
fn compare(
    name: String,
    kind: Kind,
    key: Vec<String>,
    one: &TableEntry,
    other: &TableEntry,
) -> Option<Compared> {
    let typed = |entry: &TableEntry| -> Vec<(String, String)> {
        entry.columns.iter().map(|column| (column.name.clone(), column.sql_type.clone())).collect()
    };
    let (one, other) = (typed(one), typed(other));
    let columns: Vec<String> =
        one.iter().filter(|column| other.contains(column)).map(|(name, _)| name.clone()).collect();
    let only = one.iter().chain(&other).map(|(name, _)| name).filter(|name| !columns.contains(name));
    let changed_columns: BTreeSet<String> = only.cloned().collect();
    let is_keyed = key.iter().all(|column| columns.contains(column));
    is_keyed.then_some(Compared {
        name,
        kind,
        key,
        columns,
        changed_columns: changed_columns.into_iter().collect(),
    })
}

/// Whether a dimension lies in the same files in both, in a layout that both have.
fn is_same(before: &Release, after: &Release, dimension: &Dimension) -> Result<bool> {
    let others = after.layouts()?;
    let levels = dimension.entities.iter().map(|entity| &entity.name);
    let levels: Vec<String> = levels
        .chain(dimension.plain_levels.iter().map(|level| &level.name))
        .map(|level| format!("dim_{level}"))
        .collect();
    let hashes = |release: &Release, layout: Layout| -> BTreeSet<String> {
        let tables = release.tables(layout).filter(|(name, _)| levels.iter().any(|level| level == name));
        tables
            .flat_map(|(_, table)| &table.files)
            .map(|file| format!("{} {}", file.blake3, file.path))
            .collect()
    };
    let common = before.layouts()?.into_iter().find(|layout| others.contains(layout));
    Ok(common.is_some_and(|layout| hashes(before, layout) == hashes(after, layout)))
}

/// Makes the wide relation of a dimension known; returns its columns, if the release has the dimension.
fn wide(
    spec: &mut SessionSpec,
    release: &Release,
    schema: &str,
    dimension: &Dimension,
) -> Result<Option<Vec<String>>> {
    let Some(layout) = release.layouts()?.into_iter().next() else { return Ok(None) };
    let name = format!("dim_{}", dimension.name);
    let known = release.manifest().relations.wide.get(&layout.to_string());
    let Some(known) = known.into_iter().flatten().find(|wide| wide.name == name) else { return Ok(None) };
    let columns: Vec<String> = known.columns.iter().map(|column| column.name.clone()).collect();
    let below = format!("{schema} tables");
    let levels = dimension.entities.iter().map(|entity| format!("dim_{}", entity.name));
    let levels: Vec<String> =
        levels.chain(dimension.plain_levels.iter().map(|level| format!("dim_{}", level.name))).collect();
    spec.tables
        .extend(tables(release, layout, &below).into_iter().filter(|table| levels.contains(&table.name)));
    spec.views.push(View {
        schema: schema.to_owned(),
        name: name.clone(),
        sql: wide_sql(layout, dimension, &below),
        ..View::default()
    });
    Ok(Some(columns))
}

/// A table of one of the two.
pub fn side(schema: &str, name: &str) -> String {
    table(schema, name)
}
