//! Kept rejects → events at new positions, where today's pipeline takes them (DESIGN 8).
//!
//! The bytes come from the store: the source file may be gone. An event that comes in so names the file and line that
//! it was read from, stands behind all others in the log, and its reject says at which position. What is refused again
//! stays a reject, with the reason of today. All of it counts at once, with the log's head; whatever was put back is
//! never looked at again.

use super::commit::{Committer, Outcome};
use super::decode::{Decoded, Plan, decode_each};
use super::format::{Format, of_record};
use super::head::{Head, Segment, sweep};
use super::ids::{self, Ids};
use super::lift::next_name;
use super::position::Position;
use super::reject::Code;
use super::rejects::{self, Reject, RejectFile};
use super::store::{Rewriting, SegmentFile, SegmentWriter, must_be_whole, schema};
use crate::disk::Disk;
use crate::error::{Error, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What a requeue works with.
pub struct Requeue<'a> {
    pub disk: &'a Disk,
    /// The log's folder.
    pub folder: &'a Path,
    pub plan: &'a Plan,
    pub head: &'a Head,
    /// Every file of the store that holds events.
    pub events: Vec<SegmentFile>,
    /// Only rejects with these codes; none: all.
    pub codes: &'a [String],
}

/// What became of rejects that were looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequeueReport {
    /// Rejects that were looked at: the sum of the next four.
    pub tried: u64,
    /// Events now.
    pub accepted: u64,
    /// An event with this id and content had come since.
    pub duplicate: u64,
    /// Events of types that the pipeline now ignores by name.
    pub ignored: u64,
    /// Refused again, by the code of today.
    pub rejected: BTreeMap<String, u64>,
    /// Rejects of which no whole line was kept, by code: they cannot be looked at.
    pub broken: BTreeMap<String, u64>,
    /// The position of the first and the last event that came in.
    pub positions: Option<(Position, Position)>,
}

