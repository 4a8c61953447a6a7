//! A name → its words: what do `OrderLineChanged`, `order.line.changed` and `order_line_changed` have in common?

/// Behind these a name says of what it is the key: `account_no`.
const OF_KEYS: [&str; 11] = ["id", "no", "nr", "num", "number", "key", "code", "uuid", "guid", "ref", "pk"];

/// Words that say which of two values of an attribute a field holds.
const BEFORE: [&str; 6] = ["old", "previous", "prev", "from", "former", "before"];
const AFTER: [&str; 3] = ["new", "to", "after"];

/// The words of a name, in lower case.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    let mut signs = name.chars().peekable();
    while let Some(sign) = signs.next() {
        let starts =
            sign.is_uppercase() && (was_lower || signs.peek().is_some_and(|next| next.is_lowercase()));
        if !sign.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (sign.is_alphanumeric(), words.last_mut()) {
            word.extend(sign.to_lowercase());
        }
        was_lower = sign.is_lowercase() || sign.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `team_id` → team; nothing for a name that has no such end.
pub fn key_stem(words: &[String]) -> Option<Vec<String>> {
    let (last, stem) = words.split_last()?;
    if stem.is_empty() {
        let stem = last.strip_suffix("id").filter(|stem| stem.len() > 2)?;
        return Some(vec![stem.trim_end_matches('_').to_owned()]);
    }
    OF_KEYS.contains(&last.as_str()).then(|| stem.to_vec())
}

/// Whether a name is nothing but `id` or `key`. A mere `code` may stand for anything.
pub fn is_bare_key(words: &[String]) -> bool {
    matches!(words, [word] if matches!(word.as_str(), "id" | "uuid" | "guid" | "key" | "pk"))
}

/// Whether values of such a name are names of things, even where they look like numbers.
pub fn is_code(words: &[String]) -> bool {
    const CODES: [&str; 6] = ["version", "phone", "zip", "postal", "postcode", "ip"];
    let is = |word: &String| OF_KEYS.contains(&word.as_str()) || CODES.contains(&word.as_str());
    words.iter().any(is) || key_stem(words).is_some()
}

/// `old_name` → name, `from_city` → city: the value before a change.
pub fn before_change(words: &[String]) -> Option<&[String]> {
    beside(words, &BEFORE)
}

/// `new_name` → name, `to_city` → city: the value that a change sets.
pub fn after_change(words: &[String]) -> Option<&[String]> {
    beside(words, &AFTER)
}

fn beside<'w>(words: &'w [String], marks: &[&str]) -> Option<&'w [String]> {
    let (first, rest) = words.split_first()?;
    (!rest.is_empty() && marks.contains(&first.as_str())).then_some(rest)
}

/// Where some words stand in a row among others.
pub fn place_of(part: &[String], whole: &[String]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    whole.windows(part.len()).position(|window| window == part)
}

/// Whether one of these words is among them.
pub fn has_any(words: &[String], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(&word.as_str()))
}

/// A name for a table: letters, digits and `_`.
pub fn snake(words: &[String]) -> String {
    let plain = |word: &String| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let name = words.iter().map(plain).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("x{name}"),
    }
}

/// More than one of them.
pub fn plural(word: &str) -> String {
    let before_y = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{stem}ies"),
        None if word.ends_with('s')
            || word.ends_with('x')
            || word.ends_with("ch")
            || word.ends_with("sh") =>
        {
            format!("{word}es")
        }
        None => format!("{word}s"),
    }
}
