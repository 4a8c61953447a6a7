//! SQL → the same text with its words marked, for eyes.

use super::figure::escaped;

/// Words of the language that our SQL is made of.
const WORDS: &[&str] = &[
    "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COUNT", "DECIMAL", "DESC", "DISTINCT",
    "ELSE", "END", "FILTER", "FIRST", "FROM", "GROUP", "ILIKE", "IN", "IS", "JOIN", "LAST", "LEFT", "LIKE",
    "MAX", "MIN", "NOT", "NULL", "NULLS", "ON", "OR", "ORDER", "SELECT", "SUM", "THEN", "USING", "WHEN",
    "WHERE", "WITH",
];

/// The text as HTML. What stands in quotes is left alone.
pub fn marked(sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    let mut is_column = false;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '"' | '\'' => quoted(rest, letter),
            letter if letter.is_alphabetic() => {
                rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len())
            }
            letter => letter.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        let text = escaped(piece);
        match letter {
            '\'' => out.push_str(&format!("<i>{text}</i>")),
            _ if !is_column && WORDS.contains(&piece.to_ascii_uppercase().as_str()) => {
                out.push_str(&format!("<b>{text}</b>"))
            }
            _ => out.push_str(&text),
        }
        is_column = letter == '.';
        rest = after;
    }
    out
}

/// The length of what stands in these quotes, with them; a doubled quote ends nothing.
fn quoted(text: &str, quote: char) -> usize {
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote && signs.next_if(|(_, next)| *next == quote).is_none() {
            return at + sign.len_utf8();
        }
    }
    text.len()
}
