//! What the commands that tell of events and rows share: values, places and tables as text.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde_json::Value;
use starlog::audit::Event;
use starlog::query::visible;

/// A table of texts, as wide as the terminal if there is one. The columns of these numbers stand to the right.
pub fn table(head: &[&str], rows: Vec<Vec<String>>, numbers: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.iter().map(|head| visible(head).into_owned()));
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(|(column, text)| {
            // A line end parts what a cell lists; whatever else a terminal would obey is escaped.
            let shown: Vec<_> = text.split('\n').map(visible).collect();
            let cell = Cell::new(shown.join("\n"));
            if numbers.contains(&column) { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    format!("{table}\n")
}

/// A value as a person reads it; `-` is null. A line end in it is no line end of the page.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => visible(text).into_owned(),
        other => visible(&other.to_string()).into_owned(),
    }
}

/// `data/1.ndjson line 7`.
pub fn place(event: &Event) -> String {
    visible(&format!("{} line {}", event.file, event.line)).into_owned()
}

/// `+12.50`: a difference always shows its sign.
pub fn signed(number: &str) -> String {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_nothing = digits.chars().all(|sign| matches!(sign, '0' | '.'));
    let sign = if number.starts_with('-') {
        "-"
    } else if is_nothing {
        ""
    } else {
        "+"
    };
    format!(
        "{sign}{}{}",
        thousands(whole),
        fraction.map_or_else(String::new, |fraction| format!(".{fraction}"))
    )
}

/// `1,234,567.50`.
pub fn decimal(number: &str) -> String {
    signed(number).trim_start_matches('+').to_owned()
}

fn thousands(digits: &str) -> String {
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let groups: Vec<_> = groups.into_iter().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
