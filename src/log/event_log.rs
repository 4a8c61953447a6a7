//! The log of a warehouse: opened, added to, read.

use super::account::{Account, IngestReport};
use super::decode::Plan;
use super::head::{EnvelopeRecord, Head, Segment};
use super::ingest::Ingest;
use super::lift::lift;
use super::pii::Cleaner;
use super::position::Position;
use super::progress::Progress;
use super::rejects::{self, RejectFile};
use super::requeue::{Requeue, RequeueReport};
use super::source::{Named, Source};
use super::store::{Piece, Scan, SegmentFile, TableFile, pieces, read_piece, read_rows, rows_until, schema};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::model::{EventType, Limits, Model};
use crate::stop::Stop;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The event store of a warehouse, as one head has it: what a later ingest adds is seen by the next open.
pub struct EventLog {
    disk: Disk,
    folder: PathBuf,
    base: PathBuf,
    plan: Plan,
    contracts: Vec<EventType>,
    head: Head,
    is_cut: bool,
}

impl EventLog {
    /// Opens the log in this folder, or an empty one if none has begun there. Changes nothing on disk.
    ///
    /// # Errors
    /// The author's if the log began with another envelope; the operator's if it cannot be read.
    pub fn open(disk: &Disk, folder: &Path, model: &Model) -> Result<Self> {
        let envelope = EnvelopeRecord::from(&model.log.envelope);
        let head = match Head::load(folder)? {
            Some(mut head) => {
                // No event of an empty log has been read by its envelope.
                if head.position > Position(0) {
                    head.envelope.must_be(&envelope)?;
                }
                head.envelope = envelope;
                head
            }
            None => Head::new(envelope),
        };
        Ok(Self {
            disk: disk.clone(),
            folder: folder.to_owned(),
            base: model.log.base.clone(),
            plan: Plan::new(model),
            contracts: model.events.clone(),
            head,
            is_cut: false,
        })
    }

    /// The log as it was when this was the position of its last event: no later event is seen, whatever files
    /// they came in. Sources and accounts stay those of the whole log. It can be read only.
    ///
    /// # Errors
    /// The operator's, if a segment cannot be read.
    pub fn until(mut self, position: Position) -> Result<Self> {
        self.is_cut = true;
        if position >= self.head.position {
            return Ok(self);
        }
        self.head.position = position;
        for segment in &mut self.head.segments {
            let folder = Segment::folder(&self.folder, segment.number);
            segment.files.retain(|file| file.positions.0 <= position);
            for file in segment.files.iter_mut().filter(|file| file.positions.1 > position) {
                file.positions.1 = position;
                // Rejects stand between events; who reads them knows where.
                if file.event.is_some() {
                    file.rows = rows_until(&folder.join(&file.file), position)?;
                }
            }
        }
        Ok(self)
    }

