//! What is still to happen, by day and instant.
//!
//! Holds tasks of the days ahead, never one after the last day of the log: that part of a life is not told.

use super::pen::{DAY, Millis};
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use super::orders::{Amendment, Reversal};

/// Something that happens. Whom it happens to is drawn when it does, unless it is said here.
#[derive(Clone)]
pub enum Act {
    CreateDepartment,
    RenameDepartment,
    CreateCategory,
    RenameCategory,
    MoveCategory,
    CreateProduct,
    RenameProduct,
    ChangePrice,
    RecategorizeProduct,
    DiscontinueProduct,
    BringProductBack,
    OpenStore,
    RenameStore,
    MoveStore,
    CloseStore,
    ReopenStore,
    RegisterCustomer,
    /// One who has ordered before.
    RegisterBuyer(u32),
    MoveCustomer,
    ChangeSegment,
    CloseCustomer,
    RejoinCustomer,
    PlaceOrder,
    AmendOrder(Box<Amendment>),
    ShipOrder(u64),
    DeliverOrder(u64),
    CancelOrder(Box<Reversal>),
    ReturnOrder(Box<Reversal>),
}

impl Act {
    /// Members change before orders of the same instant: a fact takes the version that begins at its time.
    fn is_of_an_order(&self) -> bool {
        matches!(
            self,
            Self::PlaceOrder
                | Self::AmendOrder(_)
                | Self::ShipOrder(_)
                | Self::DeliverOrder(_)
                | Self::CancelOrder(_)
                | Self::ReturnOrder(_)
        )
    }
}

/// An act with its instant, and what decides between acts of one instant.
pub struct Task {
    pub time: Millis,
    place: (bool, u64),
    pub act: Act,
}

impl Task {
    fn order(&self) -> (Millis, (bool, u64)) {
        (self.time, self.place)
    }
}

impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Task {}

impl PartialOrd for Task {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Task {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

/// The tasks of today and of the days ahead.
pub struct Agenda {
    day: u32,
    days: u32,
    added: u64,
    today: BinaryHeap<Reverse<Task>>,
    ahead: VecDeque<Vec<Task>>,
}

impl Agenda {
    pub fn new(days: u32) -> Self {
        Self { day: 0, days, added: 0, today: BinaryHeap::new(), ahead: VecDeque::new() }
    }

    /// Adds a task for today.
    pub fn today(&mut self, time: Millis, act: Act) {
        let task = self.task(time, act);
        self.today.push(Reverse(task));
    }

    /// Adds a task so long after an instant of today.
    pub fn after(&mut self, time: Millis, delay: u64, act: Act) {
        let instant = u64::from(time) + delay;
        let days_ahead = (instant / u64::from(DAY)) as usize;
        let time = (instant % u64::from(DAY)) as Millis;
        if days_ahead == 0 {
            return self.today(time, act);
        }
        if days_ahead >= (self.days - self.day) as usize {
            return;
        }
        if self.ahead.len() < days_ahead {
            self.ahead.resize_with(days_ahead, Vec::new);
        }
        let task = self.task(time, act);
        self.ahead[days_ahead - 1].push(task);
    }

    /// The next task of today.
    pub fn next(&mut self) -> Option<Task> {
        self.today.pop().map(|Reverse(task)| task)
    }

    /// Turns to the next day.
    pub fn turn(&mut self) {
        self.day += 1;
        self.today = self.ahead.pop_front().unwrap_or_default().into_iter().map(Reverse).collect();
    }

    fn task(&mut self, time: Millis, act: Act) -> Task {
        self.added += 1;
        Task { time, place: (act.is_of_an_order(), self.added), act }
    }
}
