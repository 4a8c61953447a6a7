//! The sections of the page, from top to bottom.

use super::figure::{In, escaped};
use super::plot::{self, Latency};
use super::{picture, sql};
use crate::compare::report::{AnswerFigures, Comparison, LayoutFigures, QuestionFigures};

const HTML: In = In::Html;

/// Where to go.
pub fn nav(report: &Comparison) -> String {
    let mut links = vec![("schemas", "Schemas"), ("sizes", "Sizes")];
    if !report.questions.is_empty() {
        links.extend([("latencies", "Latencies"), ("questions", "Questions")]);
    }
    links.extend([("rename", "A rename"), ("method", "Method")]);
    let links: Vec<String> =
        links.into_iter().map(|(id, name)| format!("<a href=\"#{id}\">{name}</a>")).collect();
    format!("<nav aria-label=\"Sections\">{}</nav>\n", links.join(""))
}

/// What ratios are to.
fn first(report: &Comparison) -> &str {
    report.layouts.first().map_or("first", |layout| layout.name.as_str())
}

pub fn words(report: &Comparison) -> String {
    let paragraphs: Vec<String> = report
        .words
        .iter()
        .enumerate()
        .map(|(at, words)| format!("<p data-words=\"/words/{at}\">{}</p>\n", escaped(words)))
        .collect();
    format!(
        "<section id=\"words\" class=\"lede\" aria-label=\"In words\">\n{}</section>\n",
        paragraphs.concat()
    )
}

/// A card for each layout: what a reader takes away.
pub fn cards(report: &Comparison) -> String {
    let first = escaped(first(report));
    let cards: Vec<String> = report.layouts.iter().enumerate().map(|layout| card(layout, &first)).collect();
    format!("<section class=\"cards\" aria-label=\"Each layout in short\">\n{}</section>\n", cards.concat())
}

fn card((index, layout): (usize, &LayoutFigures), first: &str) -> String {
    let place = format!("/layouts/{index}");
    let latency = layout.warm_mean.map_or_else(String::new, |mean| {
        format!(
            "<div><dt>warm latency</dt><dd>{} <small>of the {first}’s</small></dd></div>",
            HTML.ratio(mean, &format!("{place}/warm_mean"))
        )
    });
    format!(
        "<article class=\"card l{index}\"><h2>{}{}</h2>\n<dl>\
         <div><dt>on disk</dt><dd>{} <small>{}</small></dd></div>\
         <div><dt>tables</dt><dd>{} <small>{} rows</small></dd></div>\
         <div><dt>written in</dt><dd>{}</dd></div>{latency}</dl></article>\n",
        legend_mark(index),
        escaped(&layout.name),
        HTML.bytes(layout.bytes, &format!("{place}/bytes")),
        HTML.ratio(layout.bytes_ratio, &format!("{place}/bytes_ratio")),
        layout.tables.len(),
        HTML.count(layout.rows, &format!("{place}/rows")),
        HTML.duration(layout.build.median_us, &format!("{place}/build/median_us")),
    )
}

/// The sign of a layout, as in the plots.
fn legend_mark(index: usize) -> String {
    format!(
        "<svg class=\"sign\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">{}</svg>",
        plot::mark(index, 8.0, 8.0, "").replace(" data-mark=\"\"", "")
    )
}

fn legend(report: &Comparison) -> String {
    let names = report.layouts.iter().enumerate().map(|(index, layout)| {
        format!("<li class=\"l{index}\">{}{}</li>", legend_mark(index), escaped(&layout.name))
    });
    format!("<ul class=\"legend\">{}</ul>\n", names.collect::<String>())
}

pub fn schemas(report: &Comparison) -> String {
    let figures = report.layouts.iter().enumerate().map(|(index, layout)| {
        let columns: usize = layout.tables.iter().map(|table| table.columns.len()).sum();
        format!(
            "<figure class=\"l{index}\">\n<figcaption><b>{}{}</b> {} tables, {columns} columns</figcaption>\n{}</figure>\n",
            legend_mark(index),
            escaped(&layout.name),
            layout.tables.len(),
            picture::schema(layout, index)
        )
    });
    format!(
        "<section id=\"schemas\"><h2>Schemas</h2>\n<p class=\"note\">◆ is what the rows of a table are known by, → holds \
         the key of another table’s row. Facts bear a filled head.</p>\n{}</section>\n",
        figures.collect::<String>().replace("1 tables", "1 table")
    )
}

