//! `diff` against two whole tables, read and compared row by row without it.

use super::{Asked, hospital, release, retail, starlog};
use crate::support::World;
use rstest::rstest;
use starlog::audit::{Diff, MonthChange, Only, diff};
use std::collections::{BTreeMap, BTreeSet};

fn compare(world: &World, before: u64, after: u64, only: &Only) -> Diff {
    diff(&release(world, before), &release(world, after), &world.warehouse(), only).unwrap()
}

/// A table by its key: month, whole row as text, and the numbers of its measures.
type Table = BTreeMap<Vec<String>, (String, Vec<String>)>;

fn table(asked: &Asked, name: &str, key: &[&str], month: &str) -> Table {
    let sql = format!("SELECT {}, {month}, * FROM {name}", key.join(", "));
    let rows = asked.ask(&sql).rows;
    let count = rows.len();
    let by_key: Table = rows
        .into_iter()
        .map(|mut row| {
            let rest = row.split_off(key.len());
            (row, (rest[0].clone(), rest[1..].to_vec()))
        })
        .collect();
    assert_eq!(by_key.len(), count, "{name} has a key twice");
    by_key
}

/// Added, removed and changed by month; months in which nothing changed are left out.
fn changes(before: &Table, after: &Table) -> BTreeMap<String, [i64; 3]> {
    let mut changes: BTreeMap<String, [i64; 3]> = BTreeMap::new();
    let keys: BTreeSet<&Vec<String>> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        match (old, new) {
            (Some((from, _)), Some((to, _))) if from == to => {
                changes.entry(from.clone()).or_default()[2] += 1
            }
            _ => {
                if let Some((month, _)) = new {
                    changes.entry(month.clone()).or_default()[0] += 1;
                }
                if let Some((month, _)) = old {
                    changes.entry(month.clone()).or_default()[1] += 1;
                }
            }
        }
    }
    changes
}

