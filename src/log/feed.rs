//! Planned files → their blocks, one after the other, and what each file turned out to be.

use super::account::{Account, FileReport, FileState};
use super::decode::Plan;
use super::format::{Format, Recognised, recognise};
use super::progress::Progress;
use super::source::{
    Action, Block, FileCode, FileFailure, Named, Opened, Planned, Reader, Recogniser, RegularFile, Source,
    Span, Stored, is_at_home, reopen,
};
use std::collections::VecDeque;

/// Reads files in turn. Lines are not counted here: they are when their blocks have been judged.
pub struct Feed<'p> {
    waiting: VecDeque<Planned>,
    open: Option<Open>,
    recogniser: Recogniser,
    /// All known sources, as they are by now.
    pub sources: Vec<Source>,
    /// The files of this run, in order.
    pub files: Vec<FileRun>,
    plan: &'p Plan,
    progress: &'p dyn Progress,
    done_bytes: u64,
    total_bytes: u64,
}

/// A file of this run.
#[derive(Debug)]
pub struct FileRun {
    pub report: FileReport,
    /// Index into the sources.
    pub source: usize,
    /// The source whose content this file begins with too; its lines count as duplicates.
    pub copy_of: Option<usize>,
}

struct Open {
    named: Named,
    reader: Box<Reader>,
    stored: Stored,
    source: usize,
}

/// The file that made a run stop, and why.
#[derive(Debug)]
pub struct Stop {
    /// Its absolute path.
    pub path: String,
    pub failure: FileFailure,
}

impl<'p> Feed<'p> {
    pub fn new(
        planned: Vec<Planned>,
        sources: Vec<Source>,
        plan: &'p Plan,
        progress: &'p dyn Progress,
    ) -> Self {
        let total_bytes = planned.iter().map(|planned| bytes_to_read(planned, &sources)).sum();
        Self {
            waiting: planned.into(),
            open: None,
            recogniser: Recogniser::new(&sources),
            sources,
            files: Vec::new(),
            plan,
            progress,
            done_bytes: 0,
            total_bytes,
        }
    }

    /// The next block, with the index of its file; `None` after the last.
    pub fn next_block(&mut self) -> Result<Option<(usize, Block)>, Stop> {
        loop {
            if let Some(open) = &mut self.open {
                let asked = match open.reader.is_untold() {
                    true => ask(self.plan, &mut open.reader, &open.named.name, false),
                    false => Ok(()),
                };
                let block = asked.and_then(|()| open.reader.next_block());
                let block = block.map_err(|failure| Stop { path: open.named.text.clone(), failure })?;
                self.progress.bytes(self.done_bytes + open.reader.stored_bytes(), self.total_bytes);
                if let Some(block) = block {
                    return Ok(Some((self.files.len().saturating_sub(1), block)));
                }
                self.close();
            }
            let Some(planned) = self.waiting.pop_front() else { return Ok(None) };
            let path = planned.file.text.clone();
            self.begin(planned).map_err(|failure| Stop { path, failure })?;
        }
    }

    fn begin(&mut self, planned: Planned) -> Result<(), FileFailure> {
        let Planned { file: named, action } = planned;
        let (file, mut reader, source, state, copy_of) = match action {
            Action::Skip(at) => {
                let held_bytes = self.sources.get(at).map_or(0, |source| source.held_bytes);
                self.push(named.name, FileState::Unchanged, at, None, held_bytes);
                return Ok(());
            }
            Action::Continue(at) => {
                let Some(source) = self.sources.get(at) else { return Ok(()) };
                let (file, reader) = reopen(&named, source)?;
                let state = if source.path == named.text {
                    FileState::Grown
                } else {
                    FileState::Moved(source.name.clone())
                };
                (file, reader, at, state, None)
            }
            Action::Look => self.look(&named)?,
        };
        let stored = Stored::of(&file)?;
        if let Some(source) = self.sources.get_mut(source) {
            source.path.clone_from(&named.text);
            source.name.clone_from(&named.name);
            match &source.format {
                Some(format) => reader.tell(0, format.clone()),
                None => {
                    let is_begin = source.account.read == source.account.blank;
                    ask(self.plan, &mut reader, &named.name, is_begin)?;
                }
            }
        }
        self.push(named.name.clone(), state, source, copy_of, 0);
        self.open = Some(Open { named, reader, stored, source });
        Ok(())
    }

