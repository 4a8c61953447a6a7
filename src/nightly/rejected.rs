//! The rejects of a log → how many there are by code, with an example each; or one by one.

use crate::error::Result;
use crate::log::{self, Reject, RejectFile};
use crate::warehouse::Warehouse;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The rejects of a log.
#[derive(Debug, Clone, Serialize)]
pub struct Rejected {
    /// Rejects that wait.
    pub waiting: u64,
    /// Those that have been put back.
    pub requeued: u64,
    /// The most frequent first.
    pub codes: Vec<RejectedCode>,
}

/// The rejects with one code.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedCode {
    pub code: String,
    pub waiting: u64,
    pub requeued: u64,
    /// How many of those that wait are of each declared type; those that name none are not in it.
    pub events: BTreeMap<String, u64>,
    /// The first that waits, or else the first of all.
    pub example: RejectedLine,
}

/// One reject.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedLine {
    /// Among all rejects of the log, from 1.
    pub number: u64,
    pub code: String,
    /// Its type, where it names one that is declared.
    pub event: Option<String>,
    pub message: String,
    /// As the log names it.
    pub file: String,
    /// Where that file was read last.
    pub place: Option<String>,
    pub line: u64,
    /// Of its first byte, in the decompressed file.
    pub offset: u64,
    /// What it became when it was put back: `accepted`, `duplicate` or `ignored`.
    pub requeued: Option<String>,
    /// The position at which it came in then.
    pub position: Option<u64>,
    /// The line, if it is UTF-8.
    pub raw: Option<String>,
    /// The line in hexadecimal digits, if it is not.
    pub raw_hex: Option<String>,
    /// The line.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// The rejects of the warehouse in this folder, by code. Sees what no release shows yet.
///
/// # Errors
/// The folder is no warehouse, or its log cannot be read.
pub fn rejected(dir: &Path) -> Result<Rejected> {
    let log = Warehouse::open(dir)?.log_dir();
    let mut codes = by_code(&log::reject_files(&log)?, |_| true)?;
    let places = log::places(&log)?;
    codes.iter_mut().for_each(|code| code.example.find(&places));
    Ok(Rejected {
        waiting: codes.iter().map(|code| code.waiting).sum(),
        requeued: codes.iter().map(|code| code.requeued).sum(),
        codes,
    })
}

/// Hands out the rejects that are wanted, in the order of arrival, until it is told `false`.
///
/// # Errors
/// As for [`rejected`], and those of `tell`.
pub fn each_reject(
    dir: &Path,
    is_wanted: impl Fn(&RejectedLine) -> bool,
    mut tell: impl FnMut(RejectedLine) -> Result<bool>,
) -> Result<()> {
    let log = Warehouse::open(dir)?.log_dir();
    let places = log::places(&log)?;
    for file in log::reject_files(&log)? {
        for reject in file.read()? {
            let mut line = RejectedLine::from(reject?);
            line.find(&places);
            if is_wanted(&line) && !tell(line)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Counts those that are meant.
pub(super) fn by_code(files: &[RejectFile], is_meant: impl Fn(&Reject) -> bool) -> Result<Vec<RejectedCode>> {
    let mut codes: BTreeMap<String, RejectedCode> = BTreeMap::new();
    for file in files {
        for reject in file.read()? {
            let reject = reject?;
            if !is_meant(&reject) {
                continue;
            }
            let (waits, event) = (reject.requeued.is_none(), reject.event.clone());
            let known = codes.get(&reject.code).is_some_and(|code| code.waiting > 0 || !waits);
            let code = match known {
                true => codes.get_mut(&reject.code),
                false => {
                    let example = RejectedLine::from(reject.clone());
                    let code = codes.entry(reject.code.clone()).or_insert_with(|| RejectedCode {
                        code: reject.code,
                        waiting: 0,
                        requeued: 0,
                        events: BTreeMap::new(),
                        example: example.clone(),
                    });
                    code.example = example;
                    Some(code)
                }
            };
            let Some(code) = code else { continue };
            code.waiting += u64::from(waits);
            code.requeued += u64::from(!waits);
            if let Some(event) = event.filter(|_| waits) {
                *code.events.entry(event).or_default() += 1;
            }
        }
    }
    let mut codes: Vec<RejectedCode> = codes.into_values().collect();
    codes.sort_by(|one, other| (other.waiting, &one.code).cmp(&(one.waiting, &other.code)));
    Ok(codes)
}

impl RejectedLine {
    /// The log knows its files by names; whoever looks a line up needs the place.
    fn find(&mut self, places: &BTreeMap<String, String>) {
        self.place = places.get(&self.file).cloned();
    }
}

impl From<Reject> for RejectedLine {
    fn from(reject: Reject) -> Self {
        let raw = String::from_utf8(reject.raw.clone()).ok();
        let hex = || reject.raw.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            number: reject.number,
            code: reject.code,
            event: reject.event,
            message: reject.message,
            file: reject.file,
            place: None,
            line: reject.line,
            offset: reject.offset,
            requeued: reject.requeued,
            position: reject.position,
            raw_hex: raw.is_none().then(hex),
            raw,
            bytes: reject.raw,
        }
    }
}
