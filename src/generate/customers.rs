//! Customers who register, move, change their segment, leave, and come back.

use super::catalogue::another;
use super::names::{PLACES, person};
use super::pen::Pen;
use super::random::Random;

struct Customer {
    place: u8,
    segment: u8,
}

const SEGMENTS: [&str; 4] = ["consumer", "regular", "premium", "business"];

/// All customers. A customer's number is the index. Eight bytes or so each: there are many.
#[derive(Default)]
pub struct Customers {
    customers: Vec<Customer>,
    /// The place in the list tells how often one buys.
    active: Vec<u32>,
    left: Vec<u32>,
}

impl Customers {
    pub fn register(&mut self, random: &mut Random, pen: &mut Pen) {
        let customer = self.meet(random);
        self.register_buyer(customer, random, pen);
    }

    /// Registers one who has ordered before.
    pub fn register_buyer(&mut self, customer: u32, random: &mut Random, pen: &mut Pen) {
        self.active.push(customer);
        let last = self.active.len() - 1;
        self.active.swap(random.index(last + 1), last);
        self.write_registered(customer, pen);
    }

    /// A person who is to be registered later, or never.
    pub fn meet(&mut self, random: &mut Random) -> u32 {
        let segment = random.pick(&[0, 0, 0, 1, 1, 2, 3]);
        self.customers.push(Customer { place: random.index(PLACES.len()) as u8, segment });
        self.customers.len() as u32 - 1
    }

    pub fn relocate(&mut self, random: &mut Random, pen: &mut Pen) {
        let customer = random.pick(&self.active);
        let place = &mut self.customers[customer as usize].place;
        *place = another(random, PLACES.len(), usize::from(*place)) as u8;
        pen.begin("CustomerMoved").id("customer_id", "C", u64::from(customer) + 1_000_001);
        self.write_place(customer, pen);
        pen.end();
    }

    pub fn change_segment(&mut self, random: &mut Random, pen: &mut Pen) {
        let customer = random.pick(&self.active);
        let segment = &mut self.customers[customer as usize].segment;
        *segment = another(random, SEGMENTS.len(), usize::from(*segment)) as u8;
        let name = SEGMENTS[usize::from(*segment)];
        pen.begin("CustomerSegmentChanged").id("customer_id", "C", u64::from(customer) + 1_000_001);
        pen.text("segment", name).end();
    }

    pub fn close(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.active.len() < 2 {
            return;
        }
        let customer = self.active.swap_remove(random.index(self.active.len()));
        self.left.push(customer);
        pen.begin("CustomerClosed").id("customer_id", "C", u64::from(customer) + 1_000_001).end();
    }

    /// One who left registers again.
    pub fn rejoin(&mut self, random: &mut Random, pen: &mut Pen) {
        if self.left.is_empty() {
            return;
        }
        let customer = self.left.swap_remove(random.index(self.left.len()));
        self.register_buyer(customer, random, pen);
    }

    /// A customer who buys something.
    pub fn buy(&self, random: &mut Random) -> u32 {
        self.active[random.skewed(self.active.len() as u64) as usize]
    }

    fn write_registered(&self, customer: u32, pen: &mut Pen) {
        let [first, last] = person(customer);
        pen.begin("CustomerRegistered").id("customer_id", "C", u64::from(customer) + 1_000_001);
        pen.begin_text("name").raw(first).raw(" ").raw(last).end_text();
        pen.text("segment", SEGMENTS[usize::from(self.customers[customer as usize].segment)]);
        self.write_place(customer, pen);
        pen.end();
    }

    fn write_place(&self, customer: u32, pen: &mut Pen) {
        let [city, region, country] = PLACES[usize::from(self.customers[customer as usize].place)];
        pen.text("city", city).text("region", region).text("country", country);
    }
}
