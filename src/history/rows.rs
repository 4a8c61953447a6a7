//! Fact rows on their way from the replay to the tables: narrow columns, and where the wide ones are found.

use super::calendar::Day;
use smallvec::SmallVec;

/// An item of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    pub binding: u32,
    pub event: u32,
    pub item: u32,
}

/// Where a row's columns are to be found, the newest first: its event, amendments of its line, the placing.
pub type Origins = SmallVec<[Source; 2]>;

/// Rows of a ledger, in the order of the replay.
#[derive(Default)]
pub struct LedgerRows {
    pub source: Vec<Source>,
    pub position: Vec<i64>,
    pub item: Vec<i64>,
    /// [`NONE`]: the row belongs to no header.
    pub header: Vec<u32>,
    /// The line's rank; [`super::binding::NO_LINE`]: none.
    pub line: Vec<i64>,
    pub kind: Vec<u16>,
    pub day: Vec<Day>,
    /// UTC microseconds.
    pub occurred_at: Vec<i64>,
    /// One for each role.
    pub keys: Vec<i64>,
    /// Row of `made`, or [`NONE`]: the measures are those that the source states.
    pub made_row: Vec<u32>,
    pub made: Made,
}

/// Measures that the replay computed, and the items that columns are taken from.
#[derive(Default)]
pub struct Made {
    /// One for each measure.
    pub values: Vec<i128>,
    pub origins: Vec<Origins>,
}

/// Rows of an accumulating table: one for each line of each header.
#[derive(Default)]
pub struct LineRows {
    pub source: Vec<Source>,
    pub header: Vec<u32>,
    pub line: Vec<i64>,
    pub status: Vec<u16>,
    /// The day of the first placing: the partition.
    pub day: Vec<Day>,
    /// The position of the first placing, and the place in its list.
    pub position: Vec<i64>,
    pub item: Vec<i64>,
    pub keys: Vec<i64>,
    /// One for each milestone; [`NOT_REACHED`] where it is not.
    pub reached: Vec<Day>,
    /// Row of `made` (which holds the placed measures, then what is left of all), or [`NONE`]:
    /// the line is as its source placed it.
    pub made_row: Vec<u32>,
    pub made: Made,
}

/// The day of a milestone that was not reached.
pub const NOT_REACHED: Day = Day::MIN;

/// A row of a table: the part of the replay that made it, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowId {
    pub part: u32,
    pub row: u32,
}

impl RowId {
    /// Where it stands among the columns of its part.
    pub fn index(self) -> usize {
        self.row as usize
    }
}

impl Made {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.origins.len()
    }
}
