//! One event type's part in a fact: its columns, at hand for the replay.

use super::arithmetic::{Leaves, Numbers, evaluate, evaluation_order, look_up, overflow};
use super::events::{Events, Items};
use super::frame::{NONE, distinct, lookup};
use super::members::of_type;
use super::roles::{FactMembers, RoleMembers};
use crate::error::{Error, Result};
use crate::log::EventLog;
use crate::model::{Fact, FactAction, FactEvent, FieldRef, Measure};
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{concat, sort_to_indices, take};
use rayon::prelude::*;
use std::collections::HashMap;

/// The line of an item that names none.
pub const NO_LINE: i64 = i64::MIN;

/// A binding of a fact with its columns.
pub struct Binding<'a> {
    pub declared: &'a FactEvent,
    pub items: Items<'a>,
    /// By event, or by item where the header is named in the list; [`NONE`]: it names no known header.
    pub header: Vec<u32>,
    /// Like `header`: whether the event names a header at all.
    pub names_header: Vec<bool>,
    pub header_by_item: bool,
    /// By item, as ranks in the order of line keys; [`NO_LINE`] where none is named.
    pub line: Option<Vec<i64>>,
    pub roles: &'a [Option<RoleMembers>],
    /// By measure, then item: what the event states, in the measure's scale. Of a placing event, all measures.
    pub measures: Vec<Option<Numbers>>,
    /// By carried column: the values, by event or by item.
    pub columns: Vec<Option<Carried>>,
}

/// The values of a column that goes from events to the fact.
pub struct Carried {
    pub values: ArrayRef,
    pub by_event: bool,
    /// By value: whether the event did not carry it at all.
    absent: Option<Vec<bool>>,
}

impl Carried {
    /// The row of [`Carried::values`] for an item, if its event carries the column; null is a value.
    pub fn row(&self, event: usize, item: usize) -> Option<usize> {
        let row = if self.by_event { event } else { item };
        self.absent.as_ref().is_none_or(|absent| !absent[row]).then_some(row)
    }
}

/// All bindings of a fact, its headers and its line keys.
pub struct Bindings<'a> {
    pub all: Vec<Binding<'a>>,
    /// The header's key columns: a row a header.
    pub headers: Vec<ArrayRef>,
    /// What a rank of a line stands for; none where lines are integers, which stand for themselves.
    pub lines: Option<ArrayRef>,
}

/// Reads the bindings of a fact; joins each event to its header.
pub fn read<'a>(
    fact: &'a Fact,
    events: &'a [Option<Events>],
    roles: &'a FactMembers,
    log: &EventLog,
) -> Result<Bindings<'a>> {
    let mut all = Vec::new();
    for (declared, roles) in fact.events.iter().zip(roles) {
        all.push(Binding::read(fact, declared, of_type(events, declared.event)?, roles, log)?);
    }
    let headers = join_headers(fact, &mut all)?;
    let lines = rank_lines(fact, &mut all)?;
    Ok(Bindings { all, headers, lines })
}

impl<'a> Binding<'a> {
    fn read(
        fact: &Fact,
        declared: &'a FactEvent,
        events: &'a Events,
        roles: &'a [Option<RoleMembers>],
        log: &EventLog,
    ) -> Result<Self> {
        let items = events.items(declared.list)?;
        let columns = declared.columns.iter().map(|field| carried(&items, *field)).collect::<Result<_>>()?;
        let header_by_item = declared.header.iter().any(|field| field.list.is_some());
        let measures = measures(fact, declared, &items, log)?;
        Ok(Self {
            declared,
            items,
            header: Vec::new(),
            names_header: Vec::new(),
            header_by_item,
            line: None,
            roles,
            measures,
            columns,
        })
    }

    /// The header's key columns, one row an event or an item.
    fn header_keys(&self) -> Result<Vec<ArrayRef>> {
        let fields = self.declared.header.iter();
        match self.header_by_item {
            true => fields.map(|&field| self.items.values(field)).collect(),
            false => fields.map(|&field| self.items.events.values(field)).collect(),
        }
    }

