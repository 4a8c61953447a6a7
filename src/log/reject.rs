//! Why a line could not become an event: one code for each reason, in one place.

use std::borrow::Cow;
use std::fmt;

/// The reason for a reject. Its text stands in the reject store and in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    // The line as bytes.
    LineTooLong,
    TornTail,
    NulBlock,
    Bom,
    Utf8,
    // The line as JSON (RFC 8259, narrowed by RFC 7493).
    JsonSyntax,
    NotOneObject,
    NotObject,
    Depth,
    TooManyFields,
    KeyTooLong,
    DuplicateKey,
    Surrogate,
    Nul,
    // The line as an event.
    UnknownType,
    UnknownVersion,
    UnknownField,
    Upcast,
    NoId,
    IdConflict,
    MissingField,
    NullField,
    // The line as a record of another format.
    ChangeEvent,
    CsvQuote,
    CsvRagged,
    // A value.
    Type,
    Domain,
    NotInteger,
    Range,
    Scale,
    MoneyFormat,
    Time,
    NonexistentTime,
    AmbiguousTime,
    TimeRange,
}

impl Code {
    /// The code as it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LineTooLong => "line-too-long",
            Self::TornTail => "torn-tail",
            Self::NulBlock => "nul-block",
            Self::Bom => "bom",
            Self::Utf8 => "utf8",
            Self::JsonSyntax => "json-syntax",
            Self::NotOneObject => "not-one-object",
            Self::NotObject => "not-object",
            Self::Depth => "depth",
            Self::TooManyFields => "too-many-fields",
            Self::KeyTooLong => "key-too-long",
            Self::DuplicateKey => "duplicate-key",
            Self::Surrogate => "surrogate",
            Self::Nul => "nul",
            Self::UnknownType => "unknown-type",
            Self::UnknownVersion => "unknown-version",
            Self::UnknownField => "unknown-field",
            Self::Upcast => "upcast",
            Self::NoId => "no-id",
            Self::IdConflict => "id-conflict",
            Self::MissingField => "missing-field",
            Self::NullField => "null-field",
            Self::ChangeEvent => "change-event",
            Self::CsvQuote => "csv-quote",
            Self::CsvRagged => "csv-ragged",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::NotInteger => "not-integer",
            Self::Range => "range",
            Self::Scale => "scale",
            Self::MoneyFormat => "money-format",
            Self::Time => "time",
            Self::NonexistentTime => "nonexistent-time",
            Self::AmbiguousTime => "ambiguous-time",
            Self::TimeRange => "time-range",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What is wrong with a line: the code, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub code: Code,
    pub message: Cow<'static, str>,
}

impl Flaw {
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same flaw, said of a field.
    #[must_use]
    pub fn of(self, field: &str) -> Self {
        Self { code: self.code, message: format!("{field}: {}", self.message).into() }
    }
}
