//! A pipeline changes while its warehouse stands: what is released is what a new warehouse would hold (DESIGN 1, 7).

use crate::support::World;
use crate::support::rows::{Rows, assert_same};
use starlog::error::{Error, Who};
use starlog::layout::Layout;
use std::fs;

const GARDEN: &str = r#"
name = "garden"

[log]
files = ["*.ndjson"]
envelope = { type = "what", time = "at", payload = "body" }

[events]
SeedSet.fields = { seed = "text", label = "text?" }
Sown.fields = { bed = "text" }
Sown.lists.rows = { row = "integer", seed = "text", grams = "integer" }

[dimensions.seed]
key = { seed = "text" }
attributes.label = { type = "text" }
on.SeedSet = {}

[facts.sowing]
header = { bed = "text" }
line = { row = "integer" }
lines = "sown_rows"
dimensions = ["seed"]
measures = { grams = { type = "integer" } }
quantity = "grams"
on.Sown = { does = "place", kind = "sown", each = "rows" }
"#;

/// What the pipeline learns to declare only later.
fn grown() -> String {
    GARDEN
        .replace("label = \"text?\"", "label = \"text?\", color = \"text?\"")
        .replace("grams = \"integer\"", "grams = \"integer\", depth = \"decimal(6,2)?\", soil = \"text?\"")
        .replace("on.SeedSet", "attributes.color = { type = \"text\" }\non.SeedSet")
        .replace("measures = {", "columns = { soil = \"text\" }\nmeasures = { depth = { type = \"decimal(6,2)\", default = \"0\" },")
}

const OLD: &str = r#"{"what":"SeedSet","at":"2024-03-01T08:00:00Z","body":{"seed":"pea","label":"Pea","color":"green"}}
{"what":"SeedSet","at":"2024-03-02T08:00:00Z","body":{"seed":"pea","label":"Peas"}}
{"what":"SeedSet","at":"2024-03-02T08:00:00Z","body":{"seed":"oat","color":"yell\u006fw"}}
{"what":"SeedSet","at":"2024-03-03T08:00:00Z","body":{"seed":"oat","color":null,"label":"Oat"}}
{"what":"Sown","at":"2024-03-04T08:00:00Z","body":{"bed":"A","rows":[{"row":1,"seed":"pea","grams":5,"depth":"1.5"},{"row":2,"seed":"oat","grams":7,"soil":"clay"},{"row":3,"seed":"oat","grams":7,"soil":null,"depth":2}]}}
{"what":"Sown","at":"2024-03-05T08:00:00Z","body":{"bed":"B","rows":[]}}
"#;

const NEW: &str = r#"{"what":"SeedSet","at":"2024-03-06T08:00:00Z","body":{"seed":"pea","color":"red"}}
{"what":"Sown","at":"2024-03-07T08:00:00Z","body":{"bed":"C","rows":[{"row":1,"seed":"pea","grams":5,"soil":"sand"}]}}
"#;

/// A world of this pipeline, with its own file beside it.
fn world(pipeline: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("garden.toml");
    fs::write(&file, pipeline).unwrap();
    World::at(&file)
}

fn changed(world: &mut World, pipeline: &str) {
    let file = world.write("garden.toml", pipeline);
    world.change_pipeline(file.as_ref());
}

/// Everything that is released, and what is to be asked of the log.
fn released(world: &World) -> Vec<(String, Rows)> {
    let mut all = Vec::new();
    for layout in Layout::ALL {
        for table in ["dim_seed", "dim_date", "fact_sowing", "fact_sown_rows"] {
            all.push((format!("{layout} {table}"), world.table(layout, table)));
        }
    }
    for event in ["SeedSet", "Sown"] {
        let sql = format!("SELECT * EXCLUDE (_absent, _file) FROM log.\"{event}\" ORDER BY _position");
        all.push((format!("log.{event}"), world.ask(Layout::Star, &sql)));
    }
    all
}

fn refused(world: &World, log: &[String]) -> Error {
    let options = starlog::nightly::Options { log: log.to_vec(), ..world.options() };
    world.try_run(&options).map(|report| report.release).unwrap_err()
}

