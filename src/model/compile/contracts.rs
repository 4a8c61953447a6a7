//! `[events]` → the contracts: which fields does an event type have?

use super::allowed;
use super::limits;
use super::names::{self, Names};
use super::types;
use crate::model::{EventType, Field, FieldRef, ListField, Unknown, Upcast, ValueType};
use crate::spec::{At, EventSpec, Named, Problems, Spec, UnknownSpec};
use std::collections::HashSet;

/// All event types.
pub(super) struct Contracts {
    pub types: Vec<EventType>,
    /// Fields whose type was reported as wrong.
    unknown: HashSet<(usize, FieldRef)>,
    /// For each event type, whether its contract holds a mistake of writing.
    doubted: Vec<bool>,
}

impl Contracts {
    pub fn compile(spec: &Spec, problems: &mut Problems) -> Self {
        let mut contracts = Self { types: Vec::new(), unknown: HashSet::new(), doubted: Vec::new() };
        let mut tables = Names::default();
        tables.reserve("rejects", "the table of rejects `log.rejects`");
        for (name, event) in spec.events.iter() {
            names::check_column("the event type", name, problems);
            tables.claim("the event type", name, problems);
            let version = event.version.as_ref().map_or(1, |version| version.value);
            if let Some(version) = event.version.as_ref().filter(|version| version.value < 1) {
                problems.add(version.span, "versions count from 1", "write `version = 1`, or leave it out");
            }
            contracts.doubted.push(problems.doubts(name.span));
            problems.within(name.span, |problems| contracts.add(name, version, event, problems));
        }
        if let Some(envelope) = flat_envelope(spec) {
            check_flat(spec, &envelope, problems);
        }
        contracts
    }

    fn add(&mut self, name: &At<String>, version: i64, spec: &EventSpec, problems: &mut Problems) {
        let mut columns = Names::default();
        let event = self.types.len();
        let mut fields = self.fields(event, None, &spec.fields, &mut columns, problems);
        let mut lists = Vec::new();
        for (index, (list, items)) in spec.lists.iter().enumerate() {
            names::check_field("the list", list, problems);
            columns.claim("the list", list, problems);
            let fields = self.fields(event, Some(index), items, &mut Names::default(), problems);
            if fields.is_empty() {
                let message = format!("the items of the list `{}` have no fields", list.value);
                problems.absent(list.span, message, "declare them: `{ name = \"text\" }`");
            }
            lists.push(ListField { name: list.value.clone(), fields });
        }
        self.judge(event, spec, problems, (&mut fields, &mut lists));
        let bears = limits::of_rejects(spec.max_rejects.as_ref(), spec.max_reject_share.as_ref(), problems);
        let unknown = match spec.unknown.as_ref().map(|unknown| unknown.value) {
            None | Some(UnknownSpec::Evolve) => Unknown::Evolve,
            Some(UnknownSpec::Freeze) => Unknown::Freeze,
            Some(UnknownSpec::Ignore) => Unknown::Ignore,
        };
        let name = name.value.clone();
        self.types.push(EventType { name, version, fields, lists, bears, unknown, upcasts: Vec::new() });
    }

    /// What fields may hold; a field whose type was reported is left alone.
    fn judge(
        &self,
        event: usize,
        spec: &EventSpec,
        problems: &mut Problems,
        (fields, lists): (&mut [Field], &mut [ListField]),
    ) {
        for (name, written) in spec.values.iter() {
            let of_list = name
                .value
                .split_once('.')
                .and_then(|(list, field)| Some((lists.iter().position(|known| known.name == list)?, field)));
            let (list, among, field) = match of_list {
                Some((list, field)) => (Some(list), &mut *lists[list].fields, field),
                None => (None, &mut *fields, name.value.as_str()),
            };
            let Some(at) = among.iter().position(|known| known.name == field) else {
                let known = among.iter().map(|field| field.name.as_str());
                let message = format!("there is no field `{}`", name.value);
                problems.unknown(name.span, message, field, known);
                continue;
            };
            if !self.unknown.contains(&(event, FieldRef { list, field: at })) {
                among[at].allowed = allowed::compile(written, &among[at], problems);
            }
        }
    }

    /// Adds what becomes of older versions of an event type.
    pub fn lift(&mut self, event: usize, upcasts: Vec<Upcast>) {
        if let Some(event) = self.types.get_mut(event) {
            event.upcasts = upcasts;
        }
    }

    fn fields(
        &mut self,
        event: usize,
        list: Option<usize>,
        written: &Named<At<String>>,
        columns: &mut Names,
        problems: &mut Problems,
    ) -> Vec<Field> {
        let mut fields = Vec::new();
        for (field, (name, written)) in written.iter().enumerate() {
            names::check_field("the field", name, problems);
            columns.claim("the field", name, problems);
            let (value_type, optional) = types::of_field(written, problems);
            if value_type.is_none() {
                self.unknown.insert((event, FieldRef { list, field }));
            }
            fields.push(Field {
                name: name.value.clone(),
                value_type: types::or_any(value_type),
                optional,
                allowed: None,
            });
        }
        fields
    }

    /// The event type of this name; an unknown one is reported.
    pub fn find(&self, name: &At<String>, problems: &mut Problems) -> Option<usize> {
        let found = self.types.iter().position(|event| event.name == name.value);
        if found.is_none() {
            let known = self.types.iter().map(|event| event.name.as_str());
            let message = format!("there is no event type `{}`", name.value);
            problems.unknown(name.span, message, &name.value, known);
        }
        found
    }

    /// Whether something may seem missing in the event type of this name because of a mistake that was reported.
    pub fn doubts(&self, name: &str) -> bool {
        let index = self.types.iter().position(|event| event.name == name);
        index.and_then(|index| self.doubted.get(index)).is_some_and(|doubted| *doubted)
    }

    pub fn event(&self, event: usize) -> &EventType {
        &self.types[event]
    }

    pub fn field(&self, event: usize, reference: FieldRef) -> &Field {
        self.types[event].field(reference)
    }

    /// The field's type, unless it was reported as wrong.
    pub fn value_type(&self, event: usize, reference: FieldRef) -> Option<ValueType> {
        let known = !self.unknown.contains(&(event, reference));
        known.then(|| self.field(event, reference).value_type)
    }
}

/// The names of an envelope whose payload stands beside it.
fn flat_envelope(spec: &Spec) -> Option<Vec<&str>> {
    let envelope = spec.log.as_ref()?.envelope.as_ref().filter(|envelope| envelope.payload.is_none())?;
    let names = [&envelope.event_type, &envelope.version, &envelope.time, &envelope.id, &envelope.order];
    Some(names.into_iter().flatten().map(|name| name.value.as_str()).collect())
}

fn check_flat(spec: &Spec, envelope: &[&str], problems: &mut Problems) {
    for (_, event) in spec.events.iter() {
        let fields = event.fields.iter().map(|(name, _)| name);
        let old = event.upcast.iter().flat_map(|old| {
            old.fields.iter().map(|(name, _)| name).chain(old.lists.iter().map(|(name, _)| name))
        });
        for name in fields.chain(event.lists.iter().map(|(name, _)| name)).chain(old) {
            if envelope.contains(&name.value.as_str()) {
                problems.add(
                    name.span,
                    format!(
                        "`{}` is a field of the envelope, and no `payload` tells the two apart",
                        name.value
                    ),
                    "leave it out here: Starlog keeps the envelope's fields by itself",
                );
            }
        }
    }
}
