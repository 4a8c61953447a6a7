//! The rhythm of the shop: how many orders a day has, at which hour they come, how often members change.

use super::Options;
use super::pen::{HOUR, Millis};
use super::random::Random;
use chrono::{Datelike, Days, NaiveDate};

/// Orders by weekday from Monday, in percent of an average day.
const WEEKDAYS: [u64; 7] = [95, 90, 95, 100, 120, 140, 60];
/// Orders by month from January, in percent of an average month.
const MONTHS: [u64; 12] = [85, 80, 90, 95, 100, 100, 90, 90, 95, 100, 130, 145];
/// Orders by hour of the day, UTC, of a hundred.
const HOURS: [u64; 24] = [1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 8, 8, 7, 6, 6, 6, 7, 8, 8, 6, 4, 2, 1, 1];

/// A day's weight, from its weekday and its month.
fn weight(date: NaiveDate) -> u64 {
    WEEKDAYS[date.weekday().num_days_from_monday() as usize] * MONTHS[date.month0() as usize]
}

/// The days of a log, with the orders of each.
pub struct Calendar {
    start: NaiveDate,
    days: u32,
    orders: u64,
    weight_of_all: u64,
    weight_so_far: u64,
}

impl Calendar {
    pub fn new(options: &Options) -> Self {
        let mut calendar = Self {
            start: options.start,
            days: options.days,
            orders: options.orders,
            weight_of_all: 0,
            weight_so_far: 0,
        };
        calendar.weight_of_all = (0..options.days).map(|day| weight(calendar.date(day))).sum();
        calendar
    }

    /// The date of a day, counted from 0.
    pub fn date(&self, day: u32) -> NaiveDate {
        self.start.checked_add_days(Days::new(u64::from(day))).unwrap_or(NaiveDate::MAX)
    }

    /// The number of orders on a day. To be asked once for each day, in order: the days add up to all.
    pub fn orders_of(&mut self, day: u32) -> u64 {
        let before = self.share(self.weight_so_far);
        self.weight_so_far += weight(self.date(day));
        self.share(self.weight_so_far) - before
    }

    fn share(&self, weight: u64) -> u64 {
        let orders = u128::from(self.orders) * u128::from(weight) / u128::from(self.weight_of_all);
        orders as u64
    }

    /// How many of `total` events fall on the days from `from` to `to`, without `to`; `phase` of a hundred
    /// moves the first one away from the first day.
    pub fn quota(&self, total: u64, phase: u64, from: u32, to: u32) -> u64 {
        let days = u64::from(self.days);
        let until = |day: u32| (total * u64::from(day) + days * phase / 100) / days;
        until(to) - until(from)
    }

    /// How many events so many members have in all, at so many a thousand members and year; never fewer
    /// than `at_least`, so that a small log shows every kind.
    pub fn yearly(&self, members: u64, per_mille: u64, at_least: u64) -> u64 {
        (members * per_mille * u64::from(self.days) / 365_000).max(at_least)
    }
}

/// The instant of an order.
pub fn order_time(random: &mut Random) -> Millis {
    let mut chance = random.below(HOURS.iter().sum());
    let mut hour = 0;
    while chance >= HOURS[hour] {
        chance -= HOURS[hour];
        hour += 1;
    }
    hour as Millis * HOUR + random.below(u64::from(HOUR)) as Millis
}

/// An instant at which people in offices change things.
pub fn office_time(random: &mut Random) -> Millis {
    7 * HOUR + random.below(u64::from(9 * HOUR)) as Millis
}
