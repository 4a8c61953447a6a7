//! What Debezium writes for a value that the database did not say again, because the change left it as it was: its
//! placeholder, in the form that the column's type asks for.

use super::object::{Object, integer, items, text};

const PLACEHOLDER: &str = "__debezium_unavailable_value";
/// Of bytes, in base64 (with and without the letters that are safe in a URL they are the same) and as hexadecimal text.
const OF_BYTES: [&str; 2] =
    ["X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==", "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"];
/// Of an item of a list of UUIDs.
const OF_UUIDS: &str = "b68a35a7-17ad-35b3-af2a-ae46edb4545a";

/// Whether a value is the placeholder of some type of column.
pub fn is_unavailable(raw: &[u8]) -> bool {
    match raw.first() {
        Some(b'"') => text(raw).is_some_and(|text| is_placeholder(&text) || is_map(text.as_bytes())),
        Some(b'{') => is_map(raw),
        Some(b'[') => items(raw).is_some_and(|items| is_list(&items)),
        _ => false,
    }
}

fn is_placeholder(text: &str) -> bool {
    text == PLACEHOLDER || OF_BYTES.contains(&text)
}

/// Of an hstore, as an object or a text that is one.
fn is_map(raw: &[u8]) -> bool {
    let is_short = raw.len() < 4 * PLACEHOLDER.len();
    let members = Object::of(raw.trim_ascii()).filter(|_| is_short);
    members
        .is_some_and(|map| map.members().len() == 1 && map.text(PLACEHOLDER).as_deref() == Some(PLACEHOLDER))
}

/// Of an array: one placeholder, or its bytes as numbers.
fn is_list(items: &[&[u8]]) -> bool {
    if let [item] = items {
        return text(item).is_some_and(|item| is_placeholder(&item) || item == OF_UUIDS);
    }
    let bytes = PLACEHOLDER.bytes().map(i64::from);
    items.len() == PLACEHOLDER.len()
        && items.iter().zip(bytes).all(|(item, byte)| integer(item) == Some(byte))
}
