//! A verification finds what is planted: a byte of a release, of the log, of a source; a wrong row under right hashes.

use crate::operate::two_nights;
use crate::support::World;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Decimal128Type;
use starlog::disk::Disk;
use starlog::layout::Layout;
use starlog::nightly::{self, Difference, Options, Outcome, Scrutiny, Verification};
use starlog::warehouse::{Warehouse, decode, encode};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn scrutiny(share: Option<f64>) -> Scrutiny<'static> {
    Scrutiny { share, threads: Some(2), ..Scrutiny::default() }
}

fn verify(world: &World, share: Option<f64>) -> Verification {
    nightly::verify(world.model(), &world.warehouse(), &scrutiny(share), &Disk::default()).unwrap()
}

fn sound(world: &World, share: Option<f64>) -> Verification {
    let found = verify(world, share);
    assert!(found.holds(), "{found:#?}");
    assert_eq!((found.rows.as_slice(), found.violations.len()), ([].as_slice(), 0));
    assert!(found.checks > 0, "{found:?}");
    found
}

/// Writes a file anew, whatever its mode says, under all its names.
fn overwrite(file: &Path, bytes: &[u8]) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(file, bytes).unwrap();
}

/// Changes one byte of a file.
fn spoil(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    overwrite(file, &bytes);
}

