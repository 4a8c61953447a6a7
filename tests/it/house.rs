//! The order of the house: rooms use only rooms above them, and know nothing of any trade.

use crate::support::repository;
use crate::support::second_reader::files;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order in which `src/lib.rs` declares them.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let room = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    text.lines().filter_map(room).collect()
}

fn source() -> PathBuf {
    repository().join("src")
}

/// Every source file of the library and the program, with its path below `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let relative = |file: &PathBuf| file.strip_prefix(source()).unwrap().to_owned();
    files(&source()).iter().map(|file| (relative(file), fs::read_to_string(file).unwrap())).collect()
}

/// The text without its comments, and without what stands in quotes if `with_texts` is false.
fn code(text: &str, with_texts: bool) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (taken, length) = match letter {
            '/' if rest.starts_with("//") => ("", rest.find('\n').unwrap_or(rest.len())),
            '\'' if rest.starts_with("'\"'") => ("", 3),
            'r' if rest.starts_with("r#\"") => {
                quoted(rest, 3 + rest[3..].find("\"#").unwrap() + 2, with_texts)
            }
            '"' => {
                let mut escaped = false;
                let is_end = |found: char| {
                    let is_end = found == '"' && !escaped;
                    escaped = found == '\\' && !escaped;
                    is_end
                };
                quoted(rest, 1 + rest[1..].find(is_end).unwrap() + 1, with_texts)
            }
            _ => (&rest[..letter.len_utf8()], letter.len_utf8()),
        };
        code.push_str(taken);
        rest = &rest[length..];
    }
    code
}

fn quoted(rest: &str, length: usize, with_texts: bool) -> (&str, usize) {
    (if with_texts { &rest[..length] } else { "" }, length)
}

/// The first names behind `crate::` and behind as many `super::` as lead out of every room.
fn used_rooms(file: &Path, text: &str) -> Vec<String> {
    let is_folder = file.ends_with("mod.rs");
    let depth = file.components().count() - usize::from(is_folder);
    let mut used = Vec::new();
    for door in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in text.match_indices(&door) {
            let is_whole =
                !text[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
            if is_whole || door == "crate::" && !text[..at].ends_with('$') {
                used.extend(first_names(&text[at + door.len()..]));
            }
        }
    }
    used
}

/// `a::b` → a; `{a, b::{c, d}}` → a and b.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut begin = 0;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[begin..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = rooms();
    let place = |room: &str| rooms.iter().position(|name| name == room);
    assert!(place("log") < place("history") && place("history") < place("layout"), "{rooms:?}");
    let mut uses = 0;
    for (file, text) in sources() {
        let own = file.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(own_place) = place(own) else {
            assert!(["lib", "main", "cli"].contains(&own), "src/{own} is no room of lib.rs");
            continue;
        };
        for used in used_rooms(&file, &code(&text, false)) {
            let used_place = place(&used);
            assert!(used_place.is_some(), "{}: there is no room `{used}`", file.display());
            assert!(used_place <= Some(own_place), "{} uses `{used}`, a room below `{own}`", file.display());
            uses += 1;
        }
    }
    assert!(uses > 100, "only {uses} uses were seen: does this test still read Rust?");
}