/// A number without a point, in units of so many decimal places.
fn unscaled(text: &str, places: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

fn agrees(asked: &[Asked; 2], found: &Diff, name: &str, key: &[&str]) {
    let is_fact = name.starts_with("fact_");
    let month = if is_fact { "date_month" } else { "''" };
    let [old, new] = asked.each_ref().map(|asked| table(asked, name, key, month));
    let expected = changes(&old, &new);
    let short = name.trim_start_matches("star.");
    let months: &[MonthChange] =
        found.tables.iter().find(|table| table.name == short).map_or(&[], |table| &table.months);
    let told: BTreeMap<String, [i64; 3]> = months
        .iter()
        .map(|month| (month.month.clone(), [month.added, month.removed, month.changed]))
        .collect();
    assert_eq!(told, expected, "{name}");
    for month in months {
        assert_eq!(month.unexplained, 0, "{name} {}: {:?}", month.month, month.causes);
        let rows: i64 = month.causes.iter().map(|cause| cause.rows).sum();
        if name != "dim_date" {
            assert_eq!(rows, month.added + month.removed + month.changed, "{name} {}", month.month);
        }
        let sums: Vec<String> = month
            .totals
            .iter()
            .map(|total| format!(", coalesce(sum({}), 0)::VARCHAR", total.measure))
            .collect();
        let sql = match is_fact {
            true => {
                format!("SELECT count(*){} FROM {name} WHERE date_month = '{}'", sums.concat(), month.month)
            }
            false => format!("SELECT count(*) FROM {name}"),
        };
        let [old, new] = asked.each_ref().map(|asked| asked.ask(&sql).rows[0].clone());
        assert_eq!(
            (&month.rows_before.to_string(), &month.rows_after.to_string()),
            (&old[0], &new[0]),
            "{name}"
        );
        for (place, total) in (1..).zip(&month.totals) {
            let (old, new) = (&old[place], &new[place]);
            let places = 8;
            let number = |text: &str| unscaled(text, places);
            assert_eq!(number(total.before.as_deref().unwrap_or("0")), number(old), "{name} {total:?}");
            assert_eq!(number(total.after.as_deref().unwrap_or("0")), number(new), "{name} {total:?}");
            assert_eq!(number(&total.difference), number(new) - number(old), "{name} {total:?}");
            let shares = month.causes.iter().flat_map(|cause| &cause.differences);
            let shares = shares.filter(|(measure, _)| *measure == total.measure);
            let shares: i128 = shares.map(|(_, sum)| number(sum.as_str().unwrap_or("0"))).sum();
            assert_eq!(shares, number(&total.difference), "{name} {}: {total:?}", month.month);
        }
        let (from, to) = (found.before.log_position, found.after.log_position);
        for event in month.causes.iter().flat_map(|cause| &cause.examples) {
            let position = u64::try_from(event.position).unwrap();
            assert!(position > from.min(to) && position <= from.max(to), "{event:?}");
        }
    }
}

#[rstest]
fn every_cut_of_the_hospital_is_told(#[values(3, 12, 21, 30, 36)] lines: usize) {
    let world = hospital(lines);
    for pair in [(1, 2), (2, 1)] {
        let found = compare(&world, pair.0, pair.1, &Only::default());
        let asked = [Asked::new(&world, pair.0), Asked::new(&world, pair.1)];
        let agrees = |name, key: &[&str]| agrees(&asked, &found, name, key);
        agrees("fact_procedures", &["position", "item", "kind", "line"]);
        agrees("fact_visit_lines", &["visit", "line"]);
        agrees("fact_visits", &["position", "item", "kind"]);
        agrees("fact_stays", &["visit"]);
        agrees("star.dim_bed", &["bed_key"]);
        agrees("star.dim_patient", &["patient_key"]);
        agrees("star.dim_staff", &["staff_key"]);
        agrees("dim_date", &["date_key"]);
    }
}

#[test]
fn nights_of_a_shop_are_told() {
    let world = retail(&[2000, 5500]);
    for pair in [(1, 2), (2, 3), (1, 3)] {
        let found = compare(&world, pair.0, pair.1, &Only::default());
        let asked = [Asked::new(&world, pair.0), Asked::new(&world, pair.1)];
        let agrees = |name, key: &[&str]| agrees(&asked, &found, name, key);
        agrees("fact_orders", &["position", "item", "kind", "order_line_no"]);
        agrees("fact_order_lines", &["order_id", "order_line_no"]);
        agrees("star.dim_product", &["product_key"]);
        agrees("star.dim_customer", &["customer_key"]);
        agrees("star.dim_store", &["store_key"]);
    }
}

/// A file that both releases have is not even opened: here it is none of Parquet any more.
#[test]
fn files_that_are_the_same_are_not_read() {
    let world = retail(&[5500]);
    let whole = compare(&world, 1, 2, &Only::default());
    let (one, other) = (release(&world, 1), release(&world, 2));
    let hash = |release: &starlog::warehouse::Release, path: &str| {
        release.manifest().files().find(|file| file.path == path).map(|file| file.blake3.clone())
    };
    let mut spoilt = 0;
    for file in one.manifest().files().filter(|file| file.path.contains("/fact_")) {
        if hash(&other, &file.path).as_ref() == Some(&file.blake3) {
            for release in [&one, &other] {
                spoil(&release.path(file));
            }
            spoilt += 1;
        }
    }
    assert!(spoilt > 0);
    let again = compare(&world, 1, 2, &Only::default());
    assert_eq!(serde_json::to_value(&whole).unwrap(), serde_json::to_value(&again).unwrap());
}

fn spoil(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(file, "nothing").unwrap();
}

#[test]
fn nothing_changed_between_a_release_and_itself() {
    let world = hospital(20);
    let found = compare(&world, 2, 2, &Only::default());
    assert_eq!((found.events, found.tables.len()), (0, 0));
    let error = diff(
        &release(&world, 1),
        &release(&world, 2),
        &world.warehouse(),
        &Only { table: Some("fact_procedure".to_owned()), ..Only::default() },
    );
    let error = error.unwrap_err();
    assert_eq!((error.exit_code(), error.next_step()), (2, Some("did you mean `fact_procedures`?")));
}

#[test]
fn the_page_answers_the_first_question() {
    let world = hospital(24);
    insta::assert_snapshot!("diff", starlog(&world, &["diff"]));
    insta::assert_snapshot!(
        "diff_rows",
        starlog(&world, &["diff", "1", "2", "--table", "procedures", "--month", "2024-11"])
    );
}
