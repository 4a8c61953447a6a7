//! The log → the current release, made again from the first event on and compared: is it what its log gives?
//!
//! A reader: it takes no lock, writes nothing, and sees the log as it was when the release was made, so that it may
//! run while another run publishes.

use super::decision::{changed_views, is_of};
use super::in_pool;
use super::inspect::examine;
use super::remade::{Remade, Rows};
use super::rows::{RowDifference, differing_rows};
use crate::checks::Effort;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{self, History, Months, PartitionKey};
use crate::log::{EventLog, Position, SourceInspection, StoreInspection, expand};
use crate::model::Model;
use crate::query::Means;
use crate::views::{self, Made};
use crate::warehouse::{FORMAT_VERSION, Release, Warehouse, decode, encode, view_path};
use serde::Serialize;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The release that was verified.
    pub release: u64,
    /// How many files it has: all were hashed.
    pub files: usize,
    /// How many of them were made again from the log.
    pub remade: usize,
    /// The months of facts that were looked at, as 2011-03; none: all.
    pub months: Option<Vec<String>>,
    /// How many months of facts those were taken from.
    pub months_of_all: usize,
    /// Files whose bytes are not those of the manifest.
    pub damages: Vec<String>,
    /// Files that a replay of the log from its first event makes otherwise.
    pub differences: Vec<String>,
    /// The first rows that are not what the log gives.
    pub rows: Vec<RowDifference>,
    /// How many built-in checks were asked of the whole release.
    pub checks: usize,
    /// Those that do not hold, each with its number of rows and an example.
    pub violations: Vec<String>,
    /// The files of the event store.
    pub store: StoreInspection,
    /// The files that the log was read from.
    pub sources: SourceInspection,
}

/// How closely a release is looked at, and with what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scrutiny<'a> {
    /// The part (of 1) of the months of facts that is made again; none: all.
    pub share: Option<f64>,
    pub threads: Option<usize>,
    /// What DuckDB may use for the checks.
    pub memory_bytes: Option<u64>,
    /// A folder for what does not fit into it, made by whoever needs it.
    pub overflow: Option<&'a Path>,
}

/// As many rows as a person reads.
const ROWS: usize = 20;

/// Hashes all files of the current release and of its log, makes the release again from the log's first event, with
/// none of the ways in which a night saves work, and compares; and asks every built-in check of the whole release
/// (DESIGN 31). With a `share` only that part of the months of facts is made again, beside all dimensions (other months
/// for every release, the same for the same), and views and the checks are left to their proofs.
///
/// # Errors
///
/// There is no release, or it is not of this log, pipeline and format: then there is nothing to compare.
pub fn verify(model: &Model, dir: &Path, scrutiny: &Scrutiny<'_>, disk: &Disk) -> Result<Verification> {
    let &Scrutiny { share, threads, memory_bytes, overflow } = scrutiny;
    let warehouse = Warehouse::open(dir)?;
    let current = warehouse.current()?.ok_or_else(|| no_release(dir))?;
    comparable(&current, model)?;
    let _held = warehouse.hold_log()?;
    let log = EventLog::open(disk, &warehouse.log_dir(), model)?;
    let position = Position(current.manifest().log_position);
    if log.position() < position {
        return Err(Error::operator(format!(
            "the log ends at position {}, before release {}, which ends at {position}",
            log.position(),
            current.number()
        ))
        .next("put the log's folder back from a backup"));
    }
    if !is_of(&current, &log) {
        return Err(Error::operator(format!(
            "release {} was not made from this log, though it ends no earlier",
            current.number()
        ))
        .next("put the log's own folder back, or run the pipeline: it makes all tables anew from this one"));
    }
    in_pool(threads, || {
        let named = expand(&model.log.base, &model.log.files).unwrap_or_default();
        let damages = current.damages(disk.stop())?;
        let mut found = Verification {
            release: current.number(),
            files: current.manifest().files().count(),
            remade: 0,
            months: None,
            months_of_all: 0,
            damages: damages.iter().map(|(path, damage)| format!("{path}: {damage}")).collect(),
            differences: Vec::new(),
            rows: Vec::new(),
            checks: 0,
            violations: Vec::new(),
            store: log.inspect_store(),
            sources: log.inspect_sources(&named),
        };
        // What a broken log gives says nothing of the release.
        if found.store.damages.is_empty() {
            let log = log.until(position)?;
            found.compare(model, &log, &current, share, damages.keys())?;
            // Nor does a check of files that are not those that were published.
            if damages.is_empty() {
                let means = Means { threads, memory_bytes, overflow, stop: disk.stop() };
                // What wrong tables give says nothing of views.
                if share.is_none() && found.differences.is_empty() {
                    found.compare_views(model, &current, means)?;
                }
                let effort = if share.is_some() { Effort::Proofs } else { Effort::Everything };
                let report = examine(&current, model, warehouse.dir(), means, effort)?;
                found.checks = report.checks;
                found.violations = report.violations.iter().map(ToString::to_string).collect();
            }
        }
        Ok(found)
    })
}

