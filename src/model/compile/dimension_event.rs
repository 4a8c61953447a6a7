//! `on.<event>` of an entity → whom the event names and what it sets.

use super::binding::{Binding, Found};
use super::contracts::Contracts;
use super::types::Column;
use crate::model::{DimensionAction, DimensionEvent, FieldRef};
use crate::spec::{At, DimensionDoes, DimensionEventSpec, Named, Problems, SetsSpec};

/// The entity that events are bound to.
pub(super) struct Scene<'a> {
    pub contracts: &'a Contracts,
    pub entity: &'a str,
    pub key: &'a [Column],
    pub attributes: &'a [Column],
    /// The key of the parent, if it is an entity.
    pub parent: Option<&'a [Column]>,
}

/// `None` after reporting why.
pub(super) fn compile(
    scene: &Scene<'_>,
    name: &At<String>,
    written: &DimensionEventSpec,
    problems: &mut Problems,
) -> Option<DimensionEvent> {
    let binding = Binding::open(scene.contracts, name, written.each.as_ref(), problems)?;
    let key = match binding.key("the key column", scene.key, written.key.as_ref(), problems) {
        Found::Fields(key) => Some(key),
        Found::Wrong => None,
        Found::Absent(column) => {
            let message =
                format!("`{}` has no field `{column}` to name the `{}` by", name.value, scene.entity);
            let hint = format!("say which field: `key = \"field\"` ({})", binding.nearest(&column));
            problems.absent(name.span, message, hint);
            None
        }
    };
    let does = written.does.as_ref().map_or(DimensionDoes::Set, |does| does.value);
    let action = match does {
        DimensionDoes::Close => {
            if written.sets.is_some() || written.parent.is_some() {
                let message = format!("`{}` closes a member, and a close sets nothing", name.value);
                problems.add(name.span, message, "leave out `sets` and `parent`, or `does = \"close\"`");
            }
            DimensionAction::Close
        }
        DimensionDoes::Set => DimensionAction::Set {
            attributes: sets(scene, &binding, written.sets.as_ref(), problems),
            parent: parent(scene, &binding, written, problems),
        },
    };
    Some(DimensionEvent { event: binding.event, list: binding.list, key: key?, action })
}

fn parent(
    scene: &Scene<'_>,
    binding: &Binding<'_>,
    written: &DimensionEventSpec,
    problems: &mut Problems,
) -> Option<Vec<FieldRef>> {
    let Some(columns) = scene.parent else {
        if written.parent.is_some() {
            let message = format!("`{}` has no parent that is an entity", scene.entity);
            problems.absent(
                binding.name.span,
                message,
                "declare it: `levels.<name> = { key = ... }`, or leave out `parent`",
            );
        }
        return None;
    };
    match binding.key("the parent's key column", columns, written.parent.as_ref(), problems) {
        Found::Absent(column) if written.parent.is_some() => {
            let message = format!("`parent` names no field for the column `{column}`");
            problems.absent(binding.name.span, message, binding.nearest(&column));
            None
        }
        found => found.fields(),
    }
}

/// What the event sets, in the order in which the attributes are declared.
fn sets(
    scene: &Scene<'_>,
    binding: &Binding<'_>,
    written: Option<&SetsSpec>,
    problems: &mut Problems,
) -> Vec<(usize, FieldRef)> {
    let nothing = Named::default();
    let (only, also) = match written {
        None => (None, &nothing),
        Some(SetsSpec::Only(only)) => (Some(only), &nothing),
        Some(SetsSpec::Also(also)) => (None, also),
    };
    for name in only.into_iter().flatten().chain(also.iter().map(|(name, _)| name)) {
        let known = || scene.attributes.iter().map(|attribute| attribute.name.value.as_str());
        if !known().any(|attribute| attribute == name.value) {
            let message = format!("`{}` has no attribute `{}`", scene.entity, name.value);
            problems.unknown(name.span, message, &name.value, known());
        }
    }
    let mut set = Vec::new();
    for (index, attribute) in scene.attributes.iter().enumerate() {
        let name = &attribute.name.value;
        let listed = only.map(|only| only.iter().find(|listed| listed.value == *name));
        let field = match listed {
            Some(None) => None,
            Some(Some(listed)) => binding.column("the attribute", attribute, Some(listed), problems),
            None => binding.column("the attribute", attribute, also.get(name), problems),
        };
        set.extend(field.map(|field| (index, field)));
    }
    set
}
