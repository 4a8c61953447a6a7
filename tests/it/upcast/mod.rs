//! Old versions of an event become today's: line by line, and in a warehouse that stands while its chain changes.

mod chain;
mod drift;
mod lines;
mod spellings;
mod trial;
