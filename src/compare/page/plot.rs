//! Figures → plots in SVG: bars, and points with their quartiles.

use super::figure::{In, escaped};
use crate::compare::report::{AnswerFigures, Comparison, QuestionFigures, RenameWay, Spread, TableKind};
use crate::compare::text::{bytes, duration};
use std::fmt::Write;

/// The width of all plots, in units of the picture.
const WIDTH: f64 = 960.0;

/// An SVG with a title for those who do not see it.
pub fn svg(width: f64, height: f64, title: &str, least: u32, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">\
         <svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\" style=\"min-width:{least}px;max-width:{width:.0}px\">\
         <title>{title}</title>{body}</svg></div>\n"
    )
}

/// A bar for each layout, a piece for each table.
pub fn sizes(report: &Comparison) -> String {
    let most = report.layouts.iter().map(|layout| layout.bytes).max().unwrap_or_default().max(1);
    let (left, right, step, thick) = (130.0, 130.0, 46.0, 26.0);
    let scale = (WIDTH - left - right) / most as f64;
    let mut body = String::new();
    for (index, layout) in report.layouts.iter().enumerate() {
        let y = 10.0 + index as f64 * step;
        push(
            &mut body,
            &label(left - 12.0, y + thick / 2.0, "end", &format!("name l{index}"), &escaped(&layout.name)),
        );
        let mut x = left;
        for (at, table) in layout.tables.iter().enumerate() {
            let width = table.bytes as f64 * scale;
            let kind = match table.kind {
                TableKind::Fact => "fact",
                TableKind::Dimension => "dim",
            };
            // A hair between neighbours, as long as there is anything left.
            let shown = if width > 3.0 { width - 1.0 } else { width.max(0.4) };
            let name = escaped(&table.name);
            push(
                &mut body,
                &format!(
                    "<rect class=\"fill l{index} {kind}\" data-mark=\"/layouts/{index}/tables/{at}/bytes\" x=\"{x:.2}\" \
                     y=\"{y:.1}\" width=\"{shown:.2}\" height=\"{thick}\" rx=\"2\"><title>{name}: {}</title></rect>",
                    bytes(table.bytes)
                ),
            );
            if width > 8.0 * table.name.chars().count() as f64 {
                push(&mut body, &label(x + 8.0, y + thick / 2.0, "start", &format!("inside {kind}"), &name));
            }
            x += width;
        }
        let total = In::Svg.bytes(layout.bytes, &format!("/layouts/{index}/bytes"));
        push(&mut body, &label(x + 10.0, y + thick / 2.0, "start", "value", &total));
    }
    svg(WIDTH, 10.0 + report.layouts.len() as f64 * step, "Bytes of each layout, by table", 560, &body)
}

/// A bar for each layout: how long it takes to write.
pub fn builds(report: &Comparison) -> String {
    let rows: Vec<Bar<'_>> = report
        .layouts
        .iter()
        .enumerate()
        .map(|(index, layout)| Bar {
            index,
            name: &layout.name,
            value: layout.build.median_us,
            place: format!("/layouts/{index}/build/median_us"),
            text: format!(
                "{} · {}",
                In::Svg.duration(layout.build.median_us, &format!("/layouts/{index}/build/median_us")),
                In::Svg.ratio(layout.build_ratio.median, &format!("/layouts/{index}/build_ratio/median"))
            ),
        })
        .collect();
    bars(&rows, "Time to write each layout", 230.0)
}

/// A bar for each layout: what has to be rewritten.
pub fn rename(way: &RenameWay, at: usize) -> String {
    let rows: Vec<Bar<'_>> = way
        .costs
        .iter()
        .enumerate()
        .map(|(index, cost)| {
            let place = format!("/rename/ways/{at}/costs/{index}");
            let rows = format!(
                "{} changed, {} new",
                In::Svg.count(cost.rows_changed, &format!("{place}/rows_changed")),
                In::Svg.count(cost.rows_added, &format!("{place}/rows_added"))
            );
            Bar {
                index,
                name: &cost.layout,
                value: cost.bytes_rewritten,
                text: format!(
                    "{} · {rows}",
                    In::Svg.bytes(cost.bytes_rewritten, &format!("{place}/bytes_rewritten"))
                ),
                place: format!("{place}/bytes_rewritten"),
            }
        })
        .collect();
    bars(&rows, &format!("Bytes rewritten by a rename, tracked as {}", way.tracking), 350.0)
}