    /// Takes in what is new in these files, in this order. When it returns, it is committed. Events that came
    /// before their contract was what it is today are brought under it first.
    ///
    /// A file that cannot be read is told in [`IngestReport::failures`] and leaves nothing behind;
    /// the others are taken in all the same.
    ///
    /// # Errors
    /// The operator's, if the log cannot be written, and the author's, if old events do not keep a contract;
    /// nothing is committed then.
    pub fn ingest(
        &mut self,
        files: &[PathBuf],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<IngestReport> {
        self.settle()?;
        let files =
            files.iter().map(|file| Named::new(file, &self.base, self.plan.limits)).collect::<Result<_>>()?;
        let events = self.files(|file| file.event.is_some()).collect();
        let ingest = Ingest {
            disk: &self.disk,
            folder: &self.folder,
            plan: &self.plan,
            head: &self.head,
            events,
            files,
            threads,
            progress,
        };
        let (head, report) = ingest.run()?;
        self.head = head;
        Ok(report)
    }

    /// Looks again at the rejects with these codes, or at all of them: those that the pipeline takes by now come in
    /// at new positions. When it returns, it is committed.
    ///
    /// # Errors
    /// As for [`EventLog::ingest`].
    pub fn requeue(&mut self, codes: &[String]) -> Result<RequeueReport> {
        self.settle()?;
        let events = self.files(|file| file.event.is_some()).collect();
        let (disk, folder, plan, head) = (&self.disk, &self.folder, &self.plan, &self.head);
        let (head, report) = Requeue { disk, folder, plan, head, events, codes }.run()?;
        self.head = head;
        Ok(report)
    }

    /// Makes ready to be added to: what is there lasts, and is under the contracts of today.
    fn settle(&mut self) -> Result<()> {
        if self.is_cut {
            return Err(Error::bug("a log that was cut takes nothing in"));
        }
        self.head.clean_by(self.plan.pii.as_ref().map(Cleaner::fingerprint).transpose()?)?;
        // An ingest that ended between the swap of the head and its fsync was a commit: before anything is built on
        // it, it is made to last.
        if self.folder.is_dir() {
            self.disk.sync_dir(&self.folder).map_err(|error| Error::io("sync", &self.folder, error))?;
        }
        let lifted = lift(&self.disk, &self.folder, &self.head, &self.contracts, &self.plan)?;
        if lifted != self.head {
            lifted.save(&self.disk, &self.folder)?;
            self.head = lifted;
        }
        Ok(())
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The position of the last event; 0 in an empty log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.head.position
    }

    /// A hash over the contents of all events up to the end of an ingest; none where no ingest that is known ended.
    #[must_use]
    pub fn print_at(&self, position: Position) -> Option<u64> {
        self.head.print_at(position)
    }

    /// The event types of which there are events, sorted.
    #[must_use]
    pub fn event_types(&self) -> Vec<&str> {
        let files = self.head.segments.iter().flat_map(|segment| &segment.files);
        let mut types: Vec<&str> = files.filter_map(|file| file.event.as_deref()).collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    /// The Parquet files of an event type, in the order of positions.
    #[must_use]
    pub fn segments(&self, event_type: &str) -> Vec<PathBuf> {
        self.files(|file| file.event.as_deref() == Some(event_type)).map(|file| file.path).collect()
    }

    /// The same, with rows and positions.
    #[must_use]
    pub fn segment_files(&self, event_type: &str) -> Vec<SegmentFile> {
        self.files(|file| file.event.as_deref() == Some(event_type)).collect()
    }

    /// How many events of a type stand behind a position.
    ///
    /// # Errors
    /// The operator's, if a segment cannot be read.
    pub fn count_behind(&self, event_type: &str, position: Position) -> Result<u64> {
        let files = self.segment_files(event_type).into_iter().filter(|file| file.positions.1 > position);
        let count = |file: SegmentFile| match file.positions.0 > position {
            true => Ok(file.rows),
            false => Ok(file.rows - rows_until(&file.path, position)?),
        };
        files.map(count).sum()
    }

    /// The Parquet files of rejects, in the order of arrival.
    #[must_use]
    pub fn rejects(&self) -> Vec<PathBuf> {
        self.files(|file| file.event.is_none()).map(|file| file.path).collect()
    }

    /// The same, with how many of them have been put back.
    #[must_use]
    pub fn reject_files(&self) -> Vec<RejectFile> {
        rejects::of_head(&self.folder, &self.head)
    }

    /// The known sources with their accounts, in the order in which they were first seen.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.head.sources
    }

    /// What became of all lines that were ever read.
    #[must_use]
    pub fn account(&self) -> Account {
        self.head.sources.iter().map(|source| source.account).sum()
    }

    /// All columns of an event type, as the pipeline declares it today.
    ///
    /// # Errors
    /// Ours, for a type that the pipeline does not declare.
    pub fn schema(&self, event_type: &str) -> Result<SchemaRef> {
        let plan = self.plan.events.iter().find(|event| event.name == event_type);
        plan.map(schema::event).ok_or_else(|| Error::bug(format!("no event type `{event_type}` is declared")))
    }

    /// The events of a type in the order of positions: these columns, in this order.
    ///
    /// # Errors
    /// Ours, for a type or column that is not declared; the author's, if a declaration has changed since
    /// events came; the operator's, if a segment cannot be read.
    pub fn scan(&self, event_type: &str, columns: &[&str]) -> Result<Scan> {
        let projection = self.projection(event_type, columns)?;
        Ok(Scan::new(self.segment_files(event_type), projection, self.contract(event_type)?.clone()))
    }

    /// The row groups of an event type, in the order of positions, to be read side by side.
    ///
    /// # Errors
    /// The operator's, if a segment cannot be read.
    pub fn pieces(&self, event_type: &str) -> Result<Vec<Piece>> {
        self.pieces_behind(event_type, Position(0))
    }

    /// The pieces that hold events behind a position.
    ///
    /// # Errors
    /// The operator's, if a segment cannot be read.
    pub fn pieces_behind(&self, event_type: &str, position: Position) -> Result<Vec<Piece>> {
        let wanted =
            |file: &TableFile| file.event.as_deref() == Some(event_type) && file.positions.1 > position;
        let pieces = self.files(wanted).map(|file| pieces_of(&file)).collect::<Result<Vec<_>>>()?;
        let mut pieces = pieces.concat();
        pieces.retain(|piece| piece.positions.1 > position.as_i64());
        Ok(pieces)
    }

    /// The events of one piece; see [`EventLog::scan`].
    ///
    /// # Errors
    /// As for [`EventLog::scan`].
    pub fn read_piece(&self, event_type: &str, piece: &Piece, columns: &[&str]) -> Result<Vec<RecordBatch>> {
        self.go_on()?;
        read_piece(piece, &self.projection(event_type, columns)?, self.contract(event_type)?)
    }

    /// Asked between two pieces of a replay; see [`Disk::go_on`].
    ///
    /// # Errors
    /// Somebody has asked to stop.
    pub fn go_on(&self) -> Result<()> {
        self.disk.go_on()
    }

    /// The same, to be asked where there is no log.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        self.disk.stop()
    }

