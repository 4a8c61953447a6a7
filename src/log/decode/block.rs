//! A block → its rows by event type, and one entry for each line, in order.

use super::event::{self, Line};
use super::fields::{Notes, UnknownFields};
use super::plan::{Kind, Plan};
use super::rows::{EventRows, Finished};
use crate::error::Result;
use crate::log::format::{CsvFile, CsvRows, Debezium, Format, Said, read_object, record_length};
use crate::log::json;
use crate::log::reject::{Code, Flaw};
use crate::log::source::{Block, KEPT_BYTES, Shape};
use std::sync::Arc;

/// A decoded block. Duplicates are still in it: they depend on what came before.
#[derive(Debug)]
pub struct Decoded {
    pub block: Block,
    /// Every event and every reject, in the order of lines.
    pub entries: Vec<Entry>,
    /// By event type, in the order of the plan.
    pub rows: Vec<Finished>,
    /// Line ends passed: what the next block's line numbers start after.
    pub lines: u64,
    /// Lines judged, whatever the judgement: counted apart, so that the sum of judgements can be checked.
    pub read: u64,
    pub blank: u64,
    pub ignored: u64,
    pub leap_seconds: u64,
    pub unknown_fields: UnknownFields,
}

/// A line that counts.
#[derive(Debug)]
pub struct Entry {
    /// Counted from 0 in the block.
    pub line: u64,
    /// In the block.
    pub start: usize,
    pub end: usize,
    pub verdict: Verdict,
}

/// What became of a line.
#[derive(Debug)]
pub enum Verdict {
    /// The next row of its event type, unless it is a duplicate.
    Event { event: usize, id: u128, content: u64 },
    Reject {
        /// Its type, where the line names one that is declared.
        event: Option<usize>,
        flaw: Flaw,
    },
}

struct Decoder<'p> {
    plan: &'p Plan,
    rows: Vec<Option<EventRows>>,
    notes: Notes,
    /// The type of the line at hand, as far as it is known.
    event: Option<usize>,
    /// `None`: the lines are the log's own.
    adapter: Option<Box<Adapter<'p>>>,
    decoded: Decoded,
}

/// Brings records of another format into the log's own form.
struct Adapter<'p> {
    foreign: Foreign<'p>,
    /// The record at hand, in that form.
    event: Vec<u8>,
}

/// A format that is not the log's own.
enum Foreign<'p> {
    Debezium(Debezium),
    Objects,
    Csv(CsvRows<'p>),
}

/// What a line is, unless it is flawed.
enum Judged {
    Event(event::Event),
    Ignored,
    Blank,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes a block.
pub fn decode(plan: &Plan, block: Block) -> Result<Decoded> {
    let bytes = Arc::clone(&block.bytes);
    let (shape, format) = (block.shape, block.format.clone());
    let mut decoder = Decoder::new(plan, block)?;
    match shape {
        Shape::Lines => match &format {
            Some(Format::Csv(file)) => decoder.records(&bytes, file),
            _ => decoder.lines(&bytes),
        },
        Shape::TooLong { length_bytes } => decoder.too_long(&bytes, length_bytes),
        Shape::TornTail => {
            decoder.decoded.read = 1;
            decoder.decoded.lines = 1;
            let flaw = Flaw::new(Code::TornTail, "the file ends inside this line");
            decoder.entry(0, 0, bytes.len(), decoder.reject(flaw));
        }
    }
    decoder.finish()
}

/// Decodes records that were cut out of files of one format, each as if it were one line.
pub fn decode_each(plan: &Plan, records: &[&[u8]], format: Option<Format>) -> Result<Decoded> {
    let bytes = Arc::new(records.join(&b'\n'));
    let block = Block { bytes: Arc::clone(&bytes), offset_bytes: 0, shape: Shape::Lines, format };
    let mut decoder = Decoder::new(plan, block)?;
    let is_utf8 = std::str::from_utf8(&bytes).is_ok();
    let mut start = 0;
    for record in records {
        decoder.physical_line(record, start, is_utf8);
        decoder.decoded.lines += 1;
        start += record.len() + 1;
    }
    decoder.finish()
}

impl<'p> Adapter<'p> {
    /// `None`: the lines are the log's own.
    fn of(plan: &'p Plan, format: Option<&Format>) -> Result<Option<Box<Self>>> {
        let foreign = match format {
            None | Some(Format::Lines) => return Ok(None),
            Some(Format::Debezium) => Foreign::Debezium(Debezium::default()),
            Some(Format::Objects) => Foreign::Objects,
            Some(Format::Csv(file)) => Foreign::Csv(CsvRows::of(plan, file)?),
        };
        Ok(Some(Box::new(Self { foreign, event: Vec::new() })))
    }

