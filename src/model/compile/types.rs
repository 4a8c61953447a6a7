//! `"decimal(18,4)?"` → a type: what does a written type mean?

use crate::model::{KeyColumn, ValueType};
use crate::spec::{At, Named, Problems, Span, closest};

const WORDS: [&str; 6] = ["text", "integer", "decimal(18,4)", "boolean", "date", "timestamp"];
/// Of a decimal, before and behind the point together.
pub(super) const MOST_DIGITS: u8 = 38;

/// Words of other systems, and ours for them.
const FOREIGN: [(&str, &str); 21] = [
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("utf8", "text"),
    ("uuid", "text"),
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("long", "integer"),
    ("bigint", "integer"),
    ("float", "decimal(18,4)"),
    ("float64", "decimal(18,4)"),
    ("double", "decimal(18,4)"),
    ("real", "decimal(18,4)"),
    ("number", "decimal(18,4)"),
    ("numeric", "decimal(18,4)"),
    ("money", "decimal(18,4)"),
    ("bool", "boolean"),
    ("datetime", "timestamp"),
    ("time", "timestamp"),
    ("decimal", "decimal(18,4)"),
];

/// A column with its type, which is unknown where it was reported as wrong.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub name: At<String>,
    pub value_type: Option<ValueType>,
}

impl Column {
    pub fn read(name: &At<String>, written: &At<String>, problems: &mut Problems) -> Self {
        Self { name: name.clone(), value_type: of_column(written, problems) }
    }

    pub fn read_all(written: &Named<At<String>>, problems: &mut Problems) -> Vec<Self> {
        written.iter().map(|(name, written)| Self::read(name, written, problems)).collect()
    }

    pub fn key_column(&self) -> KeyColumn {
        KeyColumn { name: self.name.value.clone(), value_type: or_any(self.value_type) }
    }
}

/// The type, or a stand-in for one that was reported.
pub(super) fn or_any(value_type: Option<ValueType>) -> ValueType {
    value_type.unwrap_or(ValueType::Text)
}

/// The type of a field, and whether it may be absent or null.
pub(super) fn of_field(written: &At<String>, problems: &mut Problems) -> (Option<ValueType>, bool) {
    let word = written.value.trim();
    let (word, optional) = match word.strip_suffix('?') {
        Some(word) => (word.trim_end(), true),
        None => (word, false),
    };
    (parse(word, written.span, problems), optional)
}

/// The type of a column of a table.
pub(super) fn of_column(written: &At<String>, problems: &mut Problems) -> Option<ValueType> {
    let (value_type, optional) = of_field(written, problems);
    if optional {
        problems.add(
            written.span,
            format!("`{}`: only fields of events are marked with `?`", written.value),
            "leave out the `?`: whether a value is there follows from the events",
        );
        return None;
    }
    value_type
}

fn parse(word: &str, span: Span, problems: &mut Problems) -> Option<ValueType> {
    match word {
        "text" => return Some(ValueType::Text),
        "integer" => return Some(ValueType::Integer),
        "boolean" => return Some(ValueType::Boolean),
        "date" => return Some(ValueType::Date),
        "timestamp" => return Some(ValueType::Timestamp),
        _ => {}
    }
    if let Some((precision, scale)) = digits(word) {
        if precision == 0 || precision > MOST_DIGITS.into() || scale > precision {
            let message =
                format!("`{word}`: a decimal has 1 to {MOST_DIGITS} digits, and no more behind the point");
            problems.add(span, message, "write `decimal(digits, digits behind the point)`: `decimal(18,4)`");
            return None;
        }
        return Some(ValueType::Decimal {
            precision: u8::try_from(precision).ok()?,
            scale: u8::try_from(scale).ok()?,
        });
    }
    let lower = word.to_lowercase();
    let foreign = FOREIGN.iter().find(|(theirs, _)| lower.split('(').next() == Some(theirs));
    let hint = match foreign.map(|(_, ours)| *ours).or_else(|| closest(word, WORDS)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "one of `text`, `integer`, `decimal(18,4)`, `boolean`, `date`, `timestamp`".to_owned(),
    };
    problems.add(span, format!("`{word}` is no type"), hint);
    None
}

/// The two numbers of `decimal(18,4)`.
fn digits(word: &str) -> Option<(u64, u64)> {
    let inner = word.strip_prefix("decimal")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',')?;
    Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
}

/// A type as it is written.
pub(super) fn show(value_type: ValueType) -> String {
    match value_type {
        ValueType::Text => "text".to_owned(),
        ValueType::Integer => "integer".to_owned(),
        ValueType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        ValueType::Boolean => "boolean".to_owned(),
        ValueType::Date => "date".to_owned(),
        ValueType::Timestamp => "timestamp".to_owned(),
    }
}
