//! `[[events.<type>.upcast]]` → the chain of steps, tried on the fields alone: does each version become the next?

use super::contracts::Contracts;
use super::names::{self, Names};
use super::shape::{Members, Node, old_fields};
use super::steps::{self, Trial};
use super::types;
use crate::model::{EventType, Step, Upcast};
use crate::spec::{At, EventSpec, Named, OldFieldSpec, Problems, Span, Spec, UpcastSpec};

/// Adds to each event type its older versions.
pub(super) fn compile(spec: &Spec, contracts: &mut Contracts, problems: &mut Problems) {
    for (event, (name, written)) in spec.events.iter().enumerate() {
        if written.upcast.is_empty() {
            continue;
        }
        let is_doubted = problems.doubts(name.span);
        problems.within(name.span, |problems| {
            let today = contracts.event(event);
            let upcasts = chain(name, written, today, is_doubted, problems);
            contracts.lift(event, upcasts);
        });
    }
}

/// The upcasts of an event type, from the oldest version on.
fn chain(
    name: &At<String>,
    written: &EventSpec,
    today: &EventType,
    is_doubted: bool,
    problems: &mut Problems,
) -> Vec<Upcast> {
    let mut specs: Vec<(i64, Span, &UpcastSpec)> = Vec::new();
    for spec in &written.upcast {
        let Some(from) = &spec.from else { continue };
        let (version, today) = (from.value, today.version);
        if version < 1 || version >= today {
            let message =
                format!("`{}` is at version {today}: version {version} is none before it", name.value);
            let hint = match version < 1 {
                true => "versions count from 1".to_owned(),
                false => format!("name an older version, or say `version = {}`", version + 1),
            };
            problems.add(from.span, message, hint);
        } else if specs.iter().any(|(known, ..)| *known == version) {
            let message = format!("version {version} of `{}` is lifted twice", name.value);
            problems.add(from.span, message, "put all steps into one upcast");
        } else {
            specs.push((version, from.span, spec));
        }
    }
    specs.sort_by_key(|(version, ..)| *version);
    let expected = specs.first().map_or(today.version, |(version, ..)| *version);
    for (step, version) in (expected..today.version).enumerate() {
        if specs.get(step).is_none_or(|(known, ..)| *known != version) {
            let message =
                format!("nothing lifts version {version} of `{}` to version {}", name.value, version + 1);
            let hint = format!("add an upcast with `from = {version}`, without steps if nothing changes");
            let place = specs.get(step.saturating_sub(1)).map_or(name.span, |(_, span, _)| *span);
            problems.add(place, message, hint);
            return Vec::new();
        }
    }
    let payloads: Vec<Members> = specs.iter().map(|(_, _, spec)| payload(spec, problems)).collect();
    let mut upcasts = Vec::new();
    for (at, (from, span, spec)) in specs.iter().enumerate() {
        let Some(before) = payloads.get(at) else { continue };
        let mut after = before.clone();
        let next = payloads.get(at + 1).cloned().unwrap_or_else(|| payload_of(today, name.span));
        let mut trial = Trial { payload: &mut after, next: &next };
        let steps: Vec<Option<Step>> =
            spec.steps.iter().map(|step| steps::compile(step, &mut trial, problems)).collect();
        // A step that went wrong may have made anything.
        if !is_doubted && steps.iter().all(Option::is_some) {
            compare(&Arrival { from: *from, span: *span, prefix: String::new() }, &after, &next, problems);
        }
        upcasts.push(Upcast {
            from: *from,
            fields: old_fields(before),
            lists: lists_of(before),
            steps: steps.into_iter().flatten().collect(),
        });
    }
    upcasts
}

/// What the payload of an older version holds.
fn payload(spec: &UpcastSpec, problems: &mut Problems) -> Members {
    let mut columns = Names::default();
    let mut members = fields(&spec.fields, &mut columns, problems);
    for (list, items) in spec.lists.iter() {
        check_name("the list", list, problems);
        columns.claim("the list", list, problems);
        let items = fields(items, &mut Names::default(), problems);
        members.0.push((list.value.clone(), Node::List(items, list.span)));
    }
    members
}

fn fields(written: &Named<OldFieldSpec>, columns: &mut Names, problems: &mut Problems) -> Members {
    let mut members = Members::default();
    for (name, field) in written.iter() {
        check_name("the field", name, problems);
        columns.claim("the field", name, problems);
        let node = match field {
            OldFieldSpec::Scalar(written) => {
                let (value_type, optional) = types::of_field(written, problems);
                Node::Scalar { value_type, optional, span: name.span }
            }
            OldFieldSpec::Object(inner) => {
                Node::Object(fields(inner, &mut Names::default(), problems), name.span)
            }
        };
        members.0.push((name.value.clone(), node));
    }
    members
}

