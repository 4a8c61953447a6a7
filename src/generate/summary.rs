//! What was generated, and what a right warehouse will say of it.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Counts of a generated log, and the truths that its tables must show to the cent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// One for each day.
    pub files: u64,
    /// Lines in all files: events, duplicates and broken ones.
    pub lines: u64,
    /// Bytes in all files.
    pub size_bytes: u64,
    /// Events by type, each counted once; `seq` runs from 1 to their sum without a gap.
    pub events: BTreeMap<&'static str, u64>,
    /// Events that stand in the file of a later day.
    pub late: u64,
    /// Lines that repeat an earlier one.
    pub duplicates: u64,
    /// Broken lines by what is wrong with them.
    pub bad: BTreeMap<&'static str, u64>,
    /// What the ledger must hold, by kind of row.
    pub ledger: Ledger,
    /// Placed lines by the department id to which their product belonged when they were placed.
    pub placed_by_department: BTreeMap<String, Totals>,
    /// Placed lines by the country in which their store stood when they were placed.
    pub placed_by_country: BTreeMap<&'static str, Totals>,
    /// Placed lines of orders without a customer.
    pub placed_by_guests: Totals,
    /// Units times the product's list price when they were placed, whatever the customer paid.
    pub placed_at_list_price_cents: i64,
}

/// Sums by the kind of ledger row, signed as in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    pub placed: Totals,
    /// Old lines taken out and new ones put in: two rows for each amendment.
    pub amended: Totals,
    /// Negative: whole orders, as amended by then.
    pub cancelled: Totals,
    /// Negative. A part of a line takes its part of the discount, to the nearest cent; no half cent occurs.
    pub returned: Totals,
}

/// Exact sums, in units and cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub rows: u64,
    pub quantity: i64,
    pub gross_cents: i64,
    pub discount_cents: i64,
}

impl Totals {
    /// What is paid: gross less discount.
    #[must_use]
    pub fn net_cents(&self) -> i64 {
        self.gross_cents - self.discount_cents
    }

    /// Adds one row or several.
    pub(super) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.quantity += other.quantity;
        self.gross_cents += other.gross_cents;
        self.discount_cents += other.discount_cents;
    }

    /// The same rows with the other sign.
    pub(super) fn reversed(self) -> Self {
        Self {
            rows: self.rows,
            quantity: -self.quantity,
            gross_cents: -self.gross_cents,
            discount_cents: -self.discount_cents,
        }
    }
}

impl Summary {
    /// All events, duplicates not counted.
    #[must_use]
    pub fn all_events(&self) -> u64 {
        self.events.values().sum()
    }

    /// All broken lines.
    #[must_use]
    pub fn all_bad(&self) -> u64 {
        self.bad.values().sum()
    }

    /// The net amount over the whole ledger.
    #[must_use]
    pub fn net_cents(&self) -> i64 {
        let Ledger { placed, amended, cancelled, returned } = &self.ledger;
        [placed, amended, cancelled, returned].iter().map(|totals| totals.net_cents()).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} files, {} lines, {} bytes", self.files, self.lines, self.size_bytes)?;
        writeln!(
            formatter,
            "{} events, {} of them late; {} duplicates, {} broken lines",
            self.all_events(),
            self.late,
            self.duplicates,
            self.all_bad()
        )?;
        for (event_type, count) in &self.events {
            writeln!(formatter, "  {event_type:<26} {count:>12}")?;
        }
        let Ledger { placed, amended, cancelled, returned } = &self.ledger;
        for (kind, totals) in
            [("placed", placed), ("amended", amended), ("cancelled", cancelled), ("returned", returned)]
        {
            let net = euros(totals.net_cents());
            writeln!(formatter, "{kind:<10} {:>12} rows  net {net:>18}", totals.rows)?;
        }
        Ok(())
    }
}

fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}