/// The exit code of the command, and what it prints.
fn command(world: &World, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    command.args(["verify", "pipelines/retail.toml", "--warehouse"]).arg(world.warehouse()).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn nights_are_verified_by_a_replay() {
    let world = two_nights();
    let found = sound(&world, None);
    assert_eq!((found.release, found.months.as_ref()), (2, None));
    assert!(found.files > 100 && found.remade == found.files, "{found:?}");
    assert_eq!((found.sources.whole, found.sources.gone), (2, 0));
    assert!(found.store.files > 20 && found.store.without_hash == 0, "{found:?}");

    // The log may go on meanwhile, and somebody may hold the lock: a reader does not care.
    let writer =
        starlog::warehouse::Writer::open(&Disk::default(), &world.warehouse(), "retail", "").unwrap();
    sound(&world, None);
    writer.roll_back(1).unwrap();
    assert_eq!(sound(&world, None).release, 1);
    assert_eq!(sound(&world, Some(0.5)).release, 1);
}

#[test]
fn a_flipped_byte_of_a_release_is_found() {
    let world = two_nights();
    let file = "star/dim_store/dim_store.parquet";
    spoil(&world.release().dir().join(file));
    let found = verify(&world, None);
    assert_eq!(found.damages, [format!("{file}: other bytes than were published")]);
    assert_eq!(found.differences, Vec::<String>::new());
    let (code, text) = command(&world, &["--sample", "1%"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(&found.damages[0]) && text.contains("starlog rebuild"), "{text}");
    assert_eq!(world.release().number(), 2, "a verification publishes nothing");
}

#[test]
fn a_flipped_byte_of_the_log_is_found() {
    let world = two_nights();
    let file = world.warehouse().join("log/segments/1/OrderPlaced.parquet");
    spoil(&file);
    let found = verify(&world, None);
    assert_eq!(found.store.damages, [format!("{}: other bytes than were committed", file.display())]);
    assert_eq!(found.remade, 0, "what a damaged log gives says nothing");
    let (code, text) = command(&world, &[]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("OrderPlaced.parquet: other bytes") && text.contains("not done"), "{text}");
}

#[test]
fn a_flipped_byte_of_the_ids_is_found() {
    let world = two_nights();
    let head = fs::read(world.warehouse().join("log/head.json")).unwrap();
    let head: serde_json::Value = serde_json::from_slice(&head).unwrap();
    let file = world.warehouse().join("log/ids").join(head["ids"][0]["file"].as_str().unwrap());
    spoil(&file);
    let damages = verify(&world, Some(0.01)).store.damages;
    assert_eq!(damages, [format!("{}: other bytes than were committed", file.display())]);
    fs::remove_file(&file).unwrap();
    assert_eq!(verify(&world, Some(0.01)).store.damages.len(), 1);
}

#[test]
fn a_log_of_an_older_program_has_no_hashes() {
    let world = two_nights();
    let head = world.warehouse().join("log/head.json");
    let mut older: serde_json::Value = serde_json::from_slice(&fs::read(&head).unwrap()).unwrap();
    older.as_object_mut().unwrap().remove("ids").unwrap();
    for segment in older["segments"].as_array_mut().unwrap() {
        for file in segment["files"].as_array_mut().unwrap() {
            file.as_object_mut().unwrap().remove("blake3").unwrap();
        }
    }
    overwrite(&head, older.to_string().as_bytes());
    let found = sound(&world, Some(0.01));
    assert_eq!(found.store.without_hash, found.store.files);
}

/// Rows changed in a file, and the manifest made to agree: only a replay can tell.
fn forge(world: &World, path: &str, change: impl Fn(&RecordBatch) -> RecordBatch) {
    let release = world.release();
    let (_, entry) =
        release.tables(Layout::Star).find(|(name, _)| path.contains(&format!("/{name}/"))).unwrap();
    let known = entry.files.iter().find(|file| file.path == path).unwrap();
    let encoded = encode(&change(&decode(&release.path(known), None).unwrap()), &entry.sorted_by).unwrap();
    overwrite(&release.path(known), &encoded.bytes);
    let manifest = release.dir().join("manifest.json");
    let mut listing: Vec<(String, String)> =
        release.manifest().files().map(|file| (file.path.clone(), file.blake3.clone())).collect();
    listing
        .iter_mut()
        .filter(|(_, hash)| *hash == known.blake3)
        .for_each(|(_, hash)| hash.clone_from(&encoded.blake3));
    listing.sort();
    let listing: String = listing.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    let text = fs::read_to_string(&manifest).unwrap();
    let text = text
        .replace(&known.blake3, &encoded.blake3)
        .replace(&release.manifest().blake3, blake3::hash(listing.as_bytes()).to_hex().as_str());
    let size = format!("\"bytes\": {}", known.bytes);
    overwrite(&manifest, text.replace(&size, &format!("\"bytes\": {}", encoded.bytes.len())).as_bytes());
}

/// One night, as a star.
fn one_star() -> World {
    let world = World::new("pipelines/retail.toml");
    let report = world.run_with(&Options { layouts: vec![Layout::Star], ..world.options() });
    assert_eq!(report.outcome, Outcome::Published);
    world
}

const MONTH: &str = "star/fact_orders/date_month=2023-01/2023-01.parquet";

#[test]
fn a_wrong_row_is_named() {
    let world = one_star();
    forge(&world, MONTH, |batch| {
        let at = batch.schema().index_of("net_amount").unwrap();
        let amounts = batch.column(at).as_primitive::<Decimal128Type>();
        let wrong = amounts
            .iter()
            .enumerate()
            .map(|(row, amount)| amount.map(|amount| amount + i128::from(row == 5)));
        let wrong: Decimal128Array = wrong.collect();
        let mut columns = batch.columns().to_vec();
        columns[at] = Arc::new(wrong.with_data_type(amounts.data_type().clone())) as ArrayRef;
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    });
    let found = verify(&world, None);
    assert_eq!(found.damages, Vec::<String>::new());
    assert_eq!(found.differences, [format!("{MONTH}: not what the log gives")]);
    // Another engine finds it too, from the other side.
    let says = |check: &str| found.violations.iter().any(|violation| violation.contains(check));
    assert!(says("control totals") && says("one row a placed line"), "{:?}", found.violations);
    let [row] = found.rows.as_slice() else { panic!("{:?}", found.rows) };
    let Difference::Values(columns) = &row.difference else { panic!("{row:?}") };
    assert_eq!(columns.len(), 1);
    assert_eq!(columns[0].column, "net_amount");
    assert_ne!(columns[0].is, columns[0].should_be);
    let sql = format!(
        "SELECT net_amount - 0.01 FROM fact_orders WHERE position = {} AND item = {} AND kind = '{}'",
        key(&row.key, "position"),
        key(&row.key, "item"),
        key(&row.key, "kind")
    );
    assert_eq!(world.ask(Layout::Star, &sql).rows, [[columns[0].should_be.clone().unwrap()]]);

    let (code, text) = command(&world, &[]);
    assert_eq!(code, 4, "{text}");
    let said = format!(
        "net_amount is {}, should be {}",
        columns[0].is.as_ref().unwrap(),
        columns[0].should_be.as_ref().unwrap()
    );
    assert!(text.contains(&said) && text.contains("position "), "{said}\n{text}");
}

fn key<'k>(key: &'k [(String, Option<String>)], column: &str) -> &'k str {
    key.iter().find(|(name, _)| name == column).and_then(|(_, value)| value.as_deref()).unwrap()
}

