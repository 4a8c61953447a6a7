//! Ledger rows by themselves: keys that exist, rows that are unique, days that are right (DESIGN 16, 19, 23).

use super::lookup::{self, Lookup};
use super::plan::{Plan, Tables};
use super::sql::{any, column, literal, name, names, table};
use super::zone;
use crate::model::{Fact, FactAction, FactEvent, KeyColumn, Measure, Model, ReversalTarget, Role};
use std::ops::RangeInclusive;

/// A fact with all that is needed to render SQL about it.
pub(super) struct Ledger<'a> {
    pub model: &'a Model,
    pub fact: &'a Fact,
    pub tables: &'a Tables,
    /// The years that `dim_date` covers.
    years: RangeInclusive<i32>,
    /// `fact_x`, as people know it.
    pub title: String,
    /// The ledger, quoted.
    pub table: String,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        model: &'a Model,
        fact: &'a Fact,
        tables: &'a Tables,
        years: RangeInclusive<i32>,
    ) -> Self {
        let title = format!("fact_{}", fact.name);
        let table = table(&tables.facts, &title);
        Self { model, fact, tables, years, title, table }
    }

    pub(super) fn dates(&self) -> String {
        table(&self.tables.facts, "dim_date")
    }

    /// The accumulating table: as people know it, and quoted.
    pub(super) fn lines(&self) -> Option<(String, String)> {
        let title = format!("fact_{}", self.fact.lines_name.as_ref()?);
        let quoted = table(&self.tables.facts, &title);
        Some((title, quoted))
    }

    /// The columns that name a header.
    pub(super) fn header(&self) -> Vec<String> {
        names(&self.fact.header)
    }

    /// The columns that name a line.
    pub(super) fn line(&self) -> Vec<String> {
        self.fact.header.iter().chain(&self.fact.line).map(|key| key.name.clone()).collect()
    }

    /// The key column of every role.
    pub(super) fn role_keys(&self) -> Vec<String> {
        self.fact.roles.iter().map(role_key).collect()
    }

    pub(super) fn natural_key(&self, role: &Role) -> &'a [KeyColumn] {
        self.model.dimensions[role.dimension].entities.first().map_or(&[], |entity| &entity.key)
    }

    pub(super) fn lookup(&self, role: &Role) -> Lookup {
        lookup::wide(&self.model.dimensions[role.dimension], self.tables)
    }

    pub(super) fn additive(&self) -> impl Iterator<Item = &'a Measure> {
        self.fact.measures.iter().filter(|measure| measure.additivity == crate::model::Additivity::Additive)
    }

    pub(super) fn bindings(
        &self,
        wanted: impl Fn(&FactAction) -> bool,
    ) -> impl Iterator<Item = &'a FactEvent> {
        self.fact.events.iter().filter(move |binding| wanted(&binding.action))
    }

    pub(super) fn reversals(&self) -> impl Iterator<Item = &'a FactEvent> {
        self.bindings(|action| matches!(action, FactAction::Reverse { .. }))
    }

    pub(super) fn amendments(&self) -> impl Iterator<Item = &'a FactEvent> {
        self.bindings(|action| *action == FactAction::Amend)
    }

    /// Reversals that find their lines by members, with the roles of these.
    pub(super) fn by_members(
        &self,
    ) -> impl Iterator<Item = (&'a FactEvent, impl Iterator<Item = &'a Role> + use<'a>)> {
        self.fact.events.iter().filter_map(|binding| match &binding.action {
            FactAction::Reverse { target: ReversalTarget::Members(roles), .. } => {
                Some((binding, self.roles(roles)))
            }
            _ => None,
        })
    }

    /// Roles by their places.
    pub(super) fn roles(&self, places: &'a [usize]) -> impl Iterator<Item = &'a Role> + use<'a> {
        let fact = self.fact;
        places.iter().filter_map(|place| fact.roles.get(*place))
    }

    pub(super) fn has_headers(&self) -> bool {
        self.bindings(|action| *action == FactAction::Header).next().is_some()
    }

    /// The row adds a line: placed by its own event, or anew by an amendment.
    pub(super) fn placing(&self, alias: &str) -> String {
        let kinds = self.bindings(|action| matches!(action, FactAction::Place { .. }));
        of_kind(alias, kinds)
    }

    /// Placed rows are of more than one kind.
    pub(super) fn several_kinds(&self) -> bool {
        let mut places = self.bindings(|action| matches!(action, FactAction::Place { .. }));
        let first = places.next().map(|binding| &binding.kind);
        places.any(|binding| Some(&binding.kind) != first)
    }

    /// The row subtracts a line as an amendment found it.
    pub(super) fn amended(&self, alias: &str) -> String {
        of_kind(alias, self.amendments())
    }

    /// The row stands for an event that places lines.
    pub(super) fn first(&self, alias: &str) -> String {
        let amendments: Vec<String> = self
            .amendments()
            .map(|binding| format!("SELECT _position FROM {}", self.events(binding)))
            .collect();
        let placing = self.placing(alias);
        if amendments.is_empty() {
            return placing;
        }
        format!("({placing} AND {alias}.position NOT IN ({}))", amendments.join(" UNION ALL "))
    }

    /// The temporary table of the rows that no placing event stands for: few, and asked for often.
    pub(super) fn moves(&self) -> String {
        table("temp", &self.short_moves())
    }

    /// Creates it.
    pub(super) fn create_moves(&self) -> String {
        format!(
            "CREATE OR REPLACE TEMP TABLE {} AS SELECT f.* FROM {} AS f WHERE NOT {}",
            name(&self.short_moves()),
            self.table,
            self.first("f"),
        )
    }

    fn short_moves(&self) -> String {
        format!("checks_moves_{}", self.fact.name)
    }

    /// The events of a binding.
    pub(super) fn events(&self, binding: &FactEvent) -> String {
        table(&self.tables.log, &self.model.events[binding.event].name)
    }

    /// The calendar day of a row.
    pub(super) fn day(&self, alias: &str) -> String {
        zone::local_date(&format!("{alias}.occurred_at"), self.model.calendar.time_zone, self.years.clone())
    }

    /// A hash of the line that the row is about.
    pub(super) fn line_hash(&self, alias: &str) -> String {
        let line: Vec<String> = self.line().iter().map(|name| column(alias, name)).collect();
        hash(&line)
    }
}

