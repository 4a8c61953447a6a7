//! `role.column`, `date.month`, `kind` → columns: what a name means to a question about one fact.

use super::clause::{Mistake, Node, What};
use crate::model::{Calendar, Column, Dimension, Fact, Tracking, ValueType};
use crate::spec::closest;

/// What a question may speak of.
#[derive(Clone, Copy)]
pub(super) struct Ground<'m> {
    pub facts: &'m [Fact],
    pub dimensions: &'m [Dimension],
    pub calendar: &'m Calendar,
}

/// A fact that is asked.
#[derive(Clone, Copy)]
pub(super) struct Subject<'m> {
    pub ground: Ground<'m>,
    pub fact: &'m Fact,
}

impl<'m> Subject<'m> {
    /// The columns that a name means: one, or those that together tell a level.
    pub fn columns(self, node: &Node, text: &str) -> Result<Vec<Column>, Mistake> {
        self.resolve(node, text, false)
    }

    /// The same, where a level of members is meant by their natural key, not by their name.
    pub fn members(self, node: &Node, text: &str) -> Result<Vec<Column>, Mistake> {
        self.resolve(node, text, true)
    }

    /// The one column that a name means.
    pub fn column(self, node: &Node, text: &str) -> Result<Column, Mistake> {
        let columns = self.columns(node, text)?;
        match <[Column; 1]>::try_from(columns) {
            Ok([column]) => Ok(column),
            Err(columns) => {
                let names: Vec<String> =
                    columns.iter().map(|column| format!("`{}`", self.show(column))).collect();
                let shown = text.get(node.place.clone()).unwrap_or_default();
                let message = format!("`{shown}` stands for {} columns", names.len());
                Err(Mistake::new(
                    node.place.clone(),
                    message,
                    format!("name one of them: {}", names.join(", ")),
                ))
            }
        }
    }

    /// A column as a question names it.
    pub fn show(self, column: &Column) -> String {
        column.shown(self.fact)
    }

    fn resolve(self, node: &Node, text: &str, by_key: bool) -> Result<Vec<Column>, Mistake> {
        let What::Name(parts) = &node.what else {
            let message = "a column is expected here";
            return Err(Mistake::new(node.place.clone(), message, "name it: `role.column`, `date.month`"));
        };
        let mistake = |message: String, hint: String| Mistake::new(node.place.clone(), message, hint);
        match parts.as_slice() {
            [name] => match self.own(name) {
                Some(column) => Ok(vec![column]),
                None if text.get(node.place.start..).is_some_and(|rest| rest.starts_with('"')) => {
                    Err(mistake(
                        format!("\"{name}\" is no column of the fact `{}`", self.fact.name),
                        format!("double quotes are for names; a text stands in single ones: '{name}'"),
                    ))
                }
                None => Err(mistake(
                    format!("the fact `{}` has no column `{name}`", self.fact.name),
                    self.hint_for(name),
                )),
            },
            [date, name] if same(date, "date") => {
                let found = self.ground.calendar.named(name);
                let columns = found
                    .into_iter()
                    .map(|(name, value_type)| Column::Date { name: name.to_owned(), value_type });
                let columns: Vec<Column> = columns.collect();
                let names = || self.ground.calendar.names();
                match columns.is_empty() {
                    false => Ok(columns),
                    true => Err(mistake(format!("a date has no `{name}`"), known(name, names()))),
                }
            }
            [role, name] => {
                let Some(index) = self.fact.roles.iter().position(|known| same(&known.name, role)) else {
                    return Err(mistake(
                        format!("the rows of the fact `{}` know no `{role}`", self.fact.name),
                        known(role, self.fact.roles.iter().map(|role| role.name.as_str()).chain(["date"])),
                    ));
                };
                let dimension =
                    self.fact.roles.get(index).and_then(|role| self.ground.dimensions.get(role.dimension));
                let found =
                    dimension.map(|dimension| of_dimension(dimension, name, by_key)).unwrap_or_default();
                let column = |(name, value_type): (String, ValueType)| Column::OfRole {
                    role: index,
                    name,
                    value_type,
                };
                if !found.is_empty() {
                    return Ok(found.into_iter().map(column).collect());
                }
                let names = dimension.map(names_of).unwrap_or_default();
                Err(mistake(
                    format!("`{role}` has neither a column nor a level `{name}`"),
                    known(name, names.iter().map(String::as_str)),
                ))
            }
            _ => Err(mistake(
                "a name has two parts at most".to_owned(),
                "write `role.column`; a name with a point in it stands in double quotes".to_owned(),
            )),
        }
    }

    /// A column of the ledger's own rows.
    fn own(self, name: &str) -> Option<Column> {
        let (name, value_type) = self.own_columns().into_iter().find(|(known, _)| same(known, name))?;
        Some(Column::Own { name: name.to_owned(), value_type })
    }

