//! The values of one field → what they look like, counted, and the narrowest type that takes them.

use crate::log::{Number, Value, is_date, moment, plain_decimal};

/// More digits than this behind the point were never meant by anyone.
const MOST_SCALE: u32 = 18;

/// What was seen of the values of one field, null left out.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub texts: u64,
    pub numbers: u64,
    pub booleans: u64,
    pub objects: u64,
    pub lists: u64,
    /// Numbers that are 64-bit integers.
    pub integers: u64,
    /// Numbers that a decimal can hold.
    pub exact: u64,
    /// Texts that read as numbers, and do not begin with a needless zero.
    pub decimal_texts: u64,
    /// Of these, those with a point.
    pub pointed_texts: u64,
    /// Texts of digits that begin with a zero: codes.
    pub zero_led: u64,
    pub dates: u64,
    pub instants: u64,
    /// Times that name no offset.
    pub local_instants: u64,
    /// Texts that could be the name of something: short, on one line, a letter first.
    pub names: u64,
    /// The most digits behind the point, and before it.
    pub scale: u32,
    pub whole: u32,
    pub largest: i64,
    pub smallest: i64,
}

/// What type a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Decimal {
        whole: u32,
        scale: u32,
    },
    Boolean,
    Date,
    Timestamp,
    /// No value was ever seen.
    Nothing,
    /// No type takes what was seen.
    Mixed,
}

impl Shape {
    pub fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.text(text),
            Value::Number(number) => {
                self.numbers += 1;
                self.number(number);
                self.exact += u64::from(number.fits);
                if let Ok(integer) = number.integer() {
                    let is_first = self.integers == 0;
                    self.largest = if is_first { integer } else { self.largest.max(integer) };
                    self.smallest = if is_first { integer } else { self.smallest.min(integer) };
                    self.integers += 1;
                }
            }
            Value::Boolean(_) => self.booleans += 1,
            Value::Object(_) => self.objects += 1,
            Value::List(_) => self.lists += 1,
            Value::Null => {}
        }
    }

    fn number(&mut self, number: &Number<'_>) {
        let digits = number.mantissa.checked_ilog10().map_or(1, |log| log + 1);
        let scale = u32::try_from(-number.exponent).unwrap_or(0);
        let more = u32::try_from(number.exponent).unwrap_or(0);
        self.scale = self.scale.max(scale);
        self.whole = self.whole.max(digits.saturating_add(more).saturating_sub(scale));
    }

    fn text(&mut self, text: &str) {
        self.texts += 1;
        let starts = text.chars().next().is_some_and(char::is_alphabetic);
        self.names += u64::from(starts && text.len() <= 100 && !text.contains(char::is_control));
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.zero_led += u64::from(digits && text.len() > 1 && text.starts_with('0'));
        if let Some(number) = plain_decimal(text).filter(|number| number.fits) {
            self.decimal_texts += 1;
            self.pointed_texts += u64::from(text.contains('.'));
            self.number(&number);
        } else if is_date(text) {
            self.dates += 1;
        } else if let Some((_, has_offset)) = moment(text) {
            *(if has_offset { &mut self.instants } else { &mut self.local_instants }) += 1;
        }
    }

    pub fn values(&self) -> u64 {
        self.texts + self.numbers + self.booleans + self.objects + self.lists
    }

    /// The narrowest type, and how many values it does not take: none of a few, one of twenty, up to one of a hundred of many.
    pub fn kind(&self, is_code: bool) -> (Kind, u64) {
        let values = self.values();
        let allowed = if values >= 20 { (values / 100).max(1) } else { 0 };
        let decimal = Kind::Decimal { whole: self.whole.max(1), scale: self.scale };
        let is_sane = self.scale <= MOST_SCALE && self.whole + self.scale <= 38;
        let numeric = self.exact + if self.zero_led == 0 && !is_code { self.decimal_texts } else { 0 };
        let candidates = [
            (Kind::Integer, self.integers, true),
            (Kind::Boolean, self.booleans, true),
            (Kind::Date, self.dates, true),
            (Kind::Timestamp, self.instants + self.local_instants, true),
            (decimal, numeric, is_sane && (self.exact > 0 || self.pointed_texts > 0)),
            (Kind::Text, self.texts, true),
        ];
        if values == 0 {
            return (Kind::Nothing, 0);
        }
        let fits =
            candidates.into_iter().filter(|(_, _, may)| *may).map(|(kind, taken, _)| (kind, values - taken));
        let all: Vec<(Kind, u64)> = fits.collect();
        let exactly = all.iter().find(|(_, odd)| *odd == 0);
        // A text takes every text: where one in a thousand is no date, the others are.
        let nearly = all.iter().find(|(_, odd)| *odd <= allowed);
        let found = match (exactly, nearly) {
            (Some((Kind::Text, _)), Some(nearly)) => Some(nearly),
            (exactly, nearly) => exactly.or(nearly),
        };
        found.copied().unwrap_or((Kind::Mixed, values))
    }
}

impl Kind {
    /// As a pipeline writes it.
    pub fn written(self) -> String {
        match self {
            Self::Text | Self::Nothing | Self::Mixed => "text".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Decimal { whole, scale } => decimal(whole, scale),
            Self::Boolean => "boolean".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal { .. })
    }

    /// Whether values name things: what a key may be.
    pub fn is_name(self) -> bool {
        matches!(self, Self::Text | Self::Integer)
    }

    /// One type for two fields of one name, if there is any.
    pub fn with(self, other: Self) -> Option<Self> {
        use Kind::{Date, Decimal, Integer, Nothing, Text, Timestamp};
        Some(match (self, other) {
            (one, same) if one == same => one,
            (Nothing, other) | (other, Nothing) => other,
            (Decimal { whole, scale }, Decimal { whole: other, scale: more }) => {
                Decimal { whole: whole.max(other), scale: scale.max(more) }
            }
            (Integer, decimal @ Decimal { .. }) | (decimal @ Decimal { .. }, Integer) => decimal,
            (Text | Date | Timestamp, Text | Date | Timestamp) => Text,
            _ => return None,
        })
    }
}

/// Eighteen digits, or as many as leave room for a thousand times what was seen.
pub fn decimal(whole: u32, scale: u32) -> String {
    let precision = (whole + scale + 3).clamp(18, 38);
    format!("decimal({precision},{scale})")
}
