//! A list of files → what to do with each: is it known, grown, moved, a copy, or new?

use super::failure::{FileCode, FileFailure};
use super::file::{RegularFile, path_text};
use super::framing::Reader;
use super::input::Input;
use super::known::{Holds, Source};
use super::trail::{Trail, WINDOW_BYTES};
use crate::error::{Error, Result};
use crate::model::Limits;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A file that was asked for.
#[derive(Debug, Clone)]
pub struct Named {
    pub path: PathBuf,
    /// The absolute path, as text: how it is found again.
    pub text: String,
    /// How it is shown.
    pub name: String,
    pub limits: Limits,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing new in this source.
    Skip(usize),
    /// Read on in this source, which is in this file.
    Continue(usize),
    /// Its name says nothing: look at its content when its turn comes.
    Look,
}

/// A file and what to do with it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub file: Named,
    pub action: Action,
}

/// What a file turned out to be when its turn came.
pub enum Opened {
    /// Begins with this known source.
    Known(usize, Box<Reader>),
    New(Box<Reader>),
}

impl Named {
    /// Shown relative to `base` where it stands below it.
    pub fn new(path: &Path, base: &Path, limits: Limits) -> Result<Self> {
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|error| Error::io("find", path, error));
        let whole = absolute(path)?;
        let base = absolute(if base.as_os_str().is_empty() { Path::new(".") } else { base })?;
        let shown = whole.strip_prefix(&base).map_or_else(|_| path_text(path), path_text);
        Ok(Self { path: path.to_owned(), text: path_text(&whole), name: shown, limits })
    }

    pub fn open(&self) -> Result<RegularFile, FileFailure> {
        RegularFile::open(&self.path, &self.name, &self.limits)
    }
}

/// Plans what to do with each file. Files that fail are left out and told.
pub fn plan(
    files: &[Named],
    sources: &[Source],
    excluded: &HashSet<String>,
) -> (Vec<Planned>, Vec<FileFailure>) {
    let by_path: HashMap<&str, usize> =
        sources.iter().enumerate().map(|(at, source)| (source.path.as_str(), at)).collect();
    let mut planned = Vec::new();
    let mut failures = Vec::new();
    let mut lost = Vec::new();
    let mut seen = HashSet::new();
    for file in files.iter().filter(|file| seen.insert(&file.text) && !excluded.contains(&file.text)) {
        let known = by_path.get(file.text.as_str()).and_then(|&at| Some((at, sources.get(at)?)));
        match look(file, known) {
            Ok(Found::Plan(action)) => planned.push(Planned { file: file.clone(), action }),
            Ok(Found::Lost(source, failure)) => {
                lost.push((source, planned.len(), failure));
                planned.push(Planned { file: file.clone(), action: Action::Look });
            }
            Err(failure) => failures.push(failure),
        }
    }
    let mut dropped = HashSet::new();
    for (source, at, failure) in lost {
        let new_home = sources.get(source).and_then(|content| find_home(content, at, &planned));
        match new_home.and_then(|home| planned.get_mut(home)) {
            Some(home) => home.action = Action::Continue(source),
            None => {
                dropped.insert(at);
                failures.push(failure);
            }
        }
    }
    let kept = planned.into_iter().enumerate().filter(|(at, _)| !dropped.contains(at));
    (kept.map(|(_, planned)| planned).collect(), failures)
}

enum Found {
    Plan(Action),
    /// The source at this path has lost its content; the failure, unless it is found elsewhere.
    Lost(usize, FileFailure),
}

fn look(named: &Named, known: Option<(usize, &Source)>) -> Result<Found, FileFailure> {
    let file = named.open()?;
    let Some((at, source)) = known else {
        return Ok(Found::Plan(Action::Look));
    };
    if source.is_unchanged(&file)? {
        return Ok(Found::Plan(Action::Skip(at)));
    }
    let consumed = source.consumed_bytes;
    let failure = match source.is_in(&file)? {
        Holds::Begins(_) => return Ok(Found::Plan(Action::Continue(at))),
        Holds::Shorter => FileFailure::new(
            &named.name,
            FileCode::SourceTruncated,
            format!(
                "shorter than the {consumed} bytes that were read from it, which are in no other file named"
            ),
        ),
        Holds::Differs => FileFailure::new(
            &named.name,
            FileCode::SourceRewritten,
            format!(
                "the {consumed} bytes that were read from it have changed, and are in no other file named"
            ),
        ),
    };
    Ok(Found::Lost(at, failure))
}

