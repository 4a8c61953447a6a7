//! Log files → the text of a pipeline: what could this log mean?
//!
//! `observe` looks at the lines, `contract` says what fields there are, `entity` and `sort` which things events are about and
//! which of them are dimensions and which head facts; `dimension`, `story` and `fact` guess what each does; `write` gives
//! the text, `settle` leaves out what would not compile.
//!
//! The same log gives the same text. Comments hold names and counts, never values: a log may hold what not everybody should
//! read. Never: decide by the name of a trade, or write a file.

mod contract;
mod dimension;
mod entity;
mod envelope;
mod fact;
mod fact_event;
mod found;
mod hierarchy;
mod measure;
mod observe;
mod settle;
mod shape;
mod sort;
mod story;
mod table;
mod toml;
mod verb;
mod words;
mod write;

pub use found::{Found, FoundDimension, FoundFact, FoundType};

use crate::error::Result;
use crate::log::expand;
use contract::Contract;
use dimension::Dimension;
use entity::{Entity, Scene};
use fact::Fact;
use sort::Nature;
use std::collections::BTreeSet;
use std::path::PathBuf;
use story::{Act, Story};

/// What a draft is to be made from.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files or patterns, relative to `base`.
    pub from: Vec<String>,
    pub base: PathBuf,
    /// The files as the pipeline is to name them.
    pub files: Vec<String>,
    /// The pipeline's name.
    pub name: String,
    /// Lines beyond these are not looked at.
    pub most_lines: u64,
}

/// A pipeline that compiles, and what it was made from.
#[derive(Debug)]
pub struct Draft {
    /// TOML, with comments.
    pub text: String,
    pub found: Found,
}

/// Looks at a log and drafts a pipeline for it.
///
/// # Errors
/// The author's, the operator's or the data owner's: a file that cannot be read, or lines from which no envelope can be guessed.
pub fn draft(options: &Options) -> Result<Draft> {
    let files = expand(&options.base, &options.from)?;
    let observed = observe::observe(&files, options.most_lines)?;
    let mut contracts = contract::contracts(&observed);
    tell_apart(&mut contracts);
    let entities = Scene::new(&observed, &contracts).entities();
    for entity in &entities {
        for home in &entity.homes {
            let names = entity.partner.iter().chain([&home.field]);
            names.for_each(|name| contracts[home.event].require(None, name));
        }
    }
    let natures = sort::natures(&Scene::new(&observed, &contracts), &entities);
    let stories = story::stories(&Scene::new(&observed, &contracts), &entities, &natures);
    require_lines(&stories, &mut contracts);
    let scene = Scene::new(&observed, &contracts);
    let (dimensions, facts) = guess(&scene, &entities, &natures, &stories);
    let text = settle::settle(&scene, options, &dimensions, &facts)?;
    let found = found::found(&scene, &text, &dimensions, &facts, files.len());
    Ok(Draft { text: text.text, found })
}

fn guess(
    scene: &Scene<'_>,
    entities: &[Entity],
    natures: &[Nature],
    stories: &[Story],
) -> (Vec<Dimension>, Vec<Fact>) {
    let sources = stories.iter().flat_map(|story| story.places.iter().chain(&story.headers));
    let named = sources.flat_map(|source| fact::references(scene, entities, source));
    let named_by_facts: BTreeSet<usize> = named.map(|reference| reference.entity).collect();
    let dimensions = dimension::dimensions(scene, entities, natures, &named_by_facts);
    let mut names = BTreeSet::new();
    let facts = stories.iter().filter(|story| !story.places.is_empty());
    let facts = facts.map(|story| fact::fact(scene, entities, &dimensions, story, &mut names)).collect();
    (dimensions, facts)
}

/// Two types that letter case alone tells apart cannot both be declared.
fn tell_apart(contracts: &mut [Contract]) {
    let mut known = BTreeSet::new();
    for contract in contracts {
        contract.is_possible = contract.is_possible && known.insert(contract.name.to_lowercase());
    }
}

/// Headers and lines are always named.
fn require_lines(stories: &[Story], contracts: &mut [Contract]) {
    let all = stories.iter().flat_map(|story| story.places.iter().chain(&story.headers).chain(&story.others));
    for source in all.filter(|source| !matches!(source.act, Act::Nothing(_))) {
        let contract = &mut contracts[source.event];
        source.header.iter().for_each(|name| contract.require(None, name));
        if let Some(line) = &source.line {
            contract.require(source.list.as_deref(), line);
        }
    }
}
