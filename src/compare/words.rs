//! Figures → what they say, in words: which layout won where, and by how much.
//!
//! A difference counts only where the quartiles of the ratios lie on one side of 1: the rest is said to be even.

use super::report::{Comparison, LayoutFigures, QuestionFigures, RenameWay};
use super::text::{bytes, duration, grouped};
use std::cmp::Ordering;

/// A paragraph about size, one about questions, one about a rename.
pub fn words(report: &Comparison) -> Vec<String> {
    let mut words = vec![sizes(&report.layouts)];
    words.extend(answers(report));
    words.extend(rename(report));
    words
}

fn sizes(layouts: &[LayoutFigures]) -> String {
    let Some((first, others)) = layouts.split_first() else { return String::new() };
    let tables = |layout: &LayoutFigures| counted(layout.tables.len() as u64, "table");
    let mut parts = vec![format!("the {} takes {} in {}", first.name, bytes(first.bytes), tables(first))];
    parts.extend(others.iter().map(|other| {
        let difference = percent(other.bytes_ratio);
        format!("the {} {} in {} ({difference})", other.name, bytes(other.bytes), tables(other))
    }));
    let quickest = layouts.iter().min_by_key(|layout| layout.build.median_us);
    let quickest = quickest.map_or("", |layout| layout.name.as_str());
    let builds: Vec<String> = layouts
        .iter()
        .map(|layout| format!("{} the {}", duration(layout.build.median_us), layout.name))
        .collect();
    sentence(&format!("{}. The {quickest} is written fastest: it takes {}", listed(&parts), listed(&builds)))
}

/// A question, its ratio, and what that is worth.
type Won<'a> = (&'a QuestionFigures, f64, Ordering);

fn answers(report: &Comparison) -> Option<String> {
    let (first, others) = report.layouts.split_first()?;
    let mut sentences = Vec::new();
    for other in others {
        let won: Vec<Won<'_>> =
            report.questions.iter().filter_map(|question| won(question, &other.name)).collect();
        let Some(mean) = other.warm_mean.filter(|_| !won.is_empty()) else { continue };
        let begin = if sentences.is_empty() { "Asked again in an open session, the" } else { "The" };
        sentences.push(format!(
            "{begin} {} takes {mean:.2} times as long as the {} (geometric mean of {}): {}.",
            other.name,
            first.name,
            counted(won.len() as u64, "question"),
            outcome(&won)
        ));
    }
    let fastest = |layout: &LayoutFigures| {
        let is_fastest = |question: &&QuestionFigures| {
            let fastest = question.answers.iter().min_by_key(|answer| answer.warm.median_us);
            fastest.is_some_and(|fastest| fastest.layout == layout.name)
        };
        report.questions.iter().filter(is_fastest).count()
    };
    let wins =
        report.layouts.iter().map(|layout| (fastest(layout), &layout.name)).filter(|(wins, _)| *wins > 0);
    let wins: Vec<String> = wins.map(|(wins, name)| format!("the {name} at {wins}")).collect();
    if !wins.is_empty() {
        sentences.push(format!("The least median is that of {}.", listed(&wins)));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn won<'a>(question: &'a QuestionFigures, layout: &str) -> Option<Won<'a>> {
    let ratio = question.answers.iter().find(|answer| answer.layout == layout)?.warm_ratio;
    let verdict = match ratio {
        ratio if ratio.lower > 1.0 => Ordering::Greater,
        ratio if ratio.upper < 1.0 => Ordering::Less,
        _ => Ordering::Equal,
    };
    Some((question, ratio.median, verdict))
}

/// `faster at 2, most at x (×0.71), slower at 1 (y, ×1.23) and even at 4`.
fn outcome(won: &[Won<'_>]) -> String {
    let of = |wanted: Ordering| won.iter().filter(move |(_, _, verdict)| *verdict == wanted);
    let by_ratio = |one: &&Won<'_>, other: &&Won<'_>| one.1.total_cmp(&other.1);
    let part = |wanted: Ordering, what: &str, most: Option<&Won<'_>>| {
        let count = of(wanted).count();
        let most = most.map_or_else(String::new, |(question, ratio, _)| {
            let most = if count > 1 { ", most at " } else { ", at " };
            format!("{most}{} (×{ratio:.2})", question.name)
        });
        (count > 0).then(|| format!("{what} in {count}{most}"))
    };
    let parts = [
        part(Ordering::Less, "faster", of(Ordering::Less).min_by(by_ratio)),
        part(Ordering::Greater, "slower", of(Ordering::Greater).max_by(by_ratio)),
        part(Ordering::Equal, "even", None),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn rename(report: &Comparison) -> Option<String> {
    let rename = report.rename.as_ref()?;
    let (top, bottom) = (rename.levels.last()?, rename.levels.first()?);
    let ways: Vec<String> = rename.ways.iter().map(way).collect();
    Some(format!(
        "What it costs to rename one {top} (“{}”, {} of level {bottom} below it): {}",
        rename.member,
        counted(rename.members_below, "member"),
        ways.join(" ")
    ))
}

fn way(way: &RenameWay) -> String {
    let costs: Vec<String> = way
        .costs
        .iter()
        .map(|cost| match cost.files_rewritten {
            0 => format!("the {} writes nothing", cost.layout),
            files => format!(
                "the {} writes {} in {} for {}",
                cost.layout,
                bytes(cost.bytes_rewritten),
                counted(files, "file"),
                counted(cost.rows_added + cost.rows_changed, "row")
            ),
        })
        .collect();
    let declared = if way.is_declared { " as the pipeline has it" } else { "" };
    sentence(&format!("tracked as {}{declared}, {}", way.tracking, listed(&costs)))
}

/// `12 % more`, `2.3 times as much`.
fn percent(ratio: f64) -> String {
    let percent = ((ratio - 1.0).abs() * 100.0).round();
    match ratio {
        _ if percent < 1.0 => "as much".to_owned(),
        ratio if ratio >= 2.0 => format!("{ratio:.1} times as much"),
        ratio if ratio > 1.0 => format!("{percent:.0} % more"),
        _ => format!("{percent:.0} % less"),
    }
}

fn counted(count: u64, what: &str) -> String {
    let number = grouped(count);
    if count == 1 { format!("{number} {what}") } else { format!("{number} {what}s") }
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// With a capital and an end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
