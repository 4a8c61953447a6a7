//! A byte of a text → the statement around it: which lines belong together, as far as brackets and quotes tell?
//!
//! Knows no more of TOML than that. It serves to leave out the least when something is broken.

use super::Span;

/// The lines around a mistake.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// One statement; of a table's header, all lines up to the next header, lest its keys go to the table before it.
    Closed(Span),
    /// A statement that opens a bracket or a text and never closes it.
    Unclosed {
        /// Its first line.
        opening: Span,
        /// Its lines up to the first that looks like another statement.
        blanked: Span,
    },
    /// Only blanks.
    Nothing,
}

/// The statement that holds this byte.
pub(super) fn around(text: &str, byte: usize) -> Statement {
    let lines = lines(text);
    let Some(index) = lines.iter().rposition(|line| line.start <= byte && !is_blank(text, *line)) else {
        return Statement::Nothing;
    };
    let (mut first, mut state) = (0, State::default());
    for (at, line) in lines.iter().enumerate().take(index + 1) {
        if state.is_outside() {
            first = at;
        }
        state.read(part(text, *line));
    }
    let start = lines[first].start;
    if part(text, lines[first]).trim_start().starts_with('[') {
        return Statement::Closed(Span { start, end: end_of_table(text, &lines, first) });
    }
    let mut last = index;
    while let (false, Some(line)) = (state.is_outside(), lines.get(last + 1)) {
        last += 1;
        state.read(part(text, *line));
    }
    if state.is_outside() {
        return Statement::Closed(Span { start, end: lines[last].end });
    }
    let mut end = lines[first].end;
    for line in lines.iter().skip(first + 1).take_while(|line| !starts_statement(part(text, **line))) {
        end = line.end;
    }
    Statement::Unclosed { opening: lines[first], blanked: Span { start, end } }
}

/// The lines of a text, without their ends.
fn lines(text: &str) -> Vec<Span> {
    let mut start = 0;
    let lengths = text.split_inclusive('\n').map(str::len);
    let mut lines = Vec::new();
    for length in lengths {
        let content = part(text, Span { start, end: start + length }).trim_end_matches(['\n', '\r']).len();
        lines.push(Span { start, end: start + content });
        start += length;
    }
    lines
}

fn part(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

fn is_blank(text: &str, line: Span) -> bool {
    part(text, line).trim().is_empty()
}

fn end_of_table(text: &str, lines: &[Span], header: usize) -> usize {
    let belongs = |line: &&Span| !part(text, **line).trim_start().starts_with('[');
    let body = lines.iter().skip(header + 1).take_while(belongs);
    body.last().or(lines.get(header)).map_or(text.len(), |line| line.end)
}

/// `key = ...`, `[table]`, a comment, or a blank line.
fn starts_statement(line: &str) -> bool {
    let line = line.trim_start();
    let key = line.find('=').and_then(|equals| line.get(..equals)).unwrap_or_default().trim();
    let is_key = |each: char| each.is_alphanumeric() || "._-\"' ".contains(each);
    line.is_empty() || line.starts_with(['[', '#']) || (!key.is_empty() && key.chars().all(is_key))
}

/// What is open at a point of the text.
#[derive(Default)]
struct State {
    brackets: usize,
    /// The quotes that close the text over many lines that is open.
    text: Option<&'static str>,
}

impl State {
    fn is_outside(&self) -> bool {
        self.brackets == 0 && self.text.is_none()
    }

    /// Reads one line.
    fn read(&mut self, line: &str) {
        let mut rest = line;
        loop {
            if let Some(quotes) = self.text {
                let Some(end) = rest.find(quotes) else { return };
                self.text = None;
                rest = rest.get(end + quotes.len()..).unwrap_or_default();
            }
            let Some(next) = rest.chars().next() else { return };
            let long = ["\"\"\"", "'''"].into_iter().find(|quotes| rest.starts_with(quotes));
            let mut length = next.len_utf8();
            match next {
                '#' => return,
                '[' | '{' => self.brackets += 1,
                ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
                '"' | '\'' => match long {
                    Some(quotes) => (self.text, length) = (Some(quotes), quotes.len()),
                    None => length = text_length(rest, next),
                },
                _ => {}
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

/// The length of a text in quotes that ends on its line, or of the rest of the line.
fn text_length(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, each) in rest.char_indices().skip(1) {
        if each == quote && !is_escaped {
            return index + 1;
        }
        is_escaped = each == '\\' && !is_escaped && quote == '"';
    }
    rest.len()
}
