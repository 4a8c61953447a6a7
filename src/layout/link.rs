//! (layout, model) → which column of which table holds the key of another table's rows.

use super::Layout;
use super::level::{key_name, levels, table_name};
use crate::model::Model;

/// A column that leads to a row of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub table: String,
    pub column: String,
    /// The table whose key it holds.
    pub to: String,
}

/// All links between the ledgers of facts, the dates and the tables of dimensions.
#[must_use]
pub fn links(layout: Layout, model: &Model) -> Vec<Link> {
    let mut links = Vec::new();
    for fact in &model.facts {
        let table = format!("fact_{}", fact.name);
        let date = Link { table: table.clone(), column: "date_key".to_owned(), to: "dim_date".to_owned() };
        links.push(date);
        let dimension = |role: usize| model.dimensions.get(role).map(|dimension| dimension.name.as_str());
        links.extend(fact.roles.iter().filter_map(|role| {
            let to = table_name(dimension(role.dimension)?);
            Some(Link { table: table.clone(), column: key_name(&role.name), to })
        }));
    }
    if layout.has_levels() {
        for level in model.dimensions.iter().flat_map(levels) {
            links.extend(level.parent.map(|parent| Link {
                table: table_name(level.name),
                column: key_name(parent),
                to: table_name(parent),
            }));
        }
    }
    links
}
