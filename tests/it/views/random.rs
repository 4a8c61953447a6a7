//! Random nights: reversals, amendments, late events, parent renames, members filled in.

use super::write_pipeline;
use crate::oracle::random::random_log;
use crate::oracle::shrink::shrink;
use crate::support::{World, load, memory_folder};
use starlog::layout::Layout;
use starlog::nightly::Options;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// A pipeline of the law, views for it, files of SQL, and beside each view what a person would write for it.
struct Shop {
    name: &'static str,
    views: &'static str,
    files: &'static [(&'static str, &'static str)],
    by_hand: &'static [(&'static str, &'static str)],
}

const SHOPS: [Shop; 3] = [
    Shop {
        name: "shop",
        views: r#"
[views.by_day]
measures = ["net_amount", "quantity", "lines = count()", "with_channel = count(channel)", "avg(discount_amount)"]
by = ["date.day"]

[views.by_department]
measures = ["net_amount", "quantity"]
by = ["product.department_name", "product.floor", "product.category_id", "date.month"]

[views.by_name]
measures = ["gross_amount"]
by = ["product.name"]
where = "product.name IS NOT NULL AND (channel IS NULL OR channel <> 'a')"

[views.by_state]
measures = ["orders", "least = min(unit_price)", "most = max(net_amount)", "newest = max(occurred_at)",
  "customers = count_distinct(customer.customer_id)", "products = count_distinct(product.name)", "net_amount"]
by = ["customer.state", "customer.city", "channel"]
where = "kind <> 'cancelled'"

[views.taken_back]
measures = ["quantity", "orders"]
where = "quantity < 0 AND customer.city IS NOT NULL"

[views.total]
measures = ["net_amount"]

[views.written]
sql = "written.sql"
"#,
        files: &[(
            "written.sql",
            "SELECT p.department_name, l.status, count(*) AS lines, sum(l.quantity_left) AS quantity_left
FROM fact_order_lines AS l JOIN star.dim_product AS p USING (product_key) GROUP BY ALL",
        )],
        by_hand: &[
            (
                "by_day",
                "SELECT d.date, sum(net_amount), sum(quantity), count(*), count(channel), sum(discount_amount), count(*)
FROM fact_orders JOIN dim_date AS d USING (date_key) GROUP BY 1",
            ),
            (
                "by_department",
                "SELECT department_name, floor, category_id, year_month, sum(net_amount), sum(quantity), count(*)
FROM fact_orders JOIN dim_date USING (date_key) JOIN star.dim_product USING (product_key) GROUP BY ALL",
            ),
            (
                "by_name",
                "SELECT name, sum(gross_amount), count(*) FROM fact_orders JOIN star.dim_product USING (product_key)
WHERE name IS NOT NULL AND (channel IS NULL OR channel <> 'a') GROUP BY ALL",
            ),
            (
                "by_state",
                "SELECT state, city, channel, count(DISTINCT order_id), min(unit_price), max(net_amount), max(occurred_at),
  count(DISTINCT customer_id), count(DISTINCT p.name), sum(net_amount), count(*)
FROM fact_orders JOIN star.dim_product AS p USING (product_key) JOIN star.dim_customer USING (customer_key)
WHERE kind <> 'cancelled' GROUP BY ALL",
            ),
            (
                "taken_back",
                "SELECT sum(quantity), count(DISTINCT order_id), count(*)
FROM fact_orders JOIN star.dim_customer USING (customer_key)
WHERE quantity < 0 AND city IS NOT NULL HAVING count(*) > 0",
            ),
            ("total", "SELECT sum(net_amount), count(*) FROM fact_orders HAVING count(*) > 0"),
            (
                "written",
                "SELECT department_name, status, count(*), sum(quantity_left)
FROM star.dim_product JOIN fact_order_lines USING (product_key) GROUP BY ALL",
            ),
        ],
    },
    Shop {
        name: "clinic",
        views: r#"
[views.by_hospital]
measures = ["amount", "subsidy", "avg(own_share)", "units"]
by = ["ward.hospital_name", "ward.beds", "date.quarter"]

[views.by_doctor]
measures = ["treatments", "patients = count_distinct(patient.patient_id)", "most = max(amount)"]
by = ["doctor.doctor_name", "patient.insured", "kind"]

[views.by_patient]
measures = ["amount"]
by = ["patient.patient_name", "patient.birthday"]
where = "NOT patient.insured OR urgency LIKE 'a%'"
"#,
        files: &[],
        by_hand: &[
            (
                "by_hospital",
                "SELECT hospital_name, beds, year, quarter, sum(amount), sum(subsidy), sum(own_share), count(own_share),
  sum(units), count(*)
FROM fact_treatments JOIN star.dim_ward USING (ward_key) JOIN dim_date USING (date_key) GROUP BY ALL",
            ),
            (
                "by_doctor",
                "SELECT doctor_name, insured, kind, count(DISTINCT visit_id), count(DISTINCT patient_id), max(amount), count(*)
FROM fact_treatments JOIN star.dim_doctor USING (doctor_key) JOIN star.dim_patient USING (patient_key) GROUP BY ALL",
            ),
            (
                "by_patient",
                "SELECT patient_name, birthday, sum(amount), count(*)
FROM fact_treatments JOIN star.dim_patient USING (patient_key) WHERE NOT insured OR urgency LIKE 'a%' GROUP BY ALL",
            ),
        ],
    },
    Shop {
        name: "network",
        views: r#"
[views.fares]
measures = ["fare", "count()"]
by = ["origin.zone_name", "destination.country", "destination.height", "date.year"]

[views.trips_by_owner]
measures = ["trips", "dearest = max(fare)"]
by = ["vehicle.owner_name", "origin.town"]

[views.passengers]
measures = ["passengers"]
by = ["station.surveyed", "vehicle.depot_name"]
"#,
        files: &[],
        by_hand: &[
            (
                "fares",
                "SELECT o.zone_name, t.country, t.height, year, sum(fare), count(*)
FROM fact_trips JOIN star.dim_station AS o ON o.station_key = origin_key
JOIN star.dim_station AS t ON t.station_key = destination_key JOIN dim_date USING (date_key) GROUP BY ALL",
            ),
            (
                "trips_by_owner",
                "SELECT owner_name, town, count(DISTINCT (trip_day, trip_id)) FILTER (trip_day IS NOT NULL AND trip_id IS NOT NULL),
  max(fare), count(*)
FROM fact_trips JOIN star.dim_station AS o ON o.station_key = origin_key JOIN star.dim_vehicle USING (vehicle_key)
GROUP BY ALL",
            ),
            (
                "passengers",
                "SELECT surveyed, depot_name, sum(passengers), count(*)
FROM fact_counts JOIN star.dim_station USING (station_key) JOIN star.dim_vehicle USING (vehicle_key) GROUP BY ALL",
            ),
        ],
    },
];