    /// Writes the event that a record is.
    fn read(&mut self, plan: &Plan, record: &[u8]) -> Result<Said, Flaw> {
        match &mut self.foreign {
            Foreign::Debezium(debezium) => debezium.read(plan, record, &mut self.event),
            Foreign::Objects => read_object(plan, record, &mut self.event),
            Foreign::Csv(rows) => rows.read(plan, record, &mut self.event),
        }
    }
}

impl<'p> Decoder<'p> {
    fn new(plan: &'p Plan, block: Block) -> Result<Self> {
        Ok(Self {
            plan,
            rows: plan.events.iter().map(|_| None).collect(),
            notes: Notes::default(),
            event: None,
            adapter: Adapter::of(plan, block.format.as_ref())?,
            decoded: Decoded {
                block,
                entries: Vec::new(),
                rows: Vec::new(),
                lines: 0,
                read: 0,
                blank: 0,
                ignored: 0,
                leap_seconds: 0,
                unknown_fields: UnknownFields::new(),
            },
        })
    }

    fn finish(self) -> Result<Decoded> {
        let Self { plan, rows, mut decoded, .. } = self;
        for (event, (rows, contract)) in rows.into_iter().zip(&plan.events).enumerate() {
            if let Some(rows) = rows {
                decoded.rows.push(rows.finish(event, contract)?);
            }
        }
        Ok(decoded)
    }

    /// Records whose line ends may stand inside quotes.
    fn records(&mut self, bytes: &[u8], file: &CsvFile) {
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let length = record_length(rest, file.delimiter).unwrap_or(rest.len());
            let (whole, _) = rest.split_at(length);
            let lines = memchr::memchr_iter(b'\n', whole).count().max(1) as u64;
            let record = whole.strip_suffix(b"\n").unwrap_or(whole);
            if self.decoded.block.offset_bytes + (start as u64) < file.rows_from_bytes {
                // The header, which is no row.
                (self.decoded.read, self.decoded.blank) = (self.decoded.read + 1, self.decoded.blank + 1);
            } else {
                self.physical_line(record, start, is_utf8);
            }
            self.decoded.lines += lines;
            start += length;
        }
    }