#[test]
fn rows_that_are_missing_or_too_many_are_named() {
    let world = one_star();
    forge(&world, MONTH, |batch| {
        let last = batch.slice(batch.num_rows() - 1, 1);
        concat_batches(&batch.schema(), &[batch.slice(1, batch.num_rows() - 1), last]).unwrap()
    });
    let found = verify(&world, None);
    let kinds: Vec<&Difference> = found.rows.iter().map(|row| &row.difference).collect();
    assert_eq!(kinds, [&Difference::Missing, &Difference::TooMuch]);
    let (_, text) = command(&world, &["--json"]);
    assert!(text.contains("\"missing\"") && text.contains("\"too_much\""), "{text}");
}

#[test]
fn a_wrong_version_is_named() {
    let world = one_star();
    forge(&world, "star/dim_product/dim_product.parquet", |batch| {
        let at = batch.schema().index_of("name").unwrap();
        let names = batch.column(at).as_string::<i32>().iter().enumerate();
        let names = names.map(|(row, name)| if row == 9 { Some("forged\u{1b}[31m") } else { name });
        let mut columns = batch.columns().to_vec();
        columns[at] = Arc::new(names.collect::<arrow::array::StringArray>()) as ArrayRef;
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    });
    // Dimensions are compared whole, however small the sample.
    let found = verify(&world, Some(0.01));
    let [row] = found.rows.as_slice() else { panic!("{:?}", found.rows) };
    assert_eq!(row.key[0].0, "product_key");
    let (code, text) = command(&world, &["--sample", "0.01"]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains(r"name is forged\u{1b}[31m, should be "), "{text}");
}

/// A sample sees what is in its months, and says which they are.
#[test]
fn a_sample_says_what_it_looked_at() {
    let world = one_star();
    let whole = sound(&world, Some(1.0));
    assert_eq!(whole.months.as_ref().map(Vec::len), Some(whole.months_of_all));
    let part = sound(&world, Some(0.05));
    assert_eq!(part.months.as_ref().map(Vec::len), Some(1));
    assert_eq!(sound(&world, Some(0.05)).months, part.months, "the same for the same release");
    assert!(part.remade < whole.remade);

    let seen = &part.months.unwrap()[0];
    let file = |is_seen: bool| {
        let release = world.release();
        let files = release.manifest().files().map(|file| file.path.clone());
        let sought = |path: &String| {
            path.contains("/fact_orders/") && path.contains(&format!("date_month={seen}/")) == is_seen
        };
        files.into_iter().find(sought).unwrap()
    };
    let shorten = |batch: &RecordBatch| batch.slice(0, batch.num_rows() - 1);
    forge(&world, &file(false), shorten);
    let elsewhere = verify(&world, Some(0.05));
    assert_eq!(elsewhere.differences, [""; 0], "it is not looked at");
    assert!(!elsewhere.violations.is_empty(), "but the checks see all rows");
    forge(&world, &file(true), shorten);
    let found = verify(&world, Some(0.05));
    assert_eq!(found.differences, [format!("{}: not what the log gives", file(true))]);
    let (code, text) = command(&world, &["--sample", "5%"]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains(&format!("1 of {} months of facts: {seen}; and all dimensions", found.months_of_all)),
        "{text}"
    );
}

