//! Files → committed events: the way of one ingest.
//!
//! The calling thread reads, commits in order and writes; the threads of a pool decode blocks and encode
//! row groups. How many there are changes nothing but the time. What is under way is bounded, so memory is.

use super::account::{Account, IngestReport};
use super::commit::Committer;
use super::decode::{Decoded, Plan, decode};
use super::feed::{Feed, FileRun, Stop};
use super::head::{Head, Segment, sweep};
use super::ids::{self, Ids};
use super::merge::{forget_empty, merge};
use super::progress::Progress;
use super::source::{Action, Named, Source, plan};
use super::store::{Encoded, Job, SegmentFile, SegmentWriter};
use crate::disk::Disk;
use crate::error::{Error, Result};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What an ingest works with.
pub struct Ingest<'a> {
    pub disk: &'a Disk,
    /// The log's folder.
    pub folder: &'a Path,
    pub plan: &'a Plan,
    pub head: &'a Head,
    /// Every file of the store that holds events.
    pub events: Vec<SegmentFile>,
    pub files: Vec<Named>,
    pub threads: usize,
    pub progress: &'a dyn Progress,
}

/// Something that a thread of the pool has finished.
enum Done {
    Decoded(u64, Box<Result<Decoded>>),
    Encoded(Box<Result<Encoded>>),
}

/// What the threads of the pool have to do, and what came back out of turn.
struct UnderWay {
    sender: Sender<Done>,
    receiver: Receiver<Done>,
    /// The number of the next block to be read, and of the next one to be committed.
    read: u64,
    committed: u64,
    /// The files of the blocks between them.
    files: BTreeMap<u64, usize>,
    early: BTreeMap<u64, Decoded>,
    encoding: usize,
}

impl Ingest<'_> {
    /// Ingests, and returns the log's new head and what was done. A file that fails while it is read
    /// makes all begin again without it, so that nothing of it comes in.
    pub fn run(self) -> Result<(Head, IngestReport)> {
        let threads = self.threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|at| format!("ingest-{at}"))
            .build()
            .map_err(|error| {
                Error::operator(format!("cannot start {threads} threads: {error}")).because(error)
            })?;
        let mut excluded = HashSet::new();
        let mut failures = Vec::new();
        loop {
            sweep(self.disk, self.folder, self.head)?;
            ids::sweep(self.disk, &ids::folder(self.folder), self.head.ids.as_deref().unwrap_or_default())?;
            match self.attempt(&pool, &excluded)? {
                Ok((head, mut report)) => {
                    report.failures.extend(failures);
                    report.failures.sort_by(|left, right| left.file.cmp(&right.file));
                    return Ok((head, report));
                }
                Err(Stop { path, failure }) => {
                    excluded.insert(path);
                    failures.push(failure);
                }
            }
        }
    }

    fn attempt(
        &self,
        pool: &ThreadPool,
        excluded: &HashSet<String>,
    ) -> Result<Result<(Head, IngestReport), Stop>> {
        let (planned, failures) = plan(&self.files, &self.head.sources, excluded);
        let reads_anything = planned.iter().any(|planned| !matches!(planned.action, Action::Skip(_)));
        let number = self.head.next_segment();
        let mut ids = Ids::new(self.disk, ids::folder(self.folder), number);
        if self.plan.has_ids() && reads_anything {
            ids.recall(self.head.ids.as_ref(), &self.events)?;
        }
        let folder = Segment::folder(self.folder, number);
        let mut head = self.head.clone();
        let merged = if reads_anything { merge(self.disk, self.folder, &mut head)? } else { Vec::new() };
        let writer = SegmentWriter::new(self.disk, &folder, self.plan);
        let mut committer = Committer::new(self.plan, ids, self.head, writer);
        let mut feed = Feed::new(planned, self.head.sources.clone(), self.plan, self.progress);
        let pumped = pool.in_place_scope(|scope| self.pump(scope, &mut feed, &mut committer))?;
        if let Err(stop) = pumped {
            return Ok(Err(stop));
        }
        let Feed { mut sources, files, .. } = feed;
        let mut report = IngestReport { failures, ..IngestReport::default() };
        for file in files {
            if let Some(source) = sources.get_mut(file.source) {
                source.account += file.report.account;
            }
            report.total += file.report.account;
            report.files.push(file.report);
        }
        let Committer { ids, position, print, writer, rejects, unknown_fields, leap_seconds, .. } = committer;
        (report.rejects, report.unknown_fields, report.leap_seconds) =
            (rejects, unknown_fields, leap_seconds);
        if !report.total.balances() {
            return Err(Error::bug(format!("the account of the log does not balance: {:?}", report.total)));
        }
        head.ends_at(position, print);
        head.sources = sources;
        let files = [merged, writer.finish()?].concat();
        if !files.is_empty() {
            forget_empty(self.folder, &mut head);
            head.segments.push(Segment { number, files });
            let above = self.folder.join("segments");
            self.disk.sync_dir(&above).map_err(|error| Error::io("sync", &above, error))?;
        }
        if self.plan.has_ids() && reads_anything {
            head.ids = Some(ids.finish()?);
        }
        if head != *self.head {
            head.save(self.disk, self.folder)?;
        }
        Ok(Ok((head, report)))
    }

    /// Reads, decodes, commits and encodes until there is nothing left.
    fn pump<'scope>(
        &'scope self,
        scope: &Scope<'scope>,
        feed: &mut Feed<'_>,
        committer: &mut Committer<'_>,
    ) -> Result<Result<(), Stop>> {
        let blocks_at_once = 2 * self.threads.max(1) as u64 + 2;
        let groups_at_once = self.threads.max(1) + 1;
        let mut work = UnderWay::new();
        let mut reading = true;
        let mut flushed = false;
        let mut begun = 0;
        loop {
            self.disk.go_on()?;
            while reading && work.read - work.committed < blocks_at_once && work.encoding < groups_at_once {
                match feed.next_block() {
                    Ok(Some((file, block))) => {
                        let number = work.add(file);
                        let sender = work.sender.clone();
                        let plan = self.plan;
                        scope.spawn(move |_| {
                            let decoded = guarded(|| decode(plan, block));
                            // Nobody listens any more once an error has ended the ingest.
                            let _ = sender.send(Done::Decoded(number, Box::new(decoded)));
                        });
                    }
                    Ok(None) => reading = false,
                    Err(stop) => return Ok(Err(stop)),
                }
            }
            if !reading && work.read == work.committed {
                if flushed && work.encoding == 0 {
                    break;
                }
                if !flushed {
                    flushed = true;
                    work.encode(scope, committer.writer.rest()?);
                    continue;
                }
            }
            match work.receiver.recv() {
                Ok(Done::Decoded(number, decoded)) => {
                    work.early.insert(number, (*decoded)?);
                    while let Some((file, decoded)) = work.next_in_order() {
                        begin_files(&mut begun, file, feed);
                        let jobs = commit(committer, feed, file, decoded)?;
                        work.encode(scope, jobs);
                    }
                }
                Ok(Done::Encoded(encoded)) => {
                    work.encoding -= 1;
                    committer.writer.encoded((*encoded)?)?;
                }
                Err(error) => return Err(Error::bug("the threads of the ingest are gone").because(error)),
            }
        }
        begin_files(&mut begun, feed.files.len(), feed);
        Ok(Ok(()))
    }
}

