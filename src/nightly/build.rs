//! (model, log) → a staged release: every table of every layout, written where no reader looks.

use crate::error::Result;
use crate::history::{FactTable, History};
use crate::layout::{self, Layout};
use crate::log::{self, EventLog};
use crate::model::Model;
use crate::warehouse::{Column, FactPlan, LogRelation, Pipeline, Relations, Staged, WideRelation, Writer};
use arrow::datatypes::Schema;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

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
    let staged = writer.begin(pipeline, log.position().0, layouts, relations)?;
    for &layout in staged.layouts() {
        for (dimension, made) in model.dimensions.iter().zip(&history.dimensions) {
            for table in layout::tables(layout, dimension, &made.entities)? {
                staged.write_table(layout, &table)?;
            }
        }
        staged.write_table(layout, &layout::date_table(model, &history.dates)?)?;
    }
    for fact in &history.facts {
        write_fact(&staged, model, fact.as_ref())?;
    }
    Ok(staged)
}

fn write_fact(staged: &Staged<'_>, model: &Model, fact: &dyn FactTable) -> Result<()> {
    let plan = FactPlan::of(model, fact)?;
    staged.begin_fact(&plan)?;
    let write = |(index, partition): (usize, &crate::history::PartitionKey)| {
        staged.write_fact(&plan, *partition, &fact.read(index)?)
    };
    fact.partitions().par_iter().enumerate().try_for_each(write)
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
            for table in layout::tables(Layout::Star, dimension, &made.entities)? {
                let sql = layout::wide_sql(layout, dimension, "main");
                wide.push(WideRelation { name: table.name, sql, columns: columns(&table.batch.schema())? });
            }
        }
        relations.wide.insert(layout.to_string(), wide);
    }
    let relative = |files: Vec<PathBuf>| -> Vec<String> {
        let short = |file: &PathBuf| file.strip_prefix(warehouse).unwrap_or(file).display().to_string();
        files.iter().map(short).collect()
    };
    for event in &model.events {
        relations.log.push(LogRelation {
            name: event.name.clone(),
            columns: columns(log.schema(&event.name)?.as_ref())?,
            files: relative(log.segments(&event.name)),
            position_column: "_position".to_owned(),
        });
    }
    relations.log.push(LogRelation {
        name: "rejects".to_owned(),
        columns: columns(&log::rejects_schema())?,
        files: relative(log.rejects()),
        position_column: "position_before".to_owned(),
    });
    Ok(relations)
}

fn columns(schema: &Schema) -> Result<Vec<Column>> {
    schema.fields().iter().map(|field| Column::of(field)).collect()
}
