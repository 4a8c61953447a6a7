//! Fields that nobody declared: kept, refused or passed over, as the pipeline says of each event type.

use super::lines::{GARAGE, line};
use crate::log::Library;

const BODY: &str = r#"{"visit":"7","plate":"AB 1","first":"Ida","last":"Dyck","done":"2024-05-01T10:00:00Z","paid":0,"channel":"desk","parts":[{"part":"belt","pieces":2,"price":12.5,"bin":"B7"}],"mileage":1.50}"#;

fn judged(policy: &str) -> (Library, starlog::log::IngestReport) {
    let library = Library::with(&GARAGE.replace("version = 3\n", &format!("version = 3\n{policy}")));
    let beside = line(3, 2, &BODY.replace(",\"mileage\":1.50", "").replace(",\"bin\":\"B7\"", ""));
    let old = r#"{"visit":7,"plate":"A","owner_first":"I","owner_last":"D","done":"2024-05-01T10:00:00Z","items":[],"mileage":1.50}"#;
    let lines = [line(3, 1, BODY), beside.replace("\"v\":3", "\"v\":3,\"sent\":1"), line(1, 3, old)];
    library.write("a.ndjson", lines.concat());
    let report = library.ingest(&["a.ndjson"]);
    (library, report)
}

#[test]
fn unknown_fields_are_kept_and_reported() {
    for policy in ["", "unknown = \"evolve\"\n"] {
        let (library, report) = judged(policy);
        let reported: Vec<_> =
            report.unknown_fields.iter().map(|(path, count)| (path.as_str(), *count)).collect();
        let expected = [("Serviced.envelope.sent", 1), ("Serviced.mileage", 2), ("Serviced.parts[].bin", 1)];
        assert_eq!(reported, expected);
        assert_eq!(library.column("Serviced", "_unknown")[0], "{\"parts[0].bin\":\"B7\",\"mileage\":1.50}");
    }
}

#[test]
fn a_frozen_contract_refuses_them() {
    let (library, report) = judged("unknown = \"freeze\"\n");
    assert_eq!((report.total.accepted, report.total.rejected), (1, 2));
    let said: Vec<_> = library.rejects().into_iter().map(|reject| (reject.code, reject.message)).collect();
    let frozen = |path: &str| ("unknown-field".to_owned(), format!("{path} is not declared"));
    assert_eq!(said, [frozen("parts[].bin"), frozen("mileage")]);
    // What stands beside the payload is no part of the contract.
    assert_eq!(report.unknown_fields.keys().collect::<Vec<_>>(), ["Serviced.envelope.sent"]);
}

#[test]
fn a_pipeline_may_not_want_to_hear_of_them() {
    let (library, report) = judged("unknown = \"ignore\"\n");
    assert_eq!(report.total.accepted, 3);
    assert_eq!(report.unknown_fields.keys().collect::<Vec<_>>(), ["Serviced.envelope.sent"]);
    assert_eq!(library.column("Serviced", "_unknown")[0], "{\"parts[0].bin\":\"B7\",\"mileage\":1.50}");
}
