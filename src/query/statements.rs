//! A text of several statements → one text each: where does a statement end?
//!
//! This only cuts; it decides nothing about what a statement may do. A text cut wrongly fails to parse.

/// The statements of a text, without the semicolons between them. Empty ones are left out.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    while let Some(token) = scanner.token() {
        if token == Token::Semicolon {
            statements.extend(text.get(start..scanner.at - 1));
            start = scanner.at;
        }
    }
    statements.extend(text.get(start..));
    statements.into_iter().map(str::trim).filter(|statement| !statement.is_empty()).collect()
}

/// Whether a text that is being typed is finished: it ends with a semicolon that is not inside quotes
/// or a comment.
#[must_use]
pub fn is_complete(text: &str) -> bool {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    let mut last = None;
    while let Some(token) = scanner.token() {
        if token != Token::Blank {
            last = Some(token);
        }
    }
    last == Some(Token::Semicolon)
}

/// The first word of a statement in capitals, and what follows it. Blanks and comments are skipped.
pub(super) fn first_word(statement: &str) -> (String, &str) {
    let rest = skip_blanks(statement);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    (word.to_ascii_uppercase(), rest)
}

/// What follows the blanks and comments at the beginning.
pub(super) fn skip_blanks(text: &str) -> &str {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    let mut from = 0;
    while let Some(Token::Blank) = scanner.token() {
        from = scanner.at;
    }
    text.get(from..).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// White space or a comment.
    Blank,
    Semicolon,
    /// A word, a quoted text, a sign.
    Other,
    /// A quote or comment that does not end.
    Open,
}

/// Walks over a text as DuckDB's own scanner does: it knows quotes, dollar quotes and comments.
struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn token(&mut self) -> Option<Token> {
        let byte = self.peek(0)?;
        self.at += 1;
        Some(match byte {
            b';' => Token::Semicolon,
            b'\'' => self.quoted(b'\'', false),
            b'"' => self.quoted(b'"', false),
            b'-' if self.peek(0) == Some(b'-') => self.line_comment(),
            b'/' if self.peek(0) == Some(b'*') => self.block_comment(),
            b'$' => self.dollar(),
            b'e' | b'E' if self.peek(0) == Some(b'\'') => {
                self.at += 1;
                self.quoted(b'\'', true)
            }
            byte if byte.is_ascii_whitespace() => Token::Blank,
            byte if is_word(byte) => {
                while self.peek(0).is_some_and(|next| is_word(next) || next == b'$') {
                    self.at += 1;
                }
                Token::Other
            }
            _ => Token::Other,
        })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Up to the closing quote; a doubled quote is none.
    fn quoted(&mut self, quote: u8, backslash_escapes: bool) -> Token {
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            if backslash_escapes && byte == b'\\' {
                self.at += 1;
            } else if byte == quote {
                if self.peek(0) != Some(quote) {
                    return Token::Other;
                }
                self.at += 1;
            }
        }
        self.at = self.text.len();
        Token::Open
    }

    fn line_comment(&mut self) -> Token {
        while self.peek(0).is_some_and(|byte| byte != b'\n' && byte != b'\r') {
            self.at += 1;
        }
        Token::Blank
    }

    /// Comments nest.
    fn block_comment(&mut self) -> Token {
        self.at += 1;
        let mut depth = 1;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match (byte, self.peek(0)) {
                (b'*', Some(b'/')) => {
                    self.at += 1;
                    depth -= 1;
                    if depth == 0 {
                        return Token::Blank;
                    }
                }
                (b'/', Some(b'*')) => {
                    self.at += 1;
                    depth += 1;
                }
                _ => {}
            }
        }
        Token::Open
    }

    /// `$tag$ … $tag$`; a `$1` is a parameter.
    fn dollar(&mut self) -> Token {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let tag = rest.iter().take_while(|byte| is_word(**byte)).count();
        let starts_with_digit = rest.first().is_some_and(u8::is_ascii_digit);
        if starts_with_digit || rest.get(tag) != Some(&b'$') {
            return Token::Other;
        }
        let delimiter = self.text.get(self.at - 1..=self.at + tag).unwrap_or_default();
        self.at += tag + 1;
        let body = self.text.get(self.at..).unwrap_or_default();
        match body.windows(delimiter.len()).position(|window| window == delimiter) {
            Some(end) => {
                self.at += end + delimiter.len();
                Token::Other
            }
            None => {
                self.at = self.text.len();
                Token::Open
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
