//! Numbers that look random and are the same everywhere: SplitMix64 (Steele, Lea, Flood 2014).

use super::Share;

/// A stream of numbers.
pub struct Random {
    state: u64,
}

impl Random {
    /// Streams of one seed with different names have nothing in common.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { state: mix(seed ^ mix(stream)) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// A number from 0 to `n` - 1; 0 if there is none. `n` below 2³².
    pub fn below(&mut self, n: u64) -> u64 {
        ((self.next() >> 32) * n) >> 32
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Like `below`, but small numbers are far more frequent: the first percent is drawn in a tenth of
    /// all cases, as a shop has its best sellers and its regulars.
    pub fn skewed(&mut self, n: u64) -> u64 {
        let uniform = self.next() >> 32;
        (((uniform * uniform) >> 32) * n) >> 32
    }

    /// True in so many of a thousand cases.
    pub fn per_mille(&mut self, chances: u64) -> bool {
        self.below(1000) < chances
    }

    /// True in this share of all cases.
    pub fn hits(&mut self, share: Share) -> bool {
        share != Share::NONE && self.below(1_000_000) < u64::from(share.parts_per_million())
    }

    /// An index into a slice of this length.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One of these, which must not be empty.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }
}

/// A number that depends on every bit of another.
pub fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
