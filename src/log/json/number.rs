//! JSON numbers: judge the grammar, keep the exact value. No float is ever made.

use crate::log::reject::{Code, Flaw};

/// A number: `mantissa × 10^exponent`, exactly.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    /// As it was written.
    pub raw: &'a [u8],
    /// Never set for zero.
    pub negative: bool,
    /// The significant digits, if they fit (`fits`).
    pub mantissa: u128,
    /// Saturates, far beyond any range that is declared anywhere.
    pub exponent: i64,
    /// False beyond 38 significant digits.
    pub fits: bool,
}

/// Reads the number at the start of these bytes, which is known to begin with a digit or a minus.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<Number<'_>, Flaw> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let mut at = start;
    let mut short = 0_u64;
    let mut digits = 0_u32;
    let digit = |at: usize| bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10);
    while let Some(value) = digit(at) {
        short = short.wrapping_mul(10).wrapping_add(u64::from(value));
        digits += 1;
        at += 1;
    }
    let whole = at;
    if digits == 0 {
        return Err(Flaw::new(Code::JsonSyntax, "a number without digits"));
    }
    if digits > 1 && bytes.get(start) == Some(&b'0') {
        return Err(Flaw::new(Code::JsonSyntax, "a number with leading zeros"));
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        while let Some(value) = digit(at) {
            short = short.wrapping_mul(10).wrapping_add(u64::from(value));
            digits += 1;
            at += 1;
        }
        if at == whole + 1 {
            return Err(Flaw::new(Code::JsonSyntax, "a number that ends with its point"));
        }
    }
    let mantissa_end = at;
    let mut exponent = -i64::try_from((mantissa_end - whole).saturating_sub(1)).unwrap_or(i64::MAX);
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        let minus = bytes.get(at) == Some(&b'-');
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        let first = at;
        let mut power = 0_i64;
        while let Some(value) = digit(at) {
            power = power.saturating_mul(10).saturating_add(i64::from(value));
            at += 1;
        }
        if at == first {
            return Err(Flaw::new(Code::JsonSyntax, "a number with an empty exponent"));
        }
        exponent = exponent.saturating_add(if minus { -power } else { power });
    }
    let raw = bytes.get(..at).unwrap_or_default();
    if digits <= 19 {
        let number = Number { raw, negative, mantissa: u128::from(short), exponent, fits: true };
        return Ok(number.without_negative_zero());
    }
    Ok(long(raw, negative, bytes.get(start..mantissa_end).unwrap_or_default(), exponent))
}

/// A number of twenty digits or more: leading and trailing zeros do not count against the 38.
fn long<'a>(raw: &'a [u8], negative: bool, written: &[u8], exponent: i64) -> Number<'a> {
    let mut mantissa = 0_u128;
    let mut zeros = 0_i64;
    let mut fits = true;
    for &byte in written.iter().filter(|byte| byte.is_ascii_digit()) {
        if byte == b'0' {
            zeros = zeros.saturating_add(i64::from(mantissa != 0 || !fits));
            continue;
        }
        let shift = u32::try_from(zeros + 1).unwrap_or(u32::MAX);
        zeros = 0;
        match 10_u128
            .checked_pow(shift)
            .and_then(|power| mantissa.checked_mul(power))
            .and_then(|shifted| shifted.checked_add(u128::from(byte - b'0')))
            .filter(|&value| fits && value < 10_u128.pow(38))
        {
            Some(value) => mantissa = value,
            None => fits = false,
        }
    }
    Number { raw, negative, mantissa, exponent: exponent.saturating_add(zeros), fits }.without_negative_zero()
}

impl From<i64> for Number<'static> {
    /// A number that was not written anywhere.
    fn from(value: i64) -> Self {
        let (negative, mantissa) = (value < 0, u128::from(value.unsigned_abs()));
        Self { raw: &[], negative, mantissa, exponent: 0, fits: true }
    }
}

impl Number<'_> {
    fn without_negative_zero(mut self) -> Self {
        if self.mantissa == 0 && self.fits {
            self.negative = false;
            self.exponent = 0;
        }
        self
    }

    /// The same value for 1, 1.0 and 10e-1: no trailing zeros in the mantissa.
    #[must_use]
    pub fn normal(&self) -> (u128, i64) {
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        if mantissa == 0 {
            return (0, 0);
        }
        if let Ok(mut small) = u64::try_from(mantissa) {
            while small.is_multiple_of(10) {
                small /= 10;
                exponent = exponent.saturating_add(1);
            }
            return (u128::from(small), exponent);
        }
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        (mantissa, exponent)
    }

    /// The significant digits of a number that has more of them than a mantissa.
    #[must_use]
    pub fn long_digits(&self) -> Vec<u8> {
        let written = self.raw.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
        let digits: Vec<u8> = written.iter().copied().filter(u8::is_ascii_digit).collect();
        let start = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
        let end = digits.iter().rposition(|&digit| digit != b'0').map_or(start, |at| at + 1);
        digits.get(start..end).unwrap_or_default().to_vec()
    }

    /// Writes it as every number of its value is written: 7 and 7.0 as 7e0.
    pub fn write_normal(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        let exponent = if self.fits {
            let (mantissa, exponent) = self.normal();
            out.extend_from_slice(mantissa.to_string().as_bytes());
            exponent
        } else {
            out.extend_from_slice(&self.long_digits());
            self.exponent
        };
        out.extend_from_slice(format!("e{exponent}").as_bytes());
    }

    /// The value times ten to the power of `scale`.
    ///
    /// # Errors
    /// `scale` if that is no integer, `range` if it has more digits than `precision`.
    #[inline]
    pub fn scaled(&self, precision: u8, scale: u8) -> Result<i128, Code> {
        if !self.fits {
            return Err(if self.exponent.saturating_add(i64::from(scale)) < 0 {
                Code::Scale
            } else {
                Code::Range
            });
        }
        let limit = POWERS.get(usize::from(precision)).copied().unwrap_or(u128::MAX);
        let mut shift = self.exponent.saturating_add(i64::from(scale));
        let mut mantissa = self.mantissa;
        if shift < 0 {
            let (normal, exponent) = self.normal();
            mantissa = normal;
            shift = exponent.saturating_add(i64::from(scale));
            if shift < 0 {
                return Err(Code::Scale);
            }
        }
        let power = usize::try_from(shift).ok().and_then(|shift| POWERS.get(shift)).copied();
        let unscaled = match power {
            _ if mantissa == 0 => 0,
            Some(power) => mantissa.checked_mul(power).filter(|&value| value < limit).ok_or(Code::Range)?,
            None => return Err(Code::Range),
        };
        let value = i128::try_from(unscaled).map_err(|_| Code::Range)?;
        Ok(if self.negative { -value } else { value })
    }

    /// The value as a 64-bit integer; 1.0 and 1e2 are integers.
    ///
    /// # Errors
    /// `not-integer` or `range`.
    #[inline]
    pub fn integer(&self) -> Result<i64, Code> {
        let value = self.scaled(38, 0).map_err(|code| match code {
            Code::Scale => Code::NotInteger,
            other => other,
        })?;
        i64::try_from(value).map_err(|_| Code::Range)
    }
}

/// Powers of ten, up to the largest that a decimal may need.
static POWERS: [u128; 39] = {
    let mut powers = [1_u128; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};
