//! How answers look.

use rstest::rstest;
use starlog::query::{Format, Limit};

use super::release::{ask, ask_limited, opened};

const KINDS: &str = r#"
    SELECT * FROM (VALUES
        (1, 12.30::DECIMAL(10, 2), 170141183460469231731687303715884105727::HUGEINT, true, DATE '2011-03-01',
         TIMESTAMP '2011-03-01 08:26:00.5', 'plain', [1, 2], {'a': 1.50, 'b': 'x'}, 'ab'::BLOB),
        (-2, -0.05, -99999999999999999999999999999999999999, false, DATE '9999-12-31',
         TIMESTAMP '1969-12-31 23:59:59.999999', 'a "b", c', [], {'a': NULL, 'b': NULL}, '\x00\xFF'::BLOB),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (4, 0, 0, true, DATE '0044-03-15 (BC)', 'infinity', '', [NULL], {'a': 2, 'b': ''}, ''::BLOB)
    ) t("integer", "decimal", huge, "boolean", "date", instant, "text", list, struct, bytes)"#;

#[rstest]
#[case::table(Format::Table)]
#[case::csv(Format::Csv)]
#[case::json(Format::Json)]
#[case::jsonl(Format::Jsonl)]
#[case::markdown(Format::Markdown)]
fn every_kind_of_value(#[case] format: Format) {
    let answer = ask(&opened(), KINDS, format).unwrap();
    insta::assert_snapshot!(format!("kinds_{format:?}"), answer);
}

/// Everything that DuckDB has, but what does not come through Arrow as it is.
#[test]
fn every_type_of_duckdb() {
    let session = opened();
    let text = "FROM test_all_types() SELECT * EXCLUDE (uhugeint, time_tz, bit, bignum)";
    insta::assert_snapshot!(ask(&session, text, Format::Jsonl).unwrap());
    for column in ["uhugeint", "time_tz", "bit", "bignum"] {
        let text = format!("FROM test_all_types() SELECT [{column}]");
        let error = ask(&session, &text, Format::Csv).unwrap_err();
        assert_eq!(error.next_step(), Some("cast it to VARCHAR"), "{error}");
    }
}

#[rstest]
#[case::table(Format::Table)]
#[case::csv(Format::Csv)]
#[case::json(Format::Json)]
#[case::markdown(Format::Markdown)]
fn nothing_that_a_terminal_obeys(#[case] format: Format) {
    let text =
        "SELECT 'a' || chr(27) || '[31m' || chr(7) AS \"\u{1b}]0;x\", 'left\u{202e}right\u{200b}' AS \"b|c\",
                'nul' || chr(0) || chr(10) || chr(9) || chr(155) AS \"<c>\", '| `x` *y* [z](u) <b>&' AS d";
    let answer = ask(&opened(), text, format).unwrap();
    if format != Format::Csv {
        assert!(!answer.chars().any(|c| c.is_control() && c != '\n'), "{answer:?}");
        assert!(!answer.contains(['\u{202e}', '\u{200b}']), "{answer:?}");
    }
    insta::assert_snapshot!(
        format!("unseen_{format:?}"),
        answer.escape_debug().to_string().replace("\\n", "\n")
    );
}

#[rstest]
#[case::table(Format::Table)]
#[case::csv(Format::Csv)]
#[case::json(Format::Json)]
#[case::jsonl(Format::Jsonl)]
#[case::markdown(Format::Markdown)]
fn an_empty_answer(#[case] format: Format) {
    let text = "SELECT 1 AS a, 'x' AS b WHERE false";
    let answer = ask(&opened(), text, format).unwrap();
    insta::assert_snapshot!(format!("empty_{format:?}"), answer);
}

#[test]
fn an_object_has_each_name_once() {
    let session = opened();
    let answer = ask(&session, "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a", Format::Jsonl).unwrap();
    assert_eq!(answer, "{\"a\":1,\"a_1\":2,\"a_1_1\":3,\"a_2\":4}\n");
}

#[test]
fn a_table_says_what_it_leaves_out_and_the_others_leave_out_nothing() {
    let session = opened();
    let limit = Limit { rows: Some(3), width: None };
    let (answer, written) = ask_limited(&session, "FROM range(10000)", Format::Table, limit).unwrap();
    assert_eq!((written.rows, written.left_out), (3, 9997));
    insta::assert_snapshot!(answer);
    let (answer, written) = ask_limited(&session, "FROM range(10000)", Format::Csv, limit).unwrap();
    assert_eq!((written.rows, written.left_out, answer.lines().count()), (10000, 0, 10001));
}

/// Texts are folded, numbers and dates are not; with too many columns nothing is.
#[test]
fn a_narrow_terminal_folds_texts() {
    let text = "SELECT 12345678901234567890 AS n, repeat('word ', 12) AS t, DATE '2011-03-01' AS d";
    let limit = Limit { rows: None, width: Some(60) };
    let (answer, _) = ask_limited(&opened(), text, Format::Table, limit).unwrap();
    assert!(answer.lines().all(|line| line.chars().count() <= 60), "{answer}");
    assert!(answer.lines().count() > 5, "{answer}");
    assert!(answer.contains("12345678901234567890") && answer.contains("2011-03-01"), "{answer}");
    let many = "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, repeat('word ', 12) AS f";
    let (answer, _) = ask_limited(&opened(), many, Format::Table, limit).unwrap();
    assert_eq!(answer.lines().count(), 5);
}

#[test]
fn a_failure_in_the_middle_is_an_error() {
    let session = opened();
    let text = "SELECT CASE WHEN i = 90000 THEN 'x' ELSE '1' END::INTEGER AS n FROM range(100000) t(i)";
    let error = ask(&session, text, Format::Csv).unwrap_err();
    assert!(error.to_string().starts_with("Conversion Error"), "{error}");
}

#[test]
fn a_plan_is_drawn() {
    let session = opened();
    let answer = ask(&session, "EXPLAIN SELECT 1", Format::Table).unwrap();
    assert!(answer.lines().count() > 3 && answer.contains('│'), "{answer}");
}

#[test]
fn several_answers_follow_each_other() {
    let session = opened();
    let answer = ask(&session, "SELECT 1 AS a; SELECT 2 AS b;", Format::Csv).unwrap();
    assert_eq!(answer, "a\n1\nb\n2\n");
}
