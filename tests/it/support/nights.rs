//! A log of which every night adds one product and one order for it, so that whoever reads a release can tell.

use super::World;
use starlog::nightly::{Options, RunReport};

const PIPELINE: &str = r#"
name = "nights"

[log]
files = ["log.ndjson"]
envelope = { type = "type", time = "time", payload = "payload", id = "id" }

[calendar]
time_zone = "UTC"

[events]
ProductCreated.fields = { product_id = "text", name = "text" }
OrderPlaced.fields = { order_id = "text" }
OrderPlaced.lists.lines = { line_no = "integer", product_id = "text", quantity = "integer" }

[dimensions.product]
key = { product_id = "text" }
attributes.name = { type = "text", tracking = "history" }
on.ProductCreated = {}

[facts.orders]
header = { order_id = "text" }
line = { line_no = "integer" }
lines = "order_lines"
dimensions = ["product"]
quantity = "quantity"
milestones = ["placed"]

[facts.orders.measures]
quantity = { type = "integer" }

[facts.orders.on.OrderPlaced]
does = "place"
kind = "placed"
each = "lines"
"#;

/// What a release says of itself: five times the number of nights that it holds, if it is whole.
pub const QUESTION: &str = "SELECT (SELECT count(*) FROM fact_orders) AS rows, \
                            (SELECT count(*) FROM dim_product WHERE product_key > 0) AS members, \
                            (SELECT sum(quantity) FROM fact_order_lines)::BIGINT AS pieces, \
                            (SELECT count(DISTINCT product_key) FROM fact_orders) AS keys, \
                            (SELECT count(*) FROM log.\"OrderPlaced\") AS events";

/// The pipeline, before its first night.
pub fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("nights.toml");
    std::fs::write(&pipeline, PIPELINE).unwrap();
    World::within(folder, &pipeline)
}

/// From now on products have a colour, which the log has been asked for since the first of them.
pub fn declare_colours(world: &mut World) {
    let fields = "product_id = \"text\", name = \"text\"";
    let text = PIPELINE.replace(fields, &format!("{fields}, colour = \"text?\""));
    world.write("nights.toml", text);
    world.change_pipeline(&world.path("nights.toml"));
}

/// Adds the events of a night to the log.
pub fn add(world: &World, night: u64) {
    let (day, time) = (1 + night % 28, format!("2024-{:02}", 1 + night / 28 % 12));
    let event = |kind: &str, hour: u64, payload: &str| {
        format!(
            r#"{{"id":"{kind}{night}","type":"{kind}","time":"{time}-{day:02}T{hour:02}:00:00Z","payload":{payload}}}"#
        )
    };
    let product = event("ProductCreated", 1, &format!(r#"{{"product_id":"P{night}","name":"n{night}"}}"#));
    let lines = format!(r#"[{{"line_no":1,"product_id":"P{night}","quantity":1}}]"#);
    let order = event("OrderPlaced", 2, &format!(r#"{{"order_id":"O{night}","lines":{lines}}}"#));
    let log = world.path("log.ndjson");
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    std::fs::write(&log, format!("{text}{product}\n{order}\n")).unwrap();
}

/// One more night, published.
pub fn publish(world: &World, night: u64) -> RunReport {
    add(world, night);
    let report = world.run_with(&options(world));
    assert_eq!(report.release, Some(night));
    report
}

/// How a night is run.
pub fn options(world: &World) -> Options {
    Options { layouts: Vec::new(), ..world.options() }
}

/// So many nights, published.
pub fn after(nights: u64) -> World {
    let world = world();
    (1..=nights).for_each(|night| drop(publish(&world, night)));
    world
}