    /// The line that an item names.
    pub fn line_of(&self, item: usize) -> i64 {
        self.line.as_ref().map_or(NO_LINE, |line| line[item])
    }

    /// What an item states of a measure.
    pub fn stated(&self, measure: usize, item: usize) -> Option<i128> {
        self.measures[measure].as_ref().and_then(|numbers| numbers.get(item))
    }
}

fn carried(items: &Items<'_>, field: Option<FieldRef>) -> Result<Option<Carried>> {
    let Some(field) = field else { return Ok(None) };
    Ok(Some(Carried {
        values: items.events.values(field)?,
        by_event: field.list.is_none(),
        absent: items.events.absent(field)?,
    }))
}

/// What the event states; for a placing, also what is computed and what is taken by default.
fn measures(
    fact: &Fact,
    declared: &FactEvent,
    items: &Items<'_>,
    log: &EventLog,
) -> Result<Vec<Option<Numbers>>> {
    let places = matches!(declared.action, FactAction::Place { .. });
    let mut columns = StatedColumns { items, measures: vec![None; fact.measures.len()] };
    for index in evaluation_order(&fact.measures) {
        let measure = &fact.measures[index];
        let mut numbers = match &declared.measures[index] {
            Some(stated) => Some(evaluate(stated, &columns, measure)?),
            None => None,
        };
        refuse_overflow(numbers.as_ref(), measure, items, log)?;
        if places {
            if numbers.as_ref().is_none_or(|numbers| numbers.valid.is_some())
                && let Some(formula) = &measure.formula
            {
                let computed = evaluate(formula, &columns, measure)?;
                let mut filled = match numbers {
                    Some(stated) => fill(stated, |row| computed.get(row)),
                    None => computed.clone(),
                };
                // What nobody needs may overflow.
                filled.overflown = computed.overflown;
                filled.overflown.retain(|&row| filled.valid.as_ref().is_some_and(|valid| !valid[row]));
                refuse_overflow(Some(&filled), measure, items, log)?;
                numbers = Some(filled);
            }
            if let Some(default) = measure.default {
                let none = || Numbers {
                    valid: Some(vec![false; items.len()]),
                    ..Numbers::whole(vec![0; items.len()], measure.value_type.scale())
                };
                numbers = Some(fill(numbers.unwrap_or_else(none), |_| Some(default)));
            }
            if numbers.as_ref().is_none_or(|numbers| numbers.valid.iter().flatten().any(|valid| !valid)) {
                return Err(Error::bug(format!("{} of a placed line is nowhere stated", measure.name)));
            }
        }
        columns.measures[index] = numbers;
    }
    Ok(columns.measures)
}

/// Every number that there is must fit its measure.
fn refuse_overflow(
    numbers: Option<&Numbers>,
    measure: &Measure,
    items: &Items<'_>,
    log: &EventLog,
) -> Result<()> {
    let Some(numbers) = numbers else { return Ok(()) };
    let is_valid = |row: usize| numbers.valid.as_ref().is_none_or(|valid| valid[row]);
    let too_large = |(row, value): &(usize, &i128)| !measure.value_type.holds(**value) && is_valid(*row);
    let found = numbers.values.iter().enumerate().find(too_large).map(|(row, _)| row);
    let Some(row) = numbers.overflown.first().copied().or(found) else { return Ok(()) };
    let (event, position) = (items.events.name(), items.events.position[items.event_of(row)]);
    let item = match items.number(row) {
        0 => String::new(),
        number => format!(", item {number}"),
    };
    let place = log.place(event, position)?.map_or(String::new(), |place| format!(": {place}"));
    let place = format!(" in event {position}, `{event}`{item}{place}");
    Err(overflow(&measure.name, measure.value_type, &place).next(look_up(event, position)))
}

fn fill(mut numbers: Numbers, value: impl Fn(usize) -> Option<i128>) -> Numbers {
    let Some(valid) = &mut numbers.valid else { return numbers };
    for (row, valid) in valid.iter_mut().enumerate().filter(|(_, valid)| !**valid) {
        if let Some(value) = value(row) {
            numbers.values[row] = value;
            *valid = true;
        }
    }
    numbers
}