pub fn sizes(report: &Comparison) -> String {
    let tables = report.layouts.iter().enumerate().map(|(index, layout)| {
        let rows = layout.tables.iter().enumerate().map(|(at, table)| {
            let place = format!("/layouts/{index}/tables/{at}");
            format!(
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&table.name),
                HTML.count(table.rows, &format!("{place}/rows")),
                HTML.count(table.files, &format!("{place}/files")),
                HTML.bytes(table.bytes, &format!("{place}/bytes"))
            )
        });
        format!(
            "<table><caption class=\"l{index}\">{}{}</caption><thead><tr><th scope=\"col\">table</th><th scope=\"col\">rows</th>\
             <th scope=\"col\">files</th><th scope=\"col\">bytes</th></tr></thead><tbody>\n{}</tbody></table>\n",
            legend_mark(index),
            escaped(&layout.name),
            rows.collect::<String>()
        )
    });
    format!(
        "<section id=\"sizes\"><h2>Sizes</h2>\n<h3>On disk</h3>\n<p class=\"note\">Bytes of Parquet; facts are filled, \
         dimensions are light.</p>\n{}<details><summary>Every table in figures</summary><div class=\"columns\">{}</div></details>\n\
         <h3>Writing it</h3>\n<p class=\"note\">From the replayed log to files, the median of {} builds in turns. Reading the \
         log took {} and replaying it {}, which is the same for all.</p>\n{}</section>\n",
        plot::sizes(report),
        tables.collect::<String>(),
        HTML.count(report.builds as u64, "/builds"),
        HTML.duration(report.ingest_us, "/ingest_us"),
        HTML.duration(report.replay_us, "/replay_us"),
        plot::builds(report)
    )
}

pub fn latencies(report: &Comparison) -> String {
    if report.questions.is_empty() {
        return String::new();
    }
    let warm = Latency { name: "warm", of: |answer| (&answer.warm, answer.warm_ratio.median) };
    let cold = Latency { name: "cold", of: |answer| (&answer.cold, answer.cold_ratio.median) };
    format!(
        "<section id=\"latencies\"><h2>Latencies</h2>\n<p class=\"note\">The mark is the median of {} runs, the bar runs from \
         the lower to the upper quartile. × is the median ratio to the {} within one run.</p>\n{}\
         <h3>Warm: asked again in the same session</h3>\n{}<h3>Cold: the first time in a new session</h3>\n{}</section>\n",
        HTML.count(report.runs as u64, "/runs"),
        escaped(first(report)),
        legend(report),
        plot::latencies(report, warm),
        plot::latencies(report, cold)
    )
}

pub fn questions(report: &Comparison) -> String {
    let questions: String =
        report.questions.iter().enumerate().map(|(at, question)| of_question(report, at, question)).collect();
    let refused: String = report
        .refused
        .iter()
        .enumerate()
        .map(|(at, refused)| {
            format!(
                "<p class=\"refused\"><b>{}</b> has no figures: <span data-words=\"/refused/{at}/reason\">{}</span></p>\n",
                escaped(&refused.name),
                escaped(&refused.reason)
            )
        })
        .collect();
    if questions.is_empty() && refused.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"questions\"><h2>Questions</h2>\n<p class=\"note\">All layouts gave the same rows for each of these, or \
         it would have no figures. Joins, columns and bytes are DuckDB’s own account.</p>\n{refused}{questions}</section>\n"
    )
}

fn of_question(report: &Comparison, at: usize, question: &QuestionFigures) -> String {
    let layout = |answer: &AnswerFigures| {
        report.layouts.iter().position(|layout| layout.name == answer.layout).unwrap_or_default()
    };
    let rows = question.answers.iter().enumerate().map(|(index, answer)| {
        let place = format!("/questions/{at}/answers/{index}");
        format!(
            "<tr><th scope=\"row\" class=\"l{}\">{}{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            layout(answer),
            legend_mark(layout(answer)),
            escaped(&answer.layout),
            HTML.count(answer.joins, &format!("{place}/joins")),
            HTML.count(answer.columns, &format!("{place}/columns")),
            HTML.bytes(answer.bytes_read, &format!("{place}/bytes_read")),
            HTML.spread(&answer.cold, &format!("{place}/cold")),
            HTML.spread(&answer.warm, &format!("{place}/warm")),
            HTML.ratios(&answer.warm_ratio, &format!("{place}/warm_ratio")),
        )
    });
    let texts = question.answers.iter().map(|answer| {
        format!(
            "<div class=\"l{0}\"><h4>{1}{2}</h4><pre tabindex=\"0\" aria-label=\"SQL of the {2}\"><code>{3}</code></pre></div>\n",
            layout(answer),
            legend_mark(layout(answer)),
            escaped(&answer.layout),
            sql::marked(&answer.sql)
        )
    });
    format!(
        "<details id=\"q{at}\"{}><summary><b>{}</b> <span>{}</span></summary>\n<p class=\"note\">{} rows</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Figures of {1}\"><table><thead><tr><th scope=\"col\">layout</th>\
         <th scope=\"col\">joins</th><th scope=\"col\">columns</th><th scope=\"col\">read</th><th scope=\"col\">cold</th>\
         <th scope=\"col\">warm</th><th scope=\"col\">warm, to the {to}</th></tr></thead><tbody>\n{}</tbody></table></div>\n\
         <div class=\"texts\">{}</div></details>\n",
        if at == 0 { " open" } else { "" },
        escaped(&question.name),
        escaped(&question.asks),
        HTML.count(question.rows, &format!("/questions/{at}/rows")),
        rows.collect::<String>(),
        texts.collect::<String>(),
        to = escaped(first(report)),
    )
}

