//! A bicycle maker whose own warehouse names, for each line, the version of the product that was sold.

use crate::support::World;
use crate::support::rows::{Rows, assert_same};
use crate::support::second_reader::{decimals, integers, read, texts};
use crate::support::truth::{self, Cells, assert_true, cells, real_data};
use starlog::layout::Layout;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn every_truth_of_adventureworks_holds() {
    let Some(data) = real_data("adventureworks") else { return };
    let truths = data.join("adventureworks_truth");
    let world = World::new("pipelines/adventureworks.toml");
    let report = world.run();
    assert_eq!((report.lines.read, report.lines.accepted), (51_190, 51_190));

    for layout in Layout::ALL {
        values_of_the_day(&world, layout, &truths);
        versions_that_were_sold(&world, layout, &truths);
        categories_and_territories(&world, layout, &truths);
        one_helmet(&world, layout);
        let totals = world.ask(layout, "SELECT count(*), sum(net_amount), sum(quantity) FROM fact_orders");
        assert_eq!(totals.rows, [["121253", "109809274.2030", "274776"]]);
        assert_true("versions, read by another", &sold(&truths), &second_reading(&world, layout));
    }
}

/// Units × list price at the time of the order, and units × today's list price: two questions, two answers.
fn values_of_the_day(world: &World, layout: Layout, truths: &Path) {
    let then = cells(
        truth::read(
            &truths.join("truth_scd2_list_value_year.csv"),
            &["year", "list_value_then", "cost_then", "sales_amount"],
        ),
        1,
    );
    assert_eq!(then[&["2010".to_owned()][..]][0], 8_589_686_711, "858,968.6711");
    let sql = "
        SELECT year, sum(f.quantity * p.unit_price), sum(f.quantity * p.standard_cost), sum(net_amount)
        FROM fact_orders f JOIN dim_product p USING (product_key) JOIN dim_date USING (date_key) GROUP BY year";
    assert_true("values then", &then, &cells(world.ask(layout, sql), 1));

    let now = cells(
        truth::read(&truths.join("truth_scd1_list_value_year.csv"), &["year", "list_value_now", "cost_now"]),
        1,
    );
    assert_eq!(now[&["2010".to_owned()][..]][0], 8_824_499_700, "882,449.97");
    let sql = "
        SELECT year, sum(f.quantity * now.unit_price), sum(f.quantity * now.standard_cost)
        FROM fact_orders f JOIN dim_product p USING (product_key) JOIN dim_date USING (date_key)
        JOIN dim_product now ON now.product_id = p.product_id AND now.is_current GROUP BY year";
    assert_true("values now", &now, &cells(world.ask(layout, sql), 1));
}

/// Per order line and product: list price and cost of the version that was sold.
fn sold(truths: &Path) -> Cells {
    let columns = [
        "order_id",
        "line_no",
        "product_id",
        "list_price_then",
        "standard_cost_then",
        "quantity",
        "sales_amount",
    ];
    let truth = cells(truth::read(&truths.join("truth_line_version.csv.gz"), &columns), 3);
    assert_eq!(truth.len(), 121_253);
    truth
}

fn versions_that_were_sold(world: &World, layout: Layout, truths: &Path) {
    let sql = "
        SELECT order_id, order_line_no, product_id, p.unit_price, p.standard_cost, quantity, net_amount
        FROM fact_orders f JOIN dim_product p USING (product_key) WHERE kind = 'placed'";
    assert_true("versions that were sold", &sold(truths), &cells(world.ask(layout, sql), 3));

    // The n-th version that Microsoft counts is the n-th of ours.
    let truth =
        truth::read(&truths.join("truth_line_version.csv.gz"), &["order_id", "line_no", "version_no"]);
    let sql = "
        SELECT order_id, order_line_no, version FROM fact_orders JOIN (
          SELECT product_key, row_number() OVER (PARTITION BY product_id ORDER BY valid_from) AS version
          FROM dim_product) USING (product_key)";
    assert_true("numbers of versions", &cells(truth, 2), &cells(world.ask(layout, sql), 2));
}

