//! (log, current release) → how many lines have been rejected since, and whether that is too many.
//!
//! The limits count from what the current release knew of the log, not from the beginning of this run: a run
//! that is repeated, or one that follows a run that broke off, meets the same limit. A reject that was put back counts no
//! more.

use super::rejected::by_code;
use crate::error::{Error, Result};
use crate::log::{EventLog, Position, Reject, RejectFile};
use crate::model::{Model, RejectLimits};
use crate::warehouse::{LogLines, Release};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Refuses to publish when more lines were rejected than the pipeline allows.
pub fn refuse_too_many(model: &Model, log: &EventLog, current: Option<&Release>) -> Result<()> {
    let new = new_files(log, current);
    let published = current.map_or_else(LogLines::default, |release| release.manifest().log_lines);
    let of_log = Count {
        rejected: new.iter().map(RejectFile::waiting).sum(),
        read: log.account().read.saturating_sub(published.read),
    };
    if let Some(limit) = of_log.over(model.log.bears) {
        let what = format!("lines{} were rejected, more than `{limit}` allows", since(current));
        return Err(too_many(of_log, &what, &new, "[log]", &|_| true));
    }
    let known = Position(current.map_or(0, |release| release.manifest().log_position));
    for event in model.events.iter().filter(|event| event.bears != RejectLimits::default()) {
        let is_of_type = |reject: &Reject| reject.event.as_ref() == Some(&event.name);
        let mut rejected = 0;
        for file in &new {
            for reject in file.read()? {
                let reject = reject?;
                rejected += u64::from(is_of_type(&reject) && reject.requeued.is_none());
            }
        }
        let of_type = Count { rejected, read: rejected + log.count_behind(&event.name, known)? };
        if let Some(limit) = of_type.over(event.bears) {
            let name = &event.name;
            let what =
                format!("lines of `{name}`{} were rejected, more than its `{limit}` allows", since(current));
            return Err(too_many(of_type, &what, &new, &format!("[events.{name}]"), &is_of_type));
        }
    }
    Ok(())
}

/// Lines since the current release.
#[derive(Clone, Copy)]
struct Count {
    rejected: u64,
    read: u64,
}

impl Count {
    /// The limit that is passed, as it is written.
    fn over(self, limits: RejectLimits) -> Option<String> {
        let Self { rejected, read } = self;
        let over_count = limits.max_rejects.filter(|limit| rejected > *limit);
        let over_share = limits.max_reject_share.filter(|limit| rejected as f64 > limit * read as f64);
        let count = over_count.map(|limit| format!("max_rejects = {limit}"));
        count.or_else(|| over_share.map(|limit| format!("max_reject_share = {limit}")))
    }
}

fn since(current: Option<&Release>) -> String {
    current.map_or_else(String::new, |release| format!(" since release {}", release.number()))
}

fn too_many(
    count: Count,
    what: &str,
    files: &[RejectFile],
    table: &str,
    is_meant: &dyn Fn(&Reject) -> bool,
) -> Error {
    let Count { rejected, read } = count;
    // Rejects that cannot be read still count.
    let examples = examples(files, is_meant).unwrap_or_default();
    Error::data(format!("{rejected} of {read} {what}{examples}")).next(format!(
        "the log keeps what it took in, and the old release stays current. If the pipeline is wrong, mend it and put \
         the lines back (`starlog rejects requeue PIPELINE`); if they are, put corrected lines into a new file; to \
         publish without them, raise the limit in {table} for one run; then run again"
    ))
}

/// The files with rejects of ingests that the release does not know.
fn new_files(log: &EventLog, current: Option<&Release>) -> Vec<RejectFile> {
    let seen = current.map(seen).unwrap_or_default();
    // When rejects are put back, their file is written anew in the same folder.
    let folders: BTreeSet<&Path> = seen.iter().filter_map(|file| Path::new(file).parent()).collect();
    let is_new = |file: &RejectFile| {
        let file = relative(warehouse_of(log), vec![file.path.clone()]);
        !file.iter().any(|file| Path::new(file).parent().is_some_and(|folder| folders.contains(folder)))
    };
    log.reject_files().into_iter().filter(is_new).collect()
}

/// Whether the log holds rejects that the release does not show as they are.
pub fn are_unseen(log: &EventLog, release: &Release) -> bool {
    relative(warehouse_of(log), log.rejects()) != seen(release)
}

/// The folder that paths of the log are relative to. A plan has its log elsewhere.
fn warehouse_of(log: &EventLog) -> &Path {
    log.folder().parent().unwrap_or(Path::new(""))
}

/// The files of rejects that the release shows.
fn seen(release: &Release) -> Vec<String> {
    let relations = &release.manifest().relations.log;
    relations
        .iter()
        .find(|relation| relation.name == "rejects")
        .map_or_else(Vec::new, |rejects| rejects.files.clone())
}

/// Paths as a manifest says them: relative to the warehouse's folder.
pub fn relative(warehouse: &Path, files: Vec<PathBuf>) -> Vec<String> {
    let short = |file: &PathBuf| file.strip_prefix(warehouse).unwrap_or(file).display().to_string();
    files.iter().map(short).collect()
}

/// For each code: how often, and the first place. Until it is published, nobody can ask for them by SQL.
fn examples(files: &[RejectFile], is_meant: &dyn Fn(&Reject) -> bool) -> Result<String> {
    let mut text = String::new();
    for code in by_code(files, |reject| is_meant(reject) && reject.requeued.is_none())? {
        let (waiting, name, first) = (code.waiting, code.code, code.example);
        let (file, line, message) = (first.file, first.line, first.message);
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {waiting} {name}, the first in {file}, line {line}: {message}");
    }
    Ok(text)
}
