//! One TOML table, read key by key; what nobody asked for is an unknown key.

use super::read::{Read, Value};
use super::{At, Problems, Span, closest, list};
use toml::de::DeTable;

/// A table whose keys the language defines.
pub(super) struct Table<'t> {
    /// What the table describes, for messages: `a dimension`.
    what: &'static str,
    span: Span,
    entries: Vec<(At<String>, Value<'t>)>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    pub fn new(what: &'static str, span: Span, table: &'t DeTable<'t>) -> Self {
        Self { what, span, entries: entries(table), known: Vec::new() }
    }

    /// A key that may be left out.
    pub fn optional<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        self.known.push(key);
        let index = self.entries.iter().position(|(name, _)| name.value == key)?;
        let (_, value) = self.entries.remove(index);
        T::read(value, problems)
    }

    /// A key that may not be left out. `None` is reported here, whatever the reason.
    pub fn required<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        if !self.entries.iter().any(|(name, _)| name.value == key) && !self.misspelled(key) {
            let message = format!("{} needs the key `{key}`", self.what);
            problems.absent(self.span, message, format!("add `{key}`"));
        }
        self.optional(key, problems)
    }

    /// Whether this key stands here.
    pub fn has(&self, key: &str) -> bool {
        self.keys().any(|name| name == key)
    }

    /// The keys that nobody has asked for so far.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.value.as_str())
    }

    /// Whether a key stands here that will be reported as a misspelling of this one.
    fn misspelled(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| closest(&name.value, [key]).is_some())
    }

    /// Reports every key that was not asked for.
    pub fn finish(self, problems: &mut Problems) {
        for (key, _) in &self.entries {
            let hint = match closest(&key.value, self.known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", list(self.known.iter().copied())),
            };
            problems.add(key.span, format!("{} has no key `{}`", self.what, key.value), hint);
        }
    }
}

/// The entries of a table in the order of declaration.
pub(super) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<(At<String>, Value<'t>)> {
    let mut entries: Vec<(At<String>, Value<'t>)> = table
        .iter()
        .map(|(key, value)| {
            let key = At { value: key.get_ref().to_string(), span: key.span().into() };
            (key, Value { span: value.span().into(), value: value.get_ref() })
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span);
    entries
}
