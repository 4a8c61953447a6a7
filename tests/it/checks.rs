//! Does each check catch what it is there for, and nothing else? Small releases that are right are broken
//! in one place by SQL; the checks must name exactly what broke, with proofs and without.

mod night;

use duckdb::Connection;
use starlog::checks::{self, Effort, Tables};
use starlog::model::Model;
use std::path::Path;

struct Release {
    model: Model,
    connection: Connection,
    tables: Tables,
}

impl Release {
    fn of(pipeline: &str, data: &str, tables: Tables) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(data).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/checks").join(pipeline);
        Self { model: starlog::model::load(&path).unwrap(), connection, tables }
    }

    /// Lists in events, a return, an amendment, a guest, an inferred member, both layouts.
    fn shop() -> Self {
        let tables = Tables {
            levels: Some("levels".to_owned()),
            rejoined: Some("rejoined".to_owned()),
            ..Tables::default()
        };
        Self::of("shop.toml", include_str!("checks/shop.sql"), tables)
    }

    /// Header events and line events, a composite key, New York time.
    fn clinic() -> Self {
        Self::of("clinic.toml", include_str!("checks/clinic.sql"), Tables::default())
    }

    fn but(self, sql: &str) -> Self {
        self.connection.execute_batch(sql).unwrap();
        self
    }

    /// The names of the checks that do not hold, the same with proofs and without.
    fn violated(&self) -> Vec<String> {
        let names = |effort| -> Vec<String> {
            let report = checks::examine(&self.connection, &self.model, &self.tables, effort).unwrap();
            report.violations.into_iter().map(|violation| violation.check).collect()
        };
        let everything = names(Effort::Everything);
        assert_eq!(names(Effort::Proofs), everything, "a proof let something through");
        everything
    }

    #[track_caller]
    fn breaks(&self, expected: &[&str]) {
        assert_eq!(self.violated(), expected);
    }
}

const KEYS: &str = "keys are unique, and the reserved rows are there";
const INTERVALS: &str = "intervals are not empty and do not overlap";
const LIVE: &str = "a live member has one current version, a closed one none";

fn of(table: &str, holds: &str) -> String {
    format!("{table}: {holds}")
}

#[test]
fn a_right_release_breaks_nothing_and_most_of_it_is_proved() {
    for release in [Release::shop(), Release::clinic()] {
        release.breaks(&[]);
        let report =
            checks::run(&release.connection, &release.model, &release.tables, Effort::Proofs).unwrap();
        assert!(report.proved >= 9, "{report:?}");
        assert!(
            report.totals.iter().all(|total| total.log.is_some() && total.log == total.table),
            "{report:?}"
        );
    }
}

