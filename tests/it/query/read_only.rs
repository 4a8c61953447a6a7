//! Whatever is asked, nothing is written and nothing else is read.

use std::fs;
use std::path::Path;

use rstest::rstest;
use starlog::error::Who;
use starlog::query::Format;

use super::release::{Release, ask, csv, opened};

/// `{out}` is a file outside, `{fact}` one of the release's own, `{dir}` a directory outside.
#[rstest]
#[case::copy("COPY (SELECT 1) TO '{out}'")]
#[case::copy_table("COPY fact_things TO '{out}'")]
#[case::copy_over_the_release("COPY (SELECT 1) TO '{fact}' (USE_TMP_FILE false)")]
#[case::copy_from("COPY dim_thing FROM '{out}'")]
#[case::copy_database("COPY FROM DATABASE memory TO temp")]
#[case::copy_in_a_cte("WITH a AS (COPY (SELECT 1) TO '{out}') SELECT * FROM a")]
#[case::copy_in_a_subquery("SELECT * FROM (COPY (SELECT 1) TO '{out}')")]
#[case::copy_after_a_cte("WITH a AS (SELECT 1) COPY a TO '{out}'")]
#[case::copy_behind_a_select("SELECT 1; COPY (SELECT 1) TO '{out}'")]
#[case::copy_before_a_select("COPY (SELECT 1) TO '{out}'; SELECT 1")]
#[case::copy_behind_a_comment("/* ; */ -- ;\nCOPY (SELECT 1) TO '{out}'")]
#[case::copy_behind_quotes("SELECT E'\\'; COPY (SELECT 1) TO '{out}' --'")]
#[case::copy_behind_dollars("SELECT $a$ $b$ $a$; COPY (SELECT 1) TO '{out}' --$b$")]
#[case::explain_analyze_copy("EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'")]
#[case::explain_options_copy("EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{out}'")]
#[case::explain_copy("EXPLAIN COPY (SELECT 1) TO '{out}'")]
#[case::explain_explain("EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'")]
#[case::explain_then_copy("EXPLAIN SELECT 1; COPY (SELECT 1) TO '{out}'")]
#[case::prepare("PREPARE p AS COPY (SELECT 1) TO '{out}'")]
#[case::execute("PREPARE p AS SELECT 1; EXECUTE p")]
#[case::deallocate("DEALLOCATE p")]
#[case::create_table("CREATE TABLE t AS SELECT 1")]
#[case::create_temp("CREATE TEMP TABLE t AS SELECT 1")]
#[case::create_view("CREATE OR REPLACE VIEW fact_things AS SELECT 1")]
#[case::create_macro("CREATE MACRO m() AS TABLE SELECT 1")]
#[case::create_type("CREATE TYPE mood AS ENUM ('a')")]
#[case::create_schema("CREATE SCHEMA s")]
#[case::create_sequence("CREATE SEQUENCE s")]
#[case::create_secret("CREATE PERSISTENT SECRET s (TYPE s3)")]
#[case::insert("INSERT INTO fact_things VALUES (1, 1)")]
#[case::insert_in_a_cte("WITH a AS (INSERT INTO fact_things VALUES (1) RETURNING *) SELECT * FROM a")]
#[case::insert_after_a_cte("WITH a AS (SELECT 1) INSERT INTO fact_things SELECT * FROM a")]
#[case::update("UPDATE fact_things SET amount = 0")]
#[case::delete("DELETE FROM fact_things")]
#[case::truncate("TRUNCATE fact_things")]
#[case::merge("MERGE INTO fact_things USING dim_thing ON true WHEN MATCHED THEN DELETE")]
#[case::drop("DROP VIEW fact_things")]
#[case::alter("ALTER VIEW fact_things RENAME TO f")]
#[case::comment("COMMENT ON VIEW fact_things IS 'x'")]
#[case::attach("ATTACH '{out}' AS other")]
#[case::detach("DETACH memory")]
#[case::use_("USE star")]
#[case::install("INSTALL httpfs")]
#[case::force_install("FORCE INSTALL httpfs FROM community")]
#[case::load("LOAD '{out}'")]
#[case::update_extensions("UPDATE EXTENSIONS")]
#[case::set("SET threads = 1")]
#[case::set_access("SET enable_external_access = true")]
#[case::set_variable("SET VARIABLE x = 1")]
#[case::reset("RESET threads")]
#[case::pragma("PRAGMA enable_profiling = 'json'")]
#[case::pragma_output("PRAGMA profiling_output = '{out}'")]
#[case::pragma_function("PRAGMA database_list")]
#[case::export("EXPORT DATABASE '{dir}'")]
#[case::import("IMPORT DATABASE '{dir}'")]
#[case::call("CALL enable_logging(storage = 'file', storage_path = '{dir}')")]
#[case::checkpoint("CHECKPOINT")]
#[case::vacuum("VACUUM")]
#[case::analyze("ANALYZE")]
#[case::begin("BEGIN")]
#[case::commit("COMMIT")]
#[case::select_into("SELECT 1 INTO t")]
#[case::for_update("SELECT * FROM fact_things FOR UPDATE")]
#[case::enable_profiling("FROM enable_profiling(format := 'json', save_location := '{out}')")]
#[case::profiling_over_the_release("FROM enable_profiling(format := 'txt', save_location := '{fact}')")]
#[case::enable_logging("FROM enable_logging(storage := 'file', storage_path := '{dir}')")]
#[case::logging_in_capitals("SELECT * FROM system.main.ENABLE_LOGGING()")]
#[case::logging_in_quotes("SELECT * FROM \"enable_logging\"()")]
#[case::logging_below("SELECT (SELECT count(*) FROM (SELECT 1) a, LATERAL (FROM enable_logging()))")]
#[case::logging_in_a_cte("WITH a AS MATERIALIZED (FROM enable_logging()) SELECT 1")]
#[case::logging_in_query("FROM query('FROM enable_logging()')")]
#[case::logging_described("DESCRIBE FROM enable_logging()")]
#[case::logging_summarized("SUMMARIZE FROM enable_logging()")]
#[case::logging_explained("EXPLAIN ANALYZE FROM enable_logging()")]
#[case::logging_serialized("FROM json_execute_serialized_sql(json_serialize_sql('FROM enable_logging()'))")]
#[case::other_parser("FROM enable_peg_parser()")]
#[case::force_checkpoint("FROM force_checkpoint()")]
#[case::write_log("SELECT write_log('x')")]
#[case::write_log_as_a_method("SELECT 'x'.write_log()")]
#[case::serialize_plan("SELECT json_serialize_plan('SELECT 1')")]
#[case::read_text("FROM read_text('/etc/passwd')")]
#[case::read_csv("FROM read_csv('/etc/passwd')")]
#[case::read_blob("FROM read_blob('{fact}')")]
#[case::read_json("FROM read_json('/etc/passwd')")]
#[case::glob("FROM glob('/etc/*')")]
#[case::sniff("FROM sniff_csv('/etc/passwd')")]
#[case::read_duckdb("FROM read_duckdb('{out}')")]
#[case::replacement("FROM '/etc/passwd'")]
#[case::replacement_csv("FROM '/etc/hosts.csv'")]
#[case::replacement_url("FROM 'https://example.com/x.parquet'")]
#[case::read_parquet("FROM read_parquet('{out}')")]
#[case::read_parquet_url("FROM read_parquet('s3://bucket/x.parquet')")]
#[case::read_parquet_upwards("FROM read_parquet('{fact}/../../../../x.parquet')")]
#[case::read_parquet_pattern("FROM read_parquet('{dir}/**/*.parquet')")]
#[case::query_table("FROM query_table('/etc/hosts.csv')")]
#[case::nul("SELECT 1\0; COPY (SELECT 1) TO '{out}'")]
fn is_refused(#[case] text: &str) {
    let release = Release::with_february(&[1000]);
    let outside = tempfile::tempdir().unwrap();
    let fact = release.path().join("fact/date_month=2011-02/2011-02.parquet");
    let text = text
        .replace("{out}", outside.path().join("out.json").to_str().unwrap())
        .replace("{dir}", outside.path().join("dir").to_str().unwrap())
        .replace("{fact}", fact.to_str().unwrap());
    let session = release.session();
    let before = contents(&release.path());

    let error = ask(&session, &text, Format::Csv).unwrap_err();

    assert_eq!(error.who(), Who::Author, "{error}");
    // The session is as it was.
    assert_eq!(csv(&session, "SELECT sum(amount) AS s FROM fact_things"), "s\n13.75\n");
    drop(session);
    assert_eq!(contents(&release.path()), before);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(!Path::new(".tmp").exists());
}

