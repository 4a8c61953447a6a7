//! (release, layout) → [`SessionSpec`]: what a release's manifest says can be asked of it.

use super::as_of::now;
use super::spec::{Column, SessionSpec, Shown, Table, Until, View};
use super::sql;
use crate::error::Result;
use crate::layout::{Layout, wide_sql};
use crate::log::places;
use crate::model::Model;
use crate::warehouse::{self, LogRelation, Release, TableEntry, WideRelation};
use std::path::Path;

/// The tables of one layout in `main`; in `star` the wide relation of each dimension, and beside it facts
/// and dates, so that one text runs on every layout; in `now` each dimension as it is now; event types and
/// rejects in `log`. `warehouse` is the
/// folder that the release's log lies in.
#[must_use]
pub fn describe(release: &Release, layout: Layout, warehouse: &Path) -> SessionSpec {
    let mut spec = as_built(release, layout, warehouse);
    spec.views.extend(now(release, layout));
    spec
}

/// Everything but what follows from it.
fn as_built(release: &Release, layout: Layout, warehouse: &Path) -> SessionSpec {
    let relations = &release.manifest().relations;
    let mut tables = tables(release, layout, "main");
    tables.extend(views(release, "main"));
    tables.extend(log_tables(release, warehouse));
    let wide = relations.wide.get(&layout.to_string()).into_iter().flatten();
    let is_shared = |table: &&Table| is_shared(release, table);
    let shared = tables.iter().filter(is_shared).map(|table| second_name(table, "star"));
    let views = wide.map(|wide| wide_view(wide, "star")).chain(shared).collect();
    SessionSpec { tables, views, ..SessionSpec::default() }
}

/// What the checks of a staged release are asked of.
pub struct Candidate {
    /// As [`describe`] has it, with what the release has besides, and without `now`.
    pub spec: SessionSpec,
    /// The schema of the tables of levels, if they are built.
    pub levels: Option<String>,
    /// The schema of the wide relations joined back from those, if the release has its own wide ones too.
    pub rejoined: Option<String>,
}

/// A staged release, all its layouts side by side.
///
/// # Errors
///
/// A manifest that names a layout that there is not.
pub fn candidate(release: &Release, model: &Model, warehouse: &Path) -> Result<Candidate> {
    let layouts = release.layouts()?;
    let wide = layouts.iter().copied().find(|layout| !layout.has_levels());
    let split = layouts.iter().copied().find(|layout| layout.has_levels());
    let main = wide.or(split).unwrap_or_default();
    let mut spec = as_built(release, main, warehouse);
    let Some(split) = split else { return Ok(Candidate { spec, levels: None, rejoined: None }) };
    if split == main {
        return Ok(Candidate { spec, levels: Some("main".to_owned()), rejoined: None });
    }
    let (levels, rejoined) = ("levels".to_owned(), "rejoined".to_owned());
    spec.tables.extend(tables(release, split, &levels));
    spec.views.extend(model.dimensions.iter().map(|dimension| View {
        schema: rejoined.clone(),
        name: format!("dim_{}", dimension.name),
        sql: wide_sql(split, dimension, &levels),
        ..View::default()
    }));
    Ok(Candidate { spec, levels: Some(levels), rejoined: Some(rejoined) })
}

/// What a night is checked against: a part of a release's fact tables, in a schema of that name.
///
/// `wanted` says of each file by table and path whether it is in it.
///
/// # Errors
///
/// A manifest that names a layout that there is not.
pub fn fact_files(
    release: &Release,
    schema: &str,
    wanted: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<Table>> {
    let layout = release.layouts()?.first().copied().unwrap_or_default();
    let facts = release.tables(layout).filter(|(name, _)| name.starts_with("fact_"));
    let part = |(name, entry): (&str, &TableEntry)| {
        let files = entry.files.iter().filter(|file| wanted(name, &file.path));
        Table { files: files.map(|file| release.path(file)).collect(), ..table(release, name, entry, schema) }
    };
    Ok(facts.map(part).collect())
}

/// The dimensions of a release, a wide relation each, in a schema of that name.
///
/// # Errors
///
/// A manifest that names a layout that there is not.
pub fn dimensions(release: &Release, model: &Model, schema: &str) -> Result<SessionSpec> {
    let layouts = release.layouts()?;
    let dimensions = |layout: Layout, schema: &str| {
        tables(release, layout, schema).into_iter().filter(|table| table.name.starts_with("dim_")).collect()
    };
    if let Some(wide) = layouts.iter().copied().find(|layout| !layout.has_levels()) {
        return Ok(SessionSpec { tables: dimensions(wide, schema), ..SessionSpec::default() });
    }
    let levels = format!("{schema} levels");
    let split = layouts.first().copied().unwrap_or_default();
    let view = |dimension: &crate::model::Dimension| View {
        schema: schema.to_owned(),
        name: format!("dim_{}", dimension.name),
        sql: wide_sql(split, dimension, &levels),
        ..View::default()
    };
    Ok(SessionSpec {
        tables: dimensions(split, &levels),
        views: model.dimensions.iter().map(view).collect(),
        ..SessionSpec::default()
    })
}

/// The tables of one layout, in a schema of that name.
pub(crate) fn tables(release: &Release, layout: Layout, schema: &str) -> Vec<Table> {
    release.tables(layout).map(|(name, entry)| table(release, name, entry, schema)).collect()
}

/// The views of a release, in a schema of that name.
pub(crate) fn views(release: &Release, schema: &str) -> Vec<Table> {
    let views = release.manifest().views.iter();
    views.map(|(name, entry)| table(release, name, &entry.table, schema)).collect()
}

/// The event types and the rejects in `log`, as far as the release has seen them.
pub(crate) fn log_tables(release: &Release, warehouse: &Path) -> Vec<Table> {
    let position = i64::try_from(release.manifest().log_position).unwrap_or(i64::MAX);
    let relations = release.manifest().relations.log.iter();
    relations.map(|relation| log_table(relation, warehouse, position)).collect()
}

fn table(release: &Release, name: &str, entry: &TableEntry, schema: &str) -> Table {
    let has_date = entry.columns.iter().any(|column| column.name == "date_key");
    let day = if has_date { "`date_key`" } else { "the line's first placing" };
    let is_partitioned = entry.files.iter().any(|file| file.path.contains("/date_month="));
    Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        columns: entry.columns.iter().map(column).collect(),
        files: entry.files.iter().map(|file| release.path(file)).collect(),
        partition: is_partitioned.then(|| Column {
            name: "date_month".to_owned(),
            sql_type: Some("VARCHAR".to_owned()),
            comment: Some(format!("The month of {day}, as 2011-03: the folder of the row's file")),
        }),
        ..Table::default()
    }
}