struct Bar<'a> {
    index: usize,
    name: &'a str,
    value: u64,
    place: String,
    /// Behind the bar.
    text: String,
}

fn bars(rows: &[Bar<'_>], title: &str, right: f64) -> String {
    let most = rows.iter().map(|row| row.value).max().unwrap_or_default().max(1);
    let (left, step, thick) = (130.0, 36.0, 20.0);
    let scale = (WIDTH - left - right) / most as f64;
    let mut body = String::new();
    for (at, row) in rows.iter().enumerate() {
        let (y, width) = (8.0 + at as f64 * step, row.value as f64 * scale);
        let (index, place) = (row.index, &row.place);
        push(
            &mut body,
            &label(left - 12.0, y + thick / 2.0, "end", &format!("name l{index}"), &escaped(row.name)),
        );
        push(
            &mut body,
            &format!(
                "<rect class=\"fill l{index} fact\" data-mark=\"{place}\" x=\"{left}\" y=\"{y:.1}\" \
                 width=\"{width:.2}\" height=\"{thick}\" rx=\"2\"/>"
            ),
        );
        push(&mut body, &label(left + width + 10.0, y + thick / 2.0, "start", "value", &row.text));
    }
    svg(WIDTH, 8.0 + rows.len() as f64 * step, title, 560, &body)
}

/// Which of the two latencies is plotted.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Its name in the JSON.
    pub name: &'static str,
    pub of: fn(&AnswerFigures) -> (&Spread, f64),
}

/// A line for each question and layout: the median as a mark, the quartiles as a bar.
pub fn latencies(report: &Comparison, latency: Latency) -> String {
    let figures = |question: usize, layout: usize| {
        let question = report.questions.get(question)?;
        let answer = question.answers.get(position(question, report, layout)?)?;
        Some((latency.of)(answer))
    };
    let all = || {
        let layouts = report.layouts.len();
        let pairs = (0..report.questions.len()).flat_map(move |q| (0..layouts).map(move |l| (q, l)));
        pairs.filter_map(|(q, l)| figures(q, l)).map(|(spread, _)| spread)
    };
    let most = all().map(|spread| spread.upper_us).max().unwrap_or_default().max(1);
    let least = all().map(|spread| spread.lower_us).min().unwrap_or_default().max(1);
    let axis = Axis::new(least, most, 270.0, WIDTH - 150.0);
    let layouts = report.layouts.len() as f64;
    let (top, line, gap) = (34.0, 15.0, 13.0);
    let step = layouts * line + gap;
    let height = top + report.questions.len() as f64 * step;
    let mut body = String::new();
    for (us, x) in axis.ticks() {
        push(
            &mut body,
            &format!("<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"24\" y2=\"{height:.0}\"/>"),
        );
        push(&mut body, &label(x, 12.0, "middle", "tick", &round(us)));
    }
    for (q, question) in report.questions.iter().enumerate() {
        let y = top + q as f64 * step;
        let middle = y + layouts * line / 2.0;
        let name = escaped(&question.name);
        let shown = escaped(&clipped(&question.name, 34));
        push(
            &mut body,
            &format!(
                "<a href=\"#q{q}\"><text class=\"question\" x=\"250\" y=\"{middle:.1}\" text-anchor=\"end\" \
                 dominant-baseline=\"central\"><title>{name}</title>{shown}</text></a>"
            ),
        );
        for layout in 0..report.layouts.len() {
            let y = y + (layout as f64 + 0.5) * line;
            let (Some((spread, ratio)), Some(place)) =
                (figures(q, layout), position(question, report, layout))
            else {
                push(&mut body, &label(WIDTH - 4.0, y, "end", "reading", "cannot answer it"));
                continue;
            };
            let (low, x, high) =
                (axis.at(spread.lower_us), axis.at(spread.median_us), axis.at(spread.upper_us));
            let place = format!("/questions/{q}/answers/{place}");
            push(
                &mut body,
                &format!(
                    "<line class=\"whisker l{layout}\" x1=\"{low:.2}\" x2=\"{high:.2}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>{}",
                    mark(layout, x, y, &format!("{place}/{}/median_us", latency.name))
                ),
            );
            let text = format!(
                "{} · {}",
                In::Svg.duration(spread.median_us, &format!("{place}/{}/median_us", latency.name)),
                In::Svg.ratio(ratio, &format!("{place}/{}_ratio/median", latency.name))
            );
            push(&mut body, &label(WIDTH - 4.0, y, "end", &format!("reading l{layout}"), &text));
        }
    }
    let title = format!("{} latency of each question in each layout: medians and quartiles", latency.name);
    svg(WIDTH, height, &title, 680, &body)
}

