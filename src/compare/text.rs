//! Figures → text: the numbers as a person reads them, and the report as Markdown.

use super::report::{AnswerFigures, Comparison, Ratio, RenameCost};
use std::fmt::Write;

/// 1234567 → `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// 1234567 → `1.23 MB`, three digits that count.
#[must_use]
pub fn bytes(number: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{} {unit}", digits(number as f64 / size as f64)),
        None => format!("{number} B"),
    }
}

/// 1234 µs → `1.23 ms`, three digits that count.
#[must_use]
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", digits(us as f64 / 1_000.0)),
        _ => format!("{} s", digits(us as f64 / 1_000_000.0)),
    }
}

fn digits(number: f64) -> String {
    match number {
        number if number < 9.995 => format!("{number:.2}"),
        number if number < 99.95 => format!("{number:.1}"),
        number => format!("{number:.0}"),
    }
}

/// 1.083 → `×1.08`.
#[must_use]
pub fn ratio(number: f64) -> String {
    format!("×{number:.2}")
}

/// The report as a page of Markdown.
#[must_use]
pub fn markdown(report: &Comparison) -> String {
    let mut page = String::new();
    let names: Vec<&str> = report.layouts.iter().map(|layout| layout.name.as_str()).collect();
    for paragraph in &report.words {
        push(&mut page, &format!("{}\n", cell(paragraph)));
    }
    let first = names.first().copied().unwrap_or("first");
    let to_first = format!("to the {first}");
    head(&mut page, &["layout", "tables", "rows", "bytes", &to_first, "written in"], 1);
    for layout in &report.layouts {
        row(
            &mut page,
            &[
                layout.name.clone(),
                layout.tables.len().to_string(),
                grouped(layout.rows),
                bytes(layout.bytes),
                ratio(layout.bytes_ratio),
                duration(layout.build.median_us),
            ],
        );
    }
    push(&mut page, "");
    if !report.questions.is_empty() {
        push(
            &mut page,
            &format!(
                "Warm latency: the median, and the ratio to the {first} within one run with its quartiles:\n"
            ),
        );
        let columns: Vec<&str> = std::iter::once("question").chain(names.iter().copied()).collect();
        head(&mut page, &columns, 1);
        for question in &report.questions {
            let mut cells = vec![format!("`{}`", cell(&question.name))];
            cells.extend(names.iter().map(|name| {
                let answer = question.answers.iter().find(|answer| answer.layout == **name);
                answer.map_or_else(|| "–".to_owned(), latency)
            }));
            row(&mut page, &cells);
        }
        push(&mut page, "");
        push(&mut page, "What each question does: joins, columns and bytes that DuckDB reads:\n");
        head(&mut page, &columns, 1);
        for question in &report.questions {
            let mut cells = vec![format!("`{}`", cell(&question.name))];
            cells.extend(names.iter().map(|name| {
                let answer = question.answers.iter().find(|answer| answer.layout == **name);
                answer.map_or_else(|| "–".to_owned(), effort)
            }));
            row(&mut page, &cells);
        }
        push(&mut page, "");
    }
    for refused in &report.refused {
        push(&mut page, &format!("`{}` has no figures: {}.\n", cell(&refused.name), cell(&refused.reason)));
    }
    if let Some(rename) = &report.rename {
        let of = format!(
            "What renaming one {} rewrites:\n",
            cell(rename.levels.last().map_or("", String::as_str))
        );
        push(&mut page, &of);
        head(
            &mut page,
            &["tracked as", "layout", "rows added", "rows changed", "files", "rows in them", "bytes"],
            2,
        );
        for way in &rename.ways {
            for cost in &way.costs {
                row(&mut page, &rename_cells(&way.tracking, cost));
            }
        }
        push(&mut page, "");
    }
    let machine = &report.machine;
    push(
        &mut page,
        &format!(
            "Pipeline `{}`, {} events, {} runs of each question; starlog {}, DuckDB {}, {} threads, {}, {}.",
            cell(&report.pipeline),
            grouped(report.events),
            report.runs,
            machine.starlog,
            machine.duckdb,
            machine.threads,
            machine.platform,
            machine.started
        ),
    );
    page
}

fn rename_cells(tracking: &str, cost: &RenameCost) -> Vec<String> {
    vec![
        tracking.to_owned(),
        cost.layout.clone(),
        grouped(cost.rows_added),
        grouped(cost.rows_changed),
        grouped(cost.files_rewritten),
        grouped(cost.rows_rewritten),
        bytes(cost.bytes_rewritten),
    ]
}

fn latency(answer: &AnswerFigures) -> String {
    let Ratio { median, lower, upper } = answer.warm_ratio;
    format!("{} ({} [{lower:.2}, {upper:.2}])", duration(answer.warm.median_us), ratio(median))
}

fn effort(answer: &AnswerFigures) -> String {
    format!("{} joins, {} columns, {}", answer.joins, answer.columns, bytes(answer.bytes_read))
}

fn push(page: &mut String, line: &str) {
    let _ = writeln!(page, "{line}");
}

/// The first `texts` columns hold words, the others numbers.
fn head(page: &mut String, columns: &[&str], texts: usize) {
    push(page, &format!("| {} |", columns.join(" | ")));
    let rules = columns.iter().enumerate().map(|(at, _)| if at < texts { "---" } else { "---:" });
    push(page, &format!("|{}|", rules.collect::<Vec<_>>().join("|")));
}

fn row(page: &mut String, cells: &[String]) {
    push(page, &format!("| {} |", cells.join(" | ")));
}

/// Text that ends no cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