struct StatedColumns<'a> {
    items: &'a Items<'a>,
    measures: Vec<Option<Numbers>>,
}

impl Leaves for StatedColumns<'_> {
    fn field(&self, field: FieldRef) -> Result<Numbers> {
        Numbers::from_array(&self.items.values(field)?)
    }

    fn measure(&self, measure: usize) -> Result<Numbers> {
        self.measures[measure]
            .clone()
            .ok_or_else(|| Error::bug("a formula reads a measure that is not there"))
    }

    fn rows(&self) -> usize {
        self.items.len()
    }
}

/// Joins reversals, milestones and lines to the headers that placing and header events name.
fn join_headers(fact: &Fact, bindings: &mut [Binding<'_>]) -> Result<Vec<ArrayRef>> {
    let begins = |binding: &Binding<'_>| {
        matches!(binding.declared.action, FactAction::Place { .. } | FactAction::Header)
            && !binding.declared.header.is_empty()
    };
    let mut keys: Vec<Vec<ArrayRef>> = Vec::new();
    for binding in bindings.iter().filter(|binding| begins(binding)) {
        keys.push(binding.header_keys()?);
    }
    let mut headers = Vec::new();
    // Each event of the only binding that begins headers begins one of its own.
    let mut is_sole = false;
    if !keys.is_empty() {
        for column in 0..fact.header.len() {
            let parts: Vec<&dyn Array> = keys.iter().map(|part| part[column].as_ref()).collect();
            headers.push(concat(&parts)?);
        }
        let rows = UInt32Array::from(distinct(&headers)?);
        is_sole = keys.len() == 1 && rows.len() == headers.first().map_or(0, |key| key.len());
        headers = headers.iter().map(|key| take(key, &rows, None)).collect::<Result<_, _>>()?;
    }
    bindings.par_iter_mut().try_for_each(|binding| {
        let rows = if binding.header_by_item { binding.items.len() } else { binding.items.events.len() };
        if binding.declared.header.is_empty() {
            binding.header = vec![NONE; rows];
            binding.names_header = vec![false; rows];
            return Ok(());
        }
        if is_sole && begins(binding) {
            binding.header = (0..rows as u32).collect();
            binding.names_header = vec![true; rows];
            return Ok(());
        }
        let keys = binding.header_keys()?;
        binding.names_header = (0..rows).map(|row| keys.iter().all(|key| key.is_valid(row))).collect();
        binding.header = if headers.is_empty() { vec![NONE; rows] } else { lookup(&keys, &headers)? };
        Ok::<(), Error>(())
    })?;
    Ok(headers)
}

/// Gives every line key its rank, so that lines compare as integers.
fn rank_lines(fact: &Fact, bindings: &mut [Binding<'_>]) -> Result<Option<ArrayRef>> {
    let Some(column) = &fact.line else { return Ok(None) };
    let mut named: HashMap<usize, ArrayRef> = HashMap::new();
    for (index, binding) in bindings.iter().enumerate() {
        if let Some(field) = binding.declared.line {
            named.insert(index, binding.items.values(field)?);
        }
    }
    if column.value_type == crate::model::ValueType::Integer {
        for (index, values) in named {
            let numbers = Numbers::from_array(&values)?;
            let line = |row| numbers.get(row).map_or(NO_LINE, |line| line as i64);
            bindings[index].line = Some((0..values.len()).map(line).collect());
        }
        return Ok(None);
    }
    let parts: Vec<&dyn Array> =
        bindings.iter().enumerate().filter_map(|(i, _)| named.get(&i)).map(|v| v as _).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let all = concat(&parts)?;
    let rows = UInt32Array::from(distinct(std::slice::from_ref(&all))?);
    let values = take(&all, &rows, None)?;
    let sorted = take(&values, &sort_to_indices(&values, None, None)?, None)?;
    for (index, values) in named {
        let ranks = lookup(&[values], std::slice::from_ref(&sorted))?;
        let line = ranks.into_iter().map(|rank| if rank == NONE { NO_LINE } else { rank.into() });
        bindings[index].line = Some(line.collect());
    }
    Ok(Some(sorted))
}
