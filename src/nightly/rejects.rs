//! (log, current release) → how many lines have been rejected since, and whether that is too many.
//!
//! The limits count from what the current release knew of the log, not from the beginning of this run: a run
//! that is repeated, or one that follows a run that broke off, meets the same limit.

use crate::error::{Error, Result};
use crate::log::EventLog;
use crate::model::Model;
use crate::query::{Column, Session, SessionSpec, Table, shown_places};
use crate::warehouse::{LogLines, Release};
use arrow::array::AsArray;
use std::path::{Path, PathBuf};

/// Refuses to publish when more lines were rejected than the pipeline allows.
pub fn refuse_too_many(
    model: &Model,
    log: &EventLog,
    current: Option<&Release>,
    warehouse: &Path,
) -> Result<()> {
    let published = current.map_or_else(LogLines::default, |release| release.manifest().log_lines);
    let account = log.account();
    let rejected = account.rejected.saturating_sub(published.rejected);
    let read = account.read.saturating_sub(published.read);
    let limits = &model.log;
    let over_count = limits.max_rejects.filter(|limit| rejected > *limit);
    let over_share = limits.max_reject_share.filter(|limit| rejected as f64 > limit * read as f64);
    let limit = match (over_count, over_share) {
        (Some(limit), _) => format!("max_rejects = {limit}"),
        (None, Some(limit)) => format!("max_reject_share = {limit}"),
        (None, None) => return Ok(()),
    };
    let since = current.map_or_else(String::new, |release| format!(" since release {}", release.number()));
    // A machine too poor to look into the rejects still says how many there are.
    let examples = examples(log, current, warehouse).unwrap_or_default();
    Err(Error::data(format!(
        "{rejected} of {read} lines{since} were rejected, more than `{limit}` allows{examples}"
    ))
    .next(
        "the log keeps what it took in, and the old release stays current. Put corrected lines into a new \
         file; to publish without the others, raise the limit in [log] for one run; then run again",
    ))
}

/// Whether the log holds files of rejects that the release does not show.
pub fn are_unseen(log: &EventLog, release: &Release) -> bool {
    // A plan has its log elsewhere.
    let warehouse = log.folder().parent().unwrap_or(Path::new(""));
    relative(warehouse, log.rejects()) != seen(release)
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

/// For each code: how often, and the first place. Until it is published, nobody can ask for them.
fn examples(log: &EventLog, current: Option<&Release>, warehouse: &Path) -> Result<String> {
    const SQL: &str = "SELECT format('{} {}, the first in {}, line {}: {}', count(*), code, \
                       arg_min(file, place), arg_min(line, place), arg_min(message, place)) \
                       FROM (FROM log.rejects SELECT *, (position_before, file, line) AS place) \
                       GROUP BY code ORDER BY count(*) DESC, code";
    let seen = current.map(seen).unwrap_or_default();
    // A plan has its log elsewhere.
    let above = log.folder().parent().unwrap_or(warehouse);
    let is_new = |file: &PathBuf| !relative(above, vec![file.clone()]).iter().any(|file| seen.contains(file));
    let column = |name: &str| Column { name: name.to_owned(), sql_type: None, comment: None };
    let rejects = Table {
        schema: "log".to_owned(),
        name: "rejects".to_owned(),
        columns: ["code", "message", "file", "line", "position_before"].map(column).to_vec(),
        files: log.rejects().into_iter().filter(is_new).collect(),
        shown: Some(shown_places(warehouse)),
        ..Table::default()
    };
    let session =
        Session::open(&SessionSpec { tables: vec![rejects], threads: Some(1), ..SessionSpec::default() })?;
    let mut text = String::new();
    for question in session.questions(SQL)? {
        let mut answer = session.ask(&question)?;
        while let Some(batch) = answer.next_batch()? {
            let lines = batch.column(0).as_string::<i32>();
            lines.iter().flatten().for_each(|line| text.push_str(&format!("\n  {line}")));
        }
    }
    Ok(text)
}
