//! What is compared: every layout of a warehouse, and the one big table.

use crate::layout::Layout;
use std::fmt;

/// How the same relations may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As a warehouse has them.
    Layout(Layout),
    /// Every attribute beside every row of a fact.
    BigTable,
}

impl Shape {
    /// All, in the order in which figures are given.
    pub fn all() -> impl Iterator<Item = Self> {
        Layout::ALL.into_iter().map(Self::Layout).chain([Self::BigTable])
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(layout) => layout.fmt(formatter),
            Self::BigTable => formatter.pad("one big table"),
        }
    }
}
