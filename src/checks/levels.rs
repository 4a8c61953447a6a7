//! Dimensions as tables of levels: keys, parents, and the wide relation given back (DESIGN 13, 24).

use super::lookup::{self, Lookup};
use super::members::{intervals, keys, live};
use super::plan::{Plan, Proof, Tables, named};
use super::sql::{name, table};
use crate::model::{Dimension, Model};

const PARENTS: &str = "every parent exists";
const IN_TIME: &str = "the parent is the version valid at the time";
const REJOINED: &str = "the levels joined give the wide relation";

pub(super) fn plan(plan: &mut Plan, model: &Model, dimension: &Dimension, tables: &Tables) {
    if let Some(rejoined) = &tables.rejoined {
        compare(plan, dimension, &tables.wide, rejoined);
    }
    let Some(schema) = &tables.levels else { return };
    let lookups: Vec<Lookup> =
        dimension.entities.iter().map(|entity| lookup::level(entity, schema)).collect();
    let titles = dimension.entities.iter().map(|entity| &entity.name);
    let levels: Vec<&String> = titles.chain(dimension.plain_levels.iter().map(|level| &level.name)).collect();
    for (index, (entity, lookup)) in dimension.entities.iter().zip(&lookups).enumerate() {
        plan.prepare.push(lookup.create());
        keys(plan, &lookup.title, &lookup.temporary, "_key");
        intervals(plan, lookup);
        // The bottom level's own events are asked of the wide relation.
        if index > 0 {
            live(plan, model, entity, lookup, tables);
        }
        if let Some(parent) = lookups.get(index + 1) {
            in_time(plan, schema, &entity.name, lookup, parent);
        }
    }
    for level in &dimension.plain_levels {
        let key = name(&format!("{}_key", level.name));
        keys(plan, &title(schema, &level.name), &level_table(schema, &level.name), &key);
    }
    for (child, parent) in levels.iter().zip(levels.iter().skip(1)) {
        let (child_key, parent_key) = (name(&format!("{child}_key")), name(&format!("{parent}_key")));
        plan.check(
            &title(schema, child),
            PARENTS,
            format!(
                "SELECT c.{child_key}, c.{parent_key}
FROM {} AS c LEFT JOIN {} AS p ON p.{parent_key} = c.{parent_key}
WHERE p.{parent_key} IS NULL OR c.{child_key} < 0 AND c.{parent_key} <> c.{child_key}",
                level_table(schema, child),
                level_table(schema, parent),
            ),
        );
    }
}

/// The parent's row is the one looked up at the child's `valid_from`.
fn in_time(plan: &mut Plan, schema: &str, child: &str, own: &Lookup, parent: &Lookup) {
    plan.check(
        &own.title,
        IN_TIME,
        format!(
            "SELECT c.{}, c.{}, c.valid_from, p.valid_from AS parent_valid_from
FROM {} AS c JOIN {} AS p ON p._key = c.{}
WHERE p._key > 0 AND (c.valid_from >= p._from AND c.valid_from < p._until) IS NOT TRUE",
            name(&own.key),
            name(&parent.key),
            level_table(schema, child),
            parent.temporary,
            name(&parent.key),
        ),
    );
}

/// Row for row, both ways; a proof compares the sums of hashes of whole rows.
fn compare(plan: &mut Plan, dimension: &Dimension, wide: &str, rejoined: &str) {
    let dim = format!("dim_{}", dimension.name);
    let (wide, rejoined) = (table(wide, &dim), table(rejoined, &dim));
    let one = |side: &str, left: &str, right: &str| {
        format!("SELECT '{side}' AS side, * FROM (SELECT * FROM {left} EXCEPT ALL SELECT * FROM {right})")
    };
    plan.check(
        &dim,
        REJOINED,
        format!(
            "{}\nUNION ALL\n{}",
            one("only wide", &wide, &rejoined),
            one("only joined", &rejoined, &wide)
        ),
    );
    let print =
        |table: &str| format!("(SELECT {{'rows': count(*), 'print': sum(hash(d))}} FROM {table} AS d)");
    plan.proofs.push(Proof {
        sql: format!("SELECT {} IS NOT DISTINCT FROM {}", print(&wide), print(&rejoined)),
        checks: vec![named(&dim, REJOINED)],
        totals: Vec::new(),
    });
}

fn title(schema: &str, level: &str) -> String {
    format!("{schema}.dim_{level}")
}

fn level_table(schema: &str, level: &str) -> String {
    table(schema, &format!("dim_{level}"))
}