    /// The source file and line of an event, for a person.
    ///
    /// # Errors
    /// As for [`EventLog::scan`].
    pub fn place(&self, event_type: &str, position: i64) -> Result<Option<String>> {
        for batch in self.scan(event_type, &["_position", "_file", "_line"])? {
            let batch = batch?;
            let [positions, files, lines] = batch.columns() else { continue };
            let (positions, lines) =
                (positions.as_primitive::<Int64Type>(), lines.as_primitive::<Int64Type>());
            if let Ok(row) = positions.values().binary_search(&position) {
                let file = files.as_string::<i32>().value(row);
                return Ok(Some(format!("{file}, line {}", lines.value(row))));
            }
        }
        Ok(None)
    }

    /// The events at these positions, which rise, with all columns that the pipeline declares today.
    ///
    /// # Errors
    /// As for [`EventLog::scan`].
    pub fn events_at(&self, event_type: &str, positions: &[i64]) -> Result<Vec<RecordBatch>> {
        let schema = self.schema(event_type)?;
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let pieces = self.pieces(event_type)?;
        let read = pieces.par_iter().map(|piece| {
            let (first, last) = piece.positions;
            let begin = positions.partition_point(|&position| position < first);
            let end = positions.partition_point(|&position| position <= last);
            if begin == end {
                return Ok(Vec::new());
            }
            let mut rest = positions[begin..end].iter().copied().peekable();
            let mut wanted = Vec::new();
            for batch in self.read_piece(event_type, piece, &["_position"])? {
                for &position in batch.column(0).as_primitive::<Int64Type>().values() {
                    while rest.next_if(|&wanted| wanted < position).is_some() {}
                    wanted.push(rest.peek() == Some(&position));
                }
            }
            self.read_rows(event_type, piece, &names, wanted)
        });
        Ok(read.collect::<Result<Vec<_>>>()?.concat())
    }

    fn contract(&self, event_type: &str) -> Result<&EventType> {
        let contract = self.contracts.iter().find(|contract| contract.name == event_type);
        contract.ok_or_else(|| Error::bug(format!("no event type `{event_type}` is declared")))
    }

    /// Those events of one piece that are `wanted`, a flag an event of the piece; see [`EventLog::scan`].
    ///
    /// # Errors
    /// As for [`EventLog::scan`].
    pub fn read_rows(
        &self,
        event_type: &str,
        piece: &Piece,
        columns: &[&str],
        wanted: Vec<bool>,
    ) -> Result<Vec<RecordBatch>> {
        self.go_on()?;
        read_rows(piece, &self.projection(event_type, columns)?, self.contract(event_type)?, wanted)
    }

    fn projection(&self, event_type: &str, columns: &[&str]) -> Result<SchemaRef> {
        self.must_stand_as_said(event_type)?;
        let schema = self.schema(event_type)?;
        let field = |name: &&str| {
            let found = schema.fields().find(name).map(|(_, field)| Arc::clone(field));
            found.ok_or_else(|| Error::bug(format!("`{event_type}` has no column `{name}`")))
        };
        Ok(Arc::new(Schema::new(columns.iter().map(field).collect::<Result<Vec<_>>>()?)))
    }

    /// Events of older versions must have been lifted by the steps of this pipeline, and no others.
    fn must_stand_as_said(&self, event_type: &str) -> Result<()> {
        let plan = self.plan.events.iter().find(|plan| plan.name == event_type);
        let files = self.head.segments.iter().flat_map(|segment| &segment.files);
        let mut olds =
            files.filter(|file| file.event.as_deref() == Some(event_type)).filter_map(|it| it.old.as_ref());
        match plan {
            Some(plan) if olds.any(|old| old.hash != plan.hash) => Err(Error::author(format!(
                "events of older versions of `{event_type}` have been lifted by other steps than this pipeline's"
            ))
            .next("run the pipeline: it lifts them anew")),
            _ => Ok(()),
        }
    }

    /// What a file of it may be.
    pub(super) fn limits(&self) -> &Limits {
        &self.plan.limits
    }

    /// What the log is.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Whether the log on disk is still this one.
    pub(super) fn is_newest(&self) -> bool {
        Head::load(&self.folder).is_ok_and(|head| head.as_ref() == Some(&self.head))
    }

    fn files(&self, wanted: impl Fn(&TableFile) -> bool) -> impl Iterator<Item = SegmentFile> {
        self.head.segments.iter().flat_map(move |segment| {
            let folder = Segment::folder(&self.folder, segment.number);
            let files = segment.files.iter().filter(|file| wanted(file));
            let found = files.map(|file| SegmentFile {
                path: folder.join(&file.file),
                rows: file.rows,
                positions: file.positions,
            });
            found.collect::<Vec<_>>()
        })
    }
}

/// The row groups of a file, as far as the log has its rows.
fn pieces_of(file: &SegmentFile) -> Result<Vec<Piece>> {
    let mut left = file.rows;
    let mut pieces = pieces(&file.path)?;
    for piece in &mut pieces {
        piece.rows = piece.rows.min(left);
        left -= piece.rows;
    }
    pieces.retain(|piece| piece.rows > 0);
    Ok(pieces)
}
