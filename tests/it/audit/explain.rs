//! `explain` against what is written by hand of the hospital, and against the tables.

use super::{Asked, books, hospital, starlog};
use starlog::audit::{Books, Condition, Explained, Reason, explain};

fn rows(books: &Books, fact: &str, conditions: &[(&str, &str)]) -> Vec<Explained> {
    let condition = |(column, value): &(&str, &str)| Condition {
        column: (*column).to_owned(),
        value: (*value).to_owned(),
    };
    let conditions: Vec<Condition> = conditions.iter().map(condition).collect();
    let (rows, are_more) = explain(books, fact, &conditions).unwrap();
    assert!(!are_more);
    rows
}

/// Role, reason and the position that a key was carried from.
fn looks(row: &Explained) -> Vec<(&str, Reason, Option<i64>)> {
    row.looks.iter().map(|look| (look.role.as_str(), look.reason, look.carried_from)).collect()
}

/// As `tests/pipelines/hospital.md` tells it.
#[test]
fn reasons_are_those_that_a_person_gives() {
    let world = hospital(24);
    let books = books(&world);
    let placed = rows(&books, "fact_procedures", &[("position", "7")]);
    assert_eq!(placed.len(), 1);
    let positions: Vec<i64> = placed[0].header_events.iter().map(|told| told.event.position).collect();
    assert!(positions.contains(&8) && positions.contains(&17), "{positions:?}");

    let corrected = rows(&books, "procedures", &[("position", "17"), ("kind", "corrected")]);
    let anew = rows(&books, "procedures", &[("position", "17"), ("kind", "done")]);
    assert!(corrected[0].looks.iter().all(|look| look.carried_from == Some(7)), "{:?}", looks(&corrected[0]));
    assert!(anew[0].looks.iter().all(|look| look.carried_from.is_none()), "{:?}", looks(&anew[0]));
    assert_eq!(
        anew[0].looks[1].valid_from.as_deref(),
        anew[0].looks[1].opened_by.first().map(|by| by.event.time.as_str())
    );

    // No patient, and a refund that names no visit.
    let guest = rows(&books, "procedures", &[("position", "22")]);
    assert_eq!(guest[0].looks[1].reason, Reason::Unknown);
    let loose = rows(&books, "procedures", &[("position", "25")]);
    assert_eq!(loose[0].looks[0].reason, Reason::NotApplicable);
    assert_eq!(loose[0].looks[3].carried_from, None);
    assert!(loose[0].header_events.is_empty());
    let nobody_described = rows(&books, "procedures", &[("position", "35")]);
    assert_eq!(nobody_described[0].looks[0].reason, Reason::Inferred);
    assert_eq!(nobody_described[0].looks[1].reason, Reason::Inferred);
    assert_eq!(nobody_described[0].looks[1].opened_by[0].event.position, 34);
}

/// Every row of every fact: the event that made it is of its position, the member and the version are those under its
/// key, and a reason says `valid` where the interval holds the instant.
#[test]
fn every_row_is_explained() {
    let world = hospital(24);
    let (asked, books) = (Asked::new(&world, 2), books(&world));
    for fact in ["fact_procedures", "fact_visits", "fact_visit_lines", "fact_stays"] {
        let visits = asked.ask(&format!("SELECT DISTINCT visit FROM {fact} WHERE visit IS NOT NULL")).rows;
        for visit in visits {
            for row in rows(&books, fact, &[("visit", &visit[0])]) {
                let held = |column: &str| {
                    row.row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone())
                };
                if let Some(made) = &row.made_by {
                    assert_eq!(held("position"), Some(made.event.position.into()));
                    assert!(row.header_events.contains(made), "{made:?}");
                    assert!(!row.payload.is_empty());
                }
                for look in &row.looks {
                    assert_eq!(held(&format!("{}_key", look.role)), Some(look.key.into()));
                    assert_ne!(look.reason, Reason::Missing, "{fact} {visit:?} {look:?}");
                    if look.key > 0 {
                        let sql = format!(
                            "SELECT valid_from::VARCHAR, valid_to::VARCHAR FROM star.dim_{} WHERE {0}_key = {}",
                            look.dimension, look.key
                        );
                        let version = &asked.ask(&sql).rows[0];
                        assert_eq!(look.valid_from.as_ref(), Some(&version[0]));
                        assert_eq!(look.valid_to.as_ref(), Some(&version[1]));
                        let at = look.at.as_ref().unwrap();
                        let holds = *at >= version[0] && *at < version[1];
                        assert_eq!(
                            holds,
                            matches!(look.reason, Reason::Valid | Reason::Inferred),
                            "{look:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_page_explains_rows() {
    let world = hospital(24);
    let pages = [
        &["explain", "fact_procedures", "position=17"][..],
        &["explain", "fact_procedures", "position=25"],
        &["explain", "fact_visit_lines", "visit=V2", "line=x"],
    ];
    let pages: Vec<String> = pages
        .iter()
        .map(|arguments| format!("$ starlog {}\n{}", arguments.join(" "), starlog(&world, arguments)))
        .collect();
    insta::assert_snapshot!("explain", pages.join("\n"));
}

#[test]
fn what_is_not_there_is_said() {
    let world = hospital(24);
    let books = books(&world);
    let wrong = |fact: &str, column: &str, value: &str| {
        let condition = Condition { column: column.to_owned(), value: value.to_owned() };
        let error = explain(&books, fact, &[condition]).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        format!("{error}; {}", error.next_step().unwrap_or_default())
    };
    assert_eq!(
        wrong("fact_procedure", "visit", "V1"),
        "there is no fact table `fact_procedure`; did you mean `fact_procedures`?"
    );
    assert_eq!(
        wrong("procedures", "visits", "V1"),
        "fact_procedures has no column `visits`; did you mean `visit`?"
    );
    assert_eq!(wrong("procedures", "position", "x"), "`x` is no value of position; position is BIGINT");
    assert_eq!(
        wrong("procedures", "visit", "V9"),
        "fact_procedures has no row with visit = V9; starlog query 'FROM fact_procedures LIMIT 10' shows some"
    );
}
