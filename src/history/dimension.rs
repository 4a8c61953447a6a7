//! One dimension: from own events to versions, keys and the wide relation of every entity.

use super::events::Events;
use super::frame::{NONE, sort_order};
use super::members::Members;
use super::own_events::{Code, FIRST_VALUE, OwnEvents};
use super::relation::DimensionHistory;
use super::slots::Slots;
use super::timeline::{FOREVER, Timelines};
use super::versions::{Lineage, Rung, Versions};
use crate::error::{Error, Result};
use crate::model::{Attribute, Dimension, Entity, Tracking};
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema};
use std::sync::Arc;

/// The key of the row for "the natural key is missing" (DESIGN 16).
pub const UNKNOWN: i64 = -1;
/// The key of the row for "not applicable" (DESIGN 16).
pub const NOT_APPLICABLE: i64 = -2;

/// What is known of one dimension.
pub struct DimensionFacts {
    /// The versions of the lowest entity: what facts look up.
    pub versions: Versions,
    pub relations: DimensionHistory,
    /// By entity: how many members are inferred.
    pub inferred: Vec<u64>,
}

/// What an entity hands down to the one below it, besides its versions.
struct Level {
    slots: Slots,
    /// Natural key, attributes, and those of every level above: a row a version.
    columns: Vec<(Field, ArrayRef)>,
}

/// Makes the versions and relations of a dimension, from its top entity down.
pub fn make(
    dimension: &Dimension,
    events: &[Option<Events>],
    members: &[Members],
    own: &[Vec<Vec<u32>>],
    parents: &[Vec<Option<Vec<u32>>>],
) -> Result<DimensionFacts> {
    let mut rungs: Vec<Rung<'_>> = Vec::new();
    let mut above: Option<Level> = None;
    let mut relations = Vec::new();
    let mut inferred = Vec::new();
    for (e, entity) in dimension.entities.iter().enumerate().rev() {
        let own = OwnEvents::gather(entity, events, &own[e], &parents[e])?;
        let timelines = Timelines::fold(&own, members[e].len());
        let link = above.as_ref().map(|above| (&above.slots, entity.parent_tracking));
        let slots = Slots::number(&own, &members[e].first_position, link)?;
        let lineage = Lineage { entity, timelines: &timelines, above: &rungs };
        let versions = Versions::make(&lineage, &slots, members[e].len())?;
        let columns = columns(entity, &members[e], &own, &timelines, &versions, above.as_ref())?;
        relations.push(relation(entity, &versions, &columns, rungs.last().map(|rung| &rung.versions))?);
        inferred.push(count_inferred(&versions));
        rungs.push(Rung { entity, timelines, versions });
        above = Some(Level { slots, columns });
    }
    relations.reverse();
    inferred.reverse();
    let lowest = rungs.pop().ok_or_else(|| Error::bug("a dimension without a level"))?;
    let relations = DimensionHistory { entities: relations };
    Ok(DimensionFacts { versions: lowest.versions, relations, inferred })
}

fn count_inferred(versions: &Versions) -> u64 {
    versions.interval.iter().filter(|&&interval| interval == NONE).count() as u64
}

/// Natural key, attributes and everything above, a row a version.
fn columns(
    entity: &Entity,
    members: &Members,
    own: &OwnEvents,
    timelines: &Timelines,
    versions: &Versions,
    above: Option<&Level>,
) -> Result<Vec<(Field, ArrayRef)>> {
    let mut columns = Vec::new();
    let of_member = UInt32Array::from(versions.member.clone());
    for (declared, values) in entity.key.iter().zip(&members.keys) {
        let field = Field::new(&declared.name, declared.value_type.arrow(), true);
        columns.push((field, take(values, &of_member, None)?));
    }
    for (a, attribute) in entity.attributes.iter().enumerate() {
        let current = |version: usize| current_value(attribute, a, timelines, versions, version);
        columns.push((attribute_field(attribute, ""), decode(&own.values[a], versions, current)?));
        if attribute.tracking == Tracking::Previous {
            let previous = |version: usize| timelines.previous(versions.member[version] as usize, a);
            columns
                .push((attribute_field(attribute, "previous_"), decode(&own.values[a], versions, previous)?));
        }
    }
    if let Some(above) = above {
        let pick: UInt32Array = versions.parent.iter().map(|&row| (row != NONE).then_some(row)).collect();
        for (field, values) in &above.columns {
            columns.push((field.clone(), take(values, &pick, None)?));
        }
    }
    Ok(columns)
}

fn attribute_field(attribute: &Attribute, prefix: &str) -> Field {
    Field::new(format!("{prefix}{}", attribute.name), attribute.value_type.arrow(), true)
}

fn current_value(
    attribute: &Attribute,
    index: usize,
    timelines: &Timelines,
    versions: &Versions,
    version: usize,
) -> Code {
    let member = versions.member[version] as usize;
    match attribute.tracking {
        Tracking::History => timelines.state(versions.interval[version] as usize)[index],
        Tracking::Overwrite | Tracking::Previous => timelines.last(member, index),
        Tracking::Fixed => timelines.first_value(member, index),
    }
}

/// The values that codes stand for, a row a version; nothing is known of an inferred member.
fn decode(values: &ArrayRef, versions: &Versions, code: impl Fn(usize) -> Code) -> Result<ArrayRef> {
    let known = |version: usize| versions.interval[version] != NONE;
    let index = |version: usize| known(version).then(|| code(version).checked_sub(FIRST_VALUE)).flatten();
    let pick: UInt32Array = (0..versions.len()).map(index).collect();
    Ok(take(values, &pick, None)?)
}

/// The relation of one entity, by key, behind its reserved rows.
fn relation(
    entity: &Entity,
    versions: &Versions,
    columns: &[(Field, ArrayRef)],
    above: Option<&Versions>,
) -> Result<RecordBatch> {
    let order = sort_order(std::slice::from_ref(&versions.key))?;
    let rows = || [None, None].into_iter().chain(order.iter().map(|&row| Some(row as usize)));
    let keys = |key: &dyn Fn(usize) -> i64| -> ArrayRef {
        let reserved = [NOT_APPLICABLE, UNKNOWN].into_iter();
        Arc::new(Int64Array::from_iter_values(reserved.chain(order.iter().map(|&row| key(row as usize)))))
    };
    let instants = |instants: &[i64]| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter(rows().map(|row| row.map(|row| instants[row]))))
    };
    let flags = |flag: &dyn Fn(usize) -> bool| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(rows().map(|row| row.map(flag))))
    };
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut push = |field: Field, array: ArrayRef| {
        fields.push(field.with_data_type(array.data_type().clone()));
        arrays.push(array);
    };
    let like = |name: String| Field::new(name, arrow::datatypes::DataType::Int64, true);
    push(like(format!("{}_key", entity.name)).with_nullable(false), keys(&|row| versions.key[row]));
    let pick: UInt32Array = rows().map(|row| row.map(|row| row as u32)).collect();
    for (field, values) in columns {
        push(field.clone(), take(values, &pick, None)?);
    }
    push(like("valid_from".into()), instants(&versions.from));
    push(like("valid_to".into()), instants(&versions.to));
    push(like("is_current".into()), flags(&|row| versions.to[row] == FOREVER));
    push(like("is_inferred".into()), flags(&|row| versions.interval[row] == NONE));
    if let Some(above) = above {
        let parent_key = |row: usize| match versions.parent[row] {
            NONE => NOT_APPLICABLE,
            parent => above.key[parent as usize],
        };
        push(like("_parent_key".into()).with_nullable(false), keys(&parent_key));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
