//! The numbers that a line says of a fact: do they fit the measures that they are for?
//!
//! A line whose amounts no table can hold is a reject like one whose time no calendar can hold: else it would stand in
//! the log for ever, and no run could book it.

use super::rows::PayloadRows;
use crate::log::reject::{Code, Flaw};
use crate::model::{Expression, Fact, FactAction, FieldRef, Measure, Model, Overflow, ValueType};

/// What the events of one type say of one fact.
#[derive(Debug)]
pub struct Amounts {
    fact: String,
    list: Option<(usize, String)>,
    /// Whether measures that are not stated are computed, or taken by default.
    places: bool,
    measures: Vec<Measure>,
    stated: Vec<Option<Expression>>,
}

/// For each event type of a model, what it says of facts.
pub fn of(model: &Model) -> Vec<Vec<Amounts>> {
    let of_event = |event: usize| {
        let bindings = model.facts.iter().flat_map(|fact| fact.events.iter().map(move |bound| (fact, bound)));
        let bindings = bindings.filter(|(_, bound)| bound.event == event);
        let amounts = |(fact, bound): (&Fact, &crate::model::FactEvent)| {
            let places = matches!(bound.action, FactAction::Place { .. });
            let name = |list: usize| model.events.get(event)?.lists.get(list).map(|list| list.name.clone());
            (places || bound.measures.iter().any(Option::is_some)).then(|| Amounts {
                fact: fact.name.clone(),
                list: bound.list.map(|list| (list, name(list).unwrap_or_default())),
                places,
                measures: fact.measures.clone(),
                stated: bound.measures.clone(),
            })
        };
        bindings.filter_map(amounts).collect()
    };
    (0..model.events.len()).map(of_event).collect()
}

impl Amounts {
    /// Checks the event whose payload has just been read.
    pub fn check(&self, payload: &PayloadRows) -> Result<(), Flaw> {
        match &self.list {
            None => self.check_item(payload, None),
            Some((list, _)) => {
                payload.items_of_last(*list).try_for_each(|item| self.check_item(payload, Some(item)))
            }
        }
    }

    fn check_item(&self, payload: &PayloadRows, item: Option<usize>) -> Result<(), Flaw> {
        for (index, measure) in self.measures.iter().enumerate() {
            let fits = match self.value(index, payload, item) {
                Ok(None) => true,
                Ok(Some(value)) => measure.value_type.holds(value),
                Err(Overflow) => false,
            };
            if !fits {
                return Err(self.misfit(measure, payload, item));
            }
        }
        Ok(())
    }

    /// A measure in its own scale: as stated, else by its formula, else by default. None: it is not said.
    fn value(
        &self,
        index: usize,
        payload: &PayloadRows,
        item: Option<usize>,
    ) -> Result<Option<i128>, Overflow> {
        let Some(measure) = self.measures.get(index) else { return Ok(None) };
        let scale = measure.value_type.scale();
        if let Some(Some(stated)) = self.stated.get(index) {
            let field = |field: FieldRef| payload.number(field, item);
            let stated = stated.value(scale, &field, &|_| Ok(None))?;
            if stated.is_some() {
                return Ok(stated);
            }
        }
        if !self.places {
            return Ok(None);
        }
        let other = |other: usize| {
            let scale = self.measures.get(other).map_or(0, |measure| measure.value_type.scale());
            Ok(self.value(other, payload, item)?.map(|value| (value, scale)))
        };
        let computed = match &measure.formula {
            Some(formula) => formula.value(scale, &|_| None, &other)?,
            None => None,
        };
        Ok(computed.or(measure.default))
    }

    #[cold]
    fn misfit(&self, measure: &Measure, payload: &PayloadRows, item: Option<usize>) -> Flaw {
        let place = match (&self.list, item) {
            (Some((list, name)), Some(item)) => {
                format!("{name}[{}]: ", item - payload.items_of_last(*list).start)
            }
            _ => String::new(),
        };
        let kind = match measure.value_type {
            ValueType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            _ => "integer".to_owned(),
        };
        let message =
            format!("{place}the measure `{}` of `{}` would be too large for {kind}", measure.name, self.fact);
        Flaw::new(Code::Range, message)
    }
}
