//! Rejects that are put back: at new positions, once, and as if they had come last (DESIGN 6, 8).

use crate::support::World;
use crate::support::rows::assert_same;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::log::EventLog;
use starlog::nightly::{self, Build, Scrutiny};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const NOW: &str = "2026-11-23T00:00:00Z";

/// Loans of a library, before anybody knew that shelves may stand in no room.
const LOANS: &str = r#"
name = "loans"

[log]
files = ["*.ndjson"]
envelope = { type = "type", time = "at", payload = "body", id = "id" }

[events]
ShelfSet.fields = { shelf = "text", floor = "integer", room = "text" }
Lent.fields = { loan = "text", shelf = "text", days = "integer" }

[dimensions.shelf]
key = { shelf = "text" }
attributes.floor = { type = "integer", tracking = "history" }
attributes.room = { type = "text" }
on.ShelfSet = {}

[facts.loans]
header = { loan = "text" }
lines = "loan_lines"
dimensions = ["shelf"]
milestones = ["lent"]

[facts.loans.measures]
days = { type = "integer" }

[facts.loans.on.Lent]
does = "place"
kind = "lent"
"#;

fn mended() -> String {
    LOANS
        .replace("room = \"text\" }", "room = \"text?\" }")
        .replace("[events]", "ignore = [\"Heartbeat\"]\n\n[events]")
}

const FIRST: &str = r#"{"type":"ShelfSet","at":"2024-03-01T08:00:00Z","id":1,"body":{"shelf":"A","floor":1,"room":"R"}}
{"type":"ShelfSet","at":"2024-03-02T08:00:00Z","id":2,"body":{"shelf":"B","floor":2}}
{"type":"Heartbeat","at":"2024-03-03T08:00:00Z","id":"h","body":{}}
{"type":"Lent","at":"2024-03-05T08:00:00Z","id":3,"body":{"loan":"L3","shelf":"A","days":7}}
{"type":"Lent","at":"2024-03-05T09:00:00Z","id":4,"body":{"loan":"L4","shelf":"B","days":1.5}}
  no event
{"type":"ShelfSet","at":"2024-03-04T08:00:00Z","id":5,"body":{"shelf":"A","floor":5}}
{"type":"ShelfSet","at":"2024-03-04T08:00:00Z","id":6,"body":{"shelf":"C","floor":5}}
"#;

const SECOND: &str = r#"{"type":"Lent","at":"2024-03-06T08:00:00Z","id":7,"body":{"loan":"L7","shelf":"B","days":3}}
{"type":"ShelfSet","at":"2024-03-04T08:00:00Z","id":6,"body":{"shelf":"C","floor":5}}
"#;

/// One night under the old pipeline, one under the mended one.
fn two_nights() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loans.toml");
    fs::write(&file, LOANS).unwrap();
    let mut world = World::within(folder, &file);
    world.write("1.ndjson", FIRST);
    let first = world.run();
    assert_eq!((first.lines.accepted, first.lines.rejected), (2, 6));
    world.write("loans.toml", mended());
    world.change_pipeline(&file);
    world.write("2.ndjson", SECOND);
    let second = world.run();
    assert_eq!((second.release, second.lines.accepted, second.lines.rejected), (Some(2), 2, 0));
    world
}

fn requeue(world: &World, codes: &[&str]) -> starlog::log::RequeueReport {
    let codes: Vec<String> = codes.iter().map(|&code| code.to_owned()).collect();
    nightly::requeue(world.model(), &world.warehouse(), &codes, &Disk::default(), NOW).unwrap()
}