#[rstest]
#[case("SELECT 1")]
#[case("FROM fact_things SELECT item LIMIT 1")]
#[case("VALUES (1), (2)")]
#[case("TABLE dim_thing")]
#[case("(SELECT 1) UNION ALL (SELECT 2)")]
#[case("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r")]
#[case("DESCRIBE fact_things")]
#[case("DESCRIBE SELECT 1")]
#[case("SUMMARIZE fact_things")]
#[case("SHOW TABLES")]
#[case("SHOW ALL TABLES")]
#[case("SHOW fact_things")]
#[case("SELECT column_name FROM (DESCRIBE fact_things)")]
#[case("EXPLAIN SELECT sum(amount) FROM fact_things")]
#[case("EXPLAIN ANALYZE SELECT sum(amount) FROM fact_things")]
#[case("EXPLAIN (FORMAT json) SELECT 1")]
#[case("EXPLAIN (SELECT 1)")]
#[case("EXPLAIN (FROM fact_things)")]
#[case("explain -- why\n /* not */ analyze select 1")]
#[case("PIVOT fact_things ON date_month IN ('2011-01', '2011-02') USING sum(amount)")]
#[case("UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b")]
#[case("SELECT * FROM range(3), unnest([1, 2])")]
#[case("SELECT * FROM histogram('fact_things', amount)")]
#[case("SELECT list_transform([1, 2], lambda x: x + 1), [x * 2 for x in [1, 2]]")]
#[case("SELECT * FROM fact_things ASOF JOIN dim_thing ON item >= thing_key")]
#[case("SELECT amount, sum(amount) OVER (ORDER BY item) AS s FROM fact_things QUALIFY s > 0")]
#[case("SELECT * FROM information_schema.columns")]
#[case("SELECT 'COPY x TO y; DROP TABLE z' AS \"INSERT INTO\"")]
#[case("SELECT 1;;; -- and nothing\n; SELECT ';' /* ; */;")]
fn is_answered(#[case] text: &str) {
    ask(&opened(), text, Format::Jsonl).unwrap();
}

#[test]
fn nothing_is_asked_before_all_is_judged() {
    let session = opened();
    let error = session.questions("SELECT error('asked'); DROP VIEW fact_things").unwrap_err();
    assert_eq!(error.to_string(), "DROP is refused: a query may only read");
    assert!(error.next_step().is_some());
}

#[test]
fn messages_say_what_to_do() {
    let session = opened();
    let texts = [
        "COPY (SELECT 1) TO 'x.csv'",
        "WITH a AS (SELECT 1) INSERT INTO t FROM a",
        "PIVOT fact_things ON date_month USING sum(amount)",
        "CALL enable_logging()",
        "FROM enable_logging()",
        "SELECT write_log('x')",
        "SELECT sum(amuont)\nFROM fact_things",
        "SELECT item,\n  sum(amount\nFROM fact_things",
        "SELECT 'x'::INTEGER",
        "SELECT $1",
        "FROM fact_thing",
    ];
    let messages: Vec<String> = texts
        .iter()
        .map(|text| {
            let error = ask(&session, text, Format::Csv).unwrap_err();
            format!("> {text}\n{error}\nhint: {}\n", error.next_step().unwrap_or("(none)"))
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
