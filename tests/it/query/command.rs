//! The command line: what it prints, what it writes, and the code that it ends with.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use rstest::rstest;

const PIPELINE: &str = r#"
name = "visits"

[log]
files = ["*.ndjson"]
envelope = { type = "type", version = "version", time = "time", payload = "payload", id = "id", order = "id" }

[events.WardOpened]
fields = { ward = "text", floor = "integer" }

[events.Visited]
fields = { visit = "text", ward = "text", minutes = "integer", fee = "decimal(10,2)" }

[events.Never]
fields = { reason = "text" }

[dimensions.ward]
key = { ward = "text" }
attributes.floor = { type = "integer", tracking = "history" }
on.WardOpened = {}

[facts.visits]
header = { visit = "text" }
dimensions = ["ward"]

[facts.visits.measures]
minutes = { type = "integer" }
fee = { type = "decimal(10,2)" }

[facts.visits.on.Visited]
does = "place"
kind = "visited"
"#;

const LOG: &str = r#"{"id":1,"type":"WardOpened","version":1,"time":"2024-05-01T08:00:00Z","payload":{"ward":"north","floor":2}}
{"id":2,"type":"Visited","version":1,"time":"2024-05-02T08:00:00Z","payload":{"visit":"v1","ward":"north","minutes":30,"fee":"12.50"}}
{"id":3,"type":"Visited","version":1,"time":"2024-05-03T08:00:00Z","payload":{"visit":"v2","ward":"north","minutes":15,"fee":"7.25"}}
{"id":4,"type":"Visited","version":1,"time":"2024-05-03T08:00:00Z","payload":{"visit":"v3"
"#;

/// A pipeline, its log and, once run, its warehouse.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("visits.toml"), PIPELINE).unwrap();
        fs::write(folder.path().join("2024-05.ndjson"), LOG).unwrap();
        Self { folder }
    }

    fn after_a_run(layout: &str) -> Self {
        let place = Self::new();
        place.starlog(&["run", "visits.toml", "--layout", layout]).assert().code(0);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn starlog(&self, arguments: &[&str]) -> Command {
        let mut command = starlog(arguments);
        command.current_dir(self.path());
        command
    }
}

/// The program, in an environment of its own.
fn starlog(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(arguments).stdin(Stdio::null());
    let ours = std::env::vars().filter(|(name, _)| name.starts_with("STARLOG_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn stderr(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

#[rstest]
#[case("")]
#[case("run")]
#[case("query")]
#[case("ask")]
#[case("generate")]
#[case("schema")]
fn help_teaches(#[case] command: &str) {
    let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
    insta::assert_snapshot!(format!("help_{command}"), stdout(&mut starlog(&arguments)));
}

#[test]
fn a_run_sums_up_what_it_did() {
    let place = Place::new();
    let output = place.starlog(&["run", "visits.toml", "--layout", "star,snowflake"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{page}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // Bytes and seconds are not the same everywhere.
    let page: Vec<&str> = page.lines().filter(|line| !line.starts_with("took")).collect();
    let page = page.join("\n").replace(|c: char| c.is_ascii_digit(), "9");
    insta::assert_snapshot!(page);
    let report = stdout(&mut place.starlog(&["run", "visits.toml", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["outcome"], "unchanged");
    assert_eq!(report["release"], 1);
}

#[rstest]
#[case::star("star", "dim_date\ndim_ward\nfact_visits\n")]
#[case::both("star,snowflake", "dim_date\ndim_ward\nfact_visits\n")]
#[case::snowflake("snowflake", "dim_date\ndim_ward\nfact_visits\n")]
fn tables_have_their_plain_names(#[case] layout: &str, #[case] tables: &str) {
    let place = Place::after_a_run(layout);
    let names = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal ORDER BY 1";
    assert_eq!(
        stdout(&mut place.starlog(&["query", "--format", "csv", names])),
        format!("view_name\n{tables}")
    );
    let wide = "SELECT ward, floor FROM star.dim_ward WHERE ward_key > 0";
    assert_eq!(stdout(&mut place.starlog(&["query", "--format", "csv", wide])), "ward,floor\nnorth,2\n");
    let sum = "SELECT sum(fee) AS fee, count(*) AS n FROM fact_visits";
    assert_eq!(stdout(&mut place.starlog(&["query", "--format", "csv", sum])), "fee,n\n19.75,2\n");
    let log = "SELECT (SELECT count(*) FROM log.\"Visited\") AS visited, (SELECT count(*) FROM log.\"Never\") AS never,
               (SELECT string_agg(code || ' ' || line) FROM log.rejects) AS rejects";
    assert_eq!(
        stdout(&mut place.starlog(&["query", "--format", "csv", log])),
        "visited,never,rejects\n2,0,json-syntax 4\n"
    );
}

#[test]
fn every_column_of_a_release_has_a_comment() {
    let place = Place::after_a_run("star,snowflake");
    let text = "SELECT schema_name, table_name, column_name FROM duckdb_columns()
                WHERE NOT internal AND coalesce(comment, '') = '' ORDER BY ALL";
    for layout in ["star", "snowflake"] {
        let answer = stdout(&mut place.starlog(&["query", "--format", "csv", "--layout", layout, text]));
        assert_eq!(answer, "schema_name,table_name,column_name\n", "{layout}");
    }
}

#[test]
fn sql_comes_from_an_argument_a_file_or_standard_input() {
    let place = Place::after_a_run("star");
    fs::write(place.path().join("q.sql"), "SELECT 1 AS a;\nSELECT 'x' AS b;").unwrap();
    let from_file = stdout(&mut place.starlog(&["query", "-f", "q.sql", "--format", "csv"]));
    assert_eq!(from_file, "a\n1\nb\nx\n");
    let input = || fs::File::open(place.path().join("q.sql")).unwrap();
    let arguments = ["query", "-", "--format", "csv"];
    assert_eq!(stdout(place.starlog(&arguments).stdin(input())), from_file);
    // Without a terminal there is no prompt.
    let error = stderr(&mut place.starlog(&["query"]));
    assert!(error.starts_with("error: there is no SQL to answer\nhint: "), "{error}");
}

#[test]
fn a_flag_may_stand_in_the_environment() {
    let place = Place::after_a_run("star");
    let mut elsewhere = starlog(&["query", "SELECT 1 AS a"]);
    elsewhere.env("STARLOG_WAREHOUSE", place.path().join("warehouse")).env("STARLOG_FORMAT", "jsonl");
    assert_eq!(stdout(elsewhere.env("STARLOG_THREADS", "1").env("STARLOG_MEMORY", "256MiB")), "{\"a\":1}\n");
}

#[test]
fn rows_that_a_table_leaves_out_are_counted_on_stderr() {
    let place = Place::after_a_run("star");
    let mut command = place.starlog(&["query", "FROM range(5000)"]);
    assert_eq!(stderr(&mut command), "1000 of 5000 rows; --all shows them all\n");
    assert_eq!(stdout(&mut command).lines().count(), 1004);
    assert_eq!(stdout(&mut place.starlog(&["query", "--all", "FROM range(5000)"])).lines().count(), 5004);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let place = Place::after_a_run("star");
    let mut child = place
        .starlog(&["query", "--format", "csv", "FROM range(10000000)"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn nothing_is_left_in_the_folder_for_temporary_files() {
    let place = Place::after_a_run("star");
    let temporary = tempfile::tempdir().unwrap();
    let text = "SELECT count(*) FROM (SELECT DISTINCT hash(i) FROM range(3000000) t(i))";
    let mut command = place.starlog(&["query", "--memory", "64MiB", "--threads", "1", text]);
    command.env("TMPDIR", temporary.path()).assert().code(0);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_machine_without_a_folder_for_temporary_files_still_answers() {
    let place = Place::after_a_run("star");
    let mut command = place.starlog(&["query", "--format", "csv", "SELECT 1 AS a"]);
    assert_eq!(stdout(command.env("TMPDIR", "/nowhere")), "a\n1\n");
}

/// 0 done, 1 the data, 2 the command line or the pipeline, 3 the machine.
#[rstest]
#[case::done(&["query", "SELECT 1"], 0)]
#[case::version(&["--version"], 0)]
#[case::no_command(&[], 2)]
#[case::unknown_command(&["quary"], 2)]
#[case::unknown_flag(&["query", "--fromat", "csv", "SELECT 1"], 2)]
#[case::unknown_layout(&["query", "--layout", "galaxy", "SELECT 1"], 2)]
#[case::no_memory(&["query", "--memory", "2 parsecs", "SELECT 1"], 2)]
#[case::too_much_memory(&["query", "--memory", "99999999999TB", "SELECT 1"], 2)]
#[case::no_threads(&["query", "--threads", "0", "SELECT 1"], 2)]
#[case::layout_not_built(&["query", "--layout", "snowflake", "SELECT 1"], 2)]
#[case::no_warehouse(&["query", "--warehouse", "nowhere", "SELECT 1"], 2)]
#[case::no_file(&["query", "-f", "nowhere.sql"], 2)]
#[case::not_text(&["query", "-f", "latin1.sql"], 2)]
#[case::two_questions(&["query", "-f", "q.sql", "SELECT 1"], 2)]
#[case::wrong_sql(&["query", "SELEC 1"], 2)]
#[case::refused(&["query", "DROP TABLE x"], 2)]
#[case::fails_late(&["query", "SELECT 'x'::INTEGER"], 2)]
#[case::no_pipeline(&["run", "nowhere.toml"], 2)]
#[case::broken_pipeline(&["run", "2024-05.ndjson"], 2)]
#[case::too_many_rejects(&["run", "strict.toml", "--warehouse", "strict"], 1)]
#[case::not_a_folder(&["run", "visits.toml", "--warehouse", "visits.toml"], 2)]
#[case::no_release(&["query", "--warehouse", "strict", "SELECT 1"], 2)]
fn the_exit_code_says_who_must_act(#[case] arguments: &[&str], #[case] code: i32) {
    let place = Place::after_a_run("star");
    let strict = PIPELINE.replace("[log]", "[log]\nmax_rejects = 0");
    fs::write(place.path().join("strict.toml"), strict).unwrap();
    fs::write(place.path().join("latin1.sql"), b"SELECT '\xe9'").unwrap();
    if arguments.contains(&"strict") && arguments.contains(&"query") {
        place.starlog(&["run", "strict.toml", "--warehouse", "strict"]).assert().code(1);
    }
    let output = place.starlog(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error.is_empty(), code == 0, "{error}");
}

#[test]
fn an_error_obeys_no_terminal() {
    let place = Place::after_a_run("star");
    let error = stderr(&mut place.starlog(&["query", "SELECT (chr(27) || '[2J' || chr(7))::INTEGER"]));
    assert!(error.contains("\\u{1b}[2J\\u{7}"), "{error}");
    assert!(!error.contains(['\u{1b}', '\u{7}']), "{error:?}");
}

#[test]
fn generate_and_schema_print_what_they_say() {
    let place = Place::new();
    let arguments = ["generate", "--orders", "20", "--seed", "1", "--days", "3", "--out", "shop"];
    place.starlog(&arguments).assert().code(0);
    assert_eq!(fs::read_dir(place.path().join("shop")).unwrap().count(), 3);
    let schema: serde_json::Value = serde_json::from_str(&stdout(&mut place.starlog(&["schema"]))).unwrap();
    assert_eq!(schema["title"], "Starlog pipeline");
}
