//! Events → what each does to a fact, item by item.

use super::event::OracleEvent;
use super::measure::evaluate;
use super::reading::{ValidOrder, natural_key, said_key};
use super::value::{NaturalKey, Value};
use starlog::model::{EventType, Expression, Fact, FactEvent, FieldRef, Model};

/// What one event, or one item of its list, does to a fact.
#[derive(Debug, Clone)]
pub struct Deed<'m> {
    pub position: u64,
    pub item: u64,
    pub time: i64,
    pub order: Option<i64>,
    pub binding: &'m FactEvent,
    /// `None`: it names no header.
    pub header: Option<NaturalKey>,
    pub line: Option<Value>,
    pub roles: Vec<RoleSaid>,
    /// `None`: not carried.
    pub columns: Vec<Option<Value>>,
    /// In the measure's own scale; `None`: not stated.
    pub stated: Vec<Option<i128>>,
}

/// What a deed says of the member in a role.
#[derive(Debug, Clone, PartialEq)]
pub enum RoleSaid {
    /// The event has no field for it.
    NotCarried,
    /// The event has a field for it, and says nothing there.
    Absent,
    /// The natural key is missing (16).
    Null,
    Member(NaturalKey),
}

impl Deed<'_> {
    pub fn valid_order(&self) -> ValidOrder {
        (self.time, self.order, self.position, self.item)
    }
}

/// All that a log does to a fact, in the order of arrival.
pub fn read_deeds<'m>(model: &'m Model, fact: &'m Fact, events: &[OracleEvent]) -> Vec<Deed<'m>> {
    let mut deeds = Vec::new();
    for event in events {
        let contract_index = event.contract(model);
        for binding in fact.events.iter().filter(|binding| binding.event == contract_index) {
            let contract = &model.events[contract_index];
            for item in event.items(contract, binding.list) {
                deeds.push(Reading { event, contract, item }.deed(fact, binding));
            }
        }
    }
    deeds
}

struct Reading<'a> {
    event: &'a OracleEvent,
    contract: &'a EventType,
    item: u64,
}

impl Reading<'_> {
    fn deed<'m>(&self, fact: &Fact, binding: &'m FactEvent) -> Deed<'m> {
        let names_header = !binding.header.is_empty();
        Deed {
            position: self.event.position,
            item: self.item,
            time: self.event.time_us,
            order: self.event.order,
            binding,
            header: names_header
                .then(|| natural_key(self.event, self.contract, self.item, &binding.header))
                .flatten(),
            line: Value::known(binding.line.and_then(|field| self.value(field))),
            roles: binding.roles.iter().map(|fields| self.role(fields.as_deref())).collect(),
            columns: binding.columns.iter().map(|field| field.and_then(|field| self.value(field))).collect(),
            stated: fact
                .measures
                .iter()
                .zip(&binding.measures)
                .map(|(measure, expression)| self.stated(expression.as_ref()?, measure.value_type))
                .collect(),
        }
    }

    fn value(&self, field: FieldRef) -> Option<Value> {
        self.event.value(self.contract, self.item, field)
    }

    fn role(&self, fields: Option<&[FieldRef]>) -> RoleSaid {
        let Some(fields) = fields else { return RoleSaid::NotCarried };
        match said_key(self.event, self.contract, self.item, fields) {
            None => RoleSaid::Absent,
            Some(None) => RoleSaid::Null,
            Some(Some(member)) => RoleSaid::Member(member),
        }
    }

    fn stated(&self, expression: &Expression, value_type: starlog::model::ValueType) -> Option<i128> {
        let number = evaluate(expression, &|leaf| match leaf {
            Expression::Field(field) => self.value(*field)?.as_number(),
            _ => None,
        })?;
        Some(number.in_scale_of(value_type))
    }
}
