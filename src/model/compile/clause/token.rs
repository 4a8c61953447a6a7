//! A text → its words, numbers, quoted texts and signs.

use super::Mistake;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Without quotes: a name or a word of the language.
    Word(String),
    /// In double quotes: a name.
    Quoted(String),
    Number(String),
    Text(String),
    Sign(&'static str),
    End,
}

/// Longer ones stand before those that they begin with.
const SIGNS: [&str; 18] =
    ["<=", ">=", "<>", "!=", "==", "::", "||", "//", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")"];

/// All tokens with their places, [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Mistake> {
    let mut tokens = Vec::new();
    let mut next = 0;
    while let Some(rest) = text.get(next..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_whitespace() {
            next += first.len_utf8();
            continue;
        }
        let (token, length) = token(rest, first)
            .map_err(|(message, hint)| Mistake::new(next..next + first.len_utf8(), message, hint))?;
        tokens.push((token, next..next + length));
        next += length;
    }
    tokens.push((Token::End, text.len()..text.len() + 1));
    Ok(tokens)
}

fn token(rest: &str, first: char) -> Result<(Token, usize), (String, &'static str)> {
    let while_ = |belongs: fn(char) -> bool| rest.find(|each| !belongs(each)).unwrap_or(rest.len());
    if first == '\'' || first == '"' {
        let (inner, length) = quoted(rest, first)
            .ok_or_else(|| (format!("a {first} without its partner"), "close the quotes"))?;
        let token = if first == '"' { Token::Quoted(inner) } else { Token::Text(inner) };
        return Ok((token, length));
    }
    if first.is_alphabetic() || first == '_' {
        let length = while_(|each| each.is_alphanumeric() || each == '_');
        return Ok((Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length));
    }
    let is_number = first.is_ascii_digit()
        || first == '.'
            && rest.get(1..).is_some_and(|rest| rest.starts_with(|each: char| each.is_ascii_digit()));
    if is_number {
        let length = while_(|each| each.is_alphanumeric() || each == '.' || each == '_');
        return Ok((Token::Number(rest.get(..length).unwrap_or_default().to_owned()), length));
    }
    if rest.starts_with("--") || rest.starts_with("/*") {
        return Err(("a comment has no place here".to_owned(), "leave it out"));
    }
    if first == ',' || first == '.' {
        return Ok((Token::Sign(if first == ',' { "," } else { "." }), 1));
    }
    match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => Err((
            format!("`{first}` has no place here"),
            "texts stand in 'single quotes', names that are no plain words in \"double quotes\"",
        )),
    }
}

/// What stands between two quotes, a doubled one being one of its letters, and the length with both quotes.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut inner = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Some((inner, at + quote.len_utf8()));
        }
        inner.push(letter);
    }
    None
}
