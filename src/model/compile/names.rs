//! Names that an author chooses: which are allowed, and which collide?
//!
//! SQL does not tell names apart by letter case, so neither do we.

use crate::spec::{At, Problems};
use std::collections::HashMap;

const LONGEST_BYTES: usize = 128;

/// Columns that every dimension has.
pub(super) const OF_DIMENSIONS: [&str; 4] = ["valid_from", "valid_to", "is_current", "is_inferred"];

/// Checks a name that becomes a column. `what` is `the attribute`.
pub(super) fn check_column(what: &str, name: &At<String>, problems: &mut Problems) {
    let text = &name.value;
    let (message, hint) = if text.trim().is_empty() {
        (format!("{what} has an empty name"), "give it a name")
    } else if text.len() > LONGEST_BYTES {
        (format!("the name of {what} is longer than {LONGEST_BYTES} bytes"), "shorten it")
    } else if text.chars().any(char::is_control) {
        (format!("the name of {what} holds control characters"), "leave them out")
    } else if text.starts_with('_') {
        (format!("{what} `{text}` starts with `_`"), "such names are Starlog's own: choose another")
    } else {
        return;
    };
    problems.add(name.span, message, hint);
}

/// Checks the name of a field or list: where events say what they left out, lists of paths hold it (`list[0].field,other`).
pub(super) fn check_field(what: &str, name: &At<String>, problems: &mut Problems) {
    if name.value.contains([',', '[', ']']) {
        problems.add(
            name.span,
            format!("{what} `{}` has a `,`, `[` or `]` in its name", name.value),
            "rename it in the source: the log tells by `list[0].field,other` which fields an event left out",
        );
    }
    check_column(what, name, problems);
}

/// Checks a name that becomes a table and a file.
pub(super) fn check_table(what: &str, name: &At<String>, problems: &mut Problems) {
    let starts_well = name.value.starts_with(|first: char| first.is_ascii_alphabetic());
    let goes_on_well = name.value.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    if !starts_well || !goes_on_well || name.value.len() > LONGEST_BYTES {
        problems.add(
            name.span,
            format!("{what} `{}` cannot name a table and its files", name.value),
            "use a letter, then letters, digits and `_`, up to 128 of them",
        );
    }
}

/// The names of one table or schema, each of which can be taken once.
#[derive(Default)]
pub(super) struct Names {
    /// By name in lower case: what has taken it.
    taken: HashMap<String, String>,
}

impl Names {
    /// Takes a name that the author did not choose.
    pub fn reserve(&mut self, name: &str, owner: impl Into<String>) {
        self.taken.entry(name.to_lowercase()).or_insert_with(|| owner.into());
    }

    /// Takes a name for something that the author declared; reports it if it is taken.
    pub fn claim(&mut self, what: &str, name: &At<String>, problems: &mut Problems) {
        self.claim_derived(what, &name.value, name, problems);
    }

    /// Takes a name that follows from one that the author declared, such as `<role>_key`.
    pub fn claim_derived(&mut self, what: &str, derived: &str, from: &At<String>, problems: &mut Problems) {
        let owner = format!("{what} `{}`", from.value);
        match self.taken.get(&derived.to_lowercase()) {
            None => {
                self.taken.insert(derived.to_lowercase(), owner);
            }
            Some(earlier) => {
                let message = match derived == from.value {
                    true => format!("the name of {owner} is taken by {earlier}"),
                    false => format!("`{derived}`, which {owner} makes, is taken by {earlier}"),
                };
                problems.add(from.span, message, "rename one; letter case does not tell names apart");
            }
        }
    }
}
