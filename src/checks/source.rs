//! Bindings of a fact → relations of items: what does the log say that the rows of a ledger should be?
//!
//! One row for each event, or for each item of its list, with the ledger's own column names; for each role
//! the reserved key that it must bear (or null), and the natural key.

use super::lookup::{NOT_APPLICABLE, UNKNOWN, part, reserved};
use super::rows::Ledger;
use super::sql::{absent, all, any, cast, expression, field, literal, name, number, table};
use crate::model::{
    DateFrom, EventType, Expression, FactAction, FactEvent, FieldRef, KeyColumn, Role, ValueType,
};

/// The events of one type under the alias `e`; with a list, once for each item, `e._item`, from `e._no` 1 on.
pub(crate) fn scan(schema: &str, event: &EventType, list: Option<usize>) -> String {
    let events = table(schema, &event.name);
    match list.and_then(|list| event.lists.get(list)) {
        None => format!("(SELECT *, 0 AS _no FROM {events}) AS e"),
        Some(list) => {
            let list = name(&list.name);
            format!(
                "(SELECT *, unnest({list}) AS _item, generate_subscripts({list}, 1) AS _no FROM {events}) AS e"
            )
        }
    }
}

/// The items of all events that place lines, each with the header's part in it, without those that wait.
pub(super) fn placed(ledger: &Ledger<'_>) -> String {
    ledger
        .bindings(|action| matches!(action, FactAction::Place { .. }))
        .map(|binding| Items { ledger, binding, headers: ledger.has_headers() }.select())
        .collect::<Vec<_>>()
        .join("\nUNION ALL\n")
}

/// The items of one event type that reverses or amends lines. Measures that it does not state are null; a role
/// about which an amendment is silent is -2, as if its event could not name it: the line keeps its member.
pub(super) fn moved(ledger: &Ledger<'_>, binding: &FactEvent) -> String {
    Items { ledger, binding, headers: false }.select()
}

/// `WITH` and the first header event of every header, in valid order; nothing if the fact has none.
pub(super) fn with_headers(ledger: &Ledger<'_>) -> String {
    let selects: Vec<String> = ledger
        .bindings(|action| *action == FactAction::Header)
        .map(|binding| Items { ledger, binding, headers: false }.header())
        .collect();
    if selects.is_empty() {
        return "WITH ".to_owned();
    }
    let header: Vec<String> = ledger.header().iter().map(|column| name(column)).collect();
    format!(
        "WITH headers AS (\n{}\nQUALIFY row_number() OVER (PARTITION BY {} ORDER BY occurred_at, _order NULLS FIRST, \
position, item) = 1),\n",
        if selects.len() == 1 {
            selects.concat()
        } else {
            format!("SELECT * FROM ({})", selects.join("\nUNION ALL\n"))
        },
        header.join(", "),
    )
}

/// One binding's items.
struct Items<'a> {
    ledger: &'a Ledger<'a>,
    binding: &'a FactEvent,
    /// Whether what the event does not carry comes from its header.
    headers: bool,
}

