//! The pipeline language: what is written, what it means, and what is said about mistakes.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use starlog::error::{Error, Who};
use starlog::model::{
    self, DateFrom, DimensionAction, FactAction, Model, OverReversing, ReversalTarget, Takes, Tracking,
    ValueType,
};
use starlog::spec::Spec;
use std::fs;
use std::path::Path;

const HOSPITAL: &str = include_str!("pipeline/hospital.toml");
const TEN_MISTAKES: &str = include_str!("pipeline/ten_mistakes.toml");

fn compile(text: &str) -> Result<Model, Error> {
    model::compile(&Spec::read(text), Path::new("."), "pipeline.toml", text)
}

fn hospital() -> Model {
    compile(HOSPITAL).unwrap_or_else(|error| panic!("{}", shown(&error)))
}

/// The hospital with one part of its text exchanged.
fn hospital_with(old: &str, new: &str) -> String {
    assert_eq!(HOSPITAL.matches(old).count(), 1, "`{old}` must stand in the pipeline once");
    HOSPITAL.replace(old, new)
}

/// The problems as a person sees them.
fn shown(error: &Error) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
    match error.report() {
        Some(report) => handler.render_report(&mut text, report.as_ref()).expect("a text takes everything"),
        None => text = error.to_string(),
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Each problem as `× marked text: message`, with the hint below.
fn problems(text: &str) -> Vec<String> {
    let Err(error) = compile(text) else { return Vec::new() };
    let one = |problem: &dyn Diagnostic| {
        let label = problem.labels().and_then(|mut labels| labels.next()).expect("every problem has a place");
        let marked = text.get(label.offset()..label.offset() + label.len()).expect("places lie in the text");
        format!("× {marked}: {problem}\n  help: {}", problem.help().expect("every problem has a hint"))
    };
    let report = error.report().expect("a pipeline's problems come as a report");
    report.related().expect("problems are related").map(one).collect()
}

/// Ten mistakes of ten kinds are ten messages, each with its line and a hint.
#[test]
fn ten_mistakes_get_ten_messages() {
    let error = compile(TEN_MISTAKES).expect_err("ten mistakes");
    assert_eq!((error.who(), error.exit_code()), (Who::Author, 2));
    assert_eq!(error.to_string(), "10 problems in pipeline.toml");
    insta::assert_snapshot!("ten_mistakes", shown(&error));
}

#[test]
fn every_shipped_pipeline_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let files =
        fs::read_dir(folder).expect("the folder of pipelines").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let model = model::load(&file).unwrap_or_else(|error| panic!("{}", shown(&error)));
        assert_eq!(Some(model.name.as_str()), file.file_stem().and_then(|stem| stem.to_str()));
    }
}

/// One mistake at a time: what is said, where, and with which hint.
#[test]
fn each_mistake_is_reported_where_it_is() {
    let mut said = String::new();
    let mut unreported = Vec::new();
    for case in include_str!("pipeline/mistakes.txt").split("\n\n") {
        let lines = |mark: &str| {
            case.lines().filter_map(|line| line.strip_prefix(mark)).collect::<Vec<_>>().join("\n")
        };
        let (old, new) = (lines("- "), lines("+ "));
        if old.is_empty() {
            said.push_str(case.trim());
        } else {
            let old_line = format!("{old}\n");
            let old = if new.is_empty() { old_line.as_str() } else { old.as_str() };
            let found = problems(&hospital_with(old, &new));
            unreported.extend(found.is_empty().then_some(case));
            said.push_str(&format!("{}\n{}", case.trim(), found.join("\n")));
        }
        said.push_str("\n\n");
    }
    assert!(unreported.is_empty(), "not reported:\n{}", unreported.join("\n\n"));
    insta::assert_snapshot!("mistakes", said);
}

/// Mistakes do not stop the reading, and no text makes it panic: each cut of a good pipeline is reported with places
/// inside the text, and a whole one without a line never blames another part of speech than the author's.
#[test]
fn no_text_is_too_broken() {
    for cut in (0..HOSPITAL.len()).step_by(13) {
        problems(&HOSPITAL[..cut]);
    }
    let lines: Vec<&str> = HOSPITAL.lines().collect();
    for left_out in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, line)| *line);
        problems(&kept.collect::<Vec<_>>().join("\n"));
    }
    for text in [
        "",
        "\u{feff}",
        "=",
        "[",
        "[[a]]\n[a]",
        "x = '''",
        "a = [[[[[[[",
        "\r\n\0",
        "\r",
        "name.x = 1\nname = 2",
    ] {
        assert!(!problems(text).is_empty(), "{text}");
    }
    let deep = format!("name = {}", "[".repeat(10_000));
    assert!(!problems(&deep).is_empty());
    let nested = hospital_with("minutes * price - -waived", &"-(".repeat(900));
    assert!(problems(&nested).iter().any(|problem| problem.contains("nested too deeply")));
    assert!(problems(&" ".repeat(2 << 20)).iter().any(|problem| problem.contains("larger than")));
}

