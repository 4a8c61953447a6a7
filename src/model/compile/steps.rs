//! One step as written → one step, tried on the fields of a payload.

use super::shape::{Members, Node};
use super::{literal, types};
use crate::model::{Act, FieldPath, Step, ValueType};
use crate::spec::{ActSpec, At, Literal, Problems, Span, StepSpec};

/// What a payload holds by now, and what the next version wants of it.
pub(super) struct Trial<'t> {
    pub payload: &'t mut Members,
    pub next: &'t Members,
}

/// `None` after reporting why.
pub(super) fn compile(spec: &StepSpec, trial: &mut Trial<'_>, problems: &mut Problems) -> Option<Step> {
    let Some(each) = &spec.each else {
        let mut scope = Scope { members: trial.payload, next: Some(trial.next), span: spec.span };
        return Some(Step { each: None, act: scope.act(&spec.act, problems)? });
    };
    let path = [each.value.clone()];
    let next = match trial.next.get(&path) {
        Some(Node::List(items, _)) => Some(items),
        _ => None,
    };
    let Some(Node::List(items, _)) = trial.payload.get_mut(&path) else {
        let lists = trial.payload.0.iter().filter(|(_, node)| matches!(node, Node::List(..)));
        let lists: Vec<String> = lists.map(|(name, _)| name.clone()).collect();
        let message = format!("`{}` is no list of the payload here", each.value);
        problems.unknown(each.span, message, &each.value, lists.iter().map(String::as_str));
        return None;
    };
    let mut scope = Scope { members: items, next, span: spec.span };
    Some(Step { each: Some(each.value.clone()), act: scope.act(&spec.act, problems)? })
}

/// Whether every value of a type is one of the other, as JSON.
pub(super) fn becomes(made: ValueType, wanted: ValueType) -> bool {
    match (made, wanted) {
        (ValueType::Integer, ValueType::Decimal { .. }) => true,
        (ValueType::Decimal { scale: made, .. }, ValueType::Decimal { scale: wanted, .. }) => made <= wanted,
        (made, wanted) => made == wanted,
    }
}

/// Whether there is a way from one type to another; whether a value can go it shows with each line.
fn casts(from: ValueType, to: ValueType) -> bool {
    use ValueType::{Decimal, Integer, Text};
    matches!((from, to), (Text, _) | (_, Text) | (Integer | Decimal { .. }, Integer | Decimal { .. }))
}

/// The object that a step works on: the payload, or the items of a list.
struct Scope<'t> {
    members: &'t mut Members,
    next: Option<&'t Members>,
    /// Of the step.
    span: Span,
}

