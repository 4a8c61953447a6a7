//! Rows of a replay before and after → the days on which a table is another one now.

use super::super::calendar::Day;
use super::super::frame::NONE;
use super::super::relation::RowChanges;
use super::super::rows::{LedgerRows, LineRows, Made, Origins, Source};
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

/// What a night does to a table.
#[derive(Default)]
pub struct Changes {
    /// The days whose rows are others now.
    pub days: BTreeMap<Day, RowChanges>,
    /// By day: how many rows of the scope the release has.
    pub before: BTreeMap<Day, u64>,
}

/// Everything that makes a row what it is.
#[derive(PartialEq, Eq, Hash)]
struct Row<'a> {
    source: Source,
    is_line: bool,
    header: u32,
    header_source: Option<Source>,
    line: i64,
    /// Kind or status.
    kind: u16,
    day: Day,
    position: i64,
    item: i64,
    occurred_at: i64,
    keys: &'a [i64],
    reached: &'a [Day],
    values: Option<&'a [i128]>,
    origins: Option<&'a Origins>,
}

/// The rows of a table, and the header events that they take columns from.
pub struct Side<'a, R> {
    pub parts: Vec<&'a R>,
    pub header_sources: BTreeMap<u32, Source>,
}

/// How many of something a row has.
#[derive(Clone, Copy)]
pub struct Widths {
    pub roles: usize,
    pub measures: usize,
    pub milestones: usize,
}

/// The changes of a ledger.
pub fn of_ledger(old: &Side<'_, LedgerRows>, now: &Side<'_, LedgerRows>, widths: Widths) -> Changes {
    compare(ledger_rows(old, widths), ledger_rows(now, widths))
}

/// The changes of an accumulating table.
pub fn of_lines(old: &Side<'_, LineRows>, now: &Side<'_, LineRows>, widths: Widths) -> Changes {
    compare(line_rows(old, widths), line_rows(now, widths))
}

fn compare<'a>(old: impl Iterator<Item = Row<'a>>, now: impl Iterator<Item = Row<'a>>) -> Changes {
    let mut changes = Changes::default();
    let mut gone = HashSet::new();
    for row in old {
        *changes.before.entry(row.day).or_default() += 1;
        gone.insert(row);
    }
    let new: Vec<Row<'_>> = now.filter(|row| !gone.remove(row)).collect();
    let was: HashSet<Identity> = gone.iter().map(Row::identity).collect();
    let is: HashSet<Identity> = new.iter().map(Row::identity).collect();
    for row in new {
        let of_day = changes.days.entry(row.day).or_default();
        *if was.contains(&row.identity()) { &mut of_day.changed } else { &mut of_day.added } += 1;
    }
    for row in gone {
        let of_day = changes.days.entry(row.day).or_default();
        of_day.removed += u64::from(!is.contains(&row.identity()));
    }
    changes
}

impl Row<'_> {
    /// What tells the rows of a day apart, whatever else they say. The status of a line does not.
    fn identity(&self) -> Identity {
        let kind = if self.is_line { 0 } else { self.kind };
        (self.day, self.header, self.line, self.position, self.item, kind)
    }
}

type Identity = (Day, u32, i64, i64, i64, u16);

fn made(made: &Made, row: u32, width: usize) -> (Option<&[i128]>, Option<&Origins>) {
    if row == NONE {
        return (None, None);
    }
    let row = row as usize;
    (Some(&made.values[row * width..(row + 1) * width]), Some(&made.origins[row]))
}

fn ledger_rows<'a>(side: &'a Side<'_, LedgerRows>, widths: Widths) -> impl Iterator<Item = Row<'a>> {
    side.parts.iter().flat_map(move |rows| {
        (0..rows.source.len()).map(move |row| {
            let (values, origins) = made(&rows.made, rows.made_row[row], widths.measures);
            Row {
                source: rows.source[row],
                is_line: false,
                header: rows.header[row],
                header_source: side.header_sources.get(&rows.header[row]).copied(),
                line: rows.line[row],
                kind: rows.kind[row],
                day: rows.day[row],
                position: rows.position[row],
                item: rows.item[row],
                occurred_at: rows.occurred_at[row],
                keys: &rows.keys[row * widths.roles..(row + 1) * widths.roles],
                reached: &[],
                values,
                origins,
            }
        })
    })
}

fn line_rows<'a>(side: &'a Side<'_, LineRows>, widths: Widths) -> impl Iterator<Item = Row<'a>> {
    side.parts.iter().flat_map(move |rows| {
        (0..rows.source.len()).map(move |row| {
            let (values, origins) = made(&rows.made, rows.made_row[row], 2 * widths.measures);
            Row {
                source: rows.source[row],
                is_line: true,
                header: rows.header[row],
                header_source: side.header_sources.get(&rows.header[row]).copied(),
                line: rows.line[row],
                kind: rows.status[row],
                day: rows.day[row],
                position: rows.position[row],
                item: rows.item[row],
                occurred_at: 0,
                keys: &rows.keys[row * widths.roles..(row + 1) * widths.roles],
                reached: &rows.reached[row * widths.milestones..(row + 1) * widths.milestones],
                values,
                origins,
            }
        })
    })
}
