//! The page in a browser: it opens without errors, the plots are there, and its numbers are those of the JSON.

use super::browser::{Window, browser, opened};
use super::shop;
use serde::Deserialize;
use serde_json::Value;
use starlog::compare::{bytes, duration, grouped, markdown, page, ratio};
use std::fs;

/// Gathers errors from the first line on.
const BEFORE: &str = "<script>window.faults = [];\
    addEventListener('error', event => faults.push(String(event.message)), true);\
    addEventListener('unhandledrejection', event => faults.push(String(event.reason)));</script>";

/// Looks at everything that a reader would, and writes down what is there.
const AFTER: &str = r#"<script>addEventListener("load", () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const paper = () => getComputedStyle(document.body).backgroundColor;
  all("details").forEach(details => details.open = true);
  const before = paper();
  document.getElementById("theme").click();
  const after = paper();
  document.getElementById("theme").click();
  const spills = all("svg[role=img]").flatMap(svg => {
    const width = svg.viewBox.baseVal.width;
    return [...svg.querySelectorAll("text")].filter(text => {
      const box = text.getBBox();
      return box.x < -1 || box.x + box.width > width + 1;
    }).map(text => text.textContent);
  });
  const crossed = all("svg .table").flatMap(table => {
    const box = table.querySelector(".box").getBBox();
    return [...table.querySelectorAll("text")].filter(text => {
      const inner = text.getBBox();
      return inner.x < box.x || inner.x + inner.width > box.x + box.width;
    }).map(text => text.textContent);
  });
  const verdict = {
    faults,
    fetched: performance.getEntriesByType("resource").map(entry => entry.name),
    figures: all("[data-json]").map(element => ({
      place: element.dataset.json,
      value: element.getAttribute("value") ?? element.dataset.value,
      text: element.textContent,
    })),
    marks: all("[data-mark]").map(mark => {
      const box = mark.getBBox();
      return { place: mark.dataset.mark, middle: box.x + box.width / 2, width: box.width, plot: all("svg").indexOf(mark.ownerSVGElement) };
    }),
    words: all("[data-words]").map(element => ({ place: element.dataset.words, text: element.textContent })),
    pictures: all("svg[role=img]").map(svg => ({ label: svg.getAttribute("aria-label"), width: svg.getBoundingClientRect().width, height: svg.getBoundingClientRect().height })),
    tables: all("svg .table").length,
    arrows: all("svg .arrow").length,
    texts: all("pre").map(pre => pre.textContent),
    unreachable: all("a, button, summary, .scroll, pre").filter(element => element.tabIndex < 0).length,
    nameless: all("svg[role=img], pre, button, nav, .scroll").filter(element => !(element.getAttribute("aria-label") ?? element.textContent).trim()).length,
    wide: document.documentElement.scrollWidth - innerWidth,
    spills, crossed, before, after,
  };
  const sheet = document.createElement("pre");
  sheet.id = "verdict";
  sheet.textContent = encodeURIComponent(JSON.stringify(verdict));
  document.body.append(sheet);
});</script>"#;

#[derive(Debug, Deserialize)]
struct Verdict {
    faults: Vec<String>,
    fetched: Vec<String>,
    figures: Vec<Figure>,
    marks: Vec<Mark>,
    words: Vec<Words>,
    pictures: Vec<Picture>,
    tables: usize,
    arrows: usize,
    texts: Vec<String>,
    unreachable: usize,
    nameless: usize,
    wide: i64,
    spills: Vec<String>,
    crossed: Vec<String>,
    before: String,
    after: String,
}

#[derive(Debug, Deserialize)]
struct Figure {
    place: String,
    value: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Mark {
    place: String,
    middle: f64,
    width: f64,
    plot: i64,
}

#[derive(Debug, Deserialize)]
struct Words {
    place: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Picture {
    label: String,
    width: f64,
    height: f64,
}

/// What a browser makes of the shop's page; none where there is no browser.
fn verdict(window: Window) -> Option<Verdict> {
    let browser = browser()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("comparison.html");
    let text = page(shop()).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"), "the page needs no network");
    let text = text.replacen("<head>", &format!("<head>{BEFORE}"), 1);
    fs::write(&file, text.replacen("</body>", &format!("{AFTER}</body>"), 1)).unwrap();
    let document = opened(&browser, &file, window);
    let sheet = document.split("<pre id=\"verdict\">").nth(1).expect("a verdict").split('<').next().unwrap();
    Some(serde_json::from_str(&decoded(sheet)).unwrap())
}

/// `%22` → `"`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'%' => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                &after[2..]
            }
            byte => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).unwrap()
}

fn json() -> Value {
    serde_json::to_value(shop()).unwrap()
}

/// The value of a figure, and whether its text is one of the ways in which such a value is written.
fn is_told(figure: &Figure, json: &Value) -> bool {
    let Some(value) = json.pointer(&figure.place) else { return false };
    if value.as_u64().is_none() {
        let number = value.as_f64().unwrap();
        return figure.value.parse() == Ok(number) && figure.text == ratio(number);
    }
    let number = value.as_u64().unwrap();
    let name = figure.place.rsplit('/').next().unwrap();
    let text = match name {
        name if name.ends_with("_us") => duration(number),
        "bytes" | "bytes_read" | "bytes_rewritten" => bytes(number),
        _ => grouped(number),
    };
    figure.value == number.to_string() && figure.text == text
}