#[test]
fn a_failed_check_is_an_error_of_the_data_with_names_and_examples() {
    let release =
        Release::shop().but("UPDATE fact_orders SET date_key = 20240111 WHERE position = 5 AND item = 1");
    let error =
        checks::run(&release.connection, &release.model, &release.tables, Effort::Proofs).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    insta::assert_snapshot!(error.to_string(), @r"
    1 of 37 checks failed
      fact_orders: date_key is the day of occurred_at (1 row)
        {'position': 5, 'item': 1, 'kind': placed, 'occurred_at': '2024-01-10 12:00:00', 'date_key': 20240111}
    ");
}

#[test]
fn keys_of_a_dimension() {
    let keys = of("dim_customer", KEYS);
    let shop = || Release { tables: Tables::default(), ..Release::shop() };
    shop().but("DELETE FROM star.dim_customer WHERE customer_key = -2").breaks(&[&keys]);
    shop()
        .but("INSERT INTO star.dim_customer FROM star.dim_customer WHERE customer_key = -1")
        .breaks(&[&keys]);
    shop()
        .but("INSERT INTO star.dim_customer VALUES (0, 'C7', 'Bergen', '2024-01-01', '9999-12-31', true, true)")
        .breaks(&[&keys]);
    let violated =
        shop().but("UPDATE star.dim_customer SET customer_key = NULL WHERE customer_key = -2").violated();
    assert!(violated.contains(&keys), "{violated:?}");
}

#[test]
fn intervals_of_a_dimension() {
    let intervals = of("dim_product", INTERVALS);
    let shop = || Release { tables: Tables::default(), ..Release::shop() };
    let set = |set: &str| shop().but(&format!("UPDATE star.dim_product SET {set}"));
    set("valid_to = TIMESTAMP '2024-02-02' WHERE product_key = 1").breaks(&[&intervals]);
    set("valid_to = valid_from WHERE product_key = 2").breaks(&[&intervals]);
    set("valid_to = NULL WHERE product_key = 2").breaks(&[&intervals]);
    set("is_inferred = NULL WHERE product_key = 1").breaks(&[&intervals]);
    set("product_id = 'P9' WHERE product_key = -2").breaks(&[&intervals]);
}

#[test]
fn current_versions_of_live_and_closed_members() {
    let live = of("dim_product", LIVE);
    let intervals = of("dim_product", INTERVALS);
    let shop = || Release { tables: Tables::default(), ..Release::shop() };
    let set = |set: &str| shop().but(&format!("UPDATE star.dim_product SET {set}"));
    // The closed member is not ended.
    set("valid_to = TIMESTAMP '9999-12-31', is_current = true WHERE product_key = 2").breaks(&[&live]);
    // The live one is.
    set("valid_to = TIMESTAMP '2025-01-01', is_current = false WHERE product_key = 3").breaks(&[&live]);
    set("is_current = true WHERE product_key = 1").breaks(&[&intervals, &live]);
    set("is_inferred = false WHERE product_key = 4").breaks(&[&live]);
    // A member that an event sets is not there at all.
    shop()
        .but("INSERT INTO log.\"ProductSet\" VALUES (99, TIMESTAMP '2024-01-01', NULL, 'P8', 'Nail', 'K1')")
        .breaks(&[&live]);
    // Closed and set again at one instant, in the producer's order, is live.
    shop()
        .but("INSERT INTO log.\"ProductClosed\" VALUES (98, TIMESTAMP '2024-02-01', NULL, 'P1')")
        .breaks(&[&live]);
    shop()
        .but(
            "INSERT INTO log.\"ProductClosed\" VALUES (98, TIMESTAMP '2024-02-01', 1, 'P1');
              UPDATE log.\"ProductSet\" SET _order = 2 WHERE _position = 6",
        )
        .breaks(&[]);
}

#[test]
fn levels_and_their_parents() {
    let levels = |table: &str, holds: &str| of(&format!("levels.{table}"), holds);
    Release::shop().but("DELETE FROM levels.dim_city WHERE city_key = -2").breaks(&[
        &of("dim_customer", "the levels joined give the wide relation"),
        &levels("dim_city", KEYS),
        &levels("dim_customer", "every parent exists"),
    ]);
    // The category was renamed, but the product still holds the version from before.
    Release::shop()
        .but("UPDATE levels.dim_category SET valid_to = TIMESTAMP '2024-01-20', is_current = false WHERE category_key = 1;
              INSERT INTO levels.dim_category VALUES (2, 'K1', 'Tools', '2024-01-20', '9999-12-31', true, false)")
        .breaks(&[&levels("dim_product", "the parent is the version valid at the time")]);
    Release::shop()
        .but("UPDATE star.dim_product SET category_name = 'Toys' WHERE product_key = 2")
        .breaks(&[&of("dim_product", "the levels joined give the wide relation")]);
    for holds in [KEYS, INTERVALS, "the levels joined give the wide relation"] {
        Release::shop()
            .but("INSERT INTO star.dim_product FROM star.dim_product WHERE product_key = 2")
            .is_caught_by(&of("dim_product", holds));
    }
}

impl Release {
    /// The check is among those that do not hold.
    #[track_caller]
    fn is_caught_by(&self, check: &str) {
        let violated = self.violated();
        assert!(violated.iter().any(|name| name == check), "{check} is not among {violated:?}");
    }
}

const ORDERS: &str = "fact_orders";
const LINES: &str = "fact_order_lines";
const TREATMENTS: &str = "fact_treatments";
const AS_LOGGED: &str = "every placed line of the log is one row";
const UNIQUE: &str = "position, item, line and kind are unique";
const DAY: &str = "date_key is the day of occurred_at";
const TOTALS: &str = "control totals of placed lines balance";
const OF_EVENTS: &str = "reversals and amendments are of their events";
const REVERSED_KEYS: &str = "reversals bear the keys of the lines that they reverse";
const OWN_KEYS: &str = "reversals without a header bear the keys of their own time";
const AMENDED_KEYS: &str = "amended lines bear the keys of the amendment's time";
const BY_MEMBERS: &str = "reversals by members bear the members that they name";
const BOOKED: &str = "reversals and amendments of placed lines are booked";
const REVERSED: &str = "reversals take what their events state";
const AGREES: &str = "one row a placed line, and what is left is the ledger's sum";
const AS_PLACED: &str = "a line is as it was placed last";
const MILESTONES: &str = "milestones are days of dim_date, or not reached";

fn exists(role: &str) -> String {
    format!("every {role}_key exists")
}

fn of_its_time(role: &str) -> String {
    format!("{role}_key of a placed line is the version of its time")
}

#[test]
fn placed_rows_against_the_log() {
    let caught = |sql: &str, holds: &str| Release::shop().but(sql).is_caught_by(&of(ORDERS, holds));
    caught("DELETE FROM fact_orders WHERE position = 7 AND item = 2 AND kind = 'placed'", AS_LOGGED);
    caught(
        "INSERT INTO fact_orders SELECT * REPLACE (70 AS position) FROM fact_orders WHERE position = 7",
        AS_LOGGED,
    );
    caught("INSERT INTO fact_orders FROM fact_orders WHERE position = 5", UNIQUE);
    caught("INSERT INTO fact_orders FROM fact_orders WHERE position = 9", UNIQUE);
    for column in ["order_id", "channel"] {
        caught(&format!("UPDATE fact_orders SET {column} = 'X' WHERE position = 5 AND item = 1"), AS_LOGGED);
        caught(&format!("UPDATE fact_orders SET {column} = NULL WHERE position = 5 AND item = 1"), AS_LOGGED);
    }
    for column in ["order_line_no", "quantity", "unit_price", "net_amount"] {
        caught(&format!("UPDATE fact_orders SET {column} = 7 WHERE position = 5 AND item = 2"), AS_LOGGED);
    }
    caught(
        "UPDATE fact_orders SET occurred_at = occurred_at + INTERVAL 1 MICROSECOND WHERE position = 5",
        AS_LOGGED,
    );
    caught("UPDATE fact_orders SET net_amount = net_amount + 0.0001 WHERE position = 7 AND item = 1", TOTALS);
    // Two wrongs that make a right sum.
    Release::shop()
        .but("UPDATE fact_orders SET net_amount = net_amount + CASE item WHEN 1 THEN 1 ELSE -1 END WHERE position = 7")
        .is_caught_by(&of(ORDERS, AS_LOGGED));
}

#[test]
fn days_of_rows() {
    let caught = |sql: &str| Release::shop().but(sql).is_caught_by(&of(ORDERS, DAY));
    caught("UPDATE fact_orders SET date_key = 20240111 WHERE position = 5");
    caught("UPDATE fact_orders SET date_key = NULL WHERE position = 5");
    caught("UPDATE fact_orders SET date_key = -2 WHERE position = 9");
    caught("DELETE FROM dim_date WHERE date_key = 20240110");
    // In New York the night of 10 March 2024 has an hour less.
    let clinic = |sql: &str| Release::clinic().but(sql).is_caught_by(&of(TREATMENTS, DAY));
    clinic("UPDATE fact_treatments SET date_key = 20240310 WHERE position = 6");
    clinic("UPDATE fact_treatments SET date_key = 20240311 WHERE position = 7");
    clinic("UPDATE fact_treatments SET date_key = 20240310 WHERE position = 8");
}

#[test]
fn keys_of_placed_rows() {
    let caught = |sql: &str, holds: &str| Release::shop().but(sql).is_caught_by(&of(ORDERS, holds));
    let set = |key: &str, wher: &str| format!("UPDATE fact_orders SET {key} WHERE {wher}");
    let product = of_its_time("product");
    caught(&set("product_key = 99", "position = 5 AND item = 1"), &exists("product"));
    caught(&set("product_key = NULL", "position = 5 AND item = 1"), &exists("product"));
    caught(&set("customer_key = NULL", "position = 9"), &exists("customer"));
    // The member's other version, another member, a reserved key, and a member where none is named.
    caught(&set("product_key = 3", "position = 5 AND item = 1"), &product);
    caught(&set("product_key = 1", "position = 7 AND item = 1"), &product);
    caught(&set("product_key = 2", "position = 5 AND item = 1"), &product);
    caught(&set("product_key = -1", "position = 7 AND item = 2"), &product);
    caught(&set("customer_key = 1", "position = 7"), &of_its_time("customer"));
    caught(&set("customer_key = -2", "position = 7"), &of_its_time("customer"));
    // The log knows a customer.
    caught("UPDATE log.\"Placed\" SET customer_id = 'C1' WHERE _position = 7", &of_its_time("customer"));
}

#[test]
fn a_fact_before_the_first_version_takes_the_first_and_in_a_gap_the_last_before() {
    // The product's first version is later than its order: nothing changes for the fact.
    let earlier = "UPDATE star.dim_product SET valid_from = TIMESTAMP '2024-01-20' WHERE product_key = 1;
        UPDATE log.\"ProductSet\" SET _time = TIMESTAMP '2024-01-20' WHERE _position = 2";
    let shop = || Release { tables: Tables::default(), ..Release::shop() };
    shop().but(earlier).breaks(&[]);
    // The first version ended on the 9th, and the next one began in February: a gap.
    let gap = "UPDATE star.dim_product SET valid_to = TIMESTAMP '2024-01-09' WHERE product_key = 1;
        INSERT INTO log.\"ProductClosed\" VALUES (97, TIMESTAMP '2024-01-09', NULL, 'P1')";
    shop().but(gap).breaks(&[]);
}

#[test]
fn rows_of_reversals() {
    let caught = |sql: &str, holds: &str| Release::shop().but(sql).is_caught_by(&of(ORDERS, holds));
    // No event, another event's kind, another time, another order.
    caught("UPDATE fact_orders SET position = 90 WHERE position = 9", OF_EVENTS);
    caught("UPDATE fact_orders SET kind = 'cancelled' WHERE position = 9", OF_EVENTS);
    caught(
        "UPDATE fact_orders SET occurred_at = occurred_at + INTERVAL 1 HOUR WHERE position = 12",
        OF_EVENTS,
    );
    caught("UPDATE fact_orders SET order_id = 'O2' WHERE position = 9", OF_EVENTS);
    // Not booked, although the line is there.
    caught("DELETE FROM fact_orders WHERE position = 9", BOOKED);
    caught("DELETE FROM fact_orders WHERE position = 8", BOOKED);
    // Another amount than stated.
    caught("UPDATE fact_orders SET quantity = -2 WHERE position = 9", REVERSED);
    // The version that was right before the amendment, and the amended row with the one after it.
    caught("UPDATE fact_orders SET product_key = 1 WHERE position = 9", REVERSED_KEYS);
    caught("UPDATE fact_orders SET product_key = 3 WHERE position = 8 AND kind = 'amended'", REVERSED_KEYS);
    caught("UPDATE fact_orders SET product_key = 2 WHERE position = 12 AND order_line_no = 1", REVERSED_KEYS);
    caught("UPDATE fact_orders SET customer_key = 1 WHERE position = 12", REVERSED_KEYS);
}

#[test]
fn rows_of_reversals_without_an_order_and_of_amendments() {
    let caught = |sql: &str, holds: &str| Release::shop().but(sql).is_caught_by(&of(ORDERS, holds));
    caught("UPDATE fact_orders SET product_key = 3 WHERE position = 11", OWN_KEYS);
    caught("UPDATE fact_orders SET customer_key = -1 WHERE position = 11", OWN_KEYS);
    caught("UPDATE fact_orders SET product_key = 1 WHERE position = 8 AND kind = 'placed'", AMENDED_KEYS);
    caught("UPDATE fact_orders SET customer_key = -1 WHERE position = 8 AND kind = 'placed'", AMENDED_KEYS);
    caught("UPDATE log.\"Amended\" SET product_id = 'P2'", AMENDED_KEYS);
    // A reversal that is held has no row, and needs none.
    Release::shop().but("DELETE FROM log.\"Returned\" WHERE _position = 13").breaks(&[]);
}

#[test]
fn a_reversal_before_its_placing_takes_the_first_placing() {
    // The return is moved before the order: it is applied right after it, so before the amendment.
    let early = "UPDATE log.\"Returned\" SET _time = TIMESTAMP '2024-01-02' WHERE _position = 9;
        UPDATE fact_orders SET occurred_at = TIMESTAMP '2024-01-02', date_key = 20240102, product_key = 1 WHERE position = 9;
        UPDATE fact_order_lines SET returned_date_key = 20240102 WHERE order_id = 'O1' AND order_line_no = 1";
    Release::shop().but(early).breaks(&[]);
    Release::shop()
        .but(early)
        .but("UPDATE fact_orders SET product_key = 3 WHERE position = 9")
        .is_caught_by(&of(ORDERS, REVERSED_KEYS));
}

/// The first line of O1 is amended to another product.
const AMENDED: &str = "UPDATE log.\"Amended\" SET product_id = 'P3', _absent = NULL;
    UPDATE fact_orders SET product_key = 4 WHERE position = 8 AND kind = 'placed' OR position = 9;
    UPDATE fact_order_lines SET product_key = 4 WHERE order_id = 'O1' AND order_line_no = 1";

#[test]
fn a_reversal_by_members_waits_until_an_amendment_makes_a_line_theirs() {
    let returned = |product: &str, key: i64| {
        format!("INSERT INTO log.\"ProductReturned\" VALUES (40, TIMESTAMP '2024-01-20 12:00:00', NULL, 'O1', '{product}', 1);
        INSERT INTO fact_orders VALUES (40, 0, 'O1', 'web', 1, 'returned', '2024-01-20 12:00:00', 20240120, {key}, 1, -1, 10, -10);
        UPDATE fact_order_lines SET returned_date_key = 20240120, quantity_left = -1, net_amount_left = -10
          WHERE order_id = 'O1' AND order_line_no = 1")
    };
    let right = || Release::shop().but(AMENDED).but(&returned("P3", 4));
    right().breaks(&[]);
    let caught = |sql: &str, holds: &str| right().but(sql).is_caught_by(&of(ORDERS, holds));
    caught("UPDATE fact_orders SET product_key = 1 WHERE position = 40", BY_MEMBERS);
    caught("UPDATE fact_orders SET product_key = 3 WHERE position = 40", REVERSED_KEYS);
    caught("UPDATE fact_orders SET customer_key = -1 WHERE position = 40", REVERSED_KEYS);
    caught("DELETE FROM fact_orders WHERE position = 40", BOOKED);
    // The line was the product's already when the return came: it bears no key of a later placing.
    Release::shop().but(&returned("P1", 1)).breaks(&[]);
    Release::shop().but(&returned("P1", 3)).is_caught_by(&of(ORDERS, REVERSED_KEYS));
}

#[test]
fn a_reversal_that_comes_too_late_for_what_an_amendment_took_back_is_held() {
    let late = "INSERT INTO log.\"ProductReturned\" VALUES (41, TIMESTAMP '2024-02-20 12:00:00', NULL, 'O1', 'P1', 1)";
    Release::shop().but(AMENDED).but(late).breaks(&[]);
    Release::shop().but(late).is_caught_by(&of(ORDERS, BOOKED));
}

#[test]
fn an_amendment_to_nobody_is_not_silent_about_the_member() {
    let null = "UPDATE log.\"Amended\" SET _absent = NULL";
    let nobody =
        "UPDATE fact_orders SET product_key = -1 WHERE position = 8 AND kind = 'placed' OR position = 9;
        UPDATE fact_order_lines SET product_key = -1 WHERE order_id = 'O1' AND order_line_no = 1";
    Release::shop().but(null).but(nobody).breaks(&[]);
    Release::shop().but(null).is_caught_by(&of(ORDERS, AMENDED_KEYS));
    Release::shop().but(nobody).is_caught_by(&of(ORDERS, AMENDED_KEYS));
}

#[test]
fn a_line_placed_twice_is_booked_and_its_last_placing_counts() {
    let twice = "INSERT INTO log.\"Placed\" VALUES (20, TIMESTAMP '2024-01-12 12:00:00', NULL, 'O1', 'C1', 'app',
          [{'line_no': 2, 'product_id': 'P2', 'quantity': 4, 'unit_price': 6}]);
        INSERT INTO fact_orders VALUES (20, 1, 'O1', 'app', 2, 'placed', '2024-01-12 12:00:00', 20240112, 2, 1, 4, 6, 24);
        UPDATE fact_order_lines SET channel = 'app', quantity = 4, unit_price = 6, net_amount = 24,
          quantity_left = 5, net_amount_left = 29 WHERE order_id = 'O1' AND order_line_no = 2";
    Release::shop().but(twice).breaks(&[]);
    Release::shop()
        .but(twice)
        .but("UPDATE fact_order_lines SET channel = 'web'")
        .breaks(&[&of(LINES, AS_PLACED)]);
}

#[test]
fn what_waits_for_a_line_is_applied_after_the_list_that_places_it() {
    let waited =
        "INSERT INTO log.\"Placed\" VALUES (30, TIMESTAMP '2024-01-15 12:00:00', NULL, 'O3', 'C1', 'web',
          [{'line_no': 1, 'product_id': 'P1', 'quantity': 1, 'unit_price': 10},
           {'line_no': 1, 'product_id': 'P2', 'quantity': 1, 'unit_price': 5}]);
        INSERT INTO log.\"Returned\" VALUES (31, TIMESTAMP '2024-01-02 12:00:00', NULL, 'O3', NULL,
          [{'line_no': 1, 'product_id': NULL, 'quantity': 1, 'unit_price': 5}]);
        INSERT INTO fact_orders VALUES
          (30, 1, 'O3', 'web', 1, 'placed', '2024-01-15 12:00:00', 20240115, 1, 1, 1, 10, 10),
          (30, 2, 'O3', 'web', 1, 'placed', '2024-01-15 12:00:00', 20240115, 2, 1, 1, 5, 5),
          (31, 1, 'O3', 'web', 1, 'returned', '2024-01-02 12:00:00', 20240102, 2, 1, -1, 5, -5);
        INSERT INTO fact_order_lines VALUES
          ('O3', 1, 'web', 'returned', 2, 1, 20240115, 20240102, 1, 5, 5, 1, 10)";
    Release::shop().but(waited).breaks(&[]);
    Release::shop()
        .but(waited)
        .but("UPDATE fact_orders SET product_key = 1 WHERE position = 31")
        .is_caught_by(&of(ORDERS, REVERSED_KEYS));
}

