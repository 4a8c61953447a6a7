//! A declared table and an event type of its updates → the columns that say which row it is.
//!
//! The pipeline does not name them; what it does with events shows them. An update is of the members whose key it has (but
//! not of those that it names as parents), of the fact's header and line that it describes or amends. Where several are
//! left, as where a row of an invoice says the customer's name too, the row is what its deletion closes or takes back. If
//! that says nothing either, nobody knows, and no update is refused.

use crate::model::{ChangedTable, DimensionAction, EventType, FactAction, FieldRef, Model, ReversalTarget};
use std::collections::HashMap;

/// The columns, by event type of an update.
pub fn keys(table: &ChangedTable, model: &Model) -> HashMap<String, Vec<String>> {
    let updates = table.becomes.iter().map(|becoming| &becoming.event).chain([&table.changed]);
    let gone: Vec<String> = find(model, &table.closed, table, is_of_a_deletion).concat();
    let of_update = |name: &String| {
        let mut keys = find(model, name, table, is_of_an_update);
        if !gone.is_empty() {
            keys.iter_mut().for_each(|key| key.retain(|column| gone.contains(column)));
        } else if keys.len() > 1 {
            keys.clear();
        }
        (name.clone(), keys.concat())
    };
    updates.map(of_update).collect()
}

/// What an event type does with a member, or with a header and its lines.
enum Deed<'m> {
    Member(&'m DimensionAction),
    Fact(&'m FactAction),
}

fn is_of_an_update(deed: &Deed<'_>) -> bool {
    matches!(deed, Deed::Member(_) | Deed::Fact(FactAction::Header | FactAction::Amend))
}

fn is_of_a_deletion(deed: &Deed<'_>) -> bool {
    matches!(
        deed,
        Deed::Member(DimensionAction::Close)
            | Deed::Fact(FactAction::Reverse { target: ReversalTarget::Header | ReversalTarget::Line, .. })
    )
}

/// The columns of each key by which an event type names what it is about.
fn find(
    model: &Model,
    name: &str,
    table: &ChangedTable,
    is_wanted: fn(&Deed<'_>) -> bool,
) -> Vec<Vec<String>> {
    let Some((at, event)) = model.events.iter().enumerate().find(|(_, event)| event.name == name) else {
        return Vec::new();
    };
    let entities = || model.dimensions.iter().flat_map(|dimension| &dimension.entities);
    let members = || entities().flat_map(|entity| &entity.events).filter(|on| on.event == at);
    let parents: Vec<&Vec<FieldRef>> = members()
        .filter_map(|on| match &on.action {
            DimensionAction::Set { parent, .. } => parent.as_ref(),
            DimensionAction::Close => None,
        })
        .collect();
    let of_members = members()
        .filter(|on| is_wanted(&Deed::Member(&on.action)) && !parents.contains(&&on.key))
        .map(|on| on.key.clone());
    let of_facts = model.facts.iter().flat_map(|fact| &fact.events);
    let of_facts = of_facts.filter(|on| on.event == at && is_wanted(&Deed::Fact(&on.action)));
    let of_facts = of_facts.map(|on| on.header.iter().copied().chain(on.line).collect());
    let columns = |key: Vec<FieldRef>| -> Vec<String> {
        // A row has no lists.
        let fields = key.into_iter().filter(|field| field.list.is_none());
        fields.flat_map(|field| columns(table, event, field)).collect()
    };
    of_members.chain(of_facts).map(columns).filter(|key| !key.is_empty()).collect()
}

/// The columns that fill a field.
fn columns(table: &ChangedTable, event: &EventType, field: FieldRef) -> Vec<String> {
    let field = &event.field(field).name;
    let named = table.fields.iter().filter(|(_, fields)| fields.contains(field));
    let named: Vec<String> = named.map(|(column, _)| column.clone()).collect();
    if named.is_empty() { vec![field.clone()] } else { named }
}
