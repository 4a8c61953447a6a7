//! `starlog test`: what a pipeline file expects of given lines.

use super::lines::GARAGE;
use assert_cmd::Command;
use std::fs;

/// What the command prints, and its exit code.
fn tested(pipeline: &str, arguments: &[&str]) -> (String, String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("garage.toml");
    fs::write(&file, pipeline).unwrap();
    let mut command = Command::cargo_bin("starlog").unwrap();
    let output = command.arg("test").arg(&file).args(arguments).current_dir(&folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    // Nothing of the trial is left, and nothing was asked of the pipeline's own log.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn what_does_not_hold_is_shown_row_by_row() {
    let wrong = GARAGE
        .replace(
            "{ visit = \"7\", part = \"belt\", pieces = 2,",
            "{ visit = \"7\", part = \"belt\", pieces = 3,",
        )
        .replace("pieces = 1, price = \"3.05\" }] },", "pieces = 1, price = \"3.05\", note = \"x\" }] },")
        .replace("expect.fact_work = []", "expect.fact_work = [{ vsit = \"7\" }]")
        .replace("value = \"desk\"", "value = \"counter\"");
    let (shown, said, code) = tested(&wrong, &[]);
    assert_eq!((code, said.lines().next()), (2, Some("error: 2 of 2 tests do not hold")));
    insta::assert_snapshot!("trials_that_do_not_hold", shown);

    let (shown, _, code) = tested(&wrong, &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(code, 2);
    let tables = found[0]["differences"].as_array().unwrap();
    let tables: Vec<_> = tables.iter().map(|it| it["table"].as_str().unwrap()).collect();
    assert_eq!(tables, ["log.Serviced", "fact_work"]);
    assert_eq!(tables.len(), 2);
    let failure = found[1]["failure"].as_str().unwrap();
    assert_eq!(failure, "fact_work has no column `vsit`; did you mean `visit`?");
}

#[test]
fn what_holds_is_said_and_no_more() {
    let (shown, said, code) = tested(GARAGE, &[]);
    let expected = "ok      a line of the first year says what one of today says\n\
                    ok      an owner of one name is for a person to look at\n";
    assert_eq!((shown.as_str(), said.as_str(), code), (expected, "", 0));
    let (without, _) = GARAGE.split_once("[[test]]").unwrap();
    assert!(tested(without, &[]).0.starts_with("no tests"));
    // A line too many is one that was not expected.
    let twice = GARAGE.replace("\"id\":2,", "\"id\":1,");
    let (shown, _, code) = tested(&twice, &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((code, found[0]["differences"][0]["missing"].as_array().unwrap().len()), (2, 1));
}

/// Limits of rejects are for real logs.
#[test]
fn a_test_may_be_of_rejects_alone() {
    let strict = GARAGE
        .replace("files = [\"*.ndjson\"]", "files = [\"*.ndjson\"]\nmax_rejects = 0\nmax_reject_share = 0.0");
    assert_eq!(tested(&strict, &[]).2, 0);
    let empty = format!(
        "{GARAGE}\n[[test]]\nname = \"nothing\"\ngiven = \"\"\nexpect.fact_work = []\nexpect.\"log.rejects\" = []\n"
    );
    let (shown, _, code) = tested(&empty, &[]);
    assert_eq!((code, shown.lines().last()), (0, Some("ok      nothing")), "{shown}");
}
