//! Guesses → a text that compiles: whatever would not is left out, as a comment, and no other guess suffers.

use super::Options;
use super::dimension::Dimension;
use super::entity::Scene;
use super::fact::Fact;
use super::toml::{comment, out};
use super::write;
use crate::error::Result;
use crate::model;
use crate::spec::Spec;
use std::collections::BTreeSet;
use std::path::Path;

/// The text, and what of the guesses is in it.
#[derive(Debug)]
pub struct Settled {
    pub text: String,
    pub dimensions: BTreeSet<usize>,
    /// Of each fact that is in it, its place and the places of its events.
    pub facts: Vec<(usize, BTreeSet<usize>)>,
}

/// Puts the parts together, as far as they compile.
///
/// # Errors
/// Ours, if not even the events compile.
pub fn settle(
    scene: &Scene<'_>,
    options: &Options,
    dimensions: &[Dimension],
    facts: &[Fact],
) -> Result<Settled> {
    let head = write::head(scene, &options.name, &options.files);
    let mut settled = Settled { text: head, dimensions: BTreeSet::new(), facts: Vec::new() };
    model::compile(&Spec::read(&settled.text), Path::new("."), "the draft", &settled.text)?;
    if !dimensions.is_empty() {
        settled.text.push_str("\n# === Dimensions: who, what and where. An event sets every attribute that it has a field of the same name for.\n");
    }
    for (at, dimension) in dimensions.iter().enumerate() {
        let full = write::dimension(scene, dimension, true);
        let plain = write::dimension(scene, dimension, false);
        let found = [&full, &plain].into_iter().find(|part| compiles(&settled.text, part));
        settled.dimensions.extend(found.map(|_| at));
        match found {
            Some(part) => settled.text.push_str(part),
            None => leave_out(&mut settled.text, &full),
        }
    }
    if !facts.is_empty() {
        settled.text.push_str(
            "\n# === Facts: how much. A signed ledger: what is placed adds, what is taken back subtracts.\n",
        );
    }
    for (at, fact) in facts.iter().enumerate() {
        let write = |on: &BTreeSet<usize>| write::fact(scene, fact, dimensions, &settled.dimensions, on);
        let all = || fact.on.iter().enumerate();
        let needed = all().filter(|(_, on)| matches!(on.does, "place" | "header") && on.left_out.is_none());
        let mut bound: BTreeSet<usize> = needed.map(|(place, _)| place).collect();
        if !compiles(&settled.text, &write(&bound)) {
            let text = write(&bound);
            leave_out(&mut settled.text, &text);
            continue;
        }
        for (place, _) in all().filter(|(_, on)| on.left_out.is_none()) {
            let mut more = bound.clone();
            if more.insert(place) && compiles(&settled.text, &write(&more)) {
                bound = more;
            }
        }
        let text = write(&bound);
        settled.text.push_str(&text);
        settled.facts.push((at, bound));
    }
    Ok(settled)
}

fn compiles(text: &str, part: &str) -> bool {
    let whole = format!("{text}{part}");
    model::compile(&Spec::read(&whole), Path::new("."), "the draft", &whole).is_ok()
}

fn leave_out(text: &mut String, part: &str) {
    text.push('\n');
    text.push_str(&comment("This guess does not compile as it stands, and is left out:"));
    text.push_str(&out(part.trim_start()));
}
