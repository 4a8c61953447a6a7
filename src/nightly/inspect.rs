//! A staged release → the verdict of the checks, asked of DuckDB over the very files that would be published.

use crate::checks::night::{self, Extract, Night, Scope};
use crate::checks::{self, Effort, Report, Tables};
use crate::error::Result;
use crate::history::{FactTable, History, PartitionKey, Replayed};
use crate::log::EventLog;
use crate::model::{Fact, Model};
use crate::query::{Candidate, Means, Session, Table, candidate, dimensions, fact_files};
use crate::warehouse::Release;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How the checks ended: all of them held.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    /// How many there were.
    pub checks: usize,
    /// Whether they looked at everything, not only at what a night touched.
    pub is_whole: bool,
}

/// Runs the built-in checks over everything.
pub fn inspect(staged: &Release, model: &Model, warehouse: &Path, means: Means<'_>) -> Result<Verdict> {
    let report = examine(staged, model, warehouse, means, Effort::Proofs)?.verdict()?;
    Ok(Verdict { checks: report.checks, is_whole: true })
}

/// The same, of any release; what the checks find is no error.
pub fn examine(
    release: &Release,
    model: &Model,
    warehouse: &Path,
    means: Means<'_>,
    effort: Effort,
) -> Result<Report> {
    let mut candidate = candidate(release, model, warehouse)?;
    let session = open(&mut candidate, means)?;
    let tables = tables(candidate);
    session.until(means.stop, |connection| checks::examine(connection, model, &tables, effort))
}

/// Runs them over what a night touched. Only where they object to something, everything is looked at, which decides.
pub fn inspect_night(
    staged: &Release,
    touched: &Touched,
    model: &Model,
    log: &EventLog,
    warehouse: &Path,
    means: Means<'_>,
) -> Result<Verdict> {
    let Touched { before, replayed, files } = touched;
    let mut candidate = candidate(staged, model, warehouse)?;
    let part = |release, schema, wanted: &BTreeMap<String, BTreeSet<String>>| {
        fact_files(release, schema, &|table, path| is_one_of(wanted, table, path))
    };
    candidate.spec.tables.extend(part(staged, "replayed", &files.replayed)?);
    candidate.spec.tables.extend(part(staged, "written", &files.written)?);
    candidate.spec.tables.extend(part(before, "replaced", &files.replaced)?);
    // Of the log itself, only what dimensions are made of is asked.
    let own = |table: &Table| table.schema != "log" || is_of_dimensions(model, &table.name);
    candidate.spec.tables.retain(own);
    let known = dimensions(before, model, "before")?;
    candidate.spec.tables.extend(known.tables);
    candidate.spec.views.extend(known.views);
    let scopes = model.facts.iter().zip(replayed);
    let night = Night {
        replayed: "replayed".to_owned(),
        written: "written".to_owned(),
        replaced: "replaced".to_owned(),
        before: "before".to_owned(),
        scopes: scopes.map(|(fact, replayed)| scope(model, log, fact, replayed)).collect::<Result<_>>()?,
    };
    let session = open(&mut candidate, means)?;
    let tables = tables(candidate);
    let stop = means.stop;
    let report = session.until(stop, |connection| night::examine(connection, model, &tables, &night))?;
    if report.violations.is_empty() {
        return Ok(Verdict { checks: report.checks, is_whole: false });
    }
    let whole =
        session.until(stop, |connection| checks::examine(connection, model, &tables, Effort::Proofs))?;
    let of_nights = report.violations.into_iter().filter(|found| night::is_of_nights(&found.check));
    let violations = whole.violations.into_iter().chain(of_nights).collect();
    let report = Report { violations, ..whole }.verdict()?;
    Ok(Verdict { checks: report.checks, is_whole: true })
}

/// What a night touched.
pub struct Touched {
    before: Release,
    replayed: Vec<Replayed>,
    files: Files,
}

impl Touched {
    /// What the night after a release touched. `None` if that is so much that everything may as well be looked at.
    pub fn of(before: Release, history: History, log: &EventLog) -> Option<Self> {
        let events = history.replayed.iter().flat_map(|replayed| replayed.events.values()).map(Vec::len);
        let is_little = events.sum::<usize>() as u64 <= log.position().0 / MUCH;
        let files = Files::of(&history.facts);
        is_little.then_some(Self { before, replayed: history.replayed, files })
    }
}

/// A night that replayed more than one in so many events is looked at as a whole.
const MUCH: u64 = 3;

fn is_of_dimensions(model: &Model, event: &str) -> bool {
    let entities = model.dimensions.iter().flat_map(|dimension| &dimension.entities);
    let mut events = entities.flat_map(|entity| &entity.events);
    events.any(|binding| model.events[binding.event].name == event)
}

fn open(candidate: &mut Candidate, means: Means<'_>) -> Result<Session> {
    Session::open(&std::mem::take(&mut candidate.spec).within(means))
}

fn tables(candidate: Candidate) -> Tables {
    Tables { levels: candidate.levels, rejoined: candidate.rejoined, ..Tables::default() }
}

/// By table: the ends of paths.
#[derive(Default)]
struct Files {
    replayed: BTreeMap<String, BTreeSet<String>>,
    written: BTreeMap<String, BTreeSet<String>>,
    /// Of the release before.
    replaced: BTreeMap<String, BTreeSet<String>>,
}

impl Files {
    fn of(facts: &[Box<dyn FactTable>]) -> Self {
        let mut files = Self::default();
        for fact in facts {
            let add = |files: &mut BTreeMap<String, BTreeSet<String>>, key: PartitionKey| {
                files.entry(fact.name().to_owned()).or_default().insert(end_of(key));
            };
            for (index, &key) in fact.partitions().iter().enumerate() {
                if fact.is_replayed(index) {
                    add(&mut files.replayed, key);
                }
                if !fact.is_kept(index) {
                    add(&mut files.written, key);
                    fact.made_from(index).iter().for_each(|&old| add(&mut files.replaced, old));
                }
            }
        }
        files
    }
}

fn end_of(key: PartitionKey) -> String {
    format!("{}/{}", key.directory(), key.file_name())
}

fn is_one_of(files: &BTreeMap<String, BTreeSet<String>>, table: &str, path: &str) -> bool {
    let mut parts = path.rsplitn(3, '/');
    let (file, directory) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    files.get(table).is_some_and(|files| files.contains(&format!("{directory}/{file}")))
}

/// The events that a night replayed, as the event store has them.
fn scope(model: &Model, log: &EventLog, fact: &Fact, replayed: &Replayed) -> Result<Scope> {
    let bound: BTreeSet<usize> = fact.events.iter().map(|binding| binding.event).collect();
    let extract = |event: usize| -> Result<Extract> {
        let name = &model.events[event].name;
        let positions = replayed.events.get(&event).map(Vec::as_slice).unwrap_or_default();
        let batches = log.events_at(name, positions)?;
        Ok(Extract { event: name.clone(), schema: log.schema(name)?, batches })
    };
    let events = bound.into_iter().map(extract).collect::<Result<_>>()?;
    Ok(Scope { headers: replayed.headers.clone(), events })
}
