//! What arrives, and the right reaction to each: the rows of the list of bad inputs by their numbers. What concerns lines
//! and files alone stands with the tests of the log; every row has a test whose name begins with its number.

use crate::log::{LIBRARY, Library, lents};
use crate::support::{World, load, repository};
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::model;
use starlog::nightly::{self, Options};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Sales of a kiosk.
const KIOSK: &str = r#"
name = "kiosk"

[log]
files = ["*.ndjson"]
envelope = { type = "type", time = "at", payload = "body", id = "id", order = "seq" }

[events]
ItemSet.fields = { item = "text", name = "text?" }
ItemGone.fields = { item = "text" }
Sold.fields = { sale = "text" }
Sold.lists.lines = { line = "integer", item = "text?", quantity = "integer", amount = "decimal(38,2)" }
TakenBack.fields = { sale = "text", line = "integer", quantity = "integer?" }
Delivered.fields = { sale = "text" }

[dimensions.item]
key = { item = "text" }
attributes.name = { type = "text", tracking = "history" }
on.ItemSet = {}
on.ItemGone = { does = "close" }

[facts.sales]
header = { sale = "text" }
line = { line = "integer" }
lines = "sale_lines"
dimensions = ["item"]
quantity = "quantity"
milestones = ["sold", "delivered"]

[facts.sales.measures]
quantity = { type = "integer" }
amount = { type = "decimal(38,2)" }

[facts.sales.on.Sold]
does = "place"
kind = "sold"
each = "lines"
line = "line"

[facts.sales.on.TakenBack]
does = "reverse"
kind = "taken_back"
line = "line"

[facts.sales.on.Delivered]
does = "milestone"
kind = "delivered"
"#;

fn kiosk() -> World {
    world(KIOSK)
}

fn world(pipeline: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kiosk.toml");
    fs::write(&file, pipeline).unwrap();
    World::at(&file)
}