/// Another file that begins with this content.
fn find_home(source: &Source, lost: usize, planned: &[Planned]) -> Option<usize> {
    planned.iter().enumerate().position(|(at, candidate)| {
        let Ok(file) = candidate.file.open() else { return false };
        at != lost
            && candidate.action == Action::Look
            && source.consumed_bytes > 0
            && matches!(source.is_in(&file), Ok(Holds::Begins(_)))
    })
}

/// Finds sources by the beginning of a file.
#[derive(Debug, Default)]
pub struct Recogniser {
    lengths: BTreeSet<usize>,
    by_first: HashMap<String, Vec<usize>>,
}

impl Recogniser {
    pub fn new(sources: &[Source]) -> Self {
        let mut recogniser = Self::default();
        for (at, source) in sources.iter().enumerate() {
            recogniser.add(at, source);
        }
        recogniser
    }

    /// Adds what is known of a source by now.
    pub fn add(&mut self, at: usize, source: &Source) {
        if source.consumed_bytes > 0 {
            self.lengths
                .insert(usize::try_from(source.consumed_bytes).unwrap_or(usize::MAX).min(WINDOW_BYTES));
            self.by_first.entry(source.first.clone()).or_default().push(at);
        }
    }

    /// Opens a file whose name says nothing: behind the longest known source that it begins with.
    pub fn open(&self, named: &Named, sources: &[Source]) -> Result<(RegularFile, Opened), FileFailure> {
        let file = named.open()?;
        let mut start = Vec::new();
        Input::new(&file, 0)?.fill(&mut start, WINDOW_BYTES)?;
        let mut candidates: Vec<usize> =
            self.hashes(&start).flat_map(|hash| self.by_first.get(&hash)).flatten().copied().collect();
        let consumed = |at: &usize| sources.get(*at).map_or(0, |source| source.consumed_bytes);
        candidates.sort_by_key(|at| (std::cmp::Reverse(consumed(at)), *at));
        candidates.dedup();
        for at in candidates {
            if let Some(source) = sources.get(at)
                && let Holds::Begins(reader) = source.is_in(&file)?
            {
                return Ok((file, Opened::Known(at, reader)));
            }
        }
        let input = Input::new(&file, 0)?;
        let reader = Reader::new(&file, input, 0, false, Trail::new(Vec::new(), Vec::new()));
        Ok((file, Opened::New(Box::new(reader))))
    }

    /// The hashes of all beginnings of these bytes that a source could have.
    fn hashes(&self, start: &[u8]) -> impl Iterator<Item = String> {
        let mut hasher = blake3::Hasher::new();
        let mut done = 0;
        self.lengths.range(..=start.len()).map(move |&length| {
            hasher.update(start.get(done..length).unwrap_or_default());
            done = length;
            hasher.finalize().to_hex().to_string()
        })
    }
}

/// Whether a source's own file still holds it.
pub fn is_at_home(source: &Source, limits: &Limits) -> bool {
    let Ok(file) = RegularFile::open(Path::new(&source.path), &source.name, limits) else { return false };
    matches!(source.is_unchanged(&file), Ok(true)) || matches!(source.is_in(&file), Ok(Holds::Begins(_)))
}

/// Opens a source that is known to be in this file.
pub fn reopen(named: &Named, source: &Source) -> Result<(RegularFile, Box<Reader>), FileFailure> {
    let file = named.open()?;
    match source.is_in(&file)? {
        Holds::Begins(reader) => Ok((file, reader)),
        Holds::Shorter | Holds::Differs => Err(FileFailure::new(
            &named.name,
            FileCode::SourceRewritten,
            "it changed while it was being read",
        )),
    }
}
