//! `[[question]]` → questions: which fact, which numbers, by what, of which rows.

use super::clause::{self, Mistake, Node, What};
use super::column::{Ground, Subject, known, same};
use super::names;
use super::place::Place;
use super::{filter, measured};
use crate::model::{AsOf, Asked, Column, Fact, Group, Model, Question};
use crate::spec::{At, Instant, Problems, QuestionSpec, Span, list};
use chrono::NaiveDate;

/// Says what a question means to the pipeline of this model.
///
/// `title` and `text` are what problems are shown with: the spans of `spec` lead into the text.
///
/// # Errors
/// The author's: all problems of the question.
pub fn question(
    model: &Model,
    spec: &QuestionSpec,
    title: &str,
    text: &str,
) -> crate::error::Result<Question> {
    let ground = Ground { facts: &model.facts, dimensions: &model.dimensions, calendar: &model.calendar };
    let mut problems = Problems::default();
    let question = one(spec, ground, text, &mut problems);
    question.filter(|_| problems.is_empty()).ok_or_else(|| problems.into_error(title, text))
}

/// All questions of a pipeline.
pub(super) fn compile(
    specs: &[QuestionSpec],
    ground: Ground<'_>,
    text: &str,
    problems: &mut Problems,
) -> Vec<Question> {
    let mut taken = names::Names::default();
    for name in specs.iter().filter_map(|spec| spec.name.as_ref()) {
        names::check_column("the question", name, problems);
        taken.claim("the question", name, problems);
    }
    specs.iter().filter_map(|spec| one(spec, ground, text, problems)).collect()
}

/// One question. `None` after reporting why.
pub(super) fn one(
    spec: &QuestionSpec,
    ground: Ground<'_>,
    text: &str,
    problems: &mut Problems,
) -> Option<Question> {
    let written = spec.measures.as_deref()?;
    if written.is_empty() {
        let span = spec.name.as_ref().or(spec.by.first()).map_or_else(Span::default, |near| near.span);
        problems.add(span, "a question without a measure", "ask at least for `count()`");
        return None;
    }
    let measures = parse_all(written, text, problems);
    let by = parse_all(&spec.by, text, problems);
    let filter = match &spec.filter {
        Some(written) => Some(parse(written, text, problems)?),
        None => None,
    };
    let fact = fact(spec, ground, &measures, problems)?;
    let subject = Subject { ground, fact: ground.facts.get(fact)? };
    let asked = measures
        .iter()
        .map(|part| read(part, text, problems, |node, text| measured::compile(subject, node, text)));
    let asked: Vec<Option<Asked>> = asked.collect();
    let groups = by.iter().map(|part| read(part, text, problems, |node, text| group(subject, node, text)));
    let groups: Vec<Option<_>> = groups.collect();
    let filter =
        filter.map(|part| read(&part, text, problems, |node, text| filter::compile(subject, node, text)));
    let as_of = spec.as_of.as_ref().map_or(Some(AsOf::Sold), |written| as_of(written, problems));
    let (asked, groups): (Vec<Asked>, Vec<_>) =
        (asked.into_iter().collect::<Option<_>>()?, groups.into_iter().collect::<Option<_>>()?);
    let (filter, as_of) = (filter.map_or(Some(None), |filter| filter.map(Some))?, as_of?);
    if asked.len() < written.len() || groups.len() < spec.by.len() {
        return None;
    }
    let by = name_groups(groups, &asked, subject.fact);
    check_names(&asked, &by, spec, problems)?;
    let name = spec.name.as_ref().map_or_else(String::new, |name| name.value.clone());
    Some(Question { name, fact, measures: asked, by, filter, as_of })
}

/// A text of the question, read.
struct Part<'s> {
    written: &'s At<String>,
    node: Node,
}

fn parse_all<'s>(written: &'s [At<String>], text: &str, problems: &mut Problems) -> Vec<Part<'s>> {
    written.iter().filter_map(|written| parse(written, text, problems)).collect()
}

fn parse<'s>(written: &'s At<String>, text: &str, problems: &mut Problems) -> Option<Part<'s>> {
    match clause::parse(&written.value) {
        Ok(node) => Some(Part { written, node }),
        Err(mistake) => {
            report(mistake, written, text, problems);
            None
        }
    }
}

fn report(mistake: Mistake, written: &At<String>, text: &str, problems: &mut Problems) {
    let place = Place::of(&written.value, written.span, text);
    problems.add(place.span(mistake.place), mistake.message, mistake.hint);
}

/// What a part means. In doubt about the pipeline, nothing is said: what is missing may be a mistake reported elsewhere.
fn read<T>(
    part: &Part<'_>,
    text: &str,
    problems: &mut Problems,
    meaning: impl FnOnce(&Node, &str) -> Result<T, Mistake>,
) -> Option<T> {
    match meaning(&part.node, &part.written.value) {
        Ok(read) => Some(read),
        Err(mistake) => {
            let place = Place::of(&part.written.value, part.written.span, text);
            problems.absent(place.span(mistake.place), mistake.message, mistake.hint);
            None
        }
    }
}

