//! How events travel: which day's file a line reaches, how often, and next to which broken ones.
//!
//! Never changes what happened: the lines without duplicates and broken ones are the same for all shares.

use super::broken::Breaker;
use super::pen::{DAY, Millis};
use super::random::Random;
use super::{Options, Summary};
use crate::error::{Error, Result};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The most days that an event is late.
const LATEST_DAYS: u32 = 30;
/// The most days after which a line is repeated.
const LATEST_REPEAT_DAYS: u32 = 3;
/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// A line on its way: the instant of its day at which it arrives, a number that decides between equal
/// instants, whether it may still be repeated, and its bytes.
type Parcel = Reverse<(Millis, u64, bool, Box<str>)>;

/// The files of the log, one day open at a time.
pub struct Delivery<'a> {
    options: &'a Options,
    folder: &'a Path,
    random: Random,
    breaker: Breaker,
    day: u32,
    sent: u64,
    /// Today first.
    under_way: VecDeque<BinaryHeap<Parcel>>,
    file: Option<(PathBuf, File)>,
    buffer: Vec<u8>,
}

impl<'a> Delivery<'a> {
    pub fn new(options: &'a Options, folder: &'a Path) -> Self {
        Self {
            options,
            folder,
            random: Random::new(options.seed, 2),
            breaker: Breaker::new(options.seed),
            day: 0,
            sent: 0,
            under_way: VecDeque::new(),
            file: None,
            buffer: Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4),
        }
    }

    /// Opens the file of the next day.
    pub fn open(&mut self, day: u32, date: &str) -> Result<()> {
        let path = self.folder.join(format!("{date}.ndjson"));
        let file = File::create_new(&path).map_err(|error| Error::io("create", &path, error))?;
        self.file = Some((path, file));
        if day > self.day {
            self.under_way.pop_front();
        }
        if self.under_way.is_empty() {
            self.under_way.push_back(BinaryHeap::new());
        }
        self.day = day;
        Ok(())
    }

    /// Takes over an event that happened at this instant of today, and everything that arrives before it.
    pub fn hand_in(&mut self, line: &str, time: Millis, summary: &mut Summary) -> Result<()> {
        self.receive(time, summary)?;
        let days_left = self.options.days - 1 - self.day;
        if days_left > 0 && self.random.hits(self.options.late) {
            let days = self.random.between(1, u64::from(days_left.min(LATEST_DAYS)));
            let arrival = self.random.below(u64::from(DAY)) as Millis;
            self.send(days as usize, arrival, true, line);
            summary.late += 1;
            return Ok(());
        }
        self.put(line, time, true, summary)
    }

    /// Ends the day's file, with all that still arrives on it.
    pub fn close(&mut self, summary: &mut Summary) -> Result<()> {
        self.receive(DAY, summary)?;
        self.flush(summary)?;
        self.file = None;
        summary.files += 1;
        Ok(())
    }

    /// Puts down what was under way and arrives up to an instant of today.
    fn receive(&mut self, time: Millis, summary: &mut Summary) -> Result<()> {
        while let Some(Reverse((arrival, _, original, line))) = self.next_arrival(time) {
            self.put(&line, arrival, original, summary)?;
        }
        Ok(())
    }

    fn next_arrival(&mut self, time: Millis) -> Option<Parcel> {
        let today = self.under_way.front_mut()?;
        let Reverse((arrival, ..)) = today.peek()?;
        if *arrival <= time { today.pop() } else { None }
    }

    /// Puts a line into the open file. Only an original is ever repeated or has broken lines behind it.
    fn put(&mut self, line: &str, time: Millis, original: bool, summary: &mut Summary) -> Result<()> {
        self.buffer.extend_from_slice(line.as_bytes());
        summary.lines += 1;
        if original && self.random.hits(self.options.duplicates) {
            let days_left = self.options.days - 1 - self.day;
            let days = self.random.between(0, u64::from(days_left.min(LATEST_REPEAT_DAYS)));
            let from = if days == 0 { time } else { 0 };
            let arrival = from + self.random.below(u64::from(DAY - from)) as Millis;
            self.send(days as usize, arrival, false, line);
            summary.duplicates += 1;
        }
        if original && self.random.hits(self.options.bad) {
            let flaw = self.breaker.add_broken(line, &mut self.buffer);
            *summary.bad.entry(flaw).or_default() += 1;
            summary.lines += 1;
        }
        if self.buffer.len() >= BUFFER_BYTES { self.flush(summary) } else { Ok(()) }
    }

    fn send(&mut self, days: usize, arrival: Millis, original: bool, line: &str) {
        if self.under_way.len() <= days {
            self.under_way.resize_with(days + 1, BinaryHeap::new);
        }
        self.sent += 1;
        self.under_way[days].push(Reverse((arrival, self.sent, original, line.into())));
    }

    fn flush(&mut self, summary: &mut Summary) -> Result<()> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.write_all(&self.buffer).map_err(|error| Error::io("write", path, error))?;
        summary.size_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