#[test]
fn what_a_mended_pipeline_takes_comes_in_at_new_positions() {
    let world = two_nights();
    let report = requeue(&world, &[]);
    assert_eq!((report.tried, report.accepted, report.duplicate, report.ignored), (6, 2, 1, 1));
    assert_eq!(
        report.rejected.into_iter().collect::<Vec<_>>(),
        [("json-syntax".to_owned(), 1), ("not-integer".to_owned(), 1)]
    );
    assert_eq!(report.positions.map(|(first, last)| (first.0, last.0)), Some((5, 6)));

    // Nothing is published yet; then a night goes on from the release before.
    assert_eq!(world.release().number(), 2);
    let scratch = tempfile::tempdir().unwrap();
    let plan = nightly::plan(world.model(), &world.options(), scratch.path(), &Disk::default(), &()).unwrap();
    assert_eq!(plan.build, Build::Night);
    let night = world.run();
    assert_eq!((night.release, night.lines.read), (Some(3), 0));
    let shelves = "SELECT shelf, floor, room, valid_from::DATE, is_inferred FROM star.dim_shelf WHERE shelf_key > 0 ORDER BY shelf, valid_from";
    let rows = [
        ["A", "1", "R", "2024-03-01", "false"],
        ["A", "5", "R", "2024-03-04", "false"],
        ["B", "2", "-", "2024-03-02", "false"],
        ["C", "5", "-", "2024-03-04", "false"],
    ];
    assert_eq!(world.ask(Layout::Star, shelves).rows, rows);

    // They say where they were read, and the rejects say where they went.
    let events = "SELECT _position, _id, _file, _line, _offset FROM log.\"ShelfSet\" ORDER BY 1";
    let offset = |id: u32| {
        FIRST
            .find(FIRST.lines().find(|line| line.contains(&format!("\"id\":{id},"))).unwrap())
            .unwrap()
            .to_string()
    };
    let rows = [
        ["1", "1", "1.ndjson", "1", "0"],
        ["4", "6", "2.ndjson", "2", &SECOND.find("{\"type\":\"ShelfSet\"").unwrap().to_string()],
        ["5", "2", "1.ndjson", "2", &offset(2)],
        ["6", "5", "1.ndjson", "7", &offset(5)],
    ];
    assert_eq!(world.ask(Layout::Star, events).rows, rows);
    let rejects = "SELECT line, code, event, requeued, \"position\" FROM log.rejects ORDER BY line";
    let rows = [
        ["2", "missing-field", "ShelfSet", "accepted", "5"],
        ["3", "unknown-type", "-", "ignored", "-"],
        ["5", "not-integer", "Lent", "-", "-"],
        ["6", "json-syntax", "-", "-", "-"],
        ["7", "missing-field", "ShelfSet", "accepted", "6"],
        ["8", "missing-field", "ShelfSet", "duplicate", "-"],
    ];
    assert_eq!(world.ask(Layout::Star, rejects).rows, rows);

    // What a night made of them is what a replay of the log makes of them.
    let hash = world.release().manifest().blake3.clone();
    let verified =
        nightly::verify(world.model(), &world.warehouse(), &Scrutiny::default(), &Disk::default()).unwrap();
    assert!(verified.holds(), "{verified:?}");
    let rebuilt =
        nightly::rebuild(world.model(), &world.warehouse(), Some(2), None, &Disk::default(), NOW).unwrap();
    assert!(rebuilt.differences.is_empty(), "{:?}", rebuilt.differences);
    assert_eq!(world.release().manifest().blake3, hash);

    // A new warehouse over the same files has other positions, and with them other keys; it says the same.
    let fresh = World::within(tempfile::tempdir().unwrap(), &world.path("loans.toml"));
    let options = nightly::Options { warehouse: fresh.warehouse(), ..world.options() };
    let log = [world.path("1.ndjson"), world.path("2.ndjson")].map(|file| file.to_str().unwrap().to_owned());
    fresh.run_with(&nightly::Options { log: log.to_vec(), ..options });
    let sql = "SELECT shelf, floor, room, valid_from, valid_to, days, loan FROM star.dim_shelf LEFT JOIN fact_loans USING (shelf_key) WHERE shelf_key > 0 ORDER BY ALL";
    assert_same("shelves and loans", &fresh.ask(Layout::Star, sql), &world.ask(Layout::Star, sql));
    assert_ne!(fresh.release().manifest().blake3, hash);
}