#[test]
fn a_field_declared_later_is_read_from_what_was_kept() {
    let fresh = world(&grown());
    fresh.run_on(&[fresh.write("a.ndjson", OLD), fresh.write("b.ndjson", NEW)]);

    let mut old = world(GARDEN);
    let first = old.write("a.ndjson", OLD);
    old.run_on(std::slice::from_ref(&first));
    changed(&mut old, &grown());
    let files = [first, old.write("b.ndjson", NEW)];
    old.run_on(&files);
    for ((what, expected), (_, found)) in released(&fresh).iter().zip(&released(&old)) {
        assert_same(what, expected, found);
    }
    let colors =
        "SELECT seed, color, valid_from::DATE FROM star.dim_seed WHERE seed_key > 0 ORDER BY seed_key";
    let rows = [
        ["pea", "green", "2024-03-01"],
        ["pea", "green", "2024-03-02"],
        ["oat", "yellow", "2024-03-02"],
        ["oat", "-", "2024-03-03"],
        ["pea", "red", "2024-03-06"],
    ];
    assert_eq!(old.ask(Layout::Star, colors).rows, rows);

    // And back: what is no longer declared is left out.
    changed(&mut old, GARDEN);
    old.run_on(&files);
    let never = world(GARDEN);
    never.run_on(&[never.write("a.ndjson", OLD), never.write("b.ndjson", NEW)]);
    for table in ["dim_seed", "fact_sowing", "fact_sown_rows"] {
        assert_same(table, &never.table(Layout::Star, table), &old.table(Layout::Star, table));
    }
}

#[test]
fn a_list_declared_later_is_read_from_what_was_kept() {
    let without = GARDEN
        .split("[facts.sowing]")
        .next()
        .unwrap()
        .replace("Sown.lists.rows = { row = \"integer\", seed = \"text\", grams = \"integer\" }\n", "");
    let fresh = world(&grown());
    fresh.run_on(&[fresh.write("a.ndjson", OLD)]);
    let mut old = world(&without);
    let first = old.write("a.ndjson", OLD);
    old.run_on(std::slice::from_ref(&first));
    changed(&mut old, &grown());
    old.run_on(std::slice::from_ref(&first));
    for ((what, expected), (_, found)) in released(&fresh).iter().zip(&released(&old)) {
        assert_same(what, expected, found);
    }
}

#[test]
fn what_old_events_cannot_give_is_the_authors_to_decide() {
    let cases = [
        // A required field that old events lack.
        (
            "label = \"text?\"",
            "label = \"text?\", depth = \"integer\"",
            "`SeedSet`",
            "depth is missing",
            "a.ndjson, line 1",
        ),
        // One that makes a measure of a placed line.
        (
            "grams = \"integer\" }",
            "grams = \"integer\", soil = \"text\" }",
            "`Sown`",
            "soil is missing",
            "a.ndjson, line 5",
        ),
        // A value that is there, and of another type.
        (
            "label = \"text?\"",
            "label = \"text?\", color = \"integer?\"",
            "`SeedSet`",
            "color: expected an integer, found a string",
            "a.ndjson, line 1",
        ),
        (
            "grams = \"integer\" }",
            "grams = \"integer\", depth = \"decimal(6,0)?\" }",
            "`Sown`",
            "depth: more than 0 digits",
            "a.ndjson, line 5",
        ),
        // A field that may no longer be absent.
        ("label = \"text?\"", "label = \"text\"", "`SeedSet`", "label is missing", "a.ndjson, line 3"),
        // A type that numbers of the log are not of.
        ("grams = \"integer\" }", "grams = \"decimal(2,2)\" }", "`Sown`", "is no decimal(2,2)", ""),
    ];
    for (old, new, event, what, place) in cases {
        let mut world = world(GARDEN);
        let first = world.write("a.ndjson", OLD);
        world.run_on(std::slice::from_ref(&first));
        let measure = |text: String| {
            text.replace(
                "measures = { grams = { type = \"integer\" } }",
                "measures = { grams = { type = \"decimal(8,2)\" } }",
            )
        };
        changed(&mut world, &measure(GARDEN.replace(old, new)));
        let error = refused(&world, std::slice::from_ref(&first));
        assert_eq!((error.who(), error.exit_code()), (Who::Author, 2), "{new}: {error}");
        let (said, next) = (error.to_string(), error.next_step().unwrap_or_default());
        assert!(said.contains(event) && said.contains(what) && said.contains(place), "{new}: {said}");
        assert!(next.contains("begin a new warehouse"), "{new}: {next}");

        // Nothing has happened to the log: the old pipeline goes on.
        changed(&mut world, GARDEN);
        let second = world.write("b.ndjson", NEW);
        world.run_on(&[first, second]);
        assert_eq!(world.ask(Layout::Star, "SELECT count(*) FROM fact_sowing").only(), "4");
    }
}

