//! A chain of steps changes while its warehouse stands: what is released is what a new warehouse would hold.

use super::lines::{GARAGE, line};
use crate::support::World;
use starlog::disk::Disk;
use starlog::error::Who;
use starlog::layout::Layout;
use starlog::nightly::{self, Scrutiny};
use std::fs;

/// The pipeline as it was when this version was today's.
fn of_version(version: i64) -> String {
    let (before, rest) = GARAGE.split_once("[events.Serviced]").unwrap();
    let (_, after) = rest.split_once("[dimensions.car]").unwrap();
    let (event, set, place) = match version {
        1 => (
            "version = 1\nfields = { visit = \"integer\", plate = \"text\", owner_first = \"text\", owner_last = \"text\", done = \"timestamp\", memo = \"text?\" }\nlists.items = { part = \"text\", qty = \"text\", price = \"decimal(12,2)\", note = \"text?\" }\n",
            "owner = \"owner_last\"",
            "plate = \"plate\"",
        ),
        // Objects inside a payload are fields that nobody declared.
        _ => (
            "version = 2\nfields = { visit = \"text\", owner = \"text\", done = \"timestamp\", paid = \"decimal(12,2)?\" }\nlists.items = { part = \"text\", qty = \"text\", price = \"decimal(12,2)\", note = \"text?\" }\n",
            "owner = \"owner\"",
            "plate = \"visit\"",
        ),
    };
    let after = after
        .replace(
            "on.Serviced = { sets = { owner = \"last\" } }",
            &format!("on.Serviced = {{ key = {{ {place} }}, sets = {{ {set} }} }}"),
        )
        .replace("dimensions = [\"car\"]", "dimensions = { car = \"car\" }")
        .replace("columns = { channel = \"text\" }\n", "")
        .replace(
            "header = { visit = \"text\" }",
            if version == 1 { "header = { visit = \"integer\" }" } else { "header = { visit = \"text\" }" },
        )
        .replace("pieces = { type = \"integer\" }, ", "pieces = { type = \"integer\", default = 1 }, ")
        .replace(
            "each = \"parts\" }",
            &format!("each = \"items\", dimensions = {{ car = {{ {place} }} }} }}"),
        );
    format!("{before}[events.Serviced]\n{event}\n[dimensions.car]{after}")
}

fn v1(visit: u64, rest: &str) -> String {
    format!(
        r#"{{"done":"2024-05-01T12:00:00.25+02:00","visit":{visit},"plate":"AB {}","owner_first":"Ida","owner_last":"van \u0044yck {}"{rest},"items":[{{"part":"belt","qty":"2","price":"12.5","note":null}},{{"part":"oil","qty":"{visit}","price":3,"bin":7.0}}]}}"#,
        visit % 3,
        visit % 2
    )
}

fn v2(visit: u64, rest: &str) -> String {
    format!(
        r#"{{"owner":"Ida Dyck {}","visit":"{visit}","car":{{"plate":"AB {}","color":null}},"done":"2024-05-01T10:00:00Z"{rest},"items":[{{"part":"belt","qty":"{visit}","price":12.50}}]}}"#,
        visit % 2,
        visit % 3
    )
}

fn v3(visit: u64, rest: &str) -> String {
    format!(
        r#"{{"visit":"{visit}","plate":"AB {}","first":"Ida","last":"Dyck","done":"2024-05-01T10:00:00Z","paid":"0.5","channel":"web"{rest},"parts":[{{"part":"belt","pieces":{visit},"price":12.5}},{{"part":"cap","pieces":1,"price":1,"note":"x","bin":1}}]}}"#,
        visit % 3
    )
}

/// Three days of a producer that changes its mind, and goes on sending some old lines.
fn days() -> [String; 3] {
    [
        [
            line(1, 1, &v1(1, "")),
            line(1, 2, &v1(2, ",\"memo\":null,\"mileage\":1.50")),
            line(1, 3, &v1(3, ",\"memo\":\"m\"")),
        ]
        .concat(),
        [
            line(1, 4, &v1(4, "")).replace("\"v\":1,", "\"v\":1,\"sent\":9,"),
            line(2, 5, &v2(5, ",\"paid\":\"3\"")),
            line(2, 6, &v2(6, ",\"mileage\":2e0")),
        ]
        .concat(),
        [
            line(3, 7, &v3(7, "")),
            line(1, 8, &v1(8, "")),
            line(2, 9, &v2(9, "")),
            line(1, 1, &v1(1, "")),
            line(3, 10, &v3(10, ",\"mileage\":null")),
        ]
        .concat(),
    ]
}

fn world(pipeline: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("garage.toml");
    fs::write(&file, pipeline).unwrap();
    World::at(&file)
}

