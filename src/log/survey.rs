//! What a log is, for somebody who has no pipeline at hand.

use super::account::Account;
use super::head::Head;
use super::position::Position;
use super::source::Source;
use crate::error::Result;
use std::path::Path;

/// The state of a log.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Of its last event.
    pub position: Position,
    /// In the order in which they were first seen.
    pub sources: Vec<Source>,
    /// What became of all lines.
    pub account: Account,
}

/// The log in this folder; `None` if none has begun there.
///
/// # Errors
/// The operator's, if its head cannot be read.
pub fn survey(folder: &Path) -> Result<Option<Survey>> {
    let head = Head::load(folder)?;
    Ok(head.map(|head| Survey {
        position: head.position,
        account: head.sources.iter().map(|source| source.account).sum(),
        sources: head.sources,
    }))
}
