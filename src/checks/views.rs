//! Declared views → checks: their rows are those of the facts, group by group, and their totals too (DESIGN 29).

use super::plan::{Plan, Tables};
use super::sql::{name, table};
use crate::ask::{self, name as short};
use crate::error::Result;
use crate::layout::Layout;
use crate::model::{Aggregate, Asked, Held, Holds, Model, Question, View};
use crate::views::groups_of;

/// What is asked of all declared views. Of a night only the groups of rows in written files (in this schema) are computed
/// again, and totals of all: what a night took from a group in which it wrote nothing is missed by them.
pub(super) fn plan(plan: &mut Plan, model: &Model, tables: &Tables, written: Option<&str>) -> Result<()> {
    for view in &model.views {
        let Some(question) = view.question() else { continue };
        plan.check(&view.name, GROUPS, groups(model, view, question, tables, written)?);
        if written.is_some() {
            plan.check(&view.name, TOTALS, totals(model, view, question, tables)?);
        }
    }
    Ok(())
}

const GROUPS: &str = "every group is that of the fact's rows";
const TOTALS: &str = "its totals are those of the fact's rows";

/// Groups that are not what the fact's rows give.
fn groups(
    model: &Model,
    view: &View,
    question: &Question,
    tables: &Tables,
    written: Option<&str>,
) -> Result<String> {
    let wide = wide(tables);
    let columns: Vec<String> = question.held().iter().map(|held| short(&held.name)).collect();
    let columns = columns.join(", ");
    let (mut again, mut kept) = (Vec::new(), String::new());
    if let (Some(written), false) = (written, question.by.is_empty()) {
        let touched = touched(model, question, &wide, written)?;
        let groups =
            ask::select(model, &Question { measures: Vec::new(), ..question.clone() }, &wide)?.groups;
        let pairs = |left: &dyn Fn(usize) -> String| {
            let pairs = question.by.iter().enumerate();
            let pairs = pairs.map(|(at, group)| {
                format!("{} IS NOT DISTINCT FROM touched.{}", left(at), short(&group.name))
            });
            pairs.collect::<Vec<_>>().join(" AND ")
        };
        let of_fact = pairs(&|at| groups.get(at).map_or_else(String::new, |group| group.sql.clone()));
        let of_view = pairs(&|at| {
            question.by.get(at).map_or_else(String::new, |group| format!("v.{}", short(&group.name)))
        });
        again.push(format!("SEMI JOIN ({touched}) AS touched ON {of_fact}"));
        kept = format!(" SEMI JOIN ({touched}) AS touched ON {of_view}");
    }
    let should_be = groups_of(model, question, &wide, &again, &[])?;
    let is = format!("SELECT {columns} FROM {} AS v{kept}", table(&tables.facts, &view.name));
    let should_be = format!("SELECT {columns} FROM ({should_be})");
    Ok(format!(
        "SELECT 'is' AS side, * FROM ({is} EXCEPT ALL {should_be})
UNION ALL
SELECT 'should be' AS side, * FROM ({should_be} EXCEPT ALL {is})"
    ))
}

/// The groups of rows in written files.
fn touched(model: &Model, question: &Question, wide: &ask::Tables, written: &str) -> Result<String> {
    let mut select = ask::select(model, &Question { measures: Vec::new(), ..question.clone() }, wide)?;
    let fact = model.facts.get(question.fact).map(|fact| format!("fact_{}", fact.name)).unwrap_or_default();
    if let Some(rows) = select.from.first_mut() {
        *rows = format!("{} AS {}", table(written, &fact), name(&fact));
    }
    let columns: Vec<String> =
        select.groups.iter().map(|group| format!("{} AS {}", group.sql, short(&group.name))).collect();
    let conditions = match select.conditions.as_slice() {
        [] => String::new(),
        all => format!(" WHERE {}", all.join(" AND ")),
    };
    Ok(format!("SELECT DISTINCT {} FROM {}{conditions}", columns.join(", "), select.from.join(" ")))
}

/// Totals of the view that are not those of the fact.
fn totals(model: &Model, view: &View, question: &Question, tables: &Tables) -> Result<String> {
    let held = question.held();
    let is_total = |held: &&Held| {
        matches!(held.what, Holds::Number(Aggregate::Rows | Aggregate::Count(_) | Aggregate::Sum(_)))
    };
    let totals: Vec<&Held> = held.iter().filter(is_total).collect();
    let asked = totals.iter().filter_map(|held| match &held.what {
        Holds::Number(aggregate) => Some(Asked { name: held.name.clone(), aggregate: aggregate.clone() }),
        Holds::Group(_) => None,
    });
    let whole = Question { by: Vec::new(), measures: asked.collect(), ..question.clone() };
    let of_fact = ask::select(model, &whole, &wide(tables))?;
    let of_view: Vec<String> = totals
        .iter()
        .map(|held| match &held.what {
            // Nothing counted is nothing, and no sum.
            Holds::Number(Aggregate::Sum(_)) => format!("sum({0}) AS {0}", short(&held.name)),
            _ => format!("coalesce(sum({0}), 0) AS {0}", short(&held.name)),
        })
        .collect();
    let differ: Vec<String> =
        totals.iter().map(|held| format!("v.{0} IS DISTINCT FROM f.{0}", short(&held.name))).collect();
    Ok(format!(
        "SELECT v AS is_total, f AS should_be FROM (SELECT {} FROM {}) AS v CROSS JOIN ({of_fact}) AS f WHERE {}",
        of_view.join(", "),
        table(&tables.facts, &view.name),
        differ.join(" OR ")
    ))
}

/// Each dimension as one wide relation, as the default layout has it, beside facts and dates.
fn wide(tables: &Tables) -> ask::Tables {
    ask::Tables::Layout { layout: Layout::default(), schema: Some(tables.wide.clone()) }
}