#[test]
fn nothing_is_put_back_twice_and_the_account_balances() {
    let world = two_nights();
    let only = requeue(&world, &["unknown-type"]);
    assert_eq!((only.tried, only.accepted, only.ignored), (1, 0, 1));
    let log = || EventLog::open(&Disk::default(), &world.warehouse().join("log"), world.model()).unwrap();
    assert_eq!(log().position().0, 4);
    let first = requeue(&world, &[]);
    assert_eq!((first.tried, first.accepted), (5, 2));
    let again = requeue(&world, &[]);
    assert_eq!((again.tried, again.accepted, again.duplicate), (2, 0, 0));
    assert_eq!(log().position().0, 6);

    // At the door a line is judged once; what was put back is told apart.
    let account = log().account();
    assert!(account.balances());
    assert_eq!((account.read, account.accepted, account.rejected), (10, 4, 6));
    let status = nightly::status(&world.warehouse()).unwrap();
    assert_eq!((status.lines.rejected, status.requeued), (6, 4));
    let rejected = nightly::rejected(&world.warehouse()).unwrap();
    assert_eq!((rejected.waiting, rejected.requeued), (2, 4));

    let runs = fs::read_to_string(world.warehouse().join("runs.jsonl")).unwrap();
    let outcomes: Vec<String> = runs
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| format!("{} {}", line["command"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    let expected =
        ["run published", "run published", "requeue requeued", "requeue requeued", "requeue unchanged"];
    assert_eq!(outcomes, expected);
}

/// Who is refused again is refused for the reason of today.
#[test]
fn a_reject_that_stays_says_why_today() {
    let mut world = two_nights();
    let file = world.path("loans.toml");
    world.write(
        "loans.toml",
        mended()
            .replace("ignore = [\"Heartbeat\"]", "")
            .replace("[dimensions", "Heartbeat.fields = { pulse = \"integer\" }\n\n[dimensions"),
    );
    world.change_pipeline(&file);
    let report = requeue(&world, &["unknown-type"]);
    assert_eq!(report.rejected.into_iter().collect::<Vec<_>>(), [("missing-field".to_owned(), 1)]);
    world.run();
    let sql = "SELECT code, event, message FROM log.rejects WHERE line = 3";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["missing-field", "Heartbeat", "pulse is missing"]]);
}

/// A line of which only the beginning is kept cannot be judged again.
#[test]
fn what_is_not_whole_is_left_alone() {
    let world = two_nights();
    let torn = crate::log::gzip(&FIRST[..60]);
    world.write("3.ndjson", torn);
    world.run();
    let report = requeue(&world, &[]);
    assert_eq!(report.broken.into_iter().collect::<Vec<_>>(), [("torn-tail".to_owned(), 1)]);
}

/// Limits of one event type count its own lines, also those that were duplicates of nothing.
#[test]
fn a_type_has_limits_of_its_own() {
    let mut world = two_nights();
    let file = world.path("loans.toml");
    let bad =
        r#"{"type":"Lent","at":"2024-03-07T08:00:00Z","id":20,"body":{"loan":"L8","shelf":"B","days":"x"}}"#;
    let good = bad.replace("\"x\"", "1").replace("\"id\":20", "\"id\":21");
    world.write("3.ndjson", format!("{bad}\n{good}\n{}\n", bad.replace("\"id\":20", "\"id\":22")));
    let limit = |world: &mut World, limit: &str| {
        world.write(
            "loans.toml",
            mended().replace("days = \"integer\" }", &format!("days = \"integer\" }}\n{limit}")),
        );
        world.change_pipeline(&file);
        world.try_run(&world.options())
    };
    for (over, under) in [
        ("Lent.max_rejects = 1", "Lent.max_rejects = 2"),
        ("Lent.max_reject_share = 0.6", "Lent.max_reject_share = 0.67"),
    ] {
        let error = limit(&mut world, over).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let text = error.to_string();
        assert!(
            text.starts_with(
                "2 of 3 lines of `Lent` since release 2 were rejected, more than its `max_reject"
            ),
            "{text}"
        );
        assert!(text.contains("2 type, the first in 3.ndjson, line 1: days: expected an integer"), "{text}");
        assert!(error.next_step().unwrap().contains("[events.Lent]"), "{error:?}");
        assert!(
            limit(&mut world, &over.replace("Lent", "ShelfSet")).is_ok_and(|report| report.release > Some(2))
        );
        nightly::rollback(&world.warehouse(), Some(2), &Disk::default(), NOW).unwrap();
        assert!(limit(&mut world, under).is_ok());
        nightly::rollback(&world.warehouse(), Some(2), &Disk::default(), NOW).unwrap();
    }
}

/// What was put back counts no more against any limit.
#[test]
fn a_requeue_closes_the_breaker() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loans.toml");
    fs::write(&file, LOANS.replace("[log]", "[log]\nmax_rejects = 3")).unwrap();
    let mut world = World::within(folder, &file);
    world.write("1.ndjson", FIRST);
    assert_eq!(world.try_run(&world.options()).unwrap_err().exit_code(), 1);
    world.write("loans.toml", mended().replace("[log]", "[log]\nmax_rejects = 3"));
    world.change_pipeline(&file);
    let error = world.try_run(&world.options()).unwrap_err();
    assert!(error.next_step().unwrap().contains("starlog rejects requeue"), "{error:?}");
    assert_eq!(requeue(&world, &[]).accepted, 3);
    assert_eq!(world.run().release, Some(1));
}

