//! The pipeline language: what is written, what it means, and what is said about mistakes.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use rstest::rstest;
use starlog::error::{Error, Who};
use starlog::model::{
    self, DateFrom, DimensionAction, FactAction, Model, ReversalTarget, Takes, Tracking, ValueType,
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

/// Each problem as `marked text: message (hint)`.
fn problems(text: &str) -> Vec<String> {
    let Err(error) = compile(text) else { return Vec::new() };
    let one = |problem: &dyn Diagnostic| {
        let label = problem.labels().and_then(|mut labels| labels.next()).expect("every problem has a place");
        let marked = text.get(label.offset()..label.offset() + label.len()).expect("places lie in the text");
        format!("{marked}: {problem} ({})", problem.help().expect("every problem has a hint"))
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

/// One mistake is one message, at the place where it was made.
#[rstest]
// Names that refer to nothing.
#[case(
    "on.DoctorHired = {}",
    "on.DoctorHird = {}",
    "DoctorHird: there is no event type `DoctorHird` (did you mean `DoctorHired`?)"
)]
#[case(
    "each = \"patients\"",
    "each = \"patient\"",
    "\"patient\": the event type `PatientsMoved` has no list `patient` (did you mean `patients`?)"
)]
#[case(
    "key = \"id\", sets",
    "key = \"idd\", sets",
    "\"idd\": the event type `PatientsMoved` has no field `idd`, nor have the items of `patients` (did you mean `id`?)"
)]
#[case(
    "sets = [\"state\", \"city\"]",
    "sets = [\"state\", \"cityy\", \"city\"]",
    "\"cityy\": `patient` has no attribute `cityy` (did you mean `city`?)"
)]
#[case(
    "treated_by = \"doctor\" }",
    "treated_by = \"doktor\" }",
    "\"doktor\": there is no dimension `doktor` (did you mean `doctor`?)"
)]
#[case(
    "ward = \"ward\",",
    "ward = \"trust\",",
    "\"trust\": there is no dimension `trust` (it is a level of `ward`: name that, and its key leads to this level)"
)]
#[case(
    "quantity = \"minutes\"",
    "quantity = \"minute\"",
    "\"minute\": `quantity` names `minute`, which is no measure of this fact (did you mean `minutes`?)"
)]
#[case(
    "price = \"price\"",
    "price = \"prize\"",
    "\"prize\": `price` names `prize`, which is no measure of this fact (did you mean `price`?)"
)]
#[case(
    "treatments = \"1\" }",
    "treatments = \"1\", wavied = \"0\" }",
    "wavied: the fact `treatments` has no measure `wavied` (did you mean `waived`?)"
)]
#[case(
    "columns = { code = \"payload.id\" }",
    "columns = { cod = \"payload.id\" }",
    "cod: the fact `treatments` has no column `cod` (did you mean `code`?)"
)]
#[case(
    "dimensions = { treated_by = \"by\" }",
    "dimensions = { treatd_by = \"by\", treated_by = \"by\" }",
    "treatd_by: the fact `treatments` has no dimension or role `treatd_by` (did you mean `treated_by`?)"
)]
#[case(
    "kind = \"closed\"",
    "kind = \"close\"",
    "\"closed\": no event has the kind `closed`, so no line reaches this milestone (did you mean `close`?)|\"close\": `close` is none of the fact's milestones (did you mean `closed`?)"
)]
#[case(
    "takes = \"placed\"",
    "matches = [\"nobody\"]",
    "\"treatments.id\": a reversal names its line or matches members, not both (leave out `line` or `matches`)|\"nobody\": the fact `treatments` has no dimension or role `nobody` (known here: `ward`, `patient`, `admitted_by`, `treated_by`)"
)]
#[case(
    "line = \"treatments.id\"",
    "matches = [\"patient\"]",
    "\"patient\": `TreatmentsVoided` names no member for `patient`, so none can match (say by which field: `dimensions = { patient = \"field\" }`)"
)]
#[case(
    "time_zone = \"America/New_York\"",
    "time_zone = \"America/NewYork\"",
    "\"America/NewYork\": there is no time zone `America/NewYork` (did you mean `America/New_York`?)"
)]
// Types.
#[case(
    "budget = \"decimal(38,2)\", founded",
    "budget = \"decimal(39,2)\", founded",
    "\"decimal(39,2)\": `decimal(39,2)`: a decimal has 1 to 38 digits, and no more behind the point (write `decimal(digits, digits behind the point)`: `decimal(18,4)`)"
)]
#[case(
    "minutes = { type = \"integer\" }",
    "minutes = { type = \"float\" }",
    "\"float\": `float` is no type (did you mean `decimal(18,4)`?)"
)]
#[case(
    "minutes = { type = \"integer\" }",
    "minutes = { type = \"text\" }",
    "\"text\": the measure `minutes` is text, which is no number (a measure is an `integer` or a `decimal(18,4)`; other values go to `columns`)"
)]
#[case(
    "attributes.title = { type = \"text\" }",
    "attributes.title = { type = \"text?\" }",
    "\"text?\": `text?`: only fields of events are marked with `?` (leave out the `?`: whether a value is there follows from the events)"
)]
#[case(
    "key = { patient_id = \"integer\" }",
    "key = { patient_id = \"text\" }",
    "\"id\": the key column `patient_id` is text, but the field `id` of `PatientsMoved` is integer (declare both with one type, or name another field)"
)]
#[case(
    "attributes.title = { type = \"text\" }",
    "attributes.title = { type = \"date\" }",
    "DoctorHired: the attribute `title` is date, but the field `title` of `DoctorHired` is text (declare both with one type, or name another field)"
)]
#[case(
    "urgent = \"boolean\" }\nquantity",
    "urgent = \"date\" }\nquantity",
    "VisitOpened: the column `urgent` is date, but the field `urgent` of `VisitOpened` is boolean (declare both with one type, or name another field)"
)]
#[case(
    "treatments = \"1\" }",
    "treatments = \"code\" }",
    "code: the field `code` of `TreatmentGiven` is text, which is no number (declare it as `integer` or `decimal(18,4)`, or name another field)"
)]
#[case(
    "key = [\"site\", \"number\"]",
    "key = \"site\"",
    "\"site\": 1 field for 2 columns (name one field for each of `site`, `ward_no`, in this order)"
)]
#[case(
    "key = { ward_no = \"number\" }",
    "key = { ward_nr = \"number\", ward_no = \"number\" }",
    "ward_nr: there is no `ward_nr` among the key columns (did you mean `ward_no`?)"
)]
// Levels.
#[case(
    "continent = { columns = [\"continent\"] }",
    "continent = { columns = [\"continent\"] }\nplanet = { columns = [\"budget\"] }",
    "planet: `planet` is level 6 of its dimension (a dimension has up to 5 levels, its lowest included)"
)]
#[case(
    "levels.state = { columns = [\"state\"] }",
    "levels.state = { key = { state_id = \"text\" } }",
    "patient: no event says which `state` a `patient` belongs to (name the fields of the parent's key: `on.<event> = { parent = \"field\" }`)|\"city\": the entity `state` has no attribute `city` (plain levels group the last entity: declare it under `state`)|state: the entity `state` stands above `city`, a level of plain columns (levels are declared from the bottom up, entities first: above plain columns stand only plain columns)"
)]
#[case(
    "region = { columns = [\"region\"] }",
    "region = { columns = [\"clinic_name\"] }",
    "\"clinic_name\": the entity `trust` has no attribute `clinic_name` (plain levels group the last entity: declare it under `trust`)"
)]
#[case(
    "levels.state = { columns = [\"state\"] }",
    "levels.state = { columns = [\"city\"] }",
    "\"city\": `city` belongs to the level `city` already (an attribute forms one level)"
)]
#[case(
    "levels.state = { columns = [\"state\"] }",
    "levels.state = { columns = [\"state\"], key = { s = \"text\" } }",
    "\"state\": the level `state` has both `key` and `columns` (`key`: an entity with events of its own; `columns`: plain columns of the last entity)"
)]
#[case(
    ", parent = \"clinic\" }",
    " }\non.PatientsMoved = { key = [\"a\", \"b\"] }",
    "\"a\": the event type `PatientsMoved` has no field `a` (none is declared)|\"b\": the event type `PatientsMoved` has no field `b` (none is declared)"
)]
#[case(
    ", parent = \"clinic\" }",
    ", parent = \"name\" }\nparent_trackin = \"fixed\"",
    "parent_trackin: a dimension has no key `parent_trackin` (did you mean `parent_tracking`?)"
)]
#[case(
    "on.DoctorHired = {}",
    "on.DoctorHired = {}\nparent_tracking = \"fixed\"",
    "\"fixed\": `doctor` has no parent that is an entity (leave out `parent_tracking`)"
)]
// Names.
#[case(
    "levels.city = {",
    "levels.region = {",
    "region: the name of the level `region` is taken by the level `region` (rename one; letter case does not tell names apart)"
)]
#[case(
    "[dimensions.doctor]",
    "[dimensions.date]\nkey = { d = \"date\" }\n[dimensions.doctor]",
    "date: the name of the level `date` is taken by the dimension `date` that every pipeline has (rename one; letter case does not tell names apart)"
)]
#[case(
    "attributes.clinic_name = { type = \"text\" }",
    "attributes.Beds = { type = \"text\" }\nattributes.clinic_name = { type = \"text\" }",
    "Beds: the name of the attribute `Beds` is taken by the attribute `beds` (rename one; letter case does not tell names apart)|Beds: no event sets the attribute `Beds` of `clinic` (say from which field: `on.<event> = { sets = { Beds = \"field\" } }`)"
)]
#[case(
    "attributes.title = {",
    "attributes.Is_Current = { type = \"text\" }\nattributes.previous_title = { type = \"text\" }\nattributes.title = {",
    "Is_Current: the name of the attribute `Is_Current` is taken by the column `is_current` that every dimension has (rename one; letter case does not tell names apart)|Is_Current: no event sets the attribute `Is_Current` of `doctor` (say from which field: `on.<event> = { sets = { Is_Current = \"field\" } }`)|previous_title: the attribute `previous_title` starts with `previous_` (such columns are made for attributes that are tracked as `previous`: choose another name)|previous_title: no event sets the attribute `previous_title` of `doctor` (say from which field: `on.<event> = { sets = { previous_title = \"field\" } }`)"
)]
#[case(
    "VisitOpened = { version = 2",
    "VisitOpened = { version = 0",
    "0: versions count from 1 (write `version = 1`, or leave it out)"
)]
#[case(
    "lines = \"treatment_lines\"",
    "lines = \"Treatments\"",
    "\"Treatments\": the name of the fact `Treatments` is taken by the fact `treatments` (rename one; letter case does not tell names apart)"
)]
#[case(
    "waived = { type = \"decimal(12,2)\", default = 0 }",
    "waived = { type = \"decimal(12,2)\", default = 0 }\nKind = { type = \"integer\", default = 0 }",
    "Kind: the name of the measure `Kind` is taken by the column `kind` that every ledger has (rename one; letter case does not tell names apart)"
)]
#[case(
    "waived = { type = \"decimal(12,2)\", default = 0 }",
    "waived = { type = \"decimal(12,2)\", default = 0 }\nwaived_left = { type = \"integer\", default = 0 }",
    "waived: `waived_left`, which the measure `waived` makes, is taken by the measure `waived_left` (rename one; letter case does not tell names apart)"
)]
#[case(
    "DoctorHired = { fields = { doctor_id = \"text\", title",
    "DoctorHired = { fields = { _id = \"text\", doctor_id = \"text\", title",
    "_id: the field `_id` starts with `_` (such names are Starlog's own: choose another)"
)]
#[case(
    "VisitClosed = { fields = { visit = \"text\" } }",
    "VisitClosed = { fields = { visit = \"text\", at = \"text\" } }",
    "at: `at` is a field of the envelope, and no `payload` tells the two apart (leave it out here: Starlog keeps the envelope's fields by itself)"
)]
#[case(
    "WardClosed = { fields",
    "wardopened = {}\nWardClosed = { fields",
    "wardopened: the name of the event type `wardopened` is taken by the event type `WardOpened` (rename one; letter case does not tell names apart)"
)]
// Measures and formulas.
#[case(
    "default = 0 }",
    "default = 0.5 }",
    "0.5: a float is not exact, and has no place in a measure (put the number in quotes, and it is read as an exact decimal: \"0.5\")"
)]
#[case(
    "default = 0 }",
    "default = \"0.505\" }",
    "\"0.505\": `0.505` does not fit decimal(12,2) (widen the measure's type, or choose another default)"
)]
#[case(
    "formula = \"minutes * price - -waived\"",
    "formula = \"minutes * price * price\"",
    "\"minutes * price * price\": the formula has 8 digits behind the point, but the measure `cost` is decimal(20,4) (nothing is rounded: declare `cost` as `decimal(24,8)`)"
)]
#[case(
    "formula = \"minutes * price - -waived\"",
    "formula = \"minutes / price\"",
    "/: expected `+`, `-`, `*` or the end (an expression has numbers, names, `+`, `-`, `*` and parentheses)"
)]
#[case(
    "formula = \"minutes * price - -waived\"",
    "formula = \"(minutes + 1\"",
    "\": expected `)` (an expression has numbers, names, `+`, `-`, `*` and parentheses)"
)]
#[case(
    "formula = \"minutes * price - -waived\"",
    "formula = \"minutes * 1e3\"",
    "1e3: `1e3` is no exact number of up to 38 digits (an expression has numbers, names, `+`, `-`, `*` and parentheses)"
)]
#[case(
    "formula = \"minutes * price - -waived\"",
    "formula = \"minutes * prise\"",
    "prise: `prise` is no measure of this fact (did you mean `price`?)"
)]
#[case(
    "default = 0 }",
    "formula = \"cost\" }",
    "\"minutes * price - -waived\": this formula leads back to itself: `cost` → `waived` → `cost` (one of them must be stated by events, or have no formula)|\"cost\": the formula has 4 digits behind the point, but the measure `waived` is decimal(12,2) (nothing is rounded: declare `waived` as `decimal(14,4)`)"
)]
#[case(
    "default = 0 }",
    "additive = true }",
    "TreatmentGiven: `waived` may be absent, and the measure `waived` would have no value (leave out the `?` of `waived`, or give `waived` a `default` or a `formula`)"
)]
#[case(
    ", treatments = \"1\" }",
    " }",
    "TreatmentGiven: `TreatmentGiven` places lines, but does not state the measure `treatments` (say from which field: `measures = { treatments = \"field\" }` (the event has `visit`, `no`, `code`, `by`, `minutes`, `price per minute`, `waived`); or give it a `formula` or a `default`)"
)]
#[case(
    "price = { type = \"decimal(10,4)\", additive = false }",
    "price = { type = \"decimal(10,4)\" }",
    "\"price\": a price does not add up (say `additive = false` in its measure, or name another one)"
)]
#[case(
    "minutes = { type = \"integer\" }",
    "minutes = { type = \"integer\", additive = false }",
    "\"minutes\": the quantity must add up (leave out `additive = false`, or name another measure)"
)]
// Events of facts.
#[case(
    "does = \"place\"",
    "does = \"milestone\"",
    "treatments: no event places lines in the fact `treatments` (bind one: `on.<event> = { does = \"place\", kind = \"placed\" }`)|treated_by: `dimensions` means nothing for an event that does \"milestone\" (leave it out; it belongs to \"place\", \"header\", \"reverse\", \"amend\")|price: `measures` means nothing for an event that does \"milestone\" (leave it out; it belongs to \"place\", \"reverse\", \"amend\")"
)]
#[case(
    "header = { visit = \"text\" }\n",
    "",
    "\"treatment_lines\": the fact `treatments` has no header, so `treatment_lines` could not tell its lines apart (declare `header = { id = \"text\" }`, or leave out `lines`)"
)]
#[case(
    "header = { visit = \"text\" }\nline = { treatment_no = \"integer\" }\nlines = \"treatment_lines\"\n",
    "",
    "\"given\": milestones are dates of the accumulating fact, and this fact has none (declare it: `lines = \"<name>\"`, or leave out `milestones`)|VisitOpened: `VisitOpened` needs a header, and the fact `treatments` has none (declare one in the fact: `header = { id = \"text\" }`)|\"no\": the fact `treatments` names no lines (declare the column in the fact: `line = { line_no = \"integer\" }`)"
)]
#[case(
    "does = \"header\"",
    "does = \"header\"\nkind = \"opened\"",
    "\"opened\": `kind` means nothing for an event that does \"header\" (leave it out; it belongs to \"place\", \"reverse\", \"amend\", \"milestone\")"
)]
#[case(
    "kind = \"corrected\"\n",
    "",
    "TreatmentCorrected: `TreatmentCorrected` needs a `kind`: what its rows are called (add `kind = \"placed\"`, or another word)"
)]
#[case(
    "line = \"treatments.id\"\n",
    "",
    "TreatmentsVoided: every item of `TreatmentsVoided` would reverse the whole header (name the line with `line`, or the members with `matches`)"
)]
#[case(
    "each = \"treatments\"\nline = \"treatments.id\"",
    "line = \"treatments.id\"",
    "\"treatments.id\": `id` is a field of the items of `treatments`, not of `TreatmentsVoided` itself (say `each = \"treatments\"` to go through the items)"
)]
#[case(
    "TreatmentCorrected = { fields = { visit = \"text\",",
    "TreatmentCorrected = { fields = { visit = \"text?\",",
    "TreatmentCorrected: the field `visit` names the header for `TreatmentCorrected`, but may be absent (leave out the `?` of `visit`, or name another field)"
)]
#[case(
    "takes = \"placed\"",
    "takes = \"placed\"\nheader = []",
    "TreatmentsVoided: `minutes` may be absent, and the measure `minutes` would have no value (leave out the `?` of `minutes`, or give `minutes` a `default` or a `formula`)|TreatmentsVoided: `TreatmentsVoided` may name no header, but does not state the measure `price` (say from which field: `measures = { price = \"field\" }` (the event has `id`, `minutes`, `id`, `visit`); or give it a `formula` or a `default`)|TreatmentsVoided: `TreatmentsVoided` may name no header, but does not state the measure `treatments` (say from which field: `measures = { treatments = \"field\" }` (the event has `id`, `minutes`, `id`, `visit`); or give it a `formula` or a `default`)"
)]
#[case(
    "kind = \"given\"\nline = \"no\"",
    "kind = \"given\"",
    "TreatmentGiven: `TreatmentGiven` has no field `treatment_no` to name the line by (say which field: `line = \"field\"` (the event has `visit`, `no`, `code`, `by`, `minutes`, `price per minute`, `waived`))"
)]
#[case(
    "columns = { code = \"text\", urgent",
    "columns = { note = \"text\", code = \"text\", urgent",
    "note: no event carries the column `note` (say in which field: `on.<event>.columns = { note = \"field\" }`)"
)]
#[case(
    "{ patient = \"patient\", admitted_by = \"doctor\" }",
    "{ patient = \"patient\" }",
    "admitted_by: no event that places lines names a member for `admitted_by` (say by which field: `on.<event>.dimensions = { admitted_by = \"field\" }`)"
)]
// The log and the calendar.
#[case(
    "ignore = [\"Heartbeat\"",
    "ignore = [\"WardOpened\"",
    "\"WardOpened\": `WardOpened` is ignored, but declared as an event type (remove one of the two)"
)]
#[case(
    "earliest = 1990-01-01",
    "earliest = 1990-01-01T00:00:00",
    "1990-01-01T00:00:00: `1990-01-01T00:00:00` is neither a date nor a date and time with offset (write 2011-12-09 or 2011-12-09T12:50:00Z)"
)]
#[case(
    "earliest = 1990-01-01",
    "earliest = 2990-01-01",
    "\"2100-01-01T00:00:00-05:00\": `latest` is not after `earliest` (no event could be accepted: swap them)"
)]
#[case(
    "max_reject_share = 0.01",
    "max_reject_share = 1.01",
    "1.01: a share lies between 0 and 1 (one in a hundred is 0.01)"
)]
#[case(
    "fiscal_year_starts = 10",
    "fiscal_year_starts = 13",
    "13: a fiscal year starts in a month from 1 to 12 (July is 7)"
)]
#[case(
    "fiscal_year_starts = 10",
    "holidays = \"nowhere.csv\"",
    "\"nowhere.csv\": the holidays in `nowhere.csv` cannot be read: No such file or directory (os error 2) (the path starts from the pipeline file's folder)"
)]
#[case(
    "time = \"at\"",
    "time = \"what\"",
    "\"what\": `what` stands for two parts of the envelope (only `id` and `order` may be one field)"
)]
// What is written.
#[case("name = \"hospital\"\n", "", ": a pipeline needs the key `name` (add `name`)")]
#[case(
    "name = \"hospital\"\n",
    "name = 3\n",
    "3: expected a text in quotes, found an integer (write a text in quotes)"
)]
#[case(
    "on.DoctorHired = {}",
    "on.DoctorHired = [{}, {}]",
    "[{}, {}]: expected a table, found an array (write a table)"
)]
#[case(
    "on.DoctorHired = {}",
    "on.DoctorHired = { set = { title = \"title\" } }",
    "set: an event of a dimension has no key `set` (did you mean `sets`?)"
)]
#[case(
    "DoctorHired = { fields =",
    "DoctorHired = { feilds =",
    "feilds: an event type has no key `feilds` (did you mean `fields`?)"
)]
#[case(
    "additive = false",
    "additive = \"no\"",
    "\"no\": expected true or false, found a string (write true or false)"
)]
#[case(
    "each = \"treatments\"",
    "every = \"treatments\"",
    "every: an event of a fact has no key `every` (known here: `does`, `kind`, `each`, `header`, `line`, `dimensions`, `columns`, `measures`, `takes`, `matches`, `date_from`)"
)]
#[case(
    "does = \"amend\"",
    "does = \"ammend\"",
    "\"ammend\": `ammend` is none of the choices (did you mean `amend`?)"
)]
#[case(
    "[facts.treatments]\n",
    "[facts.treatments]\nheadr = 1\n",
    "headr: a fact has no key `headr` (did you mean `header`?)"
)]
#[case(
    "[events]\n",
    "[events]\nvisit opened = { }\n",
    "o: key with no value, expected `=` (this is no TOML; what it may have declared is not reported as missing)"
)]
#[case(
    "site = \"text\", ward_no = \"integer\" }\nattributes",
    "site = \"text\", ward_no = \"integer\"\n\nattributes",
    "key = { site = \"text\", ward_no = \"integer\": a bracket that is opened here is never closed (this is no TOML; what it may have declared is not reported as missing)"
)]
fn a_mistake_is_reported(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
    let found = problems(&hospital_with(old, new));
    assert_eq!(found.join("\n"), expected.split('|').collect::<Vec<_>>().join("\n"));
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
    for text in
        ["", "\u{feff}", "=", "[", "[[a]]\n[a]", "x = '''", "a = [[[[[[[", "\r\n\0", "name.x = 1\nname = 2"]
    {
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
        "1: key with no value, expected `=` (this is no TOML; what it may have declared is not reported as missing)",
        "\"minute\": `quantity` names `minute`, which is no measure of this fact (did you mean `minutes`?)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_hospital_means_what_it_says() {
    let model = hospital();
    let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(model.ignored, ["Heartbeat", "CoffeeMachineEmptied"]);
    assert_eq!((model.log.max_rejects, model.log.max_reject_share), (Some(1000), Some(0.01)));
    assert_eq!(
        model.log.latest.map(|latest| latest.to_rfc3339()),
        Some("2100-01-01T05:00:00+00:00".to_owned())
    );
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
    assert_eq!(reverse.action, FactAction::Reverse { target: ReversalTarget::Line, takes: Takes::Placed });
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
        hospital_with("takes = \"placed\"\n", "")
            .replace("does = \"reverse\"", "takes = \"placed\"\ndoes = \"reverse\""),
    ];
    for text in same {
        assert_eq!(compile(&text).expect("compiles").hash, hash);
    }
    let other = [
        hospital_with("tracking = \"previous\"", "tracking = \"fixed\""),
        hospital_with("takes = \"placed\"\n", ""),
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
    assert_eq!(model::load(folder.path()).expect_err("a folder").who(), Who::Author);
    let latin = folder.path().join("latin.toml");
    fs::write(&latin, b"name = \"caf\xe9\"\n").expect("writes");
    let error = model::load(&latin).expect_err("Latin-1");
    let shown = shown(&error);
    assert!(shown.contains("the file is not UTF-8 here") && shown.contains("latin.toml:1:12"), "{shown}");
}
