//! Rows of a fact → the events, files and lines that made them, and why each key is what it is.

use super::Event;
use super::books::{self, Books, ENVELOPE, envelope, event, is_key};
use super::lookup::{Look, Looks, Moment, key_in};
use crate::checks::sql::{field, literal, name, table};
use crate::error::{Error, Result};
use crate::model::{EventType, Fact, FactAction, FactEvent, KeyColumn};
use crate::spec::closest;
use crate::warehouse::TableEntry;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A column and the value that a row must have in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    pub value: String,
}

/// A row of a fact, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The row itself, in the order of the table's columns.
    #[serde(serialize_with = "as_map")]
    pub row: Vec<(String, Value)>,
    /// The event whose position the row bears: of a line, the one that placed it first.
    pub made_by: Option<HeaderEvent>,
    /// What that event says; of a list, the item that made the row.
    #[serde(serialize_with = "as_map")]
    pub payload: Vec<(String, Value)>,
    /// All events of the same header, in valid order.
    pub header_events: Vec<HeaderEvent>,
    /// One for each role.
    pub looks: Vec<Look>,
}

/// An event of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderEvent {
    #[serde(flatten)]
    pub event: Event,
    /// What its rows are called: `placed`, `cancelled`, ...
    pub kind: String,
    /// `header`, `place`, `reverse`, `amend`, `milestone`.
    pub does: &'static str,
}

/// Most rows that are explained at once: a question that finds more is too wide.
const MOST: usize = 20;

/// Explains the rows of a fact table that meet all conditions, in the order in which they happened. Also says
/// whether there are more than those that are explained.
///
/// `name` is a fact's ledger or its table of lines.
///
/// # Errors
///
/// The author's: no such table, column or row, a value of another type. The operator's: files cannot be read.
pub fn explain(books: &Books, name: &str, conditions: &[Condition]) -> Result<(Vec<Explained>, bool)> {
    let fact = FactTable::find(books, name)?;
    let mut rows = fact.rows(conditions)?;
    let are_more = rows.len() > MOST;
    rows.truncate(MOST);
    let mut looks = Looks::new(books);
    let explained = rows.into_iter().map(|row| fact.explain(row, &mut looks)).collect::<Result<Vec<_>>>()?;
    Ok((explained, are_more))
}

/// A fact's ledger, or its table of lines.
struct FactTable<'a> {
    books: &'a Books,
    fact: &'a Fact,
    entry: &'a TableEntry,
    name: String,
    is_ledger: bool,
}

impl<'a> FactTable<'a> {
    fn find(books: &'a Books, asked: &str) -> Result<Self> {
        let release = &books.release;
        let plain = asked.strip_prefix("fact_").unwrap_or(asked);
        let facts = || books.model.facts.iter();
        let names = || facts().flat_map(|fact| [Some(&fact.name), fact.lines_name.as_ref()]).flatten();
        let found = facts().find(|fact| fact.name == plain || fact.lines_name.as_deref() == Some(plain));
        let fact = found.ok_or_else(|| {
            let all: Vec<String> = names().map(|name| format!("fact_{name}")).collect();
            let hint = match closest(plain, names().map(String::as_str)) {
                Some(meant) => format!("did you mean `fact_{meant}`?"),
                None => format!("there are: {}", all.join(", ")),
            };
            Error::author(format!("there is no fact table `fact_{plain}`")).next(hint)
        })?;
        let name = format!("fact_{plain}");
        let layout = release.layouts()?.into_iter().next().unwrap_or_default();
        let entry = release.tables(layout).find(|(table, _)| *table == name).map(|(_, entry)| entry);
        let entry = entry.ok_or_else(|| Error::bug(format!("release {} has no {name}", release.number())))?;
        Ok(Self { books, fact, entry, is_ledger: fact.name == plain, name })
    }

