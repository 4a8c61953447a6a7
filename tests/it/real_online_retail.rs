//! A year of a real web shop: the tables against what is known from the source, to the last tenth of a cent.

use crate::oracle::delivery::Piece;
use crate::oracle::released::root_hash;
use crate::support::rows::{Rows, assert_same};
use crate::support::second_reader::{decimals, integers, read, texts, times};
use crate::support::truth::{self, Cells, assert_true, cells, real_data};
use crate::support::{World, load, repository};
use starlog::layout::Layout;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// One run, and every question that the truths answer.
#[test]
fn every_truth_of_online_retail_holds() {
    let Some(data) = real_data("online retail") else { return };
    let truths = data.join("online_retail_truth");
    let world = World::new("pipelines/online_retail.toml");
    let report = world.run();
    assert_eq!((report.lines.read, report.lines.accepted), (57_537, 57_537));

    for layout in Layout::ALL {
        countries_and_months(&world, layout, &truths);
        products(&world, layout, &truths);
        customers_where_they_live_now(&world, layout, &truths);
        nothing_vanishes(&world, layout);
        assert_true(
            "country and month, read by another",
            &country_months(&truths),
            &second_reading(&world, layout),
        );
    }
}

const SUMS: &str = "
    count(*) FILTER (kind = 'placed'),
    coalesce(sum(quantity) FILTER (kind = 'placed'), 0),
    coalesce(sum(net_amount) FILTER (kind = 'placed'), 0),
    coalesce(sum(quantity) FILTER (kind <> 'placed'), 0),
    coalesce(sum(net_amount) FILTER (kind <> 'placed'), 0),
    coalesce(sum(net_amount), 0)";
const SUMMED: [&str; 6] =
    ["placed_lines", "placed_units", "placed_amount", "reversed_units", "reversed_amount", "net_amount"];

fn truth_of(file: &Path, keys: &[&str]) -> Cells {
    cells(truth::read(file, &[keys, &SUMMED].concat()), keys.len())
}

fn country_months(truths: &Path) -> Cells {
    let truth = truth_of(&truths.join("truth_country_month.csv"), &["country", "month"]);
    assert_eq!(truth.len(), 314);
    assert_eq!(truth.values().map(|sums| sums[5]).sum::<i128>(), 97_588_099_940, "9,758,809.994");
    truth
}

/// The store's country, from the tables of each layout as they are.
fn countries_and_months(world: &World, layout: Layout, truths: &Path) {
    let country = match layout {
        Layout::Star => "dim_store USING (store_key)",
        Layout::Snowflake => "dim_store USING (store_key) JOIN dim_country USING (country_key)",
    };
    let sql = format!(
        "SELECT country, strftime(occurred_at, '%Y-%m'), {SUMS}
         FROM fact_orders JOIN {country} GROUP BY ALL"
    );
    assert_true("country and month", &country_months(truths), &cells(world.ask(layout, &sql), 2));
    let by_partition = sql.replace("strftime(occurred_at, '%Y-%m')", "date_month");
    assert_true("partition", &country_months(truths), &cells(world.ask(layout, &by_partition), 2));
    let total = world.ask(layout, "SELECT sum(net_amount) FROM fact_orders");
    assert_eq!(total.only(), "9758809.9940");
}

fn products(world: &World, layout: Layout, truths: &Path) {
    let truth = truth_of(&truths.join("truth_product.csv"), &["product_id"]);
    assert_eq!(truth.len(), 3_956);
    let sql = format!(
        "SELECT product_id, {SUMS} FROM dim_product LEFT JOIN fact_orders USING (product_key)
         WHERE product_key > 0 GROUP BY product_id"
    );
    assert_true("products", &truth, &cells(world.ask(layout, &sql), 1));
}

/// Today's country for the orders of all times: what a join on the natural key to the current version gives.
fn customers_where_they_live_now(world: &World, layout: Layout, truths: &Path) {
    let truth = truth_of(&truths.join("truth_customer_current_country.csv"), &["current_country"]);
    let sql = format!(
        "SELECT coalesce(now.country, '(guest)'), {SUMS}
         FROM fact_orders JOIN dim_customer AS prior USING (customer_key)
         LEFT JOIN star.dim_customer AS now ON now.customer_id = prior.customer_id AND now.is_current
         GROUP BY 1"
    );
    assert_true("customers", &truth, &cells(world.ask(layout, &sql), 1));
}

