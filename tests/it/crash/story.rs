//! Nights of a small library of loans: what each finds in the folder of its log.

use crate::log::gzip;
use std::fs;
use std::path::Path;

/// The pipeline's file, in the place.
pub const PIPELINE: &str = "loans.toml";

const LOANS: &str = r#"
name = "loans"

[log]
files = ["log/*"]
envelope = { type = "type", time = "at", payload = "body", id = "id" }

[events]
ShelfSet.fields = { shelf = "text", floor = "integer", room = "text" }
RoomSet.fields = { room = "text", colour = "text" }
Lent.fields = { loan = "text", shelf = "text", days = "integer" }
Returned.fields = { loan = "text" }

[dimensions.shelf]
key = { shelf = "text" }
attributes.floor = { type = "integer", tracking = "history" }
on.ShelfSet = {}

[dimensions.shelf.levels.room]
key = { room = "text" }
attributes.colour = { type = "text", tracking = "history" }
on.RoomSet = {}

[facts.loans]
header = { loan = "text" }
lines = "loan_lines"
dimensions = ["shelf"]
milestones = ["lent", "returned"]

[facts.loans.measures]
days = { type = "integer" }

[facts.loans.on.Lent]
does = "place"
kind = "lent"

[facts.loans.on.Returned]
does = "reverse"
kind = "returned"
"#;

/// Puts into the place what this night, the first being 0, brings.
pub fn lay(place: &Path, night: usize) {
    let log = |name: &str| place.join("log").join(name);
    let write = |name: &str, text: String| fs::write(log(name), text).unwrap();
    let [first, second] = halves_of_the_first_file();
    match night {
        0 => {
            fs::write(place.join(PIPELINE), LOANS).unwrap();
            fs::create_dir(place.join("log")).unwrap();
            write("1.ndjson", first);
        }
        // What was torn is whole; events come late and twice; two lines are none, and one keeps no contract yet.
        1 => {
            write("1.ndjson", first + &second);
            let known = [lent(2, "2024-03-02", "A"), returned(3, "2024-05-20")].concat();
            let late = [shelf(20, "2024-04-10", "A", 7), lent(21, "2024-05-21", "B"), room(22, "2024-03-20")]
                .concat();
            let lacks = line("ShelfSet", "23", "2024-05-01", r#""shelf":"B","floor":3"#);
            write("2.ndjson", known + "{}\n" + &late + "no event\n" + &lacks);
        }
        // April and May are over; the first file is rotated and packed.
        2 => {
            fs::write(log("1.ndjson.gz"), gzip(fs::read(log("1.ndjson")).unwrap())).unwrap();
            fs::remove_file(log("1.ndjson")).unwrap();
            write("3.ndjson", [lent(30, "2024-07-01", "A"), returned(30, "2024-08-02")].concat());
        }
        // Nothing.
        3 => {}
        // What all loans have said from the beginning is declared, and a shelf need not name its room.
        4 => {
            let fields = r#"Lent.fields = { loan = "text", shelf = "text", days = "integer""#;
            let declared = LOANS.replace(fields, &format!(r#"{fields}, reader = "text?""#));
            let optional = declared.replace(
                r#"room = "text" }
RoomSet"#,
                "room = \"text?\" }\nRoomSet",
            );
            assert_ne!(optional, declared);
            let declared = optional;
            fs::write(place.join(PIPELINE), declared).unwrap();
            write("4.ndjson", lent(40, "2024-08-03", "C"));
        }
        5 => write("5.ndjson", "{}\n".to_owned()),
        6 => write("6.ndjson", [shelf(60, "2024-03-15", "A", 9), lent(61, "2024-08-04", "A")].concat()),
        _ => panic!("the story has no night {night}"),
    }
}

/// The second begins in the middle of a line.
fn halves_of_the_first_file() -> [String; 2] {
    let text = [
        room(0, "2024-03-01"),
        shelf(1, "2024-03-01", "A", 1),
        lent(2, "2024-03-02", "A"),
        lent(3, "2024-04-20", "A"),
        lent(4, "2024-05-19", "A"),
        returned(3, "2024-05-20"),
    ]
    .concat();
    let (first, second) = text.split_at(text.len() - 30);
    [first.to_owned(), second.to_owned()]
}

fn line(event_type: &str, id: &str, day: &str, body: &str) -> String {
    format!(r#"{{"type":"{event_type}","at":"{day}T08:00:00Z","id":"{id}","body":{{{body}}}}}"#) + "\n"
}

fn room(id: u32, day: &str) -> String {
    line("RoomSet", &id.to_string(), day, &format!(r#""room":"R","colour":"colour {id}""#))
}

fn shelf(id: u32, day: &str, shelf: &str, floor: u32) -> String {
    let body = format!(r#""shelf":"{shelf}","floor":{floor},"room":"R""#);
    line("ShelfSet", &id.to_string(), day, &body)
}

fn lent(id: u32, day: &str, shelf: &str) -> String {
    line(
        "Lent",
        &id.to_string(),
        day,
        &format!(r#""loan":"{id}","shelf":"{shelf}","days":{id},"reader":"r{id}""#),
    )
}

fn returned(loan: u32, day: &str) -> String {
    line("Returned", &format!("back {loan}"), day, &format!(r#""loan":"{loan}""#))
}