/// The hash of some values; there may be none.
pub(super) fn hash(values: &[String]) -> String {
    if values.is_empty() { "hash(0)".to_owned() } else { format!("hash({})", values.join(", ")) }
}

/// The key column of a role.
pub(super) fn role_key(role: &Role) -> String {
    format!("{}_key", role.name)
}

fn of_kind<'a>(alias: &str, bindings: impl Iterator<Item = &'a FactEvent>) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for binding in bindings {
        let kind = literal(&binding.kind);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { "false".to_owned() } else { format!("{alias}.kind IN ({})", kinds.join(", ")) }
}

/// What holds for every row of the ledger.
pub(super) const UNIQUE: &str = "position, item, line and kind are unique";
/// The day is the day of the instant, and `dim_date` has it.
pub(super) const DAY: &str = "date_key is the day of occurred_at";

/// The name of the check that a role's keys exist.
pub(super) fn exists(role: &Role) -> String {
    format!("every {} exists", role_key(role))
}

pub(super) fn plan(plan: &mut Plan, ledger: &Ledger<'_>) {
    plan.prepare.push(ledger.create_moves());
    let (title, rows) = (&ledger.title, &ledger.table);
    let mut unique = vec!["position".to_owned(), "item".to_owned()];
    unique.extend(ledger.fact.line.iter().map(|line| name(&line.name)));
    unique.push("kind".to_owned());
    let unique = unique.join(", ");
    let null = any(["position", "item", "kind"].map(|column| format!("{column} IS NULL")));
    plan.check(
        title,
        UNIQUE,
        format!("SELECT {unique}, count(*) AS rows FROM {rows} GROUP BY ALL HAVING count(*) > 1 OR {null}"),
    );
    plan.check(
        title,
        DAY,
        format!(
            "SELECT f.position, f.item, f.kind, f.occurred_at, f.date_key
FROM {rows} AS f LEFT JOIN {} AS d ON d.date_key = f.date_key
WHERE d.date IS NULL OR d.date IS DISTINCT FROM {}",
            ledger.dates(),
            ledger.day("f")
        ),
    );
    for role in &ledger.fact.roles {
        let key = name(&role_key(role));
        plan.check(
            title,
            &exists(role),
            format!(
                "SELECT f.position, f.item, f.kind, f.{key}
FROM {rows} AS f LEFT JOIN {} AS v ON v._key = f.{key} WHERE v._key IS NULL",
                ledger.lookup(role).temporary
            ),
        );
    }
}