#[test]
fn sources_are_hashed_as_far_as_they_were_read() {
    let world = two_nights();
    let (first, second) = (world.path("1.ndjson"), world.path("2.ndjson"));
    // What grew since is not read yet.
    let mut bytes = fs::read(&second).unwrap();
    bytes.extend_from_slice(b"{\"half\":");
    fs::write(&second, &bytes).unwrap();
    assert_eq!(sound(&world, Some(0.01)).sources.whole, 2);

    // A byte that no run looks at again.
    let mut bytes = fs::read(&first).unwrap();
    assert!(bytes.len() > 3 * 65_536);
    bytes[100_000] ^= 1;
    fs::write(&first, &bytes).unwrap();
    let found = verify(&world, Some(0.01));
    assert!(!found.holds());
    let [change] = found.sources.changes.as_slice() else { panic!("{:?}", found.sources) };
    assert!(change.starts_with(first.to_str().unwrap()) && change.contains("has changed"), "{change}");
    let (code, text) = command(&world, &["--sample", "0.01"]);
    assert_eq!(code, 1, "{text}");

    fs::remove_file(&first).unwrap();
    let found = sound(&world, Some(0.01));
    assert_eq!((found.sources.whole, found.sources.gone), (1, 1), "rotated away");
}

/// A rotated file is found under its other name, packed or not.
#[test]
fn a_source_that_moved_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string("pipelines/retail.toml").unwrap();
    let text = text.replace("../data/retail/*.ndjson", "log/*").replace("share = 0.01", "share = 1.0");
    let text = text.lines().map(|line| if line.starts_with("holidays") { "" } else { line });
    fs::write(folder.path().join("retail.toml"), text.collect::<Vec<_>>().join("\n")).unwrap();
    fs::copy("pipelines/best_sellers.sql", folder.path().join("best_sellers.sql")).unwrap();
    fs::create_dir(folder.path().join("log")).unwrap();
    let (old, new) = (folder.path().join("log/today"), folder.path().join("log/yesterday"));
    fs::copy("data/retail/2023-01-01.ndjson", &old).unwrap();
    let world = World::at(&folder.path().join("retail.toml"));
    let report = world.try_run(&world.options());
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.outcome, Outcome::Published);
    fs::rename(&old, &new).unwrap();
    fs::copy("data/retail/2023-01-02.ndjson", &old).unwrap();
    assert_eq!(sound(&world, None).sources.whole, 1);
    fs::remove_file(&new).unwrap();
    assert_eq!(verify(&world, None).sources.changes.len(), 1);
}

/// What cannot be compared is said, and no reader is refused for another pipeline's sake.
#[test]
fn what_cannot_be_verified_is_said() {
    let world = World::new("pipelines/retail.toml");
    let asked = || nightly::verify(world.model(), &world.warehouse(), &scrutiny(None), &Disk::default());
    assert_eq!(asked().unwrap_err().exit_code(), 2);
    world.run();
    let head = world.warehouse().join("log/head.json");
    let position = world.release().manifest().log_position;
    let text = fs::read_to_string(&head).unwrap();
    let text = text.replace(&format!("\"position\": {position}"), &format!("\"position\": {}", position - 1));
    overwrite(&head, text.as_bytes());
    let error = asked().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("before release 1"), "{error}");
    for wrong in ["0", "101%", "2", "five"] {
        assert_eq!(command(&world, &["--sample", wrong]).0, 2, "{wrong}");
    }
    assert!(Warehouse::open(&world.warehouse()).is_ok());
}