pub fn rename(report: &Comparison) -> String {
    let body = match (&report.rename, &report.no_rename) {
        (Some(rename), _) => {
            let ways = rename.ways.iter().enumerate().map(|(at, way)| {
                let declared = if way.is_declared { ", as the pipeline has it" } else { "" };
                let tables = way.costs.iter().filter(|cost| !cost.tables.is_empty()).map(|cost| {
                    let names: Vec<String> =
                        cost.tables.iter().map(|table| format!("<code>{}</code>", escaped(table))).collect();
                    format!("{}: {}", escaped(&cost.layout), names.join(", "))
                });
                let tables = tables.collect::<Vec<_>>().join("; ");
                format!(
                    "<h3>Tracked as <code>{}</code>{declared}</h3>\n{}<p class=\"note\">Files written anew: {}.</p>\n",
                    escaped(&way.tracking),
                    plot::rename(way, at),
                    if tables.is_empty() { "none".to_owned() } else { tables }
                )
            });
            format!(
                "<p class=\"note\">“{}” of level <code>{}</code>, at the top of {}, with {} members of the lowest level \
                 below it, gets another <code>{}</code>. The log was replayed with that one event more, and every file that \
                 differs was encoded: a file is written as a whole.</p>\n{}",
                escaped(&rename.member),
                escaped(rename.levels.last().map_or("", String::as_str)),
                escaped(&rename.levels.join(" → ")),
                HTML.count(rename.members_below, "/rename/members_below"),
                escaped(&rename.attribute),
                ways.collect::<String>()
            )
        }
        (None, why) => {
            format!(
                "<p class=\"note\">Not measured: {}.</p>\n",
                escaped(why.as_deref().unwrap_or("nobody asked"))
            )
        }
    };
    format!("<section id=\"rename\"><h2>What a rename costs</h2>\n{body}</section>\n")
}

pub fn method(report: &Comparison) -> String {
    let machine = &report.machine;
    let facts = [
        (
            "One log",
            format!(
                "{} events were read and replayed once. All layouts were written from the same rows with the same sort, \
                 encoding, compression and row groups. Facts are ledgers, partitioned by month; each dimension is one file.",
                HTML.count(report.events, "/events")
            ),
        ),
        (
            "The one big table",
            "It holds every row of the ledger with the date’s columns and every attribute of every level beside it, and \
             no key of a dimension. It forgets members without facts and versions that no fact bears, so it answers \
             only by what was true at the fact’s own time."
                .to_owned(),
        ),
        (
            "Runs",
            format!(
                "Each run opens a new session for each layout, asks twice and closes it: the first time is cold, the \
                 second warm. Opening is not counted. {} runs are interleaved, each beginning with another layout, so a \
                 slow moment hits all. Files are in the operating system’s cache in both.",
                HTML.count(report.runs as u64, "/runs")
            ),
        ),
        (
            "Answers",
            "Every answer is compared row by row, exactly, before anything is timed. A question whose answers differ \
             has no figures."
                .to_owned(),
        ),
        (
            "Machine",
            format!(
                "starlog {}, DuckDB {}, {} threads, {}, {}.",
                escaped(&machine.starlog),
                escaped(&machine.duckdb),
                HTML.count(machine.threads as u64, "/machine/threads"),
                escaped(&machine.platform),
                escaped(&machine.started)
            ),
        ),
    ];
    let facts = facts.map(|(name, text)| format!("<div><dt>{name}</dt><dd>{text}</dd></div>\n"));
    format!(
        "<section id=\"method\"><h2>How it was measured</h2>\n<dl class=\"method\">{}</dl>\n\
         <p class=\"note\">All figures are in the page itself, as JSON: <code>#comparison</code>.</p></section>\n",
        facts.concat()
    )
}