/// After a line that is no TOML everything else is still read, and nothing is said to be missing.
#[test]
fn a_broken_line_hides_no_other_mistake() {
    let broken = hospital_with("fiscal_year_starts = 10", "fiscal_year_starts 10");
    let broken =
        broken.replace("quantity = \"minutes\"", "quantity = \"minute\"").replace("kind = \"given\"\n", "");
    let found = problems(&broken);
    let expected = [
        "× 1: key with no value, expected `=`\n  help: this is no TOML; what it may have declared is not reported as missing",
        "× \"minute\": `quantity` names `minute`, which is no measure of this fact\n  help: did you mean `minutes`?",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_hospital_means_what_it_says() {
    let model = hospital();
    let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(model.ignored, ["Heartbeat", "CoffeeMachineEmptied"]);
    assert_eq!((model.log.bears.max_rejects, model.log.bears.max_reject_share), (Some(1000), Some(0.01)));
    assert_eq!(Some(model.log.latest.to_rfc3339()), Some("2100-01-01T05:00:00+00:00".to_owned()));
    assert_eq!((model.log.envelope.payload.as_deref(), model.calendar.fiscal_year_starts), (None, Some(10)));
    assert_eq!((model.events[0].name.as_str(), model.events[0].version), ("VisitOpened", 2));

    let [ward, patient, _] = model.dimensions.as_slice() else { panic!("three dimensions") };
    let names: Vec<_> = ward.entities.iter().map(|entity| entity.name.as_str()).collect();
    assert_eq!(names, ["ward", "clinic", "trust"]);
    assert_eq!(
        ward.entities[0].key.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        ["site", "ward_no"]
    );
    assert_eq!(ward.entities[0].attributes[1].tracking, Tracking::Previous);
    assert_eq!(ward.entities[1].parent_tracking, Tracking::Overwrite);
    assert_eq!(ward.entities[1].attributes[0].tracking, Tracking::History, "the default");
    let levels: Vec<_> =
        ward.plain_levels.iter().map(|level| (level.name.as_str(), level.attributes.as_slice())).collect();
    assert_eq!(levels, [("region", &[0][..]), ("continent", &[2])]);

    // A field by its name, for every reference of an event.
    let name = |event: usize, field: model::FieldRef| model.events[event].field(field).name.clone();
    let opened = &ward.entities[0].events[0];
    assert_eq!(opened.key.iter().map(|key| name(opened.event, *key)).collect::<Vec<_>>(), ["site", "number"]);
    let closed = &ward.entities[0].events[1];
    assert_eq!(closed.key.iter().map(|key| name(closed.event, *key)).collect::<Vec<_>>(), ["site", "number"]);
    assert!(matches!(closed.action, DimensionAction::Close));
    let clinic = &ward.entities[1].events[0];
    let DimensionAction::Set { attributes, parent: Some(parent) } = &clinic.action else {
        panic!("sets a parent")
    };
    assert_eq!(attributes.len(), 1);
    let parent: Vec<_> = parent.iter().map(|field| name(clinic.event, *field)).collect();
    assert_eq!(parent, ["trust_country", "trust_no"], "in the order of the parent's key columns");
    let trust = &ward.entities[2].events[0];
    let DimensionAction::Set { attributes, parent: None } = &trust.action else { panic!("has no parent") };
    let sets: Vec<_> = attributes.iter().map(|(index, field)| (*index, name(trust.event, *field))).collect();
    let expected =
        [(0, "region"), (1, "budget"), (2, "region")].map(|(index, field)| (index, field.to_owned()));
    assert_eq!(sets, expected, "a table adds to what fields of the same name set");
    let moved = &patient.entities[0].events[0];
    assert_eq!(moved.list, Some(0));
    let DimensionAction::Set { attributes, .. } = &moved.action else { panic!("sets") };
    assert_eq!(attributes.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);

    let [fact] = model.facts.as_slice() else { panic!("one fact") };
    assert_eq!(fact.roles.iter().map(|role| role.dimension).collect::<Vec<_>>(), [0, 1, 2, 2]);
    assert_eq!(
        (fact.quantity, fact.price, fact.milestones.clone()),
        (Some(0), Some(1), text(&["given", "voided", "closed"]))
    );
    assert_eq!(fact.measures[3].default, Some(0));
    assert_eq!(fact.measures[2].value_type, ValueType::Decimal { precision: 20, scale: 4 });
    let [header, place, amend, reverse, milestone] = fact.events.as_slice() else { panic!("five events") };
    let roles = |event: &model::FactEvent| event.roles.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(
        (&header.action, header.kind.as_str(), roles(header)),
        (&FactAction::Header, "", vec![true, true, true, false])
    );
    assert_eq!(place.action, FactAction::Place { date_from: DateFrom::Header }, "a fact with a header event");
    assert_eq!((place.milestone, roles(place)), (Some(0), vec![false, false, false, true]));
    assert_eq!(
        place.measures.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, false, true, true]
    );
    assert_eq!((&amend.action, amend.milestone), (&FactAction::Amend, None));
    assert_eq!(
        reverse.action,
        FactAction::Reverse { target: ReversalTarget::Line, takes: Takes::Placed, over: OverReversing::Book }
    );
    assert_eq!(
        reverse.line.map(|line| (line.list, name(reverse.event, line))),
        Some((Some(0), "id".to_owned()))
    );
    assert_eq!(reverse.columns[0].map(|field| field.list), Some(None), "`payload.id` is not the item's");
    assert_eq!(
        (&milestone.action, milestone.line, milestone.milestone),
        (&FactAction::Milestone, None, Some(2))
    );
}

/// The hash is of the meaning: neither text, nor places of files, nor limits of a run are part of it.
#[test]
fn the_hash_is_of_the_meaning() {
    let hash = hospital().hash;
    assert_eq!(hash.len(), 64);
    let same = [
        format!("# another comment\n{HOSPITAL}").replace("\n[facts", "\n\n\n[facts"),
        hospital_with("files = [\"log/*.ndjson\"]", "files = [\"elsewhere/*.ndjson.zst\"]"),
        hospital_with("max_rejects = 1_000", "max_rejects = 2"),
        hospital_with(
            "attributes.clinic_name = { type = \"text\" }",
            "attributes.clinic_name = { type = 'text', tracking = \"history\" }",
        ),
        hospital_with("takes = \"placed\"", "takes = \"placed\"\nover_reversing = \"book\""),
        hospital_with("takes = \"placed\"\n", "")
            .replace("does = \"reverse\"", "takes = \"placed\"\ndoes = \"reverse\""),
    ];
    for text in same {
        assert_eq!(compile(&text).expect("compiles").hash, hash);
    }
    let other = [
        hospital_with("tracking = \"previous\"", "tracking = \"fixed\""),
        hospital_with("takes = \"placed\"\n", ""),
        hospital_with("takes = \"placed\"", "takes = \"placed\"\nover_reversing = \"reject\""),
        hospital_with("time_zone = \"America/New_York\"", "time_zone = \"America/Toronto\""),
        hospital_with("earliest = 1990-01-01\n", ""),
        hospital_with("name = \"hospital\"", "name = \"clinic\""),
        hospital_with("default = 0 }", "default = 1 }"),
    ];
    for text in other {
        assert_ne!(compile(&text).expect("compiles").hash, hash);
    }
}

#[test]
fn holidays_come_from_their_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = hospital_with("fiscal_year_starts = 10", "holidays = \"days.csv\"");
    let file = folder.path().join("pipeline.toml");
    fs::write(&file, text).expect("writes");
    fs::write(folder.path().join("days.csv"), "\u{feff}date,name\r\n2026-12-25,Christmas\r\n\r\n2026-05-14,\"Ascension, \"\"Day\"\"\"\n2026-12-25,Friday\n")
        .expect("writes");
    let holidays = model::load(&file).expect("compiles").calendar.holidays;
    let holidays: Vec<_> = holidays.iter().map(|(date, name)| format!("{date} {name}")).collect();
    assert_eq!(holidays, ["2026-05-14 Ascension, \"Day\"", "2026-12-25 Christmas / Friday"]);

    fs::write(folder.path().join("days.csv"), "2026-02-30,Never\n2026-01-01\n").expect("writes");
    let error = model::load(&file).expect_err("no dates");
    assert_eq!(error.to_string(), format!("2 problems in {}", file.display()));
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = model::load(&folder.path().join("none.toml")).expect_err("there is none");
    assert_eq!((missing.who(), missing.report().is_none()), (Who::Author, true));
    assert_eq!(missing.next_step(), Some("name the TOML file of a pipeline"));
    assert_eq!(model::load(folder.path()).expect_err("a folder").who(), Who::Author);
    let latin = folder.path().join("latin.toml");
    fs::write(&latin, b"name = \"caf\xe9\"\n").expect("writes");
    let error = model::load(&latin).expect_err("Latin-1");
    let shown = shown(&error);
    assert!(shown.contains("the file is not UTF-8 here") && shown.contains("latin.toml:1:12"), "{shown}");
}