impl Shop {
    /// What is wrong with the views of a log that comes in nights of so many lines.
    fn broken(&self, log: &[String], size: usize) -> Option<String> {
        // A release in one layout takes half the time, and what a view holds depends on none.
        let layout = Layout::ALL[log.len() % 2];
        let by_night = self.world();
        for (number, _) in log.chunks(size).enumerate() {
            let so_far = &log[..log.len().min((number + 1) * size)];
            if let Some(difference) = self.run(&by_night, layout, so_far) {
                return Some(format!("after night {}: {difference}", number + 1));
            }
        }
        let at_once = self.world();
        if let Some(difference) = self.run(&at_once, layout, log) {
            return Some(format!("in one run: {difference}"));
        }
        let hashes = [&by_night, &at_once].map(|world| world.release().manifest().blake3.clone());
        (hashes[0] != hashes[1]).then(|| {
            let differences = by_night.release().differences(&at_once.release());
            format!("one run gives other files: {}", differences.join("; "))
        })
    }

    fn world(&self) -> World {
        let folder = memory_folder();
        let pipeline = write_pipeline(folder.path(), self.name, self.views, self.files);
        World::within(folder, &pipeline)
    }

    /// One night, the log being so long by then; and what its views do not say as SQL by hand does.
    fn run(&self, world: &World, layout: Layout, log: &[String]) -> Option<String> {
        let file = world.write("log.ndjson", log.join("\n") + "\n");
        world.run_with(&Options {
            layouts: vec![layout],
            log: vec![file],
            threads: Some(1),
            ..world.options()
        });
        let differences = self.by_hand.iter().map(|(view, sql)| {
            format!(
                "SELECT '{view}' AS view, * FROM (SELECT count(*) AS differences FROM (
(FROM {view} EXCEPT ALL ({sql})) UNION ALL (({sql}) EXCEPT ALL FROM {view})))"
            )
        });
        let sql = differences.collect::<Vec<_>>().join("\nUNION ALL\n");
        let found = world.ask(layout, &sql).rows;
        assert_eq!(found.len(), self.by_hand.len());
        let broken = found.iter().find(|row| row[1] != "0");
        broken.map(|row| format!("{} rows of {} are not what SQL by hand gives", row[1], row[0]))
    }
}

/// Every view equals its recomputation after every night, and one run over the whole log gives the same bytes.
#[test]
fn random_nights_leave_every_view_exact() {
    let seeds: u64 = std::env::var("STARLOG_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let models = SHOPS.each_ref().map(|shop| {
        let folder = memory_folder();
        load(&write_pipeline(folder.path(), shop.name, shop.views, shop.files))
    });
    let of_seed = |seed: u64| {
        let at = (seed % 3) as usize;
        let log = random_log(&models[at], seed, 20 + (seed as usize * 7) % 60);
        let size = log.len().div_ceil(2 + (seed / 3 % 2) as usize);
        (&SHOPS[at], log, size)
    };
    let broken = |shop: &Shop, log: &[String], size: usize| {
        let attempt = catch_unwind(AssertUnwindSafe(|| shop.broken(log, size)));
        attempt.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.unwrap_or_else(|| "a panic".to_owned()))
        })
    };
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds || failed.load(Ordering::SeqCst) != u64::MAX {
                        break;
                    }
                    let (shop, log, size) = of_seed(seed);
                    if broken(shop, &log, size).is_some() {
                        failed.fetch_min(seed, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let seed = failed.load(Ordering::SeqCst);
    if seed != u64::MAX {
        let (shop, log, size) = of_seed(seed);
        let smallest = shrink(&log, |log| !log.is_empty() && broken(shop, log, size).is_some());
        let why = broken(shop, &smallest, size).unwrap_or_default();
        panic!("{}, seed {seed}, {size} lines a night:\n{}\n\n{why}", shop.name, smallest.join("\n"));
    }
}