#[test]
fn the_page_opens_and_says_what_the_json_says() {
    let Some(found) = verdict(Window { width: 1280, dark: false }) else { return };
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(found.fetched.is_empty(), "{:?}", found.fetched);
    let json = json();
    let wrong: Vec<&Figure> = found.figures.iter().filter(|figure| !is_told(figure, &json)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // Every figure of these is on the page.
    let shown = |place: String| found.figures.iter().any(|figure| figure.place == place);
    for (at, layout) in shop().layouts.iter().enumerate() {
        assert!(shown(format!("/layouts/{at}/bytes")) && shown(format!("/layouts/{at}/build/median_us")));
        assert!((0..layout.tables.len()).all(|table| shown(format!("/layouts/{at}/tables/{table}/bytes"))));
    }
    for (at, question) in shop().questions.iter().enumerate() {
        for answer in 0..question.answers.len() {
            for figure in
                ["joins", "columns", "bytes_read", "cold/median_us", "warm/median_us", "warm_ratio/lower"]
            {
                assert!(
                    shown(format!("/questions/{at}/answers/{answer}/{figure}")),
                    "{at} {answer} {figure}"
                );
            }
        }
    }
    let said: Vec<&str> = shop().words.iter().map(String::as_str).collect();
    let words = found.words.iter().filter(|words| words.place.starts_with("/words/"));
    assert_eq!(words.map(|words| words.text.as_str()).collect::<Vec<_>>(), said);
    let texts: Vec<&str> = found.texts.iter().map(String::as_str).collect();
    let sql =
        shop().questions.iter().flat_map(|question| &question.answers).map(|answer| answer.sql.as_str());
    assert_eq!(texts, sql.collect::<Vec<_>>());
}

#[test]
fn the_plots_and_pictures_are_there() {
    let Some(found) = verdict(Window { width: 1280, dark: false }) else { return };
    assert!(found.pictures.len() >= 9, "{:?}", found.pictures);
    let flat = found.pictures.iter().filter(|picture| picture.width < 300.0 || picture.height < 40.0);
    assert_eq!(flat.map(|picture| picture.label.as_str()).collect::<Vec<_>>(), [""; 0]);
    let layouts = &shop().layouts;
    assert_eq!(found.tables, layouts.iter().map(|layout| layout.tables.len()).sum::<usize>());
    let columns = layouts.iter().flat_map(|layout| &layout.tables).flat_map(|table| &table.columns);
    assert_eq!(found.arrows, columns.filter(|column| column.leads_to.is_some()).count());
    assert!(found.spills.is_empty(), "texts beyond their picture: {:?}", found.spills);
    assert!(found.crossed.is_empty(), "texts beyond their table: {:?}", found.crossed);
    // A mark for each median, twice, and in each plot they stand in the order of their values.
    let json = json();
    let value =
        |mark: &Mark| json.pointer(&mark.place).unwrap_or_else(|| panic!("{mark:?}")).as_u64().unwrap();
    let answers = shop().questions.iter().map(|question| question.answers.len()).sum::<usize>();
    let medians: Vec<&Mark> = found
        .marks
        .iter()
        .filter(|mark| mark.place.ends_with("m/median_us") || mark.place.ends_with("d/median_us"))
        .collect();
    let medians: Vec<&&Mark> = medians.iter().filter(|mark| mark.place.starts_with("/questions/")).collect();
    assert_eq!(medians.len(), 2 * answers);
    for one in &medians {
        for other in medians.iter().filter(|other| other.plot == one.plot) {
            assert!(value(one) < value(other) || one.middle >= other.middle - 0.5, "{one:?} {other:?}");
        }
    }
    // The bars of one plot are as long as their values.
    for one in found.marks.iter().filter(|mark| mark.place.starts_with("/rename/")) {
        for other in found.marks.iter().filter(|other| other.plot == one.plot) {
            let difference = one.width * value(other) as f64 - other.width * value(one) as f64;
            assert!(difference.abs() <= 0.02 * (value(one) + value(other)) as f64, "{one:?} {other:?}");
        }
    }
}

#[test]
fn the_page_is_for_everybody() {
    for (width, dark) in [(1280, false), (1280, true), (500, false)] {
        let Some(found) = verdict(Window { width, dark }) else { return };
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        assert_eq!((found.unreachable, found.nameless), (0, 0), "at width {width}");
        assert!(found.wide <= 0, "{} beyond a window of {width}", found.wide);
        let (light, night) = ("rgb(250, 248, 244)", "rgb(21, 24, 28)");
        let expected = if dark { [night, light] } else { [light, night] };
        assert_eq!([found.before.as_str(), found.after.as_str()], expected);
    }
}

/// Names of a pipeline may hold anything.
#[test]
fn names_are_no_markup() {
    let mut found = shop().clone();
    found.pipeline = "</script><script>alert(1)</script>".to_owned();
    found.questions[0].name = "<b>&\"".to_owned();
    found.words[0] = "<img src=x> | \n".to_owned();
    let page = page(&found).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<b>&\"") && !page.contains("<img src=x>"));
    assert!(page.contains("\\u003c/script>"), "the JSON is on the page, and ends no script");
    assert!(markdown(&found).contains("<img src=x> \\|"));
}
