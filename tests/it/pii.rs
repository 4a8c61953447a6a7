//! What is marked as personal never gets behind the door: not into events, rejects, messages, the ledger or a table.

use crate::log::{gzip, read, texts};
use crate::support::World;
use crate::support::second_reader::files;
use starlog::layout::Layout;
use std::fs;
use std::process::{Command, Output};

const KEY: &str = "a key that nobody guesses";

const CLUB: &str = r#"
name = "club"

[log]
files = ["*.ndjson", "*.gz"]
envelope = { type = "type", time = "at", payload = "body", id = "id" }

[log.pii]
key_env = "CLUB_KEY"
hash = ["email", "nick"]
drop = ["phone"]

[log.limits]
line_bytes = 2_000

[events]
Joined.fields = { member = "integer", email = "text", phone = "text?", since = "date?" }
Played.fields = { game = "text", member = "integer" }
Played.lists.players = { nick = "text", points = "integer" }

[dimensions.member]
key = { member = "integer" }
attributes.email = { type = "text", tracking = "history" }
attributes.phone = { type = "text" }
on.Joined = {}

[dimensions.player]
key = { nick = "text" }

[facts.games]
header = { game = "text" }
line = { nick = "text" }
lines = "game_lines"
dimensions = ["member", "player"]
quantity = "points"

[facts.games.measures]
points = { type = "integer" }

[facts.games.on.Played]
does = "place"
kind = "played"
each = "players"
"#;

/// Every personal value begins so.
const CANARY: &str = "kanari";