fn categories_and_territories(world: &World, layout: Layout, truths: &Path) {
    let (category, territory) = match layout {
        Layout::Star => ("dim_product USING (product_key)", "dim_store USING (store_key)"),
        Layout::Snowflake => (
            "dim_product USING (product_key) JOIN dim_subcategory USING (subcategory_key)
             JOIN dim_category USING (category_key)",
            "dim_store USING (store_key) JOIN dim_region USING (region_key)
             JOIN dim_territory_country USING (territory_country_key)
             JOIN dim_territory_group USING (territory_group_key)",
        ),
    };
    let truth = truth::read(
        &truths.join("truth_category_year.csv"),
        &["category", "subcategory", "year", "n_lines", "units", "sales_amount"],
    );
    let sql = format!(
        "SELECT category, subcategory, year, count(*), sum(quantity), sum(net_amount)
         FROM fact_orders JOIN {category} JOIN dim_date USING (date_key) GROUP BY ALL"
    );
    assert_true("categories", &cells(truth, 3), &cells(world.ask(layout, &sql), 3));

    let truth = truth::read(
        &truths.join("truth_territory_month.csv"),
        &["group_name", "country", "region", "month", "channel", "n_lines", "units", "sales_amount"],
    );
    let sql = format!(
        "SELECT territory_group, territory_country, region, date_month, channel, count(*), sum(quantity), sum(net_amount)
         FROM fact_orders JOIN {territory} GROUP BY ALL"
    );
    assert_true("territories", &cells(truth, 5), &cells(world.ask(layout, &sql), 5));
}

/// The versions that were sold, without DuckDB. A product's own columns are in its own table in either layout.
fn second_reading(world: &World, layout: Layout) -> Cells {
    let table = |name: &str, columns: &[&str]| read(&world.table_folder(layout, name), Some(columns));
    let products = table("dim_product", &["product_key", "product_id", "unit_price", "standard_cost"]);
    let (ids, prices) = (texts(&products, "product_id"), decimals(&products, "unit_price"));
    let costs = decimals(&products, "standard_cost");
    let by_key: BTreeMap<i64, usize> =
        integers(&products, "product_key").into_iter().enumerate().map(|(row, key)| (key, row)).collect();
    let facts =
        table("fact_orders", &["order_id", "order_line_no", "product_key", "quantity", "net_amount", "kind"]);
    let (orders, lines) = (texts(&facts, "order_id"), integers(&facts, "order_line_no"));
    let (keys, quantities) = (integers(&facts, "product_key"), integers(&facts, "quantity"));
    let amounts = decimals(&facts, "net_amount");
    let cell = |row: usize| {
        let product = by_key[&keys[row]];
        let key = vec![orders[row].clone().unwrap(), lines[row].to_string(), ids[product].clone().unwrap()];
        let quantity = i128::from(quantities[row]) * 10_000;
        (key, vec![prices[product].unwrap(), costs[product].unwrap(), quantity, amounts[row].unwrap()])
    };
    (0..facts.num_rows()).map(cell).collect()
}

/// A helmet as a person reads its events: in the second only the cost changed. The dealer's price is kept as `previous`.
fn one_helmet(world: &World, layout: Layout) {
    let sql = "
        SELECT unit_price, standard_cost, dealer_price, previous_dealer_price AS before,
               valid_from::DATE AS \"from\", valid_to::DATE AS \"to\", is_current
        FROM dim_product WHERE product_id = 'HL-U509-R' ORDER BY valid_from";
    let expected = Rows::markdown(&[
        "| unit_price | standard_cost | dealer_price | before  | from       | to         | is_current |",
        "|------------|---------------|--------------|---------|------------|------------|------------|",
        "| 33.6442    | 12.0278       | 20.9940      | 20.1865 | 2010-12-29 | 2011-12-29 | false      |",
        "| 33.6442    | 13.8782       | 20.9940      | 20.1865 | 2011-12-29 | 2012-12-28 | false      |",
        "| 34.9900    | 13.0863       | 20.9940      | 20.1865 | 2012-12-28 | 9999-12-31 | true       |",
    ]);
    assert_same("one helmet", &expected, &world.ask(layout, sql));
}