/// Commits a block of a file.
fn commit(
    committer: &mut Committer<'_>,
    feed: &mut Feed<'_>,
    file: usize,
    decoded: Decoded,
) -> Result<Vec<Job>> {
    let Some(FileRun { report, source, .. }) = feed.files.get_mut(file) else {
        return Err(Error::bug("a block of no file"));
    };
    let Some(source) = feed.sources.get_mut(*source) else {
        return Err(Error::bug("a file of no source"));
    };
    let first_line = source.lines + 1;
    source.lines += decoded.lines;
    let (account, jobs) = committer.take(decoded, &report.name, first_line)?;
    report.account += account;
    Ok(jobs)
}

/// Before the first block of a file, all files before it are complete: only now is it known how many lines
/// the content has that a copy begins with.
fn begin_files(begun: &mut usize, up_to: usize, feed: &mut Feed<'_>) {
    while *begun <= up_to {
        let at = *begun;
        *begun += 1;
        let Some(&FileRun { source, copy_of: Some(original), .. }) = feed.files.get(at) else { continue };
        let earlier: Account = feed
            .files
            .iter()
            .take(at)
            .filter(|file| file.source == original)
            .map(|file| file.report.account)
            .sum();
        let Some((lines, account)) =
            feed.sources.get(original).map(|known: &Source| (known.lines, known.account))
        else {
            continue;
        };
        let known = (account + earlier).read;
        if let Some(copy) = feed.sources.get_mut(source) {
            copy.lines = lines;
        }
        if let Some(file) = feed.files.get_mut(at) {
            file.report.account += Account { read: known, duplicate: known, ..Account::default() };
        }
    }
}

impl UnderWay {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self {
            sender,
            receiver,
            read: 0,
            committed: 0,
            files: BTreeMap::new(),
            early: BTreeMap::new(),
            encoding: 0,
        }
    }

    /// Numbers a block of a file.
    fn add(&mut self, file: usize) -> u64 {
        let number = self.read;
        self.read += 1;
        self.files.insert(number, file);
        number
    }

    /// The next block to be committed, if it has been decoded.
    fn next_in_order(&mut self) -> Option<(usize, Decoded)> {
        let decoded = self.early.remove(&self.committed)?;
        let file = self.files.remove(&self.committed)?;
        self.committed += 1;
        Some((file, decoded))
    }

    fn encode<'scope>(&mut self, scope: &Scope<'scope>, jobs: Vec<Job>) {
        for job in jobs {
            self.encoding += 1;
            let sender = self.sender.clone();
            scope.spawn(move |_| {
                let encoded = guarded(|| job.run());
                let _ = sender.send(Done::Encoded(Box::new(encoded)));
            });
        }
    }
}

/// A panic on a thread of the pool becomes an error, so that nobody waits for its result.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::bug("a thread of the ingest panicked")))
}