/// The columns of the answer that one part of `by` makes.
fn group(subject: Subject<'_>, node: &Node, text: &str) -> Result<(Option<String>, Vec<Column>), Mistake> {
    let (name, node) = measured::named(node)?;
    let columns = match name {
        Some(_) => vec![subject.column(node, text)?],
        None => subject.columns(node, text)?,
    };
    Ok((name, columns))
}

/// The fact that is named; else the one whose measure or name comes first; else the only one.
fn fact(
    spec: &QuestionSpec,
    ground: Ground<'_>,
    measures: &[Part<'_>],
    problems: &mut Problems,
) -> Option<usize> {
    let names = || ground.facts.iter().map(|fact| fact.name.as_str());
    if let Some(written) = &spec.fact {
        let found = names().position(|name| same(name, &written.value));
        if found.is_none() {
            let message = format!("there is no fact `{}`", written.value);
            problems.unknown(written.span, message, &written.value, names());
        }
        return found;
    }
    let words: Vec<&str> = measures.iter().flat_map(|part| mentioned(&part.node)).collect();
    let knows = |fact: &Fact, word: &str| {
        same(&fact.name, word) || fact.measures.iter().any(|measure| same(&measure.name, word))
    };
    let of_word = |word: &&str| {
        let mut found =
            ground.facts.iter().enumerate().filter(|(_, fact)| knows(fact, word)).map(|(index, _)| index);
        found.next().filter(|_| found.next().is_none())
    };
    if let Some(found) = words.iter().find_map(of_word) {
        return Some(found);
    }
    if ground.facts.len() == 1 {
        return Some(0);
    }
    let span = spec.measures.as_deref().and_then(<[_]>::first).map_or_else(Span::default, |first| first.span);
    let hint = format!("name it as `fact`: one of {}", list(names()));
    problems.absent(span, "no measure says which fact is asked", hint);
    None
}

/// The names without a role in a measure.
fn mentioned(node: &Node) -> Vec<&str> {
    match &node.what {
        What::Name(parts) if parts.len() == 1 => parts.iter().map(String::as_str).collect(),
        What::Call(_, arguments) => arguments.iter().flat_map(mentioned).collect(),
        What::Compare(_, _, of) => mentioned(of),
        _ => Vec::new(),
    }
}

fn as_of(written: &At<Instant>, problems: &mut Problems) -> Option<AsOf> {
    let text = written.value.0.as_str();
    let read = match text {
        "sold" => Some(AsOf::Sold),
        "now" => Some(AsOf::Now),
        date => NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().map(AsOf::Day),
    };
    if read.is_none() {
        let hint = match known(text, ["sold", "now"]) {
            meant if meant.starts_with("did") => meant,
            _ => "`sold`: the attributes of the fact's own time; `now`: today's; or a date, 2023-01-31"
                .to_owned(),
        };
        problems.add(written.span, format!("`{text}` says no time"), hint);
    }
    read
}

/// A group bears its column's name, with its role's before it where that name is taken.
fn name_groups(groups: Vec<(Option<String>, Vec<Column>)>, asked: &[Asked], fact: &Fact) -> Vec<Group> {
    let all: Vec<&str> = groups
        .iter()
        .flat_map(|(name, columns)| match name {
            Some(name) => vec![name.as_str()],
            None => columns.iter().map(Column::name).collect(),
        })
        .chain(asked.iter().map(|asked| asked.name.as_str()))
        .collect();
    let is_taken = |name: &str| all.iter().filter(|other| same(other, name)).count() > 1;
    let group = |name: &Option<String>, column: &Column| {
        let name = match name {
            Some(name) => name.clone(),
            None if is_taken(column.name()) => qualified(column, fact),
            None => column.name().to_owned(),
        };
        Group { name, column: column.clone() }
    };
    let groups =
        groups.iter().flat_map(|(name, columns)| columns.iter().map(move |column| group(name, column)));
    groups.collect()
}

fn qualified(column: &Column, fact: &Fact) -> String {
    match column {
        Column::Own { name, .. } => name.clone(),
        Column::Date { name, .. } => format!("date_{name}"),
        Column::OfRole { role, name, .. } => {
            let role = fact.roles.get(*role).map_or("", |role| role.name.as_str());
            format!("{role}_{name}")
        }
    }
}

/// Every column of the answer has a name of its own.
fn check_names(asked: &[Asked], by: &[Group], spec: &QuestionSpec, problems: &mut Problems) -> Option<()> {
    let names: Vec<&str> = by
        .iter()
        .map(|group| group.name.as_str())
        .chain(asked.iter().map(|asked| asked.name.as_str()))
        .collect();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| same(earlier, name)) {
            let list = if index < by.len() { &spec.by } else { spec.measures.as_ref()? };
            let span = list.last().map(|last| last.span).or(spec.name.as_ref().map(|name| name.span))?;
            let message = format!("two columns of the answer are called `{name}`");
            problems.add(span, message, format!("name one otherwise: `other = {name}`; or ask for it once"));
            return None;
        }
    }
    Some(())
}
