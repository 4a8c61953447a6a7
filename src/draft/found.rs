//! What a draft holds, for whoever prints it.

use super::dimension::Dimension;
use super::entity::Scene;
use super::fact::Fact;
use super::settle::Settled;
use serde::Serialize;

/// What was found in a log.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    pub files: usize,
    pub lines: u64,
    /// Whether these are all lines of the files.
    pub is_all: bool,
    pub events: u64,
    pub duplicates: u64,
    /// Lines that are no events.
    pub broken: u64,
    pub blank: u64,
    /// Why the envelope is thought to be what it is.
    pub envelope: Vec<String>,
    pub types: Vec<FoundType>,
    pub dimensions: Vec<FoundDimension>,
    pub facts: Vec<FoundFact>,
    /// What is not in any table, with the reason.
    pub left_out: Vec<String>,
}

/// An event type.
#[derive(Debug, Clone, Serialize)]
pub struct FoundType {
    pub name: String,
    pub events: u64,
    pub fields: usize,
    pub lists: usize,
}

/// A dimension.
#[derive(Debug, Clone, Serialize)]
pub struct FoundDimension {
    pub name: String,
    pub key: Vec<String>,
    pub members: usize,
    pub attributes: usize,
    /// From the bottom up, without the dimension itself.
    pub levels: Vec<String>,
}

/// A fact.
#[derive(Debug, Clone, Serialize)]
pub struct FoundFact {
    pub name: String,
    pub header: Vec<String>,
    pub roles: Vec<String>,
    pub measures: Vec<String>,
    /// Event types with what they do.
    pub events: Vec<(String, &'static str)>,
}

pub fn found(
    scene: &Scene<'_>,
    settled: &Settled,
    dimensions: &[Dimension],
    facts: &[Fact],
    files: usize,
) -> Found {
    let observed = scene.observed;
    let names = |pairs: &[(String, super::shape::Kind)]| pairs.iter().map(|(name, _)| name.clone()).collect();
    let mut left_out = Vec::new();
    for contract in scene.contracts {
        left_out.extend(contract.left_out.iter().map(|why| format!("{}: {why}", contract.name)));
    }
    let dimension = |at: &usize| {
        let dimension = &dimensions[*at];
        let upper = dimension.levels.iter().skip(1).map(|level| level.name.clone());
        let base = dimension.levels.first()?;
        Some(FoundDimension {
            name: base.name.clone(),
            key: names(&base.key),
            members: base.members,
            attributes: dimension.levels.iter().map(|level| level.attributes.len()).sum(),
            levels: upper.chain(dimension.plain.iter().map(|(name, ..)| name.clone())).collect(),
        })
    };
    let mut found_facts = Vec::new();
    for (at, bound) in &settled.facts {
        let fact = &facts[*at];
        let mut events = Vec::new();
        for (place, on) in fact.on.iter().enumerate() {
            let name = &scene.contracts[on.event].name;
            match (bound.contains(&place), &on.left_out) {
                (true, _) => events.push((name.clone(), on.does)),
                (false, why) => {
                    let why = why.as_deref().unwrap_or("it does not fit the fact");
                    left_out.push(format!("{name}: not bound to {}: {why}", fact.name));
                }
            }
        }
        found_facts.push(FoundFact {
            name: fact.name.clone(),
            header: names(&fact.header),
            roles: fact.roles.iter().map(|role| role.name.clone()).collect(),
            measures: fact.measures.iter().map(|measure| measure.name.clone()).collect(),
            events,
        });
    }
    Found {
        files,
        lines: observed.extent.lines,
        is_all: observed.extent.is_all,
        events: observed.events,
        duplicates: observed.duplicates,
        broken: observed.broken,
        blank: observed.blank,
        envelope: observed.envelope.why.clone(),
        types: scene
            .contracts
            .iter()
            .map(|contract| FoundType {
                name: contract.name.clone(),
                events: contract.events,
                fields: contract.fields.len(),
                lists: contract.lists.len(),
            })
            .collect(),
        dimensions: settled.dimensions.iter().filter_map(dimension).collect(),
        facts: found_facts,
        left_out,
    }
}