/// What a layout does is decided in its room; the arguments only say their names.
#[test]
fn no_other_room_tells_layouts_apart() {
    let may = |file: &Path| file.starts_with("layout") || file == Path::new("cli/arguments.rs");
    let tells = |text: &str| {
        let names = ["Layout::Star", "Layout::Snowflake", "\"snowflake\""];
        names.into_iter().find(|name| code(text, true).contains(name))
    };
    let all = sources();
    assert!(all.iter().any(|(file, text)| may(file) && tells(text).is_some()));
    let found: Vec<_> = all.iter().filter(|(file, text)| !may(file) && tells(text).is_some()).collect();
    let found: Vec<_> = found.iter().map(|(file, text)| (file.display().to_string(), tells(text))).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// One name, each of a group, and those that enough `super::` lead to.
#[test]
fn names_behind_a_path_are_read() {
    assert_eq!(first_names("{a, b::{c, d}, e as f};"), ["a", "b", "e"]);
    assert_eq!(first_names("model::Model;"), ["model"]);
    assert_eq!(used_rooms(Path::new("log/mod.rs"), "use super::model::Model;"), ["model"]);
    assert_eq!(used_rooms(Path::new("log/json/parse.rs"), "super::super::super::error::Error"), ["error"]);
    assert!(used_rooms(Path::new("log/json/parse.rs"), "use super::super::decode;").is_empty());
    assert_eq!(used_rooms(Path::new("disk.rs"), "use crate::error::{Error, Result};"), ["error"]);
}

/// Words that only a trade knows. `order` sorts, an event `store` keeps, one can `visit` a tree: those alone say nothing.
const TRADES: &[&str] = &[
    "product",
    "products",
    "customer",
    "customers",
    "shop",
    "shops",
    "sku",
    "basket",
    "cart",
    "checkout",
    "invoice",
    "invoices",
    "purchase",
    "purchases",
    "sale",
    "sales",
    "retail",
    "orders",
    "stores",
    "department",
    "departments",
    "category",
    "categories",
    "discount",
    "currency",
    "patient",
    "patients",
    "hospital",
    "ward",
    "wards",
    "visits",
    "procedure",
    "procedures",
    "clinic",
    "doctor",
];

/// The same of two words.
const TRADE_PAIRS: &[(&str, &str)] = &[
    ("order", "id"),
    ("order", "no"),
    ("order", "line"),
    ("order", "lines"),
    ("order", "placed"),
    ("order", "returned"),
    ("order", "cancelled"),
    ("store", "id"),
    ("store", "key"),
    ("visit", "id"),
    ("unit", "price"),
    ("net", "amount"),
    ("gross", "amount"),
];

/// The words of the code, with those that names are made of, in lower case.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in line.chars() {
        if letter == '_' || letter.is_uppercase() && was_lower {
            words.push(String::new());
        } else if !letter.is_alphanumeric() {
            // What stands between two names keeps them from being a pair.
            words.extend([String::new(), String::new()]);
        }
        if letter.is_alphanumeric() {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words
}

fn is_of_a_trade(line: &str) -> bool {
    let words = words(line);
    let mut pairs = words.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    words.iter().any(|word| TRADES.contains(&word.as_str())) || pairs.any(|pair| TRADE_PAIRS.contains(&pair))
}

/// The generator makes a shop up. What the command line says to people are examples: there only the code counts, in
/// which `orders` are what the generator is asked for, and what a terminal obeys.
#[test]
fn no_name_of_a_trade_stands_in_the_source() {
    let room = |file: &Path| file.iter().next().unwrap().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    let mut lines = 0;
    for (file, text) in sources().into_iter().filter(|(file, _)| room(file) != "generate") {
        let is_for_people = room(&file) == "cli";
        for line in code(&text, !is_for_people).lines() {
            lines += 1;
            let line = if is_for_people { line.replace("orders", "") } else { line.to_owned() };
            if is_of_a_trade(&line) {
                found.push(format!("src/{}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(lines > 5_000, "only {lines} lines were read");
    assert!(found.is_empty(), "names of a trade:\n{}", found.join("\n"));
}

#[test]
fn comments_and_texts_are_told_from_code() {
    let text = "a // shop\nlet b = \"// \\\" shop\"; c('\"'); r#\"shop \" \"#;";
    assert_eq!(code(text, false), "a \nlet b = ; c(); ;");
    assert_eq!(code(text, true), "a \nlet b = \"// \\\" shop\"; c(); r#\"shop \" \"#;");
}

#[test]
fn names_of_a_trade_are_told_from_words() {
    for line in [
        "let order_id = 1;",
        "\"fact_orders\"",
        "OrderPlaced",
        "product_key",
        "struct CustomerRow",
        "storeId",
    ] {
        assert!(is_of_a_trade(line), "{line}");
    }
    for line in [
        "let order = by_time;",
        "valid_order.iter()",
        "mod store;",
        "self.store.order, id",
        "fn visit()",
        "order(id)",
    ] {
        assert!(!is_of_a_trade(line), "{line}");
    }
}
