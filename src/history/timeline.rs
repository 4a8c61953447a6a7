//! The own intervals of an entity's members: what their own events say, before any parent has a word.

use super::own_events::{ABSENT, Code, NULL, OwnEvents};

/// 9999-12-31 00:00:00, the `valid_to` of a current version, in UTC microseconds (DESIGN 10).
pub const FOREVER: i64 = 253_402_214_400_000_000;
/// 0001-01-01 00:00:00, the `valid_from` of an inferred member, in UTC microseconds.
pub const EVER: i64 = -62_135_596_800_000_000;

/// The own intervals of all members, by member and time.
pub struct Timelines {
    /// Intervals of member `m` are `first[m]..first[m + 1]`.
    pub first: Vec<u32>,
    pub from: Vec<i64>,
    pub to: Vec<i64>,
    states: Vec<Code>,
    /// By member: the last, the first and the previous value of each attribute and of the parent (DESIGN 9).
    summaries: Vec<Summary>,
    width: usize,
}

#[derive(Clone)]
struct Summary {
    last: Vec<Code>,
    first: Vec<Code>,
    previous: Vec<Code>,
}

impl Timelines {
    /// Folds the own events of `members` members.
    pub fn fold(own: &OwnEvents, members: usize) -> Self {
        let width = own.width();
        let mut timelines = Self {
            first: Vec::with_capacity(members + 1),
            from: Vec::new(),
            to: Vec::new(),
            states: Vec::new(),
            summaries: Vec::with_capacity(members),
            width,
        };
        let mut events = own.valid_order.iter().map(|&event| event as usize).peekable();
        for member in 0..members as u32 {
            timelines.first.push(timelines.from.len() as u32);
            let mut fold = Fold::new(width);
            while let Some(event) = events.next_if(|&event| own.member[event] == member) {
                fold.apply(own, event);
                let instant = own.time[event];
                let shares = |&next: &usize| own.member[next] == member && own.time[next] == instant;
                if !events.peek().is_some_and(shares) {
                    timelines.turn(&mut fold, instant);
                }
            }
            timelines.summaries.push(fold.summary);
        }
        timelines.first.push(timelines.from.len() as u32);
        timelines
    }

    /// All events of an instant are in: the interval before it ends, and a new one may begin.
    fn turn(&mut self, fold: &mut Fold, instant: i64) {
        if fold.was_live
            && let Some(to) = self.to.last_mut()
        {
            *to = instant;
        }
        if fold.live {
            self.from.push(instant);
            self.to.push(FOREVER);
            self.states.extend(&fold.state);
        }
        fold.was_live = fold.live;
    }

    /// The intervals of a member.
    pub fn of(&self, member: usize) -> std::ops::Range<usize> {
        self.first[member] as usize..self.first[member + 1] as usize
    }

    /// The attributes and, last, the parent in an interval, as events left them.
    pub fn state(&self, interval: usize) -> &[Code] {
        &self.states[interval * self.width..(interval + 1) * self.width]
    }

    /// The last value of an attribute over the whole member.
    pub fn last(&self, member: usize, attribute: usize) -> Code {
        self.summaries[member].last[attribute]
    }

    /// The first value of an attribute over the whole member.
    pub fn first_value(&self, member: usize, attribute: usize) -> Code {
        self.summaries[member].first[attribute]
    }

    /// The value of an attribute before its last change; null where it never changed.
    pub fn previous(&self, member: usize, attribute: usize) -> Code {
        self.summaries[member].previous[attribute]
    }
}

/// One member's events, folded so far.
struct Fold {
    live: bool,
    /// Whether the member was live before the instant at hand.
    was_live: bool,
    state: Vec<Code>,
    said: Vec<bool>,
    summary: Summary,
}

impl Fold {
    fn new(width: usize) -> Self {
        let nulls = vec![NULL; width];
        Self {
            live: false,
            was_live: false,
            state: nulls.clone(),
            said: vec![false; width],
            summary: Summary { last: nulls.clone(), first: nulls.clone(), previous: nulls },
        }
    }

    fn apply(&mut self, own: &OwnEvents, event: usize) {
        if own.closes[event] {
            // What a closed member was does not carry over to what it becomes (DESIGN 12).
            self.state.fill(NULL);
            self.live = false;
            return;
        }
        self.live = true;
        for (attribute, &code) in own.codes(event).iter().enumerate().filter(|(_, code)| **code != ABSENT) {
            self.state[attribute] = code;
            let summary = &mut self.summary;
            if !self.said[attribute] {
                self.said[attribute] = true;
                summary.first[attribute] = code;
            } else if summary.last[attribute] != code {
                summary.previous[attribute] = summary.last[attribute];
            }
            summary.last[attribute] = code;
        }
    }
}