#[test]
fn ledger_and_lines_agree() {
    let breaks = |sql: &str, holds: &str| Release::shop().but(sql).is_caught_by(&of(LINES, holds));
    breaks(
        "UPDATE fact_order_lines SET quantity_left = 1 WHERE order_id = 'O2' AND order_line_no = 1",
        AGREES,
    );
    breaks(
        "UPDATE fact_order_lines SET quantity_left = 0 WHERE order_id = 'O1' AND order_line_no = 2",
        AGREES,
    );
    breaks(
        "UPDATE fact_order_lines SET net_amount_left = NULL WHERE order_id = 'O1' AND order_line_no = 2",
        AGREES,
    );
    breaks("DELETE FROM fact_order_lines WHERE order_id = 'O1' AND order_line_no = 2", AGREES);
    breaks(
        "INSERT INTO fact_order_lines FROM fact_order_lines WHERE order_id = 'O1' AND order_line_no = 2",
        AGREES,
    );
    breaks(
        "INSERT INTO fact_order_lines SELECT * REPLACE ('O7' AS order_id) FROM fact_order_lines WHERE order_id = 'O2'",
        AGREES,
    );
    for set in [
        "product_key = 1",
        "customer_key = -1",
        "channel = 'app'",
        "quantity = 2",
        "unit_price = 11",
        "net_amount = 11",
    ] {
        breaks(
            &format!("UPDATE fact_order_lines SET {set} WHERE order_id = 'O1' AND order_line_no = 1"),
            AS_PLACED,
        );
    }
    breaks("UPDATE fact_order_lines SET returned_date_key = 20250101 WHERE order_id = 'O1'", MILESTONES);
    breaks("UPDATE fact_order_lines SET returned_date_key = NULL WHERE order_id = 'O1'", MILESTONES);
    // A reversal's amount goes to another line: the totals are right, the lines are not.
    breaks(
        "UPDATE fact_orders SET net_amount = net_amount + CASE order_line_no WHEN 1 THEN 1 ELSE -1 END WHERE position = 12",
        AGREES,
    );
}