/// The place of a layout's answer among the answers: one that cannot be asked has none.
fn position(question: &QuestionFigures, report: &Comparison, layout: usize) -> Option<usize> {
    let name = &report.layouts.get(layout)?.name;
    question.answers.iter().position(|answer| answer.layout == *name)
}

/// Layouts are told apart by shape too, not by colour alone.
pub fn mark(layout: usize, x: f64, y: f64, place: &str) -> String {
    let begin = format!("class=\"mark l{layout}\" data-mark=\"{place}\"");
    match layout % 3 {
        0 => format!("<circle {begin} cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"5\"/>"),
        1 => format!(
            "<path {begin} d=\"M{:.2} {y:.2}L{x:.2} {:.2}L{:.2} {y:.2}L{x:.2} {:.2}Z\"/>",
            x - 6.0,
            y - 6.0,
            x + 6.0,
            y + 6.0
        ),
        _ => format!("<rect {begin} x=\"{:.2}\" y=\"{:.2}\" width=\"9\" height=\"9\"/>", x - 4.5, y - 4.5),
    }
}

/// Durations → places: from nothing on, or by powers where they lie far apart.
struct Axis {
    low: f64,
    high: f64,
    left: f64,
    right: f64,
    is_log: bool,
}

impl Axis {
    fn new(least: u64, most: u64, left: f64, right: f64) -> Self {
        let is_log = most / least >= 30;
        let low = if is_log { (least as f64).log10().floor() } else { 0.0 };
        let high = if is_log { (most as f64).log10() + 0.05 } else { most as f64 * 1.04 };
        Self { low, high, left, right, is_log }
    }

    fn at(&self, us: u64) -> f64 {
        let value = if self.is_log { (us.max(1) as f64).log10() } else { us as f64 };
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.left + share * (self.right - self.left)
    }

    /// Round durations, and where they stand.
    fn ticks(&self) -> Vec<(u64, f64)> {
        let values: Vec<u64> = if self.is_log {
            let powers = (self.low as i32..=self.high as i32)
                .flat_map(|power| [1.0, 3.0].map(|by| by * 10f64.powi(power)));
            powers.filter(|value| value.log10() <= self.high).map(|value| value as u64).collect()
        } else {
            let rough = self.high / 5.0;
            let power = 10f64.powf(rough.log10().floor());
            let steps = [1.0, 2.0, 5.0, 10.0].map(|by| by * power);
            let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(power * 10.0).max(1.0);
            (0..=6)
                .map(|at| (f64::from(at) * step) as u64)
                .filter(|value| *value as f64 <= self.high)
                .collect()
        };
        values.into_iter().map(|value| (value, self.at(value))).collect()
    }
}

/// A round duration without zeros that say nothing.
fn round(us: u64) -> String {
    let text = duration(us);
    match text.split_once(' ') {
        _ if us == 0 => "0".to_owned(),
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// A line of text; `inner` is markup.
fn label(x: f64, y: f64, anchor: &str, class: &str, inner: &str) -> String {
    format!(
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" dominant-baseline=\"central\">{inner}</text>"
    )
}

/// As much of a text as fits.
pub fn clipped(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{kept}…")
}

fn push(body: &mut String, piece: &str) {
    let _ = writeln!(body, "{piece}");
}
