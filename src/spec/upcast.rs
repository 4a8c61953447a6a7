//! `[[events.<type>.upcast]]` as written: an older version of a contract, and how it becomes the next one.

use super::read::{Read, Value};
use super::{At, Literal, Named, Problems, Span, closest, list};
use schemars::JsonSchema;

/// An older version of an event type.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UpcastSpec {
    /// The version that lines of this kind bear; the steps make the next one of it.
    #[schemars(required, range(min = 1))]
    pub from: Option<At<i64>>,
    /// The fields of that version and their types; a table is an object inside the payload.
    #[schemars(default)]
    pub fields: Named<OldFieldSpec>,
    /// Lists of objects, each with the fields of its items.
    #[schemars(default)]
    pub lists: Named<Named<OldFieldSpec>>,
    /// What is done to the payload, in this order.
    #[schemars(default)]
    pub steps: Vec<StepSpec>,
}

/// A field of an older version.
#[derive(Debug, Clone)]
pub enum OldFieldSpec {
    /// A type as it is written, such as `text?`.
    Scalar(At<String>),
    /// An object inside the payload.
    Object(Named<OldFieldSpec>),
}

/// One change of a payload.
#[derive(Debug, Clone)]
pub struct StepSpec {
    pub span: Span,
    /// Once for each item of this list.
    pub each: Option<At<String>>,
    pub act: ActSpec,
}

/// What a step does. Fields are named by their paths: `customer.city`.
#[derive(Debug, Clone)]
pub enum ActSpec {
    /// Gives a field another name in the same object.
    Rename { from: At<String>, to: At<String> },
    /// Puts a field into another object, or out of one.
    Move { from: At<String>, to: At<String> },
    /// Gives a value where there is none.
    Default { field: At<String>, value: At<Literal> },
    /// Gives a value, whatever was there.
    Constant { field: At<String>, value: At<Literal> },
    /// Cuts a text at a separator into several; the last one takes what is left.
    Split { from: At<String>, at: At<String>, into: Vec<At<String>> },
    /// Puts texts together.
    Join { from: Vec<At<String>>, with: At<String>, to: At<String> },
    /// Makes a value of another type of it.
    Cast { field: At<String>, to: At<String> },
    /// Leaves a field out. The log keeps the line's own payload.
    Drop { field: At<String> },
}

/// The words of which each step has one.
const VERBS: [&str; 8] = ["rename", "move", "default", "constant", "split", "join", "cast", "drop"];

impl Read for UpcastSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("an upcast", problems)?;
        let spec = Self {
            from: table.required("from", problems),
            fields: table.optional("fields", problems).unwrap_or_default(),
            lists: table.optional("lists", problems).unwrap_or_default(),
            steps: table.optional("steps", problems).unwrap_or_default(),
        };
        table.finish(problems);
        Some(spec)
    }
}

impl Read for OldFieldSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        if value.table().is_some() {
            return Some(Self::Object(Read::read(value, problems)?));
        }
        match value.value.is_str() {
            true => Some(Self::Scalar(Read::read(value, problems)?)),
            false => value.refuse("a type in quotes, or a table of fields", problems),
        }
    }
}

impl Read for StepSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("a step", problems)?;
        let verbs: Vec<&str> = VERBS.into_iter().filter(|verb| table.has(verb)).collect();
        let [verb] = verbs.as_slice() else {
            let (message, hint) = match verbs.as_slice() {
                [] => {
                    let meant = table.keys().find_map(|key| closest(key, VERBS));
                    let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
                    let hint = hint.unwrap_or_else(|| format!("write one of {}", list(VERBS)));
                    ("a step does not say what it does".to_owned(), hint)
                }
                several => {
                    let message =
                        format!("a step does one thing, and this one says {}", list(several.iter().copied()));
                    (message, "make a step of each".to_owned())
                }
            };
            problems.add(value.span, message, hint);
            return None;
        };
        let each = table.optional("each", problems);
        let before = problems.count();
        let act = match *verb {
            "rename" => both(table.required("rename", problems), table.required("to", problems))
                .map(|(from, to)| ActSpec::Rename { from, to }),
            "move" => both(table.required("move", problems), table.required("to", problems))
                .map(|(from, to)| ActSpec::Move { from, to }),
            "default" => both(table.required("default", problems), table.required("value", problems))
                .map(|(field, value)| ActSpec::Default { field, value }),
            "constant" => both(table.required("constant", problems), table.required("value", problems))
                .map(|(field, value)| ActSpec::Constant { field, value }),
            "split" => {
                let (from, at) = (table.required("split", problems), table.required("at", problems));
                both(both(from, at), table.required("into", problems))
                    .map(|((from, at), into)| ActSpec::Split { from, at, into })
            }
            "join" => {
                let (from, with) = (table.required("join", problems), table.required("with", problems));
                both(both(from, with), table.required("to", problems))
                    .map(|((from, with), to)| ActSpec::Join { from, with, to })
            }
            "cast" => both(table.required("cast", problems), table.required("to", problems))
                .map(|(field, to)| ActSpec::Cast { field, to }),
            _ => table.required("drop", problems).map(|field| ActSpec::Drop { field }),
        };
        table.finish(problems);
        // A step of which something could not be read may have done anything: what follows is not judged.
        match act {
            Some(act) if problems.count() == before => Some(Self { span: value.span, each, act }),
            _ => None,
        }
    }
}

fn both<A, B>(one: Option<A>, other: Option<B>) -> Option<(A, B)> {
    one.zip(other)
}
