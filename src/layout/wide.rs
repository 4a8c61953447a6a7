//! (layout, dimension) → the SQL that gives the wide relation back from that layout's tables (DESIGN 24).

use super::Layout;
use super::level::{VALIDITY, key_name, levels, table_name, wide_columns};
use crate::model::Dimension;

/// A query that yields the columns and rows of the star's table of this dimension.
///
/// `schema` is where the tables of the layout stand; every name is quoted. The joins are inner ones:
/// every row has a parent, if only the reserved row -2.
#[must_use]
pub fn wide_sql(layout: Layout, dimension: &Dimension, schema: &str) -> String {
    match layout {
        Layout::Star => star_sql(dimension, schema),
        Layout::Snowflake => entity_sql(dimension, 0, schema),
    }
}

fn star_sql(dimension: &Dimension, schema: &str) -> String {
    let columns: Vec<String> = std::iter::once(key_name(&dimension.name))
        .chain(dimension.entities.iter().flat_map(wide_columns))
        .chain(VALIDITY.map(str::to_owned))
        .map(|column| quoted(&column))
        .collect();
    format!("SELECT {} FROM {}", columns.join(", "), qualified(schema, &table_name(&dimension.name)))
}

/// A query over the tables of levels that yields all rows of one entity, with what was true above it at the time.
/// `entity` is an index into the dimension's entities.
#[must_use]
pub fn entity_sql(dimension: &Dimension, entity: usize, schema: &str) -> String {
    let levels = levels(dimension);
    let levels = levels.get(entity..).unwrap_or_default();
    let lowest = levels.first().map_or(dimension.name.as_str(), |level| level.name);
    let of_level = |level: &str, column: &str| format!("{}.{}", quoted(level), quoted(column));
    let holder = |column: &str| {
        let level = levels.iter().find(|level| level.columns.iter().any(|own| own == column));
        of_level(level.map_or(lowest, |level| level.name), column)
    };
    let entities = dimension.entities.iter().skip(entity);
    let columns: Vec<String> = std::iter::once(of_level(lowest, &key_name(lowest)))
        .chain(entities.flat_map(wide_columns).map(|column| holder(&column)))
        .chain(VALIDITY.map(|column| of_level(lowest, column)))
        .collect();

    let mut sql = format!(
        "SELECT {} FROM {} AS {}",
        columns.join(", "),
        qualified(schema, &table_name(lowest)),
        quoted(lowest)
    );
    for level in levels {
        if let Some(parent) = level.parent {
            let key = key_name(parent);
            sql.push_str(&format!(
                " JOIN {} AS {} ON {} = {}",
                qualified(schema, &table_name(parent)),
                quoted(parent),
                of_level(level.name, &key),
                of_level(parent, &key)
            ));
        }
    }
    sql
}

fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