fn nothing_vanishes(world: &World, layout: Layout) {
    let counted = "
        SELECT kind, count(*) AS rows, count(DISTINCT (position, item)) AS items,
               count(*) FILTER (customer_key = -1) AS guests
        FROM fact_orders GROUP BY kind ORDER BY kind";
    let expected = Rows::markdown(&[
        "| kind      | rows   | items  | guests |",
        "|-----------|--------|--------|--------|",
        "| cancelled | 1016   | 131    | 0      |",
        "| placed    | 531282 | 531282 | 133358 |",
        "| returned  | 8309   | 8272   | 383    |",
    ]);
    assert_same("rows by kind", &expected, &world.ask(layout, counted));

    // Each line of the log is a row: with its own units where it is placed; where it is returned, with its own units
    // over as many rows as it takes from lines of its order, all of its product.
    let lines = |event: &str| {
        format!(
            "SELECT _position AS position, line_no, quantity, product_id, order_id, item FROM (
               SELECT _position, order_id, unnest(lines, recursive := true), generate_subscripts(lines, 1) AS item
               FROM log.\"{event}\")"
        )
    };
    for (event, kind) in [("OrderPlaced", "placed"), ("OrderReturned", "returned")] {
        let sign = if kind == "placed" { 1 } else { -1 };
        let unlike = format!(
            "WITH line AS ({}), row AS (
               SELECT position, item, sum(quantity) AS quantity, any_value(line_no) AS line_no,
                      count(DISTINCT line_no) AS line_nos, count(*) AS rows,
                      count(DISTINCT order_line_no) AS order_lines, any_value(product_id) AS product_id,
                      count(DISTINCT product_id) AS products, any_value(order_id) AS order_id
               FROM fact_orders JOIN dim_product USING (product_key) WHERE kind = '{kind}' GROUP BY ALL)
             SELECT count(*) FROM line FULL JOIN row USING (position, item)
             WHERE line.quantity * {sign} IS DISTINCT FROM row.quantity OR line.line_no IS DISTINCT FROM row.line_no
                OR line.product_id IS DISTINCT FROM row.product_id OR line.order_id IS DISTINCT FROM row.order_id
                OR row.line_nos <> 1 OR row.products <> 1 OR row.rows <> greatest(row.order_lines, 1)",
            lines(event)
        );
        assert_eq!(world.ask(layout, &unlike).only(), "0", "{event}: lines that are not their rows");
    }
    let accumulated = "
        SELECT count(*), sum(quantity), sum(net_amount_left) = (SELECT sum(net_amount) FROM fact_orders WHERE order_id IS NOT NULL)
        FROM fact_order_lines";
    let expected = vec![vec!["531282".to_owned(), "5660978".to_owned(), "true".to_owned()]];
    assert_eq!(world.ask(layout, accumulated).rows, expected);
}

/// The same cells from the plain files, without DuckDB and without a manifest.
fn second_reading(world: &World, layout: Layout) -> Cells {
    let table = |name: &str, columns: &[&str]| read(&world.table_folder(layout, name), Some(columns));
    let countries: BTreeMap<i64, String> = match layout {
        Layout::Star => {
            let stores = table("dim_store", &["store_key", "country"]);
            integers(&stores, "store_key")
                .into_iter()
                .zip(texts(&stores, "country"))
                .filter_map(known)
                .collect()
        }
        Layout::Snowflake => {
            let countries = table("dim_country", &["country_key", "country"]);
            let names: BTreeMap<i64, Option<String>> =
                integers(&countries, "country_key").into_iter().zip(texts(&countries, "country")).collect();
            let stores = table("dim_store", &["store_key", "country_key"]);
            let named = integers(&stores, "country_key").into_iter().map(|key| names[&key].clone());
            integers(&stores, "store_key").into_iter().zip(named).filter_map(known).collect()
        }
    };
    let facts = table("fact_orders", &["store_key", "kind", "occurred_at", "quantity", "net_amount"]);
    let (stores, kinds) = (integers(&facts, "store_key"), texts(&facts, "kind"));
    let (times, quantities) = (times(&facts, "occurred_at"), integers(&facts, "quantity"));
    let amounts = decimals(&facts, "net_amount");
    let mut cells = Cells::new();
    for row in 0..facts.num_rows() {
        let key = vec![countries[&stores[row]].clone(), times[row].format("%Y-%m").to_string()];
        let (quantity, amount) = (i128::from(quantities[row]) * 10_000, amounts[row].unwrap());
        let sums = cells.entry(key).or_insert_with(|| vec![0; SUMMED.len()]);
        let added = match kinds[row].as_deref() {
            Some("placed") => [10_000, quantity, amount, 0, 0, amount],
            _ => [0, 0, 0, quantity, amount, amount],
        };
        sums.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
    }
    cells
}

fn known((key, value): (i64, Option<String>)) -> Option<(i64, String)> {
    value.map(|value| (key, value))
}

/// As it came, a trading day a night; and cut in the middle of lines. It takes a quarter of an hour: with `STARLOG_LONG`.
#[test]
fn however_the_year_is_cut_it_is_the_same() {
    if std::env::var_os("STARLOG_LONG").is_none() {
        return;
    }
    let Some(data) = real_data("online retail") else { return };
    let mut text = String::new();
    let file = std::fs::File::open(data.join("online_retail.ndjson.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let model = load(&repository().join("pipelines/online_retail.toml"));

    let day = |line: &str| line.split("\"timestamp\":\"").nth(1).unwrap()[..10].to_owned();
    let mut by_day = Vec::new();
    let mut torn = Vec::new();
    let mut days = 1;
    for (index, line) in lines.iter().enumerate() {
        if index > 0 && day(line) != day(lines[index - 1]) {
            by_day.extend([Piece::Night, Piece::File]);
            days += 1;
        }
        if index % 2_000 == 1_999 {
            torn.push(Piece::TornNight);
        }
        by_day.push(Piece::Line((*line).to_owned()));
        torn.push(Piece::Line((*line).to_owned()));
    }
    assert_eq!(days, 305);
    let whole: Vec<Piece> = lines.iter().map(|line| Piece::Line((*line).to_owned())).collect();
    let whole = root_hash(&model, &whole);
    assert_eq!(root_hash(&model, &torn), whole, "cut in the middle of lines");
    assert_eq!(root_hash(&model, &by_day), whole, "day by day");
}
