//! Names, texts and comments → TOML that means them, whatever signs they hold.

/// Where comments begin, if the line leaves room.
const COMMENT_COLUMN: usize = 52;

/// A key: bare where it can be.
pub fn key(name: &str) -> String {
    let is_bare = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { text(name) }
}

/// A text in quotes.
pub fn text(value: &str) -> String {
    let mut text = String::from("\"");
    for sign in value.chars() {
        match sign {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            sign if sign.is_control() => text.push_str(&format!("\\u{:04X}", u32::from(sign))),
            sign => text.push(sign),
        }
    }
    text.push('"');
    text
}

/// `["a", "b"]`
pub fn list<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| text(value)).collect();
    format!("[{}]", values.join(", "))
}

/// `{ a = "b" }`
pub fn table<'a>(pairs: impl IntoIterator<Item = (&'a String, String)>) -> String {
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A field, or several.
pub fn fields(fields: &[String]) -> String {
    match fields {
        [one] => text(one),
        many => list(many),
    }
}

/// A text on one line of its own, or behind a statement: no sign in it ends the line.
pub fn said(comment: &str) -> String {
    comment.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

/// A statement with the reason for it.
pub fn with_reason(statement: &str, why: &str) -> String {
    if why.is_empty() {
        return format!("{statement}\n");
    }
    let width = statement.chars().count();
    let space = COMMENT_COLUMN.saturating_sub(width).max(2);
    format!("{statement}{}# {}\n", " ".repeat(space), said(why))
}

/// A sentence over as many lines as it needs.
pub fn comment(sentence: &str) -> String {
    let mut page = String::new();
    let mut line = String::from("#");
    for word in said(sentence).split(' ') {
        if line.chars().count() + word.chars().count() > 110 && line != "#" {
            page.push_str(&line);
            page.push('\n');
            line = "#  ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    page.push_str(&line);
    page.push('\n');
    page
}

/// What is left out, as comment lines.
pub fn out(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") }).collect()
}