impl Items<'_> {
    fn event(&self) -> &EventType {
        &self.ledger.model.events[self.binding.event]
    }

    fn select(&self) -> String {
        let dated_by_header =
            self.binding.action == FactAction::Place { date_from: DateFrom::Header } && self.headers;
        let instant = if dated_by_header { "h.occurred_at" } else { "e._time" };
        let mut columns = vec![
            "e._position AS position".to_owned(),
            "e._no::BIGINT AS item".to_owned(),
            format!("{} AS kind", literal(&self.binding.kind)),
            format!("{instant} AS occurred_at"),
        ];
        columns.extend(self.names());
        columns.extend(self.carried());
        columns.extend(self.roles());
        columns.extend(self.measures());
        let mut select = format!("SELECT {}\nFROM {}", columns.join(", "), self.scan());
        if self.headers {
            let kind = if dated_by_header { "JOIN" } else { "LEFT JOIN" };
            let on = self.ledger.fact.header.iter().zip(&self.binding.header).map(|(key, reference)| {
                format!("h.{} = {}", name(&key.name), cast(&self.field(*reference), key.value_type))
            });
            select.push_str(&format!("\n{kind} headers AS h ON {}", all(on)));
        }
        select
    }

    /// What a header event gives to the lines under it.
    fn header(&self) -> String {
        let mut columns = vec![
            "e._position AS position".to_owned(),
            "e._no::BIGINT AS item".to_owned(),
            "e._time AS occurred_at".to_owned(),
            "e._order".to_owned(),
        ];
        columns.extend(self.names().take(self.ledger.fact.header.len()));
        columns.extend(self.carried());
        columns.extend(self.roles());
        let present =
            self.binding.header.iter().map(|reference| format!("{} IS NOT NULL", self.field(*reference)));
        format!("SELECT {}\nFROM {}\nWHERE {}", columns.join(", "), self.scan(), all(present))
    }

    fn scan(&self) -> String {
        scan(&self.ledger.tables.log, self.event(), self.binding.list)
    }

    fn field(&self, reference: FieldRef) -> String {
        field(self.event(), reference)
    }

    /// The header's columns and the line's.
    fn names(&self) -> impl Iterator<Item = String> {
        let fact = self.ledger.fact;
        let fields = (0..fact.header.len()).map(|i| self.binding.header.get(i).copied());
        fact.header.iter().zip(fields).chain(fact.line.iter().map(|line| (line, self.binding.line))).map(
            |(key, reference)| {
                let value = reference.map_or_else(|| "NULL".to_owned(), |reference| self.field(reference));
                format!("{} AS {}", cast(&value, key.value_type), name(&key.name))
            },
        )
    }

    fn carried(&self) -> impl Iterator<Item = String> {
        self.ledger.fact.columns.iter().enumerate().map(|(index, column)| {
            // A value that the event leaves out is the header's; null is a value.
            let own = self.binding.columns.get(index).copied().flatten();
            let given = format!("h.{}", name(&column.name));
            let value = match (own, self.headers) {
                (Some(own), true) => Self::unless(self.silent(&[own]), &given, self.field(own)),
                (Some(own), false) => self.field(own),
                (None, true) => given,
                (None, false) => "NULL".to_owned(),
            };
            format!("{} AS {}", cast(&value, column.value_type), name(&column.name))
        })
    }

    fn roles(&self) -> Vec<String> {
        let mut columns = Vec::new();
        for (index, role) in self.ledger.fact.roles.iter().enumerate() {
            let keys = self.ledger.natural_key(role);
            let own = self.binding.roles.get(index).and_then(Option::as_ref);
            let silent = own.and_then(|fields| self.silent(fields)).filter(|_| self.headers);
            let given = |key: &KeyColumn| format!("h.{}", part(&role.name, &key.name));
            let values: Vec<String> = match own {
                Some(fields) => {
                    let own = fields.iter().map(|reference| self.field(*reference));
                    own.zip(keys).map(|(own, key)| Self::unless(silent.clone(), &given(key), own)).collect()
                }
                None if self.headers => keys.iter().map(given).collect(),
                None => vec!["NULL".to_owned(); keys.len()],
            };
            columns.push(format!("{} AS {}", self.state(role, own), reserved(&role.name)));
            columns.extend(keys.iter().zip(&values).map(|(key, value)| {
                format!("{} AS {}", cast(value, key.value_type), part(&role.name, &key.name))
            }));
        }
        columns
    }

    /// The reserved key that a role must bear: null where a member is named.
    fn state(&self, role: &Role, own: Option<&Vec<FieldRef>>) -> String {
        let given = format!("h.{}", reserved(&role.name));
        match own {
            Some(fields) => {
                let Some(silent) = self.silent(fields) else { return "NULL::INTEGER".to_owned() };
                let silence = match self.binding.action {
                    // The event can name somebody: where its header cannot, nobody is known.
                    _ if self.headers => {
                        format!(
                            " WHEN {silent} AND h.position IS NOT NULL THEN CASE WHEN {given} < 0 THEN {UNKNOWN} END"
                        )
                    }
                    FactAction::Amend => format!(" WHEN {silent} THEN {NOT_APPLICABLE}"),
                    _ => String::new(),
                };
                let missing = any(fields.iter().map(|field| format!("{} IS NULL", self.field(*field))));
                format!("CASE{silence} WHEN {missing} THEN {UNKNOWN} END")
            }
            None if self.headers => {
                format!("CASE WHEN h.position IS NULL THEN {NOT_APPLICABLE} ELSE {given} END")
            }
            None => format!("{NOT_APPLICABLE}"),
        }
    }

    /// The event is silent about these fields: one of them was absent. `None`: none of them may be.
    fn silent(&self, fields: &[FieldRef]) -> Option<String> {
        let optional = fields.iter().filter(|field| self.event().field(**field).optional);
        let absent: Vec<String> = optional.map(|field| absent(self.event(), *field)).collect();
        (!absent.is_empty()).then(|| any(absent))
    }

    /// The event's own value, or what is given where it is silent.
    fn unless(silent: Option<String>, given: &str, own: String) -> String {
        match silent {
            Some(silent) => format!("CASE WHEN {silent} THEN {given} ELSE {own} END"),
            None => own,
        }
    }

    fn measures(&self) -> impl Iterator<Item = String> {
        let places = matches!(self.binding.action, FactAction::Place { .. });
        self.ledger.fact.measures.iter().enumerate().map(move |(index, measure)| {
            let value = if places { self.placed_measure(index) } else { self.stated(index) };
            let value = value.unwrap_or_else(|| cast("NULL", measure.value_type));
            format!("{value} AS {}", name(&measure.name))
        })
    }

    /// The measure as the event states it.
    fn stated(&self, index: usize) -> Option<String> {
        let stated = self.binding.measures.get(index)?.as_ref()?;
        let measure = &self.ledger.fact.measures[index];
        // An event's expression is over its fields alone.
        let text = expression(stated, &|reference| self.field(reference), &|_| "NULL".to_owned());
        Some(cast(&text, measure.value_type))
    }

    /// As stated, else by the formula, else the default.
    fn placed_measure(&self, index: usize) -> Option<String> {
        let measure = &self.ledger.fact.measures[index];
        let stated = self.stated(index);
        if let (Some(stated), Some(Some(expression))) = (&stated, self.binding.measures.get(index))
            && self.is_certain(expression)
        {
            return Some(stated.clone());
        }
        let formula = measure.formula.as_ref().map(|formula| {
            let of = |other: usize| {
                self.placed_measure(other)
                    .unwrap_or_else(|| cast("NULL", self.ledger.fact.measures[other].value_type))
            };
            cast(&expression(formula, &|_| "NULL".to_owned(), &of), measure.value_type)
        });
        let default = measure.default.map(|unscaled| {
            let scale = if let ValueType::Decimal { scale, .. } = measure.value_type { scale } else { 0 };
            cast(&number(unscaled, scale), measure.value_type)
        });
        let ways: Vec<String> = stated.into_iter().chain(formula).chain(default).collect();
        match ways.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            ways => Some(format!("coalesce({})", ways.join(", "))),
        }
    }

    /// No field in the expression may be null.
    fn is_certain(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Number { .. } => true,
            Expression::Field(reference) => !self.event().field(*reference).optional,
            Expression::Measure(_) => false,
            Expression::Negate(inner) => self.is_certain(inner),
            Expression::Binary { left, right, .. } => self.is_certain(left) && self.is_certain(right),
        }
    }
}
