//! The flags of `starlog ask` → a question, its mistakes shown where they were typed.

use starlog::error::Result;
use starlog::model::{self, AsOf, Model, Question};
use starlog::spec::{At, Instant, QuestionSpec, Span};

use super::ask::AskArguments;

/// What problems are shown with.
const TITLE: &str = "the question";

/// The question that the flags ask.
pub fn question(arguments: &AskArguments, model: &Model) -> Result<Question> {
    let mut typed = Typed::default();
    let spec = QuestionSpec {
        name: None,
        fact: arguments.fact.as_ref().map(|fact| typed.one("--fact", fact)),
        measures: Some(typed.list("--measures", &arguments.measures)),
        by: typed.list("--by", &arguments.by),
        filter: arguments.filter.as_ref().map(|filter| typed.one("--where", filter)),
        as_of: arguments.as_of.as_ref().map(|time| typed.time(time)),
    };
    model::question(model, &spec, TITLE, &typed.text)
}

/// What `--as` says.
pub fn time(written: &str, model: &Model) -> Result<AsOf> {
    let mut typed = Typed::default();
    let as_of = Some(typed.time(written));
    let count = typed.one("", "count()");
    let fact = model.facts.first().map(|fact| typed.one("", &fact.name));
    let spec = QuestionSpec { fact, measures: Some(vec![count]), as_of, ..QuestionSpec::default() };
    Ok(model::question(model, &spec, TITLE, &typed.text)?.as_of)
}

/// The flags as they might have been typed, one a line.
#[derive(Default)]
struct Typed {
    text: String,
}

impl Typed {
    fn one(&mut self, flag: &str, value: &str) -> At<String> {
        self.text.push_str(flag);
        self.text.push(' ');
        let start = self.text.len();
        self.text.push_str(value);
        let span = Span { start, end: self.text.len() };
        self.text.push('\n');
        At { value: value.to_owned(), span }
    }

    fn time(&mut self, value: &str) -> At<Instant> {
        let written = self.one("--as", value);
        written.with(Instant(written.value.clone()))
    }

    fn list(&mut self, flag: &str, values: &[String]) -> Vec<At<String>> {
        let mut list = Vec::new();
        for value in values {
            let whole = self.one(flag, value);
            for part in parts(value) {
                let start = whole.span.start + part.start;
                let span = Span { start, end: whole.span.start + part.end };
                list.push(At { value: value.get(part).unwrap_or_default().to_owned(), span });
            }
        }
        list
    }
}

/// Where the parts between commas stand, but for those in parentheses and quotes; without blanks around them.
fn parts(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(start..text.len());
    let trimmed = |part: std::ops::Range<usize>| {
        let inner = text.get(part.clone()).unwrap_or_default();
        let start = part.start + (inner.len() - inner.trim_start().len());
        start..start + inner.trim().len()
    };
    parts.into_iter().map(trimmed).collect()
}