impl Verification {
    /// Whether all is as it should be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.damages.is_empty()
            && self.differences.is_empty()
            && self.violations.is_empty()
            && self.store.damages.is_empty()
            && self.sources.changes.is_empty()
            && self.sources.unreadable.is_empty()
    }

    fn compare<'d>(
        &mut self,
        model: &Model,
        log: &EventLog,
        release: &Release,
        share: Option<f64>,
        damaged: impl Iterator<Item = &'d String>,
    ) -> Result<()> {
        let (history, chosen) = match share {
            None => (history::replay(model, log)?, None),
            Some(share) => {
                let all = Cell::new(0);
                let choose = |of_log: &Months| {
                    let months = of_log | &months(release);
                    all.set(months.len());
                    pick(months, share, release.number())
                };
                let (history, months) = history::sample(model, log, &choose)?;
                self.months_of_all = all.get();
                (history, Some(months))
            }
        };
        self.months = chosen
            .as_ref()
            .map(|months| months.iter().map(|month| month.format("%Y-%m").to_string()).collect());
        let remade = Remade::new(model, &history, &release.layouts()?, chosen.as_ref())?;
        let made = remade.hashes()?;
        self.remade = made.len();
        let has = |path: &str| {
            // Views are compared by themselves.
            if path.starts_with("views/") {
                return false;
            }
            let month = month_of(path);
            month.is_none_or(|month| chosen.as_ref().is_none_or(|chosen| chosen.contains(&month)))
                && !(chosen.is_some() && path.contains("__HIVE_DEFAULT_PARTITION__"))
        };
        let files = release.manifest().files().filter(|file| has(&file.path));
        let published: BTreeMap<&str, &str> =
            files.map(|file| (file.path.as_str(), file.blake3.as_str())).collect();
        let mut differing: BTreeSet<&str> = damaged.map(String::as_str).collect();
        for path in published.keys().chain(made.keys()).collect::<BTreeSet<_>>() {
            let difference = match (published.get(path), made.get(path)) {
                (Some(_), None) => "the log gives no such file",
                (None, Some(_)) => "the log gives it, the release does not have it",
                (Some(one), Some(other)) if one != other => "not what the log gives",
                _ => continue,
            };
            self.differences.push(format!("{path}: {difference}"));
            differing.insert(path);
        }
        if chosen.is_none() {
            self.differences.extend(summary_differences(&history, release));
        }
        self.tell_rows(&remade, release, differing)
    }

    /// Makes all views again from all rows of the release's tables.
    fn compare_views(&mut self, model: &Model, release: &Release, means: Means<'_>) -> Result<()> {
        for Made { table, .. } in views::anew(model, release, means)? {
            let path = view_path(&table.name);
            let Some(entry) = release.manifest().views.get(&table.name) else { continue };
            let (batch, sorted_by) = (table.batch, table.sorted_by);
            let encoded = encode(&batch, &sorted_by)?;
            self.remade += 1;
            if !entry.table.files.iter().any(|file| file.path == path && file.blake3 == encoded.blake3) {
                self.differences.push(format!("{path}: not what the tables of the release give"));
                let left = ROWS.saturating_sub(self.rows.len());
                let is = decode(&release.dir().join(&path), None)?;
                self.rows.extend(differing_rows(&path, &is, &Rows { batch, sorted_by }, left)?);
            }
        }
        Ok(())
    }

    /// The first rows that differ in these files.
    fn tell_rows(&mut self, remade: &Remade<'_>, release: &Release, differing: BTreeSet<&str>) -> Result<()> {
        for path in differing {
            let left = ROWS.saturating_sub(self.rows.len());
            // A file that cannot be read has been told of.
            if left > 0
                && let Some(should_be) = remade.rows(path)?
                && let Ok(is) = decode(&release.dir().join(path), None)
            {
                self.rows.extend(differing_rows(path, &is, &should_be, left)?);
            }
        }
        Ok(())
    }
}

/// What the manifest says besides its files.
fn summary_differences(history: &History, release: &Release) -> Option<String> {
    let is_same = history.findings == release.manifest().findings;
    (!is_same).then(|| "manifest.json: other findings than the log gives".to_owned())
}

/// The months of a release's facts.
fn months(release: &Release) -> Months {
    release.manifest().files().filter_map(|file| month_of(&file.path)).collect()
}

/// The month of a fact's file.
fn month_of(path: &str) -> Option<chrono::NaiveDate> {
    let (_, file) = path.split_once("/date_month=")?;
    let (_, name) = file.split_once('/')?;
    PartitionKey::parse(name.strip_suffix(".parquet")?).map(PartitionKey::month)
}

/// A share of the months, at least one of them: those with the least hashes, which are others for each release.
fn pick(months: Months, share: f64, release: u64) -> Months {
    let wanted = (share * months.len() as f64).ceil().max(1.0) as usize;
    let hash = |month: &chrono::NaiveDate| *blake3::hash(format!("{release} {month}").as_bytes()).as_bytes();
    let mut months: Vec<_> = months.into_iter().collect();
    months.sort_by_key(hash);
    months.into_iter().take(wanted).collect()
}

/// Whether a release must be what a replay of the log gives today.
pub(super) fn comparable(current: &Release, model: &Model) -> Result<()> {
    let manifest = current.manifest();
    let changed = if manifest.format_version != FORMAT_VERSION {
        format!("it was written in format {}, this program writes {FORMAT_VERSION}", manifest.format_version)
    } else if manifest.pipeline.hash != model.hash {
        "the pipeline has changed since".to_owned()
    } else if let Some(changed) = changed_views(model, current).into_iter().next() {
        changed
    } else {
        return Ok(());
    };
    Err(Error::author(format!("release {} cannot be compared with the log: {changed}", current.number()))
        .next("starlog run PIPELINE publishes one that can"))
}

pub(super) fn no_release(dir: &Path) -> Error {
    Error::author(format!("{} holds no release yet", dir.display())).next("publish one: starlog run PIPELINE")
}