/// What is now to be said of a reject.
enum Fate {
    PutBack { how: &'static str, position: Option<Position> },
    Refused { code: &'static str, message: String, event: Option<String> },
}

/// By row of a file of rejects; a row that is as it was is not in it.
type Fates = BTreeMap<usize, Fate>;

/// Lines at once, in bytes.
const BLOCK_BYTES: usize = 2 << 20;

impl Requeue<'_> {
    /// Looks at all rejects that wait, and returns the log's new head.
    pub fn run(self) -> Result<(Head, RequeueReport)> {
        sweep(self.disk, self.folder, self.head)?;
        let ids_folder = ids::folder(self.folder);
        ids::sweep(self.disk, &ids_folder, self.head.ids.as_deref().unwrap_or_default())?;
        let number = self.head.next_segment();
        let mut ids = Ids::new(self.disk, ids_folder, number);
        if self.plan.has_ids() {
            ids.recall(self.head.ids.as_ref(), &self.events)?;
        }
        let folder = Segment::folder(self.folder, number);
        let writer = SegmentWriter::new(self.disk, &folder, self.plan);
        let mut committer = Committer::new(self.plan, ids, self.head, writer);
        let mut report = RequeueReport::default();
        let mut head = self.head.clone();
        for file in rejects::of_head(self.folder, self.head).iter().filter(|file| file.waiting() > 0) {
            let fates = self.judge(file, &mut committer, &mut report)?;
            if !fates.is_empty() {
                self.rewrite(file, &fates, &mut head)?;
            }
        }
        let refused: u64 = report.rejected.values().sum();
        if report.tried != report.accepted + report.duplicate + report.ignored + refused {
            return Err(Error::bug(format!("the account of a requeue does not balance: {report:?}")));
        }
        if report.accepted > 0 {
            report.positions = Some((self.head.position.next(), committer.position));
        }
        for job in committer.writer.rest()? {
            committer.writer.encoded(job.run()?)?;
        }
        let written = committer.writer.finish()?;
        head.ends_at(committer.position, committer.print);
        if !written.is_empty() {
            head.segments.push(Segment { number, files: written });
            let above = self.folder.join("segments");
            self.disk.sync_dir(&above).map_err(|error| Error::io("sync", &above, error))?;
        }
        if self.plan.has_ids() && report.accepted > 0 {
            head.ids = Some(committer.ids.finish()?);
        }
        if head != *self.head {
            head.save(self.disk, self.folder)?;
        }
        Ok((head, report))
    }

    /// Judges what waits in a file, block by block: neighbours of one source and format.
    fn judge(
        &self,
        file: &RejectFile,
        committer: &mut Committer<'_>,
        report: &mut RequeueReport,
    ) -> Result<Fates> {
        let own = Format::Lines.to_json();
        let mut fates = Fates::new();
        let mut block: Vec<Reject> = Vec::new();
        let mut bytes = 0;
        must_be_whole(&file.path, file.blake3.as_deref())?;
        for reject in file.read()? {
            let mut reject = reject?;
            let is_wanted = self.codes.is_empty() || self.codes.contains(&reject.code);
            if reject.requeued.is_some() || !is_wanted {
                continue;
            }
            if !is_whole(&reject) {
                *report.broken.entry(reject.code).or_default() += 1;
                continue;
            }
            if reject.format.as_ref().is_none_or(|format| *format == own) {
                // Perhaps the pipeline declares today what it is a record of.
                let told = of_record(self.plan, &reject.raw);
                reject.format = told.as_ref().map(Format::to_json).or(reject.format);
            }
            let is_other = block
                .first()
                .is_some_and(|first| (&first.file, &first.format) != (&reject.file, &reject.format));
            if is_other || bytes + reject.raw.len() > BLOCK_BYTES {
                self.judge_block(&block, file.first, committer, report, &mut fates)?;
                block.clear();
                bytes = 0;
            }
            bytes += reject.raw.len();
            block.push(reject);
        }
        self.judge_block(&block, file.first, committer, report, &mut fates)?;
        Ok(fates)
    }

    fn judge_block(
        &self,
        rejects: &[Reject],
        first_number: u64,
        committer: &mut Committer<'_>,
        report: &mut RequeueReport,
        fates: &mut Fates,
    ) -> Result<()> {
        self.disk.go_on()?;
        let Some(first) = rejects.first() else { return Ok(()) };
        let row = |reject: &Reject| usize::try_from(reject.number - first_number).unwrap_or(usize::MAX);
        let decoded = self.decode(rejects)?;
        // A line without an entry is one that the pipeline ignores.
        let mut is_ignored = vec![true; rejects.len()];
        report.tried += rejects.len() as u64;
        let positions = committer.judge(&decoded.entries, |committer, entry, outcome| {
            let at = usize::try_from(entry.line).unwrap_or(usize::MAX);
            let (Some(reject), Some(is_ignored)) = (rejects.get(at), is_ignored.get_mut(at)) else { return };
            *is_ignored = false;
            let fate = match outcome {
                Outcome::Accepted(position) => {
                    report.accepted += 1;
                    Fate::PutBack { how: "accepted", position: Some(position) }
                }
                Outcome::Duplicate => {
                    report.duplicate += 1;
                    Fate::PutBack { how: "duplicate", position: None }
                }
                Outcome::Rejected(flaw) => {
                    let code = flaw.code.as_str();
                    *report.rejected.entry(code.to_owned()).or_default() += 1;
                    if code == reject.code && flaw.message == reject.message {
                        return;
                    }
                    let event = committer.event_of(entry).map(str::to_owned);
                    Fate::Refused { code, message: flaw.message.into_owned(), event }
                }
            };
            fates.insert(row(reject), fate);
        })?;
        for reject in rejects.iter().zip(is_ignored).filter(|(_, is_ignored)| *is_ignored).map(|pair| pair.0)
        {
            report.ignored += 1;
            fates.insert(row(reject), Fate::PutBack { how: "ignored", position: None });
        }
        let place = |reject: &Reject| (reject.line.cast_signed(), reject.offset.cast_signed());
        let places: Vec<(i64, i64)> = rejects.iter().map(place).collect();
        let rows = decoded.rows.into_iter().map(|rows| rows.placed(&places)).collect();
        for job in committer.add_rows(rows, &positions, &first.file, 0)? {
            committer.writer.encoded(job.run()?)?;
        }
        Ok(())
    }

    /// The records of these rejects, as if they were read today.
    fn decode(&self, rejects: &[Reject]) -> Result<Decoded> {
        let records: Vec<&[u8]> = rejects.iter().map(|reject| reject.raw.as_slice()).collect();
        let format = rejects.first().and_then(|reject| reject.format.as_deref());
        decode_each(self.plan, &records, format.and_then(|format| serde_json::from_str(format).ok()))
    }

    /// Writes a file of rejects anew, beside the one that older releases name.
    fn rewrite(&self, file: &RejectFile, fates: &Fates, head: &mut Head) -> Result<()> {
        let Some((dir, old)) = file.path.parent().zip(file.path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(Error::bug("a file of rejects has no name"));
        };
        let (name, from, wanted) = (next_name(old), std::slice::from_ref(&file.path), schema::rejects());
        let rewriting = Rewriting { disk: self.disk, from, to: &dir.join(&name), schema: &wanted };
        let mut first = 0;
        let finished = rewriting.run(|batch| {
            let rows = first..first + batch.num_rows();
            first = rows.end;
            told(batch, &fates.range(rows.clone()).map(|(row, fate)| (row - rows.start, fate)).collect())
        })?;
        self.disk.sync_dir(dir).map_err(|error| Error::io("sync", dir, error))?;
        let put_back = fates.values().filter(|fate| matches!(fate, Fate::PutBack { .. })).count() as u64;
        let segments = head.segments.iter_mut().filter(|it| Segment::folder(self.folder, it.number) == dir);
        for table in segments.flat_map(|segment| &mut segment.files).filter(|table| table.file == old) {
            (table.bytes, table.blake3) = (finished.bytes, Some(finished.blake3.clone()));
            table.file.clone_from(&name);
            table.requeued += put_back;
        }
        Ok(())
    }
}

/// Whether the line that was read is all there: of some, only the beginning is, or nothing.
fn is_whole(reject: &Reject) -> bool {
    !reject.raw.is_empty()
        && ![Code::LineTooLong, Code::TornTail, Code::NulBlock]
            .iter()
            .any(|code| code.as_str() == reject.code)
}

/// The rows of a batch of rejects, with what is now to be said of some of them.
fn told(batch: &RecordBatch, fates: &BTreeMap<usize, &Fate>) -> Result<RecordBatch> {
    let wanted = schema::rejects();
    let lacks = || Error::bug("a reject lacks a column");
    let rows = RejectFile::rows_of(batch)?;
    let texts = |said: &dyn Fn(usize, &Reject) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().enumerate().map(|(row, reject)| said(row, reject)).collect::<StringArray>())
    };
    let refused = |row: usize| match fates.get(&row) {
        Some(Fate::Refused { code, message, event }) => Some((*code, message, event)),
        _ => None,
    };
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in wanted.fields() {
        columns.push(match field.name().as_str() {
            "code" => texts(&|row, reject| {
                Some(refused(row).map_or_else(|| reject.code.clone(), |(code, ..)| code.to_owned()))
            }),
            "message" => texts(&|row, reject| {
                Some(refused(row).map_or_else(|| reject.message.clone(), |(_, message, _)| message.clone()))
            }),
            "event" => texts(&|row, reject| {
                refused(row).map_or_else(|| reject.event.clone(), |(_, _, event)| event.clone())
            }),
            "format" => texts(&|_, reject| reject.format.clone()),
            "requeued" => texts(&|row, reject| match fates.get(&row) {
                Some(Fate::PutBack { how, .. }) => Some((*how).to_owned()),
                _ => reject.requeued.clone(),
            }),
            "position" => {
                let position = |(row, reject): (usize, &Reject)| match fates.get(&row) {
                    Some(Fate::PutBack { position, .. }) => position.map(Position::as_i64),
                    _ => reject.position.map(u64::cast_signed),
                };
                Arc::new(rows.iter().enumerate().map(position).collect::<Int64Array>())
            }
            name => Arc::clone(batch.column_by_name(name).ok_or_else(lacks)?),
        });
    }
    Ok(RecordBatch::try_new(wanted, columns)?)
}
