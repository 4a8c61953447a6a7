//! The lines of one header, in the order in which they were placed first, found by what an item is about.

use super::{Few, Line, Subject};
use std::collections::HashMap;
use std::ops::{Index, IndexMut};
use std::slice::Iter;

/// Lines above this many are found through an index.
const FEW_LINES: usize = 16;

/// The lines of one header.
#[derive(Default)]
pub struct Lines {
    all: Vec<Line>,
    /// By rank; empty while there are few.
    index: HashMap<i64, usize>,
}

impl Lines {
    /// Makes room for another header.
    pub fn clear(&mut self) {
        self.all.clear();
        // Clearing a map takes as long as it was ever large, and most headers have few lines.
        if !self.index.is_empty() {
            self.index = HashMap::new();
        }
    }

    /// Adds a line, and says where it is.
    pub fn push(&mut self, line: Line) -> usize {
        let place = self.all.len();
        if place >= FEW_LINES {
            if self.index.is_empty() {
                self.index.extend(self.all.iter().enumerate().map(|(place, line)| (line.rank, place)));
            }
            self.index.insert(line.rank, place);
        }
        self.all.push(line);
        place
    }

    /// Where the line of this rank is.
    pub fn find(&self, rank: i64) -> Option<usize> {
        if self.all.len() > FEW_LINES {
            return self.index.get(&rank).copied();
        }
        self.all.iter().position(|line| line.rank == rank)
    }

    /// Where the lines are that an item is about.
    pub fn of(&self, subject: &Subject<'_>) -> Few<usize> {
        match subject {
            Subject::Line(rank) => self.find(*rank).into_iter().collect(),
            _ => (0..self.all.len()).filter(|&line| subject.has(&self.all[line])).collect(),
        }
    }

    /// All lines.
    pub fn iter(&self) -> Iter<'_, Line> {
        self.all.iter()
    }
}

impl Index<usize> for Lines {
    type Output = Line;

    fn index(&self, place: usize) -> &Line {
        &self.all[place]
    }
}

impl IndexMut<usize> for Lines {
    fn index_mut(&mut self, place: usize) -> &mut Line {
        &mut self.all[place]
    }
}