fn check_name(what: &str, name: &At<String>, problems: &mut Problems) {
    if name.value.contains('.') {
        let message = format!("{what} `{}` has a `.` in its name", name.value);
        problems.add(
            name.span,
            message,
            "steps tell objects by it; an object is a table: `a = { b = \"text\" }`",
        );
    }
    names::check_field(what, name, problems);
}

/// What a payload holds under the contract of today.
fn payload_of(event: &EventType, span: Span) -> Members {
    let fields = |fields: &[crate::model::Field]| {
        let node = |field: &crate::model::Field| {
            let (value_type, optional) = (Some(field.value_type), field.optional);
            (field.name.clone(), Node::Scalar { value_type, optional, span })
        };
        Members(fields.iter().map(node).collect())
    };
    let mut members = fields(&event.fields);
    for list in &event.lists {
        members.0.push((list.name.clone(), Node::List(fields(&list.fields), span)));
    }
    members
}

fn lists_of(members: &Members) -> Vec<(String, Vec<crate::model::OldField>)> {
    let list = |(name, node): &(String, Node)| match node {
        Node::List(items, _) => Some((name.clone(), old_fields(items))),
        _ => None,
    };
    members.0.iter().filter_map(list).collect()
}

/// Where steps have come to.
struct Arrival {
    from: i64,
    span: Span,
    /// What leads to the object at hand, for messages.
    prefix: String,
}

impl Arrival {
    fn within(&self, name: &str, sign: &str) -> Self {
        Self { prefix: format!("{}{name}{sign}", self.prefix), ..*self }
    }
}

/// What the steps have made must be what the next version wants.
fn compare(at: &Arrival, made: &Members, wanted: &Members, problems: &mut Problems) {
    let (from, to) = (at.from, at.from + 1);
    for (name, node) in &made.0 {
        if !wanted.0.iter().any(|(known, _)| known == name) {
            let message = format!("version {to} has no `{}{name}`, which version {from} leaves", at.prefix);
            let known: Vec<String> = wanted.0.iter().map(|(name, _)| name.clone()).collect();
            let hint = match crate::spec::closest(name, known.iter().map(String::as_str)) {
                Some(meant) => format!("rename it to `{}{meant}`, or drop it", at.prefix),
                None => "rename, move or drop it in a step, or declare it in that version".to_owned(),
            };
            problems.add(node.span(), message, hint);
        }
    }
    for (name, wanted) in &wanted.0 {
        let path = format!("{}{name}", at.prefix);
        match (made.get(std::slice::from_ref(name)), wanted) {
            (None, wanted) if may_be_absent(wanted) => {}
            (None, wanted) => {
                let message = format!("nothing in version {from} becomes `{path}` of version {to}");
                let hint = match wanted {
                    Node::Scalar { .. } => format!("add a step: {{ default = \"{path}\", value = ... }}"),
                    Node::List(..) => format!("add a step: {{ default = \"{path}\", value = [] }}"),
                    Node::Object(..) => "add a step that moves something into it".to_owned(),
                };
                problems.add(at.span, message, hint);
            }
            (
                Some(Node::Scalar { value_type: made, optional: may_lack, span }),
                Node::Scalar { value_type: wanted, optional, .. },
            ) => {
                if let (Some(made), Some(wanted)) = (made, wanted)
                    && !steps::becomes(*made, *wanted)
                {
                    let (made, wanted) = (types::show(*made), types::show(*wanted));
                    let message = format!("`{path}` is {made} here, and {wanted} in version {to}");
                    let hint = format!("add a step: {{ cast = \"{path}\", to = \"{wanted}\" }}");
                    problems.add(*span, message, hint);
                } else if *may_lack && !*optional {
                    let message = format!("`{path}` may be missing here, and must be there in version {to}");
                    let hint = format!("add a step: {{ default = \"{path}\", value = ... }}");
                    problems.add(*span, message, hint);
                }
            }
            (Some(Node::Object(made, _)), Node::Object(wanted, _)) => {
                compare(&at.within(name, "."), made, wanted, problems);
            }
            (Some(Node::List(made, _)), Node::List(wanted, _)) => {
                compare(&at.within(name, "[]."), made, wanted, problems);
            }
            (Some(made), wanted) => {
                let message =
                    format!("`{path}` is {} here, and {} in version {to}", made.show(), wanted.show());
                problems.add(made.span(), message, "move its parts, or rename it out of the way");
            }
        }
    }
}

fn may_be_absent(node: &Node) -> bool {
    match node {
        Node::Scalar { optional, .. } => *optional,
        Node::Object(members, _) => members.0.iter().all(|(_, member)| may_be_absent(member)),
        Node::List(..) => false,
    }
}
