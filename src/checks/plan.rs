//! Model → [`Plan`]: which queries show that a release is fit? The plan is a value; `runner` walks it.

use super::rows::Ledger;
use super::{amounts, levels, lines, lookup, members, moves, placings, proof, rows};
use crate::model::Model;
use std::ops::RangeInclusive;

/// How much is asked of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Checks that a proof covers are asked in full only where the proof fails. A proof compares sums of
    /// 64-bit hashes of exact values: what it lets through by accident has odds of about one in 2^60.
    Proofs,
    /// Every check is asked in full, whatever the proofs say.
    Everything,
}

/// Where the tables of a staged release stand on a connection: the names of schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Fact tables and `dim_date`.
    pub facts: String,
    /// `dim_<dimension>` as one wide relation each.
    pub wide: String,
    /// `dim_<level>` for every level of every dimension, if the staged release has them.
    pub levels: Option<String>,
    /// The wide relations joined back from the levels, if `wide` is not that already.
    pub rejoined: Option<String>,
    /// One relation for every event type, ending at the release's position.
    pub log: String,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            facts: "main".to_owned(),
            wide: "star".to_owned(),
            levels: None,
            rejoined: None,
            log: "log".to_owned(),
        }
    }
}

/// A query that must return no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `fact_orders: keys exist`: a table, and what holds for it.
    pub name: String,
    /// Returns the rows that break it.
    pub sql: String,
}

/// A cheap query that shows that checks hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// One row: a Boolean for each of `checks` (true: it holds), then two texts for each of `totals`
    /// (by the log, by the table).
    pub sql: String,
    /// Names of checks.
    pub checks: Vec<String>,
    /// Names of control totals: `fact_orders.net_amount`.
    pub totals: Vec<String>,
}

/// All that is asked of one release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Temporary tables that the queries share.
    pub prepare: Vec<String>,
    pub proofs: Vec<Proof>,
    pub checks: Vec<Check>,
}

impl Plan {
    /// The plan for a model. `years` are those that `dim_date` covers.
    #[must_use]
    pub fn new(model: &Model, tables: &Tables, years: RangeInclusive<i32>) -> Self {
        let mut plan = Self::default();
        plan.dimensions(model, tables);
        for fact in &model.facts {
            plan.fact(&Ledger::new(model, fact, tables, years.clone()));
        }
        plan
    }

    /// What is asked of dimensions.
    pub(super) fn dimensions(&mut self, model: &Model, tables: &Tables) {
        for dimension in &model.dimensions {
            self.prepare.push(lookup::wide(dimension, tables).create());
            members::plan(self, model, dimension, tables);
            levels::plan(self, model, dimension, tables);
        }
    }

    /// What is asked of one fact.
    pub(super) fn fact(&mut self, ledger: &Ledger<'_>) {
        rows::plan(self, ledger);
        placings::plan(self, ledger);
        moves::plan(self, ledger);
        amounts::plan(self, ledger);
        lines::plan(self, ledger);
        self.proofs.extend(proof::of(ledger));
    }

    /// Adds a check.
    pub(super) fn check(&mut self, table: &str, holds: &str, sql: String) {
        self.checks.push(Check { name: named(table, holds), sql });
    }
}

/// The name of a check.
pub(super) fn named(table: &str, holds: &str) -> String {
    format!("{table}: {holds}")
}
