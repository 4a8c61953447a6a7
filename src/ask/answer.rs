//! (question, tables at hand, views) → the SELECT with the fewest rows to read: aggregate navigation.

use super::select::{Select, select};
use super::source::Tables;
use super::view::{View, from_view};
use crate::error::Result;
use crate::model::{Model, Question};

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub select: Select,
    /// The view that is read; none: the fact itself.
    pub taken: Option<String>,
    /// Every view that was looked at, the smallest first.
    pub views: Vec<Judged>,
}

/// A view, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub name: String,
    pub rows: u64,
    pub verdict: Verdict,
}

/// Whether a view answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// It could, but the one that is taken is no larger.
    Larger,
    /// It cannot, and why.
    Cannot(String),
}

/// Answers a question from the smallest view that can, else from the fact. All of them give the same rows.
///
/// # Errors
///
/// As for [`select`].
pub fn answer(model: &Model, question: &Question, tables: &Tables, views: &[View]) -> Result<Answer> {
    let mut by_size: Vec<&View> = views.iter().collect();
    by_size.sort_by(|one, other| (one.rows, &one.name).cmp(&(other.rows, &other.name)));
    let mut found: Option<(String, Select)> = None;
    let mut judged = Vec::new();
    for view in by_size {
        let verdict = match (from_view(model, question, view), &found) {
            (Err(why), _) => Verdict::Cannot(why),
            (Ok(_), Some(_)) => Verdict::Larger,
            (Ok(select), None) => {
                found = Some((view.name.clone(), select));
                Verdict::Taken
            }
        };
        judged.push(Judged { name: view.name.clone(), rows: view.rows, verdict });
    }
    let (taken, select) = match found {
        Some((name, select)) => (Some(name), select),
        None => (None, select(model, question, tables)?),
    };
    Ok(Answer { select, taken, views: judged })
}
