//! Names of fields → references, seen from one event that a dimension or a fact is bound to.
//!
//! A name is looked for in the items of the `each` list first, then in the payload. `lines.x` names an item's field,
//! `payload.x` the payload's own, if the event has no list of that name.

use super::contracts::Contracts;
use super::types::{Column, show};
use crate::model::{EventType, FieldRef, ValueType};
use crate::spec::{At, FieldsSpec, Named, Problems, Span, closest, list};

/// An event type, as one table is bound to it.
pub(super) struct Binding<'a> {
    pub contracts: &'a Contracts,
    /// Where the binding stands: the event type's name there.
    pub name: &'a At<String>,
    pub event: usize,
    pub list: Option<usize>,
}

/// Fields for the columns of a key.
pub(super) enum Found {
    Fields(Vec<FieldRef>),
    /// Nothing was written, and the event has no field of the name of this column.
    Absent(String),
    /// Reported.
    Wrong,
}

impl Found {
    pub fn fields(self) -> Option<Vec<FieldRef>> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Absent(_) | Self::Wrong => None,
        }
    }
}

impl<'a> Binding<'a> {
    /// `None` after reporting an unknown event type or list.
    pub fn open(
        contracts: &'a Contracts,
        name: &'a At<String>,
        each: Option<&At<String>>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let event = contracts.find(name, problems)?;
        let list = match each {
            None => None,
            Some(each) => {
                let lists = &contracts.event(event).lists;
                let found = lists.iter().position(|list| list.name == each.value);
                if found.is_none() {
                    let message = format!("the event type `{}` has no list `{}`", name.value, each.value);
                    problems.unknown(
                        each.span,
                        message,
                        &each.value,
                        lists.iter().map(|list| list.name.as_str()),
                    );
                }
                Some(found?)
            }
        };
        Some(Self { contracts, name, event, list })
    }