    pub fn own_columns(self) -> Vec<(&'m str, ValueType)> {
        let fact = self.fact;
        let keys =
            fact.header.iter().chain(&fact.line).map(|column| (column.name.as_str(), column.value_type));
        let carried = fact.columns.iter().map(|column| (column.name.as_str(), column.value_type));
        let measures = fact.measures.iter().map(|measure| (measure.name.as_str(), measure.value_type));
        let everywhere = [
            ("kind", ValueType::Text),
            ("occurred_at", ValueType::Timestamp),
            ("position", ValueType::Integer),
            ("item", ValueType::Integer),
        ];
        keys.chain(carried).chain(measures).chain(everywhere).collect()
    }

    /// What may have been meant by a name without a role.
    pub fn hint_for(self, name: &str) -> String {
        if let Some(role) = self.fact.roles.iter().find(|role| same(&role.name, name)) {
            let dimension = self.ground.dimensions.get(role.dimension);
            let first = dimension.map(names_of).unwrap_or_default().into_iter().next().unwrap_or_default();
            return format!("name one of its columns or levels: `{}.{first}`", role.name);
        }
        let roles = self
            .fact
            .roles
            .iter()
            .filter_map(|role| Some((role, self.ground.dimensions.get(role.dimension)?)));
        let mut holders = roles.filter(|(_, dimension)| !of_dimension(dimension, name, false).is_empty());
        if let Some((role, _)) = holders.next() {
            return format!("did you mean `{}.{name}`?", role.name);
        }
        if !self.ground.calendar.named(name).is_empty() {
            return format!("did you mean `date.{name}`?");
        }
        known(name, self.own_columns().iter().map(|(name, _)| *name))
    }
}

impl Column {
    /// The column as a question about this fact names it: `role.column`.
    #[must_use]
    pub fn shown(&self, fact: &Fact) -> String {
        let plain = |name: &str| match name.chars().all(|each| each.is_alphanumeric() || each == '_') {
            true => name.to_owned(),
            false => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        match self {
            Self::Own { name, .. } => plain(name),
            Self::Date { name, .. } => format!("date.{}", crate::model::date::name_of(name)),
            Self::OfRole { role, name, .. } => {
                let role = fact.roles.get(*role).map_or("", |role| role.name.as_str());
                format!("{}.{}", plain(role), plain(name))
            }
        }
    }
}

/// A column of any level; else those of the level of this name.
fn of_dimension(dimension: &Dimension, name: &str, by_key: bool) -> Vec<(String, ValueType)> {
    let level = || of_level(dimension, name, by_key);
    let column = columns_of(dimension).into_iter().find(|(known, _)| same(known, name));
    // A level of plain columns most often bears the name of one: that one is meant by it.
    match column {
        Some(column) => vec![column],
        None => level().unwrap_or_default(),
    }
}

fn of_level(dimension: &Dimension, name: &str, by_key: bool) -> Option<Vec<(String, ValueType)>> {
    if let Some(entity) = dimension.entities.iter().find(|entity| same(&entity.name, name)) {
        let shown = format!("{}_name", entity.name);
        let named = entity.attributes.iter().find(|attribute| same(&attribute.name, &shown) && !by_key);
        if let Some(attribute) = named {
            return Some(vec![(attribute.name.clone(), attribute.value_type)]);
        }
        return Some(entity.key.iter().map(|column| (column.name.clone(), column.value_type)).collect());
    }
    let level = dimension.plain_levels.iter().find(|level| same(&level.name, name))?;
    let attributes = &dimension.entities.last()?.attributes;
    let columns = level.attributes.iter().filter_map(|index| attributes.get(*index));
    Some(columns.map(|attribute| (attribute.name.clone(), attribute.value_type)).collect())
}

/// All columns of all levels, keys of rows and times of validity aside.
fn columns_of(dimension: &Dimension) -> Vec<(String, ValueType)> {
    let mut columns = Vec::new();
    for entity in &dimension.entities {
        columns.extend(entity.key.iter().map(|column| (column.name.clone(), column.value_type)));
        for attribute in &entity.attributes {
            columns.push((attribute.name.clone(), attribute.value_type));
            if attribute.tracking == Tracking::Previous {
                columns.push((format!("previous_{}", attribute.name), attribute.value_type));
            }
        }
    }
    columns
}

/// What can be named of a dimension: its columns and its levels.
pub fn names_of(dimension: &Dimension) -> Vec<String> {
    let levels = dimension.entities.iter().map(|entity| &entity.name);
    let levels = levels.chain(dimension.plain_levels.iter().map(|level| &level.name)).cloned();
    let mut names: Vec<String> = columns_of(dimension).into_iter().map(|(name, _)| name).collect();
    let others: Vec<String> =
        levels.filter(|level| *level != dimension.name && !names.contains(level)).collect();
    names.extend(others);
    names
}

/// SQL does not tell names apart by letter case, so neither do we.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Which of these may have been meant.
pub(super) fn known<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match closest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", crate::spec::list(names)),
    }
}
