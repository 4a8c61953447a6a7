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

/// A text may be JSON, or have some in it, under any number of escapes, whole or broken.
#[test]
fn texts_that_hold_marked_fields_are_cleaned_too() {
    let inner = r#"{"email":"kanari1","kept":"here"}"#;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let texts = [
        (format!(" \n{inner}\t"), true),
        (format!("[1,{inner}]"), true),
        (quoted(&quoted(inner)), true),
        (format!(r#"{{"deep":{}}}"#, quoted(&format!("[{}]", quoted(inner)))), true),
        (inner.replace("email", "e\\u006dail"), true),
        // These cannot be read.
        (inner.replace('}', ","), false),
        (format!("{inner}x"), false),
        (format!("{inner}\n{inner}"), false),
        (format!("\u{feff}{inner}"), false),
        (format!("note: {}", quoted(inner)), false),
        (inner.replace("email", "e\\u006dail").replace('}', ""), false),
        (inner.replace('"', "'"), false),
        (r#""email"=>"kanari2""#.to_owned(), false),
        (r#"{"phone" : "kanari3"#.to_owned(), false),
        (r#"{"{\"email\":\"kanari4\"}":1}"#.to_owned(), false),
    ];
    let line = |id: usize, text: &str| {
        let text = quoted(text);
        format!(
            r#"{{"type":"Joined","at":"2024-03-01T08:00:00Z","id":{id},"body":{{"member":{id},"email":null,"note":{text}}}}}"#
        ) + "\n"
    };
    let pipeline = CLUB.replace("email = \"text\", phone", "email = \"text?\", phone");
    let world = club(&pipeline);
    let mut lines: String = (1..).zip(&texts).map(|(id, (text, _))| line(id, text)).collect();
    // What says nothing of them stays byte for byte.
    let innocent = ["{ \"kept\" :\t[1.50, true] } ", "the email: none", "\"email\"", "C:\\users"];
    lines.extend((texts.len() + 1..).zip(innocent).map(|(id, text)| line(id, text)));
    world.write("1.ndjson", lines);
    let outbox = |id: &str, payload: &str| {
        let payload = quoted(payload);
        format!(
            r#"{{"id":"{id}","aggregatetype":"m","aggregateid":"1","type":"Joined","timestamp":"2024-03-01T08:00:00Z","payload":{payload}}}"#
        ) + "\n"
    };
    let member = r#"{"member":99,"email":"kanari@9"}"#;
    let outboxes = [
        outbox("o1", &format!("\n{member}")),
        outbox("o2", &member.replace('}', "")),
        outbox("o3", &format!("{member}x")),
    ];
    world.write("2.ndjson", outboxes.concat());
    let mut told = String::new();
    for arguments in
        [vec!["run", "club.toml"], vec!["rejects", "show", "--raw"], vec!["query", "FROM log.\"Joined\""]]
    {
        let output = starlog(&world, Some(KEY), &arguments);
        assert!(output.status.success(), "{}", said(&output));
        told.push_str(&said(&output));
    }
    for (what, text) in [("the warehouse", everything(&world)), ("what was said", told)] {
        let leak = text.find(CANARY).map(|at| text[at..].chars().take(20).collect::<String>());
        assert_eq!(leak, None, "{what}");
    }
    let sql = "SELECT _unknown FROM log.\"Joined\" WHERE member < 99 ORDER BY member";
    let kept: Vec<String> = world.ask(Layout::Star, sql).rows.concat();
    for (kept, (text, is_json)) in kept.iter().zip(&texts) {
        assert_eq!(kept.contains("here"), *is_json, "{text}: {kept}");
        assert!(kept.contains("pii:"), "{text}: {kept}");
    }
    for (kept, text) in kept[texts.len()..].iter().zip(innocent) {
        assert_eq!(*kept, format!("{{\"note\":{}}}", quoted(text)));
    }
    let sql = "SELECT count(*), any_value(email) ~ '^pii:[0-9a-f]{64}$' FROM dim_member WHERE member = 99";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["1", "true"]]);
    assert_eq!(world.ask(Layout::Star, "SELECT count(*) FROM log.rejects").only(), "2");
}

/// Another type is another value, another way to write one is not.
#[test]
fn hashes_are_of_the_type_and_the_value() {
    let world = club(CLUB);
    let line = |id: u32, email: &str| {
        format!(
            r#"{{"type":"Joined","at":"2024-03-01T08:00:00Z","id":{id},"body":{{"member":{id},"email":{email}}}}}"#
        ) + "\n"
    };
    let lines = [
        line(1, "7"),
        line(2, r#""7""#),
        line(3, "7.0"),
        line(4, r#"{"a":1,"b":["\u0041"]}"#),
        line(5, r#"{ "b":["A"], "a":1e0 }"#),
        line(6, "true"),
        line(7, r#""true""#),
        // Told again in another way, each is a duplicate.
        line(1, "70e-1"),
        line(4, r#"{"b":["A"],"a":1}"#),
    ];
    world.write("1.ndjson", lines.concat());
    let output = starlog(&world, Some(KEY), &["run", "club.toml"]);
    assert!(output.status.success(), "{}", said(&output));
    let sql = "SELECT string_agg(same, ' ' ORDER BY same) FROM (SELECT string_agg(member, '=' ORDER BY member) AS same FROM dim_member WHERE member_key > 0 GROUP BY email)";
    assert_eq!(world.ask(Layout::Star, sql).only(), "1=3 2 4=5 6 7");
    assert_eq!(world.ask(Layout::Star, "SELECT count(*) FROM log.rejects").only(), "0");
}

/// Debezium's words are nobody's data: what a change left as it was stays, and types stay known.
#[test]
fn what_debezium_puts_for_a_value_is_not_hashed() {
    let tables = "[log.tables.members]\ncreated = \"Joined\"\nchanged = \"Joined\"\nfields = { member = \"id\" }\n[log.limits]";
    let world = club(
        &CLUB
            .replace("[log.limits]", tables)
            .replace("email = \"text\", phone", "email = \"text?\", phone")
            .replace("hash = [", "hash = [\"name\", "),
    );
    let change = |lsn: u32, email: &str| {
        let columns = r#"[{"field":"since","type":"int32","name":"io.debezium.time.Date"}]"#;
        let after = format!(r#"{{"id":1,"email":"{email}","since":{lsn}}}"#);
        format!(
            r#"{{"schema":{{"fields":[{{"field":"after","name":"s.members.Value","fields":{columns}}}]}},"payload":{{"op":"u","before":null,"after":{after},"source":{{"db":"d","table":"members","lsn":{lsn},"ts_ms":170955360000{lsn}}}}}}}"#
        ) + "\n"
    };
    let unchanged = ["__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="];
    world.write("1.ndjson", change(1, "kanari@1") + &change(2, unchanged[0]) + &change(3, unchanged[1]));
    let output = starlog(&world, Some(KEY), &["run", "club.toml"]);
    assert!(output.status.success(), "{}", said(&output));
    let sql = "SELECT count(*), any_value(email) LIKE 'pii:%' FROM dim_member WHERE member_key > 0";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["1", "true"]]);
    let sql = "SELECT max(since), count(email) FROM log.\"Joined\"";
    assert_eq!(world.ask(Layout::Star, sql).rows, [["1970-01-04", "1"]]);
}

/// The lines of tests stand in the pipeline for all to read, so their key is one that all know.
#[test]
fn tests_in_a_pipeline_need_no_key() {
    let test = r#"
[[test]]
name = "an email is hashed"
given = '''
{"type":"Joined","at":"2024-03-01T08:00:00Z","id":1,"body":{"member":1,"email":"a@b"}}
'''
expect.dim_member = [{ member = 1, email = "HASH" }]
"#;
    let hash =
        blake3::keyed_hash(&blake3::derive_key("starlog 2026-11 pii", b"the key of starlog test"), b"a@b");
    let world = club(&format!("{CLUB}{}", test.replace("HASH", &format!("pii:{}", hash.to_hex()))));
    for key in [None, Some(KEY)] {
        let output = starlog(&world, key, &["test", "club.toml"]);
        assert!(output.status.success(), "{}", said(&output));
    }
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
