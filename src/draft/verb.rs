//! The name of an event type → what it does, and to what: `TeamFolded` ends a team.
//!
//! Only English verbs are known. Whatever is guessed from one is said in a comment, for an author to judge.

use super::words::words;

/// What a verb says of the thing that the event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It begins.
    Start,
    /// It becomes different.
    Change,
    /// It ends.
    End,
    /// What was done is undone, in part or whole.
    Undo,
    /// Something else happens, or the verb is not known.
    Other,
}

const START: [&str; 20] = [
    "created",
    "create",
    "registered",
    "register",
    "opened",
    "open",
    "added",
    "add",
    "placed",
    "place",
    "submitted",
    "started",
    "introduced",
    "issued",
    "booked",
    "joined",
    "hired",
    "reopened",
    "made",
    "launched",
];
const CHANGE: [&str; 24] = [
    "changed",
    "change",
    "updated",
    "update",
    "renamed",
    "moved",
    "corrected",
    "amended",
    "adjusted",
    "modified",
    "edited",
    "revised",
    "assigned",
    "reassigned",
    "reclassified",
    "recategorized",
    "recategorised",
    "set",
    "upserted",
    "saved",
    "relocated",
    "promoted",
    "merged",
    "replaced",
];
const END: [&str; 17] = [
    "closed",
    "deleted",
    "delete",
    "removed",
    "remove",
    "discontinued",
    "left",
    "folded",
    "retired",
    "deactivated",
    "terminated",
    "ended",
    "archived",
    "expired",
    "deregistered",
    "dissolved",
    "disabled",
];
const UNDO: [&str; 19] = [
    "cancelled",
    "canceled",
    "cancel",
    "cancellation",
    "returned",
    "return",
    "refunded",
    "refund",
    "voided",
    "void",
    "reversed",
    "reversal",
    "revoked",
    "declined",
    "rejected",
    "credited",
    "undone",
    "withdrawn",
    "chargeback",
];

/// A type's name, understood as far as it goes.
#[derive(Debug, Clone)]
pub struct Named {
    /// All words.
    pub words: Vec<String>,
    /// The words without the verb: what it happens to.
    pub noun: Vec<String>,
    /// The verb, or the last word where none is known.
    pub verb: String,
    pub does: Does,
}

impl Named {
    pub fn read(name: &str) -> Self {
        let words = words(name);
        let known = words.iter().rposition(|word| does(word) != Does::Other);
        let at = known.unwrap_or(words.len().saturating_sub(1));
        let verb = words.get(at).cloned().unwrap_or_default();
        let before: Vec<String> = words.iter().take(at).cloned().collect();
        let noun = match before.is_empty() {
            true if words.len() > 1 => words.iter().skip(1).cloned().collect(),
            true => words.clone(),
            false => before,
        };
        Self { noun, does: does(&verb), verb, words }
    }
}

fn does(word: &str) -> Does {
    let classes =
        [(&START[..], Does::Start), (&CHANGE, Does::Change), (&END, Does::End), (&UNDO, Does::Undo)];
    classes.into_iter().find(|(verbs, _)| verbs.contains(&word)).map_or(Does::Other, |(_, does)| does)
}
