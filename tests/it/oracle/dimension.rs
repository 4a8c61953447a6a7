//! What was heard of a dimension → its wide versions, and the version at an instant (DESIGN 10-17, 24).

use super::Row;
use super::reading::{Heard, Saying};
use super::slot::{Slots, number_slots};
use super::timeline::{FOREVER, OwnVersion, in_valid_order, own_versions};
use super::value::{NaturalKey, Value};
use starlog::model::{Dimension, Entity, Tracking};
use std::collections::BTreeMap;

/// 0001-01-01 00:00:00: the begin of an inferred row.
const EVER: i64 = -62_135_596_800_000_000;

/// The natural key is missing (16).
pub const UNKNOWN: i64 = -1;

/// The event cannot name a member at all; a child without a parent (16, 24).
pub const NOT_APPLICABLE: i64 = -2;

/// One row of the wide relation of an entity.
#[derive(Debug, Clone)]
struct WideVersion {
    key: i64,
    from: i64,
    to: i64,
    inferred: bool,
    /// The entity's own attributes, then for each ancestor its natural key and attributes.
    values: Vec<Value>,
    parent_key: i64,
}

/// The wide versions of every member of one entity, by time; never empty for a member.
type Versions = BTreeMap<NaturalKey, Vec<WideVersion>>;

/// All entities of one dimension.
pub struct DimensionTables {
    entities: Vec<Versions>,
}

impl DimensionTables {
    pub fn build(dimension: &Dimension, heard: &[Heard]) -> Self {
        let slots = number_slots(dimension, heard);
        let mut entities: Vec<Versions> = Vec::new();
        for level in (0..dimension.entities.len()).rev() {
            let builder = Builder {
                entity: &dimension.entities[level],
                slots: &slots[level],
                parents: entities.first(),
                ancestor_columns: dimension.entities[level + 1..].iter().map(columns_as_ancestor).sum(),
            };
            let members = slots[level].members();
            let versions = members.into_iter().map(|member| {
                let own = heard[level].sayings.iter().filter(|saying| saying.member == *member);
                (member.clone(), builder.wide_versions(member, &in_valid_order(own)))
            });
            entities.insert(0, versions.collect());
        }
        Self { entities }
    }

    /// The key of the version that a fact takes at an instant (13, 15).
    pub fn key_at(&self, member: &NaturalKey, instant: i64) -> i64 {
        version_at(&self.entities[0][member], instant).key
    }

    /// The wide rows of each entity.
    pub fn rows(&self, dimension: &Dimension) -> Vec<(String, Vec<Row>)> {
        let tables = self.entities.iter().enumerate().map(|(level, versions)| {
            let shape = Shape { dimension, level };
            let mut rows = vec![shape.reserved(NOT_APPLICABLE), shape.reserved(UNKNOWN)];
            let mut live: Vec<(&NaturalKey, &WideVersion)> = versions
                .iter()
                .flat_map(|(member, versions)| versions.iter().map(move |v| (member, v)))
                .collect();
            live.sort_by_key(|(_, version)| version.key);
            rows.extend(live.into_iter().map(|(member, version)| shape.row(member, version)));
            (format!("dim_{}", dimension.entities[level].name), rows)
        });
        tables.collect()
    }
}

/// The version at an instant: before the first the first, in a gap or after a close the last before (13).
fn version_at(versions: &[WideVersion], instant: i64) -> &WideVersion {
    versions.iter().rfind(|version| version.from <= instant).unwrap_or(&versions[0])
}

struct Builder<'a> {
    entity: &'a Entity,
    slots: &'a Slots,
    parents: Option<&'a Versions>,
    ancestor_columns: usize,
}

