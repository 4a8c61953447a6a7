//! The made-up log: the same bytes for a seed, the same story for all shares, and truths that a replay finds.

use serde_json::Value;
use starlog::generate::{Options, Share, Summary, Totals, write};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The options with which `data/retail` was made; its pipeline names them.
fn worked_example() -> Options {
    Options {
        orders: 3000,
        seed: 1,
        days: 90,
        late: Share::per_million(10_000),
        duplicates: Share::per_million(2000),
        bad: Share::per_million(4000),
        ..Options::default()
    }
}

fn without_mishaps(options: &Options) -> Options {
    Options { late: Share::NONE, duplicates: Share::NONE, bad: Share::NONE, ..options.clone() }
}

struct Log {
    summary: Summary,
    /// (file name, bytes of a line without its end), in the order of reading.
    lines: Vec<(String, Vec<u8>)>,
    hash: String,
    _folder: TempDir,
}

impl Log {
    fn of(options: &Options) -> Self {
        let folder = TempDir::new().unwrap();
        let summary = write(options, folder.path()).unwrap();
        let mut lines = Vec::new();
        let mut hasher = blake3::Hasher::new();
        for path in files(folder.path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{name} ends in the middle of a line");
            hasher.update(name.as_bytes()).update(&bytes);
            let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            if !whole.is_empty() {
                lines.extend(whole.split(|byte| *byte == b'\n').map(|line| (name.clone(), line.to_vec())));
            }
        }
        Self { summary, lines, hash: hasher.finalize().to_hex().to_string(), _folder: folder }
    }

    fn distinct(&self) -> BTreeSet<&[u8]> {
        self.lines.iter().map(|(_, line)| line.as_slice()).collect()
    }