/// A line of the log: type, time, order and body; each with an id of its own.
fn line(kind: &str, at: &str, body: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ID: AtomicU64 = AtomicU64::new(1);
    let id = ID.fetch_add(1, Ordering::Relaxed);
    format!(r#"{{"type":"{kind}","at":"{at}","id":"{id}","body":{{{body}}}}}"#) + "\n"
}

fn item(at: &str, item: &str, name: &str) -> String {
    line("ItemSet", at, &format!(r#""item":"{item}","name":"{name}""#))
}

fn sold(at: &str, sale: &str, item: &str, quantity: i64, amount: &str) -> String {
    let lines = format!(r#"{{"line":1,"item":"{item}","quantity":{quantity},"amount":{amount}}}"#);
    line("Sold", at, &format!(r#""sale":"{sale}","lines":[{lines}]"#))
}

fn run(world: &World, log: &[String]) -> nightly::RunReport {
    world.run_on(&[world.write("log.ndjson", log.concat())])
}

#[track_caller]
fn expect<const COLUMNS: usize>(world: &World, sql: &str, rows: &[[&str; COLUMNS]]) {
    assert_eq!(world.ask(Layout::Star, sql).rows, rows, "{sql}");
}

fn starlog(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

/// The list itself: no row is forgotten.
#[test]
fn every_row_has_a_test() {
    fn names(folder: &Path, rows: &mut BTreeSet<u32>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, rows);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for name in text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_') {
                    let Some(name) = name.strip_prefix("row_") else { continue };
                    let numbers = name
                        .split('_')
                        .map_while(|part: &str| part.parse::<u32>().ok().filter(|_| part.len() == 3));
                    rows.extend(numbers);
                }
            }
        }
    }
    let mut rows = BTreeSet::new();
    names(&repository().join("tests/it"), &mut rows);
    // 94 to 100 are the affair of the warehouse.
    let missing: Vec<u32> = (1..=93).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "rows without a test: {missing:?}");
}

// Files.

/// `/proc/self/mem` is a regular file of which the first byte cannot be read.
#[test]
fn row_015_a_file_that_breaks_off_fails_alone() {
    let library = Library::new();
    library.write("good.ndjson", lents([1]));
    let report = library.ingest(&["/proc/self/mem", "good.ndjson"]);
    let failures: Vec<&str> = report.failures.iter().map(|failure| failure.code.as_str()).collect();
    assert_eq!((failures, report.total.accepted), (vec!["unreadable"], 1));
    // And one that was there yesterday.
    fs::remove_file(library.path("good.ndjson")).unwrap();
    library.write("more.ndjson", lents([2]));
    let report = library.ingest(&["good.ndjson", "more.ndjson"]);
    assert_eq!((report.failures[0].code.as_str(), report.total.accepted), ("missing", 1));
    assert_eq!(library.column("Lent", "_id"), ["1", "2"]);
}

/// More files than a process may have open.
#[test]
fn row_019_many_tiny_files_need_few_handles() {
    let world = kiosk();
    for number in 0..700 {
        world.write(&format!("{number}.ndjson"), item("2024-01-01T00:00:00Z", &format!("I{number}"), "n"));
    }
    let program = env!("CARGO_BIN_EXE_starlog");
    fs::write(world.path("kiosk.toml"), KIOSK).unwrap();
    let script = format!("ulimit -n 128; '{program}' run kiosk.toml --json");
    let output = Command::new("sh").args(["-c", &script]).current_dir(world.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect(&world, "SELECT count(*) FROM dim_item WHERE item_key > 0", &[["700"]]);
}

// Numbers and money.

#[test]
fn row_045_negative_and_zero_quantities_are_what_they_say() {
    let world = kiosk();
    let back = line("TakenBack", "2024-01-03T00:00:00Z", r#""sale":"S3","line":1,"quantity":5"#);
    let log = [
        sold("2024-01-01T00:00:00Z", "S1", "A", -2, "-5.00"),
        sold("2024-01-01T00:00:00Z", "S2", "A", 0, "1.00"),
        sold("2024-01-01T00:00:00Z", "S3", "A", 3, "9.00"),
        back,
    ];
    let report = run(&world, &log);
    let sql = "SELECT kind, quantity, amount FROM fact_sales ORDER BY position";
    let rows = [
        ["sold", "-2", "-5.00"],
        ["sold", "0", "1.00"],
        ["sold", "3", "9.00"],
        ["taken_back", "-5", "-15.00"],
    ];
    expect(&world, sql, &rows);
    assert_eq!(report.counts.unwrap().over_reversed, [("sales".to_owned(), 1)], "counted, not clamped");
}

/// What the pipeline says of values is a rule; other lines are rejects, and changing the rule rebuilds nothing.
#[test]
fn row_045_values_may_have_a_domain() {
    let rules = r#"
[events.Sold.values]
sale = ["S1", "S2"]
"lines.quantity" = { min = 0, max = 10 }
"lines.amount" = { min = "0.01" }
"#;
    let world = kiosk();
    world.write("kiosk.toml", KIOSK.replace("[dimensions.item]\n", &format!("{rules}\n[dimensions.item]\n")));
    let sale = |sale, quantity, amount| sold("2024-01-01T00:00:00Z", sale, "A", quantity, amount);
    world.write(
        "a.ndjson",
        [
            sale("S1", 0, "0.01"),
            sale("S2", 10, "99"),
            sale("S2", 1, "0.00"),
            sale("S3", 1, "1"),
            sale("S1", -1, "1"),
            sale("S1", 11, "1"),
        ]
        .concat(),
    );
    let output = starlog(&world.path(""), &["run", "kiosk.toml", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect(&world, "SELECT sum(amount), count(*) FROM fact_sales", &[["99.01", "2"]]);
    let sql = "SELECT code, count(*) FROM log.rejects GROUP BY ALL";
    expect(&world, sql, &[["domain", "4"]]);
    let sql = "SELECT message FROM log.rejects ORDER BY line LIMIT 2";
    let messages = [
        ["amount: 0.00 is not between 0.01 and any"],
        ["sale: \"S3\" is not among the `values` of the pipeline"],
    ];
    expect(&world, sql, &messages);
    world.write("kiosk.toml", KIOSK);
    let output = starlog(&world.path(""), &["run", "kiosk.toml", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"unchanged\""), "judging lines otherwise changes no table: {said}");
}

/// No sum ever wraps: what no table can hold is refused, and the release before stays.
#[test]
fn row_046_a_sum_beyond_38_digits_publishes_nothing() {
    let world = kiosk();
    run(&world, &[sold("2024-01-01T00:00:00Z", "S0", "A", 1, "1.00")]);
    let most = "999999999999999999999999999999999999.99";
    let log: Vec<String> =
        (1..=3).map(|sale| sold("2024-01-01T00:00:00Z", &format!("S{sale}"), "A", 1, most)).collect();
    let options = Options { log: vec![world.write("more.ndjson", log.concat())], ..world.options() };
    let refused = world.try_run(&options);
    let error = refused.map(|report| report.release).unwrap_err();
    assert!(error.exit_code() < 4, "no bug of ours: {error}");
    assert_eq!(world.release().number(), 1);
    expect(&world, "SELECT sum(amount) FROM fact_sales", &[["1.00"]]);
}

/// A currency is a field like others, and its decimals are those that are declared.
#[test]
fn row_047_yen_have_no_cents() {
    let library = Library::with(&LIBRARY.replace("fee = \"decimal(10,2)?\"", "fee = \"decimal(10,0)?\""));
    let lines = [",\"fee\":1250", ",\"fee\":1250.00", ",\"fee\":12.50"];
    let lines: Vec<String> = (1..).zip(lines).map(|(id, fee)| crate::log::lent(id, fee) + "\n").collect();
    library.write("yen.ndjson", lines.concat());
    assert_eq!(library.ingest(&["yen.ndjson"]).total.accepted, 2);
    assert_eq!(library.codes(), ["scale"]);
}

/// The currencies that a pipeline knows are a rule of its author's.
#[test]
fn row_047_an_unknown_currency_is_a_reject() {
    let world = kiosk();
    let sold =
        "Sold.fields = { sale = \"text\", currency = \"text?\" }\nSold.values.currency = [\"EUR\", \"JPY\"]";
    world.write("kiosk.toml", KIOSK.replace("Sold.fields = { sale = \"text\" }", sold));
    let sale = |(sale, currency): (usize, &str)| {
        let body = format!(r#""sale":"S{sale}","currency":{currency},"lines":[]"#);
        line("Sold", "2024-01-01T00:00:00Z", &body)
    };
    let currencies = ["\"EUR\"", "\"JPY\"", "null", "\"eur\"", "\"XXX\"", "\"\""];
    world.write("a.ndjson", currencies.into_iter().enumerate().map(sale).collect::<String>());
    let output = starlog(&world.path(""), &["run", "kiosk.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect(
        &world,
        "SELECT line, code FROM log.rejects ORDER BY 1",
        &[["4", "domain"], ["5", "domain"], ["6", "domain"]],
    );
}

// Time.

/// A time that is a number has the unit that is declared, or none; the other units fall out of the years that can be.
#[test]
fn row_054_the_unit_of_epochs_is_declared() {
    let at = |time: &str| item("T", "A", time).replace("\"T\"", time).replace("\"name\":\"", "\"name\":\"n");
    let times = [
        "1704067200",
        "1704067200000",
        "1704067200000000",
        "1704067200000000000",
        "1704067200000.5",
        "1704067200.0000001",
        "1.7040672e9",
        "99999999999999999999999999",
    ];
    let expected = [
        ("s", [true, false, false, false, false, false, true, false]),
        ("ms", [false, true, false, false, true, false, false, false]),
        ("us", [false, false, true, false, false, false, false, false]),
        ("ns", [false, false, false, true, false, false, false, false]),
    ];
    for (unit, accepted) in expected {
        let world = kiosk();
        let pipeline = KIOSK.replace(
            "order = \"seq\" }",
            &format!("order = \"seq\", unit = \"{unit}\" }}\nearliest = 2020-01-01"),
        );
        world.write("kiosk.toml", pipeline);
        let text = item("2024-01-01T00:00:00Z", "A", "text");
        world.write("a.ndjson", text + &times.map(at).concat());
        let output = starlog(&world.path(""), &["run", "kiosk.toml"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sql = "SELECT name FROM log.\"ItemSet\" ORDER BY _position";
        let names: Vec<Vec<String>> = world.ask(Layout::Star, sql).rows;
        let wanted = times.iter().zip(accepted).filter(|(_, is)| *is).map(|(time, _)| format!("n{time}"));
        let wanted: Vec<Vec<String>> =
            std::iter::once("text".to_owned()).chain(wanted).map(|name| vec![name]).collect();
        assert_eq!(names, wanted, "{unit}");
        let sql = "SELECT DISTINCT _time::DATE::VARCHAR FROM log.\"ItemSet\"";
        expect(&world, sql, &[["2024-01-01"]]);
        let sql = "SELECT DISTINCT code FROM log.rejects ORDER BY 1";
        let codes = world.ask(Layout::Star, sql).rows.concat();
        assert!(codes.iter().all(|code| ["time", "time-range"].contains(&code.as_str())), "{codes:?}");
    }
}

#[test]
fn row_056_two_events_of_one_instant_fold_in_order() {
    let world = kiosk();
    let at = "2024-01-01T00:00:00Z";
    let ordered =
        |seq: i64, name: &str| item(at, "A", name).replace("\"id\"", &format!("\"seq\":{seq},\"id\""));
    run(&world, &[ordered(2, "second"), ordered(1, "first"), item(at, "A", "without an order")]);
    let sql = "SELECT name, count(*) OVER () FROM dim_item WHERE item_key > 0";
    expect(&world, sql, &[["second", "1"]]);
    expect(&world, "SELECT count(*) FROM log.\"ItemSet\"", &[["3"]]);
}

#[test]
fn row_059_zone_and_language_of_the_machine_decide_nothing() {
    let hashes = [("UTC", "C"), ("Asia/Tokyo", "de_DE.UTF-8"), ("America/St_Johns", "tr_TR.UTF-8")].map(
        |(zone, language)| {
            let world = kiosk();
            let late = sold("2024-03-31T22:30:00Z", "S1", "A", 1, "1.50");
            world.write("log.ndjson", [item("2024-01-01T00:00:00Z", "A", "I"), late].concat());
            let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
            world.write("kiosk.toml", KIOSK);
            let command = command.args(["run", "kiosk.toml"]).env("TZ", zone).env("LC_ALL", language);
            assert!(command.current_dir(world.path("")).output().unwrap().status.success());
            world.release().manifest().blake3.clone()
        },
    );
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

// Identity and history.

#[test]
fn row_064_keys_that_look_alike_are_distinct() {
    let world = kiosk();
    let keys = ["a", "A", "a ", " a", "\u{e9}", "e\u{301}", "01", "1"];
    let log: Vec<String> = keys.iter().map(|key| item("2024-01-01T00:00:00Z", key, "n")).collect();
    run(&world, &log);
    expect(&world, "SELECT count(*), count(DISTINCT item) FROM dim_item WHERE item_key > 0", &[["8", "8"]]);
}

#[test]
fn row_065_071_ends_of_members() {
    let world = kiosk();
    let gone = |at: &str, key: &str| line("ItemGone", at, &format!(r#""item":"{key}""#));
    let log = [
        gone("2024-01-01T00:00:00Z", "never heard of"),
        item("2024-01-01T00:00:00Z", "A", "first life"),
        gone("2024-02-01T00:00:00Z", "A"),
        gone("2024-02-02T00:00:00Z", "A"),
        item("2024-03-01T00:00:00Z", "A", "second life"),
    ];
    run(&world, &log);
    let sql =
        "SELECT item, name, valid_from::DATE, valid_to::DATE FROM dim_item WHERE item_key > 0 ORDER BY 3";
    let rows =
        [["A", "first life", "2024-01-01", "2024-02-01"], ["A", "second life", "2024-03-01", "9999-12-31"]];
    expect(&world, sql, &rows);
}

#[test]
fn row_066_067_a_fact_before_its_member_finds_one() {
    let world = kiosk();
    let first = world.write(
        "1.ndjson",
        [
            sold("2024-01-01T00:00:00Z", "S1", "A", 1, "1.00"),
            sold("2024-01-01T00:00:00Z", "S2", "B", 1, "2.00"),
        ]
        .concat(),
    );
    world.run_on(std::slice::from_ref(&first));
    let sql = "SELECT dim_item.item, name, is_inferred, sum(amount), any_value(item_key) FROM fact_sales JOIN dim_item USING (item_key) GROUP BY ALL ORDER BY 1";
    let before = world.ask(Layout::Star, sql).rows;
    assert_eq!(before.iter().map(|row| row[2].as_str()).collect::<Vec<_>>(), ["true", "true"]);
    world.run_on(&[first, world.write("2.ndjson", item("2024-02-01T00:00:00Z", "A", "known"))]);
    let after = world.ask(Layout::Star, sql).rows;
    assert_eq!(after[0][..4], ["A", "known", "false", "1.00"].map(str::to_owned));
    assert_eq!(
        (&after[0][4], &after[1]),
        (&before[0][4], &before[1]),
        "the same keys; B still waits for its event"
    );
}

#[test]
fn row_068_lines_without_header_and_header_without_lines() {
    let world = kiosk();
    let empty = line("Sold", "2024-01-01T00:00:00Z", r#""sale":"S1","lines":[]"#);
    let early = line("TakenBack", "2024-01-02T00:00:00Z", r#""sale":"S9","line":1"#);
    let report = run(&world, &[empty, early]);
    expect(&world, "SELECT count(*) FROM fact_sales", &[["0"]]);
    assert_eq!(report.counts.unwrap().held, [("sales".to_owned(), 1)]);
}

#[test]
fn row_069_070_what_comes_late_stands_in_its_time() {
    let world = kiosk();
    let delivered = line("Delivered", "2024-01-05T00:00:00Z", r#""sale":"S1""#);
    let sale = sold("2024-01-01T00:00:00Z", "S1", "A", 1, "1.00");
    let first = world.write("1.ndjson", [delivered, sale].concat());
    world.run_on(std::slice::from_ref(&first));
    expect(&world, "SELECT status FROM fact_sale_lines", &[["delivered"]]);
    // Years after its time.
    world.run_on(&[first, world.write("2.ndjson", item("1999-01-01T00:00:00Z", "A", "old"))]);
    expect(
        &world,
        "SELECT name, valid_from::DATE, is_inferred FROM dim_item WHERE item_key > 0",
        &[["old", "1999-01-01", "false"]],
    );
}

/// A quadratic way through the events of one member would not come to an end.
#[test]
fn row_072_one_member_with_very_many_events() {
    let world = kiosk();
    let at = |second: u32| {
        format!(
            "2024-01-{:02}T{:02}:{:02}:{:02}Z",
            1 + second / 86_400,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60
        )
    };
    // From the newest to the oldest: each is late.
    let log: Vec<String> =
        (0..60_000).rev().map(|second| item(&at(second), "A", &format!("n{second}"))).collect();
    run(&world, &log);
    expect(&world, "SELECT count(*) FROM dim_item WHERE item_key > 0", &[["60000"]]);
}

// Schema.

#[test]
fn row_076_a_type_that_changes_half_way_is_refused_from_there() {
    let library = Library::new();
    let day = |id: u64, day: &str| crate::log::lent(id, &format!(",\"days\":{day}")) + "\n";
    let lines: Vec<String> = (1..=10).map(|id| day(id, if id <= 6 { "7" } else { "\"7\"" })).collect();
    library.write("a.ndjson", lines.concat());
    assert_eq!(library.ingest(&["a.ndjson"]).total.accepted, 6);
    assert_eq!(library.codes(), ["type"; 4]);
}

#[test]
fn row_078_fields_named_like_ours_are_told_apart() {
    let world = kiosk();
    let names =
        r#""item":"A","valid_from":"x","_release":1,"__proto__":{"a":1},"constructor":2,"_position":-1"#;
    run(&world, &[line("ItemSet", "2024-01-01T00:00:00Z", names)]);
    let sql = "SELECT _position, _unknown FROM log.\"ItemSet\"";
    let kept = r#"{"valid_from":"x","_release":1,"__proto__":{"a":1},"constructor":2,"_position":-1}"#;
    expect(&world, sql, &[["1", kept]]);
    for (old, new) in [
        ("attributes.name =", "attributes.valid_from ="),
        ("attributes.name =", "attributes._release ="),
        ("name = \"text?\"", "_position = \"integer\""),
    ] {
        assert_eq!(problem(&KIOSK.replace(old, new)), 2, "{new}");
    }
}

/// The exit code with which a pipeline is refused.
fn problem(pipeline: &str) -> u8 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kiosk.toml");
    fs::write(&file, pipeline).unwrap();
    model::load(&file).map(|model| model.name).unwrap_err().exit_code()
}

#[test]
fn row_079_080_names_that_no_database_bears() {
    let with =
        |field: &str| KIOSK.replace("name = \"text?\"", &format!("name = \"text?\", {field} = \"text?\""));
    assert_eq!(problem(&with("NAME")), 2);
    assert_eq!(problem(&with(&"n".repeat(10 << 10))), 2);
    assert_eq!(problem(&with("\"a\\u0000b\"")), 2);

    // 1,700 columns, and names that are words of SQL or try to be more.
    let ugly = ["select", "a;b", "--", "q\\\"q", "it's", "a b", "table", "%s", "../x", "\u{e9}"];
    let many: Vec<String> =
        (0..1_700).map(|number| format!("c{number}")).chain(ugly.map(str::to_owned)).collect();
    let declared: String = many.iter().map(|name| format!(", \"{name}\" = \"text?\"")).collect();
    let wide = KIOSK.replace("name = \"text?\"", &format!("name = \"text?\"{declared}"));
    let attributes: String =
        many.iter().map(|name| format!("attributes.\"{name}\" = {{ type = \"text\" }}\n")).collect();
    let wide = wide.replace("on.ItemSet", &format!("{attributes}on.ItemSet"));
    let world = world(&wide);
    let values: String = ugly.iter().map(|name| format!(",\"{name}\":\"v\"")).collect();
    run(&world, &[line("ItemSet", "2024-01-01T00:00:00Z", &format!("\"item\":\"A\"{values}"))]);
    let sql =
        r#"SELECT "select", "a;b", "--", "q""q", "it's", "../x", c1699 FROM dim_item WHERE item_key > 0"#;
    expect(&world, sql, &[["v", "v", "v", "v", "v", "v", "-"]]);
}

// Text.

#[test]
fn row_084_086_values_are_data_and_never_paths() {
    let naughty = [
        "a/b",
        "..",
        "../../x",
        "%2F",
        "",
        "trailing.",
        "x=1",
        "CON",
        "'; DROP TABLE dim_item; --",
        "{{7*7}}",
        "${HOME}",
        "$(id)",
        "%s%n",
        "=cmd()",
        "\u{202e}abc",
        "\u{200b}",
        "\u{1f469}\u{200d}\u{1f680}",
        "I\u{307}",
        "\u{feff}x",
        "NULL",
    ];
    let long = "k".repeat(300);
    let keys: Vec<&str> = naughty.into_iter().chain([long.as_str()]).collect();
    let world = kiosk();
    let log: Vec<String> = keys
        .iter()
        .enumerate()
        .flat_map(|(at, key)| {
            [
                item("2024-01-01T00:00:00Z", key, key),
                sold("2024-01-02T00:00:00Z", &format!("S{at}"), key, 1, "1.00"),
            ]
        })
        .collect();
    let report = run(&world, &log);
    assert_eq!(report.lines.accepted as usize, 2 * keys.len());
    let mut found: Vec<String> =
        world.ask(Layout::Star, "SELECT item FROM dim_item WHERE item_key > 0 AND item = name").rows.concat();
    let mut expected: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "byte for byte");
    let paths = crate::support::second_reader::files(&world.warehouse());
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    assert!(
        names.iter().all(|name| !name.contains("%2F") && !name.contains("kkk") && !name.contains("DROP"))
    );
}

#[test]
fn row_087_a_terminal_is_not_obeyed() {
    let world = kiosk();
    run(
        &world,
        &[item("2024-01-01T00:00:00Z", "A\\u001b[31m", "\u{202e}x\\u0007"), "\u{1b}[2J{}\n".to_owned()],
    );
    for arguments in [
        vec!["query", "FROM dim_item"],
        vec!["query", "SELECT message, raw::VARCHAR FROM log.rejects"],
        vec!["rejects"],
        vec!["rejects", "show"],
        vec!["history", "item", "A\u{1b}[31m"],
        vec!["status"],
        vec!["runs"],
    ] {
        let output = starlog(&world.path(""), &arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{arguments:?}: {text:?}");
    }
}

/// What a spreadsheet would run is written as it is: a file of values is no spreadsheet.
#[test]
fn row_088_csv_is_byte_exact_and_csv_safe_is_for_spreadsheets() {
    let world = kiosk();
    run(&world, &[item("2024-01-01T00:00:00Z", "=cmd()", "+1"), item("2024-01-01T00:00:00Z", "@x", "-1")]);
    let sql = "SELECT item, name FROM dim_item WHERE item_key > 0 ORDER BY 1";
    let output = starlog(&world.path(""), &["query", "--format", "csv", sql]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "item,name\n=cmd(),+1\n@x,-1\n");
    let sql = "SELECT item, name, -1 AS \"=n\" FROM dim_item WHERE item_key > 0 ORDER BY 1";
    let output = starlog(&world.path(""), &["query", "--format", "csv-safe", sql]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "item,name,'=n\n'=cmd(),'+1,-1\n'@x,'-1,-1\n");
}

// Configuration.

#[test]
fn row_090_a_key_that_is_none_has_a_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    for (old, new, said) in [
        ("files =", "filez =", "did you mean `files`?"),
        ("[facts.sales]", "[factz.sales]", "did you mean `facts`?"),
        ("milestones =", "milestone =", "did you mean `milestones`?"),
        ("[events]", "[log.limits]\nline_byte = 1000\n\n[events]", "did you mean `line_bytes`?"),
    ] {
        fs::write(folder.path().join("kiosk.toml"), KIOSK.replacen(old, new, 1)).unwrap();
        let output = starlog(folder.path(), &["run", "kiosk.toml"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{new}: {text}");
    }
}

#[test]
fn row_091_a_pipeline_that_is_a_bomb() {
    let deep =
        |open: &str, close: &str| format!("{KIOSK}\nx = {}{}\n", open.repeat(100_000), close.repeat(100_000));
    assert_eq!(problem(&deep("[", "]")), 2);
    assert_eq!(problem(&deep("{ a = ", " }")), 2);
    assert_eq!(problem(&format!("name = \"a\"\n{KIOSK}")), 2);
    assert_eq!(problem(&KIOSK.replace("ItemGone.fields", "ItemSet.fields")), 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kiosk.toml");
    fs::write(&file, [KIOSK.as_bytes(), b"# \xff\xfe\n"].concat()).unwrap();
    assert_eq!(model::load(&file).map(|model| model.name).unwrap_err().exit_code(), 2);
}

/// A pipeline names no secret and no variable: a text that looks like one is a text.
#[test]
fn row_092_nothing_is_taken_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kiosk.toml"), KIOSK.replace("*.ndjson", "${STARLOG_WAREHOUSE}/*.ndjson"))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    let output = command
        .args(["run", "kiosk.toml"])
        .current_dir(folder.path())
        .env("STARLOG_WAREHOUSE", "w")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("${STARLOG_WAREHOUSE}"), "{text}");
}

#[test]
fn row_093_one_warehouse_for_one_pipeline_and_not_its_own_source() {
    let world = kiosk();
    run(&world, &[item("2024-01-01T00:00:00Z", "A", "n")]);
    let other = world.write("other.toml", KIOSK.replace("\"kiosk\"", "\"other\""));
    let error = nightly::run(&load(Path::new(&other)), &world.options(), &Disk::default(), &());
    assert_eq!(error.map(|report| report.release).unwrap_err().exit_code(), 2);

    // The warehouse's own files are no log.
    let greedy = world.write("kiosk.toml", KIOSK.replace("*.ndjson", "**/*"));
    let error = nightly::run(&load(Path::new(&greedy)), &world.options(), &Disk::default(), &());
    assert_eq!(error.map(|report| report.release).unwrap_err().exit_code(), 2);
    assert_eq!(world.release().number(), 1);
}

/// What a field may hold judges lines: events that the log has taken stay as they are, whatever is declared later.
#[test]
fn values_do_not_judge_what_the_log_holds() {
    let world = kiosk();
    let given = |id: u32, version: u32, body: &str| {
        format!(
            r#"{{"type":"ItemSet","v":{version},"at":"2024-01-01T00:00:00Z","id":{id},"body":{{{body}}}}}"#
        ) + "\n"
    };
    let kiosk = KIOSK.replace("payload = \"body\"", "payload = \"body\", version = \"v\"");
    let pipeline = |more: &str, steps: &str| {
        let today = format!(
            "[events.ItemSet]\nversion = 2\nfields = {{ item = \"text\", name = \"text?\"{more}\n[[events.ItemSet.upcast]]\nfrom = 1\nfields = {{ sku = \"text\", name = \"text?\", other = \"text?\" }}\nsteps = [{{ rename = \"sku\", to = \"item\" }}{steps}, {{ drop = \"other\" }}]\n\n[dimensions.item]\n"
        );
        kiosk
            .replace("ItemSet.fields = { item = \"text\", name = \"text?\" }\n", "")
            .replace("[dimensions.item]\n", &today)
    };
    world.write(
        "a.ndjson",
        given(1, 1, r#""sku":"A","name":"mauve""#) + &given(2, 2, r#""item":"B","name":"red","hue":"blue""#),
    );
    let values = "\nvalues.name = [\"green\"]\nvalues.hue = [\"red\"]";
    for (more, steps) in [
        (" }", ""),
        (" }\nvalues.name = [\"green\"]", ""),
        (" }\nvalues.name = [\"green\"]", ", { default = \"name\", value = \"none\" }"),
        (&format!(", hue = \"text?\" }}{values}"), ", { default = \"name\", value = \"none\" }"),
    ] {
        world.write("kiosk.toml", pipeline(more, steps));
        let output = starlog(&world.path(""), &["run", "kiosk.toml"]);
        assert!(output.status.success(), "{more} {steps}: {}", String::from_utf8_lossy(&output.stderr));
        let sql = "SELECT name FROM dim_item WHERE item_key > 0 ORDER BY 1";
        expect(&world, sql, &[["mauve"], ["red"]]);
    }
    expect(&world, "SELECT hue FROM log.\"ItemSet\" ORDER BY _position", &[["-"], ["blue"]]);
}

/// A number may get another type as long as all that the log holds are numbers of it; else nothing is taken in, and the
/// type that was there still serves.
#[test]
fn row_073_a_field_may_get_another_type() {
    let world = kiosk();
    let pipeline = |quantity: &str, amount: &str| {
        let kiosk = KIOSK.replace(
            "quantity = \"integer\", amount = \"decimal(38,2)\"",
            &format!("quantity = \"{quantity}\", amount = \"{amount}\""),
        );
        // Measures are wide enough for all of them.
        let kiosk =
            kiosk.replace("quantity = { type = \"integer\" }", "quantity = { type = \"decimal(20,3)\" }");
        kiosk.replace("amount = { type = \"decimal(38,2)\" }", "amount = { type = \"decimal(38,3)\" }")
    };
    let taken_back = |kiosk: String| {
        kiosk.replace(
            "line = \"integer\", quantity = \"integer?\"",
            "line = \"integer\", quantity = \"decimal(10,3)?\"",
        )
    };
    let sale = |sale: &str, amount: &str| sold("2024-01-01T00:00:00Z", sale, "A", 2, amount);
    world.write("a.ndjson", sale("S1", "1.50") + &sale("S2", "1.555"));
    let run = |quantity: &str, amount: &str| {
        world.write("kiosk.toml", taken_back(pipeline(quantity, amount)));
        starlog(&world.path(""), &["run", "kiosk.toml"])
    };
    let ledger = |rows: &[[&str; 3]]| {
        expect(&world, "SELECT \"sale\", quantity, amount FROM fact_sales ORDER BY position", rows);
    };
    assert!(run("integer", "decimal(38,2)").status.success());
    ledger(&[["S1", "2.000", "1.500"]]);
    world.write("b.ndjson", sale("S3", "2.25"));
    for (quantity, amount) in [("integer", "text"), ("text", "decimal(38,2)"), ("integer", "decimal(38,0)")] {
        let refused = run(quantity, amount);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("does not keep today's contract") || said.contains("is text"), "{said}");
    }
    // The mended one, what was refused comes back, and the old one still serves.
    world.write("kiosk.toml", taken_back(pipeline("decimal(12,1)", "decimal(38,3)")));
    assert!(starlog(&world.path(""), &["rejects", "requeue", "kiosk.toml"]).status.success());
    assert!(run("decimal(12,1)", "decimal(38,3)").status.success());
    ledger(&[["S1", "2.000", "1.500"], ["S2", "2.000", "1.555"], ["S3", "2.000", "2.250"]]);
    assert_eq!(run("integer", "decimal(38,2)").status.code(), Some(2), "1.555 is no decimal(38,2)");
    let back = run("integer", "decimal(37,3)");
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    ledger(&[["S1", "2.000", "1.500"], ["S2", "2.000", "1.555"], ["S3", "2.000", "2.250"]]);
    let verify = starlog(&world.path(""), &["verify", "kiosk.toml"]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}

/// As long as no event was taken, the envelope may be mended; a first unit of times may come later still.
#[test]
fn row_049_what_the_envelope_lacked_can_be_added_before_the_first_event() {
    let world = kiosk();
    let local = item("2024-01-01T12:00:00", "A", "local");
    let counted = item("T", "B", "counted").replace("\"T\"", "1704110400");
    world.write("a.ndjson", local.clone() + &counted);
    let envelope = |more: &str| {
        world.write("kiosk.toml", KIOSK.replace("order = \"seq\" }", &format!("order = \"seq\"{more} }}")))
    };
    let requeued = || {
        let output = starlog(&world.path(""), &["rejects", "requeue", "kiosk.toml", "--json"]);
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), said["accepted"].as_u64())
    };
    envelope("");
    let output = starlog(&world.path(""), &["run", "kiosk.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    envelope(", zone = \"Europe/Oslo\"");
    assert_eq!(requeued(), (Some(0), Some(1)));
    envelope(", zone = \"Europe/Oslo\", unit = \"s\"");
    assert_eq!(requeued(), (Some(0), Some(1)));
    for changed in [
        ", zone = \"Europe/Paris\", unit = \"s\"",
        ", zone = \"Europe/Oslo\", unit = \"ms\"",
        ", zone = \"Europe/Oslo\"",
    ] {
        envelope(changed);
        assert_eq!(requeued().0, Some(2), "{changed}");
    }
    envelope(", zone = \"Europe/Oslo\", unit = \"s\"");
    assert!(starlog(&world.path(""), &["run", "kiosk.toml"]).status.success());
    let sql = "SELECT name, _time FROM log.\"ItemSet\" ORDER BY _position";
    expect(&world, sql, &[["local", "2024-01-01T11:00:00"], ["counted", "2024-01-01T12:00:00"]]);
}

/// A fact may say nothing but that something happened.
#[test]
fn a_fact_may_have_nothing_but_rows() {
    let world = kiosk();
    world.write(
        "kiosk.toml",
        "name = \"kiosk\"\n[log]\nfiles = [\"*.ndjson\"]\nenvelope = { type = \"type\", time = \"at\", payload = \"body\", id = \"id\" }\n[events]\nRung.fields = {}\n[facts.rings.on.Rung]\ndoes = \"place\"\nkind = \"rung\"\n",
    );
    let rung = |_| line("Rung", "2024-01-01T00:00:00Z", "");
    world.write("a.ndjson", (0..3).map(rung).collect::<String>());
    let output = starlog(&world.path(""), &["run", "kiosk.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect(&world, "SELECT count(*) FROM fact_rings", &[["3"]]);
    let output = starlog(&world.path(""), &["verify", "kiosk.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
