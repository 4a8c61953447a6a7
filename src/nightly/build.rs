//! (model, log) → a staged release: every table of every layout, written where no reader looks.

use super::rejects::relative;
use crate::error::Result;
use crate::history::{DimensionHistory, FactTable, History};
use crate::layout::{self, Layout};
use crate::log::{self, EventLog};
use crate::model::{Dimension, Model};
use crate::query::Means;
use crate::views::{self, Changed, Choice, Refreshed};
use crate::warehouse::{
    Column, FactPlan, LogEnd, LogLines, LogRelation, Pipeline, Relations, Release, Staged, WideRelation,
    Writer,
};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;

/// Writes all tables of a release.
pub fn stage<'w>(
    writer: &'w Writer,
    model: &Model,
    log: &EventLog,
    history: &History,
    layouts: &[Layout],
) -> Result<Staged<'w>> {
    let pipeline = Pipeline { name: model.name.clone(), hash: model.hash.clone() };
    let relations = relations(writer.warehouse().dir(), model, log, history, layouts)?;
    let account = log.account();
    let lines = LogLines { read: account.read, rejected: account.rejected };
    let end = LogEnd { position: log.position().0, print: log.print_at(log.position()), lines };
    let staged = writer.begin(pipeline, end, layouts, relations, history.findings.clone())?;
    staged.write_source(&model.source)?;
    for fact in &history.facts {
        let plan = FactPlan::of(model, fact.as_ref())?;
        staged.begin_fact(&plan)?;
        if fact.partitions().is_empty() {
            staged.write_empty_fact(&plan)?;
        }
    }
    let mut jobs = jobs(model, history, staged.layouts())?;
    // The longest first, each to whoever is free: nobody waits for the last one.
    jobs.sort_by_key(|job| Reverse(job.rows()));
    let jobs = jobs.into_iter().par_bridge();
    jobs.try_for_each(|job| {
        writer.go_on()?;
        job.write(&staged, model, history)
    })?;
    Ok(staged)
}

/// Writes the views of a staged release, and says how each came to be. `before` is the release that its tables go on
/// from, if they do.
pub fn stage_views(
    staged: &Staged<'_>,
    model: &Model,
    before: Option<&Release>,
    means: Means<'_>,
) -> Result<Vec<Choice>> {
    if model.views.is_empty() {
        return Ok(Vec::new());
    }
    let candidate = staged.candidate()?;
    let changed = before.map(|before| Changed::between(model, before, &candidate)).transpose()?;
    let refreshed = views::refresh(model, &candidate, before.zip(changed.as_ref()), means)?;
    let write = |view: Refreshed| {
        match view.made {
            Some(made) => staged.write_view(&made.table, &made.definition, &made.totals)?,
            None => staged.keep_view(&view.choice.view)?,
        }
        Ok(view.choice)
    };
    refreshed.into_iter().map(write).collect()
}

/// What there is to do for a release, piece by piece.
pub fn jobs<'a>(model: &'a Model, history: &'a History, layouts: &[Layout]) -> Result<Vec<Job<'a>>> {
    let mut jobs = Vec::new();
    for &layout in layouts {
        for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
            jobs.push(Job::Dimension { layout, dimension, made });
        }
        jobs.push(Job::Dates { layout });
    }
    for (entity, members) in &history.members {
        jobs.push(Job::Members { entity, members });
    }
    for fact in &history.facts {
        let plan = Arc::new(FactPlan::of(model, fact.as_ref())?);
        let partition = |index| Job::Partition { plan: Arc::clone(&plan), fact: fact.as_ref(), index };
        jobs.extend((0..fact.partitions().len()).map(partition));
    }
    Ok(jobs)
}

/// A piece of the work, independent of the others.
pub enum Job<'a> {
    Dimension { layout: Layout, dimension: &'a Dimension, made: &'a DimensionHistory },
    Dates { layout: Layout },
    Members { entity: &'a str, members: &'a RecordBatch },
    Partition { plan: Arc<FactPlan>, fact: &'a dyn FactTable, index: usize },
}

impl Job<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Dimension { made, .. } => made.entities.iter().map(RecordBatch::num_rows).sum(),
            Self::Dates { .. } => 0,
            Self::Members { members, .. } => members.num_rows(),
            Self::Partition { fact, index, .. } if fact.is_kept(*index) => 0,
            Self::Partition { fact, index, .. } => fact.partition_rows(*index),
        }
    }

    fn write(&self, staged: &Staged<'_>, model: &Model, history: &History) -> Result<()> {
        match self {
            Self::Dimension { layout, dimension, made } => {
                let tables = layout::tables(*layout, dimension, &made.entities)?;
                tables.iter().try_for_each(|table| staged.write_table(*layout, table))
            }
            Self::Dates { layout } => {
                staged.write_table(*layout, &layout::date_table(model, &history.dates)?)
            }
            Self::Members { entity, members } => staged.write_members(entity, members),
            Self::Partition { plan, fact, index } if fact.is_kept(*index) => {
                staged.keep_fact(plan, fact.partitions()[*index])
            }
            Self::Partition { plan, fact, index } => {
                staged.write_fact(plan, fact.partitions()[*index], &fact.read(*index)?)
            }
        }
    }
}

/// What can be asked of the release besides its tables.
fn relations(
    warehouse: &Path,
    model: &Model,
    log: &EventLog,
    history: &History,
    layouts: &[Layout],
) -> Result<Relations> {
    let mut relations = Relations::default();
    for &layout in layouts {
        let mut wide = Vec::new();
        for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
            let table = layout::wide_table(dimension, &made.entities)?;
            let sql = layout::wide_sql(layout, dimension, "main");
            let key = dimension.entities.first().map_or(&[][..], |entity| &entity.key);
            let natural_key = key.iter().map(|column| column.name.clone()).collect();
            let columns = columns(&table.batch.schema())?;
            wide.push(WideRelation { name: table.name, natural_key, sql, columns });
        }
        relations.wide.insert(layout.to_string(), wide);
    }
    for event in &model.events {
        relations.log.push(LogRelation {
            name: event.name.clone(),
            columns: columns(log.schema(&event.name)?.as_ref())?,
            files: relative(warehouse, log.segments(&event.name)),
            position_column: "_position".to_owned(),
        });
    }
    relations.log.push(LogRelation {
        name: "rejects".to_owned(),
        columns: columns(&log::rejects_schema())?,
        files: relative(warehouse, log.rejects()),
        position_column: "position_before".to_owned(),
    });
    Ok(relations)
}

fn columns(schema: &Schema) -> Result<Vec<Column>> {
    schema.fields().iter().map(|field| Column::of(field)).collect()
}
