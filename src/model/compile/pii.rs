//! `[log.pii]` → the names that are cleaned from every line.

use super::contracts::Contracts;
use crate::model::{Field, Pii, ValueType};
use crate::spec::{At, Problems, Spec};

/// What is marked as personal; none where nothing is.
pub(super) fn compile(spec: &Spec, contracts: &Contracts, problems: &mut Problems) -> Option<Pii> {
    let log = spec.log.as_ref()?;
    let written = log.pii.as_ref()?;
    let envelope = log.envelope.iter().flat_map(|envelope| {
        [
            &envelope.event_type,
            &envelope.version,
            &envelope.time,
            &envelope.payload,
            &envelope.id,
            &envelope.order,
        ]
    });
    let envelope: Vec<&str> = envelope.flatten().map(|name| name.value.as_str()).collect();
    let fields = || {
        let of_event = |event: &crate::model::EventType| -> Vec<Field> {
            let items = event.lists.iter().flat_map(|list| &list.fields);
            event.fields.iter().chain(items).cloned().collect()
        };
        contracts.types.iter().flat_map(of_event)
    };
    let mut names = |list: &Option<Vec<At<String>>>, is_kept: bool| -> Vec<String> {
        for name in list.iter().flatten() {
            if envelope.contains(&name.value.as_str()) {
                let message = format!("`{}` is a field of the envelope", name.value);
                problems.add(
                    name.span,
                    message,
                    "the log is identified and ordered by it: mark fields of payloads",
                );
            }
            let mut declared = fields().filter(|field| field.name == name.value);
            if is_kept && declared.any(|field| field.value_type != ValueType::Text) {
                let message = format!(
                    "`{}` is declared as something else than `text`, and its hash is one",
                    name.value
                );
                problems.add(name.span, message, "declare it as `text`, or `drop` it");
            } else if !is_kept && declared.any(|field| !field.optional) {
                let message = format!("`{}` is dropped, but an event type demands it", name.value);
                problems.add(
                    name.span,
                    message,
                    "declare it as optional (`text?`), or leave it out of the contract",
                );
            }
        }
        list.iter().flatten().map(|name| name.value.clone()).collect()
    };
    let (hash, drop) = (names(&written.hash, true), names(&written.drop, false));
    if let Some(twice) = written.drop.iter().flatten().find(|name| hash.contains(&name.value)) {
        problems.add(twice.span, format!("`{}` is both hashed and dropped", twice.value), "name it once");
    }
    if let (Some(key), Some((rows, _))) = (&written.key_env, log.rows.iter().next()) {
        let message =
            format!("`[log.pii]` cleans lines of JSON, and `{}` reads rows of other files", rows.value);
        problems.add(key.span, message, "bring the rows into a log of JSON, or clean them before");
    }
    Some(Pii { key_env: written.key_env.as_ref()?.value.clone(), hash, drop, is_trial: false })
}
