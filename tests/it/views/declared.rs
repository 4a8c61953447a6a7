//! `[views.<name>]`: what is refused, and what the columns of a view are called.

use super::{shop, write_pipeline};
use crate::support::memory_folder;
use starlog::model;

/// The problems of the shop with these views, each message with its hint.
fn problems(views: &str) -> String {
    let folder = memory_folder();
    let pipeline = write_pipeline(folder.path(), "shop", views, &[]);
    let error = model::load(&pipeline).expect_err("a mistake");
    let report = error.report().expect("a pipeline's problems come as a report");
    let problems = report.related().expect("problems are related");
    let one = |problem: &dyn miette::Diagnostic| {
        format!("× {problem}\n  help: {}\n", problem.help().expect("every problem has a hint"))
    };
    problems.map(one).collect()
}

#[test]
fn what_is_no_view_is_refused_with_a_reason() {
    let views = r#"
[views.nothing]

[views.both]
sql = "both.sql"
measures = ["quantity"]

[views.missing]
sql = "missing.sql"

[views.fact_of_its_own]
measures = ["quantity"]

[views.same]
measures = ["quantity"]

[views.Same]
measures = ["quantity"]

[views."no table"]
measures = ["quantity"]

[views.unknown]
measures = ["quantity"]
by = ["product.nmae"]

[views.not_additive]
measures = ["sum(unit_price)"]

[views.today]
measures = ["quantity"]
as = "now"

[views.counted]
measures = ["row_count = sum(quantity)"]

[views.averaged]
measures = ["avg(quantity)", "avg_quantity_sum = sum(quantity)"]
"#;
    insta::assert_snapshot!("refused", problems(views));
}

/// An average is held as what adds up; every view counts its rows; columns say what they hold.
#[test]
fn the_columns_of_a_view() {
    let views = r#"
[views.all]
measures = ["net_amount", "avg(net_amount)", "orders", "least = min(occurred_at)", "buyers = count_distinct(customer.customer_id)"]
by = ["product.department_name", "date.month", "channel"]
"#;
    let world = shop(views, &[]);
    world.run_on(&[world.write("log.ndjson", "")]);
    let release = world.release();
    let columns = release.manifest().views["all"].table.columns.iter();
    let shown: Vec<String> = columns
        .map(|column| {
            let null = if column.nullable { "" } else { " not null" };
            format!("{} {}{null}: {}\n", column.name, column.sql_type, column.comment)
        })
        .collect();
    insta::assert_snapshot!("columns", shown.concat());
}
