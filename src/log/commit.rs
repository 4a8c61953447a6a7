//! Decoded blocks in the order of the log → positions, batches, rejects and accounts.
//!
//! Everything that depends on what came before happens here, on one thread, in one order.

use super::account::Account;
use super::content;
use super::decode::{Decoded, Entry, Finished, Plan, Verdict};
use super::format::Format;
use super::head::Head;
use super::ids::{Ids, Standing};
use super::position::Position;
use super::reject::{Code, Flaw};
use super::store::{Job, SegmentWriter, schema};
use crate::error::{Error, Result};
use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Int64Array, Int64Builder, RecordBatch, StringArray, StringBuilder,
    new_null_array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of an ingest in the order of the log.
pub struct Committer<'p> {
    plan: &'p Plan,
    pub ids: Ids,
    /// Of the last event.
    pub position: Position,
    /// A hash over the contents of all events, as far as it is known of those before.
    pub print: Option<u64>,
    pub writer: SegmentWriter,
    pub rejects: BTreeMap<&'static str, u64>,
    pub unknown_fields: BTreeMap<String, u64>,
    pub leap_seconds: u64,
}

/// What became of an event or a reject, knowing all that came before it.
pub enum Outcome {
    Accepted(Position),
    Duplicate,
    Rejected(Flaw),
}

/// For each event type: the position of each row, or none for one that is not taken.
pub type Positions = Vec<Vec<Option<i64>>>;

/// The rejects of one block.
#[derive(Default)]
struct Rejects {
    code: StringBuilder,
    event: StringBuilder,
    message: StringBuilder,
    line: Int64Builder,
    offset: Int64Builder,
    position_before: Int64Builder,
    raw: BinaryBuilder,
    count: usize,
    positions: Option<(Position, Position)>,
}

impl<'p> Committer<'p> {
    pub fn new(plan: &'p Plan, ids: Ids, head: &Head, writer: SegmentWriter) -> Self {
        Self {
            plan,
            ids,
            position: head.position,
            print: head.print_at(head.position),
            writer,
            rejects: BTreeMap::new(),
            unknown_fields: BTreeMap::new(),
            leap_seconds: 0,
        }
    }

    /// Takes the next block of a file, whose first line has this number.
    pub fn take(&mut self, decoded: Decoded, file: &str, first_line: u64) -> Result<(Account, Vec<Job>)> {
        let mut account = Account {
            read: decoded.read,
            blank: decoded.blank,
            ignored: decoded.ignored,
            ..Account::default()
        };
        let mut rejects = Rejects::default();
        let block = &decoded.block;
        let positions = self.judge(&decoded.entries, |committer, entry, outcome| match outcome {
            Outcome::Accepted(_) => account.accepted += 1,
            Outcome::Duplicate => account.duplicate += 1,
            Outcome::Rejected(flaw) => {
                account.rejected += 1;
                *committer.rejects.entry(flaw.code.as_str()).or_default() += 1;
                let raw = block.bytes.get(entry.start..entry.end).unwrap_or_default();
                let cleaned = committer.plan.pii.as_ref().map(|pii| pii.kept(raw));
                let raw = cleaned.as_deref().unwrap_or(raw);
                let offset = block.offset_bytes + entry.start as u64;
                let event = committer.event_of(entry);
                rejects.add(&flaw, event, first_line + entry.line, offset, committer.position, raw);
            }
        })?;
        self.leap_seconds += decoded.leap_seconds;
        for ((event, path), count) in decoded.unknown_fields {
            let event = self.plan.events.get(event).map_or("", |event| event.name.as_str());
            *self.unknown_fields.entry(format!("{event}.{path}")).or_default() += count;
        }
        let mut jobs = self.add_rows(decoded.rows, &positions, file, first_line)?;
        if let Some((batch, positions)) = rejects.finish(file, decoded.block.format.as_ref())? {
            let table = self.writer.rejects();
            jobs.extend(self.writer.add(table, batch, positions)?);
        }
        Ok((account, jobs))
    }

