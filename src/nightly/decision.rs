//! (current release, log, pipeline) → what a run has to build, and why.

use super::rejects;
use crate::layout::Layout;
use crate::log::{EventLog, Position};
use crate::model::Model;
use crate::warehouse::{FORMAT_VERSION, Release};
use serde::Serialize;

/// How the tables of the next release are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    /// The current release is what the log gives.
    Nothing,
    /// There is no release yet.
    First,
    /// From the current release, by what is new.
    Night,
    /// From the log's first event on, since the current release is one of another program, pipeline or log.
    Rebuild,
}

/// What is to be built, with the reasons that are not simply new events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub build: Build,
    pub because: Vec<String>,
}

/// Decides.
pub fn decide(model: &Model, log: &EventLog, current: Option<&Release>, layouts: &[Layout]) -> Decision {
    let Some(current) = current else { return Decision { build: Build::First, because: Vec::new() } };
    let (manifest, number) = (current.manifest(), current.number());
    let mut because = Vec::new();
    if manifest.format_version != FORMAT_VERSION {
        let format = manifest.format_version;
        because.push(format!(
            "release {number} was written in format {format}, this program writes {FORMAT_VERSION}"
        ));
    }
    if manifest.pipeline.hash != model.hash {
        because.push(format!("the pipeline has changed since release {number}"));
    }
    if !is_of(current, log) {
        because
            .push(format!("release {number} was made from another log, or from one that has lost its end"));
    }
    if !because.is_empty() {
        return Decision { build: Build::Rebuild, because };
    }
    let mut built = current.layouts().unwrap_or_default();
    built.sort_unstable();
    if built != layouts {
        because.push(format!("release {number} has other layouts"));
    }
    because.extend(changed_views(model, current));
    if rejects::are_unseen(log, current) {
        because.push(format!("there are rejects that release {number} does not show"));
    }
    let is_new = manifest.log_position != log.position().0;
    let build = if is_new || !because.is_empty() { Build::Night } else { Build::Nothing };
    Decision { build, because }
}

/// Views that are not those of a release, each with what became of it.
pub fn changed_views(model: &Model, release: &Release) -> Vec<String> {
    let (known, number) = (&release.manifest().views, release.number());
    let declared = model.views.iter().filter_map(|view| match known.get(&view.name) {
        None => Some(format!("release {number} does not have the view {}", view.name)),
        Some(known) if known.definition != view.hash => {
            Some(format!("the view {} says something else than in release {number}", view.name))
        }
        Some(_) => None,
    });
    let is_declared = |name: &&String| model.views.iter().any(|view| view.name == **name);
    let gone = known.keys().filter(|name| !is_declared(name));
    declared.chain(gone.map(|name| format!("the pipeline has no view {name} any more"))).collect()
}

/// Whether the log is the one that a release was made from, however far it has come since. An old copy of a log that took
/// in other files since is none.
pub fn is_of(release: &Release, log: &EventLog) -> bool {
    let manifest = release.manifest();
    let position = Position(manifest.log_position);
    match (manifest.log_print, log.print_at(position)) {
        (Some(one), Some(other)) => one == other,
        // It ended nowhere near there, or is too old for that to be known.
        (Some(_), None) => position <= log.position() && log.print_at(log.position()).is_none(),
        (None, _) => position <= log.position(),
    }
}
