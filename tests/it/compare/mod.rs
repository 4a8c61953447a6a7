//! Layouts compared: the same answers everywhere, figures that can be counted by hand, and a page that shows them.

mod browser;
mod page;

use crate::support::second_reader::files;
use crate::support::{World, load, memory_folder, repository};
use starlog::compare::{self, Clock, Comparison, Options, Progress, RenameCost};
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::log;
use starlog::model::Model;
use starlog::nightly::{self, Stage};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock of its own mind: whatever is timed takes longer each time, whoever does it.
#[derive(Default)]
struct Steps(AtomicU64);

impl Clock for Steps {
    fn now(&self) -> Duration {
        let step = self.0.fetch_add(1, Ordering::Relaxed);
        Duration::from_micros(step * step)
    }
}

fn options(runs: usize) -> Options {
    let started = "2026-11-24T00:00:00Z".to_owned();
    Options { log: Vec::new(), runs, threads: Some(2), memory_bytes: None, started }
}

fn compared(model: &Model, runs: usize, progress: impl FnOnce(&Path) -> Box<dyn Progress>) -> Comparison {
    let scratch = memory_folder();
    let progress = progress(scratch.path());
    let disk = Disk::default();
    compare::compare(model, &options(runs), scratch.path(), &disk, &Steps::default(), progress.as_ref())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn quietly(model: &Model, runs: usize) -> Comparison {
    compared(model, runs, |_| Box::new(()))
}

/// The shop, compared once for all tests.
fn shop() -> &'static Comparison {
    static SHOP: OnceLock<Comparison> = OnceLock::new();
    SHOP.get_or_init(|| quietly(&load(&repository().join("pipelines/retail.toml")), 3))
}

/// Every question of a pipeline has figures, of every layout that can be asked.
fn answered_by_all(model: &Model, found: &Comparison) {
    assert!(found.refused.is_empty(), "{:#?}", found.refused);
    let names: Vec<&str> = found.questions.iter().map(|question| question.name.as_str()).collect();
    if !model.questions.is_empty() {
        let declared: Vec<&str> = model.questions.iter().map(|question| question.name.as_str()).collect();
        assert_eq!(names, declared);
    }
    for question in &found.questions {
        let layouts: Vec<&str> = question.answers.iter().map(|answer| answer.layout.as_str()).collect();
        let as_sold = !question.asks.contains(", as of ");
        let expected: &[&str] =
            if as_sold { &["star", "snowflake", "one big table"] } else { &["star", "snowflake"] };
        assert_eq!(layouts, expected, "{}", question.name);
        if as_sold {
            assert_eq!(question.answers[2].joins, 0, "{}: {}", question.name, question.answers[2].sql);
        }
    }
}

#[test]
fn every_question_of_the_shop_has_one_answer() {
    let model = load(&repository().join("pipelines/retail.toml"));
    answered_by_all(&model, shop());
    assert!(shop().questions.iter().all(|question| question.rows > 0));
}

#[test]
fn every_question_of_the_hospital_has_one_answer() {
    let model = load(&repository().join("tests/pipelines/hospital.toml"));
    answered_by_all(&model, &quietly(&model, 1));
}

/// A pipeline without questions is asked what any pipeline can answer.
#[test]
fn a_pipeline_without_questions_is_asked_the_usual() {
    let mut model = load(&repository().join("tests/pipelines/hospital.toml"));
    model.questions.clear();
    let found = quietly(&model, 1);
    answered_by_all(&model, &found);
    let names: Vec<&str> = found.questions.iter().map(|question| question.name.as_str()).collect();
    assert!(names.contains(&"visits_by_month") && names.contains(&"visits_by_bed_region"), "{names:?}");
}

#[test]
fn every_question_of_the_real_logs_has_one_answer() {
    if !repository().join("../shared/data/adventureworks.ndjson.gz").is_file() {
        assert!(std::env::var_os("STARLOG_REAL_DATA").is_none(), "the real logs are missing");
        return;
    }
    let model = load(&repository().join("pipelines/adventureworks.toml"));
    answered_by_all(&model, &quietly(&model, 1));
}

/// Layouts hold the same facts in the same files; the one big table holds them once more, wider.
#[test]
fn sizes_are_those_of_the_tables() {
    let [star, snowflake, big] = shop().layouts.as_slice() else { panic!("three layouts") };
    for layout in [star, snowflake, big] {
        assert_eq!(layout.bytes, layout.tables.iter().map(|table| table.bytes).sum::<u64>());
        assert_eq!(layout.rows, layout.tables.iter().map(|table| table.rows).sum::<u64>());
    }
    let world = run("pipelines/retail.toml");
    for layout in Layout::ALL {
        let released = world.release().manifest().layouts[&layout.to_string()].clone();
        let built = shop().layouts.iter().find(|built| built.name == layout.to_string()).unwrap();
        for table in &built.tables {
            let released = &released[&table.name];
            let bytes: u64 = released.files.iter().map(|file| file.bytes).sum();
            assert_eq!((table.rows, table.bytes), (released.rows, bytes), "{layout} {}", table.name);
        }
    }
    assert_eq!(big.tables.len(), 1);
    assert_eq!(big.tables[0].rows, star.tables[0].rows);
    let columns: Vec<&str> = big.tables[0].columns.iter().map(|column| column.name.as_str()).collect();
    for wanted in [
        "net_amount",
        "product_department_name",
        "customer_previous_segment",
        "store_country",
        "date_year_month",
    ] {
        assert!(columns.contains(&wanted), "{wanted} is not in {columns:?}");
    }
    assert!(
        !columns.iter().any(|column| ["product_key", "product_valid_from"].contains(column)),
        "{columns:?}"
    );
}