impl Builder<'_> {
    fn wide_versions(&self, member: &NaturalKey, sayings: &[&Saying]) -> Vec<WideVersion> {
        let own = own_versions(self.entity, sayings);
        if own.is_empty() {
            return vec![self.inferred(member)];
        }
        let mut wide: Vec<WideVersion> = Vec::new();
        for piece in own.iter().flat_map(|version| self.split(version)) {
            match wide.last_mut() {
                // Values are compared, not a parent's keys (11, fine print).
                Some(last) if last.to == piece.from && last.values == piece.values => last.to = piece.to,
                _ => wide.push(WideVersion { key: self.slots.version(member, piece.from), ..piece }),
            }
        }
        wide
    }

    /// Splits an own version where its parent's versions begin (17).
    fn split(&self, own: &OwnVersion) -> Vec<WideVersion> {
        let parent_versions =
            own.state.parent.as_ref().zip(self.parents).map(|(key, parents)| (key, &parents[key]));
        let mut cuts = vec![own.from];
        if let Some((_, versions)) = parent_versions {
            cuts.extend(
                versions.iter().map(|version| version.from).filter(|cut| own.from < *cut && *cut < own.to),
            );
        }
        cuts.push(own.to);
        let piece = |cut: &[i64]| {
            let (from, to) = (cut[0], cut[1]);
            let mut values = self.own_values(own);
            let mut parent_key = NOT_APPLICABLE;
            if let Some((key, versions)) = parent_versions {
                let parent = version_at(versions, from);
                parent_key = parent.key;
                values.extend(key.iter().chain(&parent.values).cloned());
            } else {
                values.extend(vec![Value::Null; self.ancestor_columns]);
            }
            WideVersion { key: 0, from, to, inferred: false, values, parent_key }
        };
        cuts.windows(2).map(piece).collect()
    }

    fn own_values(&self, own: &OwnVersion) -> Vec<Value> {
        let mut values = Vec::new();
        for (index, attribute) in self.entity.attributes.iter().enumerate() {
            values.push(own.state.attributes[index].clone());
            if attribute.tracking == Tracking::Previous {
                values.push(own.previous[index].clone());
            }
        }
        values
    }

    fn inferred(&self, member: &NaturalKey) -> WideVersion {
        WideVersion {
            key: self.slots.first(member),
            from: EVER,
            to: FOREVER,
            inferred: true,
            values: vec![Value::Null; attribute_columns(self.entity).len() + self.ancestor_columns],
            parent_key: NOT_APPLICABLE,
        }
    }
}

fn attribute_columns(entity: &Entity) -> Vec<String> {
    let mut columns = Vec::new();
    for attribute in &entity.attributes {
        columns.push(attribute.name.clone());
        if attribute.tracking == Tracking::Previous {
            columns.push(format!("previous_{}", attribute.name));
        }
    }
    columns
}

fn columns_as_ancestor(entity: &Entity) -> usize {
    entity.key.len() + attribute_columns(entity).len()
}

/// The columns of a wide relation.
struct Shape<'a> {
    dimension: &'a Dimension,
    level: usize,
}

impl Shape<'_> {
    fn row(&self, member: &NaturalKey, version: &WideVersion) -> Row {
        let described = member.iter().chain(&version.values).cloned().collect();
        let validity = [
            Value::Timestamp(version.from),
            Value::Timestamp(version.to),
            Value::Bool(version.to == FOREVER),
            Value::Bool(version.inferred),
        ];
        self.assemble(version.key, described, validity, version.parent_key)
    }

    /// Reserved rows hold null in every column but the key (24, fine print).
    fn reserved(&self, key: i64) -> Row {
        let nulls = vec![Value::Null; self.described().len()];
        self.assemble(key, nulls, [Value::Null, Value::Null, Value::Null, Value::Null], key)
    }

    fn assemble(&self, key: i64, described: Vec<Value>, validity: [Value; 4], parent_key: i64) -> Row {
        let name = &self.dimension.entities[self.level].name;
        let mut row = vec![(format!("{name}_key"), Value::Int(key.into()))];
        row.extend(self.described().into_iter().zip(described));
        row.extend(
            ["valid_from", "valid_to", "is_current", "is_inferred"]
                .map(str::to_owned)
                .into_iter()
                .zip(validity),
        );
        if self.level + 1 < self.dimension.entities.len() {
            row.push(("_parent_key".to_owned(), Value::Int(parent_key.into())));
        }
        row
    }

    fn described(&self) -> Vec<String> {
        let entities = &self.dimension.entities[self.level..];
        let columns = |entity: &Entity| {
            let keys = entity.key.iter().map(|column| column.name.clone());
            keys.chain(attribute_columns(entity)).collect::<Vec<_>>()
        };
        entities.iter().flat_map(columns).collect()
    }
}
