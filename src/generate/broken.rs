//! Broken lines, each wrong in one way that no reading of the log's contract lets pass.
//!
//! Their `seq` lies far above those of events, so that none takes an event's place; where it is an event's
//! own, that is the flaw.

use super::random::Random;

/// What is wrong with a line.
#[derive(Clone, Copy)]
enum Flaw {
    Cut,
    NoJson,
    NotAnObject,
    Array,
    TwoObjects,
    DuplicateKey,
    BadUtf8,
    UnknownType,
    UnknownVersion,
    MissingField,
    NullField,
    WrongType,
    BadMoney,
    TooManyDecimals,
    BadTime,
    NoId,
    IdConflict,
}

const FLAWS: [Flaw; 17] = [
    Flaw::Cut,
    Flaw::NoJson,
    Flaw::NotAnObject,
    Flaw::Array,
    Flaw::TwoObjects,
    Flaw::DuplicateKey,
    Flaw::BadUtf8,
    Flaw::UnknownType,
    Flaw::UnknownVersion,
    Flaw::MissingField,
    Flaw::NullField,
    Flaw::WrongType,
    Flaw::BadMoney,
    Flaw::TooManyDecimals,
    Flaw::BadTime,
    Flaw::NoId,
    Flaw::IdConflict,
];

impl Flaw {
    fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::NoJson => "no-json",
            Self::NotAnObject => "not-an-object",
            Self::Array => "array",
            Self::TwoObjects => "two-objects",
            Self::DuplicateKey => "duplicate-key",
            Self::BadUtf8 => "bad-utf8",
            Self::UnknownType => "unknown-type",
            Self::UnknownVersion => "unknown-version",
            Self::MissingField => "missing-field",
            Self::NullField => "null-field",
            Self::WrongType => "wrong-type",
            Self::BadMoney => "bad-money",
            Self::TooManyDecimals => "too-many-decimals",
            Self::BadTime => "bad-time",
            Self::NoId => "no-id",
            Self::IdConflict => "id-conflict",
        }
    }
}

/// Makes broken lines out of good ones.
pub struct Breaker {
    random: Random,
    made: u64,
}

impl Breaker {
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed, 3), made: 0 }
    }

    /// Adds a broken line to the bytes that end with this good one, and says what is wrong with it. The
    /// flaws take turns.
    pub fn add_broken(&mut self, good: &str, bytes: &mut Vec<u8>) -> &'static str {
        let flaw = FLAWS[(self.made % FLAWS.len() as u64) as usize];
        self.made += 1;
        let good = good.trim_end();
        match flaw {
            Flaw::Cut => {
                let middle = good.floor_char_boundary(self.random.between(9, good.len() as u64 - 2) as usize);
                bytes.extend_from_slice(&good.as_bytes()[..middle]);
            }
            Flaw::BadUtf8 => {
                // Latin-1, as an old till would write it.
                let line = self.event(good, "DepartmentRenamed", r#""department_id":"D1","name":"K?se""#);
                bytes.extend(line.bytes().map(|byte| if byte == b'?' { 0xE4 } else { byte }));
            }
            _ => bytes.extend_from_slice(self.text(flaw, good).as_bytes()),
        }
        bytes.push(b'\n');
        flaw.name()
    }

    fn text(&self, flaw: Flaw, good: &str) -> String {
        let shipped = r#""order_id":"O1","carrier":"DHL""#;
        match flaw {
            Flaw::Cut | Flaw::BadUtf8 | Flaw::NoJson => "ERROR connection reset by peer, retrying".to_owned(),
            Flaw::NotAnObject => "null".to_owned(),
            Flaw::Array => format!("[{good}]"),
            Flaw::TwoObjects => format!("{good}{good}"),
            Flaw::DuplicateKey => {
                self.event(good, "OrderShipped", r#""order_id":"O1","order_id":"O2","carrier":"DHL""#)
            }
            Flaw::UnknownType => self.event(good, "OrderTeleported", shipped),
            Flaw::UnknownVersion => {
                self.event(good, "OrderShipped", shipped).replace(r#""version":1"#, r#""version":99"#)
            }
            Flaw::MissingField => self.event(good, "OrderShipped", r#""carrier":"DHL""#),
            Flaw::NullField => self.event(good, "OrderShipped", r#""order_id":null,"carrier":"DHL""#),
            Flaw::WrongType => self.event(
                good,
                "OrderLineQuantityChanged",
                r#""order_id":"O1","line_no":1,"quantity":"three","discount":"0.00""#,
            ),
            Flaw::BadMoney => {
                self.event(good, "ProductPriceChanged", r#""product_id":"P10001","unit_price":"12,34""#)
            }
            Flaw::TooManyDecimals => {
                self.event(good, "ProductPriceChanged", r#""product_id":"P10001","unit_price":"12.345""#)
            }
            Flaw::BadTime => {
                let line = self.event(good, "OrderShipped", shipped);
                line.replace(time(good), "2023-13-32T25:61:00.000Z")
            }
            Flaw::NoId => {
                let line = self.event(good, "OrderShipped", shipped);
                line.replace(&format!("\"seq\":{},", self.seq()), "")
            }
            Flaw::IdConflict => {
                let line = self.event(good, "OrderShipped", r#""order_id":"O1","carrier":"nobody""#);
                line.replace(&format!("{{\"seq\":{},", self.seq()), before(good, "\"event_type\""))
            }
        }
    }

    /// An event of the same instant, with a `seq` of its own.
    fn event(&self, good: &str, event_type: &str, payload: &str) -> String {
        let (seq, time) = (self.seq(), time(good));
        format!(
            r#"{{"seq":{seq},"event_type":"{event_type}","version":1,"timestamp":"{time}","payload":{{{payload}}}}}"#
        )
    }

    fn seq(&self) -> u64 {
        9_000_000_000_000 + self.made
    }
}

/// The timestamp of a line.
fn time(good: &str) -> &str {
    let (_, rest) = good.split_once("\"timestamp\":\"").unwrap_or_default();
    before(rest, "\"")
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(before, _)| before)
}
