//! A JSON value → 64 bits that are equal for equal values (DESIGN 4).
//!
//! Independent of the order of keys and of the way strings and numbers are written. The hashes are
//! stored (`_content`), so what stands here is a format: changing it makes old events look changed.

use super::json::Number;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

const TEXT: u64 = 0x51ab_c0de_0000_0001;
const NUMBER: u64 = 0x51ab_c0de_0000_0002;
const LONG_NUMBER: u64 = 0x51ab_c0de_0000_0003;
const OBJECT: u64 = 0x51ab_c0de_0000_0004;
const LIST: u64 = 0x51ab_c0de_0000_0005;

/// The hash of `null`.
pub const NULL: u64 = 0x51ab_c0de_9e37_79b9;
const TRUE: u64 = 0x51ab_c0de_7f4a_7c15;
const FALSE: u64 = 0x51ab_c0de_f39c_c060;

/// Two hashes into one; the order counts. (The folded multiplication of wyhash.)
#[inline]
pub fn mix(left: u64, right: u64) -> u64 {
    let wide =
        u128::from(left ^ 0x2d35_8dcc_aa6c_78a5).wrapping_mul(u128::from(right ^ 0x8bb8_4b93_962e_acc9));
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A string, by its value.
#[inline]
pub fn text(value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, TEXT)
}

pub fn boolean(value: bool) -> u64 {
    if value { TRUE } else { FALSE }
}

/// A number, by its value: 1, 1.0 and 1e0 are one, and so are 0 and -0.
#[inline]
pub fn number(number: &Number<'_>) -> u64 {
    if !number.fits {
        let hash = xxh3_64_with_seed(&number.long_digits(), LONG_NUMBER);
        return mix(hash, (number.exponent as u64).wrapping_mul(2).wrapping_add(u64::from(number.negative)));
    }
    let (mantissa, exponent) = number.normal();
    let low = mix(mantissa as u64, NUMBER ^ ((mantissa >> 64) as u64));
    mix(low, (exponent as u64).wrapping_mul(2).wrapping_add(u64::from(number.negative)))
}

/// The 128 bits by which an id is known; a collision would make a false conflict, so 64 are too few.
#[inline]
pub fn id(value: &[u8]) -> u128 {
    xxh3_128(value)
}

/// The content of an event whose id is a text that looks like a number: not that of one whose id is the number.
pub fn of_text_id(content: u64) -> u64 {
    mix(content, TEXT)
}

/// The members of an object, in any order.
#[derive(Debug, Default, Clone, Copy)]
pub struct Members {
    sum: u64,
    count: u64,
}

impl Members {
    #[inline]
    pub fn add(&mut self, key: u64, value: u64) {
        self.sum = self.sum.wrapping_add(mix(key, value));
        self.count += 1;
    }

    #[inline]
    pub fn finish(self) -> u64 {
        mix(self.sum, OBJECT.wrapping_add(self.count))
    }
}

/// The items of a list, in order.
#[derive(Debug, Default, Clone, Copy)]
pub struct Items {
    hash: u64,
    count: u64,
}

impl Items {
    #[inline]
    pub fn add(&mut self, item: u64) {
        self.hash = mix(self.hash, item);
        self.count += 1;
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many items there are so far.
    #[inline]
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    #[inline]
    pub fn finish(self) -> u64 {
        mix(self.hash, LIST.wrapping_add(self.count))
    }
}