#[test]
fn the_pages_of_rejects() {
    let world = two_nights();
    world.write("3.ndjson", b"\x1b[31m\xff \xe2\x80\xaered\n");
    world.run();
    let mut page = String::new();
    for words in [
        "rejects",
        "rejects show 2 7",
        "rejects show --code missing-field --limit 1",
        "rejects show --event Lent --raw",
        "rejects requeue ../loans.toml --dry-run",
        "rejects requeue ../loans.toml",
        "rejects requeue ../loans.toml",
        "rejects show 1",
        "rejects show --code utf8 --json",
        "rejects",
        "rejects --help",
        "rejects show --help",
        "rejects requeue --help",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
        command.args(words.split(' ')).current_dir(world.warehouse()).env("COLUMNS", "100");
        let output = command.env("STARLOG_WAREHOUSE", ".").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        let folder = world.path("").canonicalize().unwrap();
        let text = text.replace(&folder.display().to_string(), "DIR");
        page.push_str(&format!("$ starlog {words}\n{text}\n"));
        assert!(output.status.success(), "{page}");
    }
    insta::assert_snapshot!(page);
}

/// A kept record is read as its own file was, whatever stands under that name now; and what nobody could tell is told anew.
#[test]
fn a_record_is_read_as_its_file_was() {
    const STOCK: &str = r#"
name = "stock"

[log]
files = ["items.*"]
envelope = { type = "type", time = "at", payload = "body", id = "id" }

[log.rows.items]
event = "ItemSet"
time = "at"
id = "id"

[events]
ItemSet.fields = { item = "text", price = "decimal(10,2)", cost = "decimal(10,2)" }

[dimensions.item]
key = { item = "text" }
attributes.price = { type = "decimal(10,2)" }
attributes.cost = { type = "decimal(10,2)" }
on.ItemSet = {}
"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.toml");
    let strict = STOCK.replace("[events]", "[events.ItemSet.values]\nprice = { max = 9 }\n\n[events]");
    let unaware = {
        let from = strict.find("[log.rows.items]").unwrap();
        strict[..from].to_owned() + &strict[strict.find("[events.").unwrap()..]
    };
    fs::write(&file, unaware).unwrap();
    let mut world = World::within(folder, &file);
    world.write(
        "items.1.ndjson",
        "{\"id\":\"n\",\"at\":\"2024-01-01T00:00:00Z\",\"item\":\"N\",\"price\":\"3\",\"cost\":\"4\"}\n",
    );
    world.run();
    world.write("stock.toml", &strict);
    world.change_pipeline(&file);
    world.write(
        "items.2.csv",
        "id,at,item,price,cost\n1,2024-01-01T00:00:00Z,A,9.99,1.00\n2,2024-01-01T00:00:00Z,B,1,1\n",
    );
    world.run();
    // Rotated: the name means another file, with another header.
    fs::rename(world.path("items.2.csv"), world.path("items.1.csv")).unwrap();
    world.write("items.2.csv", "id,at,item,cost,price\n3,2024-01-01T00:00:00Z,C,1,2\n");
    world.run();
    world.write("stock.toml", STOCK);
    world.change_pipeline(&file);
    let report = requeue(&world, &[]);
    assert_eq!((report.tried, report.accepted), (2, 2), "{report:?}");
    world.run();
    let sql = "SELECT item, price, cost FROM dim_item WHERE item_key > 0 ORDER BY 1";
    let rows = [["A", "9.99", "1.00"], ["B", "1.00", "1.00"], ["C", "2.00", "1.00"], ["N", "3.00", "4.00"]];
    assert_eq!(world.ask(Layout::Star, sql).rows, rows);
}

/// Damage is never made the truth: what is read to be put back is what was committed.
#[test]
fn damaged_rejects_are_not_put_back() {
    let world = two_nights();
    let log = EventLog::open(&Disk::default(), &world.warehouse().join("log"), world.model()).unwrap();
    let path = log.rejects()[0].clone();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, &bytes).unwrap();
    let refused =
        nightly::requeue(world.model(), &world.warehouse(), &[], &Disk::default(), NOW).unwrap_err();
    assert!(refused.to_string().contains("other bytes than were committed"), "{refused}");
}