fn log() -> Vec<u8> {
    let line = |kind: &str, id: u32, body: &str| {
        format!(r#"{{"type":"{kind}","at":"2024-03-0{}T08:00:00Z","id":{id},"body":{{{body}}}}}"#, 1 + id % 9)
            + "\n"
    };
    let lines = [
        line("Joined", 1, r#""member":1,"email":"kanari@1","phone":"kanari-2""#),
        line(
            "Joined",
            2,
            r#""member":2,"em\u0061il":"kan\u0061ri@1","other":{"deep":[{"phone":"kanari-3","email":["kanari4"]}]}"#,
        ),
        line(
            "Played",
            3,
            r#""game":"G","member":1,"players":[{"nick":"kanari5","points":3},{"nick":"kanari@1","points":1}]"#,
        ),
        // Rejects of many kinds: unknown, of another type, with the id of another, twice the same key, a text in a text.
        line("Left", 4, r#""email":"kanari6""#),
        line("Joined", 5, r#""member":"x","email":"kanari7""#),
        line("Joined", 6, r#""member":6,"email":7"#),
        line("Joined", 1, r#""member":1,"email":"kanari8""#),
        line("Joined", 7, r#""member":1,"email":"kanari9","email":"kanari9""#),
        line("Joined", 8, r#""member":8,"since":"kanari","email":"kanari@8""#)
            .replace("\"since\":\"kanari\"", "\"since\":\"soon\""),
        line("Mail", 9, r#""payload":"{\"email\":\"kanari10\",\"n\":1}""#),
        // No JSON, or too much of it.
        r#"{"type":"Joined","body":{"email":"kanari11"}"#.to_owned() + "\n",
        r#"kanari12 {"email":"kanari13"}"#.to_owned() + "\n",
        format!("{{\"email\":\"{}\"}}\n", CANARY.repeat(500)),
        format!("[{}]\n", r#""kanari14""#),
    ];
    let mut log = lines.concat().into_bytes();
    log.extend_from_slice(b"{\"email\":\"kanari15\xff\"}\n");
    log
}

fn club(pipeline: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("club.toml");
    fs::write(&file, pipeline).unwrap();
    World::within(folder, &file)
}

fn starlog(world: &World, key: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(arguments).current_dir(world.path(""));
    if let Some(key) = key {
        command.env("CLUB_KEY", key);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// Everything that lies in the warehouse, unpacked.
fn everything(world: &World) -> String {
    let mut all = String::new();
    for file in files(&world.warehouse()) {
        all.push_str(&file.display().to_string());
        if file.extension().is_some_and(|extension| extension == "parquet") {
            for batch in read(&file) {
                let hex = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
                if let Some(raw) = batch.column_by_name("raw") {
                    let raw = arrow::array::AsArray::as_binary::<i32>(raw);
                    raw.iter().flatten().for_each(|raw| all.push_str(&hex(raw)));
                }
                texts(&batch).into_iter().flatten().for_each(|text| all.push_str(&text));
            }
        }
        all.push_str(&String::from_utf8_lossy(&fs::read(&file).unwrap()));
    }
    all
}

#[test]
fn no_canary_gets_behind_the_door() {
    let world = club(CLUB);
    world.write("1.ndjson", log());
    world.write("2.gz", gzip(br#"{"type":"Joined","body":{"email":"kanari16"#));
    let mut told = String::new();
    for arguments in [
        vec!["plan", "club.toml"],
        vec!["run", "club.toml", "--json"],
        vec!["rejects"],
        vec!["rejects", "show", "--limit", "99"],
        vec!["rejects", "show", "--raw"],
        vec!["rejects", "requeue", "club.toml"],
        vec!["query", "FROM dim_member"],
        vec!["query", "FROM log.\"Joined\""],
        vec!["query", "FROM log.rejects"],
        vec!["history", "member", "1"],
        vec!["runs", "--json"],
        vec!["verify", "club.toml"],
    ] {
        let output = starlog(&world, Some(KEY), &arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        told.push_str(&said(&output));
    }
    for (what, text) in [("the warehouse", everything(&world)), ("what was said", told)] {
        assert!(text.contains("pii:") || text.contains("rejects"), "{what} is empty");
        assert!(
            !text.contains(CANARY),
            "{what}: {}",
            &text[text.find(CANARY).unwrap().saturating_sub(200)..][..300]
        );
        assert!(!text.contains(KEY), "{what} holds the key");
    }
    // Equal values are equal hashes: also between a dimension and a fact, and however they are written.
    let sql = "SELECT count(*), count(DISTINCT email), count(phone), any_value(email) ~ '^pii:[0-9a-f]{64}$' FROM dim_member WHERE member_key > 0";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["3", "2", "0", "true"]]);
    let sql = "SELECT sum(points) FROM fact_games JOIN dim_player player USING (player_key) WHERE player.nick IN (SELECT email FROM dim_member)";
    assert_eq!(world.ask(Layout::Star, sql).only(), "1");
    let sql = "SELECT count(*) FILTER (octet_length(raw) > 0), count(*) FILTER (octet_length(raw) = 0) FROM log.rejects";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["7", "5"]]);
}

/// A cleaned reject can be put back: what was hashed is not hashed again.
#[test]
fn a_cleaned_reject_can_be_put_back() {
    let world =
        club(&CLUB.replace("member = \"integer\", email", "member = \"integer\", club = \"text\", email"));
    let line =
        r#"{"type":"Joined","at":"2024-03-01T08:00:00Z","id":1,"body":{"member":1,"email":"kanari@1"}}"#;
    world.write("1.ndjson", line.to_owned() + "\n");
    assert!(starlog(&world, Some(KEY), &["run", "club.toml"]).status.success());
    world.write("club.toml", CLUB);
    let output = starlog(&world, Some(KEY), &["rejects", "requeue", "club.toml"]);
    assert!(said(&output).contains("1 are events now"), "{}", said(&output));
    world.write(
        "2.ndjson",
        line.replace("\"id\":1", "\"id\":2").replace("\"member\":1", "\"member\":2") + "\n",
    );
    assert!(starlog(&world, Some(KEY), &["run", "club.toml"]).status.success());
    let sql = "SELECT count(*), count(DISTINCT email) FROM dim_member WHERE member_key > 0";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["2", "1"]]);
}

#[test]
fn row_092_the_key_comes_from_the_environment_and_cannot_change() {
    let world = club(CLUB);
    world.write("1.ndjson", log());
    for key in [None, Some(""), Some("too short")] {
        let output = starlog(&world, key, &["run", "club.toml"]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains("CLUB_KEY"), "{}", said(&output));
    }
    assert!(starlog(&world, Some(KEY), &["run", "club.toml"]).status.success());
    let output = starlog(&world, Some("another key of the club"), &["run", "club.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for changed in [CLUB.replace(", \"nick\"]", "]"), CLUB.replace("\"phone\"]", "\"phone\", \"other\"]")] {
        world.write("club.toml", changed);
        let output = starlog(&world, Some(KEY), &["run", "club.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("begin a new warehouse"), "{}", said(&output));
    }
    // Whoever reads needs no key.
    world.write("club.toml", CLUB);
    assert!(starlog(&world, None, &["verify", "club.toml"]).status.success());
    assert!(starlog(&world, None, &["query", "FROM dim_member"]).status.success());
}