    fn lines(&mut self, bytes: &[u8]) {
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        let mut start = 0;
        while start < bytes.len() {
            let rest = bytes.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..length).unwrap_or_default();
            self.physical_line(line, start, is_utf8);
            self.decoded.lines += 1;
            start += length + 1;
        }
    }

    /// A line between two line ends; zeros that a crash left in front of it are one reject of their own.
    fn physical_line(&mut self, line: &[u8], start: usize, is_utf8: bool) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let zeros = line.iter().position(|&byte| byte != 0).unwrap_or(line.len());
        if zeros > 0 {
            self.decoded.read += 1;
            let flaw = Flaw::new(Code::NulBlock, format!("{zeros} zero bytes, as a crash leaves them"));
            self.event = None;
            self.entry(self.decoded.lines, start, start + zeros, self.reject(flaw));
            if zeros == line.len() {
                return;
            }
        }
        let (line, start) = (line.get(zeros..).unwrap_or_default(), start + zeros);
        self.decoded.read += 1;
        // Where tabs part cells, a row of empty ones is a row.
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r') && Some(*byte) != self.delimiter();
        if line.iter().all(is_space) {
            self.decoded.blank += 1;
            return;
        }
        if line.len() > self.plan.limits.line_bytes {
            self.event = None;
            let flaw = too_long(line.len() as u64);
            let end = start + line.len().min(KEPT_BYTES);
            return self.entry(self.decoded.lines, start, end, self.reject(flaw));
        }
        let lines = self.delimiter().map_or(1, |_| memchr::memchr_iter(b'\n', line).count() + 1);
        if lines > self.plan.limits.record_lines {
            self.event = None;
            let flaw =
                Flaw::new(Code::CsvQuote, format!("a record of {lines} lines: a quote may lack its end"));
            return self.entry(self.decoded.lines, start, start + line.len(), self.reject(flaw));
        }
        let verdict = match self.judge(line, start, is_utf8) {
            Ok(Judged::Event(event)) => {
                Verdict::Event { event: event.event, id: event.id, content: event.content }
            }
            Ok(Judged::Ignored) => {
                self.decoded.ignored += 1;
                return;
            }
            Ok(Judged::Blank) => {
                self.decoded.blank += 1;
                return;
            }
            Err(flaw) if flaw.code == Code::JsonSyntax => {
                self.reject(json::looks_pretty_printed(line).unwrap_or(flaw))
            }
            Err(flaw) if flaw.code == Code::CsvQuote && lines > 1 => {
                self.reject(Flaw::new(flaw.code, format!("{} (a record of {lines} lines)", flaw.message)))
            }
            Err(flaw) => self.reject(flaw),
        };
        self.entry(self.decoded.lines, start, start + line.len(), verdict);
    }

    fn delimiter(&self) -> Option<u8> {
        match &self.decoded.block.format {
            Some(Format::Csv(file)) => Some(file.delimiter),
            _ => None,
        }
    }

    fn judge(&mut self, line: &[u8], start: usize, is_utf8: bool) -> Result<Judged, Flaw> {
        self.event = None;
        if line.starts_with(BOM) {
            return Err(Flaw::new(Code::Bom, "a byte order mark inside the file"));
        }
        if !is_utf8 && std::str::from_utf8(line).is_err() {
            return Err(Flaw::new(Code::Utf8, "the line is not UTF-8"));
        }
        let cleaned = self.plan.pii.as_ref().map(|pii| pii.clean(line)).transpose()?;
        let line = cleaned.as_deref().unwrap_or(line);
        match self.adapter.take() {
            None => self.event(line, start),
            Some(mut adapter) => {
                let judged = match adapter.read(self.plan, line) {
                    Ok(Said::Event) => self.event(&adapter.event, start),
                    Ok(Said::Ignored) => Ok(Judged::Ignored),
                    Ok(Said::Nothing) => Ok(Judged::Blank),
                    Err(flaw) => Err(flaw),
                };
                self.adapter = Some(adapter);
                judged
            }
        }
    }

    /// A line of the log's own form, which stands here in its file.
    fn event(&mut self, line: &[u8], start: usize) -> Result<Judged, Flaw> {
        let event = match event::kind(self.plan, line, &mut self.notes)? {
            Kind::Event(event) => event,
            Kind::Ignored => {
                return event::validate(self.plan, line, &mut self.notes).map(|()| Judged::Ignored);
            }
        };
        self.event = Some(event);
        let (Some(contract), Some(rows)) = (self.plan.events.get(event), self.rows.get_mut(event)) else {
            return Ok(Judged::Ignored);
        };
        let rows = rows.get_or_insert_with(|| EventRows::new(contract));
        let line = Line {
            bytes: line,
            number: self.decoded.lines.cast_signed(),
            offset_bytes: (self.decoded.block.offset_bytes + start as u64).cast_signed(),
            old: None,
        };
        let read = event::read(self.plan, event, contract, rows, &mut self.notes, line)?;
        self.decoded.leap_seconds += self.notes.leaps;
        for path in self.notes.unknown_paths.drain(..) {
            *self.decoded.unknown_fields.entry((event, path)).or_default() += 1;
        }
        Ok(Judged::Event(read))
    }

    /// Only the beginning of the line is here.
    fn too_long(&mut self, prefix: &[u8], length_bytes: u64) {
        self.decoded.read = 1;
        self.decoded.lines = 1;
        let flaw = if prefix.iter().all(|&byte| byte == 0) {
            Flaw::new(
                Code::NulBlock,
                format!("{length_bytes} bytes that begin with zeros; only these are kept"),
            )
        } else {
            too_long(length_bytes)
        };
        self.entry(0, 0, prefix.len(), self.reject(flaw));
    }

    fn reject(&self, flaw: Flaw) -> Verdict {
        Verdict::Reject { event: self.event, flaw }
    }

    fn entry(&mut self, line: u64, start: usize, end: usize, verdict: Verdict) {
        self.decoded.entries.push(Entry { line, start, end, verdict });
    }
}

fn too_long(length_bytes: u64) -> Flaw {
    Flaw::new(Code::LineTooLong, format!("a line of {length_bytes} bytes; only its beginning is kept"))
}
