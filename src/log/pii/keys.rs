//! A text → whether a key of one of these names stands in it, however broken the text is, and under however many escapes.

use std::borrow::Cow;

/// More layers of escapes than quotes can have: each doubles the length of a quote in the one around it.
const MOST_LAYERS: usize = 32;

/// Whether a name stands in quotes before a colon (JSON) or an equals sign (hstore), in the text or in what is left when
/// its escapes are taken away, layer by layer.
pub fn has_key(text: &[u8], is_name: impl Fn(&[u8]) -> bool) -> bool {
    let mut layer = Cow::Borrowed(text);
    for _ in 0..MOST_LAYERS {
        if has_plain_key(&layer, &is_name) {
            return true;
        }
        let Some(next) = unescaped(&layer) else { return false };
        layer = Cow::Owned(next);
    }
    // Nobody writes so; what cannot be looked through is not let through.
    true
}

fn has_plain_key(text: &[u8], is_name: &impl Fn(&[u8]) -> bool) -> bool {
    let mut quotes = memchr::memchr2_iter(b'"', b'\'', text).peekable();
    while let Some(open) = quotes.next() {
        let Some(&close) = quotes.peek() else { return false };
        let behind = text.get(close + 1..).unwrap_or_default().trim_ascii_start();
        if matches!(behind.first(), Some(b':' | b'='))
            && is_name(text.get(open + 1..close).unwrap_or_default())
        {
            return true;
        }
    }
    false
}

/// The text without one layer of escapes, read as kindly as can be; none where there is no escape.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        let length = match escape.get(1) {
            Some(b'u') => match character(escape) {
                Some((character, length)) => {
                    plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    length
                }
                None => 1,
            },
            Some(b'b' | b'f' | b'n' | b'r' | b't') => {
                plain.push(b' ');
                2
            }
            Some(&other) => {
                plain.push(other);
                2
            }
            None => 1,
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

/// The character of `\uXXXX`, or of two that are a surrogate pair, and the length of both.
fn character(escape: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(escape.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = unit(2)?;
    if let Some(character) = char::from_u32(high) {
        return Some((character, 6));
    }
    let low = unit(8).filter(|low| (0xDC00..0xE000).contains(low) && escape.get(6..8) == Some(b"\\u"))?;
    char::from_u32(0x1_0000 + ((high.checked_sub(0xD800)?) << 10) + (low - 0xDC00))
        .map(|character| (character, 12))
}