/// Time stands in years that every calendar and every interval can hold; what claims another one is a reject.
#[test]
fn an_absurd_time_stops_no_warehouse() {
    let line = |at: &str| {
        format!(r#"{{"what":"SeedSet","at":"{at}","body":{{"seed":"pea","label":"{at}"}}}}"#) + "\n"
    };
    let judge = |pipeline: &str, times: &[&str]| {
        let world = world(pipeline);
        let log: String = times.iter().map(|at| line(at)).collect();
        let report = world.run_on(&[world.write("a.ndjson", OLD), world.write("t.ndjson", log)]);
        assert_eq!(report.rejects.keys().collect::<Vec<_>>(), ["time-range"]);
        (report.rejects["time-range"], world)
    };
    let absurd = [
        "9999-12-31T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:59:59+01:00",
        "9999-12-30T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2200-01-01T00:00:00Z",
        "1899-12-31T23:59:59.999999Z",
        "2199-12-31T23:59:59Z",
        "1900-01-01T00:00:00Z",
    ];
    let (rejected, narrow) = judge(GARDEN, &absurd);
    assert_eq!(rejected, 7);
    let days = "SELECT count(*) FROM dim_date WHERE date_key > 0";
    assert_eq!(narrow.ask(Layout::Star, days).only(), "109573", "three hundred years");

    let wide =
        GARDEN.replace("[events]", "earliest = 0001-01-01\nlatest = \"9999-12-31T23:59:59Z\"\n[events]");
    let (rejected, wide) = judge(&wide, &absurd[..3]);
    assert_eq!(rejected, 3);
    assert_eq!(wide.ask(Layout::Star, days).only(), "366");
}

/// An amount beyond every measure is a line of the log that cannot be booked, and no more than that.
#[test]
fn an_absurd_amount_stops_no_warehouse() {
    let priced = GARDEN
        .replace("grams = \"integer\" }", "grams = \"integer\", price = \"decimal(8,2)\" }")
        .replace("measures = { grams = { type = \"integer\" } }", "measures = { grams = { type = \"integer\" }, price = { type = \"decimal(8,2)\", additive = false }, cost = { type = \"decimal(20,2)\", formula = \"grams * price\" }, due = { type = \"decimal(30,4)\", additive = false, formula = \"cost * cost\" } }");
    let line = |bed: &str, grams: &str, price: &str| {
        format!(
            r#"{{"what":"Sown","at":"2024-03-04T08:00:00Z","body":{{"bed":"{bed}","rows":[{{"row":1,"seed":"pea","grams":1,"price":1}},{{"row":2,"seed":"pea","grams":{grams},"price":"{price}"}}]}}}}"#
        ) + "\n"
    };
    let log = [
        line("A", "9223372036854775807", "0.01"),
        line("B", "9223372036854775807", "999999.99"),
        line("C", "-9223372036854775808", "999999.99"),
        line("D", "10000000000", "999.99"),
        line("E", "1000", "999.99"),
    ];
    let world = world(&priced);
    let report = world.run_on(&[world.write("a.ndjson", log.concat())]);
    assert_eq!(
        report.rejects.iter().map(|(code, count)| (code.as_str(), *count)).collect::<Vec<_>>(),
        [("range", 3)]
    );
    let rows = "SELECT bed, sum(cost) FROM fact_sowing GROUP BY ALL ORDER BY ALL";
    assert_eq!(world.ask(Layout::Star, rows).rows, [["D", "9999900000001.00"], ["E", "999991.00"]]);
    let said = world.ask(Layout::Star, "SELECT message FROM log.rejects ORDER BY line LIMIT 1");
    assert!(said.only().contains("`due`") && said.only().contains("rows[1]"), "{said}");
}

/// One event with very many items, each of which leaves something out.
#[test]
fn silence_in_long_lists_is_read_once() {
    let world = world(&grown());
    let items: Vec<String> =
        (1..=60_000).map(|row| format!(r#"{{"row":{row},"seed":"pea","grams":1}}"#)).collect();
    let line = format!(
        r#"{{"what":"Sown","at":"2024-03-04T08:00:00Z","body":{{"bed":"A","rows":[{}]}}}}"#,
        items.join(",")
    );
    world.run_on(&[world.write("a.ndjson", line + "\n")]);
    let soils = "SELECT count(*), count(soil) FROM fact_sowing";
    assert_eq!(world.ask(Layout::Star, soils).rows, [["60000", "0"]]);
}