    /// All lines as JSON; for a log without broken ones.
    fn events(&self) -> Vec<Value> {
        self.lines.iter().map(|(_, line)| serde_json::from_slice(line).unwrap()).collect()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    files
}

#[test]
fn a_seed_means_the_same_bytes_here_and_everywhere() {
    let log = Log::of(&worked_example());
    assert_eq!(log.hash, Log::of(&worked_example()).hash);
    // Pinned, so that any machine must find it. Whoever changes the story writes `data/retail` anew, and this hash.
    assert_eq!(log.hash, "46acfb7794c0c49ed00cb59a76904f1d5b3c354b6ff41f4e70aa34adb01ea52a");
    assert_ne!(log.hash, Log::of(&Options { seed: 2, ..worked_example() }).hash);
}

#[test]
fn the_committed_log_is_the_generated_one() {
    let folder = TempDir::new().unwrap();
    write(&worked_example(), folder.path()).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/retail");
    let (committed, generated) = (files(&committed), files(folder.path()));
    assert_eq!(committed.len(), generated.len());
    for (committed, generated) in committed.iter().zip(&generated) {
        assert_eq!(committed.file_name(), generated.file_name());
        assert!(fs::read(committed).unwrap() == fs::read(generated).unwrap(), "{}", committed.display());
    }
}

#[test]
fn an_event_stands_in_the_file_of_its_day_in_an_exact_envelope() {
    let log = Log::of(&without_mishaps(&worked_example()));
    let mut last_time = String::new();
    for ((file, line), seq) in log.lines.iter().zip(1_u64..) {
        let text = std::str::from_utf8(line).unwrap();
        let event: Value = serde_json::from_str(text).unwrap();
        let (event_type, time) =
            (event["event_type"].as_str().unwrap(), event["timestamp"].as_str().unwrap());
        let envelope = format!(
            r#"{{"seq":{seq},"event_type":"{event_type}","version":1,"timestamp":"{time}","payload":{{"#
        );
        assert!(text.starts_with(&envelope) && text.ends_with("}}"), "{text}");
        assert_eq!(*file, format!("{}.ndjson", &time[..10]));
        assert!(time >= last_time.as_str(), "time falls at seq {seq}");
        time.clone_into(&mut last_time);
    }
    assert_eq!(log.lines.len() as u64, log.summary.all_events());
    assert_eq!(log.summary.lines, log.summary.all_events());
    assert_eq!(log.summary.files, 90);
}

#[test]
fn the_summary_counts_what_is_there() {
    let log = Log::of(&without_mishaps(&worked_example()));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for event in log.events() {
        *counts.entry(event["event_type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let summary: BTreeMap<String, u64> =
        log.summary.events.iter().map(|(event_type, count)| ((*event_type).to_owned(), *count)).collect();
    assert_eq!(counts, summary);
    assert_eq!(counts.len(), 25, "a small log shows every type: {counts:?}");
    assert_eq!(counts["OrderPlaced"], 3000);
    let lines = log.summary.ledger.placed.rows;
    assert!((6000..9000).contains(&lines), "about 2.5 lines an order: {lines}");
    assert!(log.summary.size_bytes < 1000 * 3000, "{} bytes", log.summary.size_bytes);
}

#[test]
fn whatever_share_is_late_or_broken_the_story_is_the_same() {
    let (messy, clean) = (Log::of(&worked_example()), Log::of(&without_mishaps(&worked_example())));
    let (messy_lines, clean_lines) = (messy.distinct(), clean.distinct());
    assert!(clean_lines.is_subset(&messy_lines));
    let broken: BTreeSet<&[u8]> = messy_lines.difference(&clean_lines).copied().collect();
    let good = messy.lines.iter().filter(|(_, line)| clean_lines.contains(line.as_slice())).count() as u64;
    assert_eq!(messy.lines.len() as u64 - good, messy.summary.all_bad());
    assert!(broken.len() >= 10, "ten kinds of broken lines: {}", broken.len());
    assert!(messy.summary.bad.len() >= 10, "{:?}", messy.summary.bad);
    assert_eq!(good, messy.summary.all_events() + messy.summary.duplicates);
    assert_eq!(messy.summary.ledger, clean.summary.ledger);
    assert_eq!(messy.summary.events, clean.summary.events);
}

#[test]
fn late_events_and_duplicates_come_as_often_as_was_asked() {
    let options = Options {
        late: Share::per_million(100_000),
        duplicates: Share::per_million(50_000),
        ..without_mishaps(&worked_example())
    };
    let log = Log::of(&options);
    let (mut late, mut repeated) = (0_u64, 0_u64);
    let mut seen = BTreeSet::new();
    for (file, line) in &log.lines {
        let event: Value = serde_json::from_slice(line).unwrap();
        if !seen.insert(event["seq"].as_u64().unwrap()) {
            repeated += 1;
        } else if file[..10] > event["timestamp"].as_str().unwrap()[..10] {
            late += 1;
        }
    }
    assert_eq!((late, repeated), (log.summary.late, log.summary.duplicates));
    let events = log.summary.all_events();
    assert!((events * 9 / 100..events * 11 / 100).contains(&late), "{late} of {events}");
    assert!((events * 4 / 100..events * 6 / 100).contains(&repeated), "{repeated} of {events}");
}

#[test]
fn a_broken_line_never_takes_an_event_s_place() {
    let options = Options { bad: Share::per_million(1_000_000), days: 2, orders: 50, ..Options::default() };
    let (log, clean) = (Log::of(&options), Log::of(&without_mishaps(&options)));
    assert_eq!(log.summary.all_bad(), log.summary.all_events());
    assert_eq!(log.summary.bad.len(), 17);
    let (all, good) = (log.distinct(), clean.distinct());
    for line in all.difference(&good) {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { continue };
        let takes_a_place = event["seq"].as_u64().is_some_and(|seq| seq <= clean.summary.all_events());
        // Only a conflict names an id that is taken, and it does so on purpose.
        assert_eq!(takes_a_place, event["payload"]["carrier"] == "nobody", "{event}");
    }
}

#[test]
fn the_truths_are_those_of_a_replay() {
    let log = Log::of(&Options { orders: 4000, days: 200, seed: 7, ..Options::default() });
    let mut replay = Replay::default();
    for event in by_time(log.events()) {
        replay.apply(event["event_type"].as_str().unwrap(), &event["payload"]);
    }
    assert_eq!(replay.placed, log.summary.ledger.placed);
    assert_eq!(replay.amended, log.summary.ledger.amended);
    assert_eq!(replay.cancelled, log.summary.ledger.cancelled);
    assert_eq!(replay.returned, log.summary.ledger.returned);
    assert_eq!(replay.at_list_price_cents, log.summary.placed_at_list_price_cents);
    assert_eq!(replay.by_guests, log.summary.placed_by_guests);
    assert_eq!(replay.by_department, log.summary.placed_by_department);
    let by_country: BTreeMap<String, Totals> = log
        .summary
        .placed_by_country
        .iter()
        .map(|(country, totals)| ((*country).to_owned(), *totals))
        .collect();
    assert_eq!(replay.by_country, by_country);
}

/// At one instant members change before anything is ordered: a version begins at its instant.
fn by_time(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|event| {
        let is_order = event["event_type"].as_str().unwrap().starts_with("Order");
        (event["timestamp"].as_str().unwrap().to_owned(), is_order, event["seq"].as_u64())
    });
    events
}

/// A naive second opinion: everything in maps, one event at a time.
#[derive(Default)]
struct Replay {
    departments: HashMap<String, String>,
    /// By product: its category, or the department that it had when it was discontinued, and its list price.
    products: HashMap<String, (Result<String, String>, i64)>,
    countries: HashMap<String, String>,
    lines: HashMap<(String, u64), Totals>,
    placed: Totals,
    amended: Totals,
    cancelled: Totals,
    returned: Totals,
    by_guests: Totals,
    by_department: BTreeMap<String, Totals>,
    by_country: BTreeMap<String, Totals>,
    at_list_price_cents: i64,
}

impl Replay {
    fn apply(&mut self, event_type: &str, payload: &Value) {
        match event_type {
            "CategoryCreated" | "CategoryMoved" => {
                self.departments.insert(text(payload, "category_id"), text(payload, "department_id"));
            }
            "ProductCreated" => {
                let product = (Ok(text(payload, "category_id")), cents(payload, "unit_price"));
                self.products.insert(text(payload, "product_id"), product);
            }
            "ProductRecategorized" => self.product(payload).0 = Ok(text(payload, "category_id")),
            "ProductPriceChanged" => self.product(payload).1 = cents(payload, "unit_price"),
            "ProductDiscontinued" => {
                let department = self.department(&text(payload, "product_id"));
                self.product(payload).0 = Err(department);
            }
            "StoreOpened" | "StoreMoved" | "StoreReopened" => {
                self.countries.insert(text(payload, "store_id"), text(payload, "country"));
            }
            "OrderPlaced" => self.place(payload),
            "OrderLineQuantityChanged" => self.amend(payload),
            "OrderCancelled" => self.cancel(payload),
            "OrderReturned" => self.give_back(payload),
            _ => (),
        }
    }

    fn product(&mut self, payload: &Value) -> &mut (Result<String, String>, i64) {
        self.products.get_mut(&text(payload, "product_id")).unwrap()
    }

    fn department(&self, product: &str) -> String {
        match &self.products[product].0 {
            Ok(category) => self.departments[category].clone(),
            Err(department) => department.clone(),
        }
    }

    fn place(&mut self, payload: &Value) {
        let country = self.countries[&text(payload, "store_id")].clone();
        for line in payload["lines"].as_array().unwrap() {
            let quantity = line["quantity"].as_i64().unwrap();
            let totals = Totals {
                rows: 1,
                quantity,
                gross_cents: quantity * cents(line, "unit_price"),
                discount_cents: cents(line, "discount"),
            };
            let product = text(line, "product_id");
            self.at_list_price_cents += quantity * self.products[&product].1;
            let department = self.department(&product);
            add(&mut self.placed, totals, 1);
            add(self.by_department.entry(department).or_default(), totals, 1);
            add(self.by_country.entry(country.clone()).or_default(), totals, 1);
            if payload["customer_id"].is_null() {
                add(&mut self.by_guests, totals, 1);
            }
            self.lines.insert((text(payload, "order_id"), line["line_no"].as_u64().unwrap()), totals);
        }
    }

    fn amend(&mut self, payload: &Value) {
        let key = (text(payload, "order_id"), payload["line_no"].as_u64().unwrap());
        let old = self.lines[&key];
        let quantity = payload["quantity"].as_i64().unwrap();
        assert!(quantity > 0 && quantity != old.quantity);
        let gross_cents = old.gross_cents / old.quantity * quantity;
        let new = Totals { rows: 1, quantity, gross_cents, discount_cents: cents(payload, "discount") };
        add(&mut self.amended, old, -1);
        add(&mut self.amended, new, 1);
        self.lines.insert(key, new);
    }

    fn cancel(&mut self, payload: &Value) {
        let order = text(payload, "order_id");
        for line_no in 1.. {
            let Some(line) = self.lines.remove(&(order.clone(), line_no)) else { break };
            add(&mut self.cancelled, line, -1);
        }
    }

    fn give_back(&mut self, payload: &Value) {
        for line in payload["lines"].as_array().unwrap() {
            let key = (text(payload, "order_id"), line["line_no"].as_u64().unwrap());
            let (placed, quantity) = (self.lines[&key], line["quantity"].as_i64().unwrap());
            assert!(quantity > 0 && quantity <= placed.quantity);
            let discount = placed.discount_cents * quantity;
            let part = Totals {
                rows: 1,
                quantity,
                gross_cents: placed.gross_cents / placed.quantity * quantity,
                discount_cents: (discount * 2 + placed.quantity) / (placed.quantity * 2),
            };
            assert_ne!(discount * 2 % (placed.quantity * 2), placed.quantity, "half a cent");
            add(&mut self.returned, part, -1);
        }
    }
}

fn add(totals: &mut Totals, other: Totals, sign: i64) {
    totals.rows += other.rows;
    totals.quantity += sign * other.quantity;
    totals.gross_cents += sign * other.gross_cents;
    totals.discount_cents += sign * other.discount_cents;
}

fn text(payload: &Value, field: &str) -> String {
    payload[field].as_str().unwrap().to_owned()
}

fn cents(payload: &Value, field: &str) -> i64 {
    let (whole, cents) = payload[field].as_str().unwrap().split_once('.').unwrap();
    assert_eq!(cents.len(), 2);
    format!("{whole}{cents}").parse().unwrap()
}

#[test]
fn the_smallest_logs_are_logs() {
    for (orders, days) in [(0, 1), (1, 1), (1, 3), (30, 2), (7, 400)] {
        let log = Log::of(&Options { orders, days, late: Share::per_million(500_000), ..Options::default() });
        assert_eq!(log.summary.events.get("OrderPlaced").copied().unwrap_or(0), orders);
        assert_eq!(log.summary.files, u64::from(days));
        assert_eq!(log.distinct().len() as u64, log.summary.all_events());
    }
}

#[test]
fn two_logs_do_not_mix_and_sizes_are_checked() {
    let folder = TempDir::new().unwrap();
    let small = Options { orders: 1, days: 1, ..Options::default() };
    write(&small, folder.path()).unwrap();
    let error = write(&small, folder.path()).unwrap_err();
    assert_eq!((error.exit_code(), error.next_step().is_some()), (2, true), "{error}");
    for options in [
        Options { days: 0, ..Options::default() },
        Options { days: u32::MAX, ..Options::default() },
        Options { orders: u64::MAX, ..Options::default() },
        Options { start: chrono::NaiveDate::MAX, ..Options::default() },
    ] {
        let out = folder.path().join("none");
        assert_eq!(write(&options, &out).unwrap_err().exit_code(), 2);
        assert!(!out.exists(), "nothing is written");
    }
}

#[test]
fn a_share_is_read_exactly() {
    for (written, parts, shown) in [
        ("0", 0, "0"),
        ("0.01", 10_000, "0.01"),
        (".5", 500_000, "0.5"),
        ("1", 1_000_000, "1"),
        ("0.000001", 1, "0.000001"),
    ] {
        let share: Share = written.parse().unwrap();
        assert_eq!((share.parts_per_million(), share.to_string().as_str()), (parts, shown));
    }
    for wrong in ["", ".", "-0.1", "+1", "1.1", "2", "0.0000001", "1e-2", "NaN", "0,1", "10%", "０.1"] {
        assert_eq!(wrong.parse::<Share>().unwrap_err().exit_code(), 2, "{wrong}");
    }
}
