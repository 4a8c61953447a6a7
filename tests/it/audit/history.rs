//! `history` against the tables of dimensions, member by member.

use super::{Asked, books, hospital, retail, starlog};
use crate::support::World;
use starlog::audit::{Books, MemberHistory, member};
use std::collections::BTreeMap;

fn tell(books: &Books, level: &str, key: &[String]) -> MemberHistory {
    let told = member(books, level, key);
    told.unwrap_or_else(|error| panic!("{level} {key:?}: {error}"))
}

/// All members of a level: their versions as the table has them are those that their histories tell, each of them was
/// opened by an event of its instant (or, if it is inferred, by whoever mentioned it first).
fn all_members(world: &World, level: &str, key: &[&str]) {
    let sql = format!(
        "SELECT {}, {level}_key, valid_from::VARCHAR, valid_to::VARCHAR, is_inferred FROM dim_{level} \
         WHERE {level}_key > 0 ORDER BY ALL",
        key.iter().map(|key| format!("{key}::VARCHAR")).collect::<Vec<_>>().join(", ")
    );
    let mut members: BTreeMap<Vec<String>, Vec<Vec<String>>> = BTreeMap::new();
    for mut row in Asked::new(world, 2).ask(&sql).rows {
        let rest = row.split_off(key.len());
        members.entry(row).or_default().push(rest);
    }
    assert!(!members.is_empty());
    let books = books(world);
    for (key, mut expected) in members {
        expected.sort_by(|one, other| one[1].cmp(&other[1]));
        let told = tell(&books, level, &key);
        let versions = told.versions.unwrap();
        let found: Vec<Vec<String>> = versions
            .iter()
            .map(|version| {
                let inferred = version.is_inferred.to_string();
                vec![version.key.to_string(), version.valid_from.clone(), version.valid_to.clone(), inferred]
            })
            .collect();
        assert_eq!(found, expected, "{level} {key:?}");
        for version in &versions {
            assert!(!version.opened_by.is_empty(), "{level} {key:?}: {version:?}");
            if !version.is_inferred {
                assert!(
                    version.opened_by.iter().all(|by| by.event.time == version.valid_from),
                    "{version:?}"
                );
            }
        }
        let times: Vec<&String> = told.events.iter().map(|event| &event.event.time).collect();
        assert!(times.is_sorted());
    }
}

#[test]
fn every_member_of_the_hospital_has_the_versions_of_its_table() {
    let world = hospital(24);
    all_members(&world, "bed", &["bed_label"]);
    all_members(&world, "ward", &["hospital_id", "ward_no"]);
    all_members(&world, "clinic", &["clinic_id"]);
    all_members(&world, "patient", &["patient_no"]);
    all_members(&world, "staff", &["badge"]);
}

#[test]
fn stores_and_departments_have_the_versions_of_their_tables() {
    let world = retail(&[5500]);
    all_members(&world, "store", &["store_id"]);
    all_members(&world, "category", &["category_id"]);
    all_members(&world, "department", &["department_id"]);
}

/// Late is what came after something that happened later: asked of the log in SQL.
#[test]
fn late_events_are_marked() {
    let world = retail(&[5500]);
    let sql = "
        WITH own AS (
            SELECT store_id, _position AS p, _time AS t FROM log.\"StoreOpened\"
            UNION ALL SELECT store_id, _position, _time FROM log.\"StoreRenamed\"
            UNION ALL SELECT store_id, _position, _time FROM log.\"StoreMoved\"
            UNION ALL SELECT store_id, _position, _time FROM log.\"StoreClosed\"
            UNION ALL SELECT store_id, _position, _time FROM log.\"StoreReopened\")
        SELECT store_id, p, EXISTS (FROM own AS o WHERE o.store_id = own.store_id AND o.p < own.p AND o.t > own.t)
        FROM own ORDER BY ALL";
    let mut told = Vec::new();
    let books = books(&world);
    let expected = Asked::new(&world, 2).ask(sql).rows;
    let mut stores: Vec<&String> = expected.iter().map(|row| &row[0]).collect();
    stores.dedup();
    for store in stores {
        let mut events = tell(&books, "store", std::slice::from_ref(store)).events;
        events.sort_by_key(|event| event.event.position);
        told.extend(
            events
                .iter()
                .map(|event| vec![store.clone(), event.event.position.to_string(), event.late.to_string()]),
        );
    }
    assert_eq!(told, expected);
}

#[test]
fn the_page_tells_a_member() {
    let world = hospital(24);
    let pages = [
        &["history", "staff", "S1"][..],
        &["history", "patient", "7"],
        &["history", "ward", "H1", "1"],
        &["history", "patient", "99"],
    ];
    let pages: Vec<String> = pages
        .iter()
        .map(|arguments| format!("$ starlog {}\n{}", arguments.join(" "), starlog(&world, arguments)))
        .collect();
    insta::assert_snapshot!("history", pages.join("\n"));
}

#[test]
fn a_wrong_key_is_told_apart() {
    let world = hospital(24);
    let books = books(&world);
    let wrong = |level: &str, key: &[&str]| {
        let key: Vec<String> = key.iter().map(|part| (*part).to_owned()).collect();
        let error = member(&books, level, &key).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        format!("{error}; {}", error.next_step().unwrap_or_default())
    };
    assert_eq!(
        wrong("pateint", &["1"]),
        "no dimension and no level with members is called `pateint`; did you mean `patient`?"
    );
    assert_eq!(
        wrong("ward", &["H1"]),
        "a ward is named by 2 values, not by 1; give them in this order: hospital_id ward_no"
    );
    assert_eq!(wrong("ward", &["H1", "x"]), "`x` is no value of ward_no; ward_no is BIGINT");
    assert_eq!(
        wrong("staff", &["S99"]),
        "release 2 knows no staff S99; starlog query 'FROM star.dim_staff LIMIT 10' shows some"
    );
}