#[test]
fn lines_that_take_what_they_lack_from_their_header() {
    let caught = |sql: &str, holds: &str| Release::clinic().but(sql).is_caught_by(&of(TREATMENTS, holds));
    // The second header event of a visit changes nothing; the first one does.
    Release::clinic()
        .but("UPDATE log.\"Admitted\" SET ward_no = 5, insurer = 'Else' WHERE _position = 5")
        .breaks(&[]);
    caught("UPDATE log.\"Admitted\" SET insurer = 'Else' WHERE _position = 3", AS_LOGGED);
    caught(
        "UPDATE log.\"Admitted\" SET _time = TIMESTAMP '2024-03-10 04:31:00' WHERE _position = 3",
        AS_LOGGED,
    );
    caught("UPDATE log.\"Admitted\" SET ward_no = 5 WHERE _position = 4", &of_its_time("ward"));
    // The line no longer waits: its header came.
    caught(
        "INSERT INTO log.\"Admitted\" VALUES (12, TIMESTAMP '2024-03-13', 12, 'V9', 'N', 1, 'Acme')",
        AS_LOGGED,
    );
    // The ward of the line's own time instead of the visit's.
    caught("UPDATE fact_treatments SET ward_key = 2 WHERE position = 6", &of_its_time("ward"));
    // A missing part of a composite key is a missing key.
    caught("UPDATE fact_treatments SET ward_key = 1 WHERE position = 8", &of_its_time("ward"));
    caught("UPDATE fact_treatments SET discount = 0 WHERE position = 7", AS_LOGGED);
    caught("DELETE FROM fact_treatments WHERE position = 11", BOOKED);
}