fn log_table(relation: &LogRelation, warehouse: &Path, position: i64) -> Table {
    let are_rejects = relation.name == "rejects";
    let comments: &[(&str, &str)] = if are_rejects { &REJECTS } else { &ENVELOPE };
    Table {
        schema: "log".to_owned(),
        name: relation.name.clone(),
        columns: relation.columns.iter().map(|column| log_column(column, comments)).collect(),
        files: relation.files.iter().map(|file| warehouse.join(file)).collect(),
        until: Some(Until { column: relation.position_column.clone(), at_most: position }),
        shown: (are_rejects && !relation.files.is_empty()).then(|| shown_places(warehouse)),
        files_may_differ: true,
        ..Table::default()
    }
}

/// The log knows its files by names; whoever looks a reject up needs the place.
pub fn shown_places(warehouse: &Path) -> Shown {
    // Of a log that cannot be read, the names are still true.
    Shown { column: "file".to_owned(), values: places(&warehouse.join("log")).unwrap_or_default() }
}

/// The event store's files carry no comments; what its own columns hold is the same everywhere.
const ENVELOPE: [(&str, &str); 12] = [
    ("_position", "The event's place in the log: 1, 2, 3 ..."),
    ("_time", "When it happened, UTC"),
    ("_order", "The producer's order among events of one instant"),
    ("_version", "The version of the event type's contract in which it came"),
    ("_id", "The producer's id"),
    ("_content", "A hash of the event as a JSON value, by which duplicates are known"),
    ("_file", "The file that it came from"),
    ("_line", "Its line in that file, from 1"),
    ("_offset", "The line's first byte in that file, decompressed"),
    ("_absent", "Declared fields that were absent, which is not the same as null; comma-separated"),
    ("_unknown", "Fields that the pipeline does not declare, as a JSON object of their exact text"),
    ("_original", "The payload as it came, of an event that came in an older version of its contract"),
];

const REJECTS: [(&str, &str); 11] = [
    ("code", "Why the line is no event, in one word"),
    ("event", "Its type, where the line names one that is declared"),
    ("message", "Why the line is no event"),
    ("file", "The file that the line came from: where it was read last"),
    ("line", "The line in that file, from 1"),
    ("offset", "The line's first byte in that file, decompressed"),
    ("position_before", "The position of the last event before it"),
    ("raw", "The line itself"),
    (
        "format",
        "How the records of its file stand in it, as JSON; null where no line of the file had said it",
    ),
    (
        "requeued",
        "What became of it when it was put back: accepted, duplicate or ignored; null while it is a reject",
    ),
    ("position", "The position at which it came in when it was put back"),
];

fn log_column(stored: &warehouse::Column, comments: &[(&str, &str)]) -> Column {
    let known = comments.iter().find(|(name, _)| *name == stored.name);
    let comment = known.map_or("A field of the event's payload", |(_, comment)| comment);
    Column { comment: Some(comment.to_owned()), ..column(stored) }
}

/// Facts, dates and views are the same in every layout.
fn is_shared(release: &Release, table: &Table) -> bool {
    let is_view = release.manifest().views.contains_key(&table.name);
    table.schema == "main" && (table.name.starts_with("fact_") || table.name == "dim_date" || is_view)
}

/// The same table in another schema.
fn second_name(table: &Table, schema: &str) -> View {
    let columns = table.columns.iter().chain(&table.partition);
    View {
        schema: schema.to_owned(),
        name: table.name.clone(),
        sql: format!("SELECT * FROM {}", sql::qualified(&table.schema, &table.name)),
        comment: table.comment.clone(),
        column_comments: columns
            .filter_map(|column| Some((column.name.clone(), column.comment.clone()?)))
            .collect(),
    }
}

/// A wide relation under its name, in a schema of that name.
pub(crate) fn wide_view(wide: &WideRelation, schema: &str) -> View {
    let comments = wide.columns.iter().map(|column| (column.name.clone(), column.comment.clone()));
    View {
        schema: schema.to_owned(),
        name: wide.name.clone(),
        sql: wide.sql.clone(),
        comment: None,
        column_comments: comments.collect(),
    }
}

fn column(column: &warehouse::Column) -> Column {
    Column {
        name: column.name.clone(),
        sql_type: Some(column.sql_type.clone()),
        comment: Some(column.comment.clone()).filter(|comment| !comment.is_empty()),
    }
}
