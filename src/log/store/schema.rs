//! The columns of the event store.

use crate::log::decode::{EventPlan, ListPlan};
use crate::model::ValueType;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The payload of an event that came in an older version, as it came. Only event types that have older versions
/// have this column; it stands behind the others of the envelope.
pub const ORIGINAL: &str = "_original";

/// Columns before the payload's, in order.
pub const ENVELOPE: [(&str, DataType, bool); 11] = [
    ("_position", DataType::Int64, false),
    ("_time", DataType::Timestamp(TimeUnit::Microsecond, None), false),
    ("_order", DataType::Int64, true),
    ("_version", DataType::Int64, false),
    ("_id", DataType::Utf8, true),
    ("_content", DataType::Int64, true),
    ("_file", DataType::Utf8, false),
    ("_line", DataType::Int64, false),
    ("_offset", DataType::Int64, false),
    ("_absent", DataType::Utf8, true),
    ("_unknown", DataType::Utf8, true),
];

/// The columns of a reject, in order. The last two are null until it is put back.
const REJECTS: [(&str, DataType, bool); 11] = [
    ("code", DataType::Utf8, false),
    ("event", DataType::Utf8, true),
    ("message", DataType::Utf8, false),
    ("file", DataType::Utf8, false),
    ("line", DataType::Int64, false),
    ("offset", DataType::Int64, false),
    ("position_before", DataType::Int64, false),
    ("raw", DataType::Binary, false),
    ("format", DataType::Utf8, true),
    ("requeued", DataType::Utf8, true),
    ("position", DataType::Int64, true),
];

/// The columns of an event type: the envelope, the scalar fields, the lists.
/// Payload columns may be null whatever the contract says: a contract may change, a segment may not.
#[must_use]
pub fn event(plan: &EventPlan) -> SchemaRef {
    let envelope =
        ENVELOPE.iter().map(|(name, data_type, nullable)| Field::new(*name, data_type.clone(), *nullable));
    let original = plan.has_original().then(|| Field::new(ORIGINAL, DataType::Utf8, true));
    let scalars = plan.columns.iter().map(payload);
    let mut fields: Vec<FieldRef> = envelope.chain(original).chain(scalars).map(Arc::new).collect();
    fields.extend(plan.lists.iter().map(list));
    Arc::new(Schema::new(fields))
}

/// The column of a list: a list of objects, none of them null.
#[must_use]
pub fn list(plan: &ListPlan) -> FieldRef {
    let items = plan.columns.iter().map(payload);
    Arc::new(Field::new_list(&plan.name, Field::new_struct("item", items.collect::<Vec<_>>(), true), true))
}

/// The column of a field, or the field of an item.
pub fn payload((name, value_type): &(String, ValueType)) -> Field {
    Field::new(name, value_type.arrow(), true)
}

/// The columns of rejects.
#[must_use]
pub fn rejects() -> SchemaRef {
    let fields = REJECTS.map(|(name, data_type, nullable)| Field::new(name, data_type, nullable));
    Arc::new(Schema::new(fields.to_vec()))
}
