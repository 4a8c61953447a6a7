//! (release, layout) → [`SessionSpec`]: what a release's manifest says can be asked of it.

use super::spec::{Column, SessionSpec, Table, Until, View};
use crate::layout::Layout;
use crate::warehouse::{self, LogRelation, Release, TableEntry, WideRelation};
use std::path::Path;

/// The tables of one layout in `main`, the wide relation of each dimension in `star`, event types and
/// rejects in `log`; `warehouse` is the folder that the release's log lies in.
#[must_use]
pub fn describe(release: &Release, layout: Layout, warehouse: &Path) -> SessionSpec {
    let relations = &release.manifest().relations;
    let position = i64::try_from(release.manifest().log_position).unwrap_or(i64::MAX);
    let mut tables = tables(release, layout, "main");
    tables.extend(relations.log.iter().map(|relation| log_table(relation, warehouse, position)));
    let wide = relations.wide.get(&layout.to_string()).into_iter().flatten();
    SessionSpec {
        tables,
        views: wide.map(|wide| wide_view(wide, "star")).collect(),
        ..SessionSpec::default()
    }
}

/// The tables of one layout, in a schema of that name.
#[must_use]
pub fn tables(release: &Release, layout: Layout, schema: &str) -> Vec<Table> {
    release.tables(layout).map(|(name, entry)| table(release, name, entry, schema)).collect()
}

fn table(release: &Release, name: &str, entry: &TableEntry, schema: &str) -> Table {
    let is_partitioned = entry.files.iter().any(|file| file.path.contains("/date_month="));
    Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        columns: entry.columns.iter().map(column).collect(),
        files: entry.files.iter().map(|file| release.path(file)).collect(),
        partition: is_partitioned.then(|| Column {
            name: "date_month".to_owned(),
            sql_type: Some("VARCHAR".to_owned()),
            comment: Some("The month of `date_key`, as 2011-03: the folder of the row's file".to_owned()),
        }),
        ..Table::default()
    }
}

fn log_table(relation: &LogRelation, warehouse: &Path, position: i64) -> Table {
    let comments: &[(&str, &str)] = if relation.name == "rejects" { &REJECTS } else { &ENVELOPE };
    Table {
        schema: "log".to_owned(),
        name: relation.name.clone(),
        columns: relation.columns.iter().map(|column| log_column(column, comments)).collect(),
        files: relation.files.iter().map(|file| warehouse.join(file)).collect(),
        until: Some(Until { column: relation.position_column.clone(), at_most: position }),
        files_may_differ: true,
        ..Table::default()
    }
}

/// The event store's files carry no comments; what its own columns hold is the same everywhere.
const ENVELOPE: [(&str, &str); 11] = [
    ("_position", "The event's place in the log: 1, 2, 3 ..."),
    ("_time", "When it happened, UTC"),
    ("_order", "The producer's order among events of one instant"),
    ("_version", "The version of the event type's contract"),
    ("_id", "The producer's id"),
    ("_content", "A hash of the event as a JSON value, by which duplicates are known"),
    ("_file", "The file that it came from"),
    ("_line", "Its line in that file, from 1"),
    ("_offset", "The line's first byte in that file, decompressed"),
    ("_absent", "Declared fields that were absent, which is not the same as null; comma-separated"),
    ("_unknown", "Fields that the pipeline does not declare, as a JSON object of their exact text"),
];

const REJECTS: [(&str, &str); 7] = [
    ("code", "Why the line is no event, in one word"),
    ("message", "Why the line is no event"),
    ("file", "The file that the line came from"),
    ("line", "The line in that file, from 1"),
    ("offset", "The line's first byte in that file, decompressed"),
    ("position_before", "The position of the last event before it"),
    ("raw", "The line itself"),
];

fn log_column(stored: &warehouse::Column, comments: &[(&str, &str)]) -> Column {
    let known = comments.iter().find(|(name, _)| *name == stored.name);
    let comment = known.map_or("A field of the event's payload", |(_, comment)| comment);
    Column { comment: Some(comment.to_owned()), ..column(stored) }
}

fn wide_view(wide: &WideRelation, schema: &str) -> View {
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