    /// Gives each event its position, or tells why it has none.
    pub fn judge(
        &mut self,
        entries: &[Entry],
        mut tell: impl FnMut(&mut Self, &Entry, Outcome),
    ) -> Result<Positions> {
        let mut positions: Positions = self.plan.events.iter().map(|_| Vec::new()).collect();
        for entry in entries {
            let outcome = match &entry.verdict {
                Verdict::Reject { flaw, .. } => Outcome::Rejected(flaw.clone()),
                Verdict::Event { event, id, content } => {
                    let standing =
                        if self.plan.has_ids() { self.ids.judge(*id, *content)? } else { Standing::New };
                    let rows = positions.get_mut(*event).ok_or_else(|| Error::bug("an event of no type"))?;
                    match standing {
                        Standing::New => {
                            self.position = self.position.next();
                            self.print = self.print.map(|print| content::mix(print, *content));
                            rows.push(Some(self.position.as_i64()));
                            Outcome::Accepted(self.position)
                        }
                        Standing::Duplicate => {
                            rows.push(None);
                            Outcome::Duplicate
                        }
                        Standing::Conflict => {
                            rows.push(None);
                            Outcome::Rejected(Flaw::new(
                                Code::IdConflict,
                                "an earlier event has this id and says something else, or has it as a value of another type",
                            ))
                        }
                    }
                }
            };
            tell(self, entry, outcome);
        }
        Ok(positions)
    }

    /// The declared type that a line names.
    pub fn event_of(&self, entry: &Entry) -> Option<&'p str> {
        let (Verdict::Reject { event: Some(event), .. } | Verdict::Event { event, .. }) = &entry.verdict
        else {
            return None;
        };
        self.plan.events.get(*event).map(|event| event.name.as_str())
    }

    /// Adds the rows that have a position.
    pub fn add_rows(
        &mut self,
        rows: Vec<Finished>,
        positions: &Positions,
        file: &str,
        first_line: u64,
    ) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for rows in rows {
            let event = rows.event;
            let positions = positions.get(event).map(Vec::as_slice).unwrap_or_default();
            let taken = positions.iter().flatten();
            let (Some(&first), Some(&last)) = (taken.clone().next(), taken.clone().next_back()) else {
                continue;
            };
            let batch = self.batch(rows, positions, file, first_line)?;
            jobs.extend(self.writer.add(event, batch, (position(first), position(last)))?);
        }
        Ok(jobs)
    }

    /// The rows of one event type, with their positions, without those that are not taken.
    fn batch(
        &self,
        rows: Finished,
        positions: &[Option<i64>],
        file: &str,
        first_line: u64,
    ) -> Result<RecordBatch> {
        let schema = self.writer.schema(rows.event)?;
        let lines = rows.line_numbers(first_line.cast_signed());
        let all_taken = positions.iter().all(Option::is_some);
        let numbers: Int64Array =
            positions.iter().map(|position| position.unwrap_or_default()).collect::<Vec<_>>().into();
        let files = StringArray::new_repeated(file, positions.len());
        let columns = std::iter::once(Arc::new(numbers) as ArrayRef)
            .chain(rows.before)
            .chain([Arc::new(files) as ArrayRef, Arc::new(lines) as ArrayRef])
            .chain(rows.behind);
        let batch = RecordBatch::try_new(schema, columns.collect())?;
        if all_taken {
            return Ok(batch);
        }
        let taken: BooleanArray = positions.iter().map(|position| Some(position.is_some())).collect();
        Ok(filter_record_batch(&batch, &taken)?)
    }
}

impl Rejects {
    fn add(
        &mut self,
        flaw: &Flaw,
        event: Option<&str>,
        line: u64,
        offset_bytes: u64,
        before: Position,
        raw: &[u8],
    ) {
        self.code.append_value(flaw.code.as_str());
        self.event.append_option(event);
        self.message.append_value(&flaw.message);
        self.line.append_value(line.cast_signed());
        self.offset.append_value(offset_bytes.cast_signed());
        self.position_before.append_value(before.as_i64());
        self.raw.append_value(raw);
        self.count += 1;
        self.positions = Some((self.positions.map_or(before, |seen| seen.0), before));
    }

    fn finish(
        mut self,
        file: &str,
        format: Option<&Format>,
    ) -> Result<Option<(RecordBatch, (Position, Position))>> {
        let Some(positions) = self.positions else { return Ok(None) };
        let format: ArrayRef = match format {
            Some(format) => Arc::new(StringArray::new_repeated(format.to_json(), self.count)),
            None => new_null_array(&DataType::Utf8, self.count),
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.code.finish()),
            Arc::new(self.event.finish()),
            Arc::new(self.message.finish()),
            Arc::new(StringArray::new_repeated(file, self.count)),
            Arc::new(self.line.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.position_before.finish()),
            Arc::new(self.raw.finish()),
            format,
            new_null_array(&DataType::Utf8, self.count),
            new_null_array(&DataType::Int64, self.count),
        ];
        Ok(Some((RecordBatch::try_new(schema::rejects(), columns)?, positions)))
    }
}

fn position(value: i64) -> Position {
    Position(value.cast_unsigned())
}