#[test]
fn lines_that_say_null_are_not_silent() {
    let null = "UPDATE log.\"Treated\" SET _absent = 'discount' WHERE _position = 6";
    let nobody = "UPDATE fact_treatments SET ward_key = -1, insurer = NULL WHERE visit_id = 'V1';
        UPDATE fact_treatment_steps SET ward_key = -1, insurer = NULL WHERE visit_id = 'V1'";
    Release::clinic().but(null).but(nobody).breaks(&[]);
    let caught = |sql: &str, holds: &str| Release::clinic().but(sql).is_caught_by(&of(TREATMENTS, holds));
    for sql in [null, nobody] {
        caught(sql, AS_LOGGED);
        caught(sql, &of_its_time("ward"));
    }
    // Its own ward and insurer.
    Release::clinic()
        .but("UPDATE log.\"Treated\" SET _absent = NULL, site = 'N', ward_no = 1, insurer = 'Acme' WHERE _position = 6;
              UPDATE log.\"Admitted\" SET ward_no = 9, insurer = 'Else' WHERE _position = 3")
        .breaks(&[]);
}

/// DuckDB's calendar days are chrono's, in zones that skip a day, change at midnight, or by half an hour.
#[test]
fn days_in_many_zones() {
    use chrono::{DateTime, Datelike, Duration};
    for zone in [
        chrono_tz::UTC,
        chrono_tz::Europe::Oslo,
        chrono_tz::America::St_Johns,
        chrono_tz::America::Sao_Paulo,
        chrono_tz::Australia::Lord_Howe,
        chrono_tz::Pacific::Apia,
        chrono_tz::Asia::Kolkata,
        chrono_tz::Africa::Casablanca,
    ] {
        let start = DateTime::parse_from_rfc3339("2005-01-01T00:01:00Z").unwrap().to_utc();
        let rows: Vec<String> = (0..7_000)
            .map(|step| {
                let instant = start + Duration::minutes(step * 653);
                let day = instant.with_timezone(&zone).date_naive();
                let key = day.year() * 10_000 + day.month() as i32 * 100 + day.day() as i32;
                format!(
                    "({step}::BIGINT, TIMESTAMP '{}', {key}::BIGINT)",
                    instant.format("%Y-%m-%d %H:%M:%S")
                )
            })
            .collect();
        let mut release = Release::clinic().but(&format!(
            "DROP TABLE dim_date;
             CREATE TABLE dim_date AS
             SELECT (year(d) * 10000 + month(d) * 100 + day(d))::BIGINT AS date_key, d::DATE AS date
             FROM generate_series(DATE '2004-01-01', DATE '2013-12-31', INTERVAL 1 DAY) AS t(d);
             CREATE TABLE days AS SELECT * FROM (VALUES {}) AS t(position, occurred_at, date_key);
             CREATE OR REPLACE TABLE fact_treatments AS
             SELECT d.position, f.item, f.visit_id, f.insurer, f.step, f.kind, d.occurred_at, d.date_key, f.ward_key,
               f.discount, f.cost, f.due
             FROM days AS d, (FROM fact_treatments LIMIT 1) AS f",
            rows.join(", ")
        ));
        release.model.calendar.time_zone = zone;
        assert!(!release.violated().contains(&of(TREATMENTS, DAY)), "{zone}");
        let late = release.but("UPDATE fact_treatments SET date_key = date_key + 1 WHERE position = 5000");
        late.is_caught_by(&of(TREATMENTS, DAY));
    }
}