fn run(pipeline: &str) -> World {
    let world = World::within(memory_folder(), &repository().join(pipeline));
    world.run();
    world
}

fn cost<'a>(found: &'a Comparison, tracking: &str, layout: &str) -> &'a RenameCost {
    let way = found.rename.as_ref().unwrap().ways.iter().find(|way| way.tracking == tracking).unwrap();
    way.costs.iter().find(|cost| cost.layout == layout).unwrap()
}

/// What a rename costs, counted with SQL in a warehouse that knows nothing of it.
#[test]
fn a_rename_costs_what_can_be_counted_by_hand() {
    let (found, world) = (shop(), run("pipelines/retail.toml"));
    let rename = found.rename.as_ref().unwrap();
    assert_eq!((rename.dimension.as_str(), rename.attribute.as_str()), ("product", "department_name"));
    let name = &rename.member;
    let count = |layout: Layout, sql: &str| -> u64 {
        world.ask(layout, &sql.replace("$1", &format!("'{name}'"))).rows[0][0].parse().unwrap()
    };
    let now = "SELECT count(*) FROM dim_product WHERE is_current AND department_name = $1";
    let products = count(Layout::Star, now);
    assert_eq!(rename.members_below, products);

    // History: each current row ends, and each gets a successor, on every level that has versions.
    let of_levels = "SELECT (SELECT count(*) FROM star.dim_product WHERE is_current AND department_name = $1) \
                     + (SELECT count(*) FROM dim_category JOIN dim_department USING (department_key) \
                     WHERE dim_category.is_current AND department_name = $1) + 1";
    let star = cost(found, "history", "star");
    assert_eq!((star.rows_added, star.rows_changed, star.files_rewritten), (products, products, 1));
    let rows = count(Layout::Snowflake, of_levels);
    let snowflake = cost(found, "history", "snowflake");
    assert_eq!((snowflake.rows_added, snowflake.rows_changed, snowflake.files_rewritten), (rows, rows, 3));
    assert_eq!(cost(found, "history", "one big table").files_rewritten, 0);

    // Overwrite: the snowflake says it once, the others wherever it stands.
    let snowflake = cost(found, "overwrite", "snowflake");
    assert_eq!((snowflake.rows_added, snowflake.rows_changed), (0, 1));
    assert_eq!(snowflake.tables, ["dim_department"]);
    let star = cost(found, "overwrite", "star");
    assert!(star.rows_added == 0 && star.rows_changed >= products, "{star:?}");
    let sold = "SELECT count(*) FROM fact_orders JOIN dim_product USING (product_key) WHERE department_id IN \
                (SELECT department_id FROM dim_product WHERE department_name = $1)";
    let big = cost(found, "overwrite", "one big table");
    assert_eq!((big.rows_added, big.rows_changed), (0, count(Layout::Star, sold)));
    assert_eq!(big.rows_rewritten, found.layouts[2].rows, "every day has sold something of it");
}

/// Spoils the one big table before it is asked: one of its files is put in the place of another.
struct Spoiler(std::path::PathBuf);

impl log::Progress for Spoiler {
    fn bytes(&self, _: u64, _: u64) {}
}

impl nightly::Progress for Spoiler {
    fn stage(&self, _: Stage) {}
}

impl Progress for Spoiler {
    fn doing(&self, what: &str) {
        if what.starts_with("ask ") {
            let big = files(&self.0).into_iter().filter(|file| file.to_str().unwrap().contains("obt_"));
            let big: Vec<_> = big.collect();
            fs::copy(&big[0], big.last().unwrap()).unwrap();
        }
    }
}

#[test]
fn a_question_whose_answers_differ_has_no_figures() {
    let model = load(&repository().join("pipelines/retail.toml"));
    let found = compared(&model, 1, |scratch| Box::new(Spoiler(scratch.to_owned())));
    let refused: Vec<&str> = found.refused.iter().map(|refused| refused.name.as_str()).collect();
    assert!(refused.contains(&"daily_orders") && refused.contains(&"total"), "{refused:?}");
    assert!(found.refused.iter().all(|refused| refused.answers_differ));
    assert!(found.refused[0].reason.contains("star and one big table"), "{}", found.refused[0].reason);
    // What the one big table is not asked, is not spoiled.
    let measured: Vec<&str> = found.questions.iter().map(|question| question.name.as_str()).collect();
    assert!(measured.contains(&"revenue_by_department_now") && !measured.contains(&"total"), "{measured:?}");
    let page = compare::page(&found).unwrap();
    assert!(page.contains("has no figures"), "the page says it");
}

/// The clock of these tests takes one step for each look at it, so every figure is known.
#[test]
fn figures_are_those_of_the_clock() {
    for question in &shop().questions {
        for answer in &question.answers {
            for spread in [answer.cold, answer.warm] {
                assert!(spread.least_us < spread.lower_us && spread.lower_us < spread.median_us);
                assert!(spread.median_us < spread.upper_us && spread.upper_us < spread.most_us);
                // Of three runs, the quartiles lie halfway.
                assert_eq!(spread.lower_us, (spread.least_us + spread.median_us).div_ceil(2));
            }
            // Each run begins with another layout, so each is sometimes before the first and sometimes behind it.
            let ratio = answer.warm_ratio;
            let is_first = answer.layout == "star";
            assert_eq!(is_first, ratio.median == 1.0 && ratio.lower == 1.0 && ratio.upper == 1.0);
            assert!(is_first || ratio.lower < 1.0 && ratio.upper > 1.0, "{}: {ratio:?}", answer.layout);
        }
    }
}