    /// A file whose name says nothing.
    #[expect(clippy::type_complexity, reason = "taken apart at once, by its only caller")]
    fn look(
        &mut self,
        named: &Named,
    ) -> Result<(RegularFile, Box<Reader>, usize, FileState, Option<usize>), FileFailure> {
        let (file, opened) = self.recogniser.open(named, &self.sources)?;
        let added = self.sources.len();
        let (known, reader) = match opened {
            Opened::New(reader) => {
                self.sources.push(Source::new(named, Stored::of(&file)?));
                return Ok((file, reader, added, FileState::New, None));
            }
            Opened::Known(at, reader) => (at, reader),
        };
        let Some(source) = self.sources.get(known) else {
            return Ok((file, reader, known, FileState::New, None));
        };
        let name = source.name.clone();
        if !is_at_home(source, &named.limits) {
            return Ok((file, reader, known, FileState::Moved(name), None));
        }
        let copy = Source { account: Account::default(), lines: 0, ..source.clone() };
        self.sources.push(copy);
        Ok((file, reader, added, FileState::CopyOf(name), Some(known)))
    }

    fn push(
        &mut self,
        name: String,
        state: FileState,
        source: usize,
        copy_of: Option<usize>,
        held_bytes: u64,
    ) {
        let report = FileReport { name, state, account: Account::default(), held_bytes };
        self.files.push(FileRun { report, source, copy_of });
    }

    /// Writes down how far the open file was read.
    fn close(&mut self) {
        let Some(Open { reader, stored, source: at, .. }) = self.open.take() else { return };
        self.done_bytes += reader.stored_bytes();
        let Some(source) = self.sources.get_mut(at) else { return };
        source.consumed_bytes = reader.consumed_bytes();
        source.format = reader.format().cloned();
        source.ends_inside_line = reader.ends_inside_line();
        source.held_bytes = reader.held_bytes();
        source.first = reader.trail().first();
        source.last = reader.trail().last();
        source.stored = stored;
        if let Some(hash) = reader.trail().span() {
            source.spans.push(Span { to_bytes: source.consumed_bytes, hash });
        }
        self.recogniser.add(at, source);
        if let Some(file) = self.files.last_mut() {
            file.report.held_bytes = reader.held_bytes();
        }
    }
}

/// What the lines are, if one of the next says it. Whatever says nothing is asked again at the next block: in how many
/// nights a file came must not matter.
fn ask(plan: &Plan, reader: &mut Reader, name: &str, is_begin: bool) -> Result<(), FileFailure> {
    let recognised = recognise(plan, reader.peek()?, is_begin);
    let offset_bytes = reader.consumed_bytes();
    match recognised {
        Recognised::Format(start, mut format) => {
            if let Format::Csv(file) = &mut format {
                file.rows_from_bytes += offset_bytes;
            }
            reader.tell(offset_bytes + start as u64, format);
            Ok(())
        }
        Recognised::Unclear => Ok(()),
        Recognised::Foreign(whose) => {
            let message = format!("change events of {whose}, a format that Starlog does not read");
            Err(FileFailure::new(name, FileCode::Format, message))
        }
        Recognised::WrongHeader(message) => Err(FileFailure::new(name, FileCode::CsvHeader, message)),
    }
}

fn bytes_to_read(planned: &Planned, sources: &[Source]) -> u64 {
    let size_bytes = std::fs::metadata(&planned.file.path).map_or(0, |metadata| metadata.len());
    match planned.action {
        Action::Skip(_) => 0,
        Action::Look => size_bytes,
        Action::Continue(at) => match sources.get(at) {
            Some(source) if source.stored.windows.is_none() => {
                size_bytes.saturating_sub(source.consumed_bytes)
            }
            _ => size_bytes,
        },
    }
}
