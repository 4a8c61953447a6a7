//! Views in SQL: what is refused, and what their rows become.

use super::{rows, shop};
use crate::support::World;

const VIEW: &str = "[views.written]\nsql = \"written.sql\"\n";

fn world(sql: &str) -> World {
    let world = shop(VIEW, &[("written.sql", sql)]);
    world.write("log.ndjson", "");
    world
}

fn run(world: &World) -> Result<(), String> {
    let log = vec![world.path("log.ndjson").to_str().unwrap().to_owned()];
    let options = starlog::nightly::Options { log, ..world.options() };
    match world.try_run(&options) {
        Ok(_) => Ok(()),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{error}");
            Err(format!("{error}\n  → {}\n", error.next_step().unwrap_or_default()))
        }
    }
}

#[test]
fn what_is_no_function_of_the_release_is_refused() {
    let refused = [
        "SELECT now() AS at",
        "SELECT current_date AS today",
        "SELECT random() AS chance",
        "SELECT avg(quantity) AS quantity FROM fact_orders",
        "SELECT quantity::DOUBLE::INTEGER AS quantity FROM fact_orders",
        "SELECT any_value(kind) AS kind FROM fact_orders",
        "SELECT kind FROM fact_orders LIMIT 1",
        "SELECT DISTINCT ON (kind) kind, quantity FROM fact_orders",
        "SELECT kind FROM fact_orders USING SAMPLE 10%",
        "SELECT * FROM log.\"OrderPlaced\"",
        "SELECT * FROM fact_ordres",
        "SELECT * FROM dim_category",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT nothing FROM fact_orders",
        "SELECT kind, kind FROM fact_orders",
        "SELECT INTERVAL 1 DAY AS span",
        "SELECT 1 AS one; SELECT 2 AS two",
        "CREATE TABLE t (a INTEGER)",
        "SELEC 1",
        "",
    ];
    let said: String = refused
        .iter()
        .map(|sql| format!("{sql}\n  {}", run(&world(sql)).expect_err("no view").replace('\n', "\n  ")))
        .map(|text| text.trim_end().to_owned() + "\n\n")
        .collect();
    insta::assert_snapshot!("written_refused", said);
}

/// Types become those of tables, and rows are sorted by all columns.
#[test]
fn rows_of_a_view_in_sql() {
    let sql = "-- a comment; with a semicolon
SELECT DATE '2024-02-28' + INTERVAL 1 DAY AS day, x.a::TINYINT AS a, x.b::HUGEINT AS b, list(x.a ORDER BY x.b)::VARCHAR AS c
FROM (VALUES (2, 1), (1, 2), (NULL, 3)) AS x(a, b) GROUP BY ALL ORDER BY a DESC;";
    let world = world(sql);
    run(&world).unwrap();
    assert_eq!(
        rows(&world, "SELECT a, b, c FROM written"),
        [["-", "3", "[NULL]"], ["1", "2", "[1]"], ["2", "1", "[2]"]]
    );
    let types: Vec<String> = world.release().manifest().views["written"]
        .table
        .columns
        .iter()
        .map(|c| c.sql_type.clone())
        .collect();
    assert_eq!(types, ["TIMESTAMP", "BIGINT", "DECIMAL(38,0)", "VARCHAR"]);
}
