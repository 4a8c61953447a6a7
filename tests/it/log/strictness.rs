//! Line by line: what is an event, and by which code is everything else refused?
//! The numbers are the rows of the list of bad inputs that the project is held against.

use super::{LIBRARY, Library, lent};

/// The row of the list, the code that is wanted, and a line.
type Case = (u32, &'static str, Vec<u8>);

/// A line and its code; `ok` is an accepted event, `ignored` one that is ignored by name.
fn judge(library: &Library, line: &[u8]) -> String {
    let before = library.codes().len();
    let mut content = line.to_vec();
    content.push(b'\n');
    let name = format!("{}.ndjson", library.open().sources().len());
    library.write(&name, content);
    let report = library.ingest(&[&name]);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    let account = report.total;
    match library.codes().get(before) {
        Some(code) => {
            assert_eq!((account.read, account.rejected), (1, 1), "{account:?}");
            code.clone()
        }
        None if account.accepted == 1 => "ok".to_owned(),
        None if account.ignored == 1 => "ignored".to_owned(),
        None => format!("{account:?}"),
    }
}

/// All lines of one row of the list.
#[track_caller]
fn row(number: u32) {
    let all = [json(), values(), times(), ids()].concat();
    let cases: Vec<&Case> = all.iter().filter(|case| case.0 == number).collect();
    assert!(!cases.is_empty(), "row {number} has no line");
    let library = Library::new();
    let mut wrong = Vec::new();
    for (_, wanted, line) in cases {
        let found = judge(&library, line);
        if found != *wanted {
            let shown = String::from_utf8_lossy(line.get(..200.min(line.len())).unwrap()).into_owned();
            wrong.push(format!("{found} instead of {wanted}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "row {number}\n{}", wrong.join("\n"));
}

macro_rules! rows {
    ($($name:ident $number:literal)*) => { $(#[test] fn $name() { row($number); })* };
}

rows! {
    row_005_line_ends 5
    row_027_what_rfc_8259_forbids 27
    row_028_nesting_of_100_000 28
    row_029_duplicate_keys 29
    row_030_keys_equal_after_nfc 30
    row_031_surrogates 31
    row_032_utf8 32
    row_033_nul_in_a_string 33
    row_034_numbers_that_are_none 34
    row_035_not_one_object 35
    row_036_not_an_object 36
    row_037_many_keys_and_long_ones 37
    row_038_integers_are_exact 38
    row_039_never_infinity_never_rounded 39
    row_040_integral_is_an_integer 40
    row_041_not_an_integer 41
    row_042_scale_of_money 42
    row_043_money_as_text 43
    row_044_minus_zero 44
    row_048_truth_is_no_text 48
    row_049_a_time_without_zone 49
    row_052_leap_seconds 52
    row_053_no_time_at_all 53
    row_054_epochs 54
    row_055_far_past_and_future 55
    row_057_forms_of_offsets 57
    row_058_finer_than_a_microsecond 58
    row_060_an_id_must_be_one 60
    row_063_a_number_is_no_text 63
    row_073_unknown_fields 73
    row_074_unknown_types_and_versions 74
    row_075_missing_null_and_empty 75
    row_077_object_for_scalar_and_reverse 77
    row_085_text_as_attack 85
    row_089_newlines_in_ids 89
}

/// A line around this payload member, each with an id of its own.
fn with(rest: &str) -> Vec<u8> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ID: AtomicU64 = AtomicU64::new(1);
    lent(ID.fetch_add(1, Ordering::Relaxed), rest).into_bytes()
}

/// JSON is RFC 8259, and no more.
fn json() -> Vec<Case> {
    let deep = |open: &str, close: &str, times: usize| {
        with(&format!(",\"x\":{}{}", open.repeat(times), close.repeat(times)))
    };
    let many: String = (0..10_000).map(|at| format!(",\"k{at}\":1")).collect();
    vec![
        (5, "ok", with(",\"note\":\"a\u{2028}b\u{2029}c\"")),
        (5, "ok", [with(""), b"\r".to_vec()].concat()),
        (5, "not-one-object", [with(""), b"\r".to_vec(), with("")].concat()),
        (5, "ok", with(",\r\"note\":\"\"")),
        (27, "json-syntax", with(",\"note\":\"a\tb\"")),
        (27, "json-syntax", with(",\"note\":\"\\q\"")),
        (27, "json-syntax", with(",\"x\":\"\\u12g4\"")),
        (27, "json-syntax", with(",\"x\":\"\\u12\"")),
        (27, "json-syntax", with(",\"x\":tru")),
        (27, "json-syntax", with(",\"x\":nulls")),
        (27, "json-syntax", with(",\"x\":{\"a\" 1}")),
        (27, "json-syntax", with(",\"x\":{1:1}")),
        (27, "json-syntax", with(",\"x\":{,}")),
        (27, "json-syntax", with(",\"x\":[,]")),
        (27, "json-syntax", with(",\"x\":[1 2]")),
        (27, "json-syntax", with(",\"x\":[1}")),
        (27, "json-syntax", with(",\"x\":")),
        (27, "json-syntax", with(",\"x\":\x0c1")),
        (27, "json-syntax", b"{\"type\":\"Lent".to_vec()),
        (27, "json-syntax", b"{\"type\"".to_vec()),
        (27, "json-syntax", b"nonsense".to_vec()),
        (27, "json-syntax", [with(""), b" x".to_vec()].concat()),
        (27, "json-syntax", b"{\"type\":\"Heartbeat\",}".to_vec()),
        (27, "ignored", b"{\"type\":\"Heartbeat\"}".to_vec()),
        (28, "depth", deep("[", "]", 100_000)),
        (28, "depth", deep("{\"a\":", "}", 100_000)),
        // Called a list before it is called too deep.
        (28, "not-one-object", "[".repeat(100_000).into_bytes()),
        (28, "depth", with(&format!(",\"x\":{}", "[".repeat(100_000)))),
        (28, "depth", deep("[", "]", 127)),
        (28, "ok", deep("[", "]", 126)),
        (29, "duplicate-key", with(",\"note\":\"a\",\"note\":\"a\"")),
        (29, "duplicate-key", with(",\"x\":1,\"x\":2")),
        (29, "duplicate-key", with(",\"note\":\"a\",\"\\u006eote\":\"b\"")),
        (29, "duplicate-key", with(",\"x\":{\"a\":1,\"b\":{\"c\":1,\"c\":1}}")),
        (29, "duplicate-key", b"{\"type\":\"Lent\",\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\",\"books\":[]}}".to_vec()),
        (29, "duplicate-key", b"{\"type\":\"Nobody\",\"a\":1,\"a\":1}".to_vec()),
        (29, "duplicate-key", with(",\"books\":[]")),
        (29, "duplicate-key", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\",\"books\":[{\"isbn\":\"1\",\"copies\":1,\"copies\":1}]}}".to_vec()),
        (30, "ok", with(",\"\u{e9}\":1,\"e\u{301}\":2")),
        (31, "surrogate", with(",\"note\":\"\\ud800\"")),
        (31, "surrogate", with(",\"note\":\"\\udc00\\ud800\"")),
        (31, "surrogate", with(",\"x\":{\"y\":[\"\\ud800x\"]}")),
        (31, "surrogate", with(",\"\\udfff\":1")),
        (31, "surrogate", with(",\"x\":\"\\ud800\\u0041\"")),
        (31, "ok", with(",\"note\":\"\\ud83d\\ude00\"")),
        (32, "utf8", [b"{\"x\":\"\xff\"}".to_vec()].concat()),
        (32, "utf8", b"{\"x\":\"\xc0\x80\"}".to_vec()),
        (32, "utf8", b"{\"x\":\"\xed\xa0\x80\"}".to_vec()),
        (32, "utf8", b"{\"x\":\"caf\xe9\"}".to_vec()),
        (33, "nul", with(",\"note\":\"a\\u0000b\"")),
        (33, "nul", with(",\"x\":{\"a\\u0000\":1}")),
        (34, "json-syntax", with(",\"x\":NaN")),
        (34, "json-syntax", with(",\"x\":-Infinity")),
        (34, "json-syntax", with(",\"x\":0x10")),
        (34, "json-syntax", with(",\"x\":01")),
        (34, "json-syntax", with(",\"x\":-01")),
        (34, "json-syntax", with(",\"x\":+1")),
        (34, "json-syntax", with(",\"x\":.5")),
        (34, "json-syntax", with(",\"x\":5.")),
        (34, "json-syntax", with(",\"x\":5.e1")),
        (34, "json-syntax", with(",\"x\":1e")),
        (34, "json-syntax", with(",\"x\":-")),
        (34, "json-syntax", with(",\"days\":01")),
        (34, "json-syntax", with(",\"x\":[1,]")),
        (34, "json-syntax", with(",")),
        (34, "json-syntax", with(",\"x\":1/*c*/")),
        (34, "json-syntax", with(",\"x\":'a'")),
        (35, "not-one-object", [with(""), with("")].concat()),
        (35, "not-one-object", [with(""), b" ".to_vec(), with("")].concat()),
        (35, "not-one-object", [b"[".to_vec(), with(""), b"]".to_vec()].concat()),
        (35, "not-one-object", [with(""), b",".to_vec()].concat()),
        (35, "not-one-object", b"{".to_vec()),
        (35, "not-one-object", b"  \"type\": \"Lent\",".to_vec()),
        (35, "not-one-object", b"  \"data\": {".to_vec()),
        (35, "not-one-object", b"}".to_vec()),
        (35, "not-one-object", b"[]".to_vec()),
        (36, "not-object", b"null".to_vec()),
        (36, "not-object", b" 12 ".to_vec()),
        (36, "not-object", b"\"text\"".to_vec()),
        (37, "too-many-fields", with(&many)),
        (37, "key-too-long", with(&format!(",\"{}\":1", "k".repeat(1 << 20)))),
        (37, "ok", with(",\"\":1")),
    ]
}

/// Values are exact, or refused.
fn values() -> Vec<Case> {
    vec![
        (38, "ok", with(",\"days\":9223372036854775807")),
        (38, "ok", with(",\"days\":-9223372036854775808")),
        (38, "range", with(",\"days\":9223372036854775808")),
        (38, "range", with(",\"days\":18446744073709551615")),
        (39, "range", with(",\"days\":10000000000000000999")),
        (39, "range", with(",\"fee\":1e400")),
        (39, "range", with(",\"fee\":-1e400")),
        (39, "range", with(",\"fee\":1e99999999999999999999")),
        (39, "scale", with(",\"fee\":1e-99999999999999999999")),
        (39, "range", with(",\"fee\":100000000")),
        (39, "ok", with(",\"fee\":99999999.99")),
        (39, "ok", with(",\"x\":1e400")),
        (40, "ok", with(",\"days\":1.0")),
        (40, "ok", with(",\"days\":1e2")),
        (40, "ok", with(",\"days\":1200e-2")),
        (41, "not-integer", with(",\"days\":1.5")),
        (41, "not-integer", with(",\"days\":1e-1")),
        (42, "ok", with(",\"fee\":0.1")),
        (42, "scale", with(",\"fee\":19.999")),
        (42, "scale", with(",\"fee\":1e-3")),
        (42, "scale", with(",\"fee\":\"12.345\"")),
        (42, "ok", with(",\"fee\":12.3400000000000000000000000000000000000000000")),
        (43, "ok", with(",\"fee\":\"12.34\"")),
        (43, "ok", with(",\"fee\":\"-0.5\"")),
        (43, "money-format", with(",\"fee\":\"12,34\"")),
        (43, "money-format", with(",\"fee\":\"€12\"")),
        (43, "money-format", with(",\"fee\":\"1.234,56\"")),
        (43, "money-format", with(",\"fee\":\"\"")),
        (43, "money-format", with(",\"fee\":\" 1\"")),
        (43, "money-format", with(",\"fee\":\"1e2\"")),
        (43, "money-format", with(",\"fee\":\"012\"")),
        (43, "money-format", with(",\"fee\":\"null\"")),
        (44, "ok", with(",\"days\":-0")),
        (44, "ok", with(",\"fee\":-0.0")),
        (48, "type", with(",\"express\":\"true\"")),
        (48, "type", with(",\"express\":1")),
        (48, "type", with(",\"express\":\"Y\"")),
        (48, "ok", with(",\"express\":false")),
        (63, "type", with(",\"days\":\"1\"")),
        (63, "type", with(",\"note\":1")),
        (73, "ok", with(",\"never_declared\":{\"deep\":[1]}")),
        (74, "unknown-type", b"{\"type\":\"Burnt\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{}}".to_vec()),
        (74, "unknown-version", b"{\"type\":\"Lent\",\"v\":2,\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{}}".to_vec()),
        (74, "unknown-version", b"{\"type\":\"Returned\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\"}}".to_vec()),
        (74, "ok", b"{\"data\":{\"reader\":\"r\"},\"at\":\"2024-05-01T10:00:00Z\",\"v\":2,\"id\":\"late type\",\"type\":\"Returned\"}".to_vec()),
        (75, "missing-field", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"books\":[]}}".to_vec()),
        (75, "null-field", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":null,\"books\":[]}}".to_vec()),
        (75, "ok", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":\"empty\",\"data\":{\"reader\":\"\",\"books\":[]}}".to_vec()),
        (75, "missing-field", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\"}}".to_vec()),
        (75, "missing-field", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1}".to_vec()),
        (75, "missing-field", b"{\"type\":\"Lent\",\"id\":1,\"data\":{\"reader\":\"r\",\"books\":[]}}".to_vec()),
        (75, "missing-field", b"{\"at\":\"2024-05-01T10:00:00Z\"}".to_vec()),
        (75, "null-field", b"{\"type\":null}".to_vec()),
        (77, "type", with(",\"note\":{}")),
        (77, "type", with(",\"days\":[1]")),
        (77, "type", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\",\"books\":{}}}".to_vec()),
        (77, "type", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":{\"reader\":\"r\",\"books\":[1]}}".to_vec()),
        (77, "type", b"{\"type\":\"Lent\",\"at\":\"2024-05-01T10:00:00Z\",\"id\":1,\"data\":[]}".to_vec()),
        (77, "type", b"{\"type\":7}".to_vec()),
        (85, "ok", with(",\"note\":\"'; DROP TABLE x; {{7*7}} ${HOME} %s ../../x $(id)\"")),
        // What is no JSON is called so, whatever else is wrong with it.
        (27, "json-syntax", with(",\"days\":\"x\",\"note\":1,}")),
    ]
}

fn at(time: &str) -> Vec<u8> {
    let line = String::from_utf8(with("")).unwrap();
    line.replace("2024-05-01T10:00:00Z", time).into_bytes()
}

/// Times are instants, or refused.
fn times() -> Vec<Case> {
    vec![
        (49, "time", at("2024-05-01T10:00:00")),
        (52, "ok", at("2016-12-31T23:59:60Z")),
        (52, "ok", at("2017-01-01T08:59:60+09:00")),
        (52, "time", at("2016-12-31T12:00:60Z")),
        (53, "time", at("2024-05-01T24:00:00Z")),
        (53, "time", at("2023-02-29T00:00:00Z")),
        (53, "ok", at("2024-02-29T00:00:00Z")),
        (53, "time", at("2024-02-30T00:00:00Z")),
        (53, "time", at("2024-13-01T00:00:00Z")),
        (53, "time", at("0000-01-01T00:00:00Z")),
        (53, "time", at("10000-01-01T00:00:00Z")),
        (53, "time", at("-001-01-01T00:00:00Z")),
        (53, "time", at("2024-05-01T10:61:00Z")),
        (53, "time", at("2024-05-01")),
        (53, "time", at("")),
        (
            54,
            "time",
            b"{\"type\":\"Lent\",\"at\":1714557600,\"id\":1,\"data\":{\"reader\":\"r\",\"books\":[]}}"
                .to_vec(),
        ),
        (55, "time-range", at("1989-12-31T23:59:59.999999Z")),
        (55, "ok", at("1990-01-01T00:00:00Z")),
        (55, "time-range", at("2090-01-01T00:00:00Z")),
        (55, "ok", at("2089-12-31T23:59:59.999999Z")),
        (57, "time", at("2024-05-01T10:00:00-0800")),
        (57, "time", at("2024-05-01T10:00:00-08")),
        (57, "ok", at("2024-05-01T10:00:00+05:30")),
        (57, "ok", at("2024-05-01T10:00:00+14:00")),
        (57, "ok", at("2024-05-01t10:00:00z")),
        (57, "ok", at("2024-05-01 10:00:00Z")),
        (57, "time", at("2024-05-01T10:00:00,5Z")),
        (57, "time", at("2024-05-01T10:00:00.Z")),
        (57, "time", at("2024-05-01T10:00:00+24:00")),
        (57, "time", at("2024-05-01T10:00:00ZZ")),
        (58, "ok", at("2024-05-01T10:00:00.123456Z")),
        (58, "ok", at("2024-05-01T10:00:00.123456000Z")),
        (58, "time", at("2024-05-01T10:00:00.1234567Z")),
        (53, "time", with(",\"due\":\"2024-02-30\"")),
        (53, "time", with(",\"due\":\"2024-2-3\"")),
        (53, "ok", with(",\"due\":\"2024-02-29\"")),
        (77, "type", with(",\"due\":20240229")),
        (49, "time", with(",\"called\":\"2024-05-01T10:00:00\"")),
        (49, "ok", with(",\"called\":\"2024-05-01T10:00:00.5-07:00\"")),
    ]
}

#[test]
fn row_050_051_local_times_must_have_happened_once() {
    let zoned = LIBRARY.replace("order = \"seq\"", "order = \"seq\", zone = \"America/New_York\"");
    let library = Library::with(&zoned);
    for (number, wanted, time) in [
        (50, "nonexistent-time", "2024-03-10T02:30:00"),
        (51, "ambiguous-time", "2024-11-03T01:30:00"),
        (51, "ok", "2024-11-03T01:30:00-05:00"),
        (49, "ok", "2024-07-01T12:00:00.25"),
        (49, "ok", "2024-01-01T12:00:00"),
    ] {
        assert_eq!(judge(&library, &at(time)), wanted, "row {number}: {time}");
    }
    assert_eq!(
        library.column("Lent", "_time"),
        ["2024-11-03T06:30:00", "2024-07-01T16:00:00.250", "2024-01-01T17:00:00"]
    );
}

fn ids() -> Vec<Case> {
    let id = |id: &str| {
        format!(
            "{{\"type\":\"Returned\",\"v\":2,\"at\":\"2024-05-01T10:00:00Z\"{id},\"data\":{{\"reader\":\"r\"}}}}"
        )
    };
    let cases: Vec<(u32, &str, String)> = vec![
        (60, "no-id", id("")),
        (60, "no-id", id(",\"id\":null")),
        (60, "no-id", id(",\"id\":\"\"")),
        (60, "no-id", id(",\"id\":\" \\t\"")),
        (60, "ok", id(",\"id\":0")),
        (60, "type", id(",\"id\":true")),
        (60, "type", id(",\"id\":{}")),
        (89, "ok", id(",\"id\":\"a\\nb\"")),
        (3, "type", id(",\"id\":7,\"seq\":\"1\"")),
        (3, "not-integer", id(",\"id\":7,\"seq\":1.5")),
        (3, "ok", id(",\"id\":7,\"seq\":null")),
    ];
    cases.into_iter().map(|(row, code, line)| (row, code, line.into_bytes())).collect()
}