    pub fn event_type(&self) -> &'a EventType {
        self.contracts.event(self.event)
    }

    /// The field of this name, if it can be seen from here.
    pub fn same_name(&self, name: &str) -> Option<FieldRef> {
        let event = self.event_type();
        let in_fields = |list: Option<usize>, name: &str| {
            let fields = list.map_or(&event.fields, |list| &event.lists[list].fields);
            fields.iter().position(|field| field.name == name).map(|field| FieldRef { list, field })
        };
        let plain = self.list.and_then(|list| in_fields(Some(list), name)).or_else(|| in_fields(None, name));
        plain.or_else(|| {
            let (owner, field) = name.split_once('.')?;
            match event.lists.iter().position(|list| list.name == owner) {
                Some(list) => in_fields(Some(list), field).filter(|_| self.list == Some(list)),
                None => in_fields(None, field).filter(|_| owner == "payload"),
            }
        })
    }

    /// The field of this name; one that cannot be seen from here is reported.
    pub fn field(&self, name: &str, span: Span, problems: &mut Problems) -> Option<FieldRef> {
        let found = self.same_name(name);
        if found.is_none() {
            let bare = name.rsplit_once('.').map_or(name, |(_, bare)| bare);
            let event = self.event_type();
            let holder = event.lists.iter().find(|list| list.fields.iter().any(|field| field.name == bare));
            match holder.filter(|_| self.list.is_none()) {
                Some(list) => problems.absent(
                    span,
                    format!(
                        "`{bare}` is a field of the items of `{}`, not of `{}` itself",
                        list.name, event.name
                    ),
                    format!("say `each = \"{}\"` to go through the items", list.name),
                ),
                None => problems.unknown(
                    span,
                    format!("the event type `{}` has no field `{name}`{}", event.name, self.in_list()),
                    name,
                    self.visible(),
                ),
            }
        }
        found
    }

    fn in_list(&self) -> String {
        self.list.map_or_else(String::new, |list| {
            format!(", nor have the items of `{}`", self.event_type().lists[list].name)
        })
    }

    /// The names of the fields that can be seen from here.
    fn visible(&self) -> impl Iterator<Item = &'a str> {
        let event = self.event_type();
        let items = self.list.map_or(&[][..], |list| &event.lists[list].fields);
        items.iter().chain(&event.fields).map(|field| field.name.as_str())
    }

    /// A sentence that names the field that may have been meant for a column.
    pub fn nearest(&self, column: &str) -> String {
        match closest(column, self.visible()) {
            Some(field) => format!("`{field}`, perhaps"),
            None => format!("the event has {}", list(self.visible())),
        }
    }

    /// Whether the field may be absent or null.
    pub fn is_optional(&self, field: FieldRef) -> bool {
        self.contracts.field(self.event, field).optional
    }

    pub fn value_type(&self, field: FieldRef) -> Option<ValueType> {
        self.contracts.value_type(self.event, field)
    }

    /// Reports a field whose type is not the column's.
    pub fn check_type(
        &self,
        what: &str,
        column: &Column,
        field: FieldRef,
        span: Span,
        problems: &mut Problems,
    ) {
        if let (Some(wanted), Some(found)) = (column.value_type, self.value_type(field))
            && wanted != found
            && problems.first_of(column.name.span, show(found))
        {
            let name = &self.contracts.field(self.event, field).name;
            problems.add(
                span,
                format!(
                    "{what} `{}` is {}, but the field `{name}` of `{}` is {}",
                    column.name.value,
                    show(wanted),
                    self.name.value,
                    show(found),
                ),
                "declare both with one type, or name another field",
            );
        }
    }

    /// The field for one column: as written, or of the column's name.
    pub fn column(
        &self,
        what: &str,
        column: &Column,
        written: Option<&At<String>>,
        problems: &mut Problems,
    ) -> Option<FieldRef> {
        let (field, span) = match written {
            Some(written) => (self.field(&written.value, written.span, problems)?, written.span),
            None => (self.same_name(&column.name.value)?, self.name.span),
        };
        self.check_type(what, column, field, span, problems);
        Some(field)
    }

    /// The fields for the columns of a key: as written, or of the columns' names. `what` is `the key column`.
    pub fn key(
        &self,
        what: &str,
        columns: &[Column],
        written: Option<&FieldsSpec>,
        problems: &mut Problems,
    ) -> Found {
        if columns.is_empty() {
            return Found::Wrong;
        }
        let many = |fields: &[At<String>], span: Span, problems: &mut Problems| {
            if fields.len() != columns.len() {
                let names = list(columns.iter().map(|column| column.name.value.as_str()));
                let message =
                    format!("{} for {}", counted(fields.len(), "field"), counted(columns.len(), "column"));
                problems.add(span, message, format!("name one field for each of {names}, in this order"));
                return Found::Wrong;
            }
            let pairs = columns.iter().zip(fields.iter().map(Some));
            self.pairs(what, pairs, problems)
        };
        match written {
            Some(FieldsSpec::One(field)) => many(std::slice::from_ref(field), field.span, problems),
            Some(FieldsSpec::Many(fields)) => many(&fields.value, fields.span, problems),
            Some(FieldsSpec::ByColumn(fields)) => {
                self.check_columns(what, columns, &fields.value, problems);
                let pairs = columns.iter().map(|column| (column, fields.value.get(&column.name.value)));
                self.pairs(what, pairs, problems)
            }
            None => self.pairs(what, columns.iter().map(|column| (column, None)), problems),
        }
    }

    fn check_columns(
        &self,
        what: &str,
        columns: &[Column],
        written: &Named<At<String>>,
        problems: &mut Problems,
    ) {
        let known = || columns.iter().map(|column| column.name.value.as_str());
        for (column, _) in written.iter().filter(|(column, _)| !known().any(|name| name == column.value)) {
            let message = format!("there is no `{}` among {what}s", column.value);
            problems.unknown(column.span, message, &column.value, known());
        }
    }

    fn pairs<'c>(
        &self,
        what: &str,
        pairs: impl Iterator<Item = (&'c Column, Option<&'c At<String>>)>,
        problems: &mut Problems,
    ) -> Found {
        let mut fields = Vec::new();
        let mut absent = None;
        let mut wrong = false;
        for (column, written) in pairs {
            match self.column(what, column, written, problems) {
                Some(field) => fields.push(field),
                None if written.is_some() => wrong = true,
                None => absent = absent.or(Some(column.name.value.clone())),
            }
        }
        match absent {
            _ if wrong => Found::Wrong,
            Some(column) => Found::Absent(column),
            None => Found::Fields(fields),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
