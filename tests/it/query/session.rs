//! What a session holds, and that it stays what it was.

use std::fs;
use std::os::unix::fs::symlink;

use rstest::rstest;
use starlog::error::Who;
use starlog::query::{Format, Session, is_complete};

use super::release::{Release, ask, csv, opened};

#[test]
fn tables_have_their_rows_and_the_column_of_the_folder() {
    let release = Release::with_february(&[1000]);
    let session = release.session();
    assert_eq!(
        csv(&session, "SELECT * FROM fact_things ORDER BY date_month, item"),
        "item,amount,date_month\n1,1.50,2011-01\n2,2.25,2011-01\n1,10.00,2011-02\n"
    );
    assert_eq!(csv(&session, "SELECT sum(amount) AS s FROM fact_things"), "s\n13.75\n");
    assert_eq!(csv(&session, "SELECT typeof(date_month) AS t FROM fact_things LIMIT 1"), "t\nVARCHAR\n");
    assert_eq!(csv(&session, "SELECT count(*) AS n FROM star.dim_thing"), "n\n3\n");
}

#[test]
fn every_column_has_its_comment() {
    let release = Release::with_february(&[1000]);
    assert_eq!(
        csv(
            &release.session(),
            "SELECT table_name, column_name, comment FROM duckdb_columns()
             WHERE schema_name IN ('main', 'star') AND NOT internal ORDER BY ALL"
        ),
        "table_name,column_name,comment\n\
         dim_thing,name,its name\n\
         dim_thing,name,its name\n\
         dim_thing,thing_key,its key\n\
         dim_thing,thing_key,\n\
         fact_things,amount,it's the amount\n\
         fact_things,date_month,the month\n\
         fact_things,item,its number\n"
    );
    assert_eq!(
        csv(&release.session(), "SELECT comment FROM duckdb_views() WHERE view_name = 'fact_things'"),
        "comment\n\"what's \"\"sold\"\"\"\n"
    );
}

#[test]
fn events_end_at_the_position_of_the_release() {
    let session = opened();
    assert_eq!(csv(&session, "SELECT max(_position) AS last FROM log.\"Happened\""), "last\n3\n");
}

#[test]
fn a_column_that_no_file_holds_is_null_and_an_event_that_never_happened_is_an_empty_table() {
    let release = Release::with_february(&[1]);
    let session = release.session();
    assert_eq!(
        csv(&session, "SELECT DISTINCT since_v2, typeof(since_v2) AS t FROM log.\"Happened\""),
        "since_v2,t\n,\"DECIMAL(12,2)\"\n"
    );
    assert_eq!(csv(&session, "SELECT count(*) AS n, max(\"when\") AS w FROM log.\"Never\""), "n,w\n0,\n");
}

#[test]
fn a_session_stays_on_its_release_while_current_moves() {
    let warehouse = tempfile::tempdir().unwrap();
    let (old, new) = (Release::with_february(&[1]), Release::with_february(&[2]));
    let current = warehouse.path().join("current");
    symlink(old.path(), &current).unwrap();
    // Whoever opens the session follows the link once.
    let mut spec = old.spec();
    let resolved = current.canonicalize().unwrap();
    for file in spec.tables.iter_mut().flat_map(|table| &mut table.files) {
        *file = resolved.join(file.strip_prefix(old.path()).unwrap());
    }
    let session = Session::open(&spec).unwrap();
    let question = "SELECT sum(amount) AS s FROM fact_things";
    assert_eq!(csv(&session, question), "s\n3.76\n");
    fs::remove_file(&current).unwrap();
    symlink(new.path(), &current).unwrap();
    assert_eq!(csv(&session, question), "s\n3.76\n");
}

#[rstest]
#[case::quotes("it's \"quoted\"")]
#[case::pattern("w[x]*?{a,b}")]
#[case::partition("date_month=1999-01")]
#[case::scheme("s3:")]
#[case::newline("two\nlines")]
#[case::blanks(" a b ")]
#[case::unicode("naïve 日本 \u{202e}")]
#[case::percent("%41 100%")]
#[case::dashes("-- ; DROP")]
fn a_warehouse_may_lie_in_any_folder(#[case] name: &str) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join(name);
    fs::create_dir(&folder).unwrap();
    let release = Release::within(tempfile::tempdir_in(&folder).unwrap(), &[1000]);
    let session = release.session();
    assert_eq!(
        csv(&session, "SELECT DISTINCT date_month FROM fact_things ORDER BY 1"),
        "date_month\n2011-01\n2011-02\n"
    );
}

#[test]
fn a_missing_and_a_broken_file_are_the_machines_fault_and_named() {
    let release = Release::with_february(&[1]);
    let broken = release.path().join("dim/dim.parquet");
    fs::write(&broken, b"PAR1 no more PAR1").unwrap();
    let error = Session::open(&release.spec()).err().unwrap();
    assert_eq!(error.who(), Who::Operator);
    assert!(error.to_string().starts_with("cannot open dim_thing: "), "{error}");
    fs::remove_file(&broken).unwrap();
    let error = Session::open(&release.spec()).err().unwrap();
    assert_eq!(error.who(), Who::Operator);
    assert!(error.to_string().contains("dim/dim.parquet"), "{error}");
}

#[test]
fn a_file_that_vanishes_later_is_named_too() {
    let release = Release::with_february(&[1]);
    let session = release.session();
    fs::remove_file(release.path().join("dim/dim.parquet")).unwrap();
    let error = ask(&session, "FROM dim_thing", Format::Csv).unwrap_err();
    assert_eq!(error.who(), Who::Operator);
    assert!(error.to_string().ends_with("dim/dim.parquet is not there any more"), "{error}");
}

#[rstest]
#[case("SELECT 1;", true)]
#[case("SELECT 1", false)]
#[case("SELECT ';'", false)]
#[case("SELECT ';\n", false)]
#[case("SELECT 1; -- done", true)]
#[case("SELECT 1 -- ;", false)]
#[case("SELECT /* /* ; */ ; */ 1", false)]
#[case("SELECT $a$;$a$;", true)]
#[case("SELECT $a$;$b$;", false)]
#[case("SELECT E'\\';", false)]
#[case("SELECT DATE'2020-01-01';", true)]
#[case("", false)]
fn a_typed_text_is_complete_at_its_semicolon(#[case] text: &str, #[case] complete: bool) {
    assert_eq!(is_complete(text), complete);
}
