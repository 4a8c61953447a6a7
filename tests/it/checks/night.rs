//! Does a night's part of the checks see what is wrong in it, and what it left as it was although it should not have?

use super::Release;
use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use starlog::checks::night::{self, Extract, Night, Scope};
use std::sync::Arc;

/// The shop's last night, in which the order O1 was replayed; `sql` breaks something in it.
fn violated(sql: &str) -> Vec<String> {
    let release = Release::shop()
        .but(
            "ALTER TABLE fact_order_lines ADD COLUMN position BIGINT;
             UPDATE fact_order_lines SET position = CASE order_id WHEN 'O1' THEN 5 ELSE 7 END;
             CREATE SCHEMA before;
             CREATE TABLE before.dim_product AS FROM star.dim_product;
             CREATE TABLE before.dim_customer AS FROM star.dim_customer;
             CREATE SCHEMA replaced;
             CREATE TABLE replaced.fact_orders AS FROM fact_orders WHERE position <> 9;
             CREATE TABLE replaced.fact_order_lines AS FROM fact_order_lines;",
        )
        .but(sql)
        .but(
            "CREATE SCHEMA written;
             CREATE VIEW written.fact_orders AS FROM main.fact_orders;
             CREATE VIEW written.fact_order_lines AS FROM main.fact_order_lines;",
        );
    let of = |event: &str, condition: &str| {
        let mut statement =
            release.connection.prepare(&format!("FROM log.\"{event}\" WHERE {condition}")).unwrap();
        let batches: Vec<RecordBatch> = statement.query_arrow([]).unwrap().collect();
        Extract { event: event.to_owned(), schema: statement.schema(), batches }
    };
    let named = ["Placed", "Amended", "Returned", "Cancelled", "ProductReturned"];
    let schema = Arc::new(Schema::new(vec![Field::new("order_id", DataType::Utf8, false)]));
    let headers = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec!["O1"]))]).unwrap();
    let night = Night {
        replayed: "written".to_owned(),
        written: "written".to_owned(),
        replaced: "replaced".to_owned(),
        before: "before".to_owned(),
        scopes: vec![Scope { headers, events: named.map(|event| of(event, "order_id = 'O1'")).into() }],
    };
    let report = night::examine(&release.connection, &release.model, &release.tables, &night).unwrap();
    report.violations.into_iter().map(|violation| violation.check).collect()
}

#[test]
fn a_right_night_breaks_nothing() {
    assert_eq!(violated(""), [""; 0]);
}

#[test]
fn a_wrong_row_of_the_scope_is_found() {
    let found = violated("UPDATE fact_orders SET quantity = 3 WHERE position = 5 AND item = 1");
    assert!(found.contains(&"fact_orders: every placed line of the log is one row".to_owned()), "{found:?}");
}

#[test]
fn a_row_that_was_not_replayed_must_stay() {
    let stayed = |table: &str| format!("{table}: rows that the night did not replay are as they were");
    assert_eq!(
        violated("UPDATE fact_orders SET unit_price = 11 WHERE position = 7 AND item = 1"),
        [stayed("fact_orders")]
    );
    assert_eq!(
        violated("DELETE FROM fact_order_lines WHERE order_id = 'O2' AND order_line_no = 2"),
        [stayed("fact_order_lines")]
    );
    // Without an order, and not the event that was replayed.
    assert_eq!(violated("DELETE FROM fact_orders WHERE position = 11"), [stayed("fact_orders")]);
}

#[test]
fn a_row_whose_version_is_another_one_now_must_have_been_replayed() {
    // Until now the second version of P1 had begun later than the order O2, which still bears its key.
    let moved = "fact_orders: product_key: rows whose version is another one now were replayed";
    let now = "UPDATE star.dim_product SET valid_from = TIMESTAMP '2024-02-12' WHERE product_key = 3;
               UPDATE star.dim_product SET valid_to = TIMESTAMP '2024-02-12' WHERE product_key = 1;";
    assert!(violated(now).contains(&moved.to_owned()), "{:?}", violated(now));
    // What was always so is none of the night's business.
    let ever = format!(
        "{now} DROP TABLE before.dim_product; CREATE TABLE before.dim_product AS FROM star.dim_product;"
    );
    assert!(!violated(&ever).contains(&moved.to_owned()));
}