fn changed(world: &mut World, pipeline: &str) {
    let file = world.write("garage.toml", pipeline);
    world.change_pipeline(file.as_ref());
}

/// All of the log that a pipeline can see, and the root hash of the release. The names of what is absent stand in no
/// certain order.
fn released(world: &World) -> (String, String) {
    let sql = "SELECT COLUMNS(name -> name NOT IN ('_file', '_original', '_absent')) FROM log.\"Serviced\" ORDER BY _position";
    (world.ask(Layout::Star, sql).to_string(), world.release().manifest().blake3.clone())
}

/// A new warehouse over the same files.
fn fresh(pipeline: &str, days: &[String]) -> (String, String) {
    let world = world(pipeline);
    let files: Vec<String> =
        days.iter().enumerate().map(|(at, day)| world.write(&format!("{at}.ndjson"), day)).collect();
    world.run_on(&files);
    released(&world)
}

fn is_sound(world: &World) {
    let scrutiny = Scrutiny { threads: Some(2), ..Scrutiny::default() };
    let found = nightly::verify(world.model(), &world.warehouse(), &scrutiny, &Disk::default()).unwrap();
    assert!(found.holds(), "{found:#?}");
}

#[test]
fn a_warehouse_that_lived_through_it_holds_what_a_new_one_holds() {
    let days = days();
    // Version 2 knows version 1 by the first link of the chain; what it has of the car, nobody has declared.
    let link = GARAGE.split("[[events.Serviced.upcast]]").nth(1).unwrap();
    let second = of_version(2).replace(
        "\n[dimensions.car]",
        &format!(
            "\n[[events.Serviced.upcast]]{}\n[dimensions.car]",
            link.replace("{ move = \"plate\", to = \"car.plate\" },", "{ drop = \"plate\" },")
        ),
    );
    // The steps of the second and those of today do not say the same of a plate: all is lifted anew.
    let stages = [of_version(1), second.clone(), GARAGE.to_owned()];
    let mut old = world(&stages[0]);
    let mut files = Vec::new();
    for (at, (stage, day)) in stages.iter().zip(&days).enumerate() {
        changed(&mut old, stage);
        files.push(old.write(&format!("{at}.ndjson"), day));
        let report = old.run_on(&files);
        assert_eq!(
            report.rejects.len(),
            0,
            "{stage}: {:?}",
            old.ask(Layout::Star, "SELECT * FROM log.rejects")
        );
        is_sound(&old);
        assert_eq!(released(&old), fresh(stage, &days[..=at]), "stage {at}");
    }
    // Nothing new, another chain; and back.
    for pipeline in [GARAGE.replace("value = \"desk\"", "value = \"counter\""), GARAGE.to_owned()] {
        changed(&mut old, &pipeline);
        old.run_on(&files);
        is_sound(&old);
        assert_eq!(released(&old), fresh(&pipeline, &days));
    }
    // A contract that grows takes what old lines said, too.
    let grown = GARAGE
        .replace("channel = \"text\" }\nlists", "channel = \"text\", mileage = \"decimal(8,2)?\" }\nlists")
        .replace("note = \"text?\" }\n\n[[", "note = \"text?\", bin = \"integer?\" }\n\n[[")
        .replace("columns = { channel = \"text\" }", "columns = { channel = \"text\", bin = \"integer\" }");
    changed(&mut old, &grown);
    old.run_on(&files);
    is_sound(&old);
    assert_eq!(released(&old), fresh(&grown, &days));
    assert_eq!(
        old.ask(Layout::Star, "SELECT count(mileage), sum(bin) FROM log.\"Serviced\", fact_work WHERE false")
            .rows
            .len(),
        1
    );
    // And back to the first version: what it does not know, it took once.
    changed(&mut old, GARAGE);
    old.run_on(&files);
    // Where an event of today's version said it, the column is still there.
    assert_eq!(released(&old).1, fresh(GARAGE, &days).1);
}

/// Nights and a rebuild from the first event give the same, with lines of all versions every night.
#[test]
fn nights_are_a_replay() {
    let days = days();
    let by_night = world(GARAGE);
    let mut files = Vec::new();
    for (at, day) in days.iter().enumerate() {
        files.push(by_night.write(&format!("{at}.ndjson"), day));
        by_night.run_on(&files);
        is_sound(&by_night);
    }
    assert_eq!(released(&by_night), fresh(GARAGE, &days));
}

