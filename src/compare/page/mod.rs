//! The report as one page of HTML that needs nothing else: no network, no font, no library.
//!
//! Every figure on it bears the place in the JSON that it comes from, and the JSON is on the page. Without scripts
//! nothing is missing but the switch of themes.

mod figure;
mod parts;
mod picture;
mod plot;
mod sql;

use super::report::Comparison;
use crate::error::{Error, Result};
use figure::escaped;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The whole page.
///
/// # Errors
/// A report that cannot be written as JSON is a bug.
pub fn page(report: &Comparison) -> Result<String> {
    let json = serde_json::to_string(report)
        .map_err(|error| Error::bug("the comparison cannot be written as JSON").because(error))?;
    // Nothing in a script element may look like its end.
    let json = json.replace('<', "\\u003c");
    let title = escaped(&title(report));
    let sections = [
        parts::words(report),
        parts::cards(report),
        parts::schemas(report),
        parts::sizes(report),
        parts::latencies(report),
        parts::questions(report),
        parts::rename(report),
        parts::method(report),
    ];
    let pipeline = escaped(&report.pipeline);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} · {pipeline}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the figures</a>\n\
         <header>\n<p class=\"over\">starlog compare · pipeline <b>{pipeline}</b></p>\n<h1>{title}</h1>\n\
         <button id=\"theme\" type=\"button\" hidden>Dark theme</button>\n{nav}</header>\n\
         <main id=\"main\">\n{}</main>\n\
         <script type=\"application/json\" id=\"comparison\">{json}</script>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        sections.concat(),
        nav = parts::nav(report),
    ))
}

/// `Star, snowflake or one big table?`
fn title(report: &Comparison) -> String {
    let names: Vec<&str> = report.layouts.iter().map(|layout| layout.name.as_str()).collect();
    let text = match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}?", before.join(", ")),
        _ => "Layouts compared".to_owned(),
    };
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
