//! Durations → median and quartiles, and ratios within one run.

use super::report::{Ratio, Spread};
use std::time::Duration;

/// What time it is, by a clock that only runs on. The program's own reads the machine's; a test's may be told.
pub trait Clock: Sync {
    /// The time since some beginning.
    fn now(&self) -> Duration;
}

/// How long some work takes.
pub fn timed<T>(clock: &dyn Clock, work: impl FnOnce() -> T) -> (T, u64) {
    let before = clock.now();
    let done = work();
    let took = clock.now().saturating_sub(before);
    (done, u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}

/// The spread of durations in microseconds.
pub fn spread(durations_us: &[u64]) -> Spread {
    let mut sorted = durations_us.to_vec();
    sorted.sort_unstable();
    let at = |share: f64| {
        let values: Vec<f64> = sorted.iter().map(|value| *value as f64).collect();
        quantile(&values, share).round() as u64
    };
    Spread { median_us: at(0.5), lower_us: at(0.25), upper_us: at(0.75), least_us: at(0.0), most_us: at(1.0) }
}

/// Ratios of durations of the same runs.
pub fn ratio(durations_us: &[u64], of_first_us: &[u64]) -> Ratio {
    let pairs = durations_us.iter().zip(of_first_us);
    let mut ratios: Vec<f64> = pairs.map(|(one, first)| *one as f64 / (*first).max(1) as f64).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| rounded(quantile(&ratios, share));
    Ratio { median: at(0.5), lower: at(0.25), upper: at(0.75) }
}

/// To three decimals, so that what is written is what is meant.
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Of sorted values, in between where it falls between two.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let below = place.floor();
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or_default();
    let (low, high) = (value(below), value(place.ceil()));
    low + (high - low) * (place - below)
}