#[test]
fn what_a_new_chain_cannot_lift_is_the_authors_to_decide() {
    let days = days();
    let cases = [
        // Old events have no such field.
        (
            "owner_last = \"text\", done",
            "owner_last = \"text\", tax = \"integer\", done",
            "{ drop = \"memo\" },",
            "{ drop = \"memo\" }, { drop = \"tax\" },",
            "0.ndjson, line 1)",
        ),
        // Their names have no such parts.
        ("split = \"owner\", at = \" \"", "split = \"owner\", at = \"-\"", "", "", "has no 2 parts between"),
        // Nothing lifts the first version any more.
        ("from = 1\n", "from = 1\n", "", "", ""),
    ];
    let mut world = world(GARAGE);
    let file = world.write("0.ndjson", &days[0]);
    world.run_on(std::slice::from_ref(&file));
    let before = released(&world);
    for (old, new, step, other, what) in cases {
        let pipeline = if what.is_empty() {
            let parts: Vec<&str> = GARAGE.split("[[events.Serviced.upcast]]").collect();
            format!("{}[[events.Serviced.upcast]]{}", parts[0], parts[2])
        } else {
            GARAGE.replace(old, new).replace(step, other)
        };
        let what =
            if what.is_empty() { "it came in version 1, which no upcast lifts any more" } else { what };
        changed(&mut world, &pipeline);
        let options = nightly::Options { log: vec![file.clone()], ..world.options() };
        let error = world.try_run(&options).map(|report| report.release).unwrap_err();
        assert_eq!((error.who(), error.exit_code()), (Who::Author, 2), "{error}");
        assert!(error.to_string().contains(what), "{error}");
        // Nothing has happened.
        changed(&mut world, GARAGE);
        assert_eq!(world.run_on(std::slice::from_ref(&file)).release, Some(1));
        assert_eq!(released(&world), before);
    }
}

/// Events that came when their version was today's were read by the types of that day; a chain cannot say otherwise.
#[test]
fn a_version_keeps_its_types() {
    let days = days();
    for (old, new, path) in [
        ("done = \"timestamp\", memo", "done = \"text\", memo", "done"),
        (
            "qty = \"text\", price = \"decimal(12,2)\", note = \"text?\" }\nsteps = [\n    { cast",
            "qty = \"text\", price = \"decimal(14,3)\", note = \"text?\" }\nsteps = [\n    { cast",
            "items[].price",
        ),
        (", memo = \"text?\" }", " }", "memo"),
    ] {
        let mut pipeline = GARAGE.replace(old, new);
        match path {
            "done" => {
                pipeline = pipeline.replace(
                    "{ drop = \"memo\" },",
                    "{ drop = \"memo\" }, { cast = \"done\", to = \"timestamp\" },",
                )
            }
            "items[].price" => {
                pipeline = pipeline.replace(
                    "{ drop = \"memo\" },",
                    "{ drop = \"memo\" }, { each = \"items\", cast = \"price\", to = \"decimal(12,2)\" },",
                )
            }
            _ => pipeline = pipeline.replace("    { drop = \"memo\" },\n", ""),
        }
        let mut world = world(&of_version(1));
        let file = world.write("0.ndjson", &days[0]);
        world.run_on(std::slice::from_ref(&file));
        // Before it has been lifted once, and after.
        for _ in 0..2 {
            changed(&mut world, &pipeline);
            let options = nightly::Options { log: vec![file.clone()], ..world.options() };
            let error = world.try_run(&options).map(|report| report.release).unwrap_err();
            assert_eq!(error.who(), Who::Author, "{error}");
            assert!(error.to_string().contains(&format!("`{path}` was declared differently")), "{error}");
            changed(&mut world, GARAGE);
            world.run_on(std::slice::from_ref(&file));
        }
    }
}

/// A line that no step could lift is put back when one can; beside it, the events of before are lifted anew.
#[test]
fn a_mended_chain_takes_what_it_refused() {
    let strict = GARAGE.replace("split = \"owner\", at = \" \"", "split = \"owner\", at = \" Dyck\"");
    let mut world = world(&strict);
    let odd = line(2, 3, &v2(3, "").replace("Ida Dyck", "Ida Berg"));
    let file = world.write("0.ndjson", [line(2, 1, &v2(1, "")), odd, line(3, 2, &v3(2, ""))].concat());
    assert_eq!(world.run_on(std::slice::from_ref(&file)).rejects["upcast"], 1);
    changed(&mut world, GARAGE);
    let requeued =
        nightly::requeue(world.model(), &world.warehouse(), &[], &Disk::default(), "2026-11-23T00:00:00Z");
    assert_eq!(requeued.unwrap().accepted, 1);
    world.run_on(std::slice::from_ref(&file));
    is_sound(&world);
    let owners = "SELECT _position, _version, first, last FROM log.\"Serviced\" ORDER BY 1";
    let rows = [["1", "2", "Ida", "Dyck 1"], ["2", "3", "Ida", "Dyck"], ["3", "2", "Ida", "Berg 1"]];
    assert_eq!(world.ask(Layout::Star, owners).rows, rows);
}
