//! (fact, tables at hand, columns) → FROM with its joins, and what each column is called there.

use super::sql::name;
use crate::error::{Error, Result};
use crate::layout::{Layout, big_column_name, big_table_name, way};
use crate::model::{AsOf, Column, Fact, Model};
use std::collections::BTreeMap;

/// Where the columns of a question lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// Facts, dates and the dimensions of a layout, in this schema; that of a session where it is left out.
    Layout { layout: Layout, schema: Option<String> },
    /// `obt_<fact>`: every attribute beside every row, as `<role>_<column>` and `date_<column>`.
    OneBigTable,
}

impl From<Layout> for Tables {
    fn from(layout: Layout) -> Self {
        Self::Layout { layout, schema: None }
    }
}

/// A FROM clause that holds columns.
pub(super) struct Source {
    /// One relation a line: the fact, then one join each.
    pub relations: Vec<String>,
    called: BTreeMap<Column, String>,
}

impl Source {
    /// Joins no table but those that the columns need.
    pub fn of(model: &Model, fact: &Fact, columns: &[&Column], tables: &Tables, as_of: AsOf) -> Result<Self> {
        match tables {
            Tables::Layout { layout, schema } => {
                let mut joins = Joins::new(model, fact, *layout, schema.as_deref(), as_of);
                let called = columns.iter().map(|column| Ok(((*column).clone(), joins.reach(column)?)));
                let called = called.collect::<Result<_>>()?;
                Ok(Self { relations: joins.relations, called })
            }
            Tables::OneBigTable if as_of != AsOf::Sold => Err(Error::author(
                "one big table holds the attributes of the time of each fact and no others",
            )
            .next("ask it as `sold`")),
            Tables::OneBigTable => {
                let table = name(&big_table_name(fact));
                let called = columns.iter().map(|column| {
                    let column_name = big_column_name(model, fact, column).ok_or_else(|| {
                        Error::author(format!("one big table does not hold `{}`", column.shown(fact)))
                            .next("ask for attributes and natural keys")
                    })?;
                    Ok(((*column).clone(), name(&column_name)))
                });
                Ok(Self { called: called.collect::<Result<_>>()?, relations: vec![table] })
            }
        }
    }

    /// What a column is called in this FROM clause.
    pub fn called(&self, column: &Column) -> String {
        // Every column of the question was reached when the source was made.
        self.called.get(column).cloned().unwrap_or_else(|| name(column.name()))
    }
}

fn role_name(fact: &Fact, role: usize) -> Result<&str> {
    let role = fact.roles.get(role);
    role.map(|role| role.name.as_str())
        .ok_or_else(|| Error::bug("a question has a role that its fact has not"))
}

/// The joins from a fact to what its keys lead to, each once.
struct Joins<'m> {
    model: &'m Model,
    fact: &'m Fact,
    layout: Layout,
    schema: Option<&'m str>,
    as_of: AsOf,
    /// The alias of the fact.
    own: String,
    relations: Vec<String>,
    /// By role and level: the alias of a table that is joined.
    joined: BTreeMap<(Option<usize>, String), String>,
}

impl<'m> Joins<'m> {
    fn new(model: &'m Model, fact: &'m Fact, layout: Layout, schema: Option<&'m str>, as_of: AsOf) -> Self {
        let own = format!("fact_{}", fact.name);
        let mut joins =
            Self { model, fact, layout, schema, as_of, own, relations: Vec::new(), joined: BTreeMap::new() };
        joins.relations.push(joins.table(schema, &joins.own, &joins.own));
        joins
    }

    /// What a column is called, once the tables that lead to it are joined.
    fn reach(&mut self, column: &Column) -> Result<String> {
        let alias = match column {
            Column::Own { .. } => self.own.clone(),
            Column::Date { .. } => {
                let from = self.own.clone();
                self.join(
                    None,
                    ("dim_date", "dim_date".to_owned()),
                    self.schema,
                    ("date_key", &from, "date_key"),
                )
            }
            Column::OfRole { role, name, .. } => self.member(*role, name)?,
        };
        Ok(format!("{}.{}", name(&alias), name(column.name())))
    }

    /// The alias of the table that holds a column of a role's dimension.
    fn member(&mut self, role: usize, column: &str) -> Result<String> {
        let role_name = role_name(self.fact, role)?.to_owned();
        let dimension = self.fact.roles.get(role).and_then(|role| self.model.dimensions.get(role.dimension));
        let dimension =
            dimension.ok_or_else(|| Error::bug(format!("the role {role_name} has no dimension")))?;
        let fact_key = format!("{role_name}_key");
        let own_name = role_name == dimension.name;
        // As of another time than its own, a fact's key finds its member in a relation of the whole dimension.
        let schema = match self.as_of {
            AsOf::Sold => None,
            AsOf::Now => Some("now"),
            AsOf::Day(_) => Some("as_of"),
        };
        if let Some(schema) = schema {
            let table = format!("dim_{}", dimension.name);
            let alias = if own_name { table.clone() } else { role_name };
            let (from, key) = (self.own.clone(), format!("{}_key", dimension.name));
            return Ok(self.join(Some(role), (&table, alias), Some(schema), (&key, &from, &fact_key)));
        }
        let (mut from, mut fact_key) = (self.own.clone(), Some(fact_key));
        for step in way(self.layout, dimension, column)? {
            let alias = match (own_name, step.level == dimension.name) {
                (true, _) => step.table.clone(),
                (false, true) => role_name.clone(),
                (false, false) => format!("{role_name}_{}", step.level),
            };
            let from_key = fact_key.take().unwrap_or_else(|| step.key.clone());
            from = self.join(Some(role), (&step.table, alias), self.schema, (&step.key, &from, &from_key));
        }
        Ok(from)
    }

    /// Joins a table `on` (its key, where the value comes from: alias and column), unless it is there already.
    fn join(
        &mut self,
        role: Option<usize>,
        (table, alias): (&str, String),
        schema: Option<&str>,
        (key, from, from_key): (&str, &str, &str),
    ) -> String {
        let place = (role, table.to_owned());
        if let Some(alias) = self.joined.get(&place) {
            return alias.clone();
        }
        let is_taken = |alias: &str| {
            let same = |other: &String| other.eq_ignore_ascii_case(alias);
            same(&self.own) || self.joined.values().any(same)
        };
        let others = (2..).map(|number: u32| format!("{alias}_{number}"));
        let alias =
            std::iter::once(alias.clone()).chain(others).find(|alias| !is_taken(alias)).unwrap_or_default();
        self.relations.push(format!(
            "JOIN {} ON {}.{} = {}.{}",
            self.table(schema, table, &alias),
            name(&alias),
            name(key),
            name(from),
            name(from_key)
        ));
        self.joined.insert(place, alias.clone());
        alias
    }

    fn table(&self, schema: Option<&str>, table: &str, alias: &str) -> String {
        match (schema, table == alias) {
            (None, true) => name(table),
            (None, false) => format!("{} AS {}", name(table), name(alias)),
            (Some(schema), _) => format!("{}.{} AS {}", name(schema), name(table), name(alias)),
        }
    }
}
