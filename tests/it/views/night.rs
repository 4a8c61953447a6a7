//! Nights written by hand: which views change, how, and to what.

use super::{event, night, rows, shop, way, write_pipeline};
use crate::support::World;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::nightly::{self, Options, Scrutiny};
use starlog::views::Way;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

const VIEWS: &str = r#"
[views.by_department]
measures = ["net_amount"]
by = ["product.department_name"]

[views.by_name]
measures = ["quantity"]
by = ["product.name"]

[views.by_city]
measures = ["orders", "dearest = max(unit_price)", "products = count_distinct(product.product_id)"]
by = ["customer.city"]

[views.lines_left]
sql = "lines_left.sql"
"#;

const SQL: &str = "SELECT status, sum(quantity_left) AS quantity FROM fact_order_lines GROUP BY ALL";

fn begun() -> (World, u32) {
    let world = shop(VIEWS, &[("lines_left.sql", SQL)]);
    let mut id = 0;
    let mut say = |event_type: &str, at: &str, payload: &str| event(&world, &mut id, event_type, at, payload);
    let lines = [
        say("DepartmentOpened", "2024-10-01 00:00", r#"{"department_id":"D","department_name":"Toys"}"#),
        say("CategoryCreated", "2024-10-01 00:00", r#"{"category_id":"C","department_id":"D"}"#),
        say("ProductCreated", "2024-10-01 00:00", r#"{"product_id":"P","name":"cup","category_id":"C"}"#),
        say("CustomerRegistered", "2024-10-01 00:00", r#"{"customer_id":"K","city":"Oslo"}"#),
        say("OrderPlaced", "2024-10-05 12:00", &order("A", "K", &[("P", 2, "10.00")])),
        say("OrderPlaced", "2024-10-15 12:00", &order("B", "K", &[("P", 1, "10.00"), ("Q", 3, "7.00")])),
    ];
    let report = night(&world, "night1.ndjson", &lines);
    assert!(report.views.iter().all(|view| view.way == Some(Way::Full)));
    (world, id)
}

fn order(order: &str, customer: &str, lines: &[(&str, i64, &str)]) -> String {
    let lines = lines.iter().enumerate().map(|(at, (product, quantity, price))| {
        format!(
            r#"{{"line_no":{},"product_id":"{product}","quantity":{quantity},"unit_price":"{price}"}}"#,
            at + 1
        )
    });
    let lines = lines.collect::<Vec<_>>().join(",");
    format!(r#"{{"order_id":"{order}","customer_id":"{customer}","lines":[{lines}]}}"#)
}

const BY_DEPARTMENT: &str = "SELECT department_name, net_amount, row_count FROM by_department";
const BY_NAME: &str = "SELECT name, quantity FROM by_name";
const BY_CITY: &str = "SELECT city, orders, dearest, products FROM by_city";
const LINES_LEFT: &str = "SELECT status, quantity FROM lines_left";

/// A rename of a parent that comes late moves facts to another group: what it takes from one it adds to the other.
#[test]
fn a_late_rename_of_a_parent_moves_facts_between_groups() {
    let (world, mut id) = begun();
    assert_eq!(rows(&world, BY_DEPARTMENT), [["-", "21.00", "1"], ["Toys", "30.00", "2"]]);
    let renamed = event(
        &world,
        &mut id,
        "DepartmentOpened",
        "2024-10-10 00:00",
        r#"{"department_id":"D","department_name":"Games"}"#,
    );
    let report = night(&world, "night2.ndjson", &[renamed]);
    assert_eq!(way(&report, "by_department"), Way::Incremental);
    assert_eq!(
        rows(&world, BY_DEPARTMENT),
        [["-", "21.00", "1"], ["Games", "10.00", "1"], ["Toys", "20.00", "1"]]
    );
    // Facts have other keys, and say the same in every other view.
    assert_eq!(way(&report, "by_name"), Way::Kept);
    assert_eq!(way(&report, "by_city"), Way::Kept);
}

/// An attribute that is overwritten changes groups of rows that no night writes; so does a member that is filled in.
#[test]
fn what_is_overwritten_and_what_is_filled_in_reaches_rows_that_stay() {
    let (world, mut id) = begun();
    assert_eq!(rows(&world, BY_NAME), [["-", "3"], ["cup", "3"]]);
    let mut say = |event_type: &str, at: &str, payload: &str| event(&world, &mut id, event_type, at, payload);
    let facts = files(&world, "fact_orders");
    let lines = [
        say("ProductsImported", "2024-10-20 00:00", r#"{"products":[{"product_id":"P","name":"mug"}]}"#),
        say("ProductCreated", "2024-10-15 00:00", r#"{"product_id":"Q","name":"pot"}"#),
    ];
    let report = night(&world, "night2.ndjson", &lines);
    assert_eq!(files(&world, "fact_orders"), facts, "no fact is written");
    assert_eq!(way(&report, "by_name"), Way::Incremental);
    assert_eq!(rows(&world, BY_NAME), [["mug", "3"], ["pot", "3"]]);
    // Its groups are those of other columns.
    assert_eq!(way(&report, "by_department"), Way::Kept);
    // It reads no products, and lines are as they were.
    assert_eq!(way(&report, "lines_left"), Way::Kept);
}

/// What can only be computed again is, for the groups that change, and a group without rows goes.
#[test]
fn least_greatest_and_distinct_follow_what_is_taken_back() {
    let (world, mut id) = begun();
    assert_eq!(rows(&world, BY_CITY), [["Oslo", "2", "10.00", "2"]]);
    let mut say = |event_type: &str, at: &str, payload: &str| event(&world, &mut id, event_type, at, payload);
    let placed = [
        say("CustomerRegistered", "2024-10-01 00:00", r#"{"customer_id":"L","city":"Bergen"}"#),
        say("OrderPlaced", "2024-10-16 12:00", &order("C", "L", &[("P", 1, "12.00"), ("R", 1, "3.00")])),
    ];
    let report = night(&world, "night2.ndjson", &placed);
    assert_eq!(way(&report, "by_city"), Way::Incremental);
    assert_eq!(rows(&world, BY_CITY), [["Bergen", "1", "12.00", "2"], ["Oslo", "2", "10.00", "2"]]);
    assert_eq!(way(&report, "lines_left"), Way::Full);
    assert_eq!(rows(&world, LINES_LEFT), [["placed", "8"]]);
    // It had been Trondheim all the time: both groups change, and the old one has no row any more.
    let moved = [say("CustomerRegistered", "2024-10-02 00:00", r#"{"customer_id":"L","city":"Trondheim"}"#)];
    night(&world, "night3.ndjson", &moved);
    assert_eq!(rows(&world, BY_CITY), [["Oslo", "2", "10.00", "2"], ["Trondheim", "1", "12.00", "2"]]);
}

/// A log without facts gives views without rows, and they fill.
#[test]
fn a_view_may_have_no_rows() {
    let world = shop(VIEWS, &[("lines_left.sql", SQL)]);
    let mut id = 0;
    let opened = event(&world, &mut id, "DepartmentOpened", "2024-10-01 00:00", r#"{"department_id":"D"}"#);
    night(&world, "night1.ndjson", &[opened]);
    for view in ["by_department", "by_name", "by_city", "lines_left"] {
        assert!(rows(&world, &format!("FROM {view}")).is_empty(), "{view}");
    }
    let placed =
        event(&world, &mut id, "OrderPlaced", "2024-10-05 12:00", &order("A", "K", &[("P", 2, "10.00")]));
    night(&world, "night2.ndjson", &[placed]);
    assert_eq!(rows(&world, BY_DEPARTMENT), [["-", "20.00", "1"]]);
    assert_eq!(rows(&world, LINES_LEFT), [["placed", "2"]]);
}

/// Path and inode of a table's files.
fn files(world: &World, table: &str) -> Vec<(String, u64)> {
    let release = world.release();
    let of_layouts = release.manifest().layouts.values().filter_map(|tables| tables.get(table));
    let of_views = release.manifest().views.get(table).map(|view| &view.table);
    let files = of_layouts.chain(of_views).flat_map(|table| &table.files);
    files.map(|file| (file.path.clone(), fs::metadata(release.path(file)).unwrap().ino())).collect()
}

/// A view that says something else is made anew, one that is new too; facts, and the other views, are the same files.
#[test]
fn only_a_view_that_changed_is_made_anew() {
    let (mut world, _) = begun();
    let (facts, by_name) = (files(&world, "fact_orders"), files(&world, "by_name"));
    let folder = world.path("");
    let changed = VIEWS.replace("measures = [\"net_amount\"]", "measures = [\"quantity\"]");
    let changed = changed.replace("by_city", "by_town");
    let pipeline = write_pipeline(&folder, "shop", &changed, &[("lines_left.sql", SQL)]);
    world.change_pipeline(&pipeline);
    let log = vec![world.path("night1.ndjson").to_str().unwrap().to_owned()];
    let options = Options { layouts: Vec::new(), log, ..world.options() };
    let scratch = tempfile::tempdir().unwrap();
    let plan = nightly::plan(world.model(), &options, scratch.path(), &Disk::default(), &()).unwrap();
    let planned: Vec<(&str, Way)> =
        plan.views.iter().map(|choice| (choice.view.as_str(), choice.way)).collect();
    let expected = [
        ("by_department", Way::Full),
        ("by_name", Way::Kept),
        ("by_town", Way::Full),
        ("lines_left", Way::Kept),
    ];
    assert_eq!(planned, expected);
    let report = world.run_with(&options);
    assert_eq!(
        report.because,
        [
            "the view by_department says something else than in release 1",
            "release 1 does not have the view by_town",
            "the pipeline has no view by_city any more"
        ]
    );
    let mut made: Vec<(&str, Way)> =
        report.views.iter().map(|view| (view.name.as_str(), view.way.unwrap())).collect();
    made.sort_by_key(|(name, _)| *name);
    assert_eq!(made, expected);
    assert_eq!(files(&world, "fact_orders"), facts);
    assert_eq!(files(&world, "by_name"), by_name);
    assert_eq!(
        rows(&world, "SELECT department_name, quantity FROM by_department"),
        [["-", "3"], ["Toys", "3"]]
    );
    assert!(!world.release().manifest().views.contains_key("by_city"));
}

/// Whoever asks a release for its model gets its views, SQL too.
#[test]
fn a_release_knows_its_views() {
    let (world, _) = begun();
    assert_eq!(world.release().model().unwrap().views, world.model().views);
}

/// A view that is not what the tables give is told of, row by row, in both directions.
#[test]
fn verify_finds_a_view_that_is_not_what_the_tables_give() {
    let (world, _) = begun();
    let verify = || {
        nightly::verify(world.model(), &world.warehouse(), &Scrutiny::default(), &Disk::default()).unwrap()
    };
    assert!(verify().holds());
    // As if a night had gone wrong: another file, and a manifest that says so.
    let release = world.release();
    let view = &release.manifest().views["by_name"].table.files[0];
    let path = release.path(view);
    let mut batch = starlog::warehouse::decode(&path, None).unwrap();
    batch = batch.slice(1, 1);
    let encoded = starlog::warehouse::encode(&batch, &["name".to_owned()]).unwrap();
    let folder = path.parent().unwrap();
    let writable =
        |path: &std::path::Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    writable(folder);
    fs::remove_file(&path).unwrap();
    fs::write(&path, &encoded.bytes).unwrap();
    let manifest = release.dir().join("manifest.json");
    writable(release.dir());
    let text = fs::read_to_string(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    let text = text.replace(&view.blake3, &encoded.blake3);
    let text =
        text.replace(&format!("\"bytes\": {}", view.bytes), &format!("\"bytes\": {}", encoded.bytes.len()));
    let mut listing: Vec<(String, String)> =
        release.manifest().files().map(|file| (file.path.clone(), file.blake3.clone())).collect();
    listing.sort();
    listing
        .iter_mut()
        .filter(|(path, _)| *path == view.path)
        .for_each(|file| file.1.clone_from(&encoded.blake3));
    let listing: String = listing.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    let root = blake3::hash(listing.as_bytes()).to_hex().to_string();
    fs::write(&manifest, text.replace(&release.manifest().blake3, &root)).unwrap();
    let found = verify();
    assert!(!found.holds());
    assert!(
        found.differences.iter().any(|difference| difference.starts_with("views/by_name/by_name.parquet")),
        "{:?} {:?}",
        found.differences,
        found.damages
    );
    let rows: Vec<String> = found.rows.iter().map(ToString::to_string).collect();
    assert_eq!(rows, ["views/by_name/by_name.parquet: name null: is missing"]);
    assert!(found.violations.iter().any(|violation| violation.contains("by_name: every group")), "{found:?}");
}

/// A rebuild, and a release with one layout fewer, have the same views.
#[test]
fn views_do_not_depend_on_the_way_or_on_layouts() {
    let (world, _) = begun();
    let views = |world: &World| world.release().manifest().views.clone();
    let before = views(&world);
    nightly::rebuild(world.model(), &world.warehouse(), Some(2), None, &Disk::default(), "now").unwrap();
    assert_eq!(views(&world), before);
    let log = vec![world.path("night1.ndjson").to_str().unwrap().to_owned()];
    for layouts in [vec![Layout::Snowflake], vec![Layout::Star], Layout::ALL.to_vec()] {
        let report = world.run_with(&Options { layouts, log: log.clone(), ..world.options() });
        assert!(report.release.is_some());
        assert_eq!(views(&world), before);
    }
}
