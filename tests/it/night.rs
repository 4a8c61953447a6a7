//! `starlog run` as whoever types it sees it: limits that hold, files that fail, what is said and what is kept.

use crate::support::second_reader;
use starlog::disk::Disk;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PIPELINE: &str = r#"
name = "loans"

[log]
files = ["log/*.ndjson"]
envelope = { type = "type", time = "at", payload = "body", id = "id" }

[events]
ShelfSet.fields = { shelf = "text", floor = "integer" }
Lent.fields = { loan = "text", shelf = "text", days = "integer" }

[dimensions.shelf]
key = { shelf = "text" }
attributes.floor = { type = "integer", tracking = "history" }
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

/// A pipeline, its log, and where both lie.
struct Place(tempfile::TempDir);

/// What the program printed, and how it ended.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    #[track_caller]
    fn expect(&self, code: i32, err: &[&str]) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        err.iter().for_each(|part| assert!(self.err.contains(part), "no {part:?} in\n{}", self.err));
    }
}

impl Place {
    /// A log of one file with a shelf and two loans.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("loans.toml", PIPELINE);
        fs::create_dir(place.path("log")).unwrap();
        place.write("log/1.ndjson", [&shelf(1), &lent(2, ""), &lent(3, "")].map(String::as_str).concat());
        place
    }

    /// With more keys in `[log]`.
    fn with_log(keys: &str) -> Self {
        let place = Self::new();
        place.declare(keys);
        place
    }

    fn declare(&self, keys: &str) {
        self.write("loans.toml", PIPELINE.replace("[log]", &format!("[log]\n{keys}")));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STARLOG_")) {
            command.env_remove(name);
        }
        command
    }

    fn starlog(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    fn run(&self) -> Said {
        self.starlog(&["run", "loans.toml"])
    }

    fn ask(&self, sql: &str) -> String {
        let said = self.starlog(&["query", "--format", "csv", sql]);
        said.expect(0, &[]);
        said.out
    }

    fn ledger(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.path("warehouse/runs.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn release(&self) -> Option<String> {
        let link = fs::read_link(self.path("warehouse/current")).ok()?;
        Some(link.file_name()?.to_str()?.trim_start_matches('0').to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Disk::default().remove_dir_all(self.0.path());
    }
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn shelf(id: u32) -> String {
    format!(
        r#"{{"type":"ShelfSet","at":"2024-05-01T08:00:00Z","id":"{id}","body":{{"shelf":"A","floor":{id}}}}}"#
    ) + "\n"
}

/// A loan in May 2024; `more` stands in the payload.
fn lent(id: u32, more: &str) -> String {
    format!(
        r#"{{"type":"Lent","at":"2024-05-02T08:00:00Z","id":"{id}","body":{{"loan":"L{id}","shelf":"A","days":{id}{more}}}}}"#
    ) + "\n"
}

#[test]
fn the_limit_of_rejects_holds_until_something_changes() {
    let place = Place::with_log("max_rejects = 2");
    place.run().expect(0, &[]);
    place.write("log/2.ndjson", format!("{{}}\n[]\n{}{{}}\n", lent(4, "")));
    for _ in 0..2 {
        let said = place.run();
        said.expect(1, &["3 of 4 lines since release 1 were rejected", "max_rejects = 2", "into a new file"]);
        // Nobody can ask for them yet: they are named here.
        said.expect(1, &["2 missing-field", "1 not-one-object", "log/2.ndjson, line 2"]);
        assert_eq!(place.release().unwrap(), "1");
    }
    place.declare("max_rejects = 3");
    place.run().expect(0, &[]);
    assert_eq!(place.ask("SELECT count(*) AS n FROM log.rejects"), "n\n3\n");
    // From this release on, counting begins anew.
    place.declare("max_rejects = 0");
    place.write("log/3.ndjson", lent(5, ""));
    place.run().expect(0, &[]);
    assert_eq!(place.release().unwrap(), "3");
}

#[test]
fn the_share_of_rejects_is_that_of_all_lines_since_the_release() {
    let place = Place::with_log("max_reject_share = 0.25");
    place.run().expect(0, &[]);
    place.write("log/2.ndjson", format!("{{}}\n{}", lent(4, "")));
    place.run().expect(1, &["1 of 2 lines since release 1"]);
    place.write("log/3.ndjson", lent(5, ""));
    place.run().expect(1, &["1 of 3 lines since release 1"]);
    place.write("log/4.ndjson", lent(6, ""));
    place.run().expect(0, &[]);
}

#[test]
fn rejects_alone_are_published_without_a_new_byte() {
    let place = Place::new();
    place.run().expect(0, &[]);
    let inodes = || -> BTreeMap<PathBuf, u64> {
        let current = place.path("warehouse/current");
        let data = second_reader::files(&current).into_iter().filter(|file| !file.ends_with("manifest.json"));
        data.map(|file| (file.clone(), fs::metadata(&file).unwrap().ino())).collect()
    };
    let before = inodes();
    place.write("log/2.ndjson", "{}\n");
    let said = place.starlog(&["run", "loans.toml", "--json"]);
    assert_eq!(said.json()["outcome"], "published");
    assert_eq!(place.release().unwrap(), "2");
    assert_eq!(inodes(), before);
    assert_eq!(place.ask("SELECT code, line FROM log.rejects"), "code,line\nmissing-field,1\n");
    assert_eq!(place.starlog(&["run", "loans.toml", "--json"]).json()["outcome"], "unchanged");
}

#[test]
fn a_reject_says_a_path_that_resolves() {
    let place = Place::new();
    fs::create_dir(place.path("pipelines")).unwrap();
    place.write("pipelines/loans.toml", PIPELINE.replace("log/*", "../log/*"));
    place.write("log/2.ndjson", "{}\n");
    let said = place.starlog(&["run", "pipelines/loans.toml", "--warehouse", "a folder"]);
    said.expect(0, &[]);
    assert!(said.out.contains("starlog query --warehouse 'a folder' 'SELECT"), "{}", said.out);
    let sql = "SELECT file FROM log.rejects";
    let answer = place.starlog(&["query", "--warehouse", "a folder", "--format", "csv", sql]).out;
    let file = answer.lines().last().unwrap();
    assert_eq!(Path::new(file), place.path("log/2.ndjson").canonicalize().unwrap());
}

#[test]
fn a_first_run_without_a_file_is_a_mistake() {
    let place = Place::new();
    fs::remove_dir_all(place.path("log")).unwrap();
    place.run().expect(2, &["no file matches `log/*.ndjson`", "hint: correct `files` in [log]"]);
    place.starlog(&["run", "loans.toml", "--log", "*.nd"]).expect(2, &["`*.nd`", "--log"]);
    fs::create_dir(place.path("log")).unwrap();
    place.starlog(&["run", "loans.toml", "--log", "log"]).expect(3, &["not-a-file", "hint: name regular"]);
    place.starlog(&["run", "loans.toml", "--log", "x.ndjson"]).expect(3, &["missing", "hint: check"]);
    assert_eq!(place.release(), None);
    // A file without a line is a log that has not begun.
    place.write("log/1.ndjson", "");
    place.run().expect(0, &[]);
    assert_eq!(place.release().unwrap(), "1");
}

#[test]
fn a_pattern_without_a_file_is_told_later_too() {
    let place = Place::new();
    place.run().expect(0, &[]);
    let said = place.starlog(&["run", "loans.toml", "--log", "log/*.ndjson", "more/*.gz"]);
    said.expect(0, &[]);
    assert!(said.out.contains("nothing   matches `more/*.gz`"), "{}", said.out);
    assert_eq!(place.ledger()[1]["unmatched"], serde_json::json!(["more/*.gz"]));
}

#[test]
fn a_run_that_failed_is_in_the_ledger() {
    let place = Place::with_log("max_rejects = 0");
    place.run().expect(0, &[]);
    place.write("log/2.ndjson", format!("{{}}\n{}", lent(4, "")));
    place.run().expect(1, &[]);
    let ledger = place.ledger();
    assert_eq!(ledger.len(), 2);
    assert_eq!(
        (&ledger[0]["outcome"], &ledger[0]["failure"]),
        (&"published".into(), &serde_json::Value::Null)
    );
    let failed = &ledger[1];
    assert_eq!((&failed["outcome"], &failed["release"]), (&"failed".into(), &1.into()));
    assert_eq!((&failed["failure"]["exit_code"], &failed["log_position"]), (&1.into(), &4.into()));
    assert!(failed["failure"]["message"].as_str().unwrap().starts_with("1 of 2 lines since release 1"));
    assert!(failed["failure"]["next"].as_str().unwrap().contains("into a new file"));
    // The envelope of a log cannot change: that too is found with the warehouse locked.
    place.write("loans.toml", PIPELINE.replace("id = \"id\"", "id = \"uid\""));
    place.run().expect(2, &[]);
    assert_eq!(place.ledger()[2]["failure"]["exit_code"], 2);
}

#[test]
fn each_file_that_fails_has_its_hint_and_the_gravest_is_the_exit_code() {
    let place = Place::new();
    place.write("torn.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    let run = |more: &[&str]| {
        place.starlog(&[&["run", "loans.toml", "--json", "--log", "log/1.ndjson"], more].concat())
    };
    run(&["torn.gz"]).expect(1, &["torn.gz", "hint: if it is still being written"]);
    let said = run(&["torn.gz", "gone.ndjson"]);
    said.expect(
        3,
        &["hint: if it is still being written", "hint: check `[log] files`", "2 files could not be read"],
    );
    let failed = &said.json()["failed_files"];
    assert_eq!((&failed[0]["code"], &failed[0]["exit_code"]), (&"missing".into(), &3.into()));
    assert_eq!((&failed[1]["code"], &failed[1]["exit_code"]), (&"truncated".into(), &1.into()));
    assert!(failed[1]["next"].as_str().unwrap().contains("run again"));
}

#[test]
fn layouts_stay_unless_others_are_asked_for() {
    let place = Place::new();
    let folder = |layout: &str| place.path(&format!("warehouse/current/{layout}")).is_dir();
    place.starlog(&["run", "loans.toml", "--layout", "star,snowflake"]).expect(0, &[]);
    place.write("log/2.ndjson", lent(4, ""));
    place.run().expect(0, &[]);
    assert_eq!((place.release().unwrap().as_str(), folder("star"), folder("snowflake")), ("2", true, true));
    let said = place.starlog(&["run", "loans.toml", "--layout", "star"]);
    assert!(said.out.contains("layout    no snowflake any more"), "{}", said.out);
    assert_eq!((place.release().unwrap().as_str(), folder("star"), folder("snowflake")), ("3", true, false));
    place.run().expect(0, &[]);
    assert_eq!(place.release().unwrap(), "3");
}

#[test]
fn what_waits_and_what_was_bent_is_said() {
    let place = Place::new();
    let leap = lent(4, "").replace("08:00:00Z", "23:59:60Z");
    place.write("log/2.ndjson", format!("{leap}{}\n{{\"type\":", lent(5, "").trim_end()));
    let said = place.run();
    said.expect(0, &[]);
    assert!(said.out.contains("waiting   half a line in log/2.ndjson, 8 bytes"), "{}", said.out);
    assert!(said.out.contains("leap      1 event"), "{}", said.out);
    let run = &place.ledger()[0];
    assert_eq!(run["leap_seconds"], 1);
    let second = &run["files"][1];
    assert_eq!((&second["file"], &second["state"]), (&"log/2.ndjson".into(), &"new".into()));
    let sums = ["read", "accepted", "rejected", "held_bytes"].map(|name| second[name].as_u64().unwrap());
    assert_eq!(sums, [2, 2, 0, 8]);
    // A file in which nothing is new is not told again; what waits is.
    let report = place.starlog(&["run", "loans.toml", "--json"]).json();
    assert_eq!(report["files"].as_array().unwrap().len(), 1);
    assert_eq!(report["files"][0]["held_bytes"], 8);
}

#[test]
fn the_pipeline_may_stand_behind_the_files() {
    let place = Place::new();
    place.starlog(&["run", "--log", "log/1.ndjson", "loans.toml"]).expect(0, &[]);
    place
        .starlog(&["run", "--log", "log/1.ndjson"])
        .expect(2, &["no pipeline", "starlog run PIPELINE --log"]);
    place.starlog(&["run"]).expect(2, &["no pipeline"]);
    place.write("log/2,3.ndjson", lent(4, ""));
    let listed = said(
        place.command(&["run", "loans.toml", "--json"]).env("STARLOG_LOG", "log/1.ndjson, log/*3.ndjson"),
    );
    assert_eq!(listed.json()["lines"]["accepted"], 1);
    place.starlog(&["run", "loans.toml", "--log", "log/2,3.ndjson"]).expect(0, &[]);
}

#[test]
fn a_flag_in_the_environment_may_be_empty_or_a_digit() {
    let place = Place::new();
    for (value, is_json) in [("", false), ("0", false), ("false", false), ("1", true), ("yes", true)] {
        let said = said(place.command(&["run", "loans.toml"]).env("STARLOG_JSON", value));
        said.expect(0, &[]);
        assert_eq!(said.out.starts_with('{'), is_json, "{value:?}: {}", said.out);
    }
}

/// What keeps a night from being published is to be seen wherever somebody looks, until it is mended.
#[test]
fn a_warehouse_that_does_not_get_on_says_so() {
    let place = Place::with_log("max_rejects = 1");
    place.write("log/0.ndjson", "published\n");
    place.run().expect(0, &[]);
    place.write("log/2.ndjson", "one\ntwo\n");
    let refused = "2 of 2 lines since release 1 were rejected";
    // A plan ends as the run would, and counts what the run would count.
    let planned = place.starlog(&["plan", "loans.toml"]);
    planned.expect(1, &[refused, "2 json-syntax, the first in", "2.ndjson, line 1"]);
    assert!(planned.out.contains(&format!("nothing would be published: {refused}")), "{}", planned.out);
    assert_eq!(place.starlog(&["plan", "loans.toml", "--json"]).json()["ingest"]["outcome"], "failed");
    place.run().expect(1, &[refused, "2 json-syntax, the first in"]);
    let said = place.starlog(&["run", "loans.toml", "--json"]);
    said.expect(1, &[refused]);
    assert_eq!(
        (&said.json()["outcome"], &said.json()["failure"]["exit_code"]),
        (&"failed".into(), &1.into())
    );
    let status = place.starlog(&["status"]).out;
    assert!(
        status.contains(&format!("failed: {refused}")) && status.contains("2 since release 1"),
        "{status}"
    );
    assert_eq!(place.starlog(&["status", "--json"]).json()["rejected_since"], 2);
    // A rebuild is no way around it.
    place.starlog(&["rebuild", "loans.toml"]).expect(1, &[refused]);
    assert_eq!(place.release().as_deref(), Some("1"));
    let runs = place.starlog(&["runs"]).out;
    assert!(runs.contains(refused) && !runs.contains("\\n"), "{runs}");
    // A file that cannot be read any more.
    place.declare("max_rejects = 9");
    place.run().expect(0, &[]);
    place.write("log/1.ndjson", shelf(7));
    place.starlog(&["plan", "loans.toml"]).expect(1, &["source-truncated"]);
    place.run().expect(1, &["source-truncated"]);
    let seen = |text: &str| assert!(text.contains("1.ndjson: source-truncated"), "{text}");
    seen(&place.starlog(&["status"]).out);
    seen(&place.starlog(&["runs"]).out);
    // Nothing is made of a folder that is no warehouse.
    place.starlog(&["rebuild", "loans.toml", "--warehouse", "typo"]).expect(2, &["typo is not a warehouse"]);
    assert!(!place.path("typo").exists());
    // Who has locked it is not somebody who has gone.
    let lock = fs::File::open(place.path("warehouse/lock")).unwrap();
    lock.lock().unwrap();
    place.run().expect(3, &["is locked by another program"]);
}

#[test]
fn limits_that_no_machine_has_are_refused() {
    let place = Place::new();
    place.run().expect(0, &[]);
    place.starlog(&["query", "--memory", "1KB", "SELECT 1"]).expect(2, &["64MB"]);
    place.starlog(&["run", "loans.toml", "--threads", "200000"]).expect(2, &["1..=1024"]);
    place.starlog(&["query", "--threads", "0", "SELECT 1"]).expect(2, &["1..=1024"]);
    let out = ["generate", "--orders", "1", "--seed", "1", "--out", "x", "--bad", "2"];
    place.starlog(&out).expect(2, &["from 0 to 1"]);
    let sort = "SELECT count(*) FROM (SELECT DISTINCT hash(i), repeat('x', 100) FROM range(20000000) t(i))";
    let mut hungry = place.command(&["query", "--memory", "64MB", "--threads", "1", sort]);
    said(hungry.env("TMPDIR", "/nowhere")).expect(3, &["hint: give it more memory"]);
}

/// Polars warns of a number that it cannot read, and would take as many threads as there are cores.
#[test]
fn threads_bind_polars_too() {
    let place = Place::new();
    let run = |arguments: &[&str]| said(place.command(arguments).env("POLARS_MAX_THREADS", "many"));
    run(&["run", "loans.toml", "--threads", "1"]).expect(0, &[]);
    assert_eq!(run(&["run", "loans.toml", "--threads", "1"]).err, "");
    place.write("log/2.ndjson", lent(4, ""));
    assert_eq!(run(&["run", "loans.toml", "--threads", "2"]).err, "");
    // Fewer rows are not worth waking it.
    place.write("log/3.ndjson", (5..100).map(|id| lent(id, "")).collect::<String>());
    assert!(run(&["run", "loans.toml"]).err.contains("POLARS_MAX_THREADS"), "does Polars still listen?");
}

#[test]
fn a_file_is_no_warehouse() {
    let place = Place::new();
    let hint = ["a file and not a warehouse", "hint: a warehouse is a folder"];
    place.starlog(&["run", "loans.toml", "--warehouse", "loans.toml"]).expect(2, &hint);
    place.starlog(&["query", "--warehouse", "loans.toml", "SELECT 1"]).expect(2, &hint);
}

#[test]
fn a_question_must_be_one_and_may_begin_with_a_comment() {
    let place = Place::new();
    place.run().expect(0, &[]);
    for nothing in ["", " ", ";", "-- only a word"] {
        place.starlog(&["query", nothing]).expect(2, &["there is no question", "hint: SHOW TABLES"]);
    }
    assert_eq!(place.ask("-- how many?\nSELECT count(*) AS n FROM fact_loans"), "n\n2\n");
    assert_eq!(place.ask("--why not\nSELECT 1 AS n"), "n\n1\n");
    place.starlog(&["query", "--fromat=csv", "SELECT 1"]).expect(2, &["unexpected argument '--fromat'"]);
    let said = place.starlog(&["query", "SHOW TABELS"]);
    said.expect(2, &["TABELS does not exist", "hint: SHOW ALL TABLES"]);
    assert!(!said.err.contains("Did you mean"), "{}", said.err);
}

#[test]
fn one_text_with_star_throughout_runs_in_both_layouts() {
    let place = Place::new();
    place.starlog(&["run", "loans.toml", "--layout", "star,snowflake"]).expect(0, &[]);
    let sql = "SELECT d.date, s.floor, f.date_month, sum(f.days) AS days, count(l.days_left) AS lines
               FROM star.fact_loans f JOIN star.dim_date d USING (date_key) JOIN star.dim_shelf s USING (shelf_key)
               JOIN star.fact_loan_lines l ON l.loan = f.loan GROUP BY ALL";
    for layout in ["star", "snowflake"] {
        let said = place.starlog(&["query", "--format", "csv", "--layout", layout, sql]);
        assert_eq!(said.out, "date,floor,date_month,days,lines\n2024-05-02,1,2024-05,5,2\n", "{}", said.err);
    }
    let comments = "SELECT schema_name || '.' || table_name AS name, comment FROM duckdb_columns()
                    WHERE column_name = 'date_month' ORDER BY ALL";
    let month = |of: &str| format!("\"The month of {of}, as 2011-03: the folder of the row's file\"");
    let (date, placing) = (month("`date_key`"), month("the line's first placing"));
    assert_eq!(
        place.ask(comments),
        format!(
            "name,comment\nmain.fact_loan_lines,{placing}\nmain.fact_loans,{date}\n\
             star.fact_loan_lines,{placing}\nstar.fact_loans,{date}\n"
        )
    );
}

/// Whoever opens the documented glob finds the columns of a fact that has no rows yet, the partition's too.
#[test]
fn a_fact_without_rows_has_a_file_that_every_reader_finds() {
    let place = Place::new();
    place.write("log/1.ndjson", shelf(1));
    place.run().expect(0, &[]);
    for table in ["fact_loans", "fact_loan_lines"] {
        let folder = place.path("warehouse/current/star").join(table);
        assert_eq!(second_reader::read(&folder, None).num_rows(), 0);
        let duckdb = duckdb::Connection::open_in_memory().unwrap();
        for glob in ["*/*.parquet", "**/*.parquet"] {
            let sql = format!(
                "SELECT count(*) FROM read_parquet('{}/{glob}', hive_partitioning = true) WHERE date_month > ''",
                folder.display()
            );
            assert_eq!(duckdb.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "{sql}");
        }
        assert_eq!(place.ask(&format!("SELECT count(date_month) AS n FROM {table}")), "n\n0\n");
    }
    // With the first row the file goes.
    place.write("log/2.ndjson", lent(2, ""));
    place.run().expect(0, &[]);
    let files = second_reader::files(&place.path("warehouse/current/star/fact_loans"));
    assert_eq!(files.len(), 1);
    assert!(files[0].ends_with("date_month=2024-05/2024-05-02.parquet"), "{files:?}");
}