impl Scope<'_> {
    fn act(&mut self, written: &ActSpec, problems: &mut Problems) -> Option<Act> {
        Some(match written {
            ActSpec::Rename { from, to } => {
                let (target, source) = (path(to), path(from));
                let parent = |path: &FieldPath| path.split_last().map(|(_, parent)| parent.to_vec());
                if parent(&target) != parent(&source) {
                    let message = format!("`{}` stands in another object than `{}`", to.value, from.value);
                    let hint = format!("write {{ move = \"{}\", to = \"{}\" }}", from.value, to.value);
                    problems.add(to.span, message, hint);
                    return None;
                }
                self.shift(from, to, problems)?
            }
            ActSpec::Move { from, to } => self.shift(from, to, problems)?,
            ActSpec::Default { field, value } => {
                let (value, value_type) = self.literal(field, value, problems)?;
                let at = path(field);
                match self.members.get_mut(&at) {
                    Some(Node::Scalar { optional, span, .. }) => {
                        if !*optional {
                            let message =
                                format!("`{}` is always there: a default is never used", field.value);
                            problems.add(field.span, message, "leave the step out, or say `constant`");
                            return None;
                        }
                        (*optional, *span) = (false, field.span);
                    }
                    _ => self.put(field, value_type, problems)?,
                }
                Act::Default { field: at, value }
            }
            ActSpec::Constant { field, value } => {
                let (value, value_type) = self.literal(field, value, problems)?;
                let at = path(field);
                if self.members.get(&at).is_some_and(|node| matches!(node, Node::Scalar { .. })) {
                    self.members.take(&at);
                }
                self.put(field, value_type, problems)?;
                Act::Constant { field: at, value }
            }
            ActSpec::Split { from, at, into } => {
                let optional = self.text(from, "split", problems)?;
                if at.value.is_empty() || into.len() < 2 {
                    let message = "a text is cut at a separator, into two fields or more";
                    problems.add(
                        self.span,
                        message,
                        "{ split = \"name\", at = \" \", into = [\"first\", \"last\"] }",
                    );
                    return None;
                }
                self.members.take(&path(from));
                for name in into {
                    self.put_scalar(name, Some(ValueType::Text), optional, problems)?;
                }
                Act::Split { from: path(from), at: at.value.clone(), into: into.iter().map(path).collect() }
            }
            ActSpec::Join { from, with, to } => {
                let mut optional = false;
                for name in from {
                    optional |= self.text(name, "join", problems)?;
                }
                if from.len() < 2 {
                    problems.add(
                        self.span,
                        "`join` puts two texts or more together",
                        "name them: [\"first\", \"last\"]",
                    );
                    return None;
                }
                for name in from {
                    self.members.take(&path(name));
                }
                self.put_scalar(to, Some(ValueType::Text), optional, problems)?;
                Act::Join { from: from.iter().map(path).collect(), with: with.value.clone(), to: path(to) }
            }
            ActSpec::Cast { field, to } => {
                let wanted = types::of_column(to, problems)?;
                let at = path(field);
                let Some(Node::Scalar { value_type, span, .. }) = self.members.get_mut(&at) else {
                    return self.missing(field, "a value", problems);
                };
                // Of a type that was reported nothing is known.
                let from = (*value_type)?;
                if from == wanted || !casts(from, wanted) {
                    let (from, to_type) = (types::show(from), types::show(wanted));
                    let message =
                        format!("`{}` is {from}, which is no {to_type} and cannot be made one", field.value);
                    let (message, hint) = match from == to_type {
                        true => (format!("`{}` is {from} already", field.value), "leave the step out"),
                        false => {
                            (message, "texts become anything, anything becomes text, numbers become numbers")
                        }
                    };
                    problems.add(to.span, message, hint);
                    return None;
                }
                (*value_type, *span) = (Some(wanted), field.span);
                Act::Cast { field: at, from, to: wanted }
            }
            ActSpec::Drop { field } => {
                let at = path(field);
                if self.members.take(&at).is_none() {
                    return self.missing(field, "a field", problems);
                }
                Act::Drop { field: at }
            }
        })
    }

    fn shift(&mut self, from: &At<String>, to: &At<String>, problems: &mut Problems) -> Option<Act> {
        let (source, target) = (path(from), path(to));
        let Some(mut node) = self.members.take(&source) else {
            return self.missing(from, "a field", problems);
        };
        if target.len() > 1 && matches!(node, Node::List(..)) {
            problems.add(to.span, "a list stands in the payload itself", "leave it there");
            return None;
        }
        let (Node::Scalar { span, .. } | Node::Object(_, span) | Node::List(_, span)) = &mut node;
        *span = to.span;
        if self.members.put(&target, node).is_err() {
            return self.taken(to, problems);
        }
        Some(Act::Move { from: source, to: target })
    }

    /// Puts what a step has made; an unknown type is that of a list.
    fn put(
        &mut self,
        name: &At<String>,
        value_type: Option<ValueType>,
        problems: &mut Problems,
    ) -> Option<()> {
        match value_type {
            Some(_) => self.put_scalar(name, value_type, false, problems),
            None => match self.members.put(&path(name), Node::List(self.items(name), name.span)) {
                Ok(()) => Some(()),
                Err(_) => self.taken(name, problems),
            },
        }
    }

    /// The items of an empty list are whatever the next version has.
    fn items(&self, name: &At<String>) -> Members {
        match self.next.and_then(|next| next.get(&path(name))) {
            Some(Node::List(items, _)) => items.clone(),
            _ => Members::default(),
        }
    }

    fn put_scalar(
        &mut self,
        name: &At<String>,
        value_type: Option<ValueType>,
        optional: bool,
        problems: &mut Problems,
    ) -> Option<()> {
        let node = Node::Scalar { value_type, optional, span: name.span };
        match self.members.put(&path(name), node) {
            Ok(()) => Some(()),
            Err(_) => self.taken(name, problems),
        }
    }

    /// A written value as JSON, and its type: that of the field here, that of the next version, or its own.
    fn literal(
        &self,
        field: &At<String>,
        value: &At<Literal>,
        problems: &mut Problems,
    ) -> Option<(String, Option<ValueType>)> {
        let at = path(field);
        let known = self.members.get(&at).or_else(|| self.next?.get(&at));
        let known = match known {
            Some(Node::Scalar { value_type, .. }) => *value_type,
            _ => None,
        };
        literal::compile(value, known, problems)
    }

    /// Whether a text may be missing.
    fn text(&mut self, name: &At<String>, verb: &str, problems: &mut Problems) -> Option<bool> {
        match self.members.get(&path(name)) {
            Some(Node::Scalar { value_type: Some(ValueType::Text), optional, .. }) => Some(*optional),
            Some(Node::Scalar { value_type: None, .. }) => None,
            Some(other) => {
                let message = format!("`{}` is {}: {verb} works on texts", name.value, other.show());
                let hint = format!("add a step before it: {{ cast = \"{}\", to = \"text\" }}", name.value);
                problems.add(name.span, message, hint);
                None
            }
            None => self.missing(name, "a text", problems),
        }
    }

    fn missing<T>(&self, name: &At<String>, what: &str, problems: &mut Problems) -> Option<T> {
        let known = self.members.paths();
        let message = format!("`{}` is not {what} of the payload here", name.value);
        problems.unknown(name.span, message, &name.value, known.iter().map(String::as_str));
        None
    }

    fn taken<T>(&self, name: &At<String>, problems: &mut Problems) -> Option<T> {
        let message = format!("something stands at `{}` already", name.value);
        problems.add(name.span, message, "drop or rename it before this step");
        None
    }
}

/// `a.b` as names.
fn path(written: &At<String>) -> FieldPath {
    written.value.split('.').map(str::to_owned).collect()
}