    /// The rows that meet the conditions.
    fn rows(&self, conditions: &[Condition]) -> Result<Vec<Vec<(String, Value)>>> {
        let mut wheres = Vec::new();
        let mut values = Vec::new();
        for Condition { column, value } in conditions {
            let columns = || self.entry.columns.iter();
            let Some(known) = columns().find(|known| known.name == *column) else {
                let names: Vec<&str> = columns().map(|known| known.name.as_str()).collect();
                let hint = match closest(column, names.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("it has: {}", names.join(", ")),
                };
                return Err(Error::author(format!("{} has no column `{column}`", self.name)).next(hint));
            };
            let value = Value::from(value.as_str());
            self.books.check_value(column, &known.sql_type, &value)?;
            values.push(value);
            wheres.push(format!("{} = CAST(${} AS {})", name(column), values.len(), known.sql_type));
        }
        let columns: Vec<String> = self.entry.columns.iter().map(|column| name(&column.name)).collect();
        let order: Vec<String> = match self.is_ledger {
            true => ["occurred_at", "position", "item"]
                .map(name)
                .into_iter()
                .chain(self.line().map(|line| name(&line.name)))
                .collect(),
            false => self.fact.header.iter().chain(self.line()).map(|key| name(&key.name)).collect(),
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}",
            columns.join(", "),
            table("main", &self.name),
            if wheres.is_empty() { "true".to_owned() } else { wheres.join(" AND ") },
            order.join(", "),
            MOST + 1
        );
        let found = self.books.ask(&sql, &values)?;
        if found.rows.is_empty() {
            let said: Vec<String> = conditions
                .iter()
                .map(|condition| format!("{} = {}", condition.column, condition.value))
                .collect();
            return Err(Error::author(format!("{} has no row with {}", self.name, said.join(" and ")))
                .next(format!("starlog query 'FROM {} LIMIT 10' shows some", self.name)));
        }
        Ok(found.rows.into_iter().map(|row| found.columns.iter().cloned().zip(row).collect()).collect())
    }

    fn line(&self) -> Option<&KeyColumn> {
        self.fact.line.as_ref()
    }

    fn explain(&self, row: Vec<(String, Value)>, looks: &mut Looks<'_>) -> Result<Explained> {
        let position = value(&row, "position");
        let made = position.as_i64().map(|position| self.made_by(position)).transpose()?.flatten();
        let payload = match &made {
            Some((binding, event)) => {
                self.payload(binding, event, books::integer(&[value(&row, "item")], 0))?
            }
            None => Vec::new(),
        };
        let moment = self.moment(&row, made.as_ref().map(|(binding, _)| *binding))?;
        let look = |role| looks.look(role, key_in(&row, role), &moment);
        let looked = self.fact.roles.iter().map(look).collect::<Result<Vec<_>>>()?;
        let header_events = self.header_events(&row)?;
        let made_by = made.map(|(binding, event)| HeaderEvent::new(binding, event));
        Ok(Explained { row, made_by, payload, header_events, looks: looked })
    }

    /// The event at a position, and what the fact makes of its type.
    fn made_by(&self, position: i64) -> Result<Option<(&'a FactEvent, Event)>> {
        for binding in &self.fact.events {
            let Some(declared) = self.declared(binding) else { continue };
            let sql = format!(
                "SELECT {} FROM {} WHERE e._position = $1",
                envelope(declared),
                self.books.scan(declared, None)
            );
            if let Some(row) = self.books.ask(&sql, &[Value::from(position)])?.rows.first() {
                return Ok(Some((binding, event(row))));
            }
        }
        Ok(None)
    }

    fn declared(&self, binding: &FactEvent) -> Option<&'a EventType> {
        self.books.model.events.get(binding.event)
    }

    /// The declared fields that the event carries, and its item.
    fn payload(&self, binding: &FactEvent, event: &Event, item: i64) -> Result<Vec<(String, Value)>> {
        let Some(declared) = self.declared(binding) else { return Ok(Vec::new()) };
        let mut columns = vec!["e._absent".to_owned(), "e._unknown".to_owned()];
        columns.extend(declared.fields.iter().map(|field| format!("e.{}", name(&field.name))));
        columns.extend(declared.lists.iter().enumerate().map(|(index, list)| {
            let column = name(&list.name);
            match binding.list == Some(index) && item > 0 {
                true => format!("e.{column}[{item}] AS {}", name(&format!("{}[{item}]", list.name))),
                false => format!("e.{column}"),
            }
        }));
        let sql = format!(
            "SELECT {} FROM {} WHERE e._position = $1",
            columns.join(", "),
            self.books.scan(declared, None)
        );
        let found = self.books.ask(&sql, &[Value::from(event.position)])?;
        let Some(row) = found.rows.into_iter().next() else { return Ok(Vec::new()) };
        let absent = books::text(&row, 0);
        let is_told = |(column, value): &(String, Value)| match column.as_str() {
            "_absent" => false,
            "_unknown" => !value.is_null(),
            column => !absent.split(',').any(|silent| silent == column),
        };
        Ok(found.columns.into_iter().zip(row).filter(is_told).collect())
    }

    /// When the row's keys were looked up: placings do it at their own time, and so does what an amendment places anew
    /// and what names no header; all else carries the keys of its line.
    fn moment(&self, row: &[(String, Value)], binding: Option<&FactEvent>) -> Result<Moment> {
        if !self.is_ledger {
            return self.of_line(row);
        }
        let at = Some(books::text(&[value(row, "occurred_at")], 0));
        let is_headless = self.fact.header.iter().all(|key| value(row, &key.name).is_null());
        let own = Moment { at, carried_from: None };
        match binding.map(|binding| (&binding.action, binding.kind == books::text(&[value(row, "kind")], 0)))
        {
            Some((FactAction::Place { .. } | FactAction::Amend, false))
            | Some((FactAction::Place { .. }, true)) => Ok(own),
            Some(_) if is_headless => Ok(own),
            _ => self.of_line(row),
        }
    }

    /// When the line of a row looked its members up last: not after the row itself, if it has a time.
    fn of_line(&self, row: &[(String, Value)]) -> Result<Moment> {
        let placing = |binding: &&FactEvent| matches!(binding.action, FactAction::Place { .. });
        let kinds: Vec<String> =
            self.fact.events.iter().filter(placing).map(|binding| literal(&binding.kind)).collect();
        let keys: Vec<&KeyColumn> = self.fact.header.iter().chain(self.line()).collect();
        let mut values: Vec<Value> = keys.iter().map(|key| value(row, &key.name)).collect();
        let mut order = "occurred_at DESC, position DESC".to_owned();
        if self.is_ledger {
            values.extend([value(row, "occurred_at"), value(row, "position")]);
            let (at, position) = (values.len() - 1, values.len());
            // What was held until its line came stands before it in time.
            order =
                format!("(occurred_at, position) < (CAST(${at} AS TIMESTAMP), ${position}) DESC, {order}");
        }
        let same = keys.iter().enumerate().map(|(number, key)| {
            let wanted = crate::checks::sql::cast(&format!("${}", number + 1), key.value_type);
            format!("{} IS NOT DISTINCT FROM {wanted}", name(&key.name))
        });
        let sql = format!(
            "SELECT position, occurred_at FROM {} WHERE kind IN ({}) AND {} ORDER BY {order} LIMIT 1",
            table("main", &format!("fact_{}", self.fact.name)),
            kinds.join(", "),
            same.collect::<Vec<_>>().join(" AND ")
        );
        let found = self.books.ask(&sql, &values)?;
        Ok(found.rows.first().map_or_else(Moment::default, |row| Moment {
            at: Some(books::text(row, 1)),
            carried_from: Some(books::integer(row, 0)),
        }))
    }

    /// All events of the row's header in valid order; none if it has none.
    fn header_events(&self, row: &[(String, Value)]) -> Result<Vec<HeaderEvent>> {
        let key: Vec<Value> = self.fact.header.iter().map(|key| value(row, &key.name)).collect();
        if key.is_empty() || key.contains(&Value::Null) {
            return Ok(Vec::new());
        }
        let mut events = Vec::new();
        for binding in &self.fact.events {
            let Some(declared) = self.declared(binding).filter(|_| !binding.header.is_empty()) else {
                continue;
            };
            let list = binding.list.filter(|_| binding.header.iter().any(|field| field.list.is_some()));
            let fields = binding.header.iter().map(|reference| field(declared, *reference));
            let sql = format!(
                "SELECT DISTINCT {} FROM {} WHERE {}",
                envelope(declared),
                self.books.scan(declared, list),
                is_key(fields, &self.fact.header)
            );
            for row in self.books.ask(&sql, &key)?.rows {
                let order = row.get(ENVELOPE - 2).and_then(Value::as_i64);
                let at = (books::integer(&row, ENVELOPE - 1), order, books::integer(&row, 0));
                events.push((at, HeaderEvent::new(binding, event(&row))));
            }
        }
        events.sort_by_key(|(at, _)| *at);
        Ok(events.into_iter().map(|(_, event)| event).collect())
    }
}

impl HeaderEvent {
    fn new(binding: &FactEvent, event: Event) -> Self {
        let does = match binding.action {
            FactAction::Header => "header",
            FactAction::Place { .. } => "place",
            FactAction::Reverse { .. } => "reverse",
            FactAction::Amend => "amend",
            FactAction::Milestone => "milestone",
        };
        Self { event, kind: binding.kind.clone(), does }
    }
}

/// The value of a column; null if there is none.
fn value(row: &[(String, Value)], column: &str) -> Value {
    row.iter().find(|(known, _)| known == column).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Columns and values as an object that keeps their order.
pub(super) fn as_map<S: Serializer>(
    pairs: &[(String, Value)],
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().map(|(column, value)| (column, value)))
}
