//! One TOML value → one Rust value, or a problem that says what was expected.

use super::table::{Table, entries};
use super::{At, Named, Problems, Span, closest, list};
use toml::de::{DeArray, DeTable, DeValue};

/// A TOML value and its place.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    pub span: Span,
    pub value: &'t DeValue<'t>,
}

/// What can be read from a TOML value.
pub(super) trait Read: Sized {
    /// `None` after reporting why.
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self>;
}

impl<'t> Value<'t> {
    /// Reports that something else was expected here.
    pub fn refuse<T>(self, expected: &str, problems: &mut Problems) -> Option<T> {
        let found = match self.value.type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        problems.add(self.span, format!("expected {expected}, found {found}"), format!("write {expected}"));
        None
    }

    pub fn array(self) -> Option<&'t DeArray<'t>> {
        self.value.as_array()
    }

    pub fn table(self) -> Option<&'t DeTable<'t>> {
        self.value.as_table()
    }

    /// The value as a table whose keys the language defines.
    pub fn open(self, what: &'static str, problems: &mut Problems) -> Option<Table<'t>> {
        match self.value {
            DeValue::Table(table) => Some(Table::new(what, self.span, table)),
            _ => self.refuse("a table", problems),
        }
    }

    /// The value as one of a few words.
    pub fn choose<T: Copy>(self, words: &[(&'static str, T)], problems: &mut Problems) -> Option<At<T>> {
        let written = At::<String>::read(self, problems)?;
        let known = || words.iter().map(|(word, _)| *word);
        match words.iter().find(|(word, _)| *word == written.value) {
            Some((_, choice)) => Some(written.with(*choice)),
            None => {
                let hint = match closest(&written.value, known()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("one of {}", list(known())),
                };
                problems.add(self.span, format!("`{}` is none of the choices", written.value), hint);
                None
            }
        }
    }
}

impl Read for At<String> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        match value.value {
            DeValue::String(text) => Some(Self { value: text.to_string(), span: value.span }),
            _ => value.refuse("a text in quotes", problems),
        }
    }
}

impl Read for At<bool> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        match value.value {
            DeValue::Boolean(truth) => Some(Self { value: *truth, span: value.span }),
            _ => value.refuse("true or false", problems),
        }
    }
}

impl Read for At<i64> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        match value.value {
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(number) => Some(Self { value: number, span: value.span }),
                Err(_) => value.refuse("an integer of 64 bits", problems),
            },
            _ => value.refuse("an integer", problems),
        }
    }
}

impl Read for At<f64> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let number = match value.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match number {
            Some(number) => Some(Self { value: number, span: value.span }),
            None => value.refuse("a number", problems),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(array) = value.array() else {
            return value.refuse("an array", problems);
        };
        let items = array.iter().map(|item| Value { span: item.span().into(), value: item.get_ref() });
        Some(items.filter_map(|item| T::read(item, problems)).collect())
    }
}

impl<T: Read> Read for Named<T> {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = value.table() else {
            return value.refuse("a table", problems);
        };
        let mut read = Vec::new();
        for (name, value) in entries(table) {
            let before = problems.count();
            let value = T::read(value, problems);
            if problems.count() > before {
                problems.doubt(name.span);
            }
            read.extend(value.map(|value| (name, value)));
        }
        Some(Self(read))
    }
}
